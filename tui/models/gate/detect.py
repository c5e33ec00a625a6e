"""Finds a model's dialect, from its chat template or, failing that, from its name.

A template writes earlier calls into the prompt in the model's own format, so its
markers name the dialect; special tokens help where the template shows no calls. A
name is a guess, and a name that stands for changing models ("deepseek-chat") says
nothing. Signs and names are in the rows of `dialects`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from tui.models.gate.auto import auto_dialect
from tui.models.gate.dialects.registry import DIALECTS
from tui.models.gate.grammar import Dialect

AUTO = "auto"

_UNKNOWN = re.compile(r"nemotron-(?!3).*(?:super|ultra)|llama.*nemotron")
"""Names that contain another family's name; their formats vary by release."""


def find_dialect(id: str) -> Dialect:
    """Return the dialect with this id; raise `ValueError` if there is none."""
    if id == AUTO:
        return _auto()
    if id not in DIALECTS:
        known = ", ".join(sorted((*DIALECTS, AUTO)))
        raise ValueError(f"There is no dialect {id!r}. There are: {known}.")
    return DIALECTS[id]


@cache
def eager_dialect() -> Dialect:
    """Return `auto` for text in which no call is run, but none is to be shown."""
    return auto_dialect(DIALECTS.values(), eager=True)


def dialect_of_template(chat_template: str, special_tokens: Iterable[str] = ()) -> str:
    """Return the id of the dialect that a Jinja chat template is for, or "auto"."""
    text = "\n".join((chat_template, *special_tokens))
    return _best(
        (row, len(words))
        for row in DIALECTS.values()
        for words in map(words_of, row.signs)
        if all(word in text for word in words)
    )


def words_of(sign: str | tuple[str, ...]) -> Sequence[str]:
    """Return the words of an entry of `Dialect.signs`."""
    return sign.split() if isinstance(sign, str) else sign


def dialect_of_name(model_name: str) -> str:
    """Return the dialect that a model of this name is likely to speak, or "auto".

    Takes names as servers write them: "qwen2.5:7b-instruct", "Qwen/Qwen3-Coder-30B".
    """
    # The last part names the model; earlier parts name its publisher.
    name = re.sub(r"[_\s]+", "-", model_name.lower()).rstrip("/").rpartition("/")[2]
    name = re.sub(r"(?<=\d)p(?=\d)", ".", name)  # Fireworks: glm-4p6
    if _UNKNOWN.search(name):
        return AUTO
    return _best(
        (row, 0)
        for row in DIALECTS.values()
        if row.names and re.search(row.names, name)
    )


def dropped_tokens(dialect: str) -> tuple[str, ...]:
    """Return the tokens that the gate removes: ends of turns and wrappers of text."""
    found = find_dialect(dialect)
    return (*found.dropped, *found.endings)


def reasoning_opener(dialect: str) -> str:
    """Return what opens reasoning, "" for none.

    Reasoning is open when the prompt ends with it, trailing white space aside.
    """
    found = find_dialect(dialect)
    return found.thinking[0].open if found.thinking else found.opener


def _best(fitting: Iterable[tuple[Dialect, int]]) -> str:
    """Return the best id of `fitting`: (dialect, number of signs); "auto" if empty.

    Rows that fit the same model differ in priority, so the table's order is irrelevant.
    """
    best = max(fitting, key=lambda fit: (fit[0].priority, fit[1]), default=None)
    return best[0].id if best else AUTO


@cache
def _auto() -> Dialect:
    return auto_dialect(DIALECTS.values())
