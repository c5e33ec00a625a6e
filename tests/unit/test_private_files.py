"""Files that are replaced: also those that are links into a folder of dotfiles."""

import stat
from pathlib import Path

import pytest

from tui import files


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path: Path, exists: bool):
    target = tmp_path / "dotfiles" / "state.toml"
    target.parent.mkdir()
    if exists:
        target.write_text("old = 1\n")
    link = tmp_path / "state.toml"
    link.symlink_to("dotfiles/state.toml")

    files.replace_private(link, b"new = 1\n")

    assert link.is_symlink()
    assert target.read_bytes() == b"new = 1\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(p.name for p in target.parent.iterdir()) == ["state.toml"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dotfiles", "state.toml"]


def test_a_link_to_nowhere_is_replaced_where_it_points(tmp_path: Path):
    link = tmp_path / "state.toml"
    link.symlink_to(tmp_path / "later" / "state.toml")

    files.replace_private(link, b"a = 1\n")

    assert link.is_symlink()
    assert link.read_bytes() == b"a = 1\n"


def test_a_link_to_itself_becomes_a_file(tmp_path: Path):
    link = tmp_path / "state.toml"
    link.symlink_to(link)

    files.replace_private(link, b"a = 1\n")

    assert link.read_bytes() == b"a = 1\n"
