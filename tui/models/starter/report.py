"""Words a tool's result, with every figure unchanged.

A 135M model copies figures from `key: value` lines after a few examples, nearly always
(from JSON or in the tool role it does not), but nearly is not enough for a temperature
or an amount. So a sentence is shown when it is whole and every figure in it is one of
the data's; otherwise the data are given as they are.
"""

import re
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, cast

from tui import bounds
from tui.events import Event, TextDelta
from tui.messages import Message, Reply, ToolSchema
from tui.models import Model
from tui.models.starter.numbers import numbers
from tui.models.starter.words import LEXICON, has_han, stem
from tui.turn import Turn

_SYSTEM, _EXAMPLES = LEXICON["report"]["system"], LEXICON["report"]["examples"]
_MOST_VALUES = 8
"""Values that one sentence is trusted to hold; more are given as they are."""
_LONGEST = 1500
"""Characters of a result that are shown."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)|\n+")


_REMARKS = ("note", "notes")
"""Names of values that are about the others: the model would mix them up."""
_SENTENCE_KEY = "sentence"
"""The key of a result under which its tool puts it into words itself."""


class Value(NamedTuple):
    """A single value of a result, with the name that leads to it."""

    name: str
    text: str


def values(output: str) -> list[Value] | None:
    """Return the single values of a tool's `output`, None when it is prose or a list.

    `{"from": {"city": "Rome"}, "km": 5}` gives `from city: Rome` and `km: 5`.
    """
    try:
        data: Any = bounds.decode(output)
    except ValueError:
        data = output.strip()
        if len(data.split()) > 4 or "\n" in data or (has_han(data) and len(data) > 12):
            return None
    if isinstance(data, list):
        items = cast(list[Any], data)
        if len(items) == 1 and isinstance(items[0], dict):
            data = cast(Any, items[0])
        elif len(items) > 2 or any(isinstance(i, (dict, list)) for i in items):
            return None
    found = list(_flat(data, ""))
    if not found or len(found) > _MOST_VALUES or any(len(v.text) > 120 for v in found):
        return None
    return found


def plain(output: str) -> str:
    """Return `output` readable as it is: names and values, a line for each item."""
    try:
        data: Any = bounds.decode(output)
    except ValueError:
        return _cut(output.strip())
    if isinstance(data, list):
        lines = ["- " + _line(item) for item in cast(list[Any], data)]
        return _cut("\n".join(lines)) or "Nothing found."
    if isinstance(data, dict):
        named = cast(dict[str, Any], data)
        data = {k: v for k, v in named.items() if k != _SENTENCE_KEY} or named
    return _cut(_line(data))


def truthful(sentence: str, question: str, data: Sequence[Value]) -> bool:
    """Whether all figures in `sentence` are known and stand with their own names."""
    known = {
        n.value for text in [question, *(v.text for v in data)] for n in _all(text)
    }
    for number in _all(sentence):
        if number.value not in known:
            return False
        after = re.match(r"\W*([A-Za-z]+)", sentence[number.end :])
        if after is None:
            continue
        named = [v for v in data if stem(after[1]) in map(stem, v.name.split())]
        own = [v for v in data if number.value in {n.value for n in _all(v.text)}]
        # "42 minutes" when the minutes are 55 and 42 is something else.
        unit = any(stem(after[1]) == stem(v.text) for v in data)
        if own and named and not unit and not any(v in named for v in own):
            return False
    return True


def missing(said: str, question: str, data: Sequence[Value]) -> list[Value]:
    """Return the values that `said` does not contain, but for those asked with."""
    lower = said.casefold()
    question = question.casefold()
    return [
        v
        for v in data
        if (text := v.text.casefold().strip("¿¡\"' .!?")) not in lower
        and (re.search(r"\d", text) or text not in question)
    ]


def messages(question: str, data: Sequence[Value]) -> list[Message]:
    """Return the prompt that has the model answer `question` from `data`."""
    result = [Message("system", _SYSTEM)]
    for asked, given, answer in _EXAMPLES:
        result.append(Message("user", f"Question: {asked}\nData: {given}"))
        result.append(Message("assistant", answer))
    given = ", ".join(f"{v.name}: {v.text}" for v in data)
    return [*result, Message("user", f"Question: {question}\nData: {given}")]


def report(
    model: Model, question: str, outputs: Sequence[str], turn: Turn
) -> Generator[Event, None, Reply]:
    """Answer `question` from the `outputs` of the tools that were called for it."""
    said = ""
    for output in outputs:
        turn.cancel.raise_if_requested()
        if said:
            said += "\n"
            yield TextDelta(turn.message_id, "\n")
        said += yield from _one(model, question, output, turn)
    return Reply(Message("assistant", said))


def _one(
    model: Model, question: str, output: str, turn: Turn
) -> Generator[Event, None, str]:
    chinese = has_han(question)
    data = values(output)
    stated = "" if chinese else _stated(output)
    if output.startswith("Error:"):
        reason = output.removeprefix("Error:").strip()
        text = f"没有成功：{reason}" if chinese else f"That did not work. {reason}"
    elif stated:
        text = stated
    elif chinese or data is None:
        # Its Chinese is not good enough to be trusted with anything.
        text = f"结果：{plain(output)}" if chinese else plain(output)
    else:
        return (yield from _with_remarks(model, question, output, data, turn))
    yield TextDelta(turn.message_id, text)
    return text


def _with_remarks(
    model: Model, question: str, output: str, data: Sequence[Value], turn: Turn
) -> Generator[Event, None, str]:
    """Have the model say the values; remarks on them follow as they are."""
    facts = [value for value in data if value.name not in _REMARKS]
    remarks = [value.text for value in data if value.name in _REMARKS]
    if not facts or not remarks:
        return (yield from _told(model, question, data, plain(output), turn))
    otherwise = ", ".join(f"{v.name}: {v.text}" for v in facts)
    said = yield from _told(model, question, facts, otherwise, turn)
    addition = f" ({'; '.join(remarks)})"
    yield TextDelta(turn.message_id, addition)
    return said + addition


def _told(
    model: Model, question: str, data: Sequence[Value], otherwise: str, turn: Turn
) -> Generator[Event, None, str]:
    """Have the model say it; show each sentence once it is checked."""
    said = held = ""
    no_tools: list[ToolSchema] = []
    stream = model.generate(messages(question, data), no_tools, turn)
    try:
        for event in stream:
            if not isinstance(event, TextDelta):
                yield event
                continue
            held += event.text
            *whole, held = _SENTENCE.split(held)
            for sentence in whole:
                if not _wanted(sentence, said, question, data):
                    held = ""
                    break
                yield TextDelta(turn.message_id, (" " if said else "") + sentence)
                said += (" " if said else "") + sentence
            else:
                continue
            break
    finally:
        stream.close()
    rest = held.strip()
    if rest and _wanted(rest, said, question, data):
        addition = (" " if said else "") + rest
        said += addition
        yield TextDelta(turn.message_id, addition)
    left_out = missing(said, question, data)
    if not said:
        addition = otherwise
    elif left_out:
        more = ", ".join(f"{v.name}: {v.text}" for v in left_out)
        addition = f" ({more})"
    else:
        return said
    yield TextDelta(turn.message_id, addition)
    return said + addition


def _wanted(sentence: str, said: str, question: str, data: Sequence[Value]) -> bool:
    """Whether to show `sentence`: it is true, and not what was said before."""
    return sentence.strip() not in said and truthful(sentence, question, data)


def _all(text: str) -> list[Any]:
    plain_digits = re.sub(r"(?<=\d):(?=\d)", " ", text)  # 17:42 is two figures
    return numbers(plain_digits)


def _flat(data: Any, name: str) -> list[Value]:
    if isinstance(data, dict):
        return [
            value
            for key, inner in cast(dict[Any, Any], data).items()
            for value in _flat(inner, f"{name} {str(key).replace('_', ' ')}".strip())
        ]
    if isinstance(data, list):
        items = cast(list[Any], data)
        if any(isinstance(i, (dict, list)) for i in items):
            return [v for i in items for v in _flat(i, name)]
        return [Value(name or "result", " and ".join(map(_scalar, items)))]
    return [Value(name or "result", _scalar(data))]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None or value == "" else str(value)


def _line(data: Any) -> str:
    if isinstance(data, (dict, list)):
        return ", ".join(
            f"{v.name}: {v.text}" if isinstance(data, dict) else v.text
            for v in _flat(data, "")
        )
    return _scalar(data)


def _stated(output: str) -> str:
    """Return the sentence in which the tool itself tells its result; "" for none."""
    try:
        data: Any = bounds.decode(output)
    except ValueError:
        return ""
    found = cast(Any, data).get(_SENTENCE_KEY) if isinstance(data, dict) else None
    return _cut(found.strip()) if isinstance(found, str) else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rstrip() + " …"
