"""How the dashboard is set up: environment variables, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


class DashboardSettingsError(Exception):
    """A variable that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """`allowed_hosts`: what the Host header of a request may be. The URLs are None where there is
    nothing to ask; `controls`: whether the page can do anything but show.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: frozenset[str] = frozenset()
    controls: bool = False
    pipes_metrics_url: str | None = None
    pipes_crash_url: str | None = None
    producer_control_url: str | None = None

    @property
    def session_cookie(self) -> str:
        """Its name. Browsers keep cookies by host, not by port: each dashboard has its own."""
        ports = sorted({host.rpartition(":")[2] for host in self.allowed_hosts})
        return "_".join(["inventory_session", *ports])

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises DashboardSettingsError."""
        port = _port(environ)
        named = environ.get("DASHBOARD_ALLOWED_HOSTS", "")
        own = {f"{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")}
        return cls(
            host=environ.get("DASHBOARD_HOST") or cls.host,
            port=port,
            allowed_hosts=frozenset(own | {h.strip() for h in named.split(",") if h.strip()}),
            controls=environ.get("DASHBOARD_CONTROLS", "") not in ("", "0"),
            pipes_metrics_url=_url(environ, "PIPES_METRICS_URL"),
            pipes_crash_url=_url(environ, "PIPES_CRASH_URL"),
            producer_control_url=_url(environ, "PRODUCER_CONTROL_URL"),
        )


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("DASHBOARD_PORT") or str(Settings.port)
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise DashboardSettingsError(f"DASHBOARD_PORT={text!r}: must be a number from 1 to 65535")
    return int(text)


def _url(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise DashboardSettingsError(f"{name}={text!r}: must be an http:// or https:// address")
    return text
