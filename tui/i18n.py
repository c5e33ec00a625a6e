"""Translates the words of the app: `_("Send")` is "Send" or, in Chinese, "发送".

English is in the code; `locale/` has a catalogue for each other language. English needs
no file and no import; another language reads its catalogue at the first word. What
models read, logs, and the names in files and protocols are never translated.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import GNUTranslations

CATALOGUES = {"en": "", "zh": "zh_CN"}
"""Each language with the folder of its catalogue in `FOLDER`."""
FOLDER = Path(__file__).with_name("locale")
DOMAIN = "lazychat"
VARIABLE = "LAZYCHAT_LANGUAGE"


class _State:
    language = ""
    """"" until the first word."""
    catalogue: "GNUTranslations | None" = None


def choose(language: str = "") -> None:
    """Use `language`, an entry of `CATALOGUES`; "" means that of the environment.

    Words that were translated before stay as they are. Any thread may call it.
    """
    language = language or of_environment()
    folder = CATALOGUES.get(language)
    _State.catalogue = _load(folder) if folder else None
    _State.language = language


def language() -> str:
    """Return the language in use, an entry of `CATALOGUES`."""
    if not _State.language:
        choose()
    return _State.language


def of_environment() -> str:
    """Return the language that LAZYCHAT_LANGUAGE or else the locale asks for.

    As in GNU gettext, LANGUAGE is a list that comes before the locale's own language,
    and counts only if there is a locale (neither C nor POSIX). Languages without a
    catalogue are English.
    """
    if own := known(os.environ.get(VARIABLE, "")):
        return own
    locale = next(
        filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "C"
    )
    if locale in ("C", "POSIX"):
        return "en"
    for name in (*os.environ.get("LANGUAGE", "").split(":"), locale):
        if language := known(name):
            return language
    return "en"


def known(name: str) -> str:
    """Return the language of a name, an entry of `CATALOGUES`; "" if it has none.

    It may be spelled like a locale or a language tag: `zh_CN.UTF-8`, `zh-Hans`.
    """
    language = name.strip().lower()
    for end in "_-.@":
        language = language.partition(end)[0]
    if language in ("c", "posix"):
        return "en"
    return language if language in CATALOGUES else ""


def _load(folder: str) -> "GNUTranslations | None":
    from gettext import GNUTranslations  # English does without

    try:
        with (FOLDER / folder / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
            return GNUTranslations(file)
    except OSError:  # removed from the installation: English is better than nothing
        return None


def _(message: str) -> str:
    """Return `message` in the language in use, or unchanged if it has no translation.

    Replaced parts are named, `_("{count} files").format(count=3)`, so that another
    language can put them in another order.
    """
    if not _State.language:
        choose()
    if _State.catalogue is None or not message:  # "" is the head of the catalogue
        return message
    return _State.catalogue.gettext(message)


def ngettext(one: str, many: str, count: float) -> str:
    """Return the form of a message that fits `count` in the language in use."""
    if not _State.language:
        choose()
    if _State.catalogue is None:
        return one if count == 1 else many
    return _State.catalogue.ngettext(one, many, int(count) if count == 1 else 2)


def labelled(label: str, text: str) -> str:
    """Return `label: text`, with the colon of the language in use."""
    return _("{label}: {text}").format(label=label, text=text)


def N_(message: str) -> str:
    """Mark an entry of a table for the catalogue; `_` translates it where it is used.

    A table is made at import, before the language is chosen.
    """
    return message
