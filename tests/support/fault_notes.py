"""Records the faults that tests tried; see tests/fault_table.py."""

import json
import os
from pathlib import Path
from typing import NamedTuple, Protocol

VARIABLE = "LAZYCHAT_FAULT_NOTES"
# Read at import, because tests clear lazychat's variables.
FILE = os.environ.get(VARIABLE, "")


class Note(NamedTuple):
    """The result of one test about one kind of fault."""

    kind: str
    """The fault as named in the table: "SIGSEGV of the model's process"."""
    count: int
    """Number of tries."""
    lost: int
    """Words, messages or records that were shown as stored and are missing."""
    left_on: int
    """Terminal modes and tty flags that were not restored."""
    leaked: int
    """Payloads of which a byte, or secrets of which a part, leaked."""
    test: str
    """The file of the test."""


def note(found: Note) -> None:
    """Append a note to the file that the environment names, if any."""
    if FILE:
        line = json.dumps(found, ensure_ascii=False) + "\n"
        with Path(FILE).open("a", encoding="utf-8") as out:
            out.write(line)


class Tried(Protocol):
    """Records a fault that a test tried; see the fixture `tried`."""

    def __call__(
        self,
        kind: str,
        count: int = 1,
        *,
        lost: int = 0,
        left_on: int = 0,
        leaked: int = 0,
    ) -> None:
        """Record `kind`, a row of the table in docs/faults.md; see `Note`."""
        ...
