"""The command line of the service."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from eventbridge_pipes import __version__, guard, log

DESCRIPTION = """\
Run AWS EventBridge Pipes on this machine, beside any emulator of the AWS APIs.

`eventbridge-pipes apply TEMPLATE` creates the pipes of a CloudFormation template: see its --help.
"""

EPILOG = """\
Variables of every AWS SDK:
  AWS_ENDPOINT_URL        The emulator. Without it, sources and targets are on
                          AWS itself.
  AWS_ENDPOINT_URL_<ID>   The same for one service: _KINESIS, _LAMBDA, ...
  AWS_DEFAULT_REGION      The Region of requests without a signature. Others
                          name their own. us-east-1 if not set.
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
                          Required, unless a profile has them. An emulator
                          accepts any value.
  AWS_ACCOUNT_ID          The account of requests whose access key id is not
                          an account itself, 12 digits (default beside an
                          emulator: 000000000000).
  AWS_PROFILE             A profile of the AWS configuration.

Its own variables:
  PIPES_STATE             Same as --state. --in-memory overrides it.
  PIPES_ALLOW_HOST, PIPES_ALLOW_ORIGIN
                          Same as --allow-host and --allow-origin. Separate
                          values with commas.

Example, beside an emulator on port 4566:
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  eventbridge-pipes &
  export AWS_ENDPOINT_URL_PIPES=http://127.0.0.1:4567
  aws pipes list-pipes

GET /health returns the number of pipes by state, GET /metrics returns
Prometheus metrics. At SIGINT or SIGTERM, batches have five seconds to finish.

It verifies no signatures: anyone who can reach the port can use it. Web pages
of other origins are refused.

Exit codes: 0: ended by a signal. 2: could not start.
"""


@dataclass(frozen=True)
class Settings:
    """Port 0 takes a free one; `log_format` is text or json, `log_level` debug, info or warning.

    `state` is None when nothing is to be kept. `metrics_interval` is in seconds, 0 for none.
    """

    host: str
    port: int
    state: Path | None
    log_format: str
    log_level: str
    metrics_interval: float
    allow_crash: bool = False
    admitted: guard.Admitted = field(default_factory=guard.Admitted)

    @classmethod
    def read(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
        """End the process if they are wrong, with one line and exit code 2."""
        state = environ.get("PIPES_STATE") or ".eventbridge-pipes"
        given = vars(_parser(state).parse_args([*guard.options(environ), *arguments]))
        return cls(admitted=guard.admitted(given), **given)


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong option in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {log.escaped(message)}. See {self.prog} --help.\n")


def _parser(state: str) -> argparse.ArgumentParser:
    parser = Parser(
        prog="eventbridge-pipes",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {__version__}")
    add("--host", default="127.0.0.1", help="Address to listen on (default: %(default)s).")
    port = "Port to listen on. 0: any free port; the first log line names it"
    add("--port", type=_port, default=4567, help=f"{port} (default: %(default)s).")
    guard.add_options(parser)
    crash = "POST /crash kills the service, to test recovery. It does not restart itself."
    add("--allow-crash", action="store_true", help=crash)
    add_state = parser.add_mutually_exclusive_group().add_argument
    kept = "Directory for pipes and checkpoints. Created if missing (default: %(default)s)."
    add_state("--state", type=Path, default=state, metavar="DIR", help=kept)
    lost = "Keep nothing on disk. Pipes are lost when the service ends."
    add_state("--in-memory", action="store_const", const=None, dest="state", help=lost)
    text = "Log format (default: %(default)s)."
    add("--log-format", choices=["text", "json"], default="text", help=text)
    level = "Log level. debug logs each batch (default: %(default)s)."
    add("--log-level", choices=["debug", "info", "warning"], default="info", help=level)
    seconds = "Seconds between metrics to CloudWatch. 0: none (default: %(default)g)."
    add("--metrics-interval", type=_seconds, default=10.0, metavar="SECONDS", help=seconds)
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) <= 3600:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
