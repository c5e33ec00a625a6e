"""Makes tools of what programs give as one: functions, names, objects."""

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, cast

from tui.errors import ConfigError
from tui.tools import registry
from tui.tools.base import Tool
from tui.tools.docstring import docstring_of


def as_tools(item: object) -> list[Tool[..., Any]]:
    """Return the tools that `item` stands for.

    A `Tool`, a function, a bound method, a `functools.partial`, the name of a
    registered tool, or an object with `__call__` is one tool. An object that lists
    names of its methods in `__public_apis__` is a tool for each, named
    `Class_method`; if only some of these are for models, `__tool_public_apis__` lists
    them. Raises `ConfigError` for anything else.
    """
    if isinstance(item, Tool):
        return [cast(Tool[..., Any], item)]
    if isinstance(item, str):
        return [registry.get(item.strip())]
    if isinstance(item, functools.partial):
        return [_of_partial(cast("functools.partial[Any]", item))]
    if not isinstance(item, type) and hasattr(item, "__public_apis__"):
        names = getattr(item, "__tool_public_apis__", cast(Any, item).__public_apis__)
        return [_of_method(item, name) for name in names]
    if callable(item):
        made = isinstance(item, type) or inspect.isroutine(inspect.unwrap(item))
        return [Tool(item) if made else _of_method(item, "__call__")]
    raise ConfigError(
        f"{item!r:.200} is not a tool; give a function, a Tool, the name of one, or "
        f"an object with __call__ or __public_apis__."
    )


def _of_method(instance: object, method: str) -> Tool[..., Any]:
    kind = type(instance)
    name = kind.__name__ if method == "__call__" else f"{kind.__name__}_{method}"
    function: Any = getattr(instance, method, None)
    if isinstance(function, Tool):
        return cast(Tool[..., Any], function).renamed(name)
    if not callable(function):
        raise ConfigError(f"{kind.__name__} has no method {method} to be a tool.")
    # Not `inspect.getdoc`, which finds that of `type.__call__`.
    told: str | None = getattr(function, "__doc__", None)
    description = "" if told else docstring_of(kind)
    return Tool(function, name=name, description=description)


def _of_partial(given: "functools.partial[Any]") -> Tool[..., Any]:
    """Return a tool of what the partial leaves open: what is bound is not offered."""
    function: Callable[..., Any] = given.func
    if isinstance(function, Tool):
        function = cast(Tool[..., Any], function).function
    name, description = "", ""
    if not inspect.isroutine(inspect.unwrap(function)):
        made = _of_method(function, "__call__")
        function, name = made.function, made.name
        description = "" if function.__doc__ else made.summary
    signature = inspect.signature(given)
    kept = [p for p in signature.parameters.values() if p.name not in given.keywords]
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # whatever evaluating a hint raises
        raise ConfigError(f"{function!r}: a type hint is wrong: {error}.") from error

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return given(*args, **kwargs)

    call.__annotations__ = {p.name: hints[p.name] for p in kept if p.name in hints}
    cast(Any, call).__signature__ = signature.replace(parameters=kept)
    return Tool(call, name=name, description=description)
