"""Signature Version 4, for requests that differ in nothing but their body and their operation.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Signer:
    """Signs POST requests to `path` at `host`; both are as they stand in the request.

    `credentials` gives those of the moment: they may expire and be others the next time.
    """

    host: str
    path: str
    region: str
    service: str
    credentials: Callable[[], ReadOnlyCredentials]
    now: Callable[[], float] = time.time

    def headers(self, target: str, content_type: str, body: bytes) -> dict[str, str]:
        """The headers of the request, the signature among them."""
        credentials = self.credentials()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now()))
        # In the order of their names, which is the order in which they are signed.
        headers = {"content-type": content_type, "host": self.host, "x-amz-date": moment}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        headers["x-amz-target"] = target
        signed = ";".join(headers)
        listed = "".join([f"{name}:{value}\n" for name, value in headers.items()])
        path = quote(self.path, safe="/-_.~")
        canonical = f"POST\n{path}\n\n{listed}\n{signed}\n{sha256(body).hexdigest()}"
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        digest = sha256(canonical.encode()).hexdigest()
        key = _key(credentials.secret_key, moment[:8], self.region, self.service)
        signature = hmac.digest(
            key, f"{ALGORITHM}\n{moment}\n{scope}\n{digest}".encode(), "sha256"
        ).hex()
        headers["authorization"] = (
            f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )
        return headers


@lru_cache(maxsize=16)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    """The signing key of a day."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
