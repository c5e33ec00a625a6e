"""What the user can do, said once: each is a key, a slash command, a palette entry."""

import difflib
import re
from typing import NamedTuple

from textual.binding import Binding, BindingType


class Command(NamedTuple):
    """Something that the user can have done."""

    name: str
    """Its name under [keys] in the configuration."""
    action: str
    """As Textual spells it; an argument of a slash command goes in parentheses."""
    key: str
    """The key of a newcomer; "" when it has none."""
    slash: str
    """What may be typed in its place; "" when typing it makes no sense."""
    help: str


COMMANDS = (
    Command("cancel", "cancel", "escape", "", "Stop the answer; what was said stays"),
    Command("stream", "toggle_stream", "ctrl+t", "/stream", "Stream answers or not"),
    Command("tools", "toggle_sidebar", "f2", "/tools", "Show or hide the tools"),
    Command("debug", "toggle_debug", "f3", "/debug", "Show or hide the tool calls"),
    Command("new", "app.new_conversation", "ctrl+n", "/new", "New conversation"),
    Command("model", "app.choose_model", "ctrl+l", "/model", "Choose the model"),
    Command("edit", "edit", "ctrl+o", "/edit", "Write the message in your editor"),
    Command(
        "copy",
        "copy_answer",
        "",
        "/copy",
        "Copy an answer (/copy 2: last but one)",
    ),
    Command("theme", "app.change_theme", "", "/theme", "Choose the colours"),
    Command("help", "app.show_help", "f1", "/help", "Show the keys"),
    Command("quit", "app.quit", "ctrl+q", "/quit", "Leave"),
)


def bindings() -> list[BindingType]:
    """Return the key bindings of the commands, re-mappable by their names."""
    return [
        Binding(command.key, command.action, command.help, show=False, id=command.name)
        for command in COMMANDS
        if command.key
    ]


def parse(text: str) -> tuple[Command, str] | None:
    """Return the command that `text` names and its argument, None when it does not.

    `/model qwen` is the command `model` with the argument `qwen`.
    """
    word, _, argument = text.strip().partition(" ")
    for command in COMMANDS:
        if command.slash and command.slash == word:
            return command, argument.strip()
    return None


def mistyped(text: str) -> str:
    """Return what to say when `text` looks like a command that there is not, or "".

    Only a single word does: "/etc/passwd has a line too many" is a question.
    """
    if not re.fullmatch(r"/[a-z]+", text.strip()):
        return ""
    known = [command.slash for command in COMMANDS if command.slash]
    close = difflib.get_close_matches(text.strip(), known, 1, 0.5)
    meant = f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."
    return f"No command {text.strip()}. {meant}"
