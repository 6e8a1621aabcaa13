"""Settings from environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from inventory_aws.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """`allowed_hosts` are the accepted Host headers. Without `controls` the page is read-only."""

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: frozenset[str] = frozenset()
    controls: bool = False
    pipes_metrics_url: str | None = None
    pipes_crash_url: str | None = None
    producer_control_url: str | None = None

    @property
    def session_cookie(self) -> str:
        """Browsers keep cookies by host, not by port, so the name has the ports."""
        ports = sorted({host.rpartition(":")[2] for host in self.allowed_hosts})
        return "_".join(["inventory_session", *ports])

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError, which names the variable."""
        port = environ.get("DASHBOARD_PORT") or str(cls.port)
        if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
            raise SettingsError(f"DASHBOARD_PORT={port!r}: must be a number from 1 to 65535")
        own = {f"{host}:{int(port)}" for host in ("127.0.0.1", "localhost", "[::1]")}
        more = map(str.strip, environ.get("DASHBOARD_ALLOWED_HOSTS", "").split(","))
        return cls(
            host=environ.get("DASHBOARD_HOST") or cls.host,
            port=int(port),
            allowed_hosts=frozenset(own.union(filter(None, more))),
            controls=environ.get("DASHBOARD_CONTROLS", "") not in ("", "0"),
            pipes_metrics_url=_url(environ, "PIPES_METRICS_URL"),
            pipes_crash_url=_url(environ, "PIPES_CRASH_URL"),
            producer_control_url=_url(environ, "PRODUCER_CONTROL_URL"),
        )


def _url(environ: Mapping[str, str], name: str) -> str | None:
    url = environ.get(name) or None
    if url and not _is_address(url):
        raise SettingsError(f"{name}={url!r}: must be an http:// or https:// address")
    return url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number from 0 to 65535, for example
        return False
