"""Defines `Tool`: a function with a description for a model.

Creating a tool checks only what is cheap to check and always wrong. Hints and
docstrings are read when the tool is first sent to a model, so that a tool costs nothing
at import, and its hints may name types defined below it.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, overload

from tui.errors import ConfigError
from tui.messages import ToolSchema
from tui.tools.docstring import describe, docstring_of
from tui.tools.policy import Policy, Preview
from tui.tools.schema import Parameters

P = ParamSpec("P")
R = TypeVar("R")

# Names that OpenAI's API accepts; other servers are not stricter.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Tool(Generic[P, R]):
    """A function, coroutine function or bound method as a tool.

    Calling it calls the function. As a class attribute it binds like a method.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str = "",
        description: str = "",
        keywords: Iterable[str] = (),
        timeout: float | None = None,
        policy: Policy = "allow",
        preview: Callable[..., Preview] | None = None,
        origin: str = "",
    ) -> None:
        """Make a tool of `function`; its own name and description are the defaults.

        `keywords` are words of a question, in any language, that hint at this tool;
        only the starter model uses them. `timeout` is in seconds; None means that of
        the `ToolBox`, `math.inf` no limit. `policy` says whether a call needs the
        user's permission. `preview` is called with the arguments of a call and returns
        what the user sees before allowing it; None shows the arguments. It must have
        no effect, and may raise `ToolError` if the call cannot work. `origin` names
        where the tool is from, such as an MCP server; "" is the program itself.

        Raises `ConfigError` if the description is missing, if servers do not accept the
        name, or if the parameters cannot be passed by name.
        """
        self.function = function
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self.keywords = tuple(keywords)
        self.timeout = timeout
        self.policy: Policy = policy
        self.preview = preview
        self.origin = origin
        self._description = description
        functools.update_wrapper(self, function, updated=())
        self._check()

    @property
    def hints(self) -> str:
        """What the tool's server says that a call does, untested; "" for nothing."""
        return ""

    @property
    def is_offered(self) -> bool:
        """Whether it still is what it was made from, which a server may change."""
        return True

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function without checks or limits."""
        return self.function(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> "Tool[..., R]":
        if instance is None:
            return self
        return self._like(self.function.__get__(instance, owner), self.name)

    def renamed(self, name: str) -> "Tool[P, R]":
        """Return the same tool with another name."""
        return self._like(self.function, name)

    def _like(self, function: Callable[P, R], name: str) -> "Tool[P, R]":
        return Tool(
            function,
            name=name,
            description=self._description,
            keywords=self.keywords,
            timeout=self.timeout,
            policy=self.policy,
            preview=self.preview,
            origin=self.origin,
        )

    def __repr__(self) -> str:
        return f"<Tool {self.name}>"

    @property
    def summary(self) -> str:
        """The first line of the description, without parsing the docstring."""
        text = self._description or docstring_of(self.function)
        return text.strip().partition("\n")[0]

    @property
    def description(self) -> str:
        """What a model is told that the tool does."""
        return self._description or self._described.summary

    @functools.cached_property
    def schema(self) -> ToolSchema:
        """The schema for a model; raises `ConfigError` if a hint is wrong."""
        parameters = self._parameters.schema()
        return ToolSchema(self.name, self.description, parameters, self.keywords)

    def bind(
        self, arguments: Mapping[str, Any], repairs: list[str] | None = None
    ) -> dict[str, Any]:
        """Return a model's `arguments` converted for the function.

        `repairs` gets a line for each that was read as something else. Raises
        `ToolError` that names all unknown, missing and ill-typed arguments.
        """
        return self._parameters.bind(arguments, repairs)

    @functools.cached_property
    def _described(self):
        return describe(docstring_of(self.function))

    @functools.cached_property
    def _parameters(self) -> Parameters:
        told = self._described
        return Parameters(self.function, self._where(), told.parameters, told.types)

    def _check(self) -> None:
        if not inspect.isroutine(inspect.unwrap(self.function)):
            raise ConfigError(
                f"{self.function!r} cannot be a tool; give a function or a method."
            )
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f'{self._where()}: "{self.name}" cannot be the name of a tool; use '
                f"@tool(name=...) with up to 64 English letters, digits, _ and -."
            )
        if self.timeout is not None and not self.timeout > 0:
            raise ConfigError(f"{self._where()}: timeout must be above 0 seconds.")
        if not self._description and not docstring_of(self.function).strip():
            raise ConfigError(
                f"{self._where()} has no description: add a docstring whose first "
                f"line says what the tool does, or use @tool(description=...)."
            )
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                raise ConfigError(
                    f"{self._where()}: a model cannot fill {parameter}; name each "
                    f"parameter, or take one list or dict."
                )
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise ConfigError(
                    f"{self._where()}: arguments are passed by name, so parameter "
                    f"{parameter.name} must not be positional-only: remove the /."
                )

    def _where(self) -> str:
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        place = f" ({code.co_filename}, line {code.co_firstlineno})" if code else ""
        return f"Tool {self.name}{place}"


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...
@overload
def tool(
    *,
    name: str = "",
    description: str = "",
    keywords: Iterable[str] = (),
    timeout: float | None = None,
    policy: Policy = "allow",
    preview: Callable[..., Preview] | None = None,
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    keywords: Iterable[str] = (),
    timeout: float | None = None,
    policy: Policy = "allow",
    preview: Callable[..., Preview] | None = None,
) -> Any:
    """Make a tool of a function: `@tool`, or `@tool(...)` with options of `Tool`."""

    def make(function: Callable[..., Any]) -> Tool[..., Any]:
        return Tool(
            function,
            name=name,
            description=description,
            keywords=keywords,
            timeout=timeout,
            policy=policy,
            preview=preview,
        )

    return make if function is None else make(function)
