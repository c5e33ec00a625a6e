"""Asks a server for its models, and a model for its first word."""

import contextlib
import http.client
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from tui.config import Config, OpenAIModelConfig
from tui.errors import LazychatError, ModelError
from tui.events import ReasoningDelta, TextDelta
from tui.i18n import N_, _
from tui.messages import Message
from tui.models.catalog import ModelCatalog
from tui.models.discovery import ListedModel
from tui.models.discovery.routes import Route
from tui.models.discovery.rows import is_list, listed
from tui.models.openai import errors
from tui.models.openai.address import is_local, is_openai, shown
from tui.models.openai.client import Settings
from tui.models.openai.errors import Where
from tui.models.openai.link import Link
from tui.models.openai.retries import KeptWaiting, NoConnection
from tui.models.setup.places import Place
from tui.turn import Cancellation, Turn

T = TypeVar("T")

SECONDS = 10.0
"""How long a server has to list its models."""
_KEY_SECONDS = 2.0
"""How long a server has to refuse what is not a question."""
_NO_QUESTION = '{"messages": 0}'
"""llama_cpp.server would answer an empty object, with whatever comes to its mind."""
_TRY_SECONDS = 30.0
"""How long a model has for its first word."""


class NoList(ModelError):
    """The server does not list its models, so the user has to name one."""


def models_at(place: Place, cancel: Cancellation | None = None) -> list[ListedModel]:
    """Return the chat models that the server at `place` lists.

    Raises `NoList` if it has no such list, and `ModelError` if it cannot be reached or
    does not accept the key; its `kind` is `unauthorized` then.
    """

    def ask(link: Link) -> Any:
        return link.read(cancel or Cancellation(), "/models", SECONDS)

    body = _answer(place, ask)
    if not is_list(body):
        raise NoList(_(_NO_LIST).format(shown(place.base_url)), "not_found")
    return listed(body)


def check_key(place: Place, cancel: Cancellation | None = None) -> None:
    """Raise `ModelError` if a server of this machine refuses the key, or wants one.

    llama-server lists its models without the key that it wants for answers. Asks in a
    form that is not a question, so nothing is generated or loaded, in contrast to
    `try_model`. Other failures are not reported. Blocks for a few seconds at most, and
    for the command that prints the key. Raises `Cancelled`.
    """
    if place.proxy:
        return
    key = place.key
    if cancel:
        cancel.raise_if_requested()
    status, body = _refusal(place, key)
    if status in (401, 403):
        where = _where(place, key)
        said = errors.provider_message(body, where)
        raise errors.status_error(status, said, where)


def _refusal(place: Place, key: str) -> tuple[int, bytes]:
    """Return the status of what is not a question, and what is said of it."""
    # The library that asks other machines takes half a second to import.
    parts = urlsplit(place.base_url)
    host, port = parts.hostname or "", parts.port
    headers = {"Content-Type": "application/json", "Connection": "close"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    try:
        connection = (
            http.client.HTTPSConnection(
                host, port, timeout=_KEY_SECONDS, context=Route(place.ca_file).context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_KEY_SECONDS)
        )
        with contextlib.closing(connection):
            path = f"{parts.path}/chat/completions"
            connection.request("POST", path, _NO_QUESTION, headers)
            response = connection.getresponse()
            refused = response.status in (401, 403)
            return response.status, response.read1(1 << 16) if refused else b""
    except (OSError, http.client.HTTPException, ValueError):
        return 0, b""


def _answer(place: Place, ask: Callable[[Link], T]) -> T:
    settings = Settings(
        place.base_url,
        is_openai(place.base_url),
        is_local(place.base_url),
        SECONDS,
        SECONDS,
        place.ca_file,
        place.proxy,
    )
    # In the link's thread, so that a command that prints the key can be left.
    link = Link(settings, lambda: place.key)
    try:
        return ask(link)
    except LazychatError:
        raise
    except (KeptWaiting, NoConnection) as error:
        raise errors.timeout_error(SECONDS, _where(place, link.key)) from error
    except Exception as error:
        raise _failure(error, _where(place, link.key)) from error
    finally:
        link.close()


def _where(place: Place, key: str) -> Where:
    return Where(
        place.title, shown(place.base_url), place.key_env, key, shown(place.proxy)
    )


_NO_LIST = N_("{} does not list its models. Type the name of one.")


def _failure(error: Exception, where: Where) -> ModelError:
    status: int | None = getattr(error, "status_code", None)
    response: Any = getattr(error, "response", None)
    if status is None or response is None:
        if "Timeout" in type(error).__name__:
            return errors.timeout_error(SECONDS, where)
        return errors.connection_error(error, where)
    if status in (404, 405, 501):
        return NoList(_(_NO_LIST).format(where.base_url), "not_found")
    text = ""
    with contextlib.suppress(Exception):
        text = response.text
    said = errors.provider_message(text, where)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return errors.status_error(status, said, where, headers=headers)


def try_model(settings: OpenAIModelConfig, cancel: Cancellation | None = None) -> None:
    """Ask the model to say a word; return once it has begun to.

    A list of models does not prove the key: some services show it to everybody.
    Costs a few tokens. Raises `ModelError`, `ConfigError` and `Cancelled`.
    """
    name = settings.model
    once = msgspec.structs.replace(settings, max_retries=0, timeout=_TRY_SECONDS)
    catalog = ModelCatalog(Config(models={name: once}))
    turn = Turn("try", cancel)
    ask = [Message("user", "Reply with the single word: ready")]
    try:
        events = catalog.get(name).generate(ask, (), turn)
        with contextlib.closing(events):
            for event in events:
                if isinstance(event, TextDelta | ReasoningDelta):
                    return
    finally:
        catalog.close()
