"""What all tests share: a home of their own, no skipping in CI, the app in a pty."""

import functools
import gc
import inspect
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeVar

import hypothesis
import pytest
from support import ROOT, fault_notes, fork_server, ssh
from support.fakes.lazychat import Home
from support.fakes.sse_server import SSEServer
from support.fault_notes import Tried
from support.start import Start, write_config
from support.terminal import Terminal

from tui import paths
from tui.eventlog import EventLog
from tui.runtime.worker_registry import find

# pytest-xdist exports COLUMNS and LINES to its workers, as some shells do.
CLEARED = ("NO_COLOR", "VISUAL", "EDITOR", "SSH_TTY", "TMUX", "COLUMNS", "LINES")

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)

# A busy machine is not a fault of the program's. `fast` is for `make fast`.
hypothesis.settings.register_profile(
    "patient",
    hypothesis.settings(),  # in CI: the same examples each time
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")
_FEW = 10
hypothesis.settings.register_profile("fast", hypothesis.settings(), max_examples=_FEW)


def pytest_configure(config: pytest.Config) -> None:
    """Keep out of the user's home, speak English, and hear signals in what tests start.

    Under nohup, or in the background of a script, some are ignored, and what is
    ignored is inherited. What has a handler is not.
    """
    folder = tempfile.mkdtemp(prefix="lazychat-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["LAZYCHAT_HOME"] = folder  # for a test that needs no home of its own
    os.environ["LAZYCHAT_LANGUAGE"] = "en"  # the texts in the tests
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from all tests, which stay to the end.

    While they are collected, and whenever one of them makes enough objects, it would
    look at some 19,000 of them.
    """
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


_FIXTURES = {"start", "start_remote", "link", "ssh_server"}
_IMPORTS = {
    "Checkout",
    "Faults",
    "Home",
    "HostileServer",
    "Server",
    "StarterModel",
    "Terminal",
}
_IMPORTS |= {"Servers", "connected", "pexpect", "ssh", "starter_path"}
_CALLS = {"subprocess", "run_test"}


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark as `outside` what needs a terminal, process, link, model or app."""
    for item in items:
        if isinstance(item, pytest.Function) and (
            _FIXTURES & set(item.fixturenames)
            or _IMPORTS & vars(item.module).keys()
            or any(map(_runs_a_program, _functions(item)))
        ):
            item.add_marker("outside")
    if config.getoption("--hypothesis-profile") == "fast":
        for function in {
            item.obj for item in items if isinstance(item, pytest.Function)
        }:
            _limit_examples(function)


def _limit_examples(function: Any) -> None:
    """Have a test that says how many examples it needs try no more than `_FEW`."""
    said = getattr(function, "_hypothesis_internal_use_settings", None)
    if said is not None and said.max_examples > _FEW:
        few = hypothesis.settings(said, max_examples=_FEW)
        function._hypothesis_internal_use_settings = few


def _functions(item: pytest.Function) -> Iterator[FunctionType]:
    """Yield the function of a test, and those of its fixtures."""
    yield item.function
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        if isinstance(function := definitions[-1].func, FunctionType):
            yield function


@functools.cache  # the cases of a test share it
def _runs_a_program(function: FunctionType) -> bool:
    """Whether a function, or one that it calls, starts a program or an app."""
    seen: set[CodeType] = set()
    functions = [inspect.unwrap(function)]
    while functions:
        code = (function := functions.pop()).__code__
        if not _CALLS.isdisjoint(code.co_names):
            return True
        if code not in seen:
            seen.add(code)
            known = (function.__globals__.get(name) for name in code.co_names)
            called = (f for f in known if isinstance(f, FunctionType))
            ours = (f for f in called if f.__module__.startswith(("test_", "support.")))
            functions += map(inspect.unwrap, ours)
    return False


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let processes be forked, except in a test that needs new ones."""
    fork_server.enabled = item.get_closest_marker("new_process") is None


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Take back what the command line does with logging when a test calls it."""
    logger = logging.getLogger("tui")
    handlers, propagates = list(logger.handlers), logger.propagate
    yield
    for handler in [h for h in logger.handlers if h not in handlers]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = propagates


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _missing_nothing(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _missing_nothing(report)


def _missing_nothing(report: R) -> R:
    """Make a skip a failure in CI: there, nothing that a test needs may be missing."""
    expected = hasattr(report, "wasxfail")
    if report.skipped and not expected and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which lazychat keeps everything, and no trace of the user's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith(("LAZYCHAT_", "OPENAI_", "TEXTUAL")):
            monkeypatch.delenv(name)
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAZYCHAT_HOME", str(folder))
    monkeypatch.setenv("LAZYCHAT_PROBE", "off")  # whatever runs on this machine
    monkeypatch.setenv("LAZYCHAT_TITLES", "question")  # no requests of its own
    monkeypatch.setenv("LAZYCHAT_LANGUAGE", "en")  # whatever the user's locale
    return folder


@pytest.fixture
def place(home: Path) -> Iterator[Home]:
    """The same home, for commands; whatever worker is left is ended."""
    with Home(home.parent) as place:
        yield place
    if left := find():
        os.kill(left.owner.pid, signal.SIGKILL)


@pytest.fixture
def path(home: Path) -> Path:
    """Where the store is; there is none yet."""
    return paths.log_file()


@pytest.fixture
def log(path: Path) -> Iterator[EventLog]:
    """The store of `home`."""
    with EventLog(path) as log:
        yield log


@pytest.fixture
def server() -> Iterator[SSEServer]:
    """A server that answers as the test has it."""
    with SSEServer() as server:
        yield server


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Start the app in a terminal: `start(script, ...)` waits until it can be used.

    `script` is what the model plays, a file of `ScriptedModel` as a dict or its list
    of replies; `config` is added to config.toml, which a text replaces whole.
    """
    with ExitStack() as stack:

        def start_app(
            script: list[dict[str, Any]] | dict[str, Any] | None = None,
            *arguments: str,
            columns: int = 80,
            rows: int = 24,
            config: Mapping[str, Any] | str = {},
            environment: Mapping[str, str] = {},
            until: str = "Message",
        ) -> Terminal:
            file = write_config(home, script, config)
            command = [sys.executable, "-m", "tui", "--config", str(file), *arguments]
            given = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            usual = {**os.environ, **given, "PYTHONPATH": str(ROOT)}
            fork_server.usual(usual)
            terminal = Terminal(
                command,
                columns=columns,
                rows=rows,
                env={**usual, **environment},
                cwd=home,
            )
            stack.enter_context(terminal)
            terminal.wait_for(until)
            return terminal

        yield start_app


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Tried:
    """Note for docs/faults.md what was tried, once it has been counted."""

    def note(
        kind: str, count: int = 1, *, lost: int = 0, left_on: int = 0, leaked: int = 0
    ) -> None:
        file = request.path.name
        fault_notes.note(fault_notes.Note(kind, count, lost, left_on, leaked, file))

    return note


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssh.Server]:
    """A real sshd, the same for all tests."""
    if why := ssh.missing():
        pytest.skip(why)
    with ssh.Server(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def link(ssh_server: ssh.Server, home: Path) -> Iterator[ssh.Link]:
    """A line to a real sshd: `link.relay` can be slow, and cut."""
    env = {"LAZYCHAT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with ssh.Relay(ssh_server.port) as relay:
        yield ssh.Link(ssh_server, relay, env)


@pytest.fixture
def start_remote(link: ssh.Link, home: Path) -> Iterator[Start]:
    """Start the app over ssh; as `start`, but with `term`, and with COLORTERM unset."""
    with ExitStack() as stack:

        def start_app(
            script: list[dict[str, Any]] | dict[str, Any] | None = None,
            *arguments: str,
            config: Mapping[str, Any] | str = {},
            **options: Any,
        ) -> Terminal:
            file = write_config(home, script, config)
            command = [sys.executable, "-m", "tui", "--config", str(file), *arguments]
            terminal = stack.enter_context(link.terminal(command, **options))
            terminal.wait_for("Message")
            return terminal

        yield start_app
