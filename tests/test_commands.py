"""Each row of the table of commands can be carried out."""

import pytest

from tui.app.app import LazychatApp
from tui.app.chat.screen import ChatScreen
from tui.app.commands import COMMANDS, Command


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_each_command_has_its_action(command: Command) -> None:
    """Textual passes over an action that is not there without a word."""
    where, _, name = command.action.partition("(")[0].rpartition(".")
    owner = {"app": LazychatApp, "screen": ChatScreen, "": ChatScreen}[where]

    assert callable(getattr(owner, f"action_{name}", None))


def test_no_two_commands_share_a_name_a_key_or_a_slash_command() -> None:
    for given in (
        [command.name for command in COMMANDS],
        [c.key for c in COMMANDS if c.key],
        [command.slash for command in COMMANDS if command.slash],
    ):
        assert len(set(given)) == len(given)
