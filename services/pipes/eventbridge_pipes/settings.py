"""What the service is told on its command line."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from eventbridge_pipes import __version__, guard, logs

DESCRIPTION = """\
EventBridge Pipes as a local service: the API, and the workers that move the records.
Runs beside any emulator of the AWS APIs, and does for it what AWS's own Pipes do.

`eventbridge-pipes apply TEMPLATE` creates the pipes of a CloudFormation template: see its --help.
"""

EPILOG = """\
environment variables, those of every AWS SDK:
  AWS_ENDPOINT_URL        where Kinesis, DynamoDB, SQS, SNS, Lambda, Step Functions, EventBridge,
                          CloudWatch and CloudWatch Logs are; AWS itself when it is not set
  AWS_ENDPOINT_URL_<ID>   the same for one service: _KINESIS, _DYNAMODB_STREAMS, _LAMBDA, ...
  AWS_DEFAULT_REGION      the Region of the pipes; needed, unless a profile has it
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
                          needed, or a profile; any value will do for an emulator
  AWS_PROFILE             a profile of the AWS configuration, in place of the above
and three of its own:
  PIPES_STATE             as --state; --in-memory overrides it
  PIPES_ALLOW_HOST, PIPES_ALLOW_ORIGIN
                          as --allow-host and --allow-origin, several with commas between

example, beside an emulator on port 4566:
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  eventbridge-pipes &
  export AWS_ENDPOINT_URL_PIPES=http://127.0.0.1:4567
  aws pipes list-pipes

GET /health tells whether it is up, and how many pipes are in which state; GET /metrics tells
Prometheus what they do. SIGINT or SIGTERM ends it once the batches at their targets are done, or
after five seconds. It listens on 127.0.0.1 and verifies no signatures: who reaches the port may
use it, but for web pages of other origins, which are refused.

exit codes: 0 ended by a signal, 2 not begun (an option, a setting, the port or the state)
"""

STATE = Path(".eventbridge-pipes")


@dataclass(frozen=True)
class Settings:
    """Port 0 takes a free one; `log_format` is text or json, `log_level` debug, info or warning.

    `state` is None when nothing is to be kept. `metrics_interval` is in seconds, 0 for none.
    `embedded_metrics` is what the names of the log groups that have such metrics begin with.
    """

    host: str
    port: int
    state: Path | None
    log_format: str
    log_level: str
    metrics_interval: float
    embedded_metrics: str | None = None
    allow_crash: bool = False
    admitted: guard.Admitted = field(default_factory=guard.Admitted)

    @classmethod
    def read(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
        """End the process if they are wrong, with one line and exit code 2."""
        state = Path(environ.get("PIPES_STATE") or STATE)
        told = vars(_parser(state).parse_args([*guard.options(environ), *arguments]))
        return cls(admitted=guard.admitted(told), **told)


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong option in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {logs.escaped(message)}. See {self.prog} --help.\n")


def _parser(state: Path) -> argparse.ArgumentParser:
    parser = Parser(
        prog="eventbridge-pipes",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_listening(parser)
    _add_state(parser, state)
    _add_watching(parser)
    return parser


def _add_listening(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=4567,
        help="port to listen on; 0 takes a free one, which the first log line names "
        "(default: %(default)s)",
    )
    guard.add_options(parser)
    parser.add_argument(
        "--allow-crash",
        action="store_true",
        help="let POST /crash end the service at once, as kill -9 would, to see it recover; "
        "something has to start it again",
    )


def _add_state(parser: argparse.ArgumentParser, default: Path) -> None:
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        "--state",
        type=Path,
        default=default,
        metavar="DIR",
        help="directory for pipes and how far they got; made when it is not there "
        "(default: %(default)s)",
    )
    state.add_argument(
        "--in-memory",
        action="store_const",
        const=None,
        dest="state",
        help="keep nothing: pipes are gone when the service ends, as with an emulator that "
        "forgets its streams",
    )


def _add_watching(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log-format",
        choices=["text", "json"],
        default="text",
        help="one line an event, as text or as JSON (default: %(default)s)",
    )
    parser.add_argument(
        "--log-level",
        choices=["debug", "info", "warning"],
        default="info",
        help="how much the log tells; debug has a line for each batch (default: %(default)s)",
    )
    parser.add_argument(
        "--metrics-interval",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="how often metrics are put to CloudWatch; 0 puts none (default: %(default)g)",
    )
    parser.add_argument(
        "--embedded-metrics",
        metavar="PREFIX",
        help="also put those that functions embed in their logs, as CloudWatch itself does and "
        "emulators do not: in log groups whose names begin so, such as /aws/lambda/",
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds
