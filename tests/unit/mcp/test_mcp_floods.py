"""Servers that flood: changes of lists, questions, and requests of their own."""

import json
import sys
from pathlib import Path

import pytest
from support.mcp import LIMIT, call, state
from support.terminal import wait_until

from tui.config import McpServerConfig
from tui.mcp import Servers
from tui.mcp.mending import known, mend

SERVER = """
import json, sys

TOOLS, MUTE = {tools!r}, {mute!r}


def send(message):
    sys.stdout.write(json.dumps({{"jsonrpc": "2.0", **message}}) + "\\n")
    sys.stdout.flush()


def text(id, content):
    send({{"id": id, "result": {{"content": [{{"type": "text", "text": content}}]}}}})


listed, waits = 0, None
for line in sys.stdin:
    message = json.loads(line)
    id, method = message.get("id"), message.get("method")
    params = message.get("params") or {{}}
    if method == "initialize":
        capabilities = {{"tools": {{"listChanged": True}}}}
        send({{"id": id, "result": {{
            "protocolVersion": params["protocolVersion"],
            "capabilities": capabilities,
            "serverInfo": {{"name": "flood", "version": "1"}},
        }}}})
    elif method == "tools/list":
        listed += 1
        send({{"id": id, "result": {{"tools": TOOLS}}}})
        if listed > 1:  # for ever
            send({{"method": "notifications/tools/list_changed"}})
    elif method == "tools/call":
        match params["name"]:
            case "change":
                for _ in range(1000):
                    send({{"method": "notifications/tools/list_changed"}})
                text(id, "changed")
            case "listed":
                text(id, str(listed))
            case "ask":
                for n in range(500):
                    send({{"id": f"e{{n}}", "method": "elicitation/create", "params": {{
                        "message": "Password?",
                        "requestedSchema": {{"type": "object", "properties": {{}}}},
                    }}}})
                text(id, "asked")
            case "twice":
                text(id, "first")
                text(id, "second")
                send({{"id": id, "error": {{"code": 1, "message": "third"}}}})
                text("never asked", "x")
            case other:
                waits = id
                send({{"id": "mine", "method": other, "params": {{
                    "messages": [], "maxTokens": 5}}}})
    elif waits is not None and not method:
        text(waits, json.dumps(message.get("error", message)))
        waits = None
    elif method and id is not None and not MUTE:
        send({{"id": id, "error": {{"code": -32601, "message": "no such method"}}}})
"""
NAMES = ("change", "listed", "ask", "twice", "sampling/createMessage", "roots/list")


def flooding(
    tmp_path: Path,
    *more: dict[str, object],
    names: tuple[str, ...] = NAMES,
    mute: bool = False,
) -> Servers:
    """Return a connection to a server that floods, which has some tools.

    One that is `mute` does not answer what it does not know.
    """
    tools = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
    program = tmp_path / "server.py"
    program.write_text(SERVER.format(tools=[*tools, *more], mute=mute))
    servers = Servers(
        {"fake": McpServerConfig(command=sys.executable, args=(str(program),))}
    )
    servers.start()
    servers.wait(LIMIT)
    return servers


def test_lists_that_change_for_ever_are_looked_at_once_in_a_while(tmp_path: Path):
    servers = flooding(tmp_path)
    try:
        assert call(servers, "fake__change").output == "changed"
        wait_until(lambda: int(call(servers, "fake__listed").output) > 1)
        for _ in range(50):
            found = int(call(servers, "fake__listed").output)
    finally:
        servers.close()

    assert found < 10


def test_nobody_is_asked_five_hundred_things(tmp_path: Path):
    servers = flooding(tmp_path)
    most = [0]
    servers.on_change = lambda: most.append(len(servers.questions))
    servers.listen_to_questions()
    try:
        assert call(servers, "fake__ask").output == "asked"
        wait_until(lambda: not servers.questions)
    finally:
        servers.close()

    assert max(most) <= 8


def test_a_server_may_ignore_what_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mcp.client.session.DISCOVER_TIMEOUT_SECONDS", 0.5)
    servers = flooding(tmp_path, mute=True)
    try:
        assert call(servers, "fake__listed").output == "1"
    finally:
        servers.close()


def test_only_the_first_answer_to_a_call_counts(tmp_path: Path):
    servers = flooding(tmp_path)
    try:
        assert call(servers, "fake__twice").output == "first"
        assert call(servers, "fake__listed").output == "1"
    finally:
        servers.close()


@pytest.mark.parametrize("method", ["sampling_createMessage", "roots_list"])
def test_a_server_gets_no_model_and_no_folders(tmp_path: Path, method: str):
    servers = flooding(tmp_path)
    try:
        told = json.loads(call(servers, f"fake__{method}").output)
    finally:
        servers.close()

    assert "not supported" in told["message"]


def test_a_list_that_is_invalid_is_the_reason_and_not_our_end(tmp_path: Path):
    servers = flooding(
        tmp_path, {"inputSchema": {"type": "object"}, "name": "x", "execution": 5}
    )
    try:
        found = state(servers)
    finally:
        servers.close()

    assert found.phase == "failed"
    assert found.problem == "it sent an invalid answer (tools.6.execution)"


def test_one_wrong_tool_takes_no_other_with_it(tmp_path: Path):
    wrong = [
        {"name": 5, "inputSchema": {"type": "object"}},
        {"inputSchema": {"type": "object"}},
        {"name": "text\x1b[2J", "inputSchema": {"type": "string"}},
        {"name": "flag", "inputSchema": True},
    ]
    mended = [
        {"name": "none"},
        {"name": "untyped", "inputSchema": {"allOf": [{"type": "object"}]}},
        {"name": "nullable", "inputSchema": {"type": ["object", "null"]}},
        {
            "name": "odd",
            "inputSchema": {"type": "object", "properties": {"x": True}},
            "outputSchema": {"type": "array"},
            "description": 7,
            "title": [],
            "icons": {},
            "annotations": {"readOnlyHint": "yes"},
            "_meta": 5,
        },
    ]
    servers = flooding(tmp_path, *wrong, *mended, names=("listed",))
    try:
        schemas = {tool.name: tool.schema.parameters for tool in servers.tools}
    finally:
        servers.close()

    assert schemas == {
        "fake__listed": {"type": "object"},
        "fake__none": {"type": "object", "properties": {}},
        "fake__untyped": {"type": "object", "allOf": [{"type": "object"}]},
        "fake__nullable": {"type": "object"},
        "fake__odd": {"type": "object", "properties": {"x": True}},
    }


def test_tools_that_are_left_out_are_told():
    told: list[str] = []

    assert mend([{"name": "a\x1b[2J", "inputSchema": 5}, 7], told.append) == []
    assert told == [
        "a␛[2J is left out: its parameters are not an object",
        "a tool is left out: it has no name",
    ]


def test_a_part_of_a_later_revision_costs_no_result_its_other_parts():
    text = {"type": "text", "text": "kept"}

    found = known([text, {"type": "video\x1b[2J", "data": "x"}, {"type": 3}, 7])

    assert found == [
        text,
        {"type": "text", "text": "[video␛[2J: not shown]"},
        {"type": 3},  # no server of any revision means that
        7,
    ]
