"""The programs that are compared, each with a home folder of its own."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tui.conversation import recent
from tui.eventlog import EventLog
from tui.events import Event, MessageAdded
from tui.messages import Message
from tui.session import new_id

from .content import MARK, tokens

_ROOT = Path(__file__).parents[3]
_BASELINES = Path(__file__).parent / "baselines"


@dataclass(frozen=True)
class Program:
    """How to start, use and leave a program."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]
    home: Path
    ready: str
    """What is on its screen when it can be used."""
    leave: tuple[str, ...] = ("\x11",)


def _env(home: Path, port: int) -> dict[str, str]:
    kept = {"PATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
    return {name: value for name, value in os.environ.items() if name in kept} | {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LAZYCHAT_HOME": str(home),
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "OPENAI_API_KEY": "x",
        "PYTHONPATH": str(_ROOT),
    }


def _baseline(file: str, *leave: str) -> Callable[[str, Path, int], Program]:
    def build(name: str, home: Path, port: int) -> Program:
        command = (sys.executable, str(_BASELINES / file))
        leave_by = leave or ("\x11",)
        return Program(name, command, _env(home, port), home, "READY", leave_by)

    return build


def _lazychat(name: str, home: Path, port: int) -> Program:
    (home / "config.toml").write_text(
        'model = "fake"\n[models.fake]\nprovider = "openai"\nmodel = "fake"\n'
        f'base_url = "http://127.0.0.1:{port}/v1"\napi_key_env = "OPENAI_API_KEY"\n'
    )
    command = (sys.executable, "-m", "tui")
    if name == "lazychat-1000":
        seed(home / "lazychat.db", 1000)
        command = (*command, "chat", "--continue")
    return Program(name, command, _env(home, port), home, "Message")


_BUILD: dict[str, Callable[[str, Path, int], Program]] = {
    "lazychat": _lazychat,
    "lazychat-1000": _lazychat,  # opens a conversation of 1,000 messages
    "hello": _baseline("hello.py"),
    "tx-md": _baseline("chat.py"),
    "floor-openai": _baseline("floor.py", "\x15/quit\r"),
}


def program(name: str, home: Path, port: int) -> Program:
    """Return a program that has `home` to itself and asks the server at `port`."""
    return _BUILD[name](name, home, port)


def seed(path: Path, messages: int) -> None:
    """Put a conversation of questions and Markdown answers into a store."""
    text = MARK.sub("word", "".join(tokens("md", 20_000)[:-1]))
    answers = text.split("## ")[1:]
    events: list[Event] = []
    for number in range(messages // 2):
        answer = "## " + answers[number % len(answers)]
        for role, text in (("user", f"Question {number}?"), ("assistant", answer)):
            events.append(MessageAdded(new_id(), Message(role, text)))  # pyright: ignore[reportArgumentType]: a Role
    with EventLog(path) as log:
        log.append(new_id(), *events).result()
        assert len(recent(log)) == 1
