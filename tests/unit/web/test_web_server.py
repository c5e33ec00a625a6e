"""The server as a stranger meets it: raw requests and WebSockets."""

import http.client
import json
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from support.terminal import wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tui.config import Config
from tui.errors import ConfigError, ToolError
from tui.events import TurnRequested
from tui.messages import Message, ToolSchema
from tui.runtime.follower_backend import FollowerBackend
from tui.runtime.host import Host
from tui.runtime.served import Served, ServedModel
from tui.web import WebServer, files
from tui.web.process import environment

pytestmark = pytest.mark.outside  # a page is a process

SERVED = Served("runner", "play", {"play": ServedModel("a model")})


@pytest.fixture
def server(home: Path) -> Iterator[WebServer]:
    server = WebServer(lambda: SERVED, title="<Chat>", pages=2)
    server.start()
    yield server
    server.stop()


def get(
    server: WebServer, path: str, **headers: str
) -> tuple[http.client.HTTPResponse, str]:
    """Request a path; `Host` is replaced if it is given."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.headers["Content-Encoding"] == "gzip":
        return answer, ""
    return answer, body.decode()


def log_in(server: WebServer) -> str:
    """Return the cookie that the printed address gives."""
    answer, _ = get(server, "/" + server.url.partition("/?")[2].join(("?", "")))
    assert answer.status == 303
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    return cookie.partition(";")[0]


@contextmanager
def attach(
    server: WebServer, cookie: str, path: str = "/c/abc/ws", **more: str
) -> Iterator[ClientConnection]:
    """Open a page; `Host` and `Origin` are replaced if they are given."""
    headers = {"Cookie": cookie} if cookie else {}
    host = more.pop("Host", f"127.0.0.1:{server.port}")
    origin = more.pop("Origin", f"http://{host}")
    with connect(
        f"ws://{host}{path}",
        sock=socket.create_connection(("127.0.0.1", server.port)),
        origin=origin or None,  # pyright: ignore[reportArgumentType]: a NewType
        additional_headers=headers,
        open_timeout=20,
    ) as page:
        yield page


def close_of(page: ClientConnection) -> tuple[int | None, str | None]:
    """Wait until the server closes the page, and return how."""
    try:
        while True:
            page.recv(20)
    except ConnectionClosed:
        return page.close_code, page.close_reason


def test_the_token_becomes_a_cookie_and_leads_to_a_new_conversation(server):
    cookie = log_in(server)

    first, _ = get(server, "/", Cookie=cookie)
    second, _ = get(server, "/", Cookie=cookie)
    page, text = get(server, f"/{first.headers['Location']}", Cookie=cookie)

    assert first.status == 303
    assert first.headers["Location"] != second.headers["Location"]
    assert page.status == 200
    assert "<title>&lt;Chat&gt;</title>" in text
    assert server.url.partition("t=")[2] not in text


def test_the_page_may_load_nothing_from_elsewhere(server):
    cookie = log_in(server)

    page, text = get(server, "/c/abc", Cookie=cookie)

    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self' ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "http:" not in text
    assert "https:" not in text


@pytest.mark.parametrize(
    "path", ["/", "/?t=wrong", "/?t=", "/c/abc", "/static/page.js", "/static/", "/x"]
)
def test_nothing_is_told_without_the_token(server, path):
    answer, text = get(server, path)

    assert answer.status == 403
    assert "address" in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/static/page.js", 200),
        ("/static/", 404),
        ("/static/page.html", 404),
        ("/static/../server.py", 404),
        ("/static/%2e%2e/server.py", 404),
        ("/c/", 404),
        ("/c/a%20b", 404),
        ("/c/" + "a" * 65, 404),
    ],
)
def test_only_listed_files_and_ids_are_served(server, path, status):
    answer, _ = get(server, path, Cookie=log_in(server))

    assert answer.status == status


def test_a_file_that_the_browser_has_is_not_sent_again(server):
    cookie = log_in(server)
    first, _ = get(server, "/static/xterm.mjs", Cookie=cookie)

    again, _ = get(
        server, "/static/xterm.mjs", Cookie=cookie, If_None_Match=first.headers["ETag"]
    )

    assert again.status == 304
    assert int(first.headers["Content-Length"]) < 110_000


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:9000", 303),
        ("LOCALHOST", 303),
        ("[::1]:9000", 303),
        ("127.0.0.1:1", 303),
        ("evil.example", 403),
        ("evil.example:80", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("192.0.2.1", 403),
        ("localhost:9000@evil.example", 403),
        ("", 403),
    ],
)
def test_the_host_is_a_name_of_this_machine_whatever_the_port(server, host, status):
    answer, _ = get(server, "/", Host=host, Cookie=log_in(server))

    assert answer.status == status


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (None, "http://evil.example"),
        (None, "null"),
        (None, ""),
        (None, "http://127.0.0.1:1"),
        (None, "http://localhost:{port}"),
        ("localhost:9000", "http://localhost:{port}"),
        ("evil.example", "http://evil.example"),
    ],
)
def test_a_foreign_page_starts_nothing(server, host, origin):
    more = {"Host": host} if host else {}

    more["Origin"] = origin.format(port=server.port)

    with (
        pytest.raises(InvalidStatus) as refused,
        attach(server, log_in(server), **more),
    ):
        pass

    assert refused.value.response.status_code == 403
    assert server.pages == 0


def test_a_wrong_cookie_starts_nothing(server):
    name = log_in(server).partition("=")[0]

    for cookie in ("", f"{name}=wrong", f"{name}=", '="; \\'):
        with pytest.raises(InvalidStatus) as refused, attach(server, cookie):
            pass
        assert refused.value.response.status_code == 403

    assert server.pages == 0


def test_it_works_behind_a_port_that_ssh_forwards(server):
    with attach(server, log_in(server), Host="localhost:9000") as page:
        assert isinstance(page.recv(20), bytes)
        assert server.pages == 1


def test_the_next_page_is_told_that_there_are_too_many(server):
    cookie = log_in(server)
    with (
        attach(server, cookie),
        attach(server, cookie),
        attach(server, cookie) as third,
    ):
        code, reason = close_of(third)

    assert code == 4002
    assert "2 pages are open" in (reason or "")
    wait_until(lambda: server.pages == 0)
    with attach(server, cookie) as page:
        assert page.recv(20)


def test_an_idle_page_is_closed(home):
    server = WebServer(lambda: SERVED, idle_seconds=0.05)
    server.start()

    with attach(server, log_in(server)) as page:
        assert close_of(page)[0] == 4001

    server.stop()


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", '{"columns": "x", "rows": 1}', '{"columns": 1e99, "rows": -5}'],
)
def test_an_odd_message_changes_nothing(server, message):
    with attach(server, log_in(server)) as page:
        page.send(message)
        page.send(json.dumps({"columns": 100000, "rows": 0}))

        assert page.recv(20)


def test_an_occupied_port_is_named(server):
    with pytest.raises(
        ConfigError, match=f"port {server.port}: Address already in use"
    ):
        WebServer(lambda: SERVED, ports=server.port).start()
    with pytest.raises(ConfigError, match="up to 65535, not 70000"):
        WebServer(lambda: SERVED, ports=70000).start()


def test_the_first_free_port_is_taken(server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = server.port, other.getsockname()[1]
        free = socket.create_server(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        second = WebServer(lambda: SERVED, ports=[*taken, port])
        second.start()

    assert second.port == port
    second.stop()


def test_stop_ends_the_pages_and_the_listening(server):
    with attach(server, log_in(server)) as page:
        page.recv(20)

        server.stop()

        assert close_of(page)[0] == 1001
    assert not server.running
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 5)


def test_the_pages_process_gets_no_keys():
    own = dict.fromkeys(("OPENAI_API_KEY", "SECRET", "HOME", "LAZYCHAT_HOME"), "x")

    made = environment({**own, "LANG": "de_DE.UTF-8", "LD_PRELOAD": "x"})

    assert set(made) == {
        *("HOME", "LAZYCHAT_HOME", "LANG"),
        *("TERM", "COLORTERM", "PYTHONUTF8", "PYTHONPATH"),
    }
    assert (Path(made["PYTHONPATH"]) / "tui").is_dir()


def test_without_the_package_one_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "websockets", None)
    monkeypatch.delitem(sys.modules, "websockets.asyncio", raising=False)

    with pytest.raises(ConfigError, match=r"pip install 'lazychat\[web\]'"):
        WebServer(lambda: SERVED).start()


def test_the_files_of_others_are_unchanged():
    noted = re.findall(
        r"^(\S+) .*\n +sha256 (\w+)$",
        (files.FOLDER / "VENDORED.txt").read_text(),
        re.MULTILINE,
    )

    found = {
        name: sha256((files.FOLDER / name).read_bytes()).hexdigest()
        for name, _ in noted
    }

    assert len(found) == 4
    assert found == dict(noted)


def test_the_screen_offers_what_the_serving_process_has(home):
    tool = ToolSchema("look", "Look it up.", {"type": "object", "properties": {}})
    served = Served(
        "runner", "play", {"play": ServedModel("m", "A note.", 9)}, (tool,), ("look",)
    )
    host = Host(Config())
    backend = FollowerBackend(host, served)
    talk = backend.conversation("abc", is_new=True)

    talk.ask(
        Message("user", "Hi"),
        model="play",
        agent="plan",
        tools=lambda: {"look", "other"},
        stream=True,
    ).result(30)

    (asked,) = [
        e for r in host.log.read("abc") if isinstance(e := r.event, TurnRequested)
    ]
    assert (asked.runner, asked.tools) == ("runner", ("look",))
    assert [t.summary for t in backend.tools] == ["Look it up."]
    assert backend.models.window("play") == 9
    assert backend.serves("runner")
    with pytest.raises(ConfigError, match='"pla" is served here'):
        backend.models.find("pla")
    with pytest.raises(ToolError, match="runs in the serving process"):
        backend.tools[0]()
    backend.close()
    host.close()
