"""Reads the JSON of an answer and checks it against the schema of `ask --schema`."""

import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec

from tui import bounds, nearly_json
from tui.cli.json_schema import Schema
from tui.errors import ConfigError
from tui.i18n import _
from tui.safe import safe_json

LARGEST = 1 << 18
"""Most bytes of a schema: it stands in each request."""
PATTERN_SECONDS = 5.0
"""Most seconds that the check of an answer by a schema with patterns takes."""
_CHECKER = "json_schema.py"
_FENCE = re.compile(
    r"^[ \t]*(```|~~~)[^\n`]*\n(.*?)^[ \t]*\1", re.DOTALL | re.MULTILINE
)
_SIGNS = re.compile(r'[{}\[\]]|"(?:[^"\\]|\\.)*+"', re.DOTALL)
_MOST_VALUES = 8
"""Values of an answer that are tried."""


class Checked(NamedTuple):
    """What became of an answer."""

    text: str
    """The JSON in one line; "" if there is none that fits."""
    fault: str = ""
    """What is wrong with the answer, without a full stop."""


class AnswerSchema:
    """The schema in a file, which an answer must fit."""

    def __init__(self, file: str) -> None:
        """Read a file, or "-" for standard input; raises `ConfigError` if it fails."""
        self.name = _("standard input") if file == "-" else file
        """What it is called in messages."""
        try:
            with _opened(file) as opened:
                data = opened.read(LARGEST + 1)
            if len(data) > LARGEST:
                raise ValueError(
                    _("it is larger than {largest} kB").format(largest=LARGEST >> 10)
                )
            read = bounds.decode(data.removeprefix(b"\xef\xbb\xbf"))
            if not isinstance(read, dict):
                raise ValueError(_("a schema must be a JSON object"))
            self._schema = Schema(read)
            self._has_patterns = b'"pattern' in data
        except OSError as error:
            raise ConfigError(f"--schema {self.name}: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"--schema {self.name}: {error}.") from error
        self.schema = cast(dict[str, Any], read)
        self.unknown = self._schema.unknown
        """The keywords that are not checked."""

    def check(self, answer: str) -> Checked:
        """Return the JSON of an answer, or what is wrong with it.

        A model that was told to write nothing else may still put it into a code fence,
        with sentences around it. If it writes several values, one must fit.
        """
        values = _values(answer)
        if not values:
            return Checked(
                "", _("it is not JSON") if answer.strip() else _("it is empty")
            )
        faults = [self._fault(value) for value in values]
        fitting = [
            safe_json(msgspec.json.encode(value).decode())
            for value, fault in zip(values, faults, strict=True)
            if not fault
        ]
        if len(set(fitting)) > 1:
            return Checked("", _("it has more than one JSON value"))
        return Checked(fitting[0]) if fitting else Checked("", faults[-1][:500])

    def _fault(self, value: Any) -> str:
        if self._has_patterns:
            return _fault_in_time(self.schema, value)
        try:
            return self._schema.fault(value)
        except (ValueError, RecursionError) as error:
            return str(error)

    def again(self, fault: str) -> str:
        """Return the question that asks for a better answer."""
        return (
            f"Your answer does not fit the JSON Schema: {fault}. Give the whole answer "
            f"again, corrected."
        )


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")


def _fault_in_time(schema: Any, value: Any) -> str:
    """Return what is wrong with `value`, by a process that can be ended.

    A pattern of the schema may take longer than the universe for an unlucky text.
    """
    import subprocess  # seldom needed

    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name(_CHECKER))],
            input=msgspec.json.encode([schema, value]),
            capture_output=True,
            timeout=PATTERN_SECONDS,
            start_new_session=True,
        )
        return msgspec.json.decode(done.stdout, type=str)
    except subprocess.TimeoutExpired:
        return _(
            "a pattern of the schema takes more than {pattern_seconds:g} seconds to "
            "check"
        ).format(pattern_seconds=PATTERN_SECONDS)
    except (OSError, msgspec.DecodeError):
        return _("its patterns could not be checked")


def _values(answer: str) -> list[Any]:
    """Return the JSON values of an answer: the whole, or those in fences or words."""
    fenced = [text.strip() for _, text in _FENCE.findall(answer)]
    for texts in ([answer.strip()], fenced, _within(answer)):
        if found := [value for text in texts for value in _decoded(text)]:
            return found[-_MOST_VALUES:]
    # What is nearly JSON is read only where it is clear what belongs to it.
    texts = [answer.strip(), *(fenced if len(fenced) == 1 else ())]
    if found := re.search(r"[{\[]", answer):
        texts.append(answer[found.start() :].strip())
    for text in texts:
        if text[:1] in ("{", "[") and (value := nearly_json.read(text)) is not None:
            return [value]
    return []


def _decoded(text: str) -> list[Any]:
    try:
        return [bounds.decode(text)]
    except ValueError:
        return []


def _within(text: str) -> Iterator[str]:
    """Yield what is in brackets, with them, from the outermost pair to its partner."""
    at = 0
    while begin := re.compile(r"[{\[]").search(text, at):
        depth = 0
        for sign in _SIGNS.finditer(text, begin.start()):
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign[0], 0)
            if not depth:
                at = sign.end()
                break
        else:
            return  # what is in it may be only a part of a value
        yield text[begin.start() : at]
