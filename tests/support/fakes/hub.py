"""A server that plays Hugging Face's hub for the real huggingface_hub.

    with Hub({"a/b-GGUF": {"m-Q4_K_M.gguf": data}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)

It has what a download uses: the repository's files with sizes and checksums, the
headers of a file (redirecting, as the hub does, to another address for its content),
and the content in ranges. `cut_after` closes each connection after that many bytes,
`spoilt` sends other bytes than it announces.
"""

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

COMMIT = "1234567890abcdef1234567890abcdef12345678"


class Hub:
    """The server; runs while the `with` block is open."""

    def __init__(self, repos: Mapping[str, Mapping[str, bytes]]) -> None:
        self.repos = repos
        self.prefix = ""
        """The path below which the hub is, as a company's mirror has it."""
        self.cut_after: int | None = None
        self.spoilt = False
        self.length: int | None = None
        """How many bytes a file has in place of its own."""
        self.ranges: bool | None = True
        """Whether content is sent in ranges; None: a request for one is refused."""
        self.gated = False
        self.refusal = 0
        """The status with which the description of a repository is refused."""
        self.description: bytes | None = None
        """What is sent as the description of a repository."""
        self.silent = False
        """Whether that is a byte now and then, without an end."""
        self.gate = threading.Event()
        """Content is sent once this is set, as it is at first."""
        self.gate.set()
        self.waiting = threading.Event()
        """Set when the server has sent half of a file and waits for `gate`."""
        self.closing = threading.Event()
        self.sent: list[tuple[str, int, int]] = []
        """Name, first byte and number of bytes of each piece of content."""
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.hub = self  # pyright: ignore[reportAttributeAccessIssue]
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.content = self.url.replace("127.0.0.1", "localhost")
        """Content is at another address, as the hub's is."""
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub  # pyright: ignore[reportAttributeAccessIssue]

    def do_HEAD(self) -> None:
        self._reply(head=True)

    def do_GET(self) -> None:
        self._reply(head=False)

    def _reply(self, head: bool) -> None:
        path = self.path.partition("?")[0]
        prefix = self.hub.prefix
        if not path.startswith((f"{prefix}/", "/content/")):
            self._end(404)
            return
        path = path.removeprefix(prefix)
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/.+)?", path):
            self._info(found[1])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._headers(found[1], found[2])
        elif found := re.fullmatch(r"/content/([^/]+/[^/]+)/(.+)", path):
            self._content(found[1], found[2], head)
        else:
            self._end(404)

    def _end(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _info(self, repo: str) -> None:
        if self.hub.gated:
            self._end(403, X_Error_Code="GatedRepo", X_Error_Message="restricted")
            return
        if self.hub.refusal:
            reason = "Invalid credentials in Authorization header"
            self._end(self.hub.refusal, X_Error_Message=reason)
            return
        if self.hub.silent:
            self._trickle()
            return
        if self.hub.description is not None:
            self._end(200, self.hub.description, Content_Type="application/json")
            return
        if repo not in self.hub.repos:
            self._end(401, X_Error_Code="RepoNotFound")
            return
        siblings = [
            {
                "rfilename": name,
                "size": len(data),
                "blobId": "0" * 40,
                "lfs": {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 134,
                },
            }
            for name, data in self.hub.repos[repo].items()
        ]
        body = {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings}
        self._end(200, json.dumps(body).encode(), Content_Type="application/json")

    def _trickle(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with suppress(OSError):
            for _ in range(1000):
                self.wfile.write(b" ")
                if self.hub.closing.wait(0.1):
                    return

    def _headers(self, repo: str, name: str) -> None:
        data = self.hub.repos[repo][name]
        self._end(
            302,
            Location=f"{self.hub.content}/content/{repo}/{name}",
            ETag='"1"',
            X_Linked_Etag=f'"{hashlib.sha256(data).hexdigest()}"',
            X_Linked_Size=str(len(data)),
            X_Repo_Commit=COMMIT,
        )

    def _content(self, repo: str, name: str, head: bool) -> None:
        hub = self.hub
        data = hub.repos[repo][name]
        if hub.spoilt:
            data = b"?" * len(data)
        if hub.length is not None:
            data = data[: hub.length].ljust(hub.length)
        first, status = 0, 200
        if hub.ranges is None and self.headers.get("Range"):
            self._end(416)
            return
        if hub.ranges and (asked := self.headers.get("Range")):
            first, status = int(asked.removeprefix("bytes=").split("-")[0]), 206
        body = data[first:]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 206:
            whole = f"bytes {first}-{len(data) - 1}/{len(data)}"
            self.send_header("Content-Range", whole)
        self.end_headers()
        if head:
            return
        if hub.cut_after is not None:
            body = body[: hub.cut_after]
            self.close_connection = True
        half = len(body) // 2
        try:
            self.wfile.write(body[:half])
            if not hub.gate.is_set():
                self.wfile.flush()
                hub.waiting.set()
                hub.gate.wait(30)
            self.wfile.write(body[half:])
        except OSError:
            body = body[:half]
        hub.sent.append((name, first, len(body)))

    def log_message(self, format: str, *args: object) -> None:
        """Suppress the log."""
