"""A model that plays a script, for tests and demos.

It goes through the same gate and yields the same events as the real ones, so what
works with it works with them. Questions do not
change its answers; `requests` records them.
"""

import re
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui import bounds
from tui.errors import Cancelled, ConfigError, ModelError
from tui.events import Event, NoticeGiven, UsageReported
from tui.i18n import _
from tui.messages import Message, Reply, ToolCall, ToolSchema, Value
from tui.models.gate import Gate
from tui.models.reply import ReplyBuilder
from tui.turn import Turn


class Think(Value, frozen=True):
    """A piece of reasoning, separated by the server."""

    text: str


class Pause(Value, frozen=True):
    """Nothing is said for a while."""

    seconds: float


class Finish(Value, frozen=True):
    """How the reply ends, when it is not `stop`; may stand anywhere in it."""

    reason: str


Step = (
    str
    | Think
    | ToolCall
    | Pause
    | Finish
    | UsageReported
    | NoticeGiven
    | threading.Event
    | BaseException
)
"""One thing that happens in a reply. A `str` is one piece of the model's raw stream
and passes the gate; a `ToolCall` is a structured one. At a `threading.Event` the
model waits until it is set; an exception is raised."""


class Request(Value, frozen=True):
    """What a model was asked."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]


class ScriptedModel:
    """Plays one reply of its script at each call of `generate`.

    May be used from several threads; each call takes the next reply.
    """

    def __init__(
        self,
        script: Iterable[str | Iterable[Step]],
        *,
        name: str = "scripted",
        dialect: str = "auto",
        rate: float | None = None,
        repeat: bool = False,
    ) -> None:
        """Take `script`, a list of replies; a `str` is a reply in one piece.

        `rate` is in pieces (text or thinking) a second, None for as fast as can be.
        With `repeat` the script starts over at its end; else another call raises
        `ModelError`.
        """
        if rate is not None and rate <= 0:
            raise ValueError(f"rate must be above 0, not {rate}")
        self.requests: list[Request] = []
        """What has been asked, in the order of the calls."""
        self._script: list[list[Step]] = [
            [r] if isinstance(r, str) else list(r) for r in script
        ]
        self._name = name
        self._dialect = dialect
        self._gap = 0.0 if rate is None else 1 / rate
        self._repeat = repeat
        self._lock = threading.Lock()

    @classmethod
    def from_file(cls, path: str | Path, name: str = "scripted") -> "ScriptedModel":
        """Read a script from a TOML or JSON file; raises `ConfigError`.

        A file holds `rate`, `repeat` and `dialect` (all optional) and a list
        `reply`, each with `text`, or with `steps`, a list of tables that have one of
        the keys `text`, `reasoning`, `call` (with `arguments`), `usage` (with
        `input_tokens`, `output_tokens`), `notice`, `pause` (seconds), `wait_for` (the
        name of a file beside the script: until it is there), `error` and `finish`.
        Texts are streamed word by word.
        """
        path = Path(path)
        file = _read(path)
        return cls(
            [_steps(reply, path.parent) for reply in file.reply],
            name=name,
            dialect=file.dialect,
            rate=file.rate,
            repeat=file.repeat,
        )

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self._name

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """Play the next reply; see `Model.generate`."""
        turn.cancel.raise_if_requested()
        steps = self._next(Request(tuple(messages), tuple(tools)))
        gate = Gate(self._dialect, {tool.name: tool.parameters for tool in tools})
        builder = ReplyBuilder(turn, gate)
        finish = "stop"
        for step in steps:
            turn.cancel.raise_if_requested()
            match step:
                case str(text):
                    self._pace(turn)
                    yield from builder.text(text)
                case Think(text):
                    self._pace(turn)
                    yield from builder.reasoning(text)
                case ToolCall():
                    yield builder.opened()
                    builder.call(step)
                case Finish(reason):
                    finish = reason
                case Pause(seconds):
                    turn.cancel.wait(seconds)
                case UsageReported() | NoticeGiven():
                    yield step
                case threading.Event():
                    _wait(step, turn)
                case BaseException():
                    raise step
        turn.cancel.raise_if_requested()
        yield from builder.end_text()
        return builder.reply(finish)

    def _next(self, request: Request) -> list[Step]:
        with self._lock:
            played = len(self.requests)
            self.requests.append(request)
        if self._repeat and self._script:
            played %= len(self._script)
        if played >= len(self._script):
            raise ModelError(
                _(
                    "The script of model {name} has {count} replies, and all have "
                    "been played."
                ).format(name=self._name, count=len(self._script))
            )
        return self._script[played]

    def _pace(self, turn: Turn) -> None:
        if self._gap and turn.cancel.wait(self._gap):
            raise Cancelled


def _wait(event: threading.Event, turn: Turn) -> None:
    # Nothing waits for two events at once; a cancel, which a user feels, is the one
    # that must not be polled.
    while not event.is_set():
        if turn.cancel.wait(0.005):
            raise Cancelled


class _Appearance(threading.Event):
    """Is set once a file is there: other processes can make one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def is_set(self) -> bool:
        return super().is_set() or self._path.exists()


class _FileStep(msgspec.Struct, forbid_unknown_fields=True):
    text: str | None = None
    reasoning: str | None = None
    call: str | None = None
    arguments: dict[str, Any] = {}
    usage: UsageReported | None = None
    notice: str | None = None
    pause: float | None = None
    wait_for: str | None = None
    error: str | None = None
    finish: str | None = None


class _FileReply(msgspec.Struct, forbid_unknown_fields=True):
    text: str = ""
    steps: list[_FileStep] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    reply: list[_FileReply]
    rate: float | None = None
    repeat: bool = False
    dialect: str = "auto"


def _read(path: Path) -> _File:
    try:
        data = path.read_bytes()
        if path.suffix == ".json":
            file = bounds.decode_as(data, _File)
        else:
            file = msgspec.convert(bounds.decode_toml(data.decode()), _File)
    except OSError as error:
        raise ConfigError(
            _("Script {path} cannot be read: {strerror}.").format(
                path=path, strerror=error.strerror
            )
        ) from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise ConfigError(
            _("Script {path} cannot be used: {error}.").format(path=path, error=error)
        ) from error
    if file.rate is not None and file.rate <= 0:
        raise ConfigError(
            _("Script {path}: rate must be above 0, not {rate}.").format(
                path=path, rate=file.rate
            )
        )
    return file


def _steps(reply: _FileReply, folder: Path) -> list[Step]:
    steps: list[Step] = []
    steps += _words(reply.text)
    for step in reply.steps:
        steps += _words(step.text or "")
        steps += map(Think, _words(step.reasoning or ""))
        if step.call is not None:
            steps.append(ToolCall("", step.call, step.arguments))
        if step.usage is not None:
            steps.append(step.usage)
        if step.notice is not None:
            steps.append(NoticeGiven(step.notice))
        if step.pause is not None:
            steps.append(Pause(step.pause))
        if step.wait_for is not None:
            steps.append(_Appearance(folder / step.wait_for))
        if step.error is not None:
            steps.append(ModelError(step.error))
        if step.finish is not None:
            steps.append(Finish(step.finish))
    return steps


def _words(text: str) -> Iterator[str]:
    """Cut `text` about as a model's tokens do: words, or single Chinese characters."""
    return iter(re.findall(r"[\u3000-\u9fff]|[^\s\u3000-\u9fff]+\s*|\s+", text))
