"""The tutorial's programs as processes: against a server, and on the starter."""

import json
import os
import signal

import pytest
from support import ROOT
from support.fakes.lazychat import LIMIT, Home, needs_starter
from support.fakes.sse_server import (
    DONE,
    Pause,
    Stall,
    call,
    calls,
    delta,
    finish,
    text,
)

PROGRAMS = ROOT / "tests" / "programs"


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


@pytest.fixture
def online(home, server):
    home.env |= {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": server.url}
    return home


def run(home, program, *arguments):
    """Run a program; return what the queue gave, the returned answer, and stderr."""
    done = home.python(PROGRAMS / program, *arguments)
    assert done.code == 0, done.err
    *outputs, ret = done.out.removesuffix("\n").split("\n")
    assert all(line.startswith("output: ") for line in outputs)
    assert ret.startswith("ret: ")
    said = "".join(line.removeprefix("output: ") for line in outputs)
    return said, ret.removeprefix("ret: "), done.err


def test_the_loop_gives_each_character_once_and_while_it_is_said(online, server):
    pause = Pause()
    server.answer(text("I can "), text("sing"), pause, text(" & dance <"), finish())
    running = online.start("-u", PROGRAMS / "chat_loop.py", "online", "Skills?")

    first = b""
    while b"sing" not in first:
        piece = os.read(running.stdout.fileno(), 100)
        assert piece
        first += piece
    pause.go()
    rest, err = running.communicate(timeout=LIMIT)

    *outputs, ret = (first + rest).decode().splitlines()
    assert err == b""
    assert ret == "ret: I can sing & dance <"
    said = "".join(line.removeprefix("output: ") for line in outputs)
    assert said == "I can sing & dance <"
    asked = server.requests[0].json
    assert asked["messages"] == [{"role": "user", "content": "Skills?"}]
    assert asked["stream"] is True


def test_a_model_of_the_configuration_is_loaded_by_its_name(home, server):
    home.config(
        f'[models.internlm2-chat-20b]\nprovider = "openai"\nbase_url = "{server.url}"\n'
    )
    server.answer(*map(text, "我会唱歌。"), finish(), DONE)

    said, ret, err = run(home, "chat_loop.py", "internlm2-chat-20b", "你会哪些技能")

    assert (said, ret, err) == ("我会唱歌。", "我会唱歌。", "")
    assert server.requests[0].json["model"] == "internlm2-chat-20b"


def test_the_agent_runs_structured_calls_unseen(online, server):
    server.answer(
        calls(call(0, "a", "get_current_weather", ""), content="Let me look. "),
        calls(call(0, arguments='{"location": "Tokyo, Japan"}')),
        calls(call(1, "b", "get_n_day_weather_forecast", "{}")),
        finish("tool_calls"),
        DONE,
    )
    server.answer(text("10 degrees "), text("celsius."), finish(), DONE)

    said, ret, err = run(online, "weather_agent.py", "online", "Weather in Tokyo?")

    assert said == "Let me look. 10 degrees celsius."
    assert (ret, err) == ("10 degrees celsius.", "")
    first, second = server.requests
    assert [t["function"]["name"] for t in first.json["tools"]] == [
        "get_current_weather",
        "get_n_day_weather_forecast",
    ]
    unit = first.json["tools"][0]["function"]["parameters"]["properties"]["unit"]
    assert sorted(unit["enum"]) == ["celsius", "fahrenheit"]
    assert unit["default"] == "fahrenheit"
    weather, forecast = second.json["messages"][-2:]
    asked, _ = second.json["messages"][-3]["tool_calls"]
    assert (weather["role"], weather["tool_call_id"]) == ("tool", asked["id"])
    assert '"temperature": "10"' in weather["content"]
    assert "location" in forecast["content"]
    assert "num_days" in forecast["content"]


HERMES = (
    "One moment. <tool_call>\n"
    '{"name": "get_n_day_weather_forecast", '
    '"arguments": {"location": "San Francisco", "num_days": 3}}\n'
    "</tool_call>"
)
INTERNLM = (
    "One moment. <|action_start|><|plugin|>\n"
    '{"name": "get_n_day_weather_forecast", '
    '"parameters": {"location": "San Francisco", "num_days": 3}}<|action_end|>'
)


@pytest.mark.parametrize(("written", "size"), [(HERMES, 3), (INTERNLM, 7)])
def test_the_agent_runs_calls_in_text_and_none_of_them_leaks(
    online, server, written, size
):
    pieces = [written[i : i + size] for i in range(0, len(written), size)]
    server.answer(*map(text, pieces), finish(), DONE)
    server.answer(*map(text, ["72 ", "degrees", " <"]), finish(), DONE)

    said, ret, _ = run(online, "weather_agent.py", "online", "San Francisco, 3 days?")

    assert said.split() == ["One", "moment.", "72", "degrees", "<"]
    assert ret == "72 degrees <"
    result = server.requests[1].json["messages"][-1]
    assert '"num_days": 3' in result["content"]


def test_an_exception_in_a_tool_is_one_line_to_the_model(online, server):
    wanted = '{"location": "Tokyo", "num_days": 99}'
    server.answer(
        calls(call(0, "a", "get_n_day_weather_forecast", wanted)),
        finish("tool_calls"),
        DONE,
    )
    server.answer(text("I cannot say."), finish(), DONE)

    said, ret, err = run(online, "weather_agent.py", "online", "99 days?")

    assert (said, ret, err) == ("I cannot say.", "I cannot say.", "")
    told = server.requests[1].json["messages"][-1]["content"]
    assert "nobody knows so far ahead" in told
    assert "\n" not in told
    assert "Traceback" not in told


def test_the_later_version_of_the_page_runs(online, server):
    server.answer(
        text("Let me look."),
        calls(call(0, "a", "get_current_weather", "{'location': 'Tokyo',}")),
        finish("tool_calls"),
        DONE,
    )
    server.answer(text("10 degrees."), finish(), DONE)
    server.answer(text("Yes."), finish(), DONE)

    done = online.python(
        PROGRAMS / "current_page.py", "online", "Weather in Tokyo?", "Sure?"
    )

    assert done.code == 0, done.err
    said, _, traced = done.out.partition("trace: ")
    assert said.replace("output: ", "").split() == [
        *("Let", "me", "look.", "10", "degrees.", "Yes."),
    ]
    assert "look.10" not in said.replace("\noutput: ", "")
    for line in (
        "get_current_weather({'location': 'Tokyo',})",
        'read as {"location":"Tokyo"}',
        "result: 10 degrees in Tokyo",
    ):
        assert line in traced
    first, second, third = (request.json for request in server.requests)
    properties = first["tools"][0]["function"]["parameters"]["properties"]
    assert properties["location"]["type"] == "string"
    assert sorted(properties["unit"]["enum"]) == ["celsius", "fahrenheit"]
    (sent,) = second["messages"][-2]["tool_calls"]
    assert sent["function"]["arguments"] == '{"location": "Tokyo"}'
    assert third["messages"] == [
        {"role": "user", "content": "Weather in Tokyo?"},
        {"role": "assistant", "content": "10 degrees."},
        {"role": "user", "content": "Sure?"},
    ]


ACT = (
    "Thought: I look it up.\n"
    'Action: get_current_weather\nAction Input: {"location": "Tokyo"}\n'
)
AGENTS = {
    "ReactAgent": [ACT, "Thought: So.\nFinal Answer: It is 10 degrees <"],
    "PlanAndSolveAgent": [
        "Plan:\n1. Look it up.\n2. Say it.",
        HERMES.replace("get_n_day_weather_forecast", "get_current_weather").replace(
            '"San Francisco", "num_days": 3', '"Tokyo"'
        ),
        "10 there.",
        "I say it.",
        "It is 10 degrees <",
    ],
    "ReWOOAgent": [
        'Plan: Look it up.\n#E1 = get_current_weather[{"location": "Tokyo"}]',
        "It is 10 degrees <",
    ],
}


@pytest.mark.parametrize("agent", ["FunctionCallAgent", "ReactAgent"])
def test_an_agent_uses_the_tool_calls_that_a_model_has(online, server, agent):
    server.answer(
        calls(call(0, "a", "get_current_weather", '{"location": "Tokyo"}')),
        finish("tool_calls"),
        DONE,
    )
    server.answer(*map(text, ("It is ", "10 ", "degrees.")), finish(), DONE)

    said, ret, err = run(
        *(online, "weather_agent.py", "online", "Weather in Tokyo?", agent)
    )

    assert (said, ret, err) == ("It is 10 degrees.", "It is 10 degrees.", "")
    first, second = (request.json for request in server.requests)
    assert len(first["tools"]) == 2
    assert [m["role"] for m in second["messages"][-2:]] == ["assistant", "tool"]
    assert "Action Input" not in json.dumps(first)


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("agent", AGENTS)
def test_other_agents_stream_their_answer_alone(online, server, agent, size):
    for reply in AGENTS[agent]:
        pieces = [reply[i : i + size] for i in range(0, len(reply), size)]
        server.answer(*map(text, pieces), finish(), DONE)

    said, ret, err = run(
        *(online, "weather_agent.py", "online", "Weather in Tokyo?", agent)
    )

    assert said == ret == "It is 10 degrees <"
    assert err == ""
    results = [text for role, text in online.said() if role == "tool"]
    assert len(results) == 1
    assert '"temperature": "10"' in results[0]
    assert len(server.requests) == len(AGENTS[agent])


@needs_starter
@pytest.mark.parametrize("agent", AGENTS)
def test_other_agents_run_on_the_starter(home, agent):
    said, ret, _ = run(
        *(home, "weather_agent.py", "internlm2-chat-20b"),
        *("What's the weather in Tokyo?", agent),
    )

    assert said.endswith(ret)
    assert "10" in ret
    assert not {"Thought:", "Action:", "#E1", "get_current_weather"} & set(said.split())
    assert [role for role, _ in home.said()].count("tool") == 1


def parted(out: str) -> dict[str, str]:
    """Return what a loop with a trace has printed, by its label."""
    said = {"output": "", "trace": "", "ret": ""}
    label = ""
    for line in out.splitlines(keepends=True):
        head, found, rest = line.partition(": ")
        if found and head in said:
            label, line = head, rest
        said[label] += line
    return said


def test_answer_and_trace_are_drained_in_one_loop(online, server):
    server.answer(
        text("Let me look."),
        calls(call(0, "a", "get_current_weather", '{"location": "Tokyo"}')),
        calls(call(1, "b", "get_current_weather", '{"location": "Paris"}')),
        finish("tool_calls"),
        DONE,
    )
    server.answer(*map(text, ("Both ", "have ", "10.")), finish(), DONE)

    done = online.python(PROGRAMS / "trace_loop.py", "online", "Tokyo and Paris?")

    assert done.code == 0, done.err
    said = parted(done.out)
    assert said["output"].split() == ["Let", "me", "look.", "Both", "have", "10."]
    assert said["ret"] == "Both have 10.\n"
    for place in ("Tokyo", "Paris"):
        assert f'get_current_weather({{"location": "{place}"}})' in said["trace"]
        assert f'result: {{"location": "{place}", "temperature"' in said["trace"]


@needs_starter
def test_answer_and_trace_are_drained_in_one_loop_on_the_starter(home):
    done = home.python(
        PROGRAMS / "trace_loop.py", "internlm2-chat-20b", "What's the weather in Tokyo?"
    )

    assert done.code == 0, done.err
    said = parted(done.out)
    assert "get_current_weather(" in said["trace"]
    assert "get_current_weather" not in said["output"]
    assert "10" in said["ret"]


@needs_starter
def test_the_later_version_of_the_page_runs_on_the_starter(home):
    done = home.python(
        *(PROGRAMS / "current_page.py", "internlm2-chat-20b"),
        "What's the weather in Tokyo?",
    )

    assert done.code == 0, done.err
    assert "get_current_weather(" in done.out.partition("trace: ")[2]
    assert "get_current_weather" not in done.out.partition("trace: ")[0]


def test_a_drop_keeps_what_was_said_and_tells_why(online, server):
    server.answer(text("Half an"), delta(), chunked=False)

    done = online.python(PROGRAMS / "chat_loop.py", "online", "hi")

    assert done.out == "output: Half an\n"
    assert done.code == 1
    assert "ModelError: " in done.err.splitlines()[-1]
    assert online.said() == [("user", "hi"), ("assistant", "Half an")]


def test_ctrl_c_in_the_loop_ends_the_answer_at_once(online, server):
    server.answer(text("Half an"), Stall())
    running = online.start("-u", PROGRAMS / "chat_loop.py", "online", "hi")
    first = running.stdout.readline()

    running.send_signal(signal.SIGINT)

    _, err = running.communicate(timeout=LIMIT)
    server.wait_gone()
    assert first == b"output: Half an\n"
    assert err.endswith(b"KeyboardInterrupt\n")
    last = online.entries()[-1]
    assert (last.message.text, last.finish_reason) == ("Half an", "cancelled")


def test_no_key_names_the_variable(home):
    done = home.python(PROGRAMS / "chat_loop.py", "online", "hi")

    assert done.code == 1
    assert "OPENAI_API_KEY" in done.err.splitlines()[-1]


def test_nothing_but_the_store_is_left_behind(online, server):
    server.answer(text("Fine."), finish(), DONE)
    run(online, "chat_loop.py", "online", "hi")

    assert [path.name for path in online.folder.iterdir()] == ["lazychat.db"]


@needs_starter
def test_the_loop_runs_on_the_starter(home):
    said, ret, err = run(home, "chat_loop.py", "internlm2-chat-20b", "Who are you?")

    assert said == ret != ""
    assert err == (
        'lazychat: no model is named "internlm2-chat-20b"; using the starter.\n'
    )


@needs_starter
def test_the_agent_runs_on_the_starter(home):
    said, ret, _ = run(
        *(home, "weather_agent.py", "internlm2-chat-20b"),
        "What's the weather in Tokyo?",
    )

    assert said.endswith(ret)
    assert "10" in ret
    assert not {"{", "get_current_weather", "tool_call"} & set(said.split())
    assert [role for role, _ in home.said()].count("tool") == 1
