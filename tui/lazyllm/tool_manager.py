"""`ToolManager` and `fc_register`: tools for LazyLLM's agents."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar, cast, overload

from tui.agents.merge import merge
from tui.errors import ConfigError, ToolError
from tui.lazyllm.arguments import ArgumentError, unknown
from tui.lazyllm.file_queue import TRACE, FileSystemQueue
from tui.lazyllm.history import calls_of
from tui.lazyllm.scope import ABSENT_ARGUMENTS, refuse
from tui.lazyllm.trace import told
from tui.messages import ToolCall, ToolResult
from tui.models.openai.wire import wire_tools
from tui.tools import Tool, ToolBox, register
from tui.tools.adapting import as_tools

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
) -> "_Register": ...
def fc_register(group: Any = "tool", name: str = "", **options: object) -> Any:
    """Register the decorated function as a tool, under `name` if that is given.

    What is returned may be called with a name too: `fc_register("tool")(f, "name")`.
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

    return _Register(name)


class _Register:
    """Registers a function as a tool and returns it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, function: F, name: str = "") -> F:
        register(Tool(function, name=name or self._name))
        return function


class ToolExecutionError(ToolError):
    """A failure of a tool; the model is told its text without a class name."""

    @classmethod
    def approval_required(cls, message: str) -> "ToolExecutionError":
        """Return the error that ends a call which the user has to allow.

        The app asks the user before a call runs, by each tool's own policy.
        """
        return cls(message)


_GROUP = {"name", "desc", "tools", "lazy", "prefix", "auto_activate"}
_NO_KEYS = "has no key_source: list the tools whose key is there"


def ungrouped(tools: Iterable[object], prefix: str = "") -> Iterable[object]:
    """Return `tools` with LazyLLM's groups, dicts, replaced by the tools in them.

    All of them are offered at once, whether a group is lazy or not. The names of the
    tools begin with `prefix`, and with the group's own, if there are any. Raises
    `ArgumentError` for a group that cannot be read.
    """
    if isinstance(tools, str):
        return tools  # which ToolBox refuses
    found: list[object] = []
    for item in tools:
        if isinstance(item, tuple):
            raise ArgumentError(f"A tuple with a tool {_NO_KEYS}.")
        if not isinstance(item, Mapping):
            if prefix:
                found += [t.renamed(f"{prefix}_{t.name}") for t in as_tools(item)]
            else:
                found.append(item)
            continue
        group = cast(Mapping[str, Any], item)
        options = {key for key, value in group.items() if value} - _GROUP
        if options & {"key_source", "pick_first_valid"}:
            raise ArgumentError(f"A group of tools {_NO_KEYS}.")
        unknown("A group of tools", options, _GROUP)
        if not isinstance(group.get("tools"), list | tuple):
            raise ArgumentError(
                "A group of tools needs a list under 'tools', as in "
                "{'name': 'search', 'tools': [search_web]}."
            )
        own = group.get("prefix")
        own = group.get("name") if own is True or own == "" else own
        parts = [part for part in (prefix, own) if part]
        found += ungrouped(group["tools"], "_".join(map(str, parts)))
    return found


class ToolManager:
    """A set of tools that runs calls.

    `tools` are names of registered tools, functions, methods or objects: see
    `ToolBox`; or groups of them: see `ungrouped`. With `return_trace` the queue
    `lazy_trace` gets what its calls do.
    """

    def __init__(
        self,
        tools: Iterable[object] = (),
        return_trace: bool = False,
        sandbox: object = None,
    ) -> None:
        refuse("ToolManager", ["sandbox"] if sandbox else [], ABSENT_ARGUMENTS)
        self._box = ToolBox(ungrouped(tools))
        self._traces = return_trace

    def add(self, tool: object) -> None:
        """Add a tool; raises `ConfigError` if one of its name is there."""
        self._box = ToolBox([*self.all_tools, *ungrouped([tool])])

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
        self,
        tool_calls: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None,
        verbose: bool = False,
        allowed_tool_names: Collection[str] | None = None,
    ) -> list[str]:
        """Run a call, or several side by side; return their results in order.

        A call is `{"function": {"name": ..., "arguments": ...}}` or what is under
        `function` in that, the arguments a dict or JSON. What is wrong with a call is
        its result: a line that begins with `Error:`. None but `allowed_tool_names` can
        be called; None allows all. `verbose` is ignored. Raises `ArgumentError` if
        `tool_calls` are not dicts.
        """
        one = isinstance(tool_calls, Mapping)
        listed = cast(Iterable[object], [tool_calls] if one else tool_calls or ())
        calls: list[ToolCall] = []
        unreadable: dict[int, str] = {}
        for number, each in enumerate(listed):
            if not isinstance(each, Mapping):
                raise ArgumentError("tool_calls must be a call or a list of calls.")
            try:
                calls += calls_of([each], "tool_calls")
            except ArgumentError as error:
                unreadable[number] = f"Error: {error}"
        box = self._box
        if allowed_tool_names is not None:
            box = box.select(n for n in box.names if n in allowed_tool_names)
        results = self._run(box, calls)
        for number, text in unreadable.items():
            results.insert(number, text)
        return results

    def _run(self, box: ToolBox, calls: Iterable[ToolCall]) -> list[str]:
        run = merge([box.run(call) for call in calls])
        while True:
            try:
                event = next(run)
            except StopIteration as end:
                results: list[ToolResult] = end.value
                break
            if self._traces and (line := told(event)):
                FileSystemQueue(TRACE).enqueue(f"{line}\n")
        return [result.output for result in results]
