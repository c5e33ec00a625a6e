"""A text that comes in pieces ends as the lines that the whole text gives."""

import gc
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from support.markdown import FRAGMENTS, SAMPLE, few, pieces, streamed, whole, widths

from tui.app.markdown.feed import Feed
from tui.app.markdown.stream import Stream
from tui.safe import safe

texts = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)


@pytest.mark.parametrize("width", [20, 60])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 400])
def test_the_sample_in_pieces_ends_as_the_whole(size: int, width: int):
    assert streamed(pieces(SAMPLE, [size]), width) == whole(SAMPLE, width)


def test_a_definition_below_what_refers_to_it_is_found():
    text = "See [this].\n\n- a\n- b\n\ntext\n\n[this]: https://x.org\n"

    assert streamed(pieces(text, [5]), 60) == whole(text, 60)
    assert whole(text, 60)[0].text == "See this (https://x.org)."


@settings(max_examples=100, deadline=None)
@given(texts, st.lists(st.integers(3, 90), min_size=1, max_size=8), widths)
def test_any_text_in_pieces_ends_as_the_whole(text: str, sizes: list[int], width: int):
    assert streamed(few(pieces(text, sizes)), width) == whole(text, width)


@settings(max_examples=30, deadline=None)
@given(texts, st.sampled_from([2, 12, 40, 79]))
def test_no_line_is_wider_than_the_pane_or_unsafe(text: str, width: int):
    nested = 5 * 10  # a pane is not made narrower than 8 by nesting

    for line in whole(text, width):
        assert cell_len(line.text) <= width + (nested if width < 40 else 0)
        assert safe(line.text, newlines=False) == line.text


@settings(max_examples=30, deadline=None)
@given(texts)
def test_finishing_twice_changes_nothing(text: str):
    stream = Stream(40)
    stream.append(text)
    stream.finish()
    before = list(stream.lines)

    assert stream.finish() == len(before)
    assert stream.lines == before


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("mark", ["![", "*_", "~a~~ "])
def test_marks_without_end_take_no_long_step(mark: str, done: bool):
    """No key is answered while a step is laid out."""
    feed = Feed(Stream(80))
    feed.append(mark * (36_000 // len(mark)))
    steps: list[float] = []
    gc.disable()  # a collection looks at the objects of all tests before this one
    try:
        while feed.behind:
            begun = thread_time()
            feed.update(done=done)
            steps.append(thread_time() - begun)
    finally:
        gc.enable()

    prose = Stream(80)
    prose.append("Some words of a text that *has* a mark now and then. " * 40)
    begun = thread_time()
    prose.finish()
    usual = thread_time() - begun
    # Seconds of CPU, on any machine; a step that is not bounded takes several.
    assert max(steps) < max(0.5, 100 * usual)
