"""Streams in which each piece repeats all that came before it, and texts that do."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.asking import asked
from support.fakes.collect import reasoning_of, text_of
from support.fakes.sse_server import DONE, SSEServer, delta, event, finish, text

from tui.models.openai.cumulative import Cumulative

ANSWER = "The capital of Italy is Rome.\n\nThe capital of France is Paris."


def shown(pieces: Sequence[str]) -> str:
    cumulative = Cumulative()
    return "".join([*map(cumulative.add, pieces), cumulative.finish()])


def growing(whole: str, step: int) -> list[str]:
    return [whole[:end] for end in (*range(step, len(whole), step), len(whole))]


@pytest.mark.parametrize("step", [1, 3, 7, 16])
@pytest.mark.parametrize("field", ["content", "reasoning_content", "reasoning"])
def test_a_text_that_each_piece_says_from_the_start_is_said_once(
    server: SSEServer, step: int, field: str
) -> None:
    pieces = [delta(**{field: piece}) for piece in growing(ANSWER, step)]
    server.answer(*pieces, *[text("So.")] * (field != "content"), finish(), DONE)

    events, reply = asked(server, max_retries=0)

    if field == "content":
        assert text_of(events) == reply.message.text == ANSWER
    else:
        assert reasoning_of(events) == reply.message.reasoning == ANSWER
        assert reply.message.text == "So."


def test_a_message_that_each_piece_says_from_the_start_is_said_once(
    server: SSEServer,
) -> None:
    for piece in ("message", "delta"):
        steps = [
            event({"choices": [{"index": 0, piece: {"content": so_far}}]})
            for so_far in growing(ANSWER, 5)
        ]
        server.answer(*steps, finish(), DONE)

        assert asked(server, max_retries=0)[1].message.text == ANSWER


def test_details_that_each_piece_says_from_the_start_go_back_once(
    server: SSEServer,
) -> None:
    steps = [
        delta(reasoning_details=[{"type": "reasoning.text", "index": 0, "text": t}])
        for t in growing(ANSWER, 8)
    ]
    server.answer(*steps, text("So."), finish(), DONE)

    message = asked(server, max_retries=0)[1].message

    assert message.reasoning == ANSWER
    assert json.dumps(message.opaque).count("Italy") == 1


def test_the_last_piece_may_say_all_of_it_again(server: SSEServer) -> None:
    pieces = [text(ANSWER[at : at + 9]) for at in range(0, len(ANSWER), 9)]
    more = text(" " + "And more. " * 3)
    whole = f"{ANSWER} {'And more. ' * 3}"
    server.answer(*pieces, more, delta("stop", content=whole), DONE)

    assert asked(server, max_retries=0)[1].message.text == whole


@pytest.mark.parametrize(
    "pieces",
    [
        ["ha", "ha", "ha"],
        ["ha", "haha", "!"],
        ["\n", "\n", "Here"],
        ["\n*", "\n**", "\n***"],
        ["1", "11", "1 is one"],
        ["no", "no", "no no no no no no no no no no"],
        ["Yes", "Yes, "],
        ["The cat sat on the mat. ", "The cat sat on the mat. ", "The end."],
        ["The cat sat on the mat. ", "The cat sat on the mat. And slept.", " So."],
        ["", "a", "", "ab", "", "c"],
    ],
)
def test_a_text_that_repeats_itself_is_left_alone(pieces: list[str]) -> None:
    assert shown(pieces) == "".join(pieces)


@given(st.lists(st.text("ab \n", max_size=4), max_size=8))
def test_pieces_of_a_few_letters_add_up(pieces: list[str]) -> None:
    """Unless three of them in a row grow, from the first one on."""
    grown = [p for p in pieces if p]
    grows = all(b.startswith(a) for a, b in pairwise(grown))

    assert grows or shown(pieces) == "".join(pieces)


@given(st.text(min_size=40, max_size=200), st.integers(1, 12))
def test_whatever_grows_is_said_once(whole: str, step: int) -> None:
    assert shown(growing(whole, step)) == whole


@pytest.mark.parametrize("ends", ["stop", "length", None])
def test_what_is_held_back_is_not_lost(server: SSEServer, ends: Any) -> None:
    """Also when the stream breaks off."""
    server.answer(text("Ha"), text("Haha"), *[finish(ends)] * bool(ends))

    assert text_of(asked(server, max_retries=0)[0]) == "HaHaha"
