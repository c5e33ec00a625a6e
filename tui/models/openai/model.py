"""A model behind a server that speaks one of OpenAI's two APIs."""

import importlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tui import masking
from tui.errors import ContextOverflow, LazychatError, ModelError
from tui.events import Event, NoticeGiven, RetryScheduled
from tui.messages import Message, Reply, ToolSchema
from tui.models import context_window, gate
from tui.models.openai import errors, limits, responses
from tui.models.openai.address import (
    DEFAULT,
    is_local,
    is_openai,
    login,
    normalize_base_url,
    shown,
)
from tui.models.openai.errors import Where
from tui.models.openai.link import Link, LinkPool, Settings
from tui.models.openai.responses_stream import ResponsesReader
from tui.models.openai.retries import (
    NoConnection,
    Pause,
    pause_before_retry,
    seconds_to_wait,
)
from tui.models.openai.stream import AnswerReader
from tui.models.openai.window import Window, own_size, told, told_elsewhere
from tui.models.openai.wire import wire_messages, wire_tools
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation, Turn

_ASKS_FROM = 3000
"""Tokens from which the server is asked for its window before it is asked anything
else: shorter conversations fit any."""
_LOOK_UP_SECONDS = 2.0


def preload() -> None:
    """Do what takes 0.5 s of CPU the first time. For a thread at the start."""
    importlib.import_module("openai.resources.chat.completions")
    gate.preload()


class OpenAIModel:
    """A model on a server. Any number of threads may generate at once.

    Nothing is imported or sent before the first `generate`.
    """

    def __init__(
        self,
        name: str,
        model: str,
        base_url: str | None = None,
        api_key: str | Callable[[], str] | None = None,
        *,
        key_hint: str = "",
        dialect: str = "",
        api: str = "auto",
        options: Mapping[str, Any] | None = None,
        stream: bool = True,
        timeout: float = 600.0,
        connect_timeout: float = 10.0,
        max_retries: int = 2,
        context: int = 0,
    ) -> None:
        """Describe the model; raises `ConfigError` for a bad `base_url`.

        `api_key`: a function is called before each request, in a thread of its own,
        and may block; None is for servers that want none. `key_hint`: the variable
        that it comes from, for messages. `dialect`: how the model writes calls in
        text, for the gate; "" finds it by the model's name. `options` go into each
        request as they are. `api`: `chat`, `responses`, or `auto`, which is chat
        completions until the server says that the model wants the Responses API; names
        of options are put right for that. `stream=False`: for a server that cannot.
        `timeout`: seconds without a byte until an answer is given up, of which it has
        `connect_timeout` to be connected. `max_retries`: tries after the first when
        there is no connection, or a status 429 or 5xx; a `Retry-After` up to two
        minutes is waited for. `context`: the model's window in tokens, 0 to find it
        out.
        """
        self._name = name
        self._model = model
        self._base_url = normalize_base_url(base_url or DEFAULT)
        masking.remember_login(login(self._base_url))
        self._api_key = api_key
        self._key_hint = key_hint
        self._dialect = dialect or gate.dialect_of_name(model)
        self._options = dict(options or {})
        self._stream = stream
        self._settings = Settings(
            self._base_url,
            is_openai(self._base_url),
            is_local(self._base_url),
            timeout,
            connect_timeout,
        )
        self._max_retries = max_retries
        self._api = api
        self._responses = api == "responses"
        self._origin = f"{model} at {shown(self._base_url)}"
        self._links = LinkPool(self._settings, self._find_key)
        # What this server has been found not to take.
        self._without: set[str] = set()
        if not context and self._settings.own_service:
            context = own_size(model)
        self._window = Window(context, _max_tokens(self._options))
        # Where the server is asked next for the size of the window; "" for nowhere.
        self._ask_at = "" if self._settings.own_service else "/models"

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self._name

    @property
    def window(self) -> int:
        """Tokens that question and answer may have together; 0 when not known."""
        return self._window.size

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """See `Model.generate`."""
        turn.cancel.raise_if_requested()
        window = self._window
        fitted = window.fit(messages, tools)
        if fitted.tokens > _ASKS_FROM and not window.size:
            self.learn_window(turn.cancel)
            fitted = window.fit(messages, tools)
        while True:
            builder: ReplyBuilder | None = None
            link: Link | None = None
            size = window.size
            try:
                link, response, reads = yield from self._open(
                    fitted.messages, tools, turn
                )
                if fitted.left_out:
                    yield context_window.notice(fitted, self._name, size, turn)
                with turn.cancel.on(link.abort):
                    body: Iterator[bytes] = response.iter_bytes()
                    asked = () if "tools" in self._without else tools
                    schemas = {tool.name: tool.parameters for tool in asked}
                    splitter = gate.Gate(self._dialect, schemas or None)
                    builder = ReplyBuilder(turn, splitter)
                    where = self._where(link)
                    kind = response.headers.get("content-type", "")
                    if unread := limits.unread_encoding(response):
                        raise errors.packed(unread, kind, where)
                    reader = reads(builder, turn.cancel, where, size, kind)
                    reply = yield from reader.read(body)
            except ContextOverflow as overflow:
                if link is not None:
                    link.close()
                window.refused(fitted, overflow)
                shorter = window.fit(messages, tools)
                said = builder is not None and builder.begun
                if said or len(shorter.messages) >= len(fitted.messages):
                    raise
                fitted = shorter
            except BaseException:
                # Also when the generator is closed before its end.
                if link is not None:
                    link.close()
                raise
            else:
                break
        if reader.complete:
            self._links.take_back(link, body)
        else:
            link.close()
        if reader.usage:
            window.measured(fitted, reader.usage.input_tokens)
        if self._ask_at == "/api/ps":
            threading.Thread(target=self.learn_window, daemon=True).start()
        return reply

    def learn_window(self, cancel: Cancellation | None = None) -> None:
        """Ask the server for the size of the window, unless it is known or was asked.

        Blocks, some seconds at most; what it does not tell is left at that.
        """
        path, self._ask_at = self._ask_at, ""
        if self._window.size or not path:
            return
        link = self._links.lend()
        try:
            cancel = cancel or Cancellation()
            root = self._base_url.removesuffix("/v1")
            if path == "/models":
                body = link.look_up(cancel, path, _LOOK_UP_SECONDS)
                size, path = told(body, self._model)
                self._window.set(size)
            if path and not self._window.size:
                body = link.look_up(cancel, root + path, _LOOK_UP_SECONDS)
                self._window.set(told_elsewhere(path, body, self._model))
                if path == "/api/ps" and not self._window.size:
                    self._ask_at = path  # to be asked again when the model is loaded
        finally:
            # It is connected: the first question need not wait for that.
            self._links.take_back(link, iter(()))

    def close(self) -> None:
        """Close the connections that are kept for the next round."""
        self._links.close()

    def _open(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, tuple[Link, Any, Callable[..., AnswerReader]]]:
        """Send the request until it is answered.

        Again without what the server does not take, by the API that it wants, and
        after a pause where that may help. Returns the link, the response and what
        makes a reader of it.
        """
        tried: set[str] = set()
        attempt = 0
        link = self._links.lend()
        try:
            while True:
                newer = self._responses
                body = self._body(messages, tools, newer)
                try:
                    response = link.ask(turn.cancel, body, newer)
                    return link, response, self._reader(newer)
                except LazychatError:
                    raise
                except Exception as error:
                    if not newer and self._wants_responses(error, link):
                        self._responses = True
                        continue
                    failure = self._failure(error, link, turn, body)
                    if failure is None:
                        raise
                    lacks, refusal = failure
                    # What is left out already (by another thread too) is no reason to
                    # ask again for ever.
                    without = bool(lacks) and lacks not in tried
                    pause = None
                    if not lacks and not isinstance(refusal, ContextOverflow):
                        pause = self._pause(error, attempt + 1, link)
                    if not without and pause is None:
                        raise refusal from error
                if pause is None:
                    tried.add(lacks)
                    self._without.add(lacks)
                    if lacks == "tools":
                        yield NoticeGiven(
                            f"{self._model} does not take tools on "
                            f"{shown(self._base_url)}, so it is asked without them."
                        )
                else:
                    attempt += 1
                    link.close()
                    yield RetryScheduled(
                        pause.why, pause.seconds, attempt, self._max_retries, pause.text
                    )
                    turn.cancel.wait(pause.seconds)
                    turn.cancel.raise_if_requested()
                    # What is kept may have broken together with this one.
                    link = self._links.new()
        except BaseException:
            link.close()
            raise

    def _pause(self, error: Exception, attempt: int, link: Link) -> Pause | None:
        """Return what is waited for before try `attempt` after the first one."""
        if attempt > self._max_retries:
            return None
        return pause_before_retry(error, attempt, self._where(link))

    def _body(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], newer: bool
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._model, "stream": self._stream}
        without = self._without
        if newer:
            return body | responses.request_body(
                messages, tools, self._options, self._origin, without
            )
        body["messages"] = wire_messages(messages)
        if tools and "tools" not in without:
            body["tools"] = wire_tools(tools)
        if self._stream and "stream_options" not in without:
            body["stream_options"] = {"include_usage": True}
        return body | self._options

    def _reader(self, newer: bool) -> Callable[..., AnswerReader]:
        if newer:
            return partial(ResponsesReader, origin=self._origin)
        return AnswerReader

    def _wants_responses(self, error: Exception, link: Link) -> bool:
        """Whether the server refuses chat completions for the other API's sake."""
        import openai  # loaded by now

        if self._api != "auto" or not isinstance(error, openai.APIStatusError):
            return False
        message = errors.provider_message(error.response.text, self._where(link))
        return responses.are_wanted(error.status_code, message)

    def _failure(
        self, error: Exception, link: Link, turn: Turn, body: Mapping[str, Any]
    ) -> tuple[str, ModelError] | None:
        """Return what the server lacks ("" for nothing known) and the error.

        None for an error that is not the library's: a fault of our own.
        """
        import openai  # loaded by now

        where = self._where(link)
        match error:
            case openai.APIStatusError():
                return self._refusal(error, link, turn, body)
            case NoConnection():
                # Not of what it comes from, which says less.
                error = NoConnection(error.seconds)
                return "", errors.connection_error(error, where)
            case openai.APITimeoutError():
                return "", errors.timeout_error(self._settings.timeout, where)
            case openai.APIConnectionError():
                return "", errors.connection_error(error, where)
            case openai.OpenAIError():
                return "", ModelError(errors.one_line(str(error), where))
            case _:
                return None

    def _refusal(
        self, error: Any, link: Link, turn: Turn, body: Mapping[str, Any]
    ) -> tuple[str, ModelError]:
        """Return what the server lacks ("" for nothing known) and the error."""
        where = self._where(link)
        status, said = error.status_code, error.response.text
        message = errors.provider_message(said, where)
        if errors.is_html(said) and 400 <= status < 410:
            return "", errors.web_page(said, where)
        lacks = errors.lacks(status, message)
        if lacks not in body:
            lacks = ""
        if "input" in body:
            lacks = responses.lacks(status, message, str(error.param), body) or lacks
        models = ()
        if errors.is_about_model(status, message):
            models = link.models(turn.cancel, seconds=2.0)
        elif "input" in body and status in (404, 405):
            return "", ModelError(
                f'{where.base_url} has no Responses API ({status}): "{message}". Check '
                f'base_url, or set api = "chat" for {self._name}.',
                "not_found",
            )
        headers = seconds_to_wait(error.response.headers)
        return lacks, errors.status_error(status, message, where, models, headers, said)

    def _where(self, link: Link) -> Where:
        return Where(self._model, shown(self._base_url), self._key_hint, link.key)

    def _find_key(self) -> str:
        """Return the key, "" for none."""
        if self._api_key is None:
            return ""
        key = self._api_key if isinstance(self._api_key, str) else self._api_key()
        key = key.strip()
        source = self._key_hint or "its api_key"
        if not key:
            raise ModelError(
                f"{self._name} needs an API key for {shown(self._base_url)}. "
                f"Set {source}.",
                "missing_key",
            )
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise ModelError(
                f"The API key in {source} has characters that no key has. "
                "Copy it again.",
                "unauthorized",
            )
        masking.remember_key(key)
        return key


def _max_tokens(options: Mapping[str, Any]) -> int | None:
    """Return how long an answer may be by the request's own options."""
    for name in ("max_completion_tokens", "max_tokens"):
        if isinstance(options.get(name), int):
            return options[name]
    return None
