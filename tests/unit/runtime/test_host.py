"""The host: what a process needs to run turns, and what it does when some lacks."""

import threading

import pytest

from tui import config
from tui.config import Config, ScriptedModelConfig, ToolsConfig
from tui.errors import ConfigError, ToolError
from tui.events import ErrorRaised, MessageAdded, TurnFinished, TurnRequested
from tui.messages import Message
from tui.runtime.host import Host
from tui.runtime.runner import request
from tui.tools import builtin

LIMIT = 30.0

TOOL = '''
from tui.tools import tool

@tool
def {name}() -> str:
    """Say {name}."""
    return "{name}"
'''


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("OPENAI_API_KEY", "LAZYCHAT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def make(home):
    hosts = []

    def host(settings=None, **options) -> Host:
        hosts.append(Host(settings or Config(), **options))
        return hosts[-1]

    yield host
    for made in hosts:
        made.close()


def scripted(folder, *replies, **options):
    path = folder / "script.toml"
    path.write_text("".join(f"[[reply]]\ntext = {reply!r}\n" for reply in replies))
    return Config("play", models={"play": ScriptedModelConfig(str(path))}, **options)


def ask(host, model="play", tools=(), id="c"):
    """Ask, wait for the end; return the events of the turn."""
    asked = TurnRequested(model, tools=tools, runner=host.runner.id)
    turn, written = request(host.log, id, Message("user", "hi"), asked)
    events = []
    with host.log.follow(id, written.result(LIMIT) - 2) as follow:
        while not any(isinstance(e, TurnFinished) for e in events):
            records = follow.poll(LIMIT)
            assert records
            events += [r.event for r in records if r.turn == turn]
    return events


def summaries(host):
    return {tool.name: tool.summary for tool in host.tools}


WEATHER = {"get_current_weather", "get_n_day_weather_forecast"}
ALLOWED = {"current_time", "convert_time", "calculate", "roll_dice"}


def test_the_starter_has_demo_data_and_what_needs_no_permission(make):
    assert make().enabled_for("starter") == WEATHER | ALLOWED


def test_a_real_model_has_no_demo_data(make):
    asking = {name for name, tool in builtin().items() if tool.policy == "ask"}

    assert {"read_file", "run_command", "fetch_url"} <= asking
    assert make().enabled_for("openai") == ALLOWED | asking
    assert make().enabled_for("llama-cpp/any") == ALLOWED | asking


def test_the_tools_of_a_run_are_on_with_any_model(make):
    host = make()
    host.load_tools(["get_current_weather", "read_file"])

    for model in ("starter", "openai"):
        assert host.enabled_for(model) == {"get_current_weather", "read_file"}


def test_what_the_configuration_allows_is_on_with_the_starter_too(make):
    tools = ToolsConfig(policy={"read_file": "allow"}, disabled=("roll_dice",))

    on = make(Config(tools=tools)).enabled_for("starter")

    assert on == (WEATHER | ALLOWED | {"read_file"}) - {"roll_dice"}


def test_weather_of_the_user_is_on_with_any_model(home, make):
    (home / "tools").mkdir()
    (home / "tools" / "mine.py").write_text(TOOL.format(name="get_current_weather"))
    host = make()
    host.load_tools()

    assert "get_current_weather" in host.enabled_for("openai")


def test_the_bundled_tools_know_the_allowed_folders(home, make):
    (home / "notes.txt").write_text("hello")
    (home / "other").mkdir()
    host = make(Config(tools=ToolsConfig(folders=(str(home / "other"),))))
    read = next(tool for tool in host.tools if tool.name == "read_file")

    with pytest.raises(ToolError, match="outside of the allowed folders"):
        read(str(home / "notes.txt"))


def test_a_newcomer_has_the_starter_and_the_bundled_tools(make):
    host = make()

    assert host.model == "starter"
    assert [t.name for t in host.tools] == list(builtin())
    assert host.enabled == {t.name for t in host.tools}
    assert host.problems == []


def test_a_key_makes_the_online_model_the_default(make, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")

    assert make().model == "openai"


def test_it_runs_what_it_is_asked_for(home, make):
    host = make(scripted(home, "Fine."))
    host.start()

    events = ask(host)

    assert events[-1] == TurnFinished("stop")
    assert [e.message.text for e in events if isinstance(e, MessageAdded)] == [
        "hi",
        "Fine.",
    ]


def test_a_model_that_is_not_there_is_the_end_of_one_turn_only(home, make):
    host = make(scripted(home, "Fine."))
    host.start()

    failed, fine = ask(host, "plya"), ask(host)

    errors = [e for e in failed if isinstance(e, ErrorRaised)]
    assert errors[0].kind == "config"
    assert 'Did you mean "play"?' in errors[0].text
    assert fine[-1] == TurnFinished("stop")


def test_only_the_tools_of_the_request_are_offered(home, make):
    script = home / "script.json"
    script.write_text('{"reply": [{"steps": [{"call": "beta"}]}, {"text": "Done."}]}')
    (home / "tools").mkdir()
    for name in ("alpha", "beta"):
        (home / "tools" / f"{name}.py").write_text(TOOL.format(name=name))
    host = make(Config(models={"play": ScriptedModelConfig(str(script))}))
    host.load_tools()
    host.start()

    events = ask(host, tools=("alpha", "gone"))

    told = [
        e.message.text
        for e in events
        if isinstance(e, MessageAdded) and e.message.role == "tool"
    ]
    assert "no tool" in told[0].lower()
    assert "alpha" in told[0]


def test_tools_are_loaded_in_order_and_the_disabled_are_off(home, make):
    (home / "tools").mkdir()
    for name in ("beta", "alpha"):
        (home / "tools" / f"{name}.py").write_text(TOOL.format(name=name))
    (home / "more.py").write_text(TOOL.format(name="gamma"))
    tools = ToolsConfig(("beta", "get_current_weather"), (str(home / "more.py"),))
    host = make(Config(tools=tools))

    host.load_tools()

    assert [t.name for t in host.tools] == [*builtin(), "alpha", "beta", "gamma"]
    assert host.enabled == {*builtin(), "alpha", "gamma"} - {"get_current_weather"}
    assert host.problems == []


def test_a_tool_of_the_user_takes_the_place_of_a_bundled_one(home, make):
    (home / "tools").mkdir()
    (home / "tools" / "mine.py").write_text(TOOL.format(name="get_current_weather"))
    host = make()

    host.load_tools()

    assert summaries(host)["get_current_weather"] == "Say get_current_weather."
    assert [t.name for t in host.tools] == list(builtin())


def test_what_is_asked_for_by_name_and_missing_is_refused(home, make):
    host = make()

    with pytest.raises(ConfigError, match="Did you mean"):
        host.load_tools(["get_curent_weather"])
    with pytest.raises(ConfigError, match="no such file"):
        host.load_tools([str(home / "no.py")])


def test_a_store_that_cannot_be_opened_is_a_problem_and_turns_run(home, make):
    (home / "file").write_text("")
    host = make(scripted(home, "Fine."), log=home / "file" / "lazychat.db")
    host.start()

    assert ask(host)[-1] == TurnFinished("stop")

    assert len(host.problems) == 1
    assert f"{home / 'file'} is not a folder" in host.problems[0]
    assert "nothing is saved" in host.problems[0]
    host.close()
    assert host.last_words == []


def test_closing_ends_what_runs_and_keeps_what_was_said(home, make):
    script = home / "script.json"
    script.write_text(
        '{"reply": [{"steps": [{"text": "Half an"}, {"pause": 60}, {"text": "x"}]}]}'
    )
    settings = Config(models={"play": ScriptedModelConfig(str(script))})
    host = make(settings)
    host.start()
    asked = TurnRequested("play", runner=host.runner.id)
    _, written = request(host.log, "c", Message("user", "hi"), asked)
    with host.log.follow("c", written.result(LIMIT)) as follow:
        while not any(
            type(r.event).__name__ == "TextDelta" for r in follow.poll(LIMIT)
        ):
            pass

    closing = threading.Thread(target=host.close)
    closing.start()
    closing.join(LIMIT)

    assert not closing.is_alive()
    again = make(settings)
    last = [r.event for r in again.log.read("c")][-2:]
    assert isinstance(last[0], MessageAdded)
    assert (last[0].message.text, last[1]) == ("Half an", TurnFinished("cancelled"))


def test_a_configuration_may_replace_what_is_built_in(home, make):
    settings = Config(models={"starter": ScriptedModelConfig(str(home / "s.toml"))})

    assert config.models(settings)["starter"] == settings.models["starter"]
    assert make(settings).models.note("starter") == ""
