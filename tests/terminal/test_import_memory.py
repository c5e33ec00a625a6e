"""What an import of long messages takes of memory, measured in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

IMPORT = """
import contextlib, io, resource, sys
from tui.cli import main
unit = 1 if sys.platform == "darwin" else 1024
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
with contextlib.redirect_stderr(io.StringIO()):
    main(["list", "--json"])  # loads what an import needs, too
base = peak()
code = main(["import", sys.argv[1]])
print(code, (peak() - base) / 1e6)
"""
MOST = 200.0
"""MB above what the program takes without an import."""


def imported(home: Path, file: Path, texts: list[str]) -> tuple[int, float, str]:
    """Import a conversation; return the exit code, the MB taken, and what was said."""
    said = [
        {
            "kind": "message_added",
            "time": 1.0,
            "data": {"message_id": f"m{n}", "message": {"role": "user", "text": text}},
        }
        for n, text in enumerate(texts)
    ]
    document = {
        "format": "lazychat",
        "version": 1,
        "conversations": [{"id": "long", "events": said}],
    }
    file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    run = subprocess.run(
        [sys.executable, "-c", IMPORT, str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LAZYCHAT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        close_fds=True,
    )
    code, taken = run.stdout.splitlines()[-1].split()
    return int(code), float(taken), run.stderr


@pytest.mark.parametrize("unit", ["word and text ", "一行文字 ", "a line\n"])
def test_an_import_of_long_messages_takes_little_memory(
    home: Path, tmp_path: Path, unit: str
) -> None:
    text = unit * (14_300_000 // len(unit.encode()))

    code, taken, said = imported(home, tmp_path / "long.json", [text] * 3)

    assert (code, said) == (0, "")
    assert taken <= MOST


def test_a_message_that_is_too_long_is_refused_in_little_memory(
    home: Path, tmp_path: Path
) -> None:
    text = "word and text " * (50_000_000 // 14)

    code, taken, said = imported(home, tmp_path / "long.json", [text])

    assert code == 1
    assert "event 1 has 50 MB" in said
    assert taken <= MOST
