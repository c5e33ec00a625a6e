"""What a test notes of the faults that it tried; see tests/fault_table.py."""

import json
import os
from pathlib import Path
from typing import NamedTuple, Protocol

VARIABLE = "LAZYCHAT_FAULT_NOTES"
# Read now: tests clear the variables of lazychat.
FILE = os.environ.get(VARIABLE, "")


class Note(NamedTuple):
    """What one test found about one kind of fault."""

    kind: str
    """The fault, as the table names it: "SIGSEGV of the model's process"."""
    count: int
    """How often it was tried."""
    lost: int
    """Words, messages or records that were shown as kept and are not."""
    left_on: int
    """Terminal modes and tty flags that were left behind."""
    leaked: int
    """Payloads of which a byte, or secrets of which a part, came through."""
    test: str
    """The file of the test."""


def note(found: Note) -> None:
    """Add a note to the file that the environment names, if it names one."""
    if FILE:
        line = json.dumps(found, ensure_ascii=False) + "\n"
        with Path(FILE).open("a", encoding="utf-8") as out:
            out.write(line)


class Tried(Protocol):
    """Notes a fault that a test tried; see the fixture `tried`."""

    def __call__(
        self,
        kind: str,
        count: int = 1,
        *,
        lost: int = 0,
        left_on: int = 0,
        leaked: int = 0,
    ) -> None:
        """Note `kind`, a row of the table in docs/faults.md; see `Note`."""
        ...
