"""Make the containers of functions end with LocalStack's. It runs this in its own process.

By itself it removes them when it stops, but not if it is killed, and not those that it is starting.
So they share the process namespace of LocalStack's container: when that container ends, the kernel
ends their processes, and Docker removes them. LAMBDA_DOCKER_FLAGS has no flag for this. LocalStack
4.14.0 creates containers with docker-py (localstack/utils/container_utils/docker_sdk_client.py).
A container that was created and not started when LocalStack was killed is removed here.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import docker
from docker.errors import APIError
from docker.models.containers import ContainerCollection

original_create = ContainerCollection.create
container = os.environ["MAIN_CONTAINER_NAME"]


def create_sharing_processes(self: ContainerCollection, *args: Any, **kwargs: Any) -> Any:
    kwargs |= {"auto_remove": True, "pid_mode": f"container:{container}"}
    return original_create(self, *args, **kwargs)


ContainerCollection.create = create_sharing_processes  # type: ignore[method-assign]
for unstarted in docker.from_env().containers.list(
    all=True, filters={"name": f"^/{container}-lambda-", "status": "created"}
):
    with suppress(APIError):  # it may be gone already
        unstarted.remove()
