"""Converts what a tool returns to text, without ever copying more than a limit.

A tool may return anything: 200 MB of text, a list that contains itself, an object whose
`__str__` never returns. So this runs in the tool's thread, within its time limit, and
walks a value only until it has the text that is kept.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set, ValuesView
from io import IOBase
from typing import Any, TypeAlias, cast

import msgspec

from tui import bounds
from tui.messages import Value

KEPT = bounds.LONGEST_OUTPUT
_CUT = "…"
_EACH = 8
"""Characters that a value counts beside its text, so that many small ones end too."""
_LONGEST_KEY = 200
_BITS = 4096
"""Longer integers are not written out: Python's limit is 4,300 digits."""
_Binary: TypeAlias = "bytes | bytearray | memoryview[int]"
_BINARY = (bytes, bytearray, memoryview)


class Output(Value, frozen=True):
    """The text of a result, up to `KEPT` characters."""

    text: str
    omitted: int = 0
    """How many characters of the result are not in `text`."""
    at_least: bool = False
    """`omitted` is what is known of it: the rest was not even looked at."""

    def beginning(self, limit: int) -> str:
        """Return what the model is given: `limit` characters, and a note of the rest.

        The note is not counted.
        """
        omitted = max(0, len(self.text) - limit) + self.omitted
        if not omitted and not self.at_least:
            return self.text
        many = f"more than {omitted:,}" if self.at_least else f"{omitted:,}"
        if not omitted:
            return f"{self.text}\n[the rest is omitted]"
        return f"{self.text[:limit]}\n[{many} more characters omitted]"


class Unshowable(Exception):
    """A result that has no text."""


def as_output(value: Any, kept: int = KEPT) -> Output:
    """Return a result as text: JSON unless it is text, or bytes that are.

    Other bytes are base64, as JSON writes them. What is nested too deep, contains
    itself or lies beyond `kept` characters is "…". What an iterator gives is a list.
    Raises `Unshowable`, and what an iterator raises.
    """
    if _is_iterator(value):
        value = listed(cast(Iterable[Any], value), kept)
    if isinstance(value, _BINARY):
        value = _text_of(cast(_Binary, value), kept)
    if isinstance(value, str):
        return _bounded(value, kept)
    try:
        walk = _Walk(kept)
        whole = msgspec.json.encode(walk.take(value)).decode()
        output = _bounded(whole, kept)
        if walk.is_cut:
            return Output(output.text, output.omitted, at_least=True)
        return output
    except BaseException:  # a foreign class may raise anything
        pass
    try:
        return _bounded(str(value), kept)
    except BaseException as error:
        kind = type(value).__name__
        raise Unshowable(f"a {kind} that cannot be shown") from error


def _is_iterator(value: Any) -> bool:
    return isinstance(value, Iterator) and not isinstance(value, IOBase)


def listed(items: Iterable[Any], kept: int = KEPT) -> list[Any]:
    """Return the items as a list: the first ones if they are too long, or endless."""
    found: list[Any] = []
    for item in items:
        found.append(item)
        kept -= _EACH + (len(item) if isinstance(item, str | bytes) else 0)
        if kept <= 0:
            break
    return found


def clean(text: str) -> str:
    """Replace lone surrogates, as in odd file names: JSON cannot hold them."""
    return text.encode("utf-8", "replace").decode()


def _bounded(text: str, kept: int) -> Output:
    return Output(clean(text[:kept]), max(0, len(text) - kept))


def _text_of(data: "_Binary", kept: int) -> str:
    """Return bytes as text if they are UTF-8, else as base64; what is long is cut."""
    size = memoryview(data).nbytes
    head = bytes(memoryview(data).cast("B")[: 4 * kept])
    try:
        # The last character may be cut in two.
        return head.decode() if len(head) == size else _whole_characters(head)
    except UnicodeDecodeError:
        import base64  # most results are text

        coded = base64.b64encode(head[: kept // 4 * 3]).decode()
        return coded if size <= kept // 4 * 3 else f"{coded}{_CUT} ({size:,} bytes)"


def _whole_characters(head: bytes) -> str:
    import codecs

    return codecs.getincrementaldecoder("utf-8")().decode(head)


class _Walk:
    """Copies a value to what JSON has, up to a number of characters."""

    def __init__(self, left: int) -> None:
        self.is_cut = False
        self._left = left
        self._inside: set[int] = set()

    def take(self, value: Any, depth: int = 0) -> Any:
        """Return `value` as JSON can hold it; "…" if there is no more room."""
        if self._left <= 0:
            self.is_cut = True
            return _CUT
        self._left -= _EACH
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, _BINARY):
            value = _text_of(cast(_Binary, value), self._left)
        if type(value) is str:
            return self._text(value)
        if type(value) is int:
            return _integer(value)
        if type(value) is float:
            return value if math.isfinite(value) else str(value)
        return self._container(value, depth)

    def _text(self, text: str) -> str:
        kept = max(0, self._left)
        self._left -= len(text)
        if len(text) <= kept:
            return clean(text)
        self.is_cut = True
        return f"{clean(text[:kept])}{_CUT}"

    def _container(self, value: Any, depth: int) -> Any:
        if id(value) in self._inside or depth >= bounds.DEEPEST:
            return _CUT
        identity = id(value)
        self._inside.add(identity)
        try:
            match value:
                case Mapping():
                    return self._object(cast(Mapping[Any, Any], value), depth)
                case list() | tuple() | Set() | ValuesView() | deque() | range():
                    return self._array(cast(Iterable[Any], value), depth)
                case _ if _is_iterator(value):
                    return self._array(cast(Iterable[Any], value), depth)
                case _:
                    # One of msgspec's or a foreign type. It shares its texts.
                    plain = msgspec.to_builtins(
                        value, builtin_types=_BINARY, str_keys=True, enc_hook=_foreign
                    )
                    return self.take(plain, depth + 1)
        finally:
            self._inside.discard(identity)

    def _array(self, items: Iterable[Any], depth: int) -> list[Any]:
        found: list[Any] = []
        for item in items:
            found.append(self.take(item, depth + 1))
            if self.is_cut:
                break
        return found

    def _object(self, entries: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in entries.items():
            name = _key(key)
            self._left -= len(name)
            found[name] = self.take(value, depth + 1)
            if self.is_cut:
                break
        return found


def _key(key: Any) -> str:
    plain: Any = key
    if not isinstance(key, str):
        plain = msgspec.to_builtins(key, enc_hook=str)
    if plain is None or isinstance(plain, bool):
        plain = msgspec.json.encode(plain).decode()
    name = clean(str(key if isinstance(plain, list | dict) else plain))
    return name if len(name) <= _LONGEST_KEY else f"{name[:_LONGEST_KEY]}{_CUT}"


def _integer(value: int) -> int | str:
    if -(2**63) <= value < 2**64:
        return value
    if value.bit_length() <= _BITS:
        return str(value)
    return f"an integer of {value.bit_length():,} bits"


def _foreign(value: Any) -> Any:
    dump: Callable[..., Any] | None = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    # Arrays and numbers of NumPy and its like, of which `str` leaves the middle out.
    unpack: Callable[[], Any] | None = getattr(value, "tolist", None)
    size = getattr(value, "size", 0)
    if unpack is not None and isinstance(size, int) and size <= KEPT:
        return unpack()
    return str(value)
