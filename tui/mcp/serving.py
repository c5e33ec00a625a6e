"""Offers tools and conversations to other programs, as an MCP server on stdio."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any

from tui.mcp.listing import own_version
from tui.messages import ToolCall
from tui.tools import Tool, ToolBox
from tui.turn import Turn


def serve(
    tools: Iterable[Tool[..., Any]],
    instructions: str,
    timeout: float,
    read_only: Collection[str] = (),
) -> None:
    """Serve `tools` until the client closes our standard input.

    Of those that `read_only` names the client is told that they change nothing.
    `timeout` is that of tools without their own, in seconds. What tools print goes to
    stderr: stdout is the client's.
    """
    asyncio.run(_serve(ToolBox(tools, timeout=timeout), instructions, read_only))


async def _serve(box: ToolBox, instructions: str, read_only: Collection[str]) -> None:
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    async def list_tools(_: object, __: object) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=schema.name,
                    description=schema.description,
                    input_schema=schema.parameters,
                    annotations=types.ToolAnnotations(read_only_hint=True)
                    if schema.name in read_only
                    else None,
                )
                for schema in box.schemas()
            ]
        )

    async def call_tool(
        _: object, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        turn = Turn()
        call = ToolCall("call", params.name, params.arguments or {})
        try:
            output, failed = await asyncio.to_thread(_run, box, call, turn)
        finally:
            turn.cancel.request()  # has no effect after its end
        text = types.TextContent(type="text", text=output)
        return types.CallToolResult(content=[text], is_error=failed)

    server = Server(
        "lazychat",
        version=own_version(),
        instructions=instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


def _run(box: ToolBox, call: ToolCall, turn: Turn) -> tuple[str, bool]:
    """Run a call to its end; return its output, and whether it failed."""
    run = box.run(call, turn)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value.output, end.value.error is not None


Search = Callable[[str, int], str]
Read = Callable[[str], str]


def conversation_tools(search: Search, read: Read) -> list[Tool[..., Any]]:
    """Return the tools that search and read the user's conversations."""

    def search_conversations(words: str, limit: int = 20) -> str:
        """Search the user's conversations with language models, newest first.

        Args:
            words: Words that a message must contain; "quote" a phrase.
            limit: At most so many messages, from 1 to 100.
        """
        return search(words, max(1, min(limit, 100)))

    def read_conversation(id: str) -> str:
        """Return one of the user's conversations as Markdown.

        Args:
            id: The id of a conversation, as a search gives it, or its beginning.
        """
        return read(id)

    return [Tool(search_conversations), Tool(read_conversation)]
