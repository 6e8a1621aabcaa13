"""A pipeline of its own, whose function ends at marked events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import provisioner
from endings import variant
from servers import provisioned
from stack import Backend, Stack


@contextmanager
def pipeline(backend: Backend, options: provisioner.Options, package: bytes) -> Iterator[Stack]:
    """`package` is the zip of the function as it is."""
    stack = provisioned(backend, options, variant(package))
    try:
        yield stack
    finally:
        provisioner.destroy(stack.resources, stack.names, options, lambda _: None)
