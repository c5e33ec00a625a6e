"""The pictures of all screens, as `make pictures` draws them."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
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
