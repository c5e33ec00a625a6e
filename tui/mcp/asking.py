"""Has the user answer what servers ask during a call (elicitation).

Without a screen, or when nobody can answer, the question is declined at once.
"""

import math
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from tui import bounds
from tui.i18n import _
from tui.mcp.text import clean, line
from tui.mcp.values import Answer, Field, Question

if TYPE_CHECKING:
    import asyncio

    import mcp_types as types
    from mcp.client import ClientRequestContext

MOST_FIELDS = 20
_MOST_CHOICES = 200
_LONGEST_MESSAGE = 4_000
_LONGEST_TEXT = 20_000
_MOST_WAITING = 8
"""Most questions that wait at a time; more are declined."""


class Asking:
    """The open questions of all servers."""

    def __init__(self) -> None:
        self.on_change: Callable[[], object] | None = None
        """Called in the loop whenever `open` has changed; None means that nobody can
        answer. Set it from any thread."""
        self._lock = threading.Lock()
        self._open: dict[str, tuple[Question, asyncio.Future[Answer]]] = {}

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions that wait for an answer, oldest first. Any thread."""
        with self._lock:
            return tuple(question for question, __ in self._open.values())

    def waits_for(self, server: str) -> bool:
        """Return whether the user has not yet answered a question of `server`."""
        return any(question.server == server for question in self.open)

    def answer(self, id: str, answer: Answer) -> None:
        """Answer a question, from any thread; one that is no longer open is ignored."""
        with self._lock:
            _, future = self._open.get(id, (None, None))
        if future is not None:
            with suppress(RuntimeError):  # the loop has ended
                future.get_loop().call_soon_threadsafe(_settle, future, answer)

    def withdraw(self, server: str) -> None:
        """Cancel the questions of a server, for which no call waits; in the loop."""
        with self._lock:
            found = [
                f for question, f in self._open.values() if question.server == server
            ]
        for future in found:
            _settle(future, Answer("cancel"))

    async def ask(
        self,
        server: str,
        context: "ClientRequestContext",
        params: "types.ElicitRequestParams",
    ) -> "types.ElicitResult | types.ErrorData":
        """Ask the user in the name of `server`; in the loop.

        If the request is cancelled, the question is no longer open.
        """
        import asyncio

        from mcp_types import INVALID_PARAMS, ElicitResult, ErrorData

        try:
            question = read_question(server, params)
        except ValueError as error:
            return ErrorData(code=INVALID_PARAMS, message=str(error))
        if self.on_change is None or len(self.open) >= _MOST_WAITING:
            return ElicitResult(action="decline")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._open[question.id] = question, future
        self._changed()
        try:
            answer = await future
        finally:
            with self._lock:
                del self._open[question.id]
            self._changed()
        content = answer.content if answer.action == "accept" else None
        return ElicitResult(
            action=answer.action,
            content=cast(Any, None if question.url else content),
        )

    def _changed(self) -> None:
        if tell := self.on_change:
            tell()


def _settle(future: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)


def read_question(server: str, params: "types.ElicitRequestParams") -> Question:
    """Return what a server asks; raises ValueError if no user could answer it."""
    id, message = uuid.uuid4().hex, clean(params.message, _LONGEST_MESSAGE).strip()
    if params.mode == "url":
        if len(params.url) > 4096 or not params.url.isprintable():
            raise ValueError(_("the address cannot be shown"))
        if not params.url.startswith(("https://", "http://")):
            raise ValueError(_("only addresses of http can be opened"))
        return Question(id, server, message, url=params.url)
    schema: dict[str, Any] = params.requested_schema
    properties = schema.get("properties")
    if bounds.is_deep(schema, 10) or not isinstance(properties, dict):
        raise ValueError(_("the requested schema must be an object with properties"))
    entries = cast(dict[str, Any], properties)
    if len(entries) > MOST_FIELDS:
        raise ValueError(
            _("at most {most_fields} fields can be asked for").format(
                most_fields=MOST_FIELDS
            )
        )
    required = cast(list[object], schema.get("required") or [])
    fields = tuple(
        _field(name, cast(dict[str, Any], about), name in required)
        for name, about in entries.items()
        if isinstance(about, dict)
    )
    return Question(id, server, message, fields)


def _field(name: str, about: dict[str, Any], required: bool) -> Field:
    kind = about.get("type")
    items: Any = about.get("items")
    within = kind == "array" and isinstance(items, dict)
    choices = _choices(cast(dict[str, Any], items) if within else about)
    least, most = about.get("minimum"), about.get("maximum")
    match kind:
        case "boolean":
            shown = "boolean"
        case "integer" | "number":
            shown = kind
        case "array":
            shown = "choices"
            least, most = about.get("minItems"), about.get("maxItems")
        case _:
            shown = "choice" if choices else "text"
            least, most = about.get("minLength"), about.get("maxLength")
    return Field(
        name,
        shown,
        line(about.get("title") or name, 60),
        line(about.get("description") or "", 200),
        required,
        _typed(about.get("default")),
        choices,
        _number(least),
        _number(most),
        line(about.get("format") or "", 20),
    )


def _choices(about: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return values and titles, in any of the forms that revisions have had."""
    titled: Any = about.get("oneOf") or about.get("anyOf")
    if isinstance(titled, list):
        pairs = [
            (str(each["const"]), str(each.get("title") or each["const"]))
            for each in cast(list[dict[str, Any]], titled)
            if "const" in each
        ]
    else:
        values = [str(value) for value in cast(list[Any], about.get("enum") or [])]
        names = [str(name) for name in cast(list[Any], about.get("enumNames") or [])]
        if len(names) != len(values):
            names = values
        pairs = list(zip(values, names, strict=True))
    return tuple((value, line(title, 100)) for value, title in pairs[:_MOST_CHOICES])


def _typed(value: Any) -> str:
    """Return a default as the user would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(each) for each in cast(list[Any], value))
        case _:
            return line(value, 1000)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def read_value(field: Field, typed: str) -> str | int | float | bool | list[str] | None:
    """Return what the user means for a field; None if it is left empty.

    Raises `ValueError` with what is wrong, in a few words.
    """
    text = typed.strip()
    if not text:
        if field.required:
            raise ValueError(_("is required"))
        return None
    match field.kind:
        case "boolean":
            return _boolean(text)
        case "integer" | "number":
            return _numeric(field, text)
        case "choice":
            return _choice(field, text)
        case "choices":
            chosen = [_choice(field, part) for part in text.split(",") if part.strip()]
            _within(field, len(chosen), _("choices"))
            return chosen
        case "text":
            _within(field, len(text), _("characters"))
            if len(text) > _LONGEST_TEXT:
                raise ValueError(_("is too long"))
            return text


def _boolean(text: str) -> bool:
    words = {"yes": True, "y": True, "true": True, "on": True, "1": True}
    words |= {"no": False, "n": False, "false": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError(_("is yes or no"))
    return words[text.lower()]


def _numeric(field: Field, text: str) -> int | float:
    try:
        number = int(text) if field.kind == "integer" else float(text)
    except ValueError:
        kind = _("a whole number") if field.kind == "integer" else _("a number")
        raise ValueError(_("must be {kind}").format(kind=kind)) from None
    if not math.isfinite(number):
        raise ValueError(_("must be a number"))
    if field.least is not None and number < field.least:
        raise ValueError(_("must be {least:g} or more").format(least=field.least))
    if field.most is not None and number > field.most:
        raise ValueError(_("must be {most:g} or less").format(most=field.most))
    return number


def _choice(field: Field, text: str) -> str:
    word = text.strip().casefold()
    if not field.choices:
        return text.strip()
    for value, title in field.choices:
        if word in (value.casefold(), title.casefold()):
            return value
    near = [v for v, t in field.choices if t.casefold().startswith(word)]
    if len(near) == 1:
        return near[0]
    names = ", ".join(title for __, title in field.choices[:10])
    raise ValueError(_("is one of: {names}").format(names=names))


def _within(field: Field, count: int, what: str) -> None:
    if field.least is not None and count < field.least:
        raise ValueError(
            _("needs {least:g} {what} or more").format(least=field.least, what=what)
        )
    if field.most is not None and count > field.most:
        raise ValueError(
            _("may have {most:g} {what}").format(most=field.most, what=what)
        )
