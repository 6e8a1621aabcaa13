"""MiniStack as the embedded target runs it: `python -m embedded.emulator`.

It is what is installed, with some things put right in its own process: how a stream is resharded
(`resharding`), which numbers its records get (`sequence_numbers`), how much a call looks at where
there are many records or messages (`expiry`, `queue_scans`), what an exception does to a function's
process (`exceptions`), what of its output is logged (`function_logs`), and when a mapping calls its
function (`windows`). That was made for one version; another runs as it comes, and says so in its
log. Of any version, what it holds is saved (`saving`), and web pages of other origins are refused:
it runs functions as processes of whoever started it.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware

from eventbridge_pipes import guard

VERSION = "1.5.33"


def put_right(installed: str) -> str | None:
    """Put right the MiniStack of this process; why not, if it is another version."""
    if installed != VERSION:
        return (
            f"MiniStack {installed} runs without our corrections, which are for {VERSION}. A "
            "stream that is resharded loses its unread records. After the clock is set back, new "
            "events count as duplicates."
        )
    from embedded.ministack_fixes import (
        exceptions,
        expiry,
        function_logs,
        queue_scans,
        resharding,
        sequence_numbers,
        windows,
    )

    resharding.reshard_as_aws_does()
    sequence_numbers.only_grow()
    expiry.expire_the_oldest_only()
    queue_scans.look_no_further_than_needed()
    queue_scans.lead_to_where_it_listens()
    exceptions.survive_exceptions()
    function_logs.keep_whole_logs()
    windows.wait_for_windows()
    return None


def _with_preflights(served: guard.App, admitted: guard.Admitted) -> guard.App:
    """MiniStack lets pages send any header but Authorization, which SDKs put their signature in."""
    preflights = CORSMiddleware(served, **guard.cors(admitted))

    async def serve(scope: guard.Message, receive: guard.Receive, send: guard.Send) -> None:
        answering = preflights if scope.get("method") == "OPTIONS" else served
        await answering(scope, receive, send)

    return serve


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="of the stack: where it is saved")
    guard.add_options(parser)
    told = vars(parser.parse_args([*guard.options(os.environ), *sys.argv[1:]]))
    sys.argv[1:] = []  # MiniStack reads them too
    if warning := put_right(version("ministack")):
        print(warning, file=sys.stderr)
    from ministack import app

    from embedded.saving import Saver

    Saver(told["folder"]).start()
    admitted = guard.admitted(told)
    app.app = guard.Guard(_with_preflights(app.app, admitted), admitted)
    app.main()


if __name__ == "__main__":
    main()
