"""Streams that are not quite server-sent events: how they are cut, named, ended."""

import json
from typing import Any

import pytest
from support.fakes.asking import asked
from support.fakes.collect import collect, text_of
from support.fakes.sse_server import DONE, SSEServer, event, finish, text

from tui.errors import ModelError
from tui.events import Event, NoticeGiven
from tui.messages import Message
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

FIRST = {"choices": [{"index": 0, "delta": {"content": "Hé"}}]}
REST = {"choices": [{"index": 0, "delta": {"content": "llo"}}]}


def ask(server: SSEServer, api: str = "chat") -> tuple[list[Event], str, str]:
    """Return the events, the text of the answer and its error, "" for none."""
    model = OpenAIModel("test", "fake", server.url, max_retries=0, api=api)
    said: list[Event] = []
    try:
        collect(model.generate([Message("user", "q")], (), Turn("t")), said)
    except ModelError as error:
        return said, text_of(said), str(error)
    finally:
        model.close()
    return said, text_of(said), ""


def lines(value: Any, prefix: str = "") -> bytes:
    return "\n".join(
        prefix + line for line in json.dumps(value, indent=1).split("\n")
    ).encode()


@pytest.mark.parametrize(
    "steps",
    [
        [b"\xef", b"\xbb", b"\xbf" + event(FIRST), event(REST), DONE],
        [b"data: " + lines(FIRST) + b"\n\n", b"data: " + lines(REST) + b"\n\n", DONE],
        [lines(FIRST, "data: ") + b"\n\n", lines(REST, "data: ") + b"\n\n", DONE],
        [b"DATA: " + event(FIRST)[6:], b"  data: " + event(REST)[6:], DONE],
        [event(json.dumps(FIRST)), event(json.dumps(REST)), DONE],
        [event(FIRST), event(REST), b"data: DONE\n\n"],
        [event(FIRST), event(REST), b"data: [END]\n\n"],
        [event(FIRST), event(REST), b"data: <done>\n\n"],
        [event(FIRST), event(REST), b"[DONE]\n\n"],
        [event(FIRST), event(REST), b"event: done\n\n"],
        [event(FIRST), event(REST), b"event: done\ndata: {}\n\n"],
        [event(FIRST), event(REST), b"event: end\ndata: end\n\n"],
        [event(FIRST), b"event: complete\n" + event(REST)],
        [b"foo: bar\n" + event(FIRST), event(REST)[:-1] + b"foo: bar\n\n", DONE],
        [event(FIRST), b"[some word]\n\n", event(REST), DONE],
    ],
    ids=[
        *("mark cut", "laid out", "laid out as data", "field as written", "twice JSON"),
        *("word", "other word", "in angles", "no field", "named", "named, empty"),
        *("named, word", "named, last piece", "unknown field", "word to stay open"),
    ],
)
def test_an_answer_is_read_however_its_events_are_written(
    server: SSEServer, steps: list[bytes]
) -> None:
    server.answer(*steps)

    said, answer, error = ask(server)

    assert (answer, error) == ("Héllo", "")
    assert not [e for e in said if isinstance(e, NoticeGiven)]


@pytest.mark.parametrize("end", [b"", DONE])
@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize(
    "failure",
    [
        b"event: error\ndata: it is too busy\n\n",
        b'event: error\ndata: {"reason": "it is too busy"}\n\n',
        b'event: error\ndata: "it is too busy"\n\n',
        b'event: error\ndata: ["it is too busy"]\n\n',
        b'data: {"text": "it is too busy"}\nevent: error\n\n',
        b'event: Exception\ndata: {"text": "it is too busy"}\n\n',
        b'{"error": {"message": "it is too busy"}}\n\n',
        b'{\n "error": {\n  "message": "it is too busy"\n }\n}\n',
        b"it is too busy",
        b"<html><head><title>it is too busy</title></head></html>\n",
        b"<html><body><h1>it is too busy</h1></body></html>\n",
    ],
)
def test_what_a_server_says_of_its_failure_is_quoted(
    server: SSEServer, failure: bytes, begun: bool, end: bytes
) -> None:
    server.answer(text("Hél"), failure, end) if begun else server.answer(
        b": hello\n\n", failure, end
    )

    _, answer, error = ask(server)

    assert answer == ("Hél" if begun else "")
    assert "it is too busy" in error


def test_an_event_named_error_without_words_is_an_error(server: SSEServer) -> None:
    server.answer(text("Hél"), b"event: error\n\n", DONE)

    assert "error" in ask(server)[2]


@pytest.mark.parametrize(
    "failure",
    [
        b'event: error\ndata: {"reason": "it is too busy"}\n\n',
        b"event: error\ndata: it is too busy\n\n",
        b'{"error": {"message": "it is too busy"}}\n\n',
    ],
)
def test_so_it_is_in_the_responses_api(server: SSEServer, failure: bytes) -> None:
    piece = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hél"}
    server.answer(event(piece), failure)

    _, answer, error = ask(server, "responses")

    assert answer == "Hél"
    assert "it is too busy" in error


def test_a_failure_after_the_end_costs_nothing(server: SSEServer) -> None:
    server.answer(text("Hello"), finish(), b"<html>gone</html>\n")

    assert ask(server)[1:] == ("Hello", "")


def test_a_busy_server_that_names_its_event_is_asked_again(server: SSEServer) -> None:
    server.answer(b"event: error\ndata: Overloaded\n\n")
    server.answer(text("Hello"), finish(), DONE)

    _, reply = asked(server)

    assert reply.message.text == "Hello"


@pytest.mark.parametrize("pieces", [("a\\ud83d", "\\ude00b"), ("\\uD83D", "\\uDE00")])
def test_a_character_that_is_cut_in_two_halves_is_one(
    server: SSEServer, pieces: tuple[str, str]
) -> None:
    between = b'data: {"choices": [{"delta": {"content": ""}}]}\n\n'
    first, second = (
        b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % piece.encode()
        for piece in pieces
    )
    server.answer(first, between, second, finish(), DONE)

    assert ask(server)[1] == json.loads(f'"{"".join(pieces)}"')


def test_half_a_character_that_nothing_completes_is_shown_as_such(
    server: SSEServer,
) -> None:
    half = b'data: {"choices": [{"delta": {"content": "a\\ud83d"}}]}\n\n'
    named = b'data: {"choices": [{"delta": {"content": "\\\\ud83d"}}]}\n\n'
    server.answer(half, text("b"), named, half, finish(), DONE)

    assert ask(server)[1] == "a\ufffdb\\ud83da\ufffd"
