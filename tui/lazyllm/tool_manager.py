"""`ToolManager` and `fc_register`: tools for LazyLLM's agents."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, overload

from tui.agents.merge import merge
from tui.errors import ConfigError
from tui.lazyllm.arguments import ArgumentError, unknown
from tui.lazyllm.file_queue import TRACE, FileSystemQueue
from tui.lazyllm.history import calls_of
from tui.lazyllm.trace import told
from tui.messages import ToolResult
from tui.models.openai.wire import wire_tools
from tui.tools import Tool, ToolBox, register

F = TypeVar("F", bound=Callable[..., Any])

_IGNORED = (
    "execute_in_sandbox",
    "host_file",
    "input_files_parm",
    "output_files",
    "output_files_parm",
)
"""LazyLLM's options for its sandbox. Tools here run in a thread of the program."""


@overload
def fc_register(group: F, /) -> F: ...
@overload
def fc_register(
    group: str = "tool", name: str = "", **options: object
) -> Callable[[F], F]: ...
def fc_register(group: Any = "tool", name: str = "", **options: object) -> Any:
    """Register the decorated function as a tool, under `name` if that is given.

    `group` must be `tool`, and may be left out. Options for LazyLLM's sandbox are
    ignored. Raises `ConfigError` for another group, for an unknown option, and for a
    function without a docstring.
    """
    if callable(group):
        register(Tool(group))
        return group
    if group != "tool":
        raise ConfigError(f'fc_register knows the group "tool", not "{group}".')
    unknown("fc_register", set(options) - set(_IGNORED), ("group", "name", *_IGNORED))

    def decorate(function: F) -> F:
        register(Tool(function, name=name))
        return function

    return decorate


class ToolManager:
    """A set of tools that runs calls.

    `tools` are names of registered tools, functions, methods or objects: see
    `ToolBox`. With `return_trace` the queue `lazy_trace` gets what its calls do.
    """

    def __init__(
        self, tools: Iterable[object] = (), return_trace: bool = False
    ) -> None:
        self._box = ToolBox(tools)
        self._traces = return_trace

    def add(self, tool: object) -> None:
        """Add a tool; raises `ConfigError` if one of its name is there."""
        self._box = ToolBox([*self.all_tools, tool])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tools."""
        return self._box.names

    @property
    def all_tools(self) -> list[Tool[..., Any]]:
        """The tools, in the order in which they were given."""
        return [self._box[name] for name in self._box.names]

    @property
    def tools_info(self) -> dict[str, Tool[..., Any]]:
        """The tools by name."""
        return {tool.name: tool for tool in self.all_tools}

    @property
    def tools_description(self) -> list[dict[str, Any]]:
        """The tools as OpenAI's API describes them."""
        return wire_tools(self._box.schemas())

    def __call__(
        self, tool_calls: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None
    ) -> list[str]:
        """Run a call, or several side by side; return their results in order.

        A call is `{"function": {"name": ..., "arguments": ...}}`, the arguments a dict
        or JSON. What is wrong with a call is its result: a line that begins with
        `Error:`. Raises `ArgumentError` for what is no call.
        """
        if isinstance(tool_calls, str):
            raise ArgumentError("tool_calls must be a call or a list of calls.")
        calls = calls_of(tool_calls, "tool_calls")
        if not calls:
            return []
        run = merge([self._box.run(call) for call in calls])
        while True:
            try:
                event = next(run)
            except StopIteration as end:
                results: list[ToolResult] = end.value
                break
            if self._traces and (line := told(event)):
                FileSystemQueue(TRACE).enqueue(f"{line}\n")
        return [result.output for result in results]
