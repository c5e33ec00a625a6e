"""Command lines of the pages, run as a reader would, where that does no harm."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes.lazychat import Home
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.pages import NAMES, commands
from support.store import talk

from tui.cli import options

HARMLESS = ("list", "search", "export", "tail", "doctor", "ask")
"""The commands that are run; others wait for the user, download, delete or serve."""


def lines() -> list[str]:
    """Return each harmless command line once, without what a reader has to replace."""
    found: dict[str, None] = {}
    for name in NAMES:
        for line in commands(name):
            words = shlex.split(line, comments=True)[1:]
            named = words and words[0] in HARMLESS
            if named and not any(w.isupper() or "..." in w for w in words):
                # One goes on for ever, and -m names a model of the reader.
                if {"-f", "--follow", "-m", ">"} & set(words):
                    continue
                found[shlex.join(words)] = None
    return list(found)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        home.scripted("A scripted answer.")
        talk(home.store, 2, 3)
        yield home


def test_there_are_lines_to_run() -> None:
    assert len(lines()) >= 5


@pytest.mark.parametrize("line", lines())
def test_a_command_line_of_the_pages_runs(home: Home, line: str) -> None:
    words = shlex.split(line)

    (home.work / "person.json").write_text("{}")  # the reader has one

    done = home.run(*words, input="")

    assert "Traceback" not in done.err
    assert done.code in (0, 1), done.err  # 2 is a line that is used wrongly
    assert "usage" not in done.err


@pytest.mark.parametrize("command", ["", *options.COMMANDS])
def test_each_command_has_its_help(home: Home, command: str) -> None:
    done = home.run(*filter(None, [command]), "--help")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("usage: lazychat")


def test_ask_with_a_service_named_behind_m(home: Home, server: SSEServer) -> None:
    server.answer(text("Of the server."), finish(), DONE)
    home.env |= {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": server.url}

    done = home.ask("-m", "openai/gpt-4.1", "Hello?")

    assert (done.code, done.out) == (0, "Of the server.\n")
    assert server.asked[0].json["model"] == "gpt-4.1"
