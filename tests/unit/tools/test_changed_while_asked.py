"""What changes between the question to the user and the run: nothing else is run."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.allowing import Meanwhile, allowed

from tui.config import ToolsConfig
from tui.messages import ToolCall
from tui.tools import ToolBox, tool
from tui.tools.bundled import bundled
from tui.tools.policy import Preview
from tui.turn import Turn

CHANGED = "what it would do has changed since the user was asked"


@pytest.fixture
def work(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    for folder in ("a", "b", "outside"):
        (work.parent / folder if folder == "outside" else work / folder).mkdir(
            parents=True
        )
    for place in (work / "a", work / "b", work.parent / "outside"):
        (place / "x.txt").write_text("one\n")
        (place / "run.sh").write_text(f"echo from {place.name}\n")
    (work / "link").symlink_to("a")
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def box(work: Path) -> ToolBox:
    return ToolBox(bundled(ToolsConfig(folders=(str(work),), confine_commands=False)))


def contents(work: Path) -> dict[str, str]:
    return {
        str(path.relative_to(work.parent)): path.read_text()
        for folder in (work, work.parent / "outside")
        for path in sorted(folder.rglob("*.txt"))
        if not path.parent.is_symlink()
    }


def points_elsewhere(work: Path, target: str) -> Callable[[], None]:
    def swap() -> None:
        (work / "link").unlink()
        (work / "link").symlink_to(target)

    return swap


WRITES = [
    ("write_file", {"path": "link/x.txt", "content": "two\n"}),
    ("write_file", {"path": "link/new.txt", "content": "two\n"}),
    ("edit_file", {"path": "link/x.txt", "old": "one", "new": "two"}),
]


@pytest.mark.parametrize("target", ["b", "../outside", "/etc", "nowhere"])
@pytest.mark.parametrize(("name", "arguments"), WRITES)
def test_a_link_that_is_swapped_leads_a_write_nowhere(
    work: Path, box: ToolBox, name: str, arguments: dict[str, Any], target: str
) -> None:
    before = contents(work)

    result = allowed(box, name, arguments, points_elsewhere(work, target))

    assert result.error
    assert contents(work) == before


@pytest.mark.parametrize("target", ["b", "../outside"])
def test_a_link_that_is_swapped_leads_a_command_nowhere(
    work: Path, box: ToolBox, target: str
) -> None:
    arguments = {"command": "sh run.sh", "folder": "link"}

    result = allowed(box, "run_command", arguments, points_elsewhere(work, target))

    assert result.error
    assert "from" not in result.output


def replaced(how: str, file: Path, other: Path) -> Callable[[], None]:
    def replace() -> None:
        file.unlink()
        match how:
            case "link":
                file.symlink_to(other)
            case "hard link":
                file.hardlink_to(other)
            case "pipe":
                os.mkfifo(file)
            case "folder":
                file.mkdir()
            case _:
                file.write_text("another\n")

    return replace


@pytest.mark.parametrize("how", ["link", "hard link", "pipe", "folder", "file"])
@pytest.mark.parametrize("name", ["write_file", "edit_file"])
def test_a_file_that_becomes_another_is_not_written(
    work: Path, box: ToolBox, name: str, how: str
) -> None:
    other = work.parent / "outside" / "x.txt"
    other.write_text("another\n")
    arguments = {"path": "a/x.txt"} | (
        {"content": "two\n"} if name == "write_file" else {"old": "one", "new": "two"}
    )

    result = allowed(box, name, arguments, replaced(how, work / "a" / "x.txt", other))

    assert result.error
    assert other.read_text() == "another\n"


def test_a_folder_that_is_replaced_is_not_written(work: Path, box: ToolBox) -> None:
    def swap() -> None:
        shutil.rmtree(work / "a")
        (work / "a").symlink_to(work.parent / "outside")

    result = allowed(box, *WRITES[0], swap)

    assert result.error
    assert (work.parent / "outside" / "x.txt").read_text() == "one\n"


def test_what_has_not_changed_is_run(work: Path, box: ToolBox) -> None:
    for name, arguments in reversed(WRITES):
        assert allowed(box, name, arguments, lambda: None).error is None

    arguments = {"command": "sh run.sh", "folder": "link"}
    assert "from a" in allowed(box, "run_command", arguments, lambda: None).output


def test_a_tool_of_ones_own_is_asked_for_its_preview_once_more() -> None:
    shown = ["first"]
    ran: list[str] = []

    @tool(policy="ask", preview=lambda: Preview("command", shown[0]))
    def own() -> str:
        """Do it."""
        ran.append(shown[0])
        return "done"

    result = allowed(ToolBox([own]), "own", {}, lambda: shown.insert(0, "second"))

    assert CHANGED in str(result.error)
    assert ran == []


def test_a_preview_cannot_change_the_arguments() -> None:
    ran: list[object] = []

    def preview(x: dict[str, Any]) -> Preview:
        shown = str(x)
        x["a"]["b"] = 2
        return Preview("command", shown)

    @tool(policy="ask", preview=preview)
    def own(x: dict[str, Any]) -> str:
        """Do it."""
        ran.append(x)
        return "done"

    arguments = {"x": {"a": {"b": 1}}}
    result = allowed(ToolBox([own]), "own", arguments, lambda: None)

    assert result.error is None
    assert ran == [{"a": {"b": 1}}]


@pytest.mark.parametrize(
    "preview",
    [
        Preview("command", None),  # pyright: ignore[reportArgumentType]
        Preview("nothing", "x"),  # pyright: ignore[reportArgumentType]
        Preview("diff", "x", subject=3),  # pyright: ignore[reportArgumentType]
        Preview("diff", "x", folder=object()),  # pyright: ignore[reportArgumentType]
        "text",
    ],
)
def test_a_preview_that_is_none_fails_the_call(preview: Any) -> None:
    @tool(policy="ask", preview=lambda: preview)
    def own() -> str:
        """Do it."""
        return "done"

    turn = Turn()
    turn.approver = Meanwhile(lambda: None)
    events = list(ToolBox([own]).run(ToolCall("1", "own", {}), turn))

    assert "not a Preview." in str(getattr(events[-1], "error", None))
