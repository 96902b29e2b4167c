"""The double on a real server: loopback, TLS, a certificate made for the occasion."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from leadline_double.app import Application
from leadline_double.faults import Faults
from leadline_double.org import Org
from leadline_double.service import Service
from leadline_double.tokens import ConnectedApp

_PATIENCE: Final = 30
"""Seconds a server may take to start or stop."""


@dataclass
class Double:
    """A running double.

    Attributes:
        url: `https://localhost:PORT`, or http without TLS.
        ca_file: PEM file of the certificate to trust; None without TLS.
    """

    service: Service
    url: str
    ca_file: Path | None

    @property
    def org(self) -> Org:
        """The org behind it."""
        return self.service.org

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.service.faults

    @property
    def app(self) -> ConnectedApp:
        """The first connected app."""
        return self.service.apps[0]

    def token(self) -> str:
        """An access token, as if somebody had logged in."""
        with self.org.lock:
            return self.service.tokens.session_for(self.app)


@dataclass(frozen=True)
class KeyPair:
    """An RSA key pair in PEM."""

    private: bytes
    public: bytes


@cache
def key_pair(name: str = "first") -> KeyPair:
    """A key pair for signing assertions; the same for the same name within a process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private, public)


@cache
def _certificate() -> tuple[bytes, bytes]:
    """Key and self-signed certificate for localhost, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def _listen() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@contextmanager
def serve(org: Org | None = None, *apps: ConnectedApp, tls: bool = True) -> Iterator[Double]:
    """A double in a thread of its own, until the block ends.

    Without `apps` there is one, whose assertions are signed with `key_pair().private`.
    """
    apps = apps or (ConnectedApp(public_key=key_pair().public),)
    listener = _listen()
    url = f"{'https' if tls else 'http'}://localhost:{listener.getsockname()[1]}"
    service = Service(org or Org(), apps, site=url)
    with tempfile.TemporaryDirectory() as folder:
        key_file, ca_file = Path(folder) / "key.pem", Path(folder) / "ca.pem"
        if tls:
            private, certificate = _certificate()
            key_file.write_bytes(private)
            ca_file.write_bytes(certificate)
        config = uvicorn.Config(
            Application(service),
            log_level=60,
            lifespan="off",
            http="h11",
            ws="none",
            loop="asyncio",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
            ssl_keyfile=key_file if tls else None,
            ssl_certfile=ca_file if tls else None,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=run_to_its_end, args=(server, listener), daemon=True)
        thread.start()
        try:
            _wait_for(server, thread)
            yield Double(service, url, ca_file if tls else None)
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)
            listener.close()


def run_to_its_end(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until told to end, then cut the connections that others still hold open."""

    async def whole() -> None:
        await server.serve(sockets=[listener])
        for connection in list(server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        # A transport closes its socket in the next round of the loop.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(whole())


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    pause = threading.Event()
    for _ in range(_PATIENCE * 100):
        if server.started:
            return
        if not thread.is_alive():
            raise RuntimeError("the double did not start")
        pause.wait(0.01)
    raise RuntimeError("the double is not up in time")
