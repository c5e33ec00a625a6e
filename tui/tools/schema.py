"""Builds JSON Schema from type hints, and checks arguments against them.

Only the hints decide; the docstring and `Annotated` just describe. Where there is no
hint, the type that the docstring names is one. msgspec supports
nearly all hints. This module adds pydantic's models (without importing pydantic), paths
and unions that msgspec rejects.
"""

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Union, cast, get_args, get_origin

import msgspec

from tui import nearly_json
from tui.errors import ConfigError, ToolError
from tui.tools.docstring_types import hint_of
from tui.tools.inline import inline
from tui.tools.locating import located
from tui.tools.repairs import repaired
from tui.tools.wording import words

Json = dict[str, Any]

_UNIONS = (Union, types.UnionType)
_CONSTRAINTS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")


_FORMATS: dict[type, str] = {datetime: "date-time", time: "time"}
_SHORT = 200
"""Characters of a value in words about it."""


class Parameters:
    """The parameters of a function: their schema, and checks of arguments."""

    def __init__(
        self,
        function: Callable[..., Any],
        where: str,
        described: Mapping[str, str],
        types: Mapping[str, str],
    ) -> None:
        """Read the hints of `function`, which `where` names in errors.

        `described` and `types` hold what the docstring says, by parameter. Raises
        `ConfigError` for a hint that does not resolve or that JSON cannot represent.
        """
        try:
            hints = typing.get_type_hints(function, include_extras=True)
        except Exception as error:
            raise ConfigError(f"{where}: a type hint is wrong: {error}.") from error
        self._all: dict[str, _Parameter] = {}
        self._rest: _Parameter | None = None
        """What `**kwargs` takes."""
        for p in inspect.signature(function).parameters.values():
            hint = hints[p.name] if p.name in hints else hint_of(types.get(p.name, ""))
            parameter = _Parameter(p, hint, described.get(p.name, ""), where)
            if p.kind is p.VAR_KEYWORD:
                self._rest = parameter
            else:
                self._all[p.name] = parameter

    def schema(self) -> Json:
        """Return the JSON Schema of an object with a property for each parameter.

        It has no external references; only recursive types stay in `$defs`.
        """
        definitions: dict[str, Json] = {}
        properties = {p.name: p.schema(definitions) for p in self._all.values()}
        whole: Json = {"type": "object", "properties": properties}
        if required := [p.name for p in self._all.values() if p.required]:
            whole["required"] = required
        if self._rest:
            whole["additionalProperties"] = self._rest.schema(definitions) or True
        if definitions:
            whole["$defs"] = definitions
        return whole

    def bind(
        self, arguments: Mapping[str, Any], repairs: list[str] | None = None
    ) -> dict[str, Any]:
        """Return `arguments` converted to the types of the hints.

        Close equivalents are accepted: "3" for 3 and 3 for "3", a list written as a
        JSON string, one value for a list of it, null for an argument that has a
        default. What stands for something else is added to `repairs`, in words. Raises
        `ToolError` that names all unknown, missing and ill-typed arguments.
        """
        bound: dict[str, Any] = {}
        given = dict(self._all)
        problems: list[str] = []
        for name in arguments:
            if name not in self._all:
                if self._rest:
                    given[name] = self._rest
                else:
                    problems.append(self._unknown(name))
        for name, parameter in given.items():
            if name not in arguments:
                if parameter.required:
                    problems.append(f"{name} is missing")
                continue
            value = arguments[name]
            try:
                converted = parameter.convert(value)
            except Exception as error:  # foreign types may raise anything
                if value is None and not parameter.required:
                    continue
                problems.append(f"{name}{parameter.complaint(error, value)}")
                continue
            bound[name] = converted.value
            if repairs is not None and not converted.is_exact:
                repairs.append(f"{name}: {_short(value)} → {_short(converted.value)}")
        if problems:
            raise ToolError("; ".join(problems))
        return bound

    def _unknown(self, name: str) -> str:
        if not self._all:
            return f"{name} is unknown (there are no parameters)"
        return f"{name} is unknown (the parameters are {', '.join(self._all)})"


class _Parameter:
    """One parameter: its schema, and conversion of its values."""

    def __init__(
        self, parameter: inspect.Parameter, hint: Any, description: str, where: str
    ) -> None:
        self.name = parameter.name
        self.required = parameter.default is parameter.empty
        if parameter.kind is parameter.VAR_KEYWORD:
            description = ""  # it would stand at each value
        self._default = parameter.default
        if parameter.default is None:
            hint = Union[hint, None]  # noqa: UP007 - not all hints can be or-ed
        hint, annotated = _split(hint)
        if get_origin(hint) in _UNIONS and not annotated:
            found = (_split(m)[1] for m in get_args(hint))
            annotated = next(filter(None, found), "")
        self._description = annotated or description
        self._members = self._known(_formatted(hint), where)

    def _known(self, hint: Any, where: str) -> list[Any]:
        """Return the hint, or the members of a union that msgspec rejects."""
        try:
            msgspec.json.schema(hint, schema_hook=_hook)
            return [hint]
        except (
            Exception
        ) as error:  # raised by msgspec, pydantic or the type's own module
            if get_origin(hint) in _UNIONS:
                members = [self._known(_split(m)[0], where) for m in get_args(hint)]
                return [m for some in members for m in some]
            raise ConfigError(
                f"{where}: JSON cannot represent parameter {self.name} with its type "
                f"hint {hint}: {str(error).splitlines()[0]}."
            ) from error

    def schema(self, definitions: dict[str, Json]) -> Json:
        """Return the schema; recursive types go to `definitions`."""
        schemas, components = msgspec.json.schema_components(
            self._members, schema_hook=_hook, ref_template="#/$defs/{name}"
        )
        found: list[Json] = [inline(s, components, definitions) for s in schemas]
        schema: Json = found[0] if len(found) == 1 else {"anyOf": found}
        if self._description:
            schema["description"] = self._description
        if not self.required:
            try:
                schema["default"] = msgspec.to_builtins(
                    self._default, str_keys=True, enc_hook=_dump
                )
            except (TypeError, NotImplementedError, ValueError):
                schema.pop("default", None)  # an object that JSON cannot represent
        return schema

    def convert(self, value: Any) -> "_Converted":
        """Return `value` converted to the hint; raises `ValidationError`.

        An exact match wins over a lenient conversion, so that "3" stays a string for
        `int | str`, and that over a repair.
        """
        errors: list[Exception] = []
        for strict in (True, False):
            for member in self._members:
                try:
                    return _Converted(_convert(value, member, strict), strict)
                except Exception as error:  # foreign types may raise anything
                    errors.append(error)
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            # Small models write a list or an object as a string.
            with suppress(Exception):  # foreign types may raise anything
                if (read := nearly_json.read(value)) is not None:
                    return _Converted(self.convert(read).value, is_exact=False)
        found: list[Any] = []
        for member in self._members:
            with suppress(Exception):
                convert = partial(_convert, hint=member, strict=False)
                found.append(repaired(value, convert, self._choices()))
        if len(found) == 1:
            return _Converted(found[0], is_exact=False)
        raise errors[len(self._members)]  # what is close enough is not complained of

    def _choices(self) -> list[Any]:
        schema = self.schema({})
        parts: list[Json] = [schema, *schema.get("anyOf", ())]
        return [choice for part in parts for choice in part.get("enum", ())]

    def complaint(self, error: Exception, value: Any) -> str:
        """Describe what is wrong with `value`: the place in it, and why."""

        def fails(part: Any) -> bool:
            try:
                _convert(part, self._members[0], False)
            except Exception as fault:  # foreign types may raise anything
                return words(fault) == words(error)
            return False

        text = (words(error) or type(error).__name__).replace("`", "")
        text, _, path = text.partition(" - at $")
        path = located(path, value, fails)
        choices = [c for c in self._choices() if c is not None]
        if choices and not path:
            text = f"must be one of {', '.join(map(str, choices))}"
        return f"{path}: {text[:1].lower()}{text[1:]}"


class _Converted(NamedTuple):
    value: Any
    is_exact: bool
    """Whether it is what was written, and not only what is meant."""


def _short(value: Any) -> str:
    try:
        text = msgspec.json.encode(value, enc_hook=_dump_or_text).decode()
    except Exception:  # foreign types may raise anything
        text = type(value).__name__
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _dump_or_text(value: Any) -> Any:
    try:
        return _dump(value)
    except NotImplementedError:
        return str(value)


def _split(hint: Any) -> tuple[Any, str]:
    """Split `Annotated` into the hint with its limits, and the description.

    Supports plain strings, msgspec's `Meta`, pydantic's `Field`, annotated-types and
    typing's `Doc`; the last three are recognised by their attributes.
    """
    if get_origin(hint) is not Annotated:
        return hint, ""
    base, *extras = get_args(hint)
    description, limits, kept = "", dict[str, Any](), list[msgspec.Meta]()
    for extra in extras:
        if isinstance(extra, str):
            description = extra
        elif isinstance(extra, msgspec.Meta):
            description = extra.description or description
            kept.append(extra)
        else:
            text = getattr(extra, "description", None)
            text = text or getattr(extra, "documentation", None)
            description = text if isinstance(text, str) else description
            for part in (extra, *getattr(extra, "metadata", ())):
                for limit in _CONSTRAINTS:
                    if (value := getattr(part, limit, None)) is not None:
                        limits[limit] = value
    if limits:
        kept.append(msgspec.Meta(**limits))
    for meta in kept:
        base = Annotated[base, meta]
    return base, description


def _formatted(hint: Any) -> Any:
    """Return a hint with the formats of times, which msgspec does not tell."""
    if hint is object:
        return Any
    if isinstance(hint, type) and (format := _FORMATS.get(hint)):
        extra = msgspec.Meta(extra_json_schema={"format": format})
        return Annotated[hint, extra]
    origin, parts = get_origin(hint), get_args(hint)
    if origin in _UNIONS:
        return Union[tuple(map(_formatted, parts))]  # noqa: UP007
    if origin in (list, set, dict, tuple) and parts:
        inner = tuple(part if part is ... else _formatted(part) for part in parts)
        return types.GenericAlias(origin, inner)
    return hint


def _convert(value: Any, hint: Any, strict: bool) -> Any:
    converted = msgspec.convert(
        value, hint, strict=strict, dec_hook=_load, str_keys=True
    )
    # "nan" and "inf" in a string are words, not intended numbers.
    read = isinstance(value, str) and isinstance(converted, float)
    if read and not math.isfinite(converted):
        raise msgspec.ValidationError("Expected `float`, got `str`")
    return converted


def _hook(hint: Any) -> Json:
    """Return the schema of a type that msgspec does not support."""
    if hasattr(hint, "model_json_schema"):
        schema = cast(Json, hint.model_json_schema())
        return {"$defs": schema.pop("$defs", {}), **schema}
    if isinstance(hint, type) and issubclass(hint, Path):
        return {"type": "string", "format": "path"}
    raise NotImplementedError("it is not a supported type")


def _load(hint: Any, value: Any) -> Any:
    """Create a value of a type that msgspec does not support."""
    if hasattr(hint, "model_validate"):
        try:
            return hint.model_validate(value)
        except ValueError as error:
            raise msgspec.ValidationError(_pydantic_message(error)) from error
    if isinstance(value, str):
        return hint(value)
    raise msgspec.ValidationError(f"Expected `str`, got `{type(value).__name__}`")


def _pydantic_message(error: Any) -> str:
    return ", ".join(
        f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['msg']}" for e in error.errors()
    )


def _dump(value: Any) -> Any:
    """Convert a default that msgspec does not support to JSON values."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError
