"""Connections to servers that misbehave: nothing of theirs stops or reaches the app."""

import json
import os
import threading
from time import monotonic

import pytest
from support.allowing import allowed
from support.mcp import LIMIT, call, called, connected, fake, progress, state
from support.terminal import wait_until

from tui.config import McpServerConfig
from tui.mcp import Servers
from tui.mcp.stdio import END_SECONDS
from tui.tools import ToolBox
from tui.turn import Turn

CONTROLS = {chr(n) for n in (*range(32), *range(127, 160), 0x202E)} - {"\n"}


def test_tools_of_a_server_carry_its_name_and_ask():
    with connected(fake=fake()) as servers:
        tool = next(t for t in servers.tools if t.name == "fake__echo")

        assert (tool.origin, tool.policy) == ("fake", "ask")
        assert tool.schema.parameters == {
            "type": "object",
            "properties": {"text": {"type": "string"}},
        }
        assert state(servers).describe() == "14 tools"
        assert state(servers).title == "fake 1"


def test_arguments_reach_the_server_unchanged():
    given = {"a": "1", "b": [1, 2.5, None, {"c": True}], "self": "x", "text": "é\n"}

    with connected(fake=fake()) as servers:
        result = call(servers, "fake__echo", **given)

    assert json.loads(result.output) == given


def test_two_servers_may_have_the_same_tools():
    with connected(one=fake(), two=fake()) as servers:
        first = call(servers, "one__echo", text="a").output
        second = call(servers, "two__echo", text="b").output

        assert [json.loads(first), json.loads(second)] == [{"text": "a"}, {"text": "b"}]
        assert len({tool.name for tool in servers.tools}) == 28


def test_a_server_that_dies_at_once_is_shown_with_its_last_words():
    with connected(fake=fake("dies")) as servers:
        assert state(servers).phase == "failed"
        assert state(servers).describe() == (
            "it ended with status 3: cannot find its ␛[31mconfiguration"
        )


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            McpServerConfig(command="/no/such/program"),
            "the program /no/such/program was not found",
        ),
        (
            McpServerConfig(command="cat", cwd="/no/such/folder"),
            "the folder /no/such/folder was not found",
        ),
        (McpServerConfig(), "[mcp.fake] needs either command or url"),
        (
            McpServerConfig(command="cat", url="http://x"),
            "[mcp.fake] needs either command or url",
        ),
        (
            McpServerConfig(url="ftp://x"),
            "[mcp.fake]: url must begin with http:// or https:// and name a host",
        ),
        (
            McpServerConfig(url="https://me:word@host/"),
            "[mcp.fake]: put no password into url; headers_env sends one",
        ),
        (
            McpServerConfig(command="cat", env_keys=("NO_SUCH_KEY",)),
            "[mcp.fake] env_keys: NO_SUCH_KEY is neither a variable nor in keys.toml",
        ),
        (
            McpServerConfig(command="cat", env_cmd={"KEY": "false"}),
            "[mcp.fake] env_cmd: the command for KEY failed: it ended with status 1 "
            "(its output is not shown, as it may contain a key)",
        ),
        (
            McpServerConfig(url="http://127.0.0.1:1/mcp"),
            "it cannot be reached (ConnectError: All connection attempts failed)",
        ),
    ],
)
def test_what_keeps_a_server_from_connecting_is_said(
    home: object, settings: McpServerConfig, problem: str
):
    with connected(fake=settings) as servers:
        assert (state(servers).phase, state(servers).problem) == ("failed", problem)


def test_a_slow_server_delays_no_other_and_no_end():
    before = threading.enumerate()  # another test's may be about to end
    servers = Servers({"slow": fake("slow"), "fake": fake()})
    servers.start()
    try:
        wait_until(lambda: state(servers).phase == "ready")

        assert json.loads(call(servers, "fake__echo", a=1).output) == {"a": 1}
        assert state(servers, "slow").phase == "connecting"
    finally:
        servers.close()
    new = [t for t in threading.enumerate() if t not in before]
    assert "lazychat-mcp" not in [t.name for t in new]


def test_a_call_that_is_never_answered_ends_at_its_limit():
    with connected(fake=fake(timeout=0.3)) as servers:
        result = call(servers, "fake__hang")

    assert result.error == (
        "fake__hang failed: fake did not answer within 0.3 seconds and was told to stop"
    )


def test_a_cancelled_turn_returns_at_once_and_cancels_the_request():
    with connected(fake=fake()) as servers:
        turn = Turn()
        done: list[str | None] = []

        def hang() -> None:
            done.append(call(servers, "fake__hang", turn=turn).error)

        thread = threading.Thread(target=hang)
        thread.start()
        connection = servers._connections["fake"]
        wait_until(lambda: connection._reports)
        turn.cancel.request()
        thread.join(LIMIT)

        assert done == ["cancelled"]
        wait_until(
            lambda: len(json.loads(call(servers, "fake__cancelled").output)) == 1
        )


def test_a_result_of_ten_megabytes_is_cut():
    with connected(fake=fake()) as servers:
        result = call(servers, "fake__large")

    assert result.error is None
    assert result.output.startswith("x" * 20_000)
    assert len(result.output) < 21_000


def test_a_message_of_twenty_megabytes_ends_the_server_and_says_why():
    with connected(fake=fake()) as servers:
        result = call(servers, "fake__huge")

    assert result.error == (
        "fake__huge failed: the MCP server fake has ended: it sent a message of more "
        "than 16 MB"
    )


def test_changed_tools_are_followed():
    with connected(fake=fake()) as servers:
        call(servers, "fake__change")
        wait_until(lambda: "fake__added" in {tool.name for tool in servers.tools})

        assert "fake__large" not in {tool.name for tool in servers.tools}


def test_nothing_of_a_server_controls_the_terminal():
    with connected(fake=fake()) as servers:
        tool = next(t for t in servers.tools if t.name == "fake__escapes")
        result = call(servers, "fake__escapes").output
        failed = call(servers, "fake__fail")

    assert not CONTROLS & set(tool.schema.description + tool.summary)
    assert not CONTROLS & set(result)
    assert result.startswith("␛[31mred␛[0m ␛]52;c;aGk=␇ [bold]markup[/bold]")
    assert failed.error is not None
    assert failed.error.startswith("fake__fail failed: no such row ␛[31mred")
    assert not CONTROLS & set(failed.error)


def test_hints_are_shown_and_lower_no_policy_unasked():
    with connected(plain=fake(), trusted=fake(trust="annotations")) as servers:
        tools = {tool.name: tool for tool in servers.tools}

    assert tools["plain__escapes"].policy == "ask"
    assert tools["plain__escapes"].hints == "changes nothing"
    assert tools["trusted__escapes"].policy == "allow"
    assert tools["trusted__fail"].policy == "ask"
    assert tools["trusted__fail"].hints == "may destroy"
    assert tools["trusted__echo"].policy == "ask"


def test_a_chatty_server_reports_only_so_much():
    with connected(fake=fake()) as servers:
        result, events = called(servers, "fake__chatter")

    assert result.output == "done"
    assert 0 < len(progress(events)) < 500
    assert not CONTROLS & set("".join(progress(events)))


def test_rubbish_on_stdout_is_noted_and_breaks_nothing():
    notes: list[str] = []
    servers = Servers({"fake": fake("rubbish")})
    servers.on_note = lambda name, text: notes.append(f"{name}: {text}")
    servers.start()
    try:
        servers.wait(LIMIT)
        result, events = called(servers, "fake__stdout")
    finally:
        servers.close()

    assert "fake: not a message: Welcome to my server!" in notes
    assert result.output == "printed"
    assert "not a message: ␛[2Jrubbish {not json" in progress(events)


def test_an_answer_that_is_none_is_one_line():
    with connected(fake=fake()) as servers:
        result = call(servers, "fake__odd")

    assert result.error == (
        "fake__odd failed: fake: it sent an invalid answer (content)"
    )


def test_tools_that_cannot_be_used_are_left_out_and_named():
    with connected(fake=fake("bad-tools")) as servers:
        names = [tool.name for tool in servers.tools]
        left_out = state(servers).left_out

    assert len(names) == len(set(names)) == 200
    assert all(len(name) <= 64 for name in names)
    assert names[0] == "fake__twice"
    assert names[1] == "fake__with_space_and_slash"
    assert [line.partition(":")[0] for line in left_out] == [
        "deep is left out",
        "wide is left out",
        " is left out",
        "twice is left out",
        "only the first 200 of 307 tools are used",
    ]


def test_servers_end_with_the_program_even_those_that_will_not():
    with connected(one=fake(), two=fake("stubborn")) as servers:
        pids = [c.pid for c in servers._connections.values()]
        assert all(pids)
        begun = monotonic()
    assert monotonic() - begun < 30 * END_SECONDS

    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_server_has_no_terminal_and_not_our_keys(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PASSED_ON", "yes")
    shell = "env >&2; tty >&2; ps -o sid= -p $$ >&2; exit 1"
    notes: list[str] = []
    settings = McpServerConfig(
        command="sh", args=("-c", shell), env={"OWN": "1"}, env_keys=("PASSED_ON",)
    )
    servers = Servers({"fake": settings})
    servers.on_note = lambda name, text: notes.append(text)
    servers.start()
    servers.wait(LIMIT)
    servers.close()

    assert {"OWN=1", "PASSED_ON=yes", "not a tty"} <= set(notes)
    assert not [note for note in notes if "sk-secret" in note]


def test_a_disabled_server_is_not_started():
    with connected(fake=fake(disabled=True)) as servers:
        assert state(servers).describe() == "off"
        assert servers.reconnect("fake") == []
        assert servers.tools == []


def test_without_servers_there_is_no_thread():
    before = threading.active_count()
    with connected() as servers:
        assert not servers
        assert threading.active_count() == before


def test_a_tool_called_outside_of_a_turn_works():
    with connected(fake=fake()) as servers:
        tool = next(t for t in servers.tools if t.name == "fake__echo")

        assert json.loads(tool(text="direct")) == {"text": "direct"}


@pytest.mark.parametrize("name", ["large", "echo"])
def test_a_tool_that_changes_while_the_user_is_asked_is_not_run(name: str):
    with connected(fake=fake()) as servers:
        box = ToolBox(servers.tools)

        def changes() -> None:
            call(servers, "fake__change", text=name)
            wait_until(lambda: "fake__added" in {tool.name for tool in servers.tools})

        asked = allowed(box, f"fake__{name}", {"text": "x"}, changes)

    assert asked.error == (
        f"fake__{name} was not run: its server has changed or withdrawn it since the "
        "user was asked."
    )
