"""Reads the pages for users: their blocks and command lines."""

import re
from collections.abc import Iterator

from support import ROOT
from tui.cli import options

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

# A block in a fence, or a block of indented lines behind an empty one.
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.S | re.M)
INDENTED = re.compile(r"(?<=\n\n)((?:    .+\n)+)")

KNOWN = set(options.COMMANDS)


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [found[3] for found in FENCE.finditer(text(name)) if found[2] == language]


def commands(name: str) -> Iterator[str]:
    """Yield each command line of a page that runs lazychat, from its own name on."""
    page = FENCE.sub("", text(name))
    shown = [*INDENTED.findall(page), *blocks(name, "sh")]
    lines = [line for block in shown for line in block.splitlines()]
    named = re.findall(r"`([^`\n]*\blazychat [^`\n]*)`", page)
    # A command without arguments is only named: `lazychat delete`.
    lines += [line for line in named if line.split()[1:] not in [[c] for c in KNOWN]]
    for line in lines:
        for part in re.split(r"[|;&]", line):
            if found := re.search(r"(?:^|\s)(lazychat(?:\s.*)?)$", part.strip()):
                yield found[1]
