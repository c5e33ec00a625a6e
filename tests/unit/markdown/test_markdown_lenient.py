"""Markdown as models write it, where the letter of the rules would hide words."""

import pytest
from rich.cells import cell_len
from support.markdown import Stream


def shown(text: str, width: int = 60) -> list[str]:
    whole = Stream(width)
    whole.append(text)
    whole.finish()
    return [line.text.rstrip() for line in whole.lines]


def strong(text: str) -> list[str]:
    whole = Stream(60)
    whole.append(text)
    whole.finish()
    return [part for line in whole.lines for part, style in line.spans if style]


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("deep", [10, 11, 20, 40, 200])
def test_no_depth_of_nesting_loses_a_word(deep: int, width: int):
    nested = "\n".join("  " * n + f"- w{n}" for n in range(deep))
    quoted = "> " * deep + "quoted"

    rows = shown(nested, width) + shown(quoted, width)

    assert all(cell_len(row) <= width for row in rows)
    said = " ".join(rows).split()
    assert "quoted" in said
    assert [word for word in said if word in {f"w{n}" for n in range(deep)}] == [
        f"w{n}" for n in range(deep)
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("| x | y | more |", " x │ y | more"),
        ("| `a | b` | either |", " a | b │ either"),
        ("| `a|b` | `c|d` |", " a|b │ c|d"),
        ("| `a \\| b` | c |", " a | b │ c"),
        ("| x", " x │"),
        ("| `open | y | z |", " `open │ y | z"),
    ],
)
def test_a_row_with_too_many_cells_loses_none(row: str, expected: str):
    assert [
        part.strip() for part in shown(f"| A | B |\n|---|---|\n{row}")[2].split("│")
    ] == [part.strip() for part in expected.split("│")]


def test_rows_with_too_many_cells_are_shown_while_the_table_grows():
    stream = Stream(60)
    for piece in ["| A | B |\n|---|---|\n", *["| 1 | 2 | 3 |\n"] * 40]:
        stream.append(piece)
    stream.finish()

    assert sum("2 | 3" in line.text for line in stream.lines) == 40


@pytest.mark.parametrize("tag", ["<br>", "<br/>", "<br />", "<BR>"])
def test_a_break_in_html_is_a_line_end(tag: str):
    assert shown(f"one{tag}two") == ["one", "two"]
    rows = shown(f"| A | B |\n|---|---|\n| one{tag}two | x |")
    assert [row.split("│")[0].strip() for row in rows[2:]] == ["one", "two"]
    assert shown(f"`one{tag}two`") == [f"one{tag}two"]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("**注意：**正文", "注意："),
        ("含**「重点」**内容", "「重点」"),
        ("日本語**(強調)**日本語", "(強調)"),
        ("~~删除（带括号）。~~这个", "删除（带括号）。"),
        ("*斜体（括号）。*后", "斜体（括号）。"),
        ("前**“重点”**后", "“重点”"),
        ("**마크다운(Markdown)**은", "마크다운(Markdown)"),
        ("**bold**text", "bold"),
    ],
)
def test_marks_beside_characters_of_chinese_japanese_and_korean(text: str, marked: str):
    assert strong(text) == [marked]


@pytest.mark.parametrize(
    "text", ["2 * 3 * 4", "a_b_c", "变量_名_字", "** 空 **", "x** y**"]
)
def test_what_is_no_mark_stays(text: str):
    assert strong(text) == []
    assert shown(text) == [text]
