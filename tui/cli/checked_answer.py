"""Reads the JSON of an answer and checks it against the schema of `ask --schema`."""

import re
import sys
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
_FENCE = re.compile(r"^```\w*[ \t]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Checked(NamedTuple):
    """What became of an answer."""

    text: str
    """The JSON in one line; "" if there is none that fits."""
    fault: str = ""
    """What is wrong with the answer, without a full stop."""


class AnswerSchema:
    """The schema in a file, which an answer must fit."""

    def __init__(self, file: str) -> None:
        """Read it, "-" from standard input; raises `ConfigError` if it is no schema."""
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
        """Return the JSON of an answer, or what is wrong with it."""
        value = _read(answer)
        if value is None:
            return Checked(
                "", _("it is not JSON") if answer.strip() else _("it is empty")
            )
        fault = self._fault(value[0])
        if fault:
            return Checked("", fault[:500])
        return Checked(safe_json(msgspec.json.encode(value[0]).decode()))

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


def _read(answer: str) -> tuple[Any] | None:
    """Return the JSON value in an answer, in a tuple as it may be null; None if none.

    A model that was told to write nothing else may still put it into a code fence or
    write a sentence before it.
    """
    texts = [answer.strip()]
    fenced = _FENCE.findall(answer)
    if len(fenced) == 1:
        texts.append(fenced[0].strip())
    if found := re.search(r"[{\[]", answer):
        texts.append(answer[found.start() :].strip())
    for text in texts:
        try:
            return (bounds.decode(text),)
        except ValueError:
            continue
    for text in texts:
        if text[:1] in ("{", "[") and (value := nearly_json.read(text)) is not None:
            return (value,)
    return None
