"""Sends a request to a server until it is answered.

Again without what the server refuses, by the API that the model wants, and after a
pause where that may help. What is learned so holds for later requests too.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any

from tui.errors import ContextOverflow, LazychatError, ModelError
from tui.events import Event, RetryScheduled
from tui.messages import Message, ToolSchema
from tui.models.openai import errors, responses
from tui.models.openai.address import shown
from tui.models.openai.errors import Where
from tui.models.openai.link import Link, LinkPool
from tui.models.openai.refusals import Refusal, changes
from tui.models.openai.requests import Requests, Taken, notice
from tui.models.openai.retries import (
    NoConnection,
    Pause,
    pause_before_retry,
    seconds_to_wait,
)
from tui.turn import Cancellation, Turn


class Sender:
    """Sends the requests to one model of one server. Any number of threads at once."""

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
    ) -> None:
        """See `OpenAIModel` for the arguments; `origin` is as of `Message.origin`."""
        self.taken: Taken = requests.taken
        """What chat completions of this model have been found to take."""
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
        # What its Responses API does not take, in the words of `responses.lacks`.
        self._without: set[str] = set()

    def open(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        turn: Turn,
        tried: list[Taken],
        notices: list[str],
    ) -> Generator[Event, None, tuple[Link, Any, bool]]:
        """Send the request until it is answered.

        Again without what the server does not take, by the API that it wants, and
        after a pause where that may help. Adds to `notices` what the user is to be told
        when there is an answer. Returns the link, the response, and whether it is one
        of the Responses API.
        """
        without = set(self._without)
        attempt = 0
        link = self._links.lend()
        try:
            while True:
                newer = self._responses
                body = self._body(messages, tools, newer, tried[-1], without)
                try:
                    response = link.ask(turn.cancel, body, newer)
                except LazychatError:
                    raise
                except Exception as error:
                    if not newer and self._wants_responses(error, link):
                        self._responses = True
                        continue
                    failure, refusal = self.failure(error, link, turn.cancel, newer)
                    if failure is None:
                        raise
                    if refusal is not None:
                        if newer:
                            learned = self._learn_newer(
                                refusal, error, link, body, without, notices
                            )
                        else:
                            learned = self.learn(
                                refusal, link, messages, tools, tried, notices
                            )
                        if learned:
                            continue
                    pause = None
                    if not isinstance(failure, ContextOverflow):
                        pause = self._pause(error, attempt + 1, link)
                    if pause is None:
                        raise failure from error
                else:
                    break
                attempt += 1
                link.close()
                yield RetryScheduled(
                    pause.why, pause.seconds, attempt, self._max_retries, pause.text
                )
                turn.cancel.wait(pause.seconds)
                turn.cancel.raise_if_requested()
                # What is kept may have broken together with this one.
                link = self._links.new()
            self._without |= without
        except BaseException:
            link.close()
            raise
        return link, response, newer

    def _pause(self, error: Exception, attempt: int, link: Link) -> Pause | None:
        """Return what is waited for before try `attempt` after the first one."""
        if attempt > self._max_retries:
            return None
        return pause_before_retry(error, attempt, self.where(link))

    def _body(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        newer: bool,
        taken: Taken,
        without: Collection[str],
    ) -> dict[str, Any]:
        if not newer:
            return self._requests.body(messages, tools, taken)
        stream = self._stream and responses.STREAM not in without
        return {"model": self._model, "stream": stream} | responses.request_body(
            messages, tools, self._options, self._origin, without
        )

    def _wants_responses(self, error: Exception, link: Link) -> bool:
        """Whether the server refuses chat completions for the other API's sake."""
        import openai  # loaded by now

        if self._api != "auto" or not isinstance(error, openai.APIStatusError):
            return False
        message = errors.provider_message(error.response.text, self.where(link))
        return responses.are_wanted(error.status_code, message)

    def _learn_newer(
        self,
        refusal: Refusal,
        error: Any,
        link: Link,
        body: Mapping[str, Any],
        without: set[str],
        notices: list[str],
    ) -> bool:
        """Add to `without` what the Responses API has refused; return if that is news.

        `body` is the refused request.
        """
        lacks = responses.lacks(
            refusal.status, refusal.body, str(getattr(error, "param", "")), body
        )
        if lacks:
            if lacks in without:
                return False
            without.add(lacks)
            return True
        for change in changes(refusal, responses.as_of_chat(body), self._model):
            named = responses.named(change, body)
            if named and named not in without:
                where = self.where(link)
                words = errors.provider_message(refusal.body, where)
                if said := notice(change, self._model, where.base_url, words):
                    notices.append(said)
                without.add(named)
                return True
        return False

    def learn(
        self,
        refusal: Refusal,
        link: Link,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        tried: list[Taken],
        notices: list[str],
    ) -> bool:
        """Add to `tried` what to send after a refusal, and what to say if that helps.

        Returns whether there is anything to be tried.
        """
        body = self._requests.body(messages, tools, tried[-1])
        found = self._requests.change(refusal, body, tools, tried)
        if found is None:
            return False
        change, taken = found
        tried.append(taken)
        where = self.where(link)
        words = errors.provider_message(refusal.body, where)
        if change.guess:
            notices.clear()  # another guess was wrong
        if said := notice(change, self._model, where.base_url, words):
            notices.append(said)
        return True

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
            return errors.web_page(body, where), None
        message = errors.provider_message(body, where)
        models = ()
        if errors.is_about_model(status, message):
            models = link.models(cancel, seconds=2.0)
        elif newer and status in (404, 405):
            missing = ModelError(
                f'{where.base_url} has no Responses API ({status}): "{message}". Check '
                f'base_url, or set api = "chat" for {self._name}.',
                "not_found",
            )
            return missing, None
        headers = seconds_to_wait(error.response.headers, body)
        failure = errors.status_error(status, message, where, models, headers, body)
        return failure, Refusal(status, body)

    def where(self, link: Link) -> Where:
        """Return what errors of a request over `link` name."""
        return Where(self._model, shown(self._base_url), self._key_hint, link.key)
