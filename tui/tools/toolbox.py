"""Offers tools to a model, and runs its calls.

Any failure of a call becomes one clean line for the model, which can then try again:
`run` raises no exception and shows no traceback.
"""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any

import msgspec

from tui import bounds, nearly_json
from tui.errors import ConfigError, LazychatError, ToolError
from tui.events import Event, ToolCallFinished, ToolCallStarted, ToolProgressed
from tui.messages import ToolCall, ToolResult, ToolSchema
from tui.tools import registry, returned, running
from tui.tools.adapting import as_tools
from tui.tools.tool import Tool
from tui.tools.wording import name_and_words, words
from tui.turn import Turn

# Tracebacks are for the author of the tool. They use `debug`, because without a handler
# Python prints warnings to the terminal, over the app.
_logger = logging.getLogger(__name__)


class ToolBox:
    """A set of tools by name, in the given order.

    Immutable; several threads may use one at a time.
    """

    def __init__(
        self,
        tools: Iterable[object] = (),
        *,
        timeout: float = 60.0,
        output_limit: int = 20_000,
    ) -> None:
        """Accept all that `as_tools` does: `Tool`s, functions, names, objects.

        `timeout`, in seconds, applies to tools without their own; `math.inf` means no
        limit. Output longer than `output_limit` characters is cut, with a note.

        Raises `ConfigError` for an unknown or repeated name, and for an object that
        cannot be a tool.
        """
        if isinstance(tools, str):
            raise ConfigError(f"Give the tools as a list: [{tools!r}].")
        self._timeout = timeout
        self._limit = output_limit
        self._tools: dict[str, Tool[..., Any]] = {}
        for tool in chain.from_iterable(map(as_tools, tools)):
            if self._tools.setdefault(tool.name, tool) is not tool:
                raise ConfigError(
                    f"Two tools are named {tool.name}; rename one of them with "
                    f"@tool(name=...)."
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tools."""
        return tuple(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __getitem__(self, name: str) -> Tool[..., Any]:
        return self._tools[name]

    def schemas(self) -> list[ToolSchema]:
        """Return the schemas for a model; raises `ConfigError` if a hint is wrong."""
        return [tool.schema for tool in self._tools.values()]

    def select(self, names: Iterable[str]) -> "ToolBox":
        """Return a box with the named tools; raises `ConfigError` for unknown names."""
        chosen: list[Tool[..., Any]] = []
        for name in names:
            if name not in self._tools:
                raise ConfigError(self._no_tool(name))
            chosen.append(self._tools[name])
        return ToolBox(chosen, timeout=self._timeout, output_limit=self._limit)

    def run(
        self, call: ToolCall, turn: Turn | None = None
    ) -> Generator[Event, None, ToolResult]:
        """Run one call; never raises for errors of the model or the tool.

        Yields `ToolCallStarted`, a `ToolProgressed` for each `report` of the tool, and
        `ToolCallFinished`. Arguments that are nearly JSON are read as what is meant,
        which a `ToolProgressed` says. The tool runs in a thread of its own with a copy
        of the caller's context variables, an async one in an event loop there. At its
        time limit, and when `turn.cancel` is requested, it is abandoned: see
        `tui.tools.running`. A call after a cancel is not started and yields nothing.
        """
        turn = turn or Turn()
        if turn.cancel.requested:
            return _failed(call, "cancelled")
        yield ToolCallStarted(call)
        start = monotonic()
        try:
            tool, arguments = self._prepare(call)
            if isinstance(call.arguments, str) and call.arguments.strip():
                read = _excerpt(msgspec.json.encode(arguments).decode(), 2000)
                yield ToolProgressed(
                    call.id, f"The arguments are no JSON object; read as {read}"
                )
            function = _bound(tool, arguments)
            result = yield from self._watch(call, tool, function, turn)
        except ToolError as error:
            result = _failed(call, _line(str(error)))
        yield ToolCallFinished(call.id, monotonic() - start, result.error)
        return result

    def _prepare(self, call: ToolCall) -> tuple[Tool[..., Any], dict[str, Any]]:
        if not call.name:
            raise ToolError(
                f"This tool call could not be read and was not run: "
                f"{_excerpt(str(call.arguments))}"
            )
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(self._no_tool(call.name))
        arguments = call.arguments
        if not isinstance(arguments, str):
            return tool, arguments
        if not arguments.strip():
            return tool, {}
        read = nearly_json.read_object(arguments)
        if read is None:
            raise ToolError(f"{tool.name} was not run: {_no_object(arguments)}")
        return tool, read

    def _watch(
        self,
        call: ToolCall,
        tool: Tool[..., Any],
        function: Callable[[], Any],
        turn: Turn,
    ) -> Generator[Event, None, ToolResult]:
        seconds = self._timeout if tool.timeout is None else tool.timeout
        run = running.run(function, seconds, turn.cancel, tool.name, call.id)
        with closing(run):
            for news in run:
                match news:
                    case running.Progress(text):
                        yield ToolProgressed(call.id, _clean(text))
                    case running.Returned():
                        value, files = returned.taken_apart(news.value)
                        text = self._cut(_as_text(tool, value))
                        return ToolResult(call.id, text, attachments=files)
                    case running.Raised():
                        raise _tool_failed(tool, news.error) from news.error
                    case running.TimedOut():
                        raise ToolError(
                            f"{tool.name} did not finish within {seconds:g} seconds "
                            f"and was abandoned."
                        )
                    case running.Stopped():
                        raise ToolError("cancelled")
        raise AssertionError("a run always ends with an outcome")

    def _cut(self, text: str) -> str:
        if len(text) <= self._limit:
            return text
        rest = len(text) - self._limit
        return f"{text[: self._limit]}\n[{rest} more characters omitted]"

    def _no_tool(self, name: str) -> str:
        problem = f"There is no tool named {_excerpt(name)}"
        if not self._tools:
            return f"{problem}; there are no tools."
        if near := registry.nearest(name, self._tools):
            return f"{problem}; did you mean {' or '.join(near)}?"
        return f"{problem}; the tools are {', '.join(self._tools)}."


def _bound(tool: Tool[..., Any], arguments: dict[str, Any]) -> Callable[[], Any]:
    try:
        return partial(tool.function, **tool.bind(arguments))
    except LazychatError as error:
        raise ToolError(f"{tool.name} was not run: {error}.") from error


def _failed(call: ToolCall, error: str) -> ToolResult:
    return ToolResult(call.id, f"Error: {error}", error)


def _tool_failed(tool: Tool[..., Any], error: BaseException) -> ToolError:
    _logger.debug("Tool %s failed", tool.name, exc_info=error)
    message = words(error) if isinstance(error, LazychatError) else ""
    return ToolError(f"{tool.name} failed: {message or name_and_words(error)}")


def _no_object(arguments: str) -> str:
    """Return why a string is not the JSON object that arguments must be."""
    import json  # unlike msgspec, its errors give the position

    expected = "the arguments must be a JSON object"
    try:
        value = json.loads(arguments)
    except RecursionError:
        return f"{expected}, but {bounds.TOO_DEEP}: {_excerpt(arguments)}"
    except ValueError as error:
        place = getattr(error, "pos", 0)
        why = getattr(error, "msg", str(error))
        return f"{expected}, but at character {place + 1}: {why}: {_excerpt(arguments)}"
    if bounds.is_deep(value):
        return f"{expected}, but {bounds.TOO_DEEP}: {_excerpt(arguments)}"
    return f"{expected}, not {_excerpt(arguments)}"


def _as_text(tool: Tool[..., Any], value: Any) -> str:
    """Return the result of `tool` as text: JSON unless it is text."""
    if isinstance(value, str):
        return _clean(value)
    try:
        return msgspec.json.encode(value, enc_hook=_encode).decode()
    except (Exception, SystemExit):  # a foreign class may raise anything
        _logger.debug(
            "The result of %s cannot be encoded as JSON", tool.name, exc_info=True
        )
    try:
        return _clean(str(value))
    except (Exception, SystemExit) as error:
        raise ToolError(
            f"{tool.name} returned a {type(value).__name__} that cannot be shown."
        ) from error


def _encode(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)


def _clean(text: str) -> str:
    """Replace lone surrogates, as in odd file names: JSON cannot hold them."""
    return text.encode("utf-8", "replace").decode()


def _line(text: str) -> str:
    return _excerpt(text, 500)


def _excerpt(text: str, limit: int = 200) -> str:
    text = " ".join(_clean(text).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
