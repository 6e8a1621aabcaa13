"""What a killed test run leaves in Docker is removed by its name."""

from __future__ import annotations

import uuid

import docker

import engine
import orphans


def test_networks_volumes_and_containers_of_a_run_are_removed_and_no_others() -> None:
    client = docker.from_env()
    mark, other = (f"inventory-test-{uuid.uuid4().hex[:8]}" for _ in range(2))
    try:
        for name in (mark, other):
            client.networks.create(f"{name}-network")
            client.volumes.create(f"{name}-volume")
        image = engine.build("pipes")
        container = client.containers.create(
            image, name=f"{mark}-container", network=f"{mark}-network"
        )
        container.start()
        container.reload()
        [unnamed] = [mount["Name"] for mount in container.attrs["Mounts"]]
        assert unnamed in {volume.name for volume in client.volumes.list()}

        orphans.remove_marked(mark)

        names = [str(each.name) for each in client.networks.list()]
        names += [str(each.name) for each in client.volumes.list()]
        names += [str(each.name) for each in client.containers.list(all=True, ignore_removed=True)]
        assert [name for name in names if mark in name] == []
        assert unnamed not in names
        assert sorted(name for name in names if other in name) == [
            f"{other}-network",
            f"{other}-volume",
        ]
    finally:
        orphans.remove_marked(other)
        client.close()
