"""Nothing that is printed drives a terminal: ids, kinds, titles, JSON, arguments."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import ROOT
from support.fault_notes import Tried
from support.start import write_config
from support.terminal import Terminal

from tui.app import commands
from tui.conversation import new_id
from tui.eventlog import EventLog
from tui.events import MessageAdded
from tui.messages import Message
from tui.safe import decoded, safe, safe_json

_MARK = "Mk7"

SEQUENCES = (
    "\x1b[31m",  # colours
    "\x1b[2J\x1b[H",  # clears the screen
    "\x1b[?1049h",  # the other screen
    "\x1b[6n",  # asks for an answer, which is typed into the shell
    "\x1b[8;5;5t",  # resizes the window
    "\x1b[38:2::255:0:0m",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x1b\\",  # the clipboard
    "\x1b]8;;http://x.example/\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]1337;File=inline=1:AAAA\x07",
    "\x1bP$q\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gi=1;AAAA\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bXstring\x1b\\",
    "\x1bc",
    "\x1b7\x1b8",
    "\x1b(0",
    "\x1b#8",
    "\x1b",
)
SINGLE = (
    *map(chr, range(0x01, 0x09)),
    *map(chr, (0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x18, 0x1A, 0x1F, 0x7F)),
    *map(chr, (0x80, 0x84, 0x85, 0x8D, 0x90, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F)),
    *"\u061c\u200e\u200f\u202a\u202e\u2066\u2069",  # directions
    *"\u00ad\u200b\u2060\u2063\ufeff\ufff9\u180e\u2028\u2029",  # invisible
    *"\U000e0001\U000e0041\U000e007f",  # tags
    *"\ufdd0\ufffe\uffff\U0001ffff",  # noncharacters
)
PAYLOADS = tuple(
    f"{_MARK}{it}A" for it in (*SEQUENCES, *SINGLE, "\x9b31m", "\x9d0;t\x9c")
)

# What no byte that is written to a terminal may be, once our own line ends are gone.
_WRONG = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\U0001fffe\U0001ffff"
    "\U000e0000-\U000e007f]"
)


def on_a_terminal(*arguments: str | bytes, rows: int = 24) -> str:
    """Run the command line on a terminal; return all that it has written there."""
    command: list[str] = [sys.executable, "-m", "tui", *map(os.fsdecode, arguments)]
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    with Terminal(command, columns=200, rows=rows, env=env) as terminal:
        terminal.wait_closed()
        return bytes(terminal.raw).decode().replace("\r\n", "\n")


def leaks(written: str) -> list[str]:
    """Return what in `written` acts on a terminal; the bold of a hit is ours."""
    return _WRONG.findall(re.sub(r"\x1b\[(1|22)m", "", written))


def document(payloads: Sequence[str]) -> str:
    conversations = [
        {
            "id": f"{number}{payload}",
            "events": [
                {
                    "kind": "message_added",
                    "time": 1750000000.0,
                    "data": {
                        "message_id": f"m{payload}",
                        "message": {"role": "user", "text": f"findme {payload}"},
                    },
                },
                {
                    "kind": "conversation_renamed",
                    "time": 1750000000.0,
                    "data": {"title": f"T{payload}"},
                },
                {"kind": f"x{payload}", "time": 1750000000.0, "data": {"k": payload}},
            ],
        }
        for number, payload in enumerate(payloads)
    ]
    return json.dumps(
        {"format": "lazychat", "version": 1, "conversations": conversations}
    )


@pytest.fixture
def store(home: Path) -> Path:
    """A store that has every payload as text, title, kind, id and field."""
    file = home / "payloads.json"
    file.write_text(document(PAYLOADS), "utf-8")
    written = on_a_terminal("import", str(file))
    assert len(written.splitlines()) == len(PAYLOADS)
    assert leaks(written) == []
    # Ids that an import no longer takes, in a store of an earlier version.
    with EventLog(home / "lazychat.db") as log:
        for payload in PAYLOADS:
            message = MessageAdded(new_id(), Message("user", f"findme {payload}"))
            log.append(f"i{payload}", message)
    return home


@pytest.mark.parametrize(
    "command",
    [
        ("list", "-n", "0"),
        ("list", "-n", "0", "--json"),
        ("search", "-n", "0", "findme"),
        ("search", "-n", "0", "--json", "findme"),
        ("export", "--all"),
        ("export", "--all", "--format", "json"),
    ],
    ids=" ".join,
)
def test_a_command_writes_nothing_that_drives_the_terminal(
    store: Path, command: tuple[str, ...], tried: Tried
) -> None:
    written = on_a_terminal(*command)

    assert written.count(_MARK) >= len(PAYLOADS)
    found = leaks(written)
    assert found == []
    tried(f"Control sequences in `{command[0]}` on a terminal", len(PAYLOADS))


def test_tail_writes_nothing_that_drives_the_terminal(
    store: Path, tried: Tried
) -> None:
    ids = json.loads(piped("list", "-n", "0", "--json"))

    # Each payload is one process; every seventh keeps this quick.
    for conversation in ids[::7]:
        for form in ([], ["--json"]):
            written = on_a_terminal("tail", conversation["id"], *form)
            assert _MARK in written
            assert leaks(written) == []

    tried("Control sequences in `tail` on a terminal", 2 * len(ids[::7]))


def test_json_on_a_terminal_and_in_a_pipe_says_what_was_said(store: Path) -> None:
    expected = {f"T{payload}" for payload in PAYLOADS}

    for text in (
        piped("list", "-n", "0", "--json"),
        on_a_terminal("list", "-n", "0", "--json"),
    ):
        assert {row["title"] for row in json.loads(text)} >= expected
    exported = json.loads(piped("export", "--all", "--format", "json"))
    assert {it["title"] for it in exported["conversations"]} >= expected


def test_a_title_takes_one_row_whatever_is_in_it(home: Path) -> None:
    file = home / "rows.json"
    breaks = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    file.write_text(document([f"x{end}ffffff  2026-01-01 00:00" for end in breaks]))
    piped("import", str(file))

    for command in (["list"], ["search", "-n", "0", "findme"]):
        rows = 1 if command == ["list"] else 2
        assert len(piped(*command).split("\n")) == rows * len(breaks) + 1
        assert len(on_a_terminal(*command).split("\n")) == rows * len(breaks) + 1


def test_arguments_are_quoted_harmlessly(home: Path, tried: Tried) -> None:
    several = [PAYLOADS[at : at + 9] for at in range(0, len(PAYLOADS), 9)]

    for payloads in several:
        for written in (
            on_a_terminal("list", *payloads),
            on_a_terminal("export", "--format", payloads[0], "x"),
            on_a_terminal("tail", payloads[0]),
            on_a_terminal(*payloads),
        ):
            assert _MARK in written
            assert leaks(written) == []

    tried("Control sequences in arguments", 2 * len(PAYLOADS) + 2 * len(several))


def test_a_traceback_is_harmless(home: Path) -> None:
    program = home / "fault.py"
    program.write_text(
        "from tui.cli import streams\n"
        "streams.clean()\n"
        "import threading\n"
        "def fail(): raise ValueError('Mk7\\x1b]0;t\\x07\\x9b')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "fail()\n"
    )
    env = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}

    with Terminal([sys.executable, str(program)], env=env, columns=200) as terminal:
        terminal.wait_closed()
        written = bytes(terminal.raw).decode().replace("\r\n", "\n")

    assert written.count("Mk7␛]0;t␇\ufffd") == 2
    assert leaks(written) == []


LATIN_1 = b"caf\xe9"


def piped(*arguments: str | bytes, **environment: str) -> str:
    done = run(*arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def run(
    *arguments: str | bytes, **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
    )


def scripted(folder: Path) -> str:
    return str(write_config(folder, [{"text": "Yes."}]))


def test_arguments_that_are_no_utf_8_are_taken(home: Path, tried: Tried) -> None:
    config = scripted(home)

    asked = piped("ask", "--config", config, LATIN_1)
    id = json.loads(piped("list", "--json"))[0]["id"]
    piped("rename", id, b"Caf\xe9")
    renamed = json.loads(piped("list", "--json"))[0]["title"]
    refused = [run(*it, b"\xe9") for it in (["tail"], ["pin"], ["delete", "-y"])]
    found = run("search", b"\xe9")

    assert asked == "Yes.\n"
    assert renamed == "Caf\ufffd"
    assert [it.returncode for it in refused] == [1, 1, 1]
    for it in refused:
        assert it.stderr.decode().count("\n") == 1
    assert found.returncode == 1
    assert b"Traceback" not in found.stderr
    tried("Arguments that are not UTF-8", 6)


def test_a_variable_that_is_no_utf_8_is_taken(home: Path) -> None:
    config = scripted(home)

    said = piped("ask", "--config", config, "hi", LAZYCHAT_SYSTEM="\udce9")

    assert said == "Yes.\n"


def test_a_home_whose_name_is_no_utf_8_is_used(home: Path) -> None:
    config = scripted(home)
    folder = os.fsdecode(os.fsencode(home) + b"/caf\xe9")

    piped("ask", "--config", config, "hi", LAZYCHAT_HOME=folder)

    assert "hi" in piped("list", LAZYCHAT_HOME=folder)
    assert (Path(folder) / "lazychat.db").exists()


def test_utf_8_arguments_arrive_in_a_locale_without_utf_8(home: Path) -> None:
    config = scripted(home)
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    piped("ask", "--config", config, "héllo 日本", **plain)

    assert json.loads(piped("list", "--json"))[0]["title"] == "héllo 日本"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_safe_json_is_the_same_json_and_safe(payload: str) -> None:
    document = json.dumps({payload: [payload]}, ensure_ascii=False)

    escaped = safe_json(document)

    assert json.loads(escaped) == {payload: [payload]}
    assert safe(escaped) == escaped


def test_a_surrogate_that_stands_for_no_byte_is_replaced_too() -> None:
    assert decoded("a\ud800b\udce9c\udcc3\udca9") == "a\ufffdb\ufffdcé"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_key_of_the_configuration_is_spelled_harmlessly(payload: str) -> None:
    shown = commands.spelled(commands.named("stream"), {"stream": payload})

    assert leaks(shown.replace("\n", "")) == []
    assert "\n" not in shown
