"""Asks a server for its models, and a model for its first word."""

import contextlib
from typing import Any

import msgspec

from tui.config import Config, OpenAIModelConfig
from tui.errors import LazychatError, ModelError
from tui.events import ReasoningDelta, TextDelta
from tui.i18n import N_, _
from tui.messages import Message
from tui.models.catalog import ModelCatalog
from tui.models.discovery import ListedModel
from tui.models.discovery.rows import is_list, listed
from tui.models.openai import errors
from tui.models.openai.address import is_local, is_openai, shown
from tui.models.openai.client import Settings
from tui.models.openai.errors import Where
from tui.models.openai.link import Link
from tui.models.openai.retries import KeptWaiting, NoConnection
from tui.models.setup.places import Place
from tui.turn import Cancellation, Turn

SECONDS = 10.0
"""How long a server has to list its models."""
_TRY_SECONDS = 30.0
"""How long a model has for its first word."""


class NoList(ModelError):
    """The server does not list its models, so the user has to name one."""


def models_at(place: Place, cancel: Cancellation | None = None) -> list[ListedModel]:
    """Return the chat models that the server at `place` lists.

    Raises `NoList` if it has no such list, and `ModelError` if it cannot be reached or
    does not accept the key; its `kind` is `unauthorized` then.
    """
    url = place.base_url
    key = place.key
    where = Where(place.title, shown(url), place.key_env, key, shown(place.proxy))
    settings = Settings(
        url,
        is_openai(url),
        is_local(url),
        SECONDS,
        SECONDS,
        place.ca_file,
        place.proxy,
    )
    link = Link(settings, lambda: key)
    try:
        body = link.read(cancel or Cancellation(), "/models", SECONDS)
    except LazychatError:
        raise
    except (KeptWaiting, NoConnection) as error:
        raise errors.timeout_error(SECONDS, where) from error
    except Exception as error:
        raise _failure(error, where) from error
    finally:
        link.close()
    if not is_list(body):
        raise NoList(_(_NO_LIST).format(shown(url)), "not_found")
    return listed(body)


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

    A list of models proves no key: some services show it to everybody. Costs a few
    tokens. Raises `ModelError`, `ConfigError` and `Cancelled`.
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
