"""A project of Docker Compose on our own file, with a name and ports that nobody else has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import docker
from testcontainers.compose import DockerCompose

import engine
import orphans
from embedded.environment import variables
from embedded.ports import free_port
from inventory_aws.names import Names
from pages import ROOT
from stack import client_at

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient

HANDED_ON = ("LOCALSTACK_IMAGE", "BASE_IMAGE", "LAMBDA_RUNTIME_IMAGE_MAPPING")


@dataclass(frozen=True)
class Project:
    name: str
    compose: DockerCompose
    variables: dict[str, str]
    dashboard: str

    def client(self, service: str) -> Any:
        return client_at(service, self.variables)

    @property
    def kinesis(self) -> KinesisClient:
        return cast("KinesisClient", self.client("kinesis"))

    @property
    def dynamodb(self) -> DynamoDBClient:
        return cast("DynamoDBClient", self.client("dynamodb"))

    def has_run(self, function: str) -> bool:
        events = self.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{function}", limit=1
        )["events"]
        return bool(events)

    @property
    def code(self) -> str:
        """The hash of the code that the function runs."""
        found = self.client("lambda").get_function(FunctionName=Names().function)
        return str(found["Configuration"]["CodeSha256"])

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [*self.compose.docker_compose_command(), *arguments]
        return subprocess.run(argv, cwd=self.compose.context, capture_output=True, text=True)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container `cli`, without a terminal."""
        return self.run("run", "--rm", "-T", "cli", *arguments)

    def log(self, service: str) -> str:
        """What the container of a service has printed, as it printed it."""
        client = docker.from_env()
        try:
            printed: bytes = client.containers.get(self.container(service)["Id"]).logs()
        finally:
            client.close()
        return printed.decode()

    def configuration(self) -> dict[str, Any]:
        """The services with all variables resolved, those of profiles too."""
        checked = self.run("--profile", "*", "config", "--format", "json")
        services: dict[str, Any] = json.loads(checked.stdout)["services"]
        return services

    def states(self) -> list[str]:
        """Those of all containers that bear the project's name, the functions' among them."""
        client = docker.from_env()
        try:
            found = client.containers.list(
                all=True, filters={"name": self.name}, ignore_removed=True
            )
            return [str(container.status) for container in found]
        finally:
            client.close()

    def container(self, service: str) -> dict[str, Any]:
        """What the engine knows of the container of a service, running or not."""
        found = self.compose.get_container(service, include_all=True)
        client = docker.from_env()
        try:
            attributes: dict[str, Any] = client.containers.get(str(found.ID)).attrs
        finally:
            client.close()
        return attributes


@contextmanager
def project(folder: Path, checkout: Path = ROOT, **settings: str) -> Iterator[Project]:
    """A project that is not started yet; nothing of it is left afterwards.

    `settings` are what a user would write into .env.
    """
    name = orphans.own_name("compose")
    ports = {name: free_port() for name in ("LOCALSTACK_PORT", "PIPES_PORT", "DASHBOARD_PORT")}
    own = {
        "COMPOSE_PROJECT_NAME": name,
        "VERSION": engine.VERSION,
        "DOCKER_SOCKET": engine.emulator_socket(),
        **ports,
    }
    passed = {name: os.environ[name] for name in HANDED_ON if os.environ.get(name)}
    env_file = folder / f"{name}.env"
    lines = [f"{key}='{value}'\n" for key, value in {**own, **passed, **settings}.items()]
    env_file.write_text("".join(lines))
    compose = DockerCompose(checkout, env_file=str(env_file))
    emulator, pipes, dashboard = (f"http://127.0.0.1:{port}" for port in ports.values())
    try:
        yield Project(name, compose, variables(emulator, pipes), dashboard)
    finally:
        compose.stop()


def copy_of_checkout(folder: Path) -> Path:
    """The files that the images are built from, to be changed."""
    checkout = folder / "checkout"
    for name in ("cli", "init", "libs", "local", "services"):
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
    for name in (".dockerignore", "LICENSE", "README.md", "docker-compose.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    return checkout


def left_of(name: str) -> list[str]:
    """Containers, networks and volumes that bear the name of a project."""
    client = docker.from_env()
    try:
        found = [
            *(
                container.name
                for container in client.containers.list(all=True, ignore_removed=True)
            ),
            *(network.name for network in client.networks.list()),
            *(volume.name for volume in client.volumes.list()),
        ]
    finally:
        client.close()
    return [str(item) for item in found if name in str(item)]
