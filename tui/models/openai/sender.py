"""Sends a request until the server answers it.

Leaves out what the server refuses, switches to the API that the model needs, and
retries transient failures. Whatever led to an answer is kept for later requests.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from tui.errors import ContextOverflow, LazychatError, ModelError
from tui.events import Event, RetryScheduled
from tui.i18n import _
from tui.messages import Message, ToolSchema
from tui.models.exchanges import Exchange, Exchanges
from tui.models.openai import errors, responses
from tui.models.openai.address import shown
from tui.models.openai.errors import Where
from tui.models.openai.link import Link, LinkPool
from tui.models.openai.listing import Models
from tui.models.openai.refusals import Change, Refusal, changes
from tui.models.openai.requests import Requests, Taken, notice
from tui.models.openai.retries import (
    KeptWaiting,
    NoConnection,
    Pause,
    pause_after_refusal,
    pause_before_retry,
    seconds_to_wait,
)
from tui.turn import Cancellation, Turn


class Attempts(msgspec.Struct):
    """The state of one question: what has been tried to get an answer."""

    tried: list[Taken]
    """How the requests were written; the last one is the current one."""
    without: set[str]
    """What the Responses API is asked without, in the words of `responses.lacks`."""
    notices: list[str] = []
    """What the user is to be told when there is an answer."""
    retries: int = 0
    """Tries after the first one, for what may pass by itself."""
    body: dict[str, Any] = {}
    """The last request."""
    newer: bool = False
    """Whether that was one of the Responses API."""
    exchange: Exchange | None = None
    """What the debug panel shows of the last request."""


class Sender:
    """Sends the requests to one model of one server. Thread-safe."""

    def __init__(
        self,
        name: str,
        model: str,
        links: LinkPool,
        requests: Requests,
        *,
        base_url: str,
        key_hint: str,
        origin: str,
        api: str,
        options: Mapping[str, Any],
        stream: bool,
        timeout: float,
        max_retries: int,
        exchanges: Exchanges,
    ) -> None:
        """See `OpenAIModel` for the arguments; `origin` is as of `Message.origin`."""
        self.taken: Taken = requests.taken
        """The form of chat completions that this model is known to accept."""
        self._name = name
        self._model = model
        self._links = links
        self._requests = requests
        self._base_url = base_url
        self._key_hint = key_hint
        self._origin = origin
        self._api = api
        self._responses = api == "responses"
        self._options = options
        self._stream = stream
        self._timeout = timeout
        self._max_retries = max_retries
        self._exchanges = exchanges
        # What its Responses API does not take, in the words of `responses.lacks`.
        self._without: set[str] = set()

    def send_no_images(self) -> None:
        """Only name pictures from now on: the model is known not to take them."""
        self._without.add("images")
        form = msgspec.structs.replace(self.taken.form, images=False)
        self.taken = msgspec.structs.replace(self.taken, form=form)

    def begin(self) -> Attempts:
        """Return the state of a question that has not been sent yet."""
        return Attempts([self.taken], set(self._without), newer=self._responses)

    def open(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        turn: Turn,
        attempts: Attempts,
    ) -> Generator[Event, None, tuple[Link, Any]]:
        """Send the request until it is answered; return the link and the response.

        Yields `RetryScheduled` before each wait. `attempts.newer` tells which API has
        answered. Raises `ModelError` when giving up, and `Cancelled`.
        """
        link = self._links.lend()
        try:
            while True:
                newer = attempts.newer
                # Beside tools, some servers refuse it, and others never call one.
                schema = None if tools else turn.schema
                attempts.body = self._body(
                    messages, tools, attempts, turn.options, schema
                )
                exchange = self._begin_exchange(turn, attempts)
                try:
                    response = link.ask(turn.cancel, attempts.body, newer)
                except LazychatError:
                    raise
                except Exception as error:
                    _note_failure(exchange, error)
                    if not newer and self._wants_responses(error, link):
                        attempts.newer = True
                        continue
                    failure, refusal = self.failure(error, link, turn.cancel, newer)
                    if failure is None:
                        raise
                    if refusal is not None and self.learn(
                        refusal, link, tools, attempts, str(getattr(error, "param", ""))
                    ):
                        continue
                    pause = None
                    if not isinstance(failure, ContextOverflow):
                        pause = self._pause(error, attempts, link)
                    if pause is None:
                        raise failure from error
                    link.close()
                    yield from self.wait(pause, turn, attempts)
                    # What is kept may have broken together with this one.
                    link = self._links.new()
                else:
                    exchange.outcome = str(response.status_code)
                    break
        except BaseException:
            link.close()
            raise
        return link, response

    def _begin_exchange(self, turn: Turn, attempts: Attempts) -> Exchange:
        """Keep a copy of the request that is sent now, for the debug panel."""
        path = "responses" if attempts.newer else "chat/completions"
        address = f"{shown(self._base_url)}/{path}"
        exchange = self._exchanges.begin(turn.id, turn.message_id, self._name, address)
        exchange.asked(attempts.body)
        attempts.exchange = exchange
        return exchange

    def wait(
        self, pause: Pause, turn: Turn, attempts: Attempts
    ) -> Generator[Event, None, None]:
        """Say that the request will be sent again, and wait until then.

        Raises `Cancelled`.
        """
        attempts.retries += 1
        yield RetryScheduled(
            pause.why, pause.seconds, attempts.retries, self._max_retries, pause.text
        )
        turn.cancel.wait(pause.seconds)
        turn.cancel.raise_if_requested()

    def pause_after(
        self, refusal: Refusal, link: Link, attempts: Attempts
    ) -> Pause | None:
        """Return the pause after an answer that was only an error; None to give up."""
        if attempts.retries >= self._max_retries:
            return None
        return pause_after_refusal(refusal, attempts.retries + 1, self.where(link))

    def keep(self, attempts: Attempts) -> None:
        """Use for later requests what has led to an answer."""
        self.taken = attempts.tried[-1]
        self._without |= attempts.without
        self._responses = attempts.newer

    def _pause(self, error: Exception, attempts: Attempts, link: Link) -> Pause | None:
        if attempts.retries >= self._max_retries:
            return None
        return pause_before_retry(error, attempts.retries + 1, self.where(link))

    def _body(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        attempts: Attempts,
        options: Mapping[str, Any],
        schema: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        if not attempts.newer:
            return self._requests.body(
                messages, tools, attempts.tried[-1], options, schema
            )
        without = attempts.without
        stream = self._stream and responses.STREAM not in without
        options = {**self._options, **options}
        return {"model": self._model, "stream": stream} | responses.request_body(
            messages, tools, options, self._origin, without, schema
        )

    def _wants_responses(self, error: Exception, link: Link) -> bool:
        """Whether the server says that the model needs the Responses API."""
        import openai  # loaded by now

        if self._api != "auto" or not isinstance(error, openai.APIStatusError):
            return False
        return responses.are_wanted(error.status_code, error.response.text)

    def learn(
        self,
        refusal: Refusal,
        link: Link,
        tools: Sequence[ToolSchema],
        attempts: Attempts,
        parameter: str = "",
    ) -> bool:
        """Add a change to `attempts`, and the notice to give if it helps.

        `parameter` is the refusal's `param`. Returns whether there is anything left to
        try.
        """
        if attempts.newer:
            return self._learn_newer(refusal, link, attempts, parameter)
        found = self._requests.change(refusal, attempts.body, tools, attempts.tried)
        if found is None:
            return False
        change, taken = found
        attempts.tried.append(taken)
        if change.guess:
            attempts.notices.clear()  # another guess was wrong
        self._note(change, refusal, link, attempts)
        return True

    def _learn_newer(
        self, refusal: Refusal, link: Link, attempts: Attempts, parameter: str
    ) -> bool:
        """Do what `learn` does for a refusal of the Responses API."""
        body, without = attempts.body, attempts.without
        if lacks := responses.lacks(refusal.status, refusal.body, parameter, body):
            if lacks in without:
                return False
            without.add(lacks)
            return True
        for change in changes(refusal, responses.as_of_chat(body), self._model):
            named = responses.named(change, body)
            if named and named not in without:
                without.add(named)
                self._note(change, refusal, link, attempts)
                return True
        return False

    def _note(
        self, change: Change, refusal: Refusal, link: Link, attempts: Attempts
    ) -> None:
        where = self.where(link)
        words = errors.provider_message(refusal.body, where)
        if said := notice(change, self._model, where.base_url, words):
            attempts.notices.append(said)

    def failure(
        self, error: Exception, link: Link, cancel: Cancellation, newer: bool
    ) -> tuple[ModelError | None, Refusal | None]:
        """Return the error for the user, and what the server has refused.

        None for a fault of our own.
        """
        import openai  # loaded by now

        where = self.where(link)
        match error:
            case openai.APIStatusError():
                return self._bad_status(error, link, cancel, newer)
            case NoConnection():
                # Not of what it comes from, which says less.
                error = NoConnection(error.seconds)
                return errors.connection_error(error, where), None
            case KeptWaiting():
                return errors.kept_waiting(error.seconds, where), None
            case openai.APITimeoutError():
                return errors.timeout_error(self._timeout, where), None
            case openai.APIConnectionError():
                return errors.connection_error(error, where), None
            case openai.OpenAIError():
                return ModelError(errors.one_line(str(error), where)), None
            case _:
                return None, None

    def _bad_status(
        self, error: Any, link: Link, cancel: Cancellation, newer: bool
    ) -> tuple[ModelError, Refusal | None]:
        where = self.where(link)
        status, body = error.status_code, error.response.text
        if errors.is_html(body) and 400 <= status < 410:
            page = errors.web_page(body, where)
            if status != 400:
                return page, None
            # Some servers explain a refusal in a page.
            said = errors.words_of_page(body)
            return page, Refusal(status, said, guesses=False, plain=True)
        message = errors.provider_message(body, where)
        models = Models()
        if errors.is_about_model(status, message):
            models = link.models(cancel, seconds=2.0)
        elif newer and status in (404, 405):
            missing = ModelError(
                _(
                    '{base_url} has no Responses API ({status}): "{message}". '
                    'Check base_url, or set api = "chat" for {name}.'
                ).format(
                    base_url=where.base_url,
                    status=status,
                    message=message,
                    name=self._name,
                ),
                "not_found",
            )
            return missing, None
        headers = seconds_to_wait(error.response.headers, body)
        failure = errors.status_error(status, message, where, models, headers, body)
        return failure, Refusal(status, body)

    def where(self, link: Link) -> Where:
        """Return what errors of a request over `link` name."""
        url, proxy = shown(self._base_url), shown(link.proxy)
        return Where(self._model, url, self._key_hint, link.key, proxy)


def _note_failure(exchange: Exchange, error: Exception) -> None:
    """Keep what the server has said in place of an answer, as far as it was read."""
    response = getattr(error, "response", None)
    if response is None:
        exchange.outcome = type(error).__name__
        return
    exchange.outcome = str(response.status_code)
    with suppress(Exception):  # not read to its end: then there is no text
        exchange.heard(response.content)
