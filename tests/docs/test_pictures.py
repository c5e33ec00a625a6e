"""The pictures of all screens, as `make pictures` draws them."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from rich.cells import cell_len
from support import ROOT

pytestmark = pytest.mark.outside


def drawn(folder: Path, *screens: str) -> dict[str, str]:
    """Draw screens into `folder`; return the pictures by their names."""
    folder.mkdir()
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    script = ROOT / "docs/pictures.py"
    subprocess.run(
        [sys.executable, script, folder, *screens],
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder.parent)},
        check=True,
        timeout=300,
    )
    return {file.name: file.read_text("utf-8") for file in folder.glob("*.svg")}


def test_a_screen_is_drawn_in_each_theme_and_size_and_the_same_again(
    tmp_path: Path,
) -> None:
    first = drawn(tmp_path / "first", "find")
    second = drawn(tmp_path / "second", "find")

    themes = {file.stem for file in (ROOT / "themes").glob("*.toml")}
    sizes = ("120x40", "80x24", "60x20")
    assert set(first) == {f"find.{s}.{t}.svg" for s in sizes for t in themes}
    assert first == second
    text = re.sub("<[^>]*>", "", first["find.80x24.tide.svg"])
    assert "1 of 1" in unescape(text).replace("\xa0", " ")
    assert 'src="find.60x20.ember.svg"' in (tmp_path / "first/index.html").read_text()


def test_chinese_has_its_room_and_plain_mode_is_drawn_from_a_terminal(
    tmp_path: Path,
) -> None:
    pictures = drawn(tmp_path / "drawn", "zh-start", "plain")

    texts = re.findall(
        r'textLength="([\d.]+)"[^>]*>([^<]*)<',
        pictures["zh-start.80x24.lazychat-dark.svg"],
    )
    drawn_texts = [(float(size), cell_len(unescape(text))) for size, text in texts]
    widths = {size / cells for size, cells in drawn_texts if cells}
    assert any(cell_len(text) > len(text) for _, text in texts)
    assert max(widths) - min(widths) < 0.01  # of a cell, in pixels
    plain = unescape(pictures["plain.80x24.terminal.svg"]).replace("\xa0", " ")
    assert "Tool run_command: wants to run" in plain
