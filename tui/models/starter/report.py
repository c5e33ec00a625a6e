"""Words a tool's result, with every figure unchanged.

A 135M model copies figures from `key: value` lines after a few examples, nearly always
(from JSON or in the tool role it does not), but nearly is not enough for a temperature
or an amount. So a sentence is shown once it is complete and each figure in it is one of
the data's; otherwise the data are given as they are.
"""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple, cast

from tui import bounds
from tui.events import Event, TextDelta
from tui.messages import Message, Reply
from tui.models import Model
from tui.models.starter.numbers import Number, numbers
from tui.models.starter.words import examples, has_han, stem
from tui.turn import Turn

_MOST_ASKED = 500
"""Characters of a question that the model reads: its context is small."""
_MOST_VALUES = 8
"""Values that one sentence is trusted to hold; more are given as they are."""
_LONGEST = 1500
"""Characters of a result that are shown."""
_LONGEST_VALUE = 120
"""Characters of a value that the model may put into words."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)|\n+")
_REMARKS = ("note", "notes")
"""Names of values that are about the others: the model would mix them up."""
_SENTENCE_KEY = "sentence"
"""The key of a result under which its tool puts it into words itself."""


class Value(NamedTuple):
    """A single value of a result, with the name that leads to it, "" for none."""

    name: str
    text: str

    def __str__(self) -> str:
        """Return it as a line of data."""
        return f"{self.name}: {self.text}" if self.name else self.text


def report(
    model: Model, question: str, outputs: Sequence[str], turn: Turn
) -> Generator[Event, None, Reply]:
    """Answer `question` from the `outputs` of the tools that were called for it."""
    said: list[str] = []
    for output in outputs:
        turn.cancel.raise_if_requested()
        text = yield from _told(model, question, output, turn)
        yield TextDelta(turn.message_id, f"\n{text}" if said else text)
        said.append(text)
    return Reply(Message("assistant", "\n".join(said)))


def messages(question: str, data: Iterable[Value]) -> list[Message]:
    """Return the prompt that has the model answer `question` from `data`."""
    given = ", ".join(str(v if v.name else Value("result", v.text)) for v in data)
    asked = f"Question: {question[-_MOST_ASKED:]}\nData: {given}"
    return [*examples("report"), Message("user", asked)]


def _told(
    model: Model, question: str, output: str, turn: Turn
) -> Generator[Event, None, str]:
    """Return an answer from one `output`; yield the model's events but for its text."""
    chinese = has_han(question)
    if output.startswith("Error:"):
        failed = "没有成功：" if chinese else "That did not work. "
        return failed + output.removeprefix("Error:").strip()
    data: Any = output.strip()
    with suppress(ValueError):  # what is not JSON is a string
        data = bounds.decode(output)
    stated: Any = None
    if isinstance(data, dict):
        stated = cast(dict[str, Any], data).pop(_SENTENCE_KEY, None)
        data = cast(Any, data or stated)
    if chinese:  # the model's Chinese cannot be trusted with anything
        return f"结果：{_plain(data)}"
    if isinstance(stated, str) and stated.strip():
        return _cut(stated.strip())
    values = _values(data)
    facts = [v for v in values if v.name not in _REMARKS] or values
    said = (yield from _checked(model, question, facts, turn)) if values else ""
    if not said:
        return _plain(data)
    left_out = _missing(said, question, values)
    listed = ", ".join(str(v) if v in facts else v.text for v in left_out)
    return f"{said} ({listed})" if listed else said


def _checked(
    model: Model, question: str, data: Sequence[Value], turn: Turn
) -> Generator[Event, None, str]:
    """Have the model say `data`; return its sentences until one is not true or new."""
    answer, said = "", ""
    for event in model.generate(messages(question, data), (), turn):
        if isinstance(event, TextDelta):
            answer += event.text
        else:
            yield event
    for sentence in filter(None, _SENTENCE.split(answer.strip())):
        if sentence in said or not _truthful(sentence, question, data):
            break
        said += f" {sentence}" if said else sentence
    return said


def _truthful(sentence: str, question: str, data: Sequence[Value]) -> bool:
    """Whether all figures in `sentence` are known and stand with their own names."""
    texts = (question, *(v.text for v in data))
    known = {figure.value for text in texts for figure in _figures(text)}
    for number in _figures(sentence):
        if number.value not in known:
            return False
        after = re.match(r"\W*([A-Za-z]+)", sentence[number.end :])
        word = stem(after[1]) if after else ""
        named = [v for v in data if word in map(stem, v.name.split())]
        own = [v for v in data if number.value in {f.value for f in _figures(v.text)}]
        # "42 minutes" when the minutes are 55 and 42 is something else.
        unit = any(word == stem(v.text) for v in data)
        if own and named and not unit and not any(v in named for v in own):
            return False
    return True


def _missing(said: str, question: str, data: Sequence[Value]) -> list[Value]:
    """Return the values that `said` does not contain, but for those asked with."""
    lower, question = said.casefold(), question.casefold()
    return [
        v
        for v in data
        if (text := v.text.casefold().strip("¿¡\"' .!?")) not in lower
        and (re.search(r"\d", text) or text not in question)
    ]


def _figures(text: str) -> list[Number]:
    """Return the numbers in `text`; a time, 17:42, has two."""
    return numbers(re.sub(r"(?<=\d):(?=\d)", " ", text))


def _values(data: Any) -> list[Value]:
    """Return the single values of `data`; none when it is prose or a list.

    `{"from": {"city": "Rome"}, "km": 5}` gives `from city: Rome` and `km: 5`.
    """
    if isinstance(data, str) and (
        len(data.split()) > 4 or "\n" in data or (has_han(data) and len(data) > 12)
    ):
        return []
    if isinstance(data, list) and not 0 < len(cast(list[Any], data)) < 3:
        return []
    found = list(_flat(data))
    apart = len({v.name for v in found}) == len(found)
    short = all(len(v.text) <= _LONGEST_VALUE for v in found)
    return found if apart and short and len(found) <= _MOST_VALUES else []


def _flat(data: Any, name: str = "") -> Iterator[Value]:
    items = cast(list[Any], data) if isinstance(data, list) else []
    if isinstance(data, dict):
        for key, inner in cast(dict[Any, Any], data).items():
            yield from _flat(inner, f"{name} {str(key).replace('_', ' ')}".strip())
    elif any(isinstance(item, (dict, list)) for item in items):
        yield from chain.from_iterable(_flat(item, name) for item in items)
    elif isinstance(data, list):
        yield Value(name, " and ".join(map(_scalar, items)))
    else:
        yield Value(name, _scalar(data))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None or value == "" else str(value)


def _plain(data: Any) -> str:
    """Return `data` readable as it is: names and values, a line for each item."""
    if isinstance(data, list):
        items = cast(list[Any], data)
        lines = ["- " + ", ".join(map(str, _flat(item))) for item in items]
        return _cut("\n".join(lines)) or "Nothing found."
    return _cut(", ".join(map(str, _flat(data))))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rstrip() + " …"
