"""Tools that return images and files."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui.agents.function_call import as_message
from tui.events import ToolProgressed
from tui.messages import Attachment, ToolCall, ToolResult
from tui.tools import File, ToolBox, tool
from tui.tools.results import KEPT
from tui.tools.returned import taken_apart

GIF = bytes.fromhex(
    "474946383961010001008000000000 00ffffff2c00000000010001000002024401003b"
)


def run(value: Any) -> ToolResult:
    @tool
    def draw():
        """Draw."""
        return value

    run = ToolBox([draw]).run(ToolCall("a", "draw", {}))
    while True:
        try:
            next(run)
        except StopIteration as stop:
            return stop.value


def test_the_bytes_of_an_image_become_an_attachment():
    result = run(GIF)

    assert result.output == "Returned: result-1.gif"
    assert result.attachments == (
        Attachment("result-1.gif", "image/gif", GIF, about="1×1"),
    )
    assert as_message(result).attachments == result.attachments


def test_a_file_is_read_and_keeps_its_name(tmp_path: Path):
    (tmp_path / "x.tmp").write_text("a\nb\n")

    result = run(File(tmp_path / "x.tmp", name="table.csv"))

    (file,) = result.attachments
    assert (file.name, file.data) == ("table.csv", b"a\nb\n")


def test_files_beside_text_and_values_are_taken_out():
    assert run(["A cat.", GIF]).output == "A cat."
    assert run((File(data=b"x"), {"n": 1})).output == '[{"n":1}]'
    assert run([1, 2]).output == "[1,2]"


def test_an_image_of_pillow_becomes_a_png():
    image = pytest.importorskip("PIL.Image")

    (file,) = run(image.new("RGB", (3, 2))).attachments

    assert (file.media_type, file.about) == ("image/png", "3×2")


def test_a_file_that_cannot_be_read_fails_the_call(tmp_path: Path):
    result = run(File(tmp_path / "nothing"))

    assert result.attachments == ()
    assert "There is no file" in (result.error or "")


def test_other_bytes_stay_a_value():
    assert run(b"abc").attachments == ()


def test_files_in_an_object_are_named_there():
    result = run({"n": 1, "chart": GIF, "data": File(data=b"a,b", name="t.csv")})

    assert result.output == '{"n":1,"chart":"result-2.gif","data":"t.csv"}'
    assert [it.name for it in result.attachments] == ["result-2.gif", "t.csv"]


def test_a_file_that_is_yielded_is_no_progress():
    @tool
    def draw():
        """Draw."""
        yield "begun"
        yield GIF

    events: list[object] = []
    run = ToolBox([draw]).run(ToolCall("a", "draw", {}))
    while True:
        try:
            events.append(next(run))
        except StopIteration as stop:
            result = stop.value
            break

    assert [it.text for it in events if isinstance(it, ToolProgressed)] == ["begun"]
    assert [it.name for it in result.attachments] == ["result-1.gif"]


class EndlessList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        yield GIF
        yield from itertools.repeat("and so on")


class EndlessDict(dict[str, Any]):
    def items(self) -> Any:
        return ((str(n), GIF if n == 1 else n) for n in itertools.count())


@pytest.mark.parametrize("value", [EndlessList([1]), EndlessDict(a=1)])
def test_what_has_no_end_is_looked_at_only_for_its_first_files(value: Any):
    rest, files = taken_apart(value)

    assert [it.name for it in files] in (["result-1.gif"], ["result-2.gif"])
    assert len(rest) < 2 * KEPT
