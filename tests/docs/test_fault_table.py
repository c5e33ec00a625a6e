"""The table in docs/faults.md speaks of tests that there are."""

import re
from pathlib import Path

import pytest
from fault_table import DOCUMENT, table, written
from support import ROOT
from support.fault_notes import Note, Tried


def test_notes_of_one_kind_are_summed_in_one_row() -> None:
    rows = table(
        [
            Note("kill", 2, 0, 1, 0, "test_b.py"),
            Note("kill", 3, 4, 0, 0, "test_b.py"),
            Note("lock", 1, 0, 0, 2, "test_a.py"),
        ]
    ).splitlines()[2:]

    assert rows == [
        "| lock | 1 | 0 | 0 | 2 | `test_a.py` |",
        "| kill | 5 | 4 | 1 | 0 | `test_b.py` |",
    ]


def test_what_a_test_tried_is_noted_with_its_file(
    tried: Tried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "notes"
    monkeypatch.setattr("support.fault_notes.FILE", str(file))

    tried("nothing at all", 3, leaked=1)

    assert file.read_text() == '["nothing at all", 3, 0, 0, 1, "test_fault_table.py"]\n'


def test_each_row_of_the_document_names_a_test_and_no_harm() -> None:
    rows = written(DOCUMENT.read_text("utf-8")).splitlines()[2:]

    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[2:5] == ["0", "0", "0"], row
        [name] = re.findall(r"`(test_\w+\.py)`", cells[5])
        assert list(ROOT.glob(f"tests/**/{name}")), row
