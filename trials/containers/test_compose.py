"""docker-compose.yml: what takes as long to show as all of tests/containers/test_compose.py."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

import engine
from compose_project import copy_of_checkout, project

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(420),
]


def test_a_start_hook_that_fails_is_red_and_says_why_in_a_line(tmp_path: Path) -> None:
    key = "arn:aws:kms:eu-west-1:000000000000:key/other-region"
    with project(tmp_path, KMS_KEY_ARN=key) as it:
        up = it.run("up", "--wait")
        assert up.returncode == 1
        assert up.stderr.endswith(f"container {it.name}-deployer-1 exited (1)\n")
        assert "localstack: " in it.log("deployer")
        log = it.log("localstack")
        assert "The deployment failed: KMS_KEY_ARN is of the Region eu-west-1" in log
        assert "Traceback" not in log
        assert it.run("ps", "--quiet", "producer").stdout == ""


def test_a_port_that_is_in_use_ends_up_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with project(tmp_path, DASHBOARD_PORT=port) as it:
            up = it.run("up", "--wait")
            assert up.returncode == 1
            assert f"127.0.0.1:{port}" in up.stderr.splitlines()[-1]
            assert it.container("localstack")["State"]["Health"]["Status"] == "starting"


def test_images_of_a_checkout_that_nobody_else_may_read_run_as_their_user(tmp_path: Path) -> None:
    """As after `umask 077`."""
    checkout = copy_of_checkout(tmp_path)
    for path in [checkout, *checkout.rglob("*")]:
        path.chmod(0o700 if path.is_dir() or path.suffix == ".sh" else 0o600)
    import_page = ["-c", "import dashboard.web.app"]  # it has no --help
    for folder, context, command in (
        ("cli", ".", ["--version"]),
        ("services/dashboard", ".", import_page),
        ("services/pipes", "services/pipes", ["--help"]),
        ("services/producer", ".", ["--help"]),
    ):
        build = ["docker", "build", "--quiet", "--file", str(checkout / folder / "Dockerfile")]
        build += ["--build-arg", f"BASE_IMAGE={engine.base_image()}", str(checkout / context)]
        built = subprocess.run(build, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        run = ["docker", "run", "--rm", "--network", "none"]
        run += ["--entrypoint", "python"] if command is import_page else []
        run += [built.stdout.strip(), *command]
        ran = subprocess.run(run, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
