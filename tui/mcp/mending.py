"""Keeps one wrong tool of a server from taking the others with it.

The SDK refuses a whole list if the schema of one tool is not an object. Some servers
leave the type out, or allow null too: that is mended. What cannot be mended is removed
from the list and reported. It refuses a whole result, too, if a part is of a kind that
it does not know.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from tui.i18n import _
from tui.mcp.text import line

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

Tell = Callable[[str], object]
Tool = dict[str, Any]


@asynccontextmanager
async def mended(
    transport: "AbstractAsyncContextManager[TransportStreams]", tell: Tell
) -> "AsyncGenerator[TransportStreams]":
    """Keep a transport open whose lists of tools are mended.

    `tell` is called with a line for each tool that is left out.
    """
    async with transport as (reader, writer):
        yield cast(Any, _Reader(reader, tell)), writer


class _Reader:
    """Receives from another stream."""

    def __init__(self, inner: Any, tell: Tell) -> None:
        self._inner = inner
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def receive(self) -> Any:
        return self._mended(await self._inner.receive())

    def __aiter__(self) -> "_Reader":
        return self

    async def __anext__(self) -> Any:
        return self._mended(await self._inner.__anext__())

    async def __aenter__(self) -> "_Reader":
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        return await self._inner.__aexit__(*raised)

    def _mended(self, received: Any) -> Any:
        message = getattr(received, "message", None)
        result: Any = getattr(message, "result", None)
        if isinstance(result, dict):
            self._mend(cast(dict[str, Any], result))
        return received

    def _mend(self, result: dict[str, Any]) -> None:
        if isinstance(result.get("tools"), list):
            result["tools"] = mend(cast(list[Any], result["tools"]), self._tell)
        if isinstance(result.get("content"), list):
            result["content"] = known(cast(list[Any], result["content"]))


def mend(tools: list[Any], tell: Tell) -> list[Tool]:
    """Return the tools that the SDK accepts, some of them mended."""
    kept: list[Tool] = []
    for tool in tools:
        tool = cast(Tool, tool) if isinstance(tool, dict) else {}
        if not isinstance(tool.get("name"), str):
            tell(_("a tool is left out: it has no name"))
            continue
        if (schema := _object(tool.get("inputSchema"))) is None:
            tell(
                _("{name} is left out: its parameters are not an object").format(
                    name=line(tool["name"], 80)
                )
            )
            continue
        rest = {key: value for key, value in tool.items() if _is_fair(key, value)}
        kept.append({**rest, "inputSchema": schema})
    return kept


_BLOCKS = ("text", "image", "audio", "resource", "resource_link")


def known(content: list[Any]) -> list[Any]:
    """Return the blocks of a result, those of a later revision named as text."""

    def block(found: Any) -> Any:
        kind = cast(Tool, found).get("type") if isinstance(found, dict) else None
        if not isinstance(kind, str) or kind in _BLOCKS:
            return cast(Any, found)
        return {"type": "text", "text": f"[{line(kind, 40)}: not shown]"}

    return list(map(block, content))


_TYPES: dict[str, type] = {
    "annotations": dict,
    "description": str,
    "icons": list,
    "outputSchema": dict,
    "title": str,
    "_meta": dict,
}


def _is_fair(key: str, value: Any) -> bool:
    """Return whether the SDK accepts a field, which is dropped otherwise."""
    if not isinstance(value, _TYPES.get(key, object)):
        return False
    if key == "outputSchema":
        return value.get("type") == "object"
    hints = (
        (hint for name, hint in value.items() if name.endswith("Hint"))
        if (key == "annotations")
        else ()
    )
    return all(isinstance(hint, bool) for hint in hints)


def _object(schema: Any) -> Tool | None:
    """Return the schema of an object, None if it describes something else."""
    if schema is None:
        return {"type": "object", "properties": {}}
    if not isinstance(schema, dict):
        return None
    schema = cast(Tool, schema)
    kind = schema.get("type", "object")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        return {**schema, "type": "object"}
    return None
