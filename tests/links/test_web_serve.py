"""`lazychat serve` as a process: who gets in, and how it ends."""

import http.client
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pyte
import pytest
from support.browser import Program
from support.fakes.lazychat import LIMIT, Home
from support.fakes.sse_server import DONE, Pause, SSEServer, finish, text
from support.terminal import Terminal, wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tui.conversation import newest, running
from tui.eventlog import EventLog

Serve = Callable[..., Program]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        yield home


@pytest.fixture
def serve(home: Home) -> Serve:
    """Start `lazychat serve` on a free port."""

    def start(*options: str) -> Program:
        return Program(home.start("-m", "tui", "serve", "--port", "0", *options))

    return start


def get(program: Program, path: str, host: str, cookie: str = "") -> tuple[int, str]:
    """Request a path by that Host; return the status and the cookie that is set."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(program), timeout=20)
    headers = {"Host": host, **({"Cookie": cookie} if cookie else {})}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers.get("Set-Cookie", "").partition(";")[0]


def port_of(program: Program) -> int:
    port = urlsplit(program.url).port
    assert port
    return port


def log_in(program: Program) -> str:
    """Return the cookie that the token of the printed address is exchanged for."""
    address = f"/?{urlsplit(program.url).query}"
    status, cookie = get(program, address, f"127.0.0.1:{port_of(program)}")
    assert status == 303
    return cookie


class Page:
    """A page's WebSocket, drawn on a screen as the browser would."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)

    def wait_for(self, what: str) -> None:
        """Wait until `what` is on the screen, answering the app's queries."""
        while not any(what in row for row in self._screen.display):
            piece = self.socket.recv(LIMIT)
            assert isinstance(piece, bytes)
            self._stream.feed(_NOT_DRAWN.sub(b"", piece))
            for _ in range(piece.count(b"\x1b[6n")):
                y, x = self._screen.cursor.y + 1, self._screen.cursor.x + 1
                self.socket.send(f"\x1b[{y};{x}R".encode())

    def ask(self, server: SSEServer) -> None:
        """Send a question, and wait until the server has it."""
        self.wait_for("ready")
        self.socket.send(b"Hello?")
        self.wait_for("Hello?")
        self.socket.send(b"\r")
        wait_until(lambda: server.asked)

    def closed(self) -> int | None:
        """Wait for the end of the page; return its code."""
        try:
            while True:
                self.socket.recv(LIMIT)
        except ConnectionClosed:
            return self.socket.close_code


_NOT_DRAWN = re.compile(rb"\x1b\[[<=>][\d;]*[a-z]")
"""The keyboard protocol, which pyte takes for something else."""


@contextmanager
def attach(program: Program, host: str = "", origin: str = "") -> Iterator[Page]:
    """Open a page."""
    host = host or f"127.0.0.1:{port_of(program)}"
    with connect(
        f"ws://{host}/c/abc/ws",
        sock=socket.create_connection(("127.0.0.1", port_of(program))),
        origin=origin or f"http://{host}",  # pyright: ignore[reportArgumentType]: a NewType
        additional_headers={"Cookie": log_in(program)},
        open_timeout=LIMIT,
    ) as page:
        yield Page(page)


def ended(program: Program) -> int:
    """Wait for the end of the process; return its exit code."""
    _, err = program.process.communicate(timeout=LIMIT)
    assert b"Traceback" not in err, err
    return program.process.returncode


def is_running(home: Home) -> bool:
    """Whether an answer of the newest conversation has not ended."""
    with EventLog(home.store) as log:
        last = newest(log)
        return bool(last and running(log, last.id))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_pages_and_keeps_what_was_answered(
    serve: Serve, home: Home, server: SSEServer, number: signal.Signals
) -> None:
    server.answer(text("As far as this"), Pause(), finish(), DONE)
    home.server(server.url)
    program = serve()
    with attach(program) as page:
        page.ask(server)
        page.wait_for("As far as this")
        children = program.children

        program.process.send_signal(number)

        assert page.closed() == 1001
    assert ended(program) == {signal.SIGTERM: 0, signal.SIGINT: 130}[number]
    assert children
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    server.wait_gone()
    assert home.said() == [("user", "Hello?"), ("assistant", "As far as this")]
    assert not is_running(home)


def test_a_hang_up_closes_the_pages_and_finishes_the_answer(
    serve: Serve, home: Home, server: SSEServer
) -> None:
    pause = Pause()
    server.answer(text("Begun"), pause, text(" and ended."), finish(), DONE)
    home.server(server.url)
    program = serve()
    with attach(program) as page:
        page.ask(server)
        page.wait_for("Begun")

        program.process.send_signal(signal.SIGHUP)

        assert page.closed() == 1001
    wait_until(lambda: not program.children)
    assert program.process.poll() is None
    pause.go()

    assert ended(program) == 0
    assert home.said() == [("user", "Hello?"), ("assistant", "Begun and ended.")]


def test_sigterm_after_a_hang_up_keeps_what_was_answered(
    serve: Serve, home: Home, server: SSEServer
) -> None:
    server.answer(text("As far as this"), Pause(), finish(), DONE)
    home.server(server.url)
    program = serve()
    with attach(program) as page:
        page.ask(server)
        page.wait_for("As far as this")
        program.process.send_signal(signal.SIGHUP)
        assert page.closed() == 1001
    wait_until(lambda: not program.children)

    program.process.send_signal(signal.SIGTERM)

    assert ended(program) == 0
    assert home.said() == [("user", "Hello?"), ("assistant", "As far as this")]


def test_on_all_addresses_the_names_of_this_machine_get_in(
    serve: Serve, home: Home
) -> None:
    home.scripted("Hi.")
    program = serve("--host", "0.0.0.0")
    cookie, port = log_in(program), port_of(program)

    hosts = {
        f"127.0.0.1:{port}": 303,
        f"192.0.2.7:{port}": 303,  # an address, which no name can be pointed to
        f"{socket.gethostname()}:{port}": 303,
        "localhost:9000": 303,
        f"evil.example:{port}": 403,
        f"{socket.gethostname()}.evil.example": 403,
    }
    assert {host: get(program, "/", host, cookie)[0] for host in hosts} == hosts
    assert get(program, "/", f"127.0.0.1:{port}")[0] == 403
    for host, origin in [
        ("192.0.2.7:1", "http://192.0.2.8:1"),
        ("127.0.0.1:1", "http://evil.example"),
        ("evil.example", "http://evil.example"),
    ]:
        with pytest.raises(InvalidStatus), attach(program, host, origin):
            pass
    assert not program.children
    with attach(program, "192.0.2.7:1") as page:
        page.wait_for("ready")

    program.process.send_signal(signal.SIGTERM)
    _, err = program.process.communicate(timeout=LIMIT)
    assert b"not encrypted" in err
    assert program.url.startswith(f"http://{socket.gethostname()}:{port}/?t=")


def test_ctrl_c_of_the_terminal_ends_it_with_its_pages(
    serve: Serve, home: Home
) -> None:
    """The terminal sends the signal to the whole group, of which no page is."""
    home.scripted("Hi.")
    program = serve()
    with attach(program) as page:
        page.wait_for("ready")
        groups = {os.getpgid(child) for child in program.children}
        assert os.getpgid(program.process.pid) not in groups

        assert program.interrupt() == 130

        assert page.closed() == 1001


class InTerminal(Program):
    """A program that serves pages, in a terminal with a user before it."""

    def __init__(self, terminal: Terminal, says: str) -> None:
        self.process = terminal.process
        terminal.wait_for(says)
        found = re.search(r"http://\S+", terminal.text)
        assert found
        self.url = found[0]


@pytest.mark.parametrize(
    ("arguments", "says", "status", "last"),
    [
        (
            ["-m", "tui", "serve", "--port", "0"],
            "Ctrl+C stops",
            130,
            ["^C", "lazychat: Stopped; the conversations are kept"],
        ),
        (
            [
                "-c",
                "from tui import lazyllm\n"
                "lazyllm.WebModule(str.upper, port=range(25000, 25100)).start().wait()",
            ],
            "lazychat: open",
            0,
            ["^C"],
        ),
    ],
)
def test_ctrl_c_that_is_typed_leaves_no_process_and_a_tidy_line(
    home: Home, arguments: list[str], says: str, status: int, last: list[str]
) -> None:
    home.scripted("Hi.")
    command = [sys.executable, *arguments]
    with Terminal(command, env=home.env, cwd=home.work, columns=100) as terminal:
        program = InTerminal(terminal, says)
        with attach(program) as page:
            page.wait_for("ready")
            children = program.children
            assert children
            terminal.press("ctrl+c")

            assert terminal.wait_exit() == status
            assert page.closed() == 1001

        written = [row for row in terminal.display if row]
        assert written[-len(last) :] == last
        assert terminal.cursor is not None
        assert terminal.cursor[0] == 0
        assert not any(Path(f"/proc/{child}").exists() for child in children)
