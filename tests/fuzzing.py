"""How much the fuzz tests try, and that what they found can be found again.

In `make test` the examples are the same each time. `FUZZ=50` makes fifty times as many, of another
seed each time; pytest prints it, and `--hypothesis-seed` takes it.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("FUZZ", "1"))


def tries(examples: int) -> settings:
    """For a test that tries so many examples, or FUZZ times as many."""
    return settings(
        max_examples=examples * TIMES,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
