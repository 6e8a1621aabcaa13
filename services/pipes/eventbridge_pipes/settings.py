"""What the service is told on its command line."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DESCRIPTION = """\
EventBridge Pipes as a local service: the API, and the workers that move the records.

It finds Kinesis, Lambda, SQS and the others through the standard AWS variables (AWS_ENDPOINT_URL,
AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, ...), and SDKs find it through AWS_ENDPOINT_URL_PIPES.
"""


@dataclass(frozen=True)
class Settings:
    """Port 0 takes a free one; `log_format` is text or json, `log_level` debug, info or warning.

    `metrics_interval` is in seconds, 0 for none.
    """

    host: str
    port: int
    state: Path
    log_format: str
    log_level: str
    metrics_interval: float

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Settings:
        """Ends the process with a message and exit code 2 when they are wrong."""
        parser = argparse.ArgumentParser(
            prog="python -m eventbridge_pipes",
            description=DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
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
        parser.add_argument(
            "--state",
            type=Path,
            required=True,
            metavar="DIR",
            help="directory for pipes and their positions; made when it is not there",
        )
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
        return cls(**vars(parser.parse_args(arguments)))


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
