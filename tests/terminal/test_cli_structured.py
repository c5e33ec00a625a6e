"""`ask --schema` and `ask --json`, in processes of their own."""

import json

import pytest
from support.fakes.lazychat import Home, complaint
from support.fakes.responses_server import ResponsesServer, spoken
from support.fakes.sse_server import DONE, finish, text

from tui.events import TurnRequested

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
GOOD = '{"name": "Ada", "age": 36}'
BAD = '{"name": "Ada", "age": "old"}'
FAULT = "lazychat: The answer does not fit person.json: $.age must be integer."


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        (home.work / "person.json").write_text(json.dumps(SCHEMA))
        yield home


def ask(home, *arguments):
    return home.ask("--schema", "person.json", *arguments, "Who?")


def test_only_the_json_is_on_stdout(home):
    home.scripted(f"Here it is:\n```json\n{GOOD}\n```")

    assert ask(home) == (0, '{"name":"Ada","age":36}\n', "")


def test_an_answer_that_does_not_fit_is_asked_for_once_more(home):
    home.scripted(BAD, GOOD)

    done = ask(home)

    assert done == (0, '{"name":"Ada","age":36}\n', f"{FAULT} Asking again.\n")
    assert [role for role, _ in home.said()] == ["user", "assistant"] * 2
    assert "$.age must be integer" in home.said()[2][1]


def test_a_second_answer_that_does_not_fit_is_an_error(home):
    home.scripted(BAD, BAD)

    done = ask(home)

    assert done == (1, "", f"{FAULT} Asking again.\n{FAULT}\n")


def test_an_answer_that_fails_is_not_asked_for_again(home):
    home.scripted([{"error": "no such luck"}], GOOD)

    done = ask(home)

    assert (done.code, done.out) == (1, "")
    assert "no such luck" in done.err


def test_a_schema_that_cannot_be_read_is_named_before_anything_is_asked(home):
    home.scripted(GOOD)
    (home.work / "person.json").write_text("[]")

    assert complaint(ask(home), 2) == (
        "--schema person.json: a schema must be a JSON object."
    )
    assert not home.store.exists()


def test_what_is_not_checked_is_said(home):
    home.scripted(GOOD)
    (home.work / "person.json").write_text('{"if": {}, "then": {}}')

    assert ask(home) == (
        0,
        '{"name":"Ada","age":36}\n',
        "lazychat: person.json: not checked: if, then\n",
    )


def answers(server, *texts):
    for each in texts:
        server.answer(text(each), finish(), DONE)


def test_a_server_is_given_the_schema_and_the_model_told_of_it(home, server):
    home.server(server.url)
    answers(server, GOOD)

    assert ask(home).code == 0

    (request,) = [r.json for r in server.requests]
    assert request["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }
    assert "tools" not in request
    assert json.dumps(SCHEMA) in request["messages"][-1]["content"]
    assert home.said()[0] == ("user", "Who?")


REFUSALS = [
    (400, {"error": {"message": "'response_format' is not supported by this model."}}),
    (400, {"error": {"message": "This response_format type is unavailable now"}}),
    (
        400,
        {
            "error": {
                "message": "Invalid schema for response_format 'answer': In "
                "context=(), 'required' is required to be supplied"
            }
        },
    ),
    (422, {"detail": [{"loc": ["body", "response_format"], "msg": "extra_forbidden"}]}),
    (
        400,
        {
            "error": {
                "message": 'Unknown name "additionalProperties" at '
                "'generation_config.response_schema': Cannot find field."
            }
        },
    ),
    (400, {"error": {"message": "json mode is not supported"}}),
    (501, {"error": {"message": "structured outputs are not implemented"}}),
]


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_a_server_that_refuses_the_schema_is_asked_in_words(home, server, status, body):
    home.server(server.url)
    server.json(body, status=status)
    answers(server, GOOD)

    done = ask(home)

    assert (done.code, done.out) == (0, '{"name":"Ada","age":36}\n')
    assert "does not accept response_format: asking without it" in done.err
    refused, asked = [r.json for r in server.requests]
    assert "response_format" in refused
    assert "response_format" not in asked
    assert json.dumps(SCHEMA) in asked["messages"][-1]["content"]


def test_the_newer_api_is_given_the_schema_in_its_words(home):
    with ResponsesServer() as server:
        home.server(server.url, 'api = "responses"')
        server.say(spoken(GOOD))

        assert ask(home).code == 0

        assert server.asked[-1].json["text"]["format"] == {
            "type": "json_schema",
            "name": "answer",
            "schema": SCHEMA,
            "strict": True,
        }


def test_tools_are_offered_only_if_they_are_named(home, server):
    home.server(server.url)
    answers(server, GOOD)

    assert ask(home, "-T", "get_current_weather").code == 0

    (request,) = [r.json for r in server.requests]
    assert "response_format" not in request
    assert [t["function"]["name"] for t in request["tools"]] == ["get_current_weather"]


# -- records


def lines(done):
    return [json.loads(line) for line in done.out.splitlines()]


def test_json_prints_the_records_of_the_turn(home):
    home.scripted(
        [{"call": "get_current_weather", "arguments": {"location": "Tokyo"}}],
        "It is mild.",
    )

    done = home.ask("-T", "get_current_weather", "--json", "Weather?")

    records = lines(done)
    assert (done.code, done.err) == (0, "")
    assert all(
        r.keys() == {"seq", "conversation", "turn", "time", "kind", "data"}
        for r in records
    )
    kinds = [r["kind"] for r in records if not r["kind"].endswith("delta")]
    assert kinds[:2] == ["message_added", "turn_requested"]
    assert kinds[-2:] == ["message_added", "turn_finished"]
    assert {"tool_call_started", "tool_call_finished"} <= set(kinds)
    assert records[-2]["data"]["message"]["text"] == "It is mild."
    seqs = [r["seq"] for r in records]
    assert seqs == sorted(set(seqs))


def test_json_of_a_failed_turn_ends_with_1_and_has_the_error(home):
    home.scripted([{"error": "no such luck"}])

    done = home.ask("--json", "hi")

    assert done.code == 1
    assert [r["data"]["text"] for r in lines(done) if r["kind"] == "error_raised"] == [
        "no such luck"
    ]
    assert lines(done)[-1]["data"]["reason"] == "error"


def test_json_and_schema_exclude_each_other(home):
    home.scripted(GOOD)

    done = ask(home, "--json")

    assert (done.code, done.out) == (2, "")
    assert "not allowed with" in done.err


def test_the_request_in_the_log_has_the_schema(home):
    home.scripted(GOOD)
    ask(home)

    (asked,) = [r.event for r in home.records() if isinstance(r.event, TurnRequested)]
    assert asked.options["schema"] == SCHEMA
    assert asked.tools == ()


def test_the_schema_may_come_from_standard_input(home):
    home.scripted(BAD, GOOD)

    done = home.ask("--schema", "-", "Who?", input=json.dumps(SCHEMA))

    fault = FAULT.replace("person.json", "standard input")
    assert done == (0, '{"name":"Ada","age":36}\n', f"{fault} Asking again.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--schema", "-"],
            "--schema - reads the schema from standard input, so the question must be "
            'an argument: lazychat ask --schema - "..."',
        ),
        (
            ["--schema", "-", "-a", "-", "Who?"],
            "Only one of --schema - and -a - can read standard input.",
        ),
        (["--schema", "-", "Who?"], "--schema standard input: a schema must be a "),
    ],
)
def test_standard_input_is_one_thing_only(home, arguments, told):
    home.scripted(GOOD)

    done = home.ask(*arguments, input="[]")

    assert complaint(done, 2).startswith(told)
