"""The files of the page, as answers to HTTP requests.

They are in static/; what is not listed here is not served. Nothing comes from another
place: the policy that goes with the page lets a browser load nothing else.
"""

import gzip
import hashlib
import html
import secrets
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("static")
TYPES = {
    "page.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "xterm.css": "text/css; charset=utf-8",
    "xterm.mjs": "text/javascript; charset=utf-8",
    "addon-fit.mjs": "text/javascript; charset=utf-8",
    "addon-unicode11.mjs": "text/javascript; charset=utf-8",
}
"""The files that are served, with their types."""

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address with the token must not be sent to anybody.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of all answers."""


class File(NamedTuple):
    """A file, compressed for the way; 410 kB become 100."""

    type: str
    data: bytes
    tag: str


@cache
def static(name: str) -> File:
    """Return one of `TYPES`; it is read once."""
    data = (FOLDER / name).read_bytes()
    tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    return File(TYPES[name], gzip.compress(data, mtime=0), tag)


def page(title: str, host: str) -> tuple[str, dict[str, str]]:
    """Return the page and its headers; `host` is that of the request."""
    nonce = secrets.token_urlsafe(12)
    policy = (
        # xterm.js makes style elements, which get the nonce from page.js. Safari before
        # 15.4 does not count WebSockets as 'self'.
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
        f"connect-src 'self' ws://{host} wss://{host}; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    text = (FOLDER / "page.html").read_text("utf-8")
    text = text.replace("TITLE", html.escape(title)).replace("NONCE", nonce)
    return text, {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
