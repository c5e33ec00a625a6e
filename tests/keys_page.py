"""Writes the tables of docs/keys.md anew from the table of commands and the help.

python tests/keys_page.py
"""

from support import ROOT

from tui.app.commands import COMMANDS, Command
from tui.app.dialogs.help import DEBUG, READING, TOOLS, WRITING

PAGE = ROOT / "docs" / "keys.md"


def page() -> str:
    """Return docs/keys.md as the tables of the app have it."""
    text = PAGE.read_text("utf-8")
    everywhere = [_row(c) for c in COMMANDS if not c.reading]
    reading = [_row(c) for c in COMMANDS if c.reading]
    head = ["| key | slash command | name | |", "|---|---|---|---|"]
    for place, rows in {
        "writing": [*_HEAD, *map(_pair, WRITING)],
        "commands": [*head, *everywhere],
        "reading": [*_HEAD, *map(_pair, READING)],
        "debug": [*_HEAD, *map(_pair, DEBUG)],
        "tools": [*_HEAD, *map(_pair, TOOLS)],
        "versions": [*head, *reading],
    }.items():
        before, _, rest = text.partition(f"<!-- {place} -->\n")
        assert rest, f"docs/keys.md has no place for {place}"
        after = rest.partition("<!-- end -->")[2]
        table = "\n".join(rows)
        text = f"{before}<!-- {place} -->\n\n{table}\n\n<!-- end -->{after}"
    return text


_HEAD = ["| key | |", "|---|---|"]
_NAMES = {"escape": "Esc", "pageup": "PageUp", "pagedown": "PageDown"}


def _pair(row: tuple[str, str]) -> str:
    return f"| {_cell(row[0])} | {_cell(row[1])} |"


def _row(command: Command) -> str:
    keys = ", ".join(map(_key, filter(None, command.key.split(","))))
    if command.pane_key:
        keys += f" ({command.pane_key} while you read)"
    slash = f"`{command.slash}`" if command.slash else ""
    return f"| {_cell(keys)} | {slash} | `{command.name}` | {_cell(command.help)} |"


def _key(key: str) -> str:
    if len(key) == 1:
        return key
    return "+".join(_NAMES.get(part, part.capitalize()) for part in key.split("+"))


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("[", "\\[")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
