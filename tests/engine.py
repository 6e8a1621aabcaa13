"""The Docker engine that the container tier needs: whether there is one, and our images."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

ROOT = Path(__file__).resolve().parents[1]
LOCALSTACK = "localstack/localstack:4.14.0"
LEFT_OUT = "no Docker engine"


def required() -> bool:
    """Whether a missing engine is a failure, not a tier that is left out."""
    return os.environ.get("REQUIRE_DOCKER", "") not in ("", "0")


@cache
def missing() -> str:
    """Why there is no engine, or nothing when there is one."""
    try:
        client = docker.from_env(timeout=5)
        client.ping()
        client.close()
    except DockerException as error:
        return f"{LEFT_OUT}: {str(error).splitlines()[0]}"
    return ""


def need() -> None:
    """Skip the test when there is no engine, or fail it when there has to be one."""
    if reason := missing():
        if required():
            pytest.fail(f"{reason} (REQUIRE_DOCKER is set)", pytrace=False)
        pytest.skip(reason)


def emulator_image() -> str:
    """The emulator to test on, by the variable that Compose has for it."""
    return os.environ.get("LOCALSTACK_IMAGE") or LOCALSTACK


def emulator_keeps_state() -> bool:
    """Whether it has over a restart what it had before; LocalStack's free edition has not."""
    return "ministack" in emulator_image()


def base_image() -> str:
    return os.environ.get("BASE_IMAGE") or "python:3.13-slim"


@cache
def build(service: str) -> str:
    """The tag of the image of `services/<service>`, built if anything has changed."""
    tag = f"inventory-test-{service}:latest"
    argv = ["docker", "build", "--quiet", "--tag", tag, "--build-arg", f"BASE_IMAGE={base_image()}"]
    built = subprocess.run([*argv, f"services/{service}"], cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return tag
