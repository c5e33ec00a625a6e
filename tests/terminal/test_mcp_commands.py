"""MCP on the command line: a turn that calls a tool, `mcp list`, `mcp serve`."""

import asyncio
import json
import sys
import tomllib
from pathlib import Path

import pytest
import tomli_w
from support.fakes.lazychat import Home
from support.mcp import FAKE
from support.start import Start

from tui.config import McpServerConfig
from tui.mcp import Servers


def configure(place: Home, **servers: dict[str, object]) -> None:
    """Add servers to the configuration that `Home.scripted` has written."""
    file = place.folder / "config.toml"
    before = tomllib.loads(file.read_text()) if file.exists() else {}
    file.write_text(tomli_w.dumps(before | {"mcp": servers}))


FAKE_SERVER: dict[str, object] = {"command": sys.executable, "args": [str(FAKE)]}


def test_ask_calls_a_tool_of_a_server(place: Home):
    place.scripted([{"call": "fake__echo", "arguments": {"text": "hi"}}], "It said hi.")
    configure(place, fake=FAKE_SERVER)
    with (place.folder / "config.toml").open("a") as file:
        file.write('[tools.policy]\nfake__echo = "allow"\n')

    done = place.ask("Say hi")

    assert (done.code, done.out) == (0, "It said hi.\n")
    assert "fake" not in done.err


def test_ask_goes_on_without_a_server_that_is_not_there(place: Home):
    place.scripted("Fine.")
    configure(place, gone={"command": "/no/such/server"})

    done = place.ask("Hello")

    assert (done.code, done.out) == (0, "Fine.\n")
    assert done.err == (
        "lazychat: MCP server gone: the program /no/such/server was not found; "
        "continuing without it\n"
    )


def test_ask_does_not_load_the_sdk_without_servers(place: Home):
    place.scripted("Fine.")
    code = (
        "import sys; from tui.cli import main; main(['ask', 'hi']); "
        "print({'mcp', 'asyncio'} & set(sys.modules), file=sys.stderr)"
    )

    assert place.python("-c", code).err.endswith("set()\n")


def test_the_screen_is_there_without_the_sdk(place: Home):
    configure(place, fake=FAKE_SERVER)
    code = (
        "import sys; import tui.app.app, tui.runtime.local_backend; "
        "from tui import config; from tui.runtime.host import Host; "
        "host = Host(config.load()); assert host.mcp.states; host.close(); "
        "print({'mcp', 'mcp_types'} & set(sys.modules), file=sys.stderr)"
    )

    assert place.python("-c", code).err.endswith("set()\n")


def test_list_shows_servers_and_tools(place: Home):
    configure(place, fake=FAKE_SERVER, gone={"command": "/no/such/server"})

    done = place.run("mcp", "list")
    found = json.loads(place.run("mcp", "list", "--json").out)

    assert done.code == 1
    assert "fake: ready, 14 tools" in done.out
    assert "  fake__fail (may destroy): Says that it failed." in done.out
    assert "gone: failed, the program /no/such/server was not found" in done.out
    assert "\x1b" not in done.out
    assert [(s["name"], s["phase"]) for s in found] == [
        ("fake", "ready"),
        ("gone", "failed"),
    ]


def test_serve_offers_tools_and_conversations_to_a_client(place: Home):
    place.scripted("The capital of France is Paris.")
    place.ask("What is the capital of France?")
    tool = '''
        from tui.tools import tool

        @tool
        def loud(text: str) -> str:
            """Return the text in capitals."""
            print("rubbish on stdout")
            return text.upper()

        @tool(policy="ask")
        def risky() -> str:
            """Do something."""
            return "done"
    '''
    place.write("tools/own.py", "\n".join(line[8:] for line in tool.splitlines()))
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters

    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tui", "mcp", "serve"],
        env=place.env,
        cwd=str(place.work),
    )

    async def use() -> tuple[dict[str, bool], str, str, str]:
        async with Client(server) as client:

            async def call(name: str, **arguments: str) -> str:
                result = await client.call_tool(name, dict(arguments))
                (block,) = result.content
                assert block.type == "text"
                return ("failed: " if result.is_error else "") + block.text

            tools = {
                tool.name: bool(tool.annotations and tool.annotations.read_only_hint)
                for tool in (await client.list_tools()).tools
            }
            found = await call("search_conversations", words="capital")
            read = await call("read_conversation", id=found.split()[0])
            wrong = await call("read_conversation", id="nope")
            assert wrong.startswith("failed: ")
            return tools, found, read, await call("loud", text="hi")

    tools, found, read, loud = asyncio.run(use())

    assert tools["search_conversations"]
    assert tools["read_conversation"]
    assert tools["calculate"]
    assert tools["loud"] is False  # nobody knows what it does
    assert "risky" not in tools
    assert "The capital of France is Paris." in found
    assert "The capital of France is Paris." in read
    assert loud == "HI"


def test_our_own_client_may_use_our_own_server(place: Home, monkeypatch: object):
    settings = McpServerConfig(
        command=sys.executable,
        args=("-m", "tui", "mcp", "serve"),
        env=dict(place.env),
        cwd=str(place.work),
    )
    servers = Servers({"me": settings})
    servers.start()
    try:
        servers.wait(60.0)
        names = [tool.name for tool in servers.tools]
    finally:
        servers.close()

    assert "me__search_conversations" in names


def test_login_to_what_is_none_is_used_wrongly(place: Home):
    configure(place, fake=FAKE_SERVER)

    assert place.run("mcp", "login", "fake").err == (
        "lazychat: fake runs on this machine and needs no login.\n"
    )
    assert 'Did you mean "fake"?' in place.run("mcp", "login", "fakr").err


def test_the_first_frame_comes_before_the_sdk(start: Start, home: Path):
    """A server that never answers, and a slow SDK, do not delay the first frame."""
    slow: dict[str, object] = FAKE_SERVER | {"args": [str(FAKE), "slow"]}

    terminal = start([{"text": "Fine."}], config={"mcp": {"slow": slow}})
    terminal.type("hi")
    terminal.press("enter")
    terminal.wait_for("Fine.")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0


@pytest.mark.parametrize("arguments", [["mcp"], ["mcp", "nonsense"]])
def test_without_an_act_it_is_used_wrongly(place: Home, arguments: list[str]):
    assert place.run(*arguments).code == 2


TOOLS = """
import os, sys
from tui.tools import File, report, tool

print("rubbish at the start")
os.system("echo more of it")

@tool
def draw() -> list:
    'Draw.'
    report("half done")
    return ["A dot.", bytes.fromhex("{gif}"), File(data=b"a,b", name="the table.csv")]

@tool
def leave() -> str:
    'Leave.'
    os._exit(3)
"""
GIF = "47494638396101000100800000000000ffffff2c00000000010001000002024401003b"


def test_a_client_gets_files_and_progress_and_no_print_of_a_tool(place: Home):
    place.write("tools/own.py", TOOLS.replace("{gif}", GIF))
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters

    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tui", "mcp", "serve"],
        env=place.env,
        cwd=str(place.work),
    )
    told: list[object] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def use() -> tuple[list[object], list[object]]:
        async with Client(server) as client:
            failed = await client.call_tool("leave", {})
            drawn = await client.call_tool("draw", {}, progress_callback=tell)
            return list(failed.content), list(drawn.content)

    failed, drawn = asyncio.run(use())

    assert "os._exit is not for tools" in failed[0].text  # pyright: ignore
    text, image, table = drawn
    assert text.text == "A dot."  # pyright: ignore
    assert image.mime_type == "image/gif"  # pyright: ignore
    assert table.resource.text == "a,b"  # pyright: ignore
    assert str(table.resource.uri) == "file:///the%20table.csv"  # pyright: ignore
    assert told == [(1.0, None, "half done")]


def test_tools_that_print_do_not_spoil_the_json_of_a_list(place: Home):
    place.write("tools/own.py", TOOLS.replace("{gif}", GIF))

    done = place.run("tools", "--json")

    assert {"draw", "leave"} <= {tool["name"] for tool in json.loads(done.out)}
    assert "more of it" in done.err
