"""Writes docs/dialects.md anew from the table of dialects.

python tests/dialects_page.py
"""

from support import ROOT
from support.gate_rows import ROME, ROWS

from tui.models.gate.detect import words_of
from tui.models.gate.dialects.registry import DIALECTS

PAGE = ROOT / "docs" / "dialects.md"


def page() -> str:
    """Return docs/dialects.md as the table of dialects has it."""
    lines = [PAGE.read_text("utf-8").partition("\n| ")[0].rstrip() + "\n"]
    lines += [
        "| dialect | in `auto` | signs in a template | a call |",
        "|---|---|---|---|",
    ]
    for id, dialect in sorted(DIALECTS.items()):
        signs = "<br>".join(
            " and ".join(map(_code, words_of(s))) for s in dialect.signs
        )
        call = "<br>".join(map(_code, ROWS[id].write(ROME).splitlines()))
        lines.append(
            f"| {id} | {'yes' if dialect.in_auto else ''} | {signs} | {call} |"
        )
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    fence = "``` " if "`" in text else "`"
    return f"{fence}{text}{fence[::-1]}".replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
