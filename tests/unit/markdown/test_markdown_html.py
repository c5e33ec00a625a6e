"""The few tags of HTML that models write where Markdown has no sign of its own."""

import pytest

from tui.app.markdown.stream import Stream


def streamed(text: str, piece: int = 1000, width: int = 60) -> Stream:
    stream = Stream(width)
    for start in range(0, len(text), piece):
        stream.append(text[start : start + piece])
        stream.update()
    stream.finish()
    return stream


def shown(text: str, piece: int = 1000, width: int = 60) -> list[str]:
    return [line.text.rstrip() for line in streamed(text, piece, width).lines]


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_a_break_ends_the_line_in_a_text_and_in_the_cell_of_a_table(piece: int):
    assert shown("one<br>two<br/>\nthree<BR />four", piece) == [
        *("one", "two", "three", "four")
    ]
    assert shown("| a | b |\n|---|---|\n| x<br>y | z |\n", piece)[2:] == [
        *(" x │ z", " y │"),
    ]


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_letters_are_raised_and_lowered_where_unicode_has_them(piece: int):
    assert shown("H<sub>2</sub>O, 10<sup>-3</sup> m<sup>2</sup>", piece) == [
        "H₂O, 10⁻³ m²"
    ]
    assert shown("x<sup>?</sup>") == ["x<sup>?</sup>"]


def test_pairs_of_tags_are_marks():
    lines = streamed("<b>bold *and*</b> <i>it</i> <kbd>Ctrl</kbd> <del>no</del>").lines
    styles = {text: style for line in lines for text, style in line.spans}

    assert styles["bold "] == ("strong",)
    assert styles["and"] == ("strong", "em")
    assert styles["it"] == ("em",)
    assert styles["Ctrl"] == ("code",)
    assert styles["no"] == ("strike",)


@pytest.mark.parametrize(
    "text",
    [
        "The <b> tag makes text bold",
        "a < b > c",
        '<b class="x">y</b>',
        "<div>x</div> <!-- y -->",
        "List<String> and Map<K, V>",
    ],
)
def test_other_tags_stay_text(text: str):
    assert shown(text) == [text]


def test_tags_in_code_stay_text():
    assert shown("`<b>x</b><br>`") == ["<b>x</b><br>"]
