"""The table of faults in docs/faults.md, made from the tests that ran.

    make faults

A test notes what it tried by the fixture `tried`, whose counts it has measured itself
and asserted. Where the variable `LAZYCHAT_FAULT_NOTES` names a file each note is a line
of JSON there, so that tests in several processes can write to one file; this program
runs the tests that note something and puts the sum into the document.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from support import ROOT
from support.fault_notes import VARIABLE, Note

DOCUMENT = ROOT / "docs" / "faults.md"
HEAD = """\
| fault | tried | lost | left on | leaked | test |
| --- | ---: | ---: | ---: | ---: | --- |
"""
BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->\n"


def table(notes: Iterable[Note]) -> str:
    """Return the table, in which notes of one kind and file are a row."""
    rows: dict[tuple[str, str], Note] = {}
    for found in notes:
        key = found.test, found.kind
        so_far = rows.get(key, Note(found.kind, 0, 0, 0, 0, found.test))
        rows[key] = found._replace(
            count=so_far.count + found.count,
            lost=so_far.lost + found.lost,
            left_on=so_far.left_on + found.left_on,
            leaked=so_far.leaked + found.leaked,
        )
    return HEAD + "".join(
        f"| {row.kind} | {row.count:,} | {row.lost} | {row.left_on} | {row.leaked} "
        f"| `{row.test}` |\n"
        for _, row in sorted(rows.items())
    )


def written(document: str) -> str:
    """Return the table as it stands in `document`."""
    return document.partition(BEGIN)[2].partition(END)[0]


def main() -> int:
    """Run the tests that note something, and write the table."""
    noting = [
        file
        for file in sorted(ROOT.glob("tests/**/test_*.py"))
        if re.search(r"\btried\b\s*[,:(]", file.read_text("utf-8"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "notes.jsonl"
        file.touch()
        command = [sys.executable, "-m", "pytest", "-q", *map(str, noting)]
        code = subprocess.call(
            command, cwd=ROOT, env={**os.environ, VARIABLE: str(file)}
        )
        lines = file.read_text("utf-8").splitlines()
    document = DOCUMENT.read_text("utf-8")
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    notes = (Note(*json.loads(line)) for line in lines)
    DOCUMENT.write_text(f"{before}{BEGIN}{table(notes)}{END}{after}", "utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
