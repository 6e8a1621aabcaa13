"""The command `eventbridge-pipes`: the service, or `apply`, which needs less installed."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping


def main() -> int:
    reach_this_machine_directly(os.environ)
    if sys.argv[1:2] == ["apply"]:
        from eventbridge_pipes.apply.command import main as apply

        return apply(sys.argv[2:])
    from eventbridge_pipes.service import main as serve

    return serve()


def reach_this_machine_directly(environ: MutableMapping[str, str]) -> None:
    """In spite of a proxy in `environ`, which has another 127.0.0.1."""
    others = environ.get("no_proxy") or environ.get("NO_PROXY", "")
    if others != "*":
        environ["no_proxy"] = ",".join(filter(None, [others, "127.0.0.1", "localhost"]))


if __name__ == "__main__":
    sys.exit(main())
