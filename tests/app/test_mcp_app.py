"""MCP servers in the app: the sidebar, prompts, resources, questions, reconnecting."""

import json
import os
import signal
import sys

import pytest
from support.mcp import FAKE
from support.pilot import Chat, opened

from tui.app.mcp.controller import _texts, prompt_arguments
from tui.app.mcp.form import Form
from tui.errors import LazychatError
from tui.mcp import Prompt, retrying
from tui.mcp.values import PromptArgument, ResourceText
from tui.messages import ToolCall


def toml(*how: str, name: str = "fake") -> str:
    arguments = json.dumps([str(FAKE), *how])
    return f"[mcp.{name}]\ncommand = {json.dumps(sys.executable)}\nargs = {arguments}\n"


def sidebar(chat: Chat) -> list[str]:
    """Return the lines of the sidebar, without its margin."""
    bar = chat.screen.sidebar
    rows = range(bar.content_size.height)
    return [" ".join(bar.render_line(y).text.split()) for y in rows]


async def test_servers_stand_in_the_sidebar_with_their_tools(home: object):
    async with opened(toml=toml(), size=(120, 80)) as chat:
        await chat.pilot.press("f2")
        await chat.until("● die")
        await chat.until(lambda: "fake ready" in sidebar(chat))

        lines = sidebar(chat)
        at = lines.index("fake ready")
        assert lines[at + 1 : at + 3] == [
            "● die asks first",
            "● hang asks first",
        ]


async def test_a_failed_server_is_noted_once_and_reconnects_with_r(home: object):
    async with opened(toml=toml("dies"), size=(120, 80)) as chat:
        await chat.until("MCP server fake: it ended with status 3")
        await chat.pilot.press("f2", "end")
        lines = sidebar(chat)

        assert "fake not connected r" in lines
        assert "it ended with status 3:" in " ".join(lines)
        states: list[str] = []
        tell = chat.host.mcp.on_change
        assert tell

        def changed() -> None:
            states.append(chat.host.mcp.states[0].phase)
            tell()

        chat.host.mcp.on_change = changed
        await chat.pilot.press("r")
        await chat.until(lambda: states[-1:] == ["failed"])
        assert "connecting" in states


async def test_slash_mcp_lists_and_reconnects(home: object):
    async with opened(toml=toml()) as chat:
        await chat.until(lambda: chat.host.mcp.states[0].phase == "ready")
        await chat.ask("/mcp")
        await chat.until("fake (fake 1): 14 tools")
        await chat.ask("/mcp nope")
        await chat.until("No MCP server nope is on; there are: fake")
        await chat.until(lambda: chat.screen.composer.text == "/mcp nope")
        chat.screen.composer.load_text("")
        await chat.ask("/mcp fake off")
        await chat.until(lambda: chat.host.mcp.states[0].describe() == "stopped")
        await chat.ask("/mcp fake")
        await chat.until(lambda: chat.host.mcp.states[0].phase == "ready")


async def test_a_lost_server_is_noted_and_the_sidebar_says_that_it_reconnects(
    home: object, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 1000.0)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 1000.0)
    async with opened(toml=toml(), size=(120, 80)) as chat:
        await chat.until(lambda: chat.host.mcp.states[0].phase == "ready")
        (connection,) = chat.host.mcp._connections.values()
        os.killpg(connection.pid, signal.SIGKILL)
        await chat.until(
            "MCP server fake: it was killed by SIGKILL; tries again in 1000 s"
        )
        await chat.pilot.press("f2", "end")

        assert "fake reconnecting r" in sidebar(chat)


async def test_a_question_stands_in_the_place_of_the_composer(home: object):
    script = [[ToolCall("c1", "fake__ask", {})], "Thanks."]
    more = '[tools.policy]\nfake__ask = "allow"\n'
    async with opened(script, toml=toml() + more) as chat:
        await chat.until(lambda: chat.host.mcp.tools)
        await chat.ask("Ask me")
        await chat.until("MCP server fake asks")

        assert "Your name (required)" in chat.text
        assert not chat.screen.composer.display
        assert "\x1b" not in chat.text
        await chat.pilot.press("enter")
        await chat.until("Your name is required")
        await chat.pilot.press(*"Ada", "enter", *"17", "enter")
        await chat.until("age must be 18 or more")
        await chat.pilot.press("backspace", *"9", "enter", *"bl", "enter")
        await chat.until("Thanks.")

        assert chat.screen.composer.display
        assert chat.screen.focused is chat.screen.composer
        told = chat.model.requests[1].messages[-1].text
        assert json.loads(told) == {
            "action": "accept",
            "content": {"name": "Ada", "age": 19, "colour": "blue"},
        }


async def test_esc_declines_and_a_cancelled_turn_closes_the_question(home: object):
    calls = [[ToolCall(f"c{n}", "fake__ask", {})] for n in range(2)]
    script = [calls[0], "Declined.", calls[1]]
    more = '[tools.policy]\nfake__ask = "allow"\n'
    async with opened(script, toml=toml() + more) as chat:
        await chat.until(lambda: chat.host.mcp.tools)
        await chat.ask("Ask me")
        await chat.until("MCP server fake asks")
        await chat.pilot.press("escape")
        await chat.until("Declined.")
        assert '"decline"' in chat.model.requests[1].messages[-1].text

        await chat.ask("Again")
        await chat.until("MCP server fake asks")
        chat.screen.cancel()
        await chat.until(lambda: not chat.screen.query(Form))
        assert chat.screen.composer.display


PROMPT = Prompt(
    "srv",
    "review",
    "Review code.",
    (
        PromptArgument("file", "Which file", required=True),
        PromptArgument("style"),
    ),
)


async def test_a_prompt_is_a_slash_command(
    home: object, monkeypatch: pytest.MonkeyPatch
):
    from tui.mcp import Servers

    given: list[dict[str, str]] = []

    def text(_: object, prompt: Prompt, arguments: dict[str, str]) -> str:
        given.append(arguments)
        return f"Please review {arguments['file']}."

    monkeypatch.setattr(Servers, "prompts", [PROMPT])
    monkeypatch.setattr(Servers, "prompt_text", text)
    async with opened() as chat:
        await chat.type("/srv:r")
        await chat.until("Review code.")
        await chat.pilot.press("escape")
        chat.screen.composer.load_text("")
        await chat.ask("/srv:review a.py style=strict")
        await chat.until("Please review a.py.")
        chat.screen.composer.load_text("")
        await chat.ask("/srv:review ")
        await chat.until("file (required): Which file")
        await chat.pilot.press(*"b.py", "enter", "enter")
        await chat.until("Please review b.py.")

    assert given == [{"file": "a.py", "style": "strict"}, {"file": "b.py"}]


async def test_a_resource_is_put_into_the_message(
    home: object, monkeypatch: pytest.MonkeyPatch
):
    from tui.mcp import Resource, Servers

    offered = [Resource("srv", "note://one", "One"), Resource("srv", "note://two")]
    monkeypatch.setattr(Servers, "resources", offered)
    monkeypatch.setattr(
        Servers,
        "read_resource",
        lambda _, server, uri: [ResourceText(uri, "has ``` in it")],
    )
    async with opened() as chat:
        await chat.ask("/resource")
        await chat.until("srv: One")
        await chat.pilot.press("down", "enter")
        await chat.until(lambda: "note://two" in chat.screen.composer.text)

        expected = "note://two\n````\nhas ``` in it\n````"
        assert chat.screen.composer.text == expected


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("", {}),
        ("a.py", {"file": "a.py"}),
        ("'my file.py' loose", {"file": "my file.py", "style": "loose"}),
        ("style=x a", {"style": "x", "file": "a"}),
        ("other=x", {"file": "other=x"}),
    ],
)
def test_arguments_are_named_or_in_order(typed: str, given: dict[str, str]):
    assert prompt_arguments(PROMPT, typed) == given


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("a b c", "it takes 2 arguments: file, style"), ("'a", "a quote is not closed")],
)
def test_wrong_arguments_are_said(typed: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        prompt_arguments(PROMPT, typed)


def test_one_argument_takes_the_whole_text():
    one = Prompt("srv", "ask", arguments=(PromptArgument("text"),))

    assert prompt_arguments(one, "what is it?") == {"text": "what is it?"}


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ([], "Nothing to insert: it is empty"),
        (
            [ResourceText("x://1", "[resource x://1: not text]", is_text=False)],
            "Nothing to insert: resource x://1: not text",
        ),
    ],
)
def test_a_resource_without_text_is_said(contents: list[ResourceText], problem: str):
    with pytest.raises(LazychatError, match=f"^{problem}$"):
        _texts(contents)


def test_of_a_resource_only_the_texts_are_inserted():
    picture = ResourceText("x://1", "[resource x://1: not text]", is_text=False)

    assert _texts([picture, ResourceText("x://2", "two")]) == "x://2\n```\ntwo\n```"
