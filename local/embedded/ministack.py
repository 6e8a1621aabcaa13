"""MiniStack, the emulator of the AWS APIs that the embedded target runs on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from embedded import private, saved
from embedded.processes import Server, answers

REGION = "us-east-1"


def start(port: int, folder: Path, environ: Mapping[str, str]) -> Server:
    """Start MiniStack on 127.0.0.1:`port`, with what was saved in the stack's `folder`.

    The functions that it runs inherit `environ`.
    """
    own = folder / "ministack"
    scratch = own / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    private.make_folder(scratch)
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(saved.emulator_part(saved.newest(folder))),
        # It unpacks functions there, and leaves them behind.
        "TMPDIR": str(scratch.resolve()),
        "S3_DATA_DIR": str(own / "s3"),
        "LAMBDA_EXECUTOR": "local",
        # Listeners on fixed ports, for services that the stack has no use for.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    return Server.start(
        "MiniStack",
        [sys.executable, "-m", "embedded.emulator", str(folder)],
        {**environ, **settings},
        own / "ministack.log",
    )


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def ready(port: int) -> bool:
    return answers(f"{url(port)}/_ministack/health")
