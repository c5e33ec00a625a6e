"""Asks a server for all that it offers, and for changes of that."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import mcp_types as types
    from mcp.client import Client

T = TypeVar("T")

_MOST_PAGES = 50


class Listed(NamedTuple):
    """What a server offers, as it says."""

    tools: "list[types.Tool]"
    prompts: "list[types.Prompt]"
    resources: "list[types.Resource]"


async def ask(client: "Client") -> Listed:
    """Return all that the server offers, and have it log from `info` on."""
    from mcp_types import EmptyResult, SetLevelRequest, SetLevelRequestParams

    has, listed = client.server_capabilities, Listed([], [], [])
    if has.logging and client.session.initialize_result is not None:
        request = SetLevelRequest(params=SetLevelRequestParams(level="info"))
        with suppress(Exception):  # without it the server logs as it likes
            await client.session.send_request(request, EmptyResult)
    if has.tools:
        listed.tools.extend(await _pages(client.list_tools, lambda it: it.tools))
    if has.prompts:
        listed.prompts.extend(await _pages(client.list_prompts, lambda it: it.prompts))
    if has.resources:
        found = await _pages(client.list_resources, lambda it: it.resources)
        listed.resources.extend(found)
    return listed


async def _pages(
    ask: Callable[..., Awaitable[Any]], items: Callable[[Any], list[T]]
) -> list[T]:
    """Return the items of all pages of a list, within bounds."""
    found: list[T] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await ask(cursor=cursor)
        found += items(page)
        if not page.next_cursor or page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    return found


async def changes(client: "Client") -> AsyncGenerator[None]:
    """Yield when a list has changed, for a server that must be asked for that.

    Those are the servers of the revisions since 2026; others say it unasked.
    """
    from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
    from mcp.shared.exceptions import MCPError

    has = client.server_capabilities
    tools, prompts = _notifies(has.tools), _notifies(has.prompts)
    resources = _notifies(has.resources)
    if not (tools or prompts or resources):
        return
    with suppress(ListenNotSupportedError, SubscriptionLost, MCPError):
        async with client.listen(
            tools_list_changed=tools,
            prompts_list_changed=prompts,
            resources_list_changed=resources,
        ) as changed:
            async for _ in changed:
                yield


def _notifies(capability: object) -> bool:
    return bool(getattr(capability, "list_changed", False))


def forget(request: "asyncio.Future[Any]") -> None:
    """Take the exception of an abandoned request, which asyncio would complain of."""
    if not request.cancelled():
        request.exception()


def own_version() -> str:
    """Return the version of lazychat, "0" in a source tree."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lazychat")
    except PackageNotFoundError:
        return "0"
