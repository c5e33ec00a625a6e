"""Offers tools and conversations to other programs, as an MCP server on stdio."""

import asyncio
import base64
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.events import ToolProgressed
from tui.mcp.listing import own_version
from tui.messages import Attachment, ToolCall, ToolResult
from tui.tools import Tool, ToolBox
from tui.turn import Turn

if TYPE_CHECKING:
    import mcp_types as types


def serve(
    tools: Iterable[Tool[..., Any]],
    instructions: str,
    timeout: float,
    read_only: Collection[str] = (),
) -> None:
    """Serve `tools` until the client closes our standard input.

    The client is told that those named in `read_only` change nothing.
    `timeout` is that of tools without their own, in seconds. What tools print goes to
    stderr: stdout is the client's.
    """
    asyncio.run(_serve(ToolBox(tools, timeout=timeout), instructions, read_only))


async def _serve(box: ToolBox, instructions: str, read_only: Collection[str]) -> None:
    import mcp_types as types
    from mcp.server.context import ServerRequestContext
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
        context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        turn, loop = Turn(), asyncio.get_running_loop()
        told = 0

        async def tell(text: str) -> None:
            nonlocal told
            told += 1
            await context.session.report_progress(told, None, text)

        def report(text: str) -> None:
            with suppress(RuntimeError):  # the loop has ended
                asyncio.run_coroutine_threadsafe(tell(text), loop)

        call = ToolCall("call", params.name, params.arguments or {})
        try:
            result = await asyncio.to_thread(_run, box, call, turn, report)
        finally:
            turn.cancel.request()  # has no effect after its end
        content: list[types.ContentBlock] = [
            types.TextContent(type="text", text=result.output)
        ]
        content += map(_block, result.attachments)
        return types.CallToolResult(content=content, is_error=result.error is not None)

    server = Server(
        "lazychat",
        version=own_version(),
        instructions=instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


def _block(file: Attachment) -> "types.ContentBlock":
    """Return a file that a tool has returned as the client gets it."""
    import mcp_types as types

    if file.is_image:
        data = base64.b64encode(file.data).decode()
        return types.ImageContent(type="image", data=data, mime_type=file.media_type)
    text = types.TextResourceContents(
        uri=f"file:///{quote(file.title)}",
        mime_type=file.media_type,
        text=file.data.decode("utf-8", "replace"),
    )
    return types.EmbeddedResource(type="resource", resource=text)


def _run(
    box: ToolBox, call: ToolCall, turn: Turn, report: Callable[[str], object]
) -> ToolResult:
    """Run a call to its end; `report` gets its progress."""
    run = box.run(call, turn)
    while True:
        try:
            event = next(run)
        except StopIteration as end:
            return end.value
        if isinstance(event, ToolProgressed):
            report(event.text)


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
