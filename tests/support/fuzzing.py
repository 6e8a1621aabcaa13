"""How much the property and fuzz tests try, and that what they found can be found again.

`make test` tries a tenth of the examples, the same each time. `make fuzz` tries all of them, also
the same each time; `make fuzz FUZZ=50` fifty times as many, of another seed each time, which pytest
prints and `--hypothesis-seed` takes.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = float(os.environ.get("FUZZ") or 0.1)


def tries(examples: int) -> settings:
    """For a test that tries so many examples in `make fuzz`."""
    return settings(
        max_examples=max(1, round(examples * TIMES)),
        derandomize=TIMES <= 1,
        database=None,
        deadline=None,  # it would say more of the machine than of the code
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
