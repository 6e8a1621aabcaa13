"""The Docker engine that the container tier needs: whether there is one, and our images."""

from __future__ import annotations

import os
import subprocess
from functools import cache

from pages import ROOT

LOCALSTACK = "localstack/localstack:4.14.0"
SOCKET = "/var/run/docker.sock"
LEFT_OUT = "no Docker engine"


def required() -> bool:
    """Whether a missing engine is a failure, not a tier that is left out."""
    return os.environ.get("REQUIRE_DOCKER", "") not in ("", "0")


@cache
def missing() -> str:
    """Why there is no engine, or nothing when there is one."""
    argv = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        asked = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{LEFT_OUT}: {error}"
    return f"{LEFT_OUT}: {asked.stderr.strip()}" if asked.returncode else ""


def emulator_image() -> str:
    """The emulator to test on, by the variable that Compose has for it."""
    return os.environ.get("LOCALSTACK_IMAGE") or LOCALSTACK


def emulator_keeps_state() -> bool:
    """Whether it has over a restart what it had before; LocalStack's free edition has not."""
    return "ministack" in emulator_image()


def emulator_socket() -> str:
    """The engine's socket, which the emulator gets. MiniStack gets none, as .env.example says."""
    return "/dev/null" if emulator_keeps_state() else os.environ.get("DOCKER_SOCKET") or SOCKET


def base_image() -> str:
    return os.environ.get("BASE_IMAGE") or "python:3.13-slim"


IMAGES = {"pipes": "eventbridge-pipes", "producer": "inventory-producer"}
VERSION = "test"


@cache
def build(service: str) -> str:
    """The tag of a service's image, the one that Compose uses; built if anything has changed."""
    environ = {**os.environ, "VERSION": VERSION, "BASE_IMAGE": base_image()}
    argv = ["docker", "compose", "build", "--quiet", service]
    built = subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return f"{IMAGES[service]}:{VERSION}"
