"""Which file the guard is started from again."""

import py_compile
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from tui.runtime import watch


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = tmp_path / "watch.py"
    source.write_text("first = 1\n")
    monkeypatch.setattr(watch, "__file__", str(source))
    return source


@pytest.mark.parametrize(
    ("mode", "current"),
    [
        (PycInvalidationMode.TIMESTAMP, False),
        (PycInvalidationMode.UNCHECKED_HASH, True),
    ],
)
def test_a_compiled_file_of_an_older_source_is_not_run(
    source: Path, mode: PycInvalidationMode, current: bool
):
    compiled = str(source.with_suffix(".pyc"))
    py_compile.compile(str(source), compiled, invalidation_mode=mode)
    assert watch._is_current(compiled)

    source.write_text("second = 2\n\n")

    assert watch._is_current(compiled) == current
    assert not watch._is_current(str(source.with_suffix(".none")))
