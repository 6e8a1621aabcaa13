"""The servers of the end-to-end tests in containers: an emulator, and the Pipes service."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, cast

from testcontainers.community.localstack import LocalStackContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

import engine
import orphans
from deploy import healthcheck
from embedded.environment import isolated, variables
from embedded.ministack import REGION
from embedded.ports import free_port
from embedded.processes import Server, answers
from waiting import eventually

EMULATOR_PORT = 4566
PIPES_PORT = 4567
ON_THE_NETWORK = {
    "AWS_ENDPOINT_URL": f"http://localstack:{EMULATOR_PORT}",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


class Emulator(LocalStackContainer):
    """LocalStack, or what takes its place: up when it says that it is, whatever its log says."""

    def __init__(self, image: str, network: Network) -> None:
        super().__init__(image, edge_port=EMULATOR_PORT, region_name=REGION)
        self.port = free_port()
        name = orphans.own_name("localstack")
        self.with_name(name).with_network(network).with_network_aliases("localstack")
        publish(self, EMULATOR_PORT, self.port)
        self.with_volume_mapping(engine.emulator_socket(), engine.SOCKET, "rw")
        self.with_envs(
            LOCALSTACK_HOST=f"localstack:{EMULATOR_PORT}",
            SQS_ENDPOINT_STRATEGY="path",
            MINISTACK_HOST="localstack",
            MAIN_CONTAINER_NAME=name,
            LAMBDA_DOCKER_NETWORK=network.name,
            LAMBDA_RUNTIME_IMAGE_MAPPING=os.environ.get("LAMBDA_RUNTIME_IMAGE_MAPPING", ""),
            # As in the compose file: streams of the tables that keep the order of an item.
            PROVIDER_OVERRIDE_DYNAMODB="v2",
            PROVIDER_OVERRIDE_DYNAMODBSTREAMS="v2",
            DISABLE_EVENTS="1",
            LS_LOG="warn",
            DNS_ADDRESS="0",
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout: float = 60) -> Self:
        DockerContainer.start(self)
        healthy, reason = healthcheck.wait(self.url, time.monotonic, time.sleep)
        assert healthy, reason
        return self

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        """In peace, so that it takes the containers of its functions with it."""
        if self._container:
            self._container.stop(timeout=30)
        super().stop(force, delete_volume)


class ContainerBackend:
    """See `stack.Backend`."""

    def __init__(self, network: Network, emulator: Emulator) -> None:
        self.network = network
        self.emulator = emulator
        self.pipes = confined(engine.build("pipes"), network)
        self._pipes_url = f"http://127.0.0.1:{publish(self.pipes, PIPES_PORT, free_port())}"

    @property
    def variables(self) -> Mapping[str, str]:
        return variables(self.emulator.url, self._pipes_url)

    def logs(self) -> Mapping[str, str]:
        return {"the emulator": logs_of(self.emulator), "EventBridge Pipes": logs_of(self.pipes)}

    def await_pipes(self) -> None:
        eventually(lambda: answers(f"{self._pipes_url}/health"), timeout=30)


@contextmanager
def containers() -> Iterator[ContainerBackend]:
    """Fresh servers on a network of their own, with names and ports that nobody else has."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory()))
        network = Network()
        network.name = orphans.own_name("network")
        cleanup.enter_context(network)
        emulator = cleanup.enter_context(Emulator(engine.emulator_image(), network))
        backend = ContainerBackend(network, emulator)
        cleanup.enter_context(backend.pipes)
        cleanup.callback(function_metrics(backend.variables, folder).stop)
        backend.await_pipes()
        yield backend


def function_metrics(variables: Mapping[str, str], folder: Path) -> Server:
    """The program of the service `metrics`, as a process of this machine."""
    argv = [sys.executable, "-m", "inventory_cli.function_metrics"]
    environ = isolated(os.environ, variables)
    return Server.start("function metrics", argv, environ, folder / "metrics.log")


def logs_of(container: DockerContainer) -> str:
    out, err = container.get_logs()
    return (out + err).decode(errors="replace")


def publish(container: DockerContainer, port: int, at: int) -> int:
    """Publish a port on 127.0.0.1:`at` alone, which stays the same over restarts."""
    # testcontainers hands this to docker-py, which takes an address too.
    container.ports[str(port)] = cast(int, ("127.0.0.1", at))
    return at


def confined(image: str, network: Network) -> DockerContainer:
    """A container of ours, not started, with as little as it needs, as Compose runs it."""
    container = DockerContainer(image).with_name(orphans.own_name("ours"))
    container.with_network(network).with_envs(**ON_THE_NETWORK)
    return container.with_tmpfs_mount("/tmp").with_kwargs(  # noqa: S108 - inside the container
        init=True, read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges:true"]
    )
