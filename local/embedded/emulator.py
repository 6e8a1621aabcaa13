"""MiniStack as the embedded target runs it: `python -m embedded.emulator`.

It runs the installed MiniStack and changes it in its own process:

- It applies the corrections in `ministack_fixes`.
- It saves its state while it runs (see `saving`).
- It refuses web pages of other origins, because it runs functions as processes of the user who
  started it.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from embedded import ministack_fixes
from eventbridge_pipes import guard


def _with_preflights(served: ASGIApp, admitted: guard.Admitted) -> ASGIApp:
    """Answer preflights in place of MiniStack, which does not allow the header Authorization."""
    preflights = CORSMiddleware(served, **guard.cors(admitted))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        answering = preflights if scope.get("method") == "OPTIONS" else served
        await answering(scope, receive, send)

    return serve


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="where the stack is saved")
    guard.add_options(parser)
    options = vars(parser.parse_args([*guard.options(os.environ), *sys.argv[1:]]))
    sys.argv[1:] = []  # MiniStack reads them too
    ministack_fixes.apply_all()
    from ministack import app

    from embedded import saving

    saving.start(options["folder"])
    admitted = guard.admitted(options)
    app.app = guard.Guard(_with_preflights(app.app, admitted), admitted)
    app.main()


if __name__ == "__main__":
    main()
