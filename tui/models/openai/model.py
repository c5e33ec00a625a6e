"""A model behind a server that speaks one of OpenAI's two APIs.

The file is long because a request, and what its answer tells about the server, meet
here; how each is done is in the other modules.
"""

import hashlib
import importlib
import re
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from tui import masking
from tui.config import Price
from tui.errors import Cancelled, ContextOverflow, LazychatError, ModelError, TooMuch
from tui.events import Event, NoticeGiven
from tui.i18n import _
from tui.messages import Message, Reply, ToolSchema
from tui.models import context_window, gate
from tui.models.exchanges import Exchanges
from tui.models.gate.orphan import CLOSERS
from tui.models.openai import errors, limits, vision
from tui.models.openai.address import (
    DEFAULT,
    is_local,
    is_openai,
    login,
    normalize_base_url,
    shown,
)
from tui.models.openai.client import Settings
from tui.models.openai.either_stream import EitherReader
from tui.models.openai.link import Link, LinkPool
from tui.models.openai.listing import is_list, listed
from tui.models.openai.pricing import Pricing
from tui.models.openai.requests import Requests
from tui.models.openai.sender import Attempts, Sender
from tui.models.openai.servers import server_of
from tui.models.openai.stream import AnswerReader, Response
from tui.models.openai.window import Window, own_size, told, told_elsewhere
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation, Turn

Schemas = Mapping[str, dict[str, Any]]
_ALWAYS_THINKS = re.compile(
    r"(^|[/_-])qwq\b|deepseek-r1(?!-zero)|qwen3.*thinking|glm-z1|exaone-deep|openthinker"
)
"""Models whose template opens their reasoning: they do not write its mark."""
_ASKS_FROM = 3000
"""Tokens from which the server is asked for its window before it is asked anything
else: shorter conversations fit any."""
_LOOK_UP_SECONDS = 2.0


def preload() -> None:
    """Import what takes 0.5 s of CPU. Call it in a thread at startup."""
    importlib.import_module("openai.resources.chat.completions")
    gate.preload()


class OpenAIModel:
    """A model on a server. Thread-safe.

    Imports and sends nothing before the first `generate`.
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
        supplier: str = "",
        exchanges: Exchanges | None = None,
        ca_file: str = "",
        proxy: str = "",
        images: bool | None = None,
        price: Price | None = None,
    ) -> None:
        """Describe the model; raises `ConfigError` for a bad `base_url`.

        `api_key`: a function is called before each request, in a thread of its own,
        and may block; None is for servers that want none. `key_hint`: the variable
        that it comes from, for messages. `dialect`: how the model writes calls in
        text, for the gate; "" finds it by the model's name. `options` go into each
        request as they are. `api`: `chat`, `responses`, or `auto`, which is chat
        completions until the server says that the model wants the Responses API; names
        of options are translated for that. `stream=False`: for a server that cannot.
        `timeout`: seconds without a byte until an answer is abandoned, of which it has
        `connect_timeout` to be connected; see `limits.QUIET` for a server that sends
        something, but nothing of the answer. `max_retries`: tries after the first when
        there is no connection, or a status 429 or 5xx; a `Retry-After` up to two
        minutes is waited for. `context`: the model's window in tokens, 0 to find it
        out. `supplier`: a name in `servers.SERVERS`, whose rules hold at this address
        too; "" for what the address says. `exchanges`: where requests and responses
        are kept for the debug panel. `ca_file`: a file of certificates to trust in
        place of the usual ones. `proxy`: the address of the one proxy to ask; "" for
        those of the environment. `images`: whether the model takes pictures, None to
        find it out. `price`: what tokens cost, None to take what the server says.
        """
        self._name = name
        self._model = model
        self._base_url = normalize_base_url(base_url or DEFAULT)
        masking.remember_login(login(self._base_url))
        masking.remember_login(login(proxy))
        self._api_key = api_key
        self._key_hint = key_hint
        self._dialect = dialect or gate.dialect_of_name(model)
        self._options = dict(options or {})
        self._settings = Settings(
            self._base_url,
            is_openai(self._base_url),
            is_local(self._base_url),
            timeout,
            connect_timeout,
            ca_file,
            proxy,
        )
        self._links = LinkPool(self._settings, self._find_key)
        # What it is known by, until an answer of its own tells.
        self._starts_open = bool(_ALWAYS_THINKS.search(model.lower()))
        self.origin = _digest(shown(self._base_url), model)
        """The `Message.origin` of its messages."""
        kind = server_of(self._base_url, supplier)
        self._requests = Requests(model, kind, self.origin, self._options, stream)
        self._sender = Sender(
            name,
            model,
            self._links,
            self._requests,
            base_url=self._base_url,
            key_hint=key_hint,
            origin=self.origin,
            api=api,
            options=self._options,
            stream=stream,
            timeout=timeout,
            max_retries=max_retries,
            exchanges=exchanges or Exchanges(),
        )
        if not context and self._settings.own_service:
            context = own_size(model)
        self._window = Window(context, _max_tokens(self._options))
        self._images = vision.by_name(model) if images is None else images
        self._pricing = Pricing(price)
        self._told_of = ""
        """The pictures of which the user was told that they are not sent."""
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

    @property
    def calls_tools(self) -> bool:
        """Whether it takes tools; true until the server refuses them."""
        return "tools" not in self._sender.taken.left_out

    @property
    def sees(self) -> bool | None:
        """Whether it takes pictures; None if that is not known."""
        return self._images if self._sender.taken.form.images else False

    def _blind_to(self, messages: Sequence[Message]) -> str:
        """Return a notice if pictures are only named to the model, once for each."""
        if self._images is not False:
            return ""
        self._sender.send_no_images()
        files = (file for message in messages for file in message.attachments)
        names = ", ".join(dict.fromkeys(file.name for file in files if file.is_image))
        if not names or names == self._told_of:
            return ""
        self._told_of = names
        return _(
            "{name} cannot see pictures, so it only gets their names: {names}. If it "
            "can, set images = true in [models.{name}]."
        ).format(name=self._name, names=names)

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """See `Model.generate`."""
        turn.cancel.raise_if_requested()
        if blind := self._blind_to(messages):
            yield NoticeGiven(blind)
        window = self._window
        fitted = window.fit(messages, tools)
        if fitted.tokens > _ASKS_FROM and not window.size:
            self.learn_window(turn.cancel)
            fitted = window.fit(messages, tools)
        attempts = self._sender.begin()
        below = 0
        while True:
            reader: AnswerReader | None = None
            link: Link | None = None
            size = 0 if below else window.size
            asked = fitted.messages
            try:
                link, response = yield from self._sender.open(
                    asked, tools, turn, attempts
                )
                if fitted.left_out:
                    yield context_window.notice(fitted, self._name, size, turn)
                with turn.cancel.on(link.abort):
                    body: Iterator[bytes] = response.iter_bytes()
                    if attempts.exchange:
                        body = attempts.exchange.listen(body)
                    offered = self._requests.tools(tools, attempts.tried[-1])
                    schemas = {tool.name: tool.parameters for tool in offered}
                    builder = self._builder(turn, schemas or None)
                    where = self._sender.where(link)
                    kind = response.headers.get("content-type", "")
                    if unread := limits.unread_encoding(response):
                        raise errors.packed(unread, kind, where)
                    in_round = asked[-1:] != [] and asked[-1].role == "tool"
                    reader = EitherReader(
                        Response(
                            builder,
                            turn.cancel,
                            where,
                            size,
                            kind,
                            self.origin,
                            self._settings.timeout,
                            in_round,
                        ),
                        attempts.newer,
                    )
                    answer = self._pricing.priced(reader.read(body))
                    reply = yield from self._answer(attempts, answer)
            except ContextOverflow as overflow:
                if link is not None:
                    link.close()
                if overflow.passing:
                    below = window.once(fitted, overflow)
                else:
                    window.refused(fitted, overflow)
                shorter = window.fit(messages, tools, below)
                begun = reader is not None and reader.begun
                if begun or len(shorter.messages) >= len(fitted.messages):
                    raise
                fitted = shorter
            except ModelError:
                if link is not None:
                    link.close()
                refusal = reader and reader.refusal
                if refusal is None or link is None:
                    raise
                if not self._sender.learn(refusal, link, tools, attempts):
                    pause = self._sender.pause_after(refusal, link, attempts)
                    if pause is None:
                        raise
                    yield from self._sender.wait(pause, turn, attempts)
            except BaseException:
                # Also when the generator is closed before its end.
                if link is not None:
                    link.close()
                raise
            else:
                break
        if builder.starts_open is not None:
            self._starts_open = builder.starts_open
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
        """Ask the server for the size of the window, unless known or already asked.

        Blocks for a few seconds at most. A failure leaves the size unknown.
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
                if self._images is None:
                    self._images = vision.told(body, self._model)
                self._pricing.learn(body, self._model)
                size, path = told(body, self._model)
                self._window.set(size)
            if path and not self._window.size:
                body = link.look_up(cancel, root + path, _LOOK_UP_SECONDS)
                self._window.set(told_elsewhere(path, body, self._model))
                if self._images is None and path == "/props":
                    self._images = vision.told_by_llama(body)
                if path == "/api/ps" and not self._window.size:
                    self._ask_at = path  # to be asked again when the model is loaded
        finally:
            # It is connected: the first question need not wait for that.
            self._links.take_back(link, iter(()))

    def listed(self, seconds: float) -> list[str] | None:
        """Ask the server which models it has: does it answer, and take the key?

        Blocks, for `seconds` at most. Returns their ids, None if the server answers but
        has no such list. Raises `LazychatError` with what a question would run into.
        """
        cancel = Cancellation()
        timer = threading.Timer(seconds, cancel.request)
        timer.daemon = True
        timer.start()
        link = self._links.new()
        try:
            body = link.read(cancel, "/models", seconds)
            if isinstance(body, str) and errors.is_html(body):
                raise errors.web_page(body, self._sender.where(link))
            return list(listed(body).ids) if is_list(body) else None
        except Cancelled:
            if self._api_key is not None and not link.key:
                raise ModelError(
                    _(
                        "[models.{name}]: api_key_cmd has not printed a key within "
                        "{seconds:g} seconds. Run it yourself to see what it waits for."
                    ).format(name=self._name, seconds=seconds),
                    "missing_key",
                ) from None
            raise errors.timeout_error(seconds, self._sender.where(link)) from None
        except TooMuch as error:
            raise errors.endless_list(self._sender.where(link)) from error
        except LazychatError:
            raise
        except ValueError as error:
            raise errors.unreadable_list(self._sender.where(link)) from error
        except Exception as error:
            response = getattr(error, "response", None)
            page = response is not None and errors.is_html(response.text)
            if getattr(error, "status_code", 0) in (404, 405, 501) and not page:
                return None
            failure, __ = self._sender.failure(error, link, cancel, False)
            if failure is None:
                raise
            raise failure from error
        finally:
            timer.cancel()
            link.close()

    def close(self) -> None:
        """Close the connections that are kept for the next round."""
        self._links.close()

    def _answer(
        self, attempts: Attempts, answer: Generator[Event, None, Reply]
    ) -> Generator[Event, None, Reply]:
        """Yield the pending notices before the answer's first event; keep the form.

        Only once there is an answer: a good status may be followed by an error.
        """
        try:
            event = next(answer)
        except StopIteration as stop:
            self._sender.keep(attempts)
            yield from map(NoticeGiven, attempts.notices)
            return stop.value
        self._sender.keep(attempts)
        yield from map(NoticeGiven, attempts.notices)
        yield event
        return (yield from answer)

    def _builder(self, turn: Turn, schemas: Schemas | None) -> ReplyBuilder:
        plain = gate.Gate(self._dialect, schemas)
        if not self._starts_open:
            return ReplyBuilder(turn, plain)
        begun = gate.Gate(self._dialect, schemas, True, closers=CLOSERS)
        return ReplyBuilder(turn, begun, plain)

    def _find_key(self) -> str:
        """Return the key, "" for none."""
        if self._api_key is None:
            return ""
        key = self._api_key if isinstance(self._api_key, str) else self._api_key()
        key = key.strip()
        source = self._key_hint or _("its api_key")
        if not key:
            raise ModelError(
                _("{name} needs an API key for {base_url}. Set {source}.").format(
                    name=self._name, base_url=shown(self._base_url), source=source
                ),
                "missing_key",
            )
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise ModelError(
                _(
                    "The API key in {source} has characters that no key contains. "
                    "Copy it again."
                ).format(source=source),
                "unauthorized",
            )
        masking.remember_key(key)
        return key


def _digest(base_url: str, model: str) -> str:
    """Return a `Message.origin`: it stands in the log, and in exports."""
    text = f"{base_url}\n{model}".encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _max_tokens(options: Mapping[str, Any]) -> int | None:
    """Return how long an answer may be by the request's own options."""
    for name in ("max_completion_tokens", "max_tokens"):
        if isinstance(options.get(name), int):
            return options[name]
    return None
