"""Real documents through the gate: those of the installed packages, as answers."""

import random
import re
import site
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gate_rows import FAMILIES

from tui.models.gate import Gate, Text

_KINDS = (".md", ".rst", ".py")
_ENOUGH = 60_000
"""Characters for each dialect. A million went through each on 2026-11-27."""


def _documents() -> Iterator[str]:
    folders = [Path(folder) for folder in site.getsitepackages()]
    found = [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in _KINDS or path.name == "METADATA"
    ]
    random.Random(1).shuffle(found)
    left = _ENOUGH
    for path in found:
        text = path.read_text("utf-8", errors="replace")[:8000]
        yield text
        left -= len(text)
        if left < 0:
            return


DOCUMENTS = list(_documents())


@pytest.mark.parametrize("dialect", [*FAMILIES, "auto"])
def test_no_document_is_taken_for_a_call(dialect: str) -> None:
    chance = random.Random(2)
    for text in DOCUMENTS:
        words = set(re.findall(r"(?m)^[ \t]*[\[`\"{]?([A-Za-z_]\w*)", text))
        gate = Gate(dialect, {word: {} for word in words})
        longest = chance.choice((3, 8, 40, 400))

        came, at = gate.feed(""), 0
        while at < len(text):
            length = chance.randint(1, longest)
            came += gate.feed(text[at : at + length])
            at += length
        came += gate.finish()

        assert "".join(p.text for p in came if isinstance(p, Text)) == text
        assert all(isinstance(p, Text) for p in came)
