"""Offers tools to a model, and runs its calls.

Any failure of a call becomes one clean line for the model, which can then try again:
`run` raises no exception and shows no traceback.

The file is long because the steps of a call share what was prepared for it.
"""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from copy import deepcopy
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any, Literal

import msgspec

from tui import nearly_json
from tui.errors import Cancelled, ConfigError, LazychatError, LogError, ToolError
from tui.events import Event, ToolCallFinished, ToolCallStarted, ToolProgressed
from tui.messages import Attachment, ToolCall, ToolResult, ToolSchema
from tui.safe import safe
from tui.tools import approval, registry, returned, running
from tui.tools.adapting import as_tools
from tui.tools.approval import Decision, Rules
from tui.tools.asking_order import Place
from tui.tools.base import Tool
from tui.tools.policy import Preview
from tui.tools.results import Output, Unshowable, as_output, clean
from tui.tools.wording import excerpt, name_and_words, no_object
from tui.turn import Turn

# Tracebacks are for the author of the tool. They use `debug`, because without a handler
# Python prints warnings to the terminal, over the app.
_logger = logging.getLogger(__name__)

PREVIEW_SECONDS = 10.0
"""Most seconds that a preview may take."""
_LEFT = "is still running: its result will be ignored"

_Result = tuple[Output, tuple[Attachment, ...]]
"""The text of a result, and its files."""


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
        rules: Rules | None = None,
    ) -> None:
        """Accept all that `as_tools` does: `Tool`s, functions, names, objects.

        `timeout`, in seconds, applies to tools without their own; `math.inf` means no
        limit. Of output longer than `output_limit` characters the model is given the
        beginning, with a note; `ToolCallFinished.output` has more of it. `rules`
        decide, with each tool's own policy, which calls may run.

        Raises `ConfigError` for an unknown or repeated name, and for an object that
        cannot be a tool.
        """
        if isinstance(tools, str):
            raise ConfigError(f"Give the tools as a list: [{tools!r}].")
        self._timeout = timeout
        self._limit = output_limit
        self._rules = rules or Rules()
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
        return ToolBox(
            chosen,
            timeout=self._timeout,
            output_limit=self._limit,
            rules=self._rules,
        )

    def run(
        self, call: ToolCall, turn: Turn | None = None, place: Place | None = None
    ) -> Generator[Event, None, ToolResult]:
        """Run one call; never raises for errors of the model or the tool.

        Yields `ToolCallStarted`, a `ToolProgressed` for each `report` of the tool, and
        `ToolCallFinished`. A call that needs the user's permission also yields
        `ApprovalRequested`, and blocks until `turn.approver` has the answer; its time
        limit begins after that. With an approver, nothing runs before its start was
        stored. Without one nobody can be asked, and the tools of a program run as they
        are. Arguments that are nearly JSON or of the right type are read as what is
        meant, which a `ToolProgressed` says. The tool runs in a thread of its
        own with a copy of the caller's context variables, an async one in an event loop
        there. At its time limit, and when `turn.cancel` is requested, it is abandoned:
        see `tui.tools.running`. A call after a cancel is not started and yields
        nothing. Calls that run at the same time ask in the order of their `place`.
        """
        turn, place = turn or Turn(), place or Place()
        with place:
            return (yield from self._run(call, turn, place))

    def _run(
        self, call: ToolCall, turn: Turn, place: Place
    ) -> Generator[Event, None, ToolResult]:
        if turn.cancel.requested:
            return _failed(call, "cancelled")
        prepared = self._prepared(call, turn)
        # Where nobody can be asked, nothing was decided.
        yield ToolCallStarted(call, prepared.decision if turn.approver else "")
        if prepared.read_as:
            yield ToolProgressed(
                call.id,
                f"The arguments are no JSON object; read as {prepared.read_as}",
            )
        start = monotonic()
        kept = ""
        try:
            if prepared.error:
                raise prepared.error
            if prepared.repairs:
                told = f"Arguments repaired: {'; '.join(prepared.repairs)}"
                yield ToolProgressed(call.id, excerpt(told, 2000))
            _wait_until_recorded(call, turn)
            try:
                yield from self._permit(call, prepared, turn, place)
            finally:
                start = monotonic()  # the user's time is not the tool's
            assert prepared.tool is not None
            assert prepared.function is not None
            output, files = yield from self._watch(
                call, prepared.tool, prepared.function, turn
            )
            result = ToolResult(
                call.id, output.beginning(self._limit), attachments=files
            )
            if result.output != output.text:
                kept = output.text
        except ToolError as error:
            result = _failed(call, _line(str(error)))
        seconds = monotonic() - start
        yield ToolCallFinished(call.id, seconds, result.error, kept)
        return result

    def _prepared(self, call: ToolCall, turn: Turn) -> "_Prepared":
        """Return all that is known of a call before it may run."""
        prepared = _Prepared()
        try:
            tool, arguments = self._read(call)
            prepared.tool = tool
            if isinstance(call.arguments, str) and call.arguments.strip():
                read = msgspec.json.encode(arguments).decode()
                prepared.read_as = excerpt(read, 2000)
            prepared.function = _bound(tool, arguments, tool.function, prepared.repairs)
            if self._rules.needs_preview(tool):
                prepared.preview = self._preview(call, tool, arguments, turn)
            preview, rules = prepared.preview, self._rules
            prepared.decision = rules.decide(tool, preview, turn.approver)
        except ToolError as error:
            prepared.error = error
        except LogError as error:
            prepared.error = ToolError(f"{call.name} was not run: {error}")
        return prepared

    def _preview(
        self,
        call: ToolCall,
        tool: Tool[..., Any],
        arguments: dict[str, Any],
        turn: Turn,
    ) -> Preview:
        """Return what the user sees of a call. Raises `ToolError` if it cannot work."""
        if tool.preview is None:
            return approval.arguments_preview(call, arguments)
        # It gets arguments of its own, so that it cannot change those that are used.
        function = _bound(tool, deepcopy(arguments), tool.preview, [])
        run = running.run(function, PREVIEW_SECONDS, turn.cancel, tool.name, call.id)
        with closing(run):
            for news in run:
                match news:
                    case running.Progress():
                        pass
                    case running.Returned() if approval.is_preview(news.value):
                        return news.value
                    case running.Returned():
                        raise ToolError(
                            f"{tool.name} was not run: its preview is a "
                            f"{type(news.value).__name__}, not a Preview."
                        )
                    case running.Raised():
                        raise _tool_failed(tool, news) from news.error
                    case running.TimedOut():
                        raise ToolError(
                            f"{tool.name} was not run: its preview took more than "
                            f"{PREVIEW_SECONDS:g} seconds."
                        )
                    case running.Stopped():
                        raise ToolError("cancelled")
        raise AssertionError("a run always ends with an outcome")

    def _permit(
        self, call: ToolCall, prepared: "_Prepared", turn: Turn, place: Place
    ) -> Generator[Event]:
        """Ask the user if necessary; raises `ToolError` if the call may not run."""
        tool, decision, approver = prepared.tool, prepared.decision, turn.approver
        assert tool is not None
        if decision == "unattended":
            how = approval.how_to_allow(tool, prepared.preview)
            yield ToolProgressed(call.id, how)
        if decision in ("denied", "flag denied", "unattended"):
            raise ToolError(approval.refusal(tool, decision))
        if decision != "asked":
            place.leave()
            return
        assert approver is not None
        asked = approval.question(call, tool, prepared.preview, self._rules, approver)
        try:
            given = approver.answered(asked)
            if given is None:
                place.wait(turn.cancel)
                yield asked
                place.leave()
                given = approver.wait(asked)
        except Cancelled:
            raise ToolError("cancelled") from None
        if not given.allow:
            raise ToolError(approval.denial(tool, given.reason))
        self._check_unchanged(call, prepared, turn)

    def _check_unchanged(
        self, call: ToolCall, prepared: "_Prepared", turn: Turn
    ) -> None:
        """Raise `ToolError` if the call no longer does what the user has allowed.

        The answer may come hours after the question. By then a link or a file may lead
        to something else, and a server may have given the name to another tool.
        """
        tool = prepared.tool
        assert tool is not None
        if not tool.is_offered:
            raise ToolError(
                f"{tool.name} was not run: its server has changed or withdrawn it "
                f"since the user was asked."
            )
        if tool.preview is None:
            return
        arguments = self._read(call)[1]
        if self._preview(call, tool, arguments, turn) != prepared.preview:
            raise ToolError(
                f"{tool.name} was not run: what it would do has changed since the user "
                f"was asked, as a file or folder has changed. Look again, then call it "
                f"once more."
            )

    def _read(self, call: ToolCall) -> tuple[Tool[..., Any], dict[str, Any]]:
        if not call.name:
            raise ToolError(
                f"This tool call could not be read and was not run: "
                f"{excerpt(str(call.arguments))}"
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
            raise ToolError(f"{tool.name} was not run: {no_object(arguments)}")
        return tool, read

    def _watch(
        self,
        call: ToolCall,
        tool: Tool[..., Any],
        function: Callable[[], Any],
        turn: Turn,
    ) -> Generator[Event, None, _Result]:
        seconds = self._timeout if tool.timeout is None else tool.timeout
        run = running.run(
            function, seconds, turn.cancel, tool.name, call.id, _converted
        )
        with closing(run):
            for news in run:
                match news:
                    case running.Progress(text):
                        yield ToolProgressed(call.id, clean(text))
                    case running.Returned():
                        return news.value
                    case running.Raised():
                        raise _tool_failed(tool, news) from news.error
                    case running.TimedOut(left_behind):
                        unit = "second" if seconds == 1 else "seconds"
                        ended = _LEFT if left_behind else "was stopped"
                        raise ToolError(
                            f"{tool.name} did not finish within {seconds:g} {unit} "
                            f"and {ended}."
                        )
                    case running.Stopped(left_behind):
                        left = f"; {tool.name} {_LEFT}" if left_behind else ""
                        raise ToolError(f"cancelled{left}")
        raise AssertionError("a run always ends with an outcome")

    def _no_tool(self, name: str) -> str:
        problem = f"There is no tool named {excerpt(name)}"
        if not self._tools:
            return f"{problem}; there are no tools."
        if near := registry.nearest(name, self._tools):
            return f"{problem}; did you mean {' or '.join(near)}?"
        return f"{problem}; the tools are {', '.join(self._tools)}."


def _converted(value: Any) -> _Result:
    """Return the text and the files of a result, in the tool's thread."""
    rest, files = returned.taken_apart(value)
    return as_output(rest), files


class _Prepared:
    """A call before it runs."""

    def __init__(self) -> None:
        self.tool: Tool[..., Any] | None = None
        self.function: Callable[[], Any] | None = None
        """The tool's function with its arguments."""
        self.preview = Preview("arguments", "")
        self.decision: Decision | Literal[""] = ""
        self.read_as = ""
        """What arguments that are nearly JSON were taken for."""
        self.repairs: list[str] = []
        """How arguments of nearly the right type were read."""
        self.error: ToolError | None = None
        """Why it cannot run."""


def _wait_until_recorded(call: ToolCall, turn: Turn) -> None:
    if turn.approver is None:
        return
    try:
        turn.approver.recorded(call.id)
    except Cancelled:
        raise ToolError("cancelled") from None
    except LogError as error:
        raise ToolError(f"{call.name} was not run: {error}") from error


def _bound(
    tool: Tool[..., Any],
    arguments: dict[str, Any],
    function: Callable[..., Any],
    repairs: list[str],
) -> Callable[[], Any]:
    try:
        return partial(function, **tool.bind(arguments, repairs))
    except LazychatError as error:
        raise ToolError(f"{tool.name} was not run: {error}.") from error


def _failed(call: ToolCall, error: str) -> ToolResult:
    return ToolResult(call.id, f"Error: {error}", error)


def _tool_failed(tool: Tool[..., Any], raised: running.Raised) -> ToolError:
    error, said = raised.error, raised.words
    if isinstance(error, Unshowable):
        return ToolError(f"{tool.name} returned {said}.")
    _logger.debug("Tool %s failed", tool.name, exc_info=error)
    message = said if isinstance(error, LazychatError) else ""
    message = message or name_and_words(error, said)
    return ToolError(f"{tool.name} failed: {message}")


def _line(text: str) -> str:
    return excerpt(safe(text), 500)
