"""Bytes become whole characters, and stop strings stop."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from tui.models.llama.decode import StopText, TextDecoder


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(at)]


cuts = st.lists(st.integers(0, 200), max_size=20)


@given(st.text(max_size=40), cuts)
@example("👨‍👩‍👧é数", list(range(40)))
def test_characters_are_whole_wherever_the_bytes_are_cut(text: str, cuts: list[int]):
    decoder = TextDecoder()

    decoded = [decoder.feed(piece) for piece in pieces(text.encode(), cuts)]

    assert "".join(decoded) == text


def test_what_is_unfinished_at_the_end_is_not_shown():
    decoder = TextDecoder()

    assert decoder.feed("é👍".encode()[:-1]) == "é"


def test_a_byte_of_no_character_does_not_take_others_with_it():
    decoder = TextDecoder()

    assert decoder.feed(b"a\xff") + decoder.feed(b"b") == "a\ufffdb"


alphabet = st.text("<|im_end>ax", max_size=30)


@given(alphabet, st.booleans(), alphabet, cuts)
def test_text_ends_where_a_stop_string_begins(
    before: str, stops: bool, after: str, cuts: list[int]
):
    text = before + ("<|im_end|>" if stops else "") + after
    stop = StopText(("<|im_end|>", "<|im_start|>"))

    shown = "".join(stop.feed(p.decode()) for p in pieces(text.encode(), cuts))
    shown += stop.finish()

    expected = text.split("<|im_end|>")[0].split("<|im_start|>")[0]
    assert shown == expected
    assert stop.stopped == (expected != text)


def test_text_that_cannot_become_a_stop_string_is_not_held_back():
    stop = StopText(("<|im_end|>",))

    assert stop.feed("1 < 2") == "1 < 2"
    assert stop.feed(" <|im") == " "
    assert stop.feed("age") == "<|image"


def test_without_stop_strings_nothing_is_held_back():
    assert StopText(()).feed("<|im_end|>") == "<|im_end|>"
