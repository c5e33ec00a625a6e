"""Explains why a download has failed: the hub, the network, or this disk.

In the process that downloads: the library's errors do not leave it.
"""

import errno
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from tui.i18n import _
from tui.masking import mask
from tui.safe import safe

_FULL = (errno.ENOSPC, errno.EDQUOT)


def explain(error: Exception, repo: str, folder: str) -> str:
    """Return an error of the library in a sentence that helps.

    `folder` is where the download goes.
    """
    constants: Any = import_module("huggingface_hub.constants")
    site = constants.ENDPOINT
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in kinds:
        return _(
            "{repo} asks you to accept its terms first, at {site}/{repo}. Then "
            "set HF_TOKEN to a token of your account."
        ).format(repo=repo, site=site)
    if "RepositoryNotFoundError" in kinds:
        return _(
            "{site} has no repository {repo}; a private one needs HF_TOKEN. "
            "Check the spelling."
        ).format(site=site, repo=repo)
    if "OfflineModeIsEnabled" in kinds:
        return _("HF_HUB_OFFLINE is set, so nothing is downloaded.")
    if isinstance(error, OSError) and error.errno and error.filename:
        return _unwritable(str(error.filename), error)
    if isinstance(error, OSError) and error.errno in _FULL:
        return _unwritable(folder, error)
    number = status(error)
    if said := _refusal(number, site, repo):
        return said
    what = _("it answered {status}").format(status=number) if number else _root(error)
    what = " ".join(safe(mask(what), newlines=False).split())[:200]
    return _(
        "{repo} could not be downloaded from {site}: {what}. Try again: it "
        "continues where it stopped. HF_ENDPOINT names another address of the "
        "hub."
    ).format(repo=repo, site=site, what=what)


def status(error: Exception) -> int | None:
    """Return the HTTP status of a refusal."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _unwritable(where: str, error: OSError) -> str:
    if error.errno in _FULL:
        return _(
            "{where} is full. Free some space and try again: it continues where it "
            "stopped. Another folder can be given with --to."
        ).format(where=where)
    return _("{where} cannot be written: {why}. Give another folder with --to.").format(
        where=where, why=error.strerror
    )


def _refusal(number: int | None, site: str, repo: str) -> str:
    """Return what an HTTP status means here and what to do, "" if nothing special."""
    match number:
        case 401:
            return _(
                "{site} did not accept your token (401). Check HF_TOKEN, or log in "
                "again with `hf auth login`."
            ).format(site=site)
        case 403:
            return _(
                "{site} refuses to send {repo} (403). Accept its terms at "
                "{site}/{repo} if it has any, and set HF_TOKEN to a token that may "
                "read it."
            ).format(site=site, repo=repo)
        case 404:
            return _(
                "{site} has no repository {repo} (404). Check the spelling."
            ).format(site=site, repo=repo)
        case 429:
            return _(
                "{site} limits downloads (429). Try again in a few minutes; with a "
                "token in HF_TOKEN the limit is higher."
            ).format(site=site)
        case _:
            return ""


def _root(error: BaseException) -> str:
    *_others, cause = _causes(error)
    words = str(cause) or type(cause).__name__
    return re.sub(r"^\[Errno \d+\] ", "", words).rstrip(".")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
