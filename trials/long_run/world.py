"""A pipeline of its own, whose function ends at marked events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

import provisioner
from endings import variant
from inventory_cli.aws import Clients
from inventory_cli.function_log import FunctionLog
from stack import Backend, Stack, own_names


@contextmanager
def pipeline(backend: Backend, options: provisioner.Options, package: bytes) -> Iterator[Stack]:
    """Provisioned on `backend`, to which the environment leads already; `package` is the zip of
    the function as it is."""
    names = own_names()
    session = boto3.Session()
    clients = Clients.from_session(session)
    resources = provisioner.Clients.from_session(session)
    log = FunctionLog(clients.logs, names.function, since=time.time())
    code = variant(package)
    stack = Stack(backend, session, clients, resources, names, options, code, log)
    provisioner.provision(resources, names, options, code, lambda _: None)
    try:
        yield stack
    finally:
        provisioner.destroy(resources, names, options, lambda _: None)
