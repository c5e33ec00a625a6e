"""Footnotes in answers: raised numbers, and notes that are not taken for links."""

import pytest

from tui.app.markdown.stream import Stream


def shown(text: str, piece: int = 1000) -> list[str]:
    stream = Stream(60)
    for start in range(0, len(text), piece):
        stream.append(text[start : start + piece])
        stream.update()
    stream.finish()
    return [line.text.rstrip() for line in stream.lines]


NOTES = "Water boils at 100 °C[^1], on a peak[^12].\n\n[^1]: steam\n[^12]: at 71 °C"


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_numbers_are_raised_and_notes_stay_where_they_were_written(piece: int):
    assert shown(NOTES, piece) == [
        *("Water boils at 100 °C¹, on a peak¹².", "", "¹ steam", "¹² at 71 °C")
    ]


def test_a_note_of_one_word_is_not_the_definition_of_a_link():
    assert shown("See[^3]\n\n[^3]: manual") == ["See³", "", "³ manual"]
    assert shown("[^3]: manual") == ["³ manual"]


def test_footnotes_stand_in_lists_tables_and_beside_each_other():
    assert shown("- one[^1][^2]\n- two[^3]:") == ["• one¹²", "• two³:"]
    assert shown("| a[^1] |\n|---|\n| b |")[0] == " a¹"


@pytest.mark.parametrize(
    "text", ["match [^ab]+ or [^0-9] here", "[^1234] is long", "`[^1]` is code"]
)
def test_what_may_be_a_regular_expression_is_left_alone(text: str):
    assert shown(text) == [text.replace("`", "")]


def test_links_keep_their_definitions_and_addresses():
    assert shown("A [page][p]\n\n[p]: https://example.org") == [
        "A page (https://example.org)"
    ]
    assert shown("[^1](https://example.org)") == ["^1 (https://example.org)"]
