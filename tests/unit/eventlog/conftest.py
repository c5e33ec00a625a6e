"""Stores that the tests of the log get into trouble."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.store import MOUNTS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "lazychat.db"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder that another user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@pytest.fixture
def network(path, tmp_path, monkeypatch) -> Path:
    """A table of mounts that has the store's folder on a server."""
    table = tmp_path / "mountinfo"
    point = str(tmp_path.resolve()).replace(" ", r"\040")
    table.write_text(MOUNTS.format(number=30, point=point, kind="nfs4"))
    monkeypatch.setattr("tui.eventlog.sqlite.network_mounts.TABLE", table)
    return table
