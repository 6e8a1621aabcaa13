"""A server that answers with the bytes that it is told, right or wrong."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Request:
    """`headers` by their names in lower case; `header_names` are those as they were sent."""

    first_line: str
    headers: dict[str, str]
    body: Any
    header_names: list[str]


@dataclass
class RawServer:
    """Gives `answers` in turn; None closes the connection. `connections` were accepted so far."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    answers: list[bytes | None] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self.listener.accept()
                self.connections += 1
                self._open.append(accepted)
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def drop_connections(self) -> None:
        """Close those that are open, as a server does with those that rest."""
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def _serve(self, accepted: socket.socket) -> None:
        with suppress(OSError), accepted:
            wrapped = self.tls.wrap_socket(accepted, server_side=True) if self.tls else accepted
            with wrapped, wrapped.makefile("rb") as incoming:
                while request := read_request(incoming):
                    self.requests.append(request)
                    answer = self.answers.pop(0)
                    if answer is None:
                        return
                    wrapped.sendall(answer)


def read_request(incoming: BufferedReader) -> Request | None:
    first = incoming.readline().decode().strip()
    if not first:
        return None
    sent = {}
    while line := incoming.readline().decode().strip():
        name, _, value = line.partition(": ")
        sent[name] = value
    headers = {name.lower(): value for name, value in sent.items()}
    body = json.loads(incoming.read(int(headers["content-length"])))
    return Request(first, headers, body, list(sent))


def answer(
    content: Any = None, *more: str, status: str = "200 OK", body: bytes | None = None
) -> bytes:
    """An HTTP answer; `more` are lines of its head."""
    body = json.dumps(content or {}).encode() if body is None else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def raw_server(
    answers: Sequence[bytes | None] = (), tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = RawServer(listener, tls, list(answers))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        server.drop_connections()
        thread.join(5)


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server on 127.0.0.1 needs for TLS, and the bundle that makes clients trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "raw server")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    bundle, private = folder / "certificate.pem", folder / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, private)
    return context, bundle
