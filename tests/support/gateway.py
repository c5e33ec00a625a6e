"""A company's network: a certificate authority of its own, and a proxy.

    with Gateway(folder, "llm.corp.example", server.port) as gateway:
        environment = {**gateway.environment}

The proxy leads each CONNECT to one local port, whatever host was named, so a local
server can play any service; its certificate is valid for the given name.
"""

import contextlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs openssl, to make certificates"
)
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    """A certificate authority, and a TLS context for a server called `name`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.certificate = folder / "authority.pem"
        key, request = folder / "authority.key", folder / "server.csr"
        chain, own_key = folder / "server.pem", folder / "server.key"
        extension = folder / "extension"
        extension.write_text(
            f"subjectAltName=DNS:{name}\nauthorityKeyIdentifier=keyid\n"
        )
        subject = ["-subj", "/CN=Example Corp Authority", "-days", "2"]
        # From Python 3.13 on an authority without it is refused (RFC 5280, 4.2.1.3).
        subject += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        self._openssl(
            "req", "-x509", *_KEY, "-keyout", key, "-out", self.certificate, *subject
        )
        self._openssl(
            "req", *_KEY, "-keyout", own_key, "-out", request, "-subj", f"/CN={name}"
        )
        signer = ["-CA", self.certificate, "-CAkey", key, "-CAcreateserial"]
        more = ["-days", "2", "-extfile", extension, "-out", chain]
        self._openssl("x509", "-req", "-in", request, *signer, *more)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, own_key)

    def _openssl(self, *arguments: Any) -> None:
        command = ["openssl", *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True)


class Proxy:
    """An HTTP proxy that leads each CONNECT to `port` of this machine."""

    def __init__(self, port: int) -> None:
        self.hosts: list[str] = []
        """The host and port of each CONNECT."""
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                proxy.hosts.append(self.rfile.readline().decode().split()[1])
                while self.rfile.readline().strip():
                    pass
                with socket.create_connection(("127.0.0.1", port)) as server:
                    self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                    back = threading.Thread(
                        target=_copy, args=(server, self.connection), daemon=True
                    )
                    back.start()
                    _copy(self.connection, server)
                    back.join(10)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
