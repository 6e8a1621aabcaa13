"""Ports that variables choose, and free ones."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping

from inventory_aws.errors import SettingsError

HIGHEST = 65_535


def chosen(environ: Mapping[str, str], *variables: str, lowest: int = 1) -> dict[str, int]:
    """Return the ports of those variables that are set.

    Raises SettingsError, with a line for each that is wrong.
    """
    found = {name: environ[name] for name in variables if environ.get(name)}
    problems = [
        f"{name} must be a whole number from {lowest} to {HIGHEST} (it is {text!r})"
        for name, text in found.items()
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= HIGHEST)
    ]
    if problems:
        raise SettingsError("\n".join(problems))
    return {name: int(text) for name, text in found.items()}


def free_port() -> int:
    """Return a TCP port of the loopback that nothing listens on at this moment.

    It is below those that systems give to outgoing connections, which could take it before a server
    does.
    """
    while not is_free(port := random.SystemRandom().randrange(11_000, 32_768)):
        pass
    return port


def is_free(port: int) -> bool:
    """Whether nothing listens on this TCP port of the loopback."""
    with socket.socket() as probe:
        # As servers do: closed connections that linger on the port do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
