"""Calls with the endpoint, credentials, certificates and timeouts of an SDK's client."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.client import BaseClient
from botocore.httpsession import get_cert_path
from botocore.session import Session
from botocore.utils import get_environ_proxies

from eventbridge_pipes.aws.calls import Calls, JsonCalls, Pending
from eventbridge_pipes.aws.connection import Endpoint
from eventbridge_pipes.aws.functions import DirectInvoker
from eventbridge_pipes.aws.service import Service
from eventbridge_pipes.aws.signing import Signer

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def calls_like(client: BaseClient, session: Session) -> Calls:
    """What `client` calls, called directly; `session` is the one that it was made with.

    Behind a proxy it is the client that makes the calls.
    """
    service = _service_of(client, session)
    if service is None:
        return ClientCalls(client)
    protocol = client.meta.service_model.metadata
    return JsonCalls(service, protocol["targetPrefix"], protocol["jsonVersion"])


def invoker_like(client: LambdaClient, session: Session) -> LambdaClient | DirectInvoker:
    """What invokes the functions that `client` does; see `calls_like`."""
    service = _service_of(client, session)
    return DirectInvoker(service) if service else client


def _service_of(client: BaseClient, session: Session) -> Service | None:
    """None when it is the client that has to make the calls."""
    url = client.meta.endpoint_url
    if urlsplit(url).scheme in get_environ_proxies(url):
        return None
    credentials = session.get_credentials()
    if credentials is None:
        return None  # the client says so in its own words
    endpoint = _endpoint(client, session)
    signer = Signer(
        url=endpoint.url,
        region=client.meta.region_name,
        service=client.meta.service_model.signing_name,
        credentials=credentials.get_frozen_credentials,
    )
    return Service(endpoint, signer)


def _endpoint(client: BaseClient, session: Session) -> Endpoint:
    tls = None
    if urlsplit(client.meta.endpoint_url).scheme == "https":
        bundle = get_cert_path(session.get_config_variable("ca_bundle") or True)
        tls = ssl.create_default_context(cafile=bundle)
    config: Any = client.meta.config
    return Endpoint(client.meta.endpoint_url, tls, config.connect_timeout, config.read_timeout)


class ClientCalls:
    """Calls through an SDK's client, which should leave blobs and times as they are.

    A call is made when its result is asked for, so that one at a time is under way.
    """

    def __init__(self, client: BaseClient) -> None:
        self._client = client

    def begin(self, operation: str, arguments: Mapping[str, Any]) -> Pending:
        method = getattr(self._client, xform_name(operation))
        return _Due(partial(method, **arguments))

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self.begin(operation, arguments).result()

    def close(self) -> None:
        self._client.close()


class _Due:
    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make

    def result(self, patience: float | None = None) -> dict[str, Any]:
        return self._make()
