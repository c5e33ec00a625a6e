"""A model behind a server that speaks OpenAI's chat completions API."""

import importlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from tui import masking
from tui.errors import ContextOverflow, LazychatError, ModelError
from tui.events import Event, NoticeGiven
from tui.messages import Message, Reply, ToolSchema
from tui.models import context_window, gate
from tui.models.openai import errors, limits
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
        options: Mapping[str, Any] | None = None,
        stream: bool = True,
        timeout: float = 600.0,
        max_retries: int = 2,
        context: int = 0,
    ) -> None:
        """Describe the model; raises `ConfigError` for a bad `base_url`.

        `api_key`: a function is called before each request, in a thread of its own,
        and may block; None is for servers that want none. `key_hint`: the variable
        that it comes from, for messages. `dialect`: how the model writes calls in
        text, for the gate; "" finds it by the model's name. `options` go into each
        request as they are. `stream=False`: for a server that cannot stream.
        `timeout`: seconds without a byte until an answer is given up. `max_retries`:
        tries after the first when there is no connection, or a status 429 or 5xx; a
        `Retry-After` up to two minutes is waited for. `context`: the model's window in
        tokens, 0 to find it out.
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
            max_retries,
        )
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
            link = self._links.lend()
            size = window.size
            try:
                response = yield from self._open(link, fitted.messages, tools, turn)
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
                    reader = AnswerReader(builder, turn.cancel, where, size, kind)
                    reply = yield from reader.read(body)
            except ContextOverflow as overflow:
                link.close()
                window.refused(fitted, overflow)
                shorter = window.fit(messages, tools)
                said = builder is not None and builder.begun
                if said or len(shorter.messages) >= len(fitted.messages):
                    raise
                fitted = shorter
            except BaseException:
                # Also when the generator is closed before its end.
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
        self,
        link: Link,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        turn: Turn,
    ) -> Generator[Event, None, Any]:
        """Send the request, again without what the server does not take."""
        tried: set[str] = set()
        while True:
            body = self._body(messages, tools)
            try:
                return link.chat(turn.cancel, body)
            except LazychatError:
                raise
            except Exception as error:
                failure = self._failure(error, link, turn)
                if failure is None:
                    raise
                lacks, refusal = failure
                # What is left out already (by another thread too) is no reason to ask
                # again for ever.
                if lacks in tried or lacks not in body:
                    raise refusal from error
                tried.add(lacks)
                self._without.add(lacks)
            if lacks == "tools":
                yield NoticeGiven(
                    f"{self._model} does not take tools on {shown(self._base_url)}, "
                    "so it is asked without them."
                )

    def _body(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema]
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": wire_messages(messages),
            "stream": self._stream,
        }
        if tools and "tools" not in self._without:
            body["tools"] = wire_tools(tools)
        if self._stream and "stream_options" not in self._without:
            body["stream_options"] = {"include_usage": True}
        return body | self._options

    def _failure(
        self, error: Exception, link: Link, turn: Turn
    ) -> tuple[str, ModelError] | None:
        """Return what the server lacks ("" for nothing known) and the error.

        None for an error that is not the library's: a fault of our own.
        """
        import openai  # loaded by now

        where = self._where(link)
        match error:
            case openai.APIStatusError():
                status = error.status_code
                message = errors.provider_message(error.response.text, where)
                lacks = errors.lacks(status, message)
                if errors.is_html(error.response.text) and 400 <= status < 410:
                    return "", errors.web_page(error.response.text, where)
                models = ()
                if errors.is_about_model(status, message):
                    models = link.models(turn.cancel, seconds=2.0)
                headers = error.response.headers
                body = error.response.text
                refusal = errors.status_error(
                    status, message, where, models, headers, body
                )
                return lacks, refusal
            case openai.APITimeoutError():
                if errors.never_connected(error):
                    return "", errors.connection_error(error, where)
                return "", errors.timeout_error(self._settings.timeout, where)
            case openai.APIConnectionError():
                return "", errors.connection_error(error, where)
            case openai.OpenAIError():
                return "", ModelError(errors.one_line(str(error), where))
            case _:
                return None

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
