"""What servers ask of the user: read, answered, declined."""

import json
import threading
from time import monotonic

import pytest
from support.mcp import LIMIT, call, connected, fake
from support.terminal import wait_until

from tui.mcp import Answer, Field, connection
from tui.mcp.asking import read_value


def test_without_anybody_to_ask_a_question_is_declined_at_once():
    with connected(fake=fake()) as servers:
        result = call(servers, "fake__ask")

    assert json.loads(result.output)["action"] == "decline"


def test_a_question_is_answered_and_its_time_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
):
    looks: list[float] = []
    hours = 0.0

    def clock() -> float:
        looks.append(monotonic() + hours * 3600)
        return looks[-1]

    monkeypatch.setattr(connection, "monotonic", clock)
    with connected(fake=fake(timeout=60.0)) as servers:
        servers.listen_to_questions()
        results: list[str] = []
        thread = threading.Thread(
            target=lambda: results.append(call(servers, "fake__ask").output)
        )
        thread.start()
        wait_until(lambda: servers.questions)
        (question,) = servers.questions
        hours, known = 1.0, len(looks)
        wait_until(lambda: len(looks) > known + 1)
        still_asking = thread.is_alive()
        servers.answer(question.id, Answer("accept", {"name": "Ada", "age": 20}))
        thread.join(LIMIT)

        assert still_asking
        assert question.server == "fake"
        assert question.message.startswith("Who are you? ␛[31mred")
        assert question.fields == (
            Field("name", "text", "Your name", required=True),
            Field("age", "integer", "age", least=18.0),
            Field(
                "colour", "choice", "colour", choices=(("red", "red"), ("blue", "blue"))
            ),
        )
        assert json.loads(results[0]) == {
            "action": "accept",
            "content": {"name": "Ada", "age": 20},
        }
        assert servers.questions == ()


def test_a_question_is_declined_when_the_screen_is_gone():
    with connected(fake=fake()) as servers:
        servers.listen_to_questions()
        results: list[str] = []
        thread = threading.Thread(
            target=lambda: results.append(call(servers, "fake__ask").output)
        )
        thread.start()
        wait_until(lambda: servers.questions)
        servers.leave()
        thread.join(LIMIT)

        assert json.loads(results[0])["action"] == "decline"
        assert json.loads(call(servers, "fake__ask").output)["action"] == "decline"


def test_a_question_closes_with_its_call():
    from tui.turn import Turn

    with connected(fake=fake()) as servers:
        servers.listen_to_questions()
        turn = Turn()
        thread = threading.Thread(target=lambda: call(servers, "fake__ask", turn=turn))
        thread.start()
        wait_until(lambda: servers.questions)
        turn.cancel.request()
        thread.join(LIMIT)

        assert not thread.is_alive()
        wait_until(lambda: not servers.questions)


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (Field("x"), "  a b ", "a b"),
        (Field("x"), "", None),
        (Field("x", "boolean"), "Y", True),
        (Field("x", "boolean"), "no", False),
        (Field("x", "integer"), "12", 12),
        (Field("x", "number"), "1.5", 1.5),
        (Field("x", "choice", choices=(("r", "Red"), ("b", "Blue"))), "bl", "b"),
        (
            Field("x", "choices", choices=(("r", "Red"), ("b", "Blue"))),
            "r, blue",
            ["r", "b"],
        ),
    ],
)
def test_what_the_user_types_becomes_a_value(field: Field, typed: str, value: object):
    assert read_value(field, typed) == value


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        (Field("x", required=True), " ", "is required"),
        (Field("x", "boolean"), "perhaps", "is yes or no"),
        (Field("x", "integer"), "1.5", "must be a whole number"),
        (Field("x", "integer", least=18), "17", "must be 18 or more"),
        (Field("x", "number", most=2), "3", "must be 2 or less"),
        (Field("x", "number"), "nan", "must be a number"),
        (Field("x", "choice", choices=(("r", "Red"),)), "green", "is one of: Red"),
        (Field("x", most=2), "abc", "may have 2 characters"),
    ],
)
def test_what_cannot_be_a_value_is_said(field: Field, typed: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        read_value(field, typed)
