"""The table of commands: each row is a key, a slash command and a palette entry."""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from tui.config import nearest
from tui.safe import safe


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
    reading: bool = False
    """Whether the key is for the conversation pane alone: elsewhere one types it."""
    takes: bool = False
    """Whether something may be typed behind `slash`."""

    def refuse(self, argument: str) -> str:
        """Return what to say of an `argument` that it does not take, or ""."""
        if not argument:
            return ""
        if self.name == "copy" and not argument.isdecimal():
            return "/copy takes a number: /copy 2 copies the answer before the last"
        return "" if self.takes else f"{self.slash} takes nothing behind it"


COMMANDS = (
    Command(
        "cancel",
        "app.cancel",
        "escape",
        "",
        "Back to writing; there: stop the answer",
    ),
    Command("stream", "toggle_stream", "ctrl+t", "/stream", "Stream answers or not"),
    Command("tools", "toggle_sidebar", "f2", "/tools", "Show or hide the tools"),
    Command("debug", "toggle_debug", "f3", "/debug", "Show or hide the tool calls"),
    Command("new", "app.new_conversation", "ctrl+n", "/new", "New conversation"),
    Command(
        "history",
        "app.show_history",
        "ctrl+s",
        "/history",
        "All conversations; /history WORDS searches",
        takes=True,
    ),
    Command(
        "next",
        "app.switch_conversation(1)",
        "f4,ctrl+pagedown",
        "/next",
        "The next open conversation",
    ),
    Command(
        "previous",
        "app.switch_conversation(-1)",
        "shift+f4,f16,ctrl+pageup",  # Textual calls what xterm sends F16
        "/previous",
        "The open conversation before",
    ),
    Command(
        "close",
        "app.close_conversation",
        "ctrl+f4",
        "/close",
        "Close this conversation; the list keeps it",
    ),
    Command(
        "rename",
        "app.act('rename', '')",
        "",
        "/rename",
        "Give this conversation a title: /rename TITLE",
        takes=True,
    ),
    Command(
        "pin",
        "app.act('pin', '')",
        "",
        "/pin",
        "Keep this conversation on top, or no longer",
    ),
    Command(
        "export",
        "app.act('export', '')",
        "",
        "/export",
        "Write it to a file: /export NAME.json or .md",
        takes=True,
    ),
    Command(
        "import",
        "app.act('import', '')",
        "",
        "/import",
        "Read an exported file: /import NAME.json",
        takes=True,
    ),
    Command(
        "delete",
        "app.act('delete', '')",
        "",
        "/delete",
        "Delete this conversation; /undo restores it",
    ),
    Command(
        "undo",
        "app.act('undo', '')",
        "f9",
        "/undo",
        "Bring back what was deleted last",
    ),
    Command(
        "purge",
        "app.act('purge', '')",
        "",
        "/purge",
        "Wipe for good what was deleted",
    ),
    Command(
        "model",
        "app.choose_model",
        "ctrl+l",
        "/model",
        "Choose the model",
        takes=True,
    ),
    Command("edit", "edit", "ctrl+o", "/edit", "Write the message in your editor"),
    Command(
        "copy",
        "copy_answer",
        "",
        "/copy",
        "Copy the last answer; /copy 2: the one before",
        takes=True,
    ),
    Command(
        "unsend", "unsend", "alt+up", "/unsend", "Take back the message that waits"
    ),
    Command("continue", "go_on", "", "/continue", "Go on where an answer stopped"),
    Command("retry", "retry", "", "/retry", "Ask the last question again"),
    Command(
        "takeover",
        "take_over",
        "",
        "/takeover",
        "End what another machine has left",
    ),
    Command(
        "compact",
        "compact",
        "",
        "/compact",
        "Sum up old messages; /compact X: keep X",
        takes=True,
    ),
    Command(
        "theme", "app.change_theme", "", "/theme", "Choose the colours", takes=True
    ),
    Command("help", "app.show_help", "f1", "/help", "Show the keys"),
    Command("quit", "app.quit", "ctrl+q", "/quit", "Leave"),
    Command(
        "revise",
        "screen.revise",
        "e",
        "/revise",
        "Edit your message: a new version of it",
        reading=True,
    ),
    Command(
        "regenerate",
        "screen.regenerate",
        "r",
        "/regenerate",
        "Ask once more: another answer beside it",
        reading=True,
    ),
    Command(
        "older",
        "screen.version(-1)",
        "[,left",
        "/older",
        "The version before",
        reading=True,
    ),
    Command(
        "newer",
        "screen.version(1)",
        "],right",
        "/newer",
        "The next version",
        reading=True,
    ),
)


def bindings(*, reading: bool = False) -> list[BindingType]:
    """Return the key bindings of the commands, re-mappable by their names.

    `reading` tells whether those of the conversation pane or of the screen.
    """
    return [
        Binding(command.key, command.action, command.help, show=False, id=command.name)
        for command in COMMANDS
        if command.key and command.reading == reading
    ]


def spelled(command: Command, keys: Mapping[str, str]) -> str:
    """Return the command's key as people write it; `keys` are the user's own."""
    names = {"escape": "Esc", "pageup": "PageUp", "pagedown": "PageDown"}
    own = keys.get(command.name)
    key = command.key if own is None or _wrong_part(own) else safe(own, newlines=False)
    parts = key.split(",")[0].split("+") if key else []
    if len(parts) == 1 == len(parts[0]):
        return parts[0]  # a letter: its other case is another key
    return "+".join(names.get(part, part.capitalize()) for part in parts)


def checked(keys: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return those of the user's `keys` that can be used, and why others cannot.

    A command whose key is wrong keeps the one that it has.
    """
    known = {command.name: command for command in COMMANDS}
    good: dict[str, str] = {}
    problems: list[str] = []
    for name, key in keys.items():
        if name not in known:
            hint = nearest(name, known) or f" Known are: {', '.join(known)}."
            problems.append(f'[keys]: nothing is called "{name}".{hint}')
        elif wrong := _wrong_part(key):
            problems.append(
                f'[keys]: {name} = "{key}": there is no key "{wrong}". Write '
                f'it like "ctrl+t", "f5", "alt+up" or "y"; until then it is '
                f"{known[name].key or 'none'}."
            )
        else:
            good[name] = key
    return good, problems


def _wrong_part(key: str) -> str:
    """Return which of the keys in `key`, between commas, is none, or ""."""
    parts = [part.strip() for part in key.split(",")] if key else []
    return next((part or "," for part in parts if not _is_key(part)), "")


def _is_key(text: str) -> bool:
    *modifiers, key = text.split("+") if text != "+" else [text]
    if not {"ctrl", "alt", "shift", "super", "hyper", "meta"}.issuperset(modifiers):
        return False
    if len(key) == 1:
        return key.isprintable()
    if key in {known.value for known in Keys} | set(KEY_NAME_REPLACEMENTS.values()):
        return True
    try:  # as Textual calls other characters: question_mark
        unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return False
    return True


def named(name: str) -> Command:
    """Return the command of that name; raises KeyError."""
    return {command.name: command for command in COMMANDS}[name]


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
    """Return what to say of a `text` that looks like a command but is none, or ""."""
    word = text.strip()
    if not re.fullmatch(r"/[a-z]+", word) or parse(word):
        return ""
    known = [command.slash for command in COMMANDS if command.slash]
    hint = nearest(word, known) or " /help has them all."
    return f"There is no command {word}.{hint}"
