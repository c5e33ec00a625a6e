"""`MCPClient`: tools of a server, as programs of LazyLLM get and use them."""

import asyncio
import sys

import pytest
from support.mcp import FAKE

from tui import lazyllm, session
from tui.errors import LazychatError
from tui.eventlog import EventLog
from tui.lazyllm import file_queue
from tui.messages import ToolCall
from tui.models.scripted import ScriptedModel


@pytest.fixture(autouse=True)
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path))
    with EventLog(tmp_path / "log.db") as log, session.use(session.new_id()):
        monkeypatch.setattr(file_queue, "_default_log", [log])
        yield log


@pytest.fixture
def client():
    with lazyllm.MCPClient(command_or_url=sys.executable, args=[str(FAKE)]) as client:
        yield client


def test_tools_are_listed_by_their_own_names(client):
    (echo,) = client.get_tools(allowed_tools=["echo"])

    assert echo.__name__ == echo.name == echo.schema.name == "echo"
    assert len(client.get_tools()) == 14 == len(asyncio.run(client.list_tools()))
    assert [t.name for t in asyncio.run(client.aget_tools(["echo", "x"]))] == ["echo"]


def test_a_tool_can_be_called(client):
    (echo,) = client.get_tools(["echo"])

    assert echo(text="hello") == '{"text": "hello"}'
    assert asyncio.run(client.call_tool("echo", {"text": "a"})) == '{"text": "a"}'
    with pytest.raises(LazychatError, match="has no tool ecko"):
        asyncio.run(client.call_tool("ecko", {}))


def test_an_agent_uses_the_tools(client):
    model = ScriptedModel([[ToolCall("c", "echo", {"text": "hello"})], "Done."])

    assert lazyllm.ReactAgent(model, client.get_tools(["echo", "fail"]))("q") == "Done."

    assert [tool.name for tool in model.requests[0].tools] == ["fail", "echo"]
    assert model.requests[1].messages[-1].text == '{"text": "hello"}'


def test_a_server_that_cannot_be_used_is_told_in_a_line():
    with (
        lazyllm.MCPClient("/no/such/program", ["-y"]) as client,
        pytest.raises(LazychatError, match="MCP server program cannot be") as raised,
    ):
        client.get_tools()

    assert "\n" not in str(raised.value)


def test_arguments_reach_the_server_as_they_are():
    """Unlike those of the configuration, where `${NAME}` is replaced."""
    settings = lazyllm.MCPClient("run", ["${HOME}"])._servers._configured
    (settings,) = settings.values()

    assert settings.args == ("$${HOME}",)


@pytest.mark.parametrize(
    ("where", "options", "said"),
    [
        ("run", {"transport": "sse"}, "transport='sse' is not offered"),
        ("run", {"timeout": 0}, "above 0 seconds"),
        ("http://[::1/mcp", {}, "the address cannot be read: Invalid IPv6 URL"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(where, options, said):
    with pytest.raises(LazychatError, match=said):
        lazyllm.MCPClient(where, **options)


def test_deploying_says_what_to_do_instead(client):
    with pytest.raises(AttributeError, match="start the server yourself"):
        _ = client.deploy
