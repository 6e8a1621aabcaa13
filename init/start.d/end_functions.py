"""Make the containers of functions end with LocalStack's. It runs this in its own process.

By itself it removes them when it stops, but not if it is killed, and not those that it is starting.
So they share the process namespace of LocalStack's container: when that container ends, the kernel
ends their processes, and Docker removes them. LAMBDA_DOCKER_FLAGS has no flag for this. LocalStack
4.14.0 creates containers with docker-py (localstack/utils/container_utils/docker_sdk_client.py).
"""

from __future__ import annotations

import os
from typing import Any

from docker.models.containers import ContainerCollection

original_create = ContainerCollection.create
container = os.environ["MAIN_CONTAINER_NAME"]


def create_sharing_processes(self: ContainerCollection, *args: Any, **kwargs: Any) -> Any:
    kwargs |= {"auto_remove": True, "pid_mode": f"container:{container}"}
    return original_create(self, *args, **kwargs)


ContainerCollection.create = create_sharing_processes  # type: ignore[method-assign]
