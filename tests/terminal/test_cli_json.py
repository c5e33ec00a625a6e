"""`--json` of each command: exit code and messages are those without it."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fakes.lazychat import Home

COMMANDS = (
    "list",
    "list --deleted",
    "list -n 1",
    "search there",
    "search nothing-like-it",
    "cost",
    "cost ID",
    "cost no-such-id",
    "tools",
    "tools log",
    "tools log no_such_tool",
    "tools log --conversation ID",
    "tools log --conversation no-such-id",
    "tail",
    "tail no-such-id",
    "mcp list",
)


def empty(home: Home) -> str:
    """An empty store."""
    return "no-such-id"


def asked(home: Home) -> str:
    """A conversation with a call of a tool."""
    home.scripted([{"call": "roll_dice", "arguments": {}}], "Hi there.")
    assert home.ask("hi").code == 0
    return home.records()[0].conversation


def broken_row(home: Home) -> str:
    """The same, with rows that cannot be read."""
    id = asked(home)
    with sqlite3.connect(home.store) as store:
        store.execute(
            "UPDATE event SET data = ? WHERE kind IN ('tool_call_started', "
            "'usage_reported')",
            (b"{broken",),
        )
    store.close()
    return id


def damaged(home: Home) -> str:
    """A file in place of the store that is not a database."""
    home.store.write_bytes(b"x" * 5000)
    return "no-such-id"


def bad_config(home: Home) -> str:
    """A mistake in config.toml."""
    id = asked(home)
    home.config("modell = 3\n")
    return id


@pytest.mark.parametrize("state", [empty, asked, broken_row, damaged, bad_config])
def test_json_changes_neither_the_exit_code_nor_the_messages(
    tmp_path: Path, state: Callable[[Home], str]
) -> None:
    with Home(tmp_path) as home:
        id = state(home)
        for command in COMMANDS:
            words = command.replace("ID", id).split()

            plain = home.run(*words)
            done = home.run(*words, "--json")

            assert (done.code, done.err) == (plain.code, plain.err), command
            lines = done.out.splitlines() if words[0] == "tail" else [done.out]
            for line in lines:
                json.loads(line)  # raises for what is not JSON
            assert done.err or not done.code, command


def test_calls_that_cannot_be_read_are_told_and_not_denied(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        broken_row(home)

        done = home.run("tools", "log")

    assert (done.code, done.err) == (
        1,
        "lazychat: 1 record of the store could not be read.\n",
    )
