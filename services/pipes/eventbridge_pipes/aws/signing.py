"""Signed headers for the POST requests of one service, by the SDK's own signer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials


@dataclass(frozen=True)
class Signer:
    """`url` is that of the service, `service` its name in signatures.

    `credentials` gives those of the moment: they may expire and be others the next time.
    """

    url: str
    region: str
    service: str
    credentials: Callable[[], ReadOnlyCredentials]

    def headers(self, headers: Mapping[str, str], body: bytes, path: str = "") -> dict[str, str]:
        """`headers` of a request to `path` below `url`, with the signature."""
        url = f"{self.url.rstrip('/')}{path}" if path else self.url
        request: Any = AWSRequest("POST", url, dict(headers), body)
        credentials: Any = self.credentials()
        SigV4Auth(credentials, self.service, self.region).add_auth(request)
        return dict(request.headers.items())
