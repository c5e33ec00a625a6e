"""The table of commands."""

import pytest

from tui.app import commands
from tui.app.commands import COMMANDS


def test_no_two_commands_share_a_name_a_key_or_a_slash_command() -> None:
    for given in (
        [command.name for command in COMMANDS],
        [c.key for c in COMMANDS if c.key],
        [command.slash for command in COMMANDS if command.slash],
    ):
        assert len(set(given)) == len(given)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/mod", "/model"),
        ("/hel", "/help"),
        ("/foo", "lists all"),
        ("/xyzzy", "lists all"),
        ("/modle qwen3", "/model"),
        ("/sytem Be brief.\nIn *French*.", "/system"),
    ],
)
def test_a_mistyped_command_names_one_that_begins_so_or_is_near(typed, said) -> None:
    assert said in commands.mistyped(typed)


@pytest.mark.parametrize(
    "text",
    [
        *("/usr is full", "/tmp is full", "/etc has what?", "/home is where?"),
        *("/opt or not?", "/dev and /proc", "/bin/sh", "/model qwen", "/run this"),
        *("/var is large", "/mnt is empty", "/srv is what?", "/lib or lib64?"),
        *("/boot is small", "/sys is what?", "/root is mine"),
    ],
)
def test_text_that_only_begins_with_a_slash_is_no_mistyped_command(text) -> None:
    assert commands.mistyped(text) == ""
