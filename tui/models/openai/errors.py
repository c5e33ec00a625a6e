"""Turns a server's failures into helpful error messages.

Each says what happened, where, and what to do, and quotes the server. Servers agree on
little more than the status, so known phrases are searched for. The file is long because
each message is.
"""

import html
import re
import socket
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from tui import bounds, masking
from tui.errors import ContextOverflow, ModelError
from tui.i18n import _
from tui.models.openai import envelopes, listing
from tui.models.openai.address import shown
from tui.models.openai.limits import LOOK_UP_BYTES, REDIRECT
from tui.models.openai.listing import Models
from tui.models.openai.overflow import is_overflow, over_the_rate
from tui.models.openai.window import figures

_QUOTE = 300
"""How much of a server's own message is quoted, in characters."""

_HEAD = 1 << 16
"""Characters of a web page in which its title is looked for."""
_TITLE = re.compile(r"<(title|h1)\b[^>]{0,300}>(.{0,1000}?)</\1", re.I | re.S)

_UNSEEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.I | re.S)
_MARKUP = re.compile(r"<[^<>]*>")

_NO_MODEL = re.compile(
    r"model_not_found|model[^.]{0,80}(not found|(does )?not exist|not available"
    r"|no longer available|is not supported)"
    r"|(unknown|invalid|no such|not a valid) model|not a valid model",
    re.I,
)
_NO_CREDIT = re.compile(
    r"insufficient[_ ](quota|balance|credit|funds)|billing|arrearage|余额|欠费", re.I
)


class Where(msgspec.Struct, frozen=True):
    """The model and server that messages name."""

    model: str
    base_url: str
    key_hint: str = ""
    """The variable that the key comes from, if it is known."""
    secret: str = ""
    """The key, so that no message quotes it."""
    proxy: str = ""
    """The proxy that the configuration names, without a login, or ""."""


def provider_message(body: str | bytes, where: Where) -> str:
    """Return a server's own words from the body of an error, in one short line."""
    text = body if isinstance(body, str) else body.decode(errors="replace")
    try:
        words = envelopes.find_message(bounds.decode(text))
    except ValueError:
        words = ""
        if is_html(text):
            title = _TITLE.search(text[:_HEAD])
            text = title[2] if title else words_of_page(text)
    return one_line(words or text, where)


def one_line(text: str, where: Where) -> str:
    """Return text that is safe to quote: one short line, no controls, no key."""
    masking.remember_key(where.secret)
    text = masking.mask(text)
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= _QUOTE else text[: _QUOTE - 1] + "…"


def is_html(body: str) -> bool:
    """Whether a body is a web page."""
    return bool(re.match(r"\s*<(!doctype|html|head|body|\?xml)", body, re.I))


def words_of_page(body: str) -> str:
    """Return the text of a web page without its markup, at most 64k characters."""
    text = _UNSEEN.sub(" ", body[:_HEAD])
    return " ".join(html.unescape(_MARKUP.sub(" ", text)).split())


def never_connected(error: BaseException) -> bool:
    """Whether a timeout happened while connecting."""
    return "ConnectTimeout" in type(error.__cause__).__name__


def is_about_model(status: int, message: str) -> bool:
    """Whether a server does not have the model."""
    return status in (400, 403, 404, 422) and bool(_NO_MODEL.search(message))


def is_about_credit(message: str) -> bool:
    """Whether an account is out of credit, so that waiting does not help."""
    return bool(_NO_CREDIT.search(message))


def status_error(
    status: int,
    message: str,
    where: Where,
    models: Models = Models(),  # noqa: B008 - frozen
    headers: Mapping[str, str] = MappingProxyType({}),
    body: str = "",
) -> ModelError:
    """Return the error for a bad status.

    `message` comes from `provider_message`, `models` is what the server lists,
    `headers` are the response's, by names in lower case, and `body` is all it said.
    """
    said = _(': "{message}"').format(message=message) if message else ""
    url = where.base_url
    limit, requested = over_the_rate(message)
    if limit and status in (400, 413, 429):
        return ContextOverflow(
            _(
                "The conversation exceeds the rate limit of {url}{said}. Start a new "
                "one, or choose another model."
            ).format(url=url, said=said),
            limit,
            requested,
            passing=True,
        )
    # Some servers say 500 for what the request had too much of, or say it within a
    # stream; a rate limit in tokens a minute reads alike and is none.
    if status not in (401, 403, 429) and is_overflow(message, body):
        return ContextOverflow(
            _(
                "The conversation is too long for {model}{said}. Send less at once, "
                "or choose a model with a larger context."
            ).format(model=where.model, said=said),
            *figures(message, body),
        )
    if is_about_model(status, message):
        return ModelError(_no_model(where, message, models), "not_found")
    if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(message)):
        return ModelError(
            _(
                "The account at {url} does not have enough credit{said}. See its "
                "billing page, or choose another model."
            ).format(url=url, said=said),
            "rate_limited",
        )
    match status:
        case 401 | 403 | 407:
            return ModelError(_refused(status, where, said), "unauthorized")
        case 404 | 405:
            return ModelError(
                _(
                    "{url} has no chat completions ({status}){said}. Check base_url; "
                    "for most servers, it ends in /v1."
                ).format(url=url, status=status, said=said),
                "not_found",
            )
        case 429:
            wait = headers.get("retry-after", "")
            when = (
                _("{wait} seconds").format(wait=wait)
                if re.fullmatch("[0-9]{1,7}", wait)
                else _("a moment")
            )
            return ModelError(
                _(
                    "{url} limits the rate of requests{said}. Try again in {when}."
                ).format(url=url, said=said, when=when),
                "rate_limited",
            )
        case 413:
            return ModelError(
                _(
                    "The request is too large for {url}{said}. Leave out attachments "
                    "or older messages."
                ).format(url=url, said=said),
            )
        case _ if status < 400:
            return ModelError(_sent_on(status, where, headers), "not_found")
        case _ if status >= 500:
            return ModelError(
                _(
                    "{url} returned an error ({status}){said}. Try again in a moment."
                ).format(url=url, status=status, said=said)
            )
        case _:
            return ModelError(
                _(
                    "{url} refused the request ({status}){said}. Check the options "
                    "of {model}."
                ).format(url=url, status=status, said=said, model=where.model)
            )


def connection_error(error: BaseException, where: Where) -> ModelError:
    """Return the error for a server that could not be reached."""
    why = one_line(reason(error), where)
    what_to_do = _("Check that the server runs and that base_url is right.")
    through = ""
    if where.proxy:
        through = _(" through the proxy {proxy}").format(proxy=where.proxy)
        what_to_do = _("Check that the proxy is running and lets you through.")
    if "certificate" in why:
        what_to_do = _(
            "If your own CA signed it, set SSL_CERT_FILE, or ca_file in "
            "[models.NAME], to the file with the CA's certificate."
        )
    return ModelError(
        _("Cannot reach {base_url}{through}: {why}. {what_to_do}").format(
            base_url=where.base_url, through=through, why=why, what_to_do=what_to_do
        ),
        "unreachable",
    )


def timeout_error(seconds: float, where: Where) -> ModelError:
    """Return the error for a server that says nothing."""
    return ModelError(
        _(
            "{base_url} has not answered within {seconds:g} seconds. It may still "
            "be loading the model; try again, or set a longer timeout."
        ).format(base_url=where.base_url, seconds=seconds),
        "unreachable",
    )


def web_page(body: str, where: Where) -> ModelError:
    """Return the error for a web page in place of an answer."""
    title = provider_message(body, where)
    page = (
        _('a web page ("{title}", text/html)').format(title=title)
        if title
        else _("a web page (text/html)")
    )
    return _no_answer(page, where)


def other_kind(kind: str, body: bytes, where: Where) -> ModelError:
    """Return the error for an answer that is neither a stream of events nor JSON.

    `kind` is its content type, and `body` the beginning of it.
    """
    if kind == "text/html" or is_html(body.decode(errors="replace")):
        return web_page(body.decode(errors="replace"), where)
    what = one_line(kind, where) or _("data without a content type")
    printable = not kind or kind.startswith("text/")
    said = provider_message(body, where) if printable else ""
    return _no_answer(f'{what} ("{said}")' if said else what, where)


def kept_waiting(seconds: float, where: Where) -> ModelError:
    """Return the error for a server that only keeps the line open."""
    return ModelError(
        _(
            "{base_url} has kept the connection open for {seconds:g} seconds without "
            "answering. Try again, or set a longer timeout."
        ).format(base_url=where.base_url, seconds=seconds),
        "dropped",
    )


def packed(encoding: str, kind: str, where: Where) -> ModelError:
    """Return the error for a content encoding that was not requested."""
    kind = _(" ({kind})").format(kind=one_line(kind, where)) if kind else ""
    return ModelError(
        _(
            '{base_url} compressed its answer{kind} as "{encoding}", which was not '
            "requested and cannot be decoded. Configure the server, or the proxy in "
            "front of it, to send answers uncompressed or as gzip."
        ).format(
            base_url=where.base_url, kind=kind, encoding=one_line(encoding, where)
        ),
        "dropped",
    )


def _no_answer(what: str, where: Where) -> ModelError:
    return ModelError(
        _(
            "{base_url} answered with {what}, which no model sends. Check base_url "
            "(most end in /v1) and whether a proxy or the network requires a login."
        ).format(base_url=where.base_url, what=what),
        "not_found",
    )


def dropped(what: str, where: Where) -> ModelError:
    """Return the error for an incomplete answer."""
    return ModelError(
        _(
            "{base_url} stopped in the middle of the answer: {what}. The text so far "
            "is kept: /continue resumes it, /retry asks again."
        ).format(base_url=where.base_url, what=what),
        "dropped",
    )


def too_much(what: str, where: Where) -> ModelError:
    """Return the error for an answer that exceeds a limit.

    `what` is a noun phrase for what the server has sent.
    """
    return ModelError(
        _(
            "{base_url} sent {what}, so its answer was stopped. The text so far is "
            "kept."
        ).format(base_url=where.base_url, what=what),
        "dropped",
    )


def endless_list(where: Where) -> ModelError:
    """Return the error for a list of models that has more bytes than are read."""
    return ModelError(
        _(
            "{base_url} sent an endless list of models: more than {limit} MB. Check "
            "base_url."
        ).format(base_url=where.base_url, limit=LOOK_UP_BYTES >> 20),
        "not_found",
    )


def unreadable_list(where: Where) -> ModelError:
    """Return the error for a list of models that is not JSON, or only a part of it."""
    return ModelError(
        _(
            "{base_url} sent a list of models that is not complete JSON. Check "
            "base_url."
        ).format(base_url=where.base_url),
        "not_found",
    )


def silent(where: Where) -> ModelError:
    """Return the error for a stream that has ended without a single event.

    llama_cpp.server does so with a status of 200 when the prompt does not fit.
    """
    return ModelError(
        _(
            "{base_url} ended its answer before the first word and gave no reason. "
            "Often, the conversation is longer than the context that the server was "
            "started with: start a new one, or give the server a larger context. The "
            "server's log may say more."
        ).format(base_url=where.base_url),
        "dropped",
    )


def no_answer(finish_reason: str, where: Where) -> ModelError:
    """Return the error for an answer without any text, by its finish reason."""
    return ModelError(
        _(
            "{model} on {base_url} ended without an answer (finish_reason "
            "{finish_reason}). Try again, or rephrase the question."
        ).format(
            model=where.model, base_url=where.base_url, finish_reason=finish_reason
        ),
        "empty",
    )


def error_in_answer(error: Any, where: Where) -> ModelError:
    """Return the error for an error object in an answer with status 200."""
    message = provider_message(msgspec.json.encode(bounds.shallow(error)), where)
    status = 400 if is_overflow(message) else envelopes.status_of(error)
    if status and status != 404:
        return status_error(status, message, where)
    return ModelError(
        _(
            '{base_url} reported an error: "{message}". The text so far is kept; '
            "/retry asks again."
        ).format(base_url=where.base_url, message=message),
        "dropped",
    )


def _no_model(where: Where, message: str, models: Models) -> str:
    said = _('{base_url} has no model "{model}"').format(
        base_url=where.base_url, model=where.model
    )
    if models.too_long:
        return _(
            '{said}: "{message}". Its list of models is longer than {look_up_bytes} '
            "MB and was not read; set `model` to one from the list."
        ).format(said=said, message=message, look_up_bytes=LOOK_UP_BYTES >> 20)
    if not models.ids:
        return _('{said}: "{message}". Set `model` to one of its models.').format(
            said=said, message=message
        )
    if where.model in models.has:
        return _(
            '{base_url} lists the model "{model}", but refuses it: "{message}". '
            "Check that it is loaded, and that the key may use it."
        ).format(base_url=where.base_url, model=where.model, message=message)
    there = listing.told(models, where.model, lambda name: one_line(name, where))
    return f"{said}. {there}"


def _sent_on(status: int, where: Where, headers: Mapping[str, str]) -> str:
    """Return the message for a server that sends requests on to another address."""
    asked = f"{where.base_url}/chat/completions"
    address = headers.get(REDIRECT, "").strip()
    try:
        # It may be a path only, and may hold a name and a password.
        place = shown(urljoin(asked, address))
        _port = urlsplit(place).port  # raises for what is none
    except ValueError:
        return _(
            "{base_url} redirects the request ({status}) to {place}, which is not a "
            "URL. Check base_url; a proxy may also require a login."
        ).format(
            base_url=where.base_url,
            place=one_line(masking.mask_address(address), where),
            status=status,
        )
    base = place.split("?")[0].rstrip("/").removesuffix("/chat/completions")
    if place == asked:
        return _(
            "{base_url} redirects the request ({status}) without saying where to. "
            "Check base_url."
        ).format(base_url=where.base_url, status=status)
    return _(
        "{base_url} redirects the request to {place} ({status}). Nothing was sent "
        "there. If that address is right, set base_url to {base}; a proxy may also "
        "require a login."
    ).format(
        base_url=where.base_url,
        place=one_line(place, where),
        status=status,
        base=one_line(base, where),
    )


def _refused(status: int, where: Where, said: str) -> str:
    key = (
        _("the key in {key_hint}").format(key_hint=where.key_hint)
        if where.key_hint
        else _("its API key")
    )
    if not where.secret:
        variable = where.key_hint or _("api_key_env's variable")
        return _("{base_url} needs an API key{said}. Set {variable}.").format(
            base_url=where.base_url, said=said, variable=variable
        )
    if status == 403:
        return _(
            "{base_url} does not allow this{said}. Check that {key} may use {model}."
        ).format(base_url=where.base_url, said=said, key=key, model=where.model)
    return _("{base_url} did not accept the API key{said}. Check {key}.").format(
        base_url=where.base_url, said=said, key=key
    )


def reason(error: BaseException) -> str:
    """Return the root of a chain of errors, in words."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for link in reversed(chain):
        if isinstance(link, ssl.SSLCertVerificationError):
            return _("its certificate is not valid ({verify_message})").format(
                verify_message=link.verify_message
            )
        if isinstance(link, ssl.SSLError):
            return _("no TLS there ({reason}); it may speak plain http").format(
                reason=link.reason or link
            )
        if isinstance(link, socket.gaierror):
            return _("its name is not known")
        if isinstance(link, TimeoutError):
            return _("it is silent")
        if isinstance(link, OSError) and link.strerror:
            return link.strerror.lower()
    root = next((str(link) for link in reversed(chain) if str(link)), "")
    if re.search(r"peer closed|disconnected without", root):  # as h11 has it
        return _("it closed the connection")
    return " ".join(root.split()).rstrip(".") or type(chain[-1]).__name__
