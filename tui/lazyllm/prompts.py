"""`ChatPrompter`: what a module says before the user's question."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from tui.lazyllm.arguments import ArgumentError
from tui.lazyllm.history import History, message_of, messages_of
from tui.lazyllm.scope import ABSENT_OF_PROMPTS
from tui.messages import Message

Instruction = str | Mapping[str, str]
"""The system prompt, or `{"system": ..., "user": ...}`."""


_SLOT = re.compile(r"\{(\w+)\}")
_DOUBLED = re.compile(r"(\{\{)|(\}\})|\{(\w+)\}")


class ChatPrompter:
    """A system prompt, and a form for the user's question.

    `{name}` in either stands for the value of that name in the query, a dict such as
    `{"input": "...", "name": "..."}`; other braces are text. Text as the query is what
    `{input}` stands for, and `{name}` if no other braces are there but doubled ones,
    which then stand for single ones. The one value of a
    dict that stands nowhere is the question; without one, the filled system prompt is.
    `extra_keys` are values that the query has as well: one that stands nowhere follows
    the system prompt. `history` comes before the history of a call. `show` and `tools`
    must be false. Raises `ArgumentError`.
    """

    def __init__(
        self,
        instruction: Instruction | None = None,
        extra_keys: str | Sequence[str] | None = None,
        show: bool = False,
        tools: object = None,
        history: History | None = None,
    ) -> None:
        if show or tools:
            raise ArgumentError(
                "ChatPrompter shows nothing and has no tools: the debug panel shows "
                "the requests, and agents are given the tools."
            )
        if isinstance(instruction, Mapping):
            if odd := set(instruction) - {"system", "user"}:
                raise ArgumentError(
                    f"A prompt has the keys system and user, not {sorted(odd)[0]!r}."
                )
            self.system = _text(instruction.get("system") or "")
            self.user = _text(instruction.get("user") or "")
        else:
            self.system, self.user = _text(instruction or ""), ""
        keys = [extra_keys] if isinstance(extra_keys, str) else extra_keys or ()
        self.extra_keys = tuple(keys)
        self.history = messages_of(history)

    @property
    def has_slots(self) -> bool:
        """Whether a question is more than the last message of the request."""
        return bool(self.user or self.extra_keys or _slots(self.system))

    def messages(self, query: Any, history: History | None) -> list[Message]:
        """Return the request for `query`; its last message is the question."""
        formatted = isinstance(query, str) and bool(self._formatted_name())
        if isinstance(query, Mapping):
            said = cast(Mapping[str, Any], query)
            if isinstance(said.get("content"), list):
                query = message_of(said, "The question")
        if isinstance(query, Message):
            question, values = query, dict[str, str]()
        else:
            values = self._values(query)
            if missing := [key for key in self.extra_keys if key not in values]:
                raise ArgumentError(f"The prompt needs {missing[0]!r} in the query.")
            question = Message("user", self._question(values, formatted))
        system = [self._filled(self.system, values, formatted)] if self.system else []
        system += [
            f"{key}:\n{values[key]}" for key in self.extra_keys if not self._names(key)
        ]
        if system and isinstance(query, Mapping) and not question.text:
            # Servers refuse a message without text.
            question, system = Message("user", "\n\n".join(system)), []
        said = [*self.history, *messages_of(history)]
        if system and said and said[0].role == "system":
            system.append(said.pop(0).text)
        first = [Message("system", "\n\n".join(system))] if system else []
        return [*first, *said, question]

    def _values(self, query: Any) -> dict[str, str]:
        """Return what stands for each name; raises `ArgumentError` without a text."""
        if isinstance(query, str):
            name = self._only_name()
            values = {name: query}
            return values if name in _slots(self.user) else {"input": query, **values}
        if isinstance(query, Mapping):
            given = cast(Mapping[str, Any], query)
            if given.get("role") == "user":
                given = {"input": given.get("content")}
            named = any(map(self._has, given)) and "input" not in given
            if named or isinstance(given.get("input"), str):
                return {key: _plain(value) for key, value in given.items()}
        raise ArgumentError(
            f"A question must be text or a dict with the text under 'input', not "
            f"{type(cast(object, query)).__name__}: {cast(object, query)!r:.60}."
        )

    def _only_name(self) -> str:
        """Return the one name in braces if there is nothing else in braces."""
        if name := self._formatted_name():
            return name
        slots, text = _slots(self.system) | _slots(self.user), self.system + self.user
        (name, *others) = slots or {"input"}
        only = not others and text.count("{") == text.count(f"{{{name}}}")
        return name if only else "input"

    def _formatted_name(self) -> str:
        """Return the one name in braces if all others are doubled, or "".

        LazyLLM formats such a prompt as `str.format` does if the query is text.
        """
        text = self.system + self.user
        names = {name for *_, name in _DOUBLED.findall(text) if name}
        if "{{" not in text or {"{", "}"} & set(_DOUBLED.sub("", text)):
            return ""
        return names.pop() if len(names) == 1 else ""

    def _filled(self, text: str, values: Mapping[str, str], formatted: bool) -> str:
        # In one pass: what is put in may have braces of its own.
        if formatted:
            single = {"{{": "{", "}}": "}"}
            return _DOUBLED.sub(
                lambda m: single.get(m[0]) or values.get(m[3], m[0]), text
            )
        return _SLOT.sub(lambda m: values.get(m[1], m[0]), text)

    def _question(self, values: Mapping[str, str], formatted: bool) -> str:
        left = [key for key in values if not self._has(key)]
        if odd := [key for key in left if key != "input"][: len(left) - 1]:
            raise ArgumentError(
                f"The prompt has no place for {odd[0]!r}: write {{{odd[0]}}} in "
                f"it, or name it in ChatPrompter(extra_keys=...)."
            )
        asked = values[left[0]] if left else ""
        if self.user:
            form = self._filled(self.user, values, formatted)
            return "\n\n".join(filter(None, (form, asked)))
        return asked or values.get("input", "")

    def _has(self, key: str) -> bool:
        return key in self.extra_keys or self._names(key)

    def _names(self, key: str) -> bool:
        return key in _slots(self.system) | _slots(self.user)

    def __getattr__(self, name: str) -> Any:
        if why := ABSENT_OF_PROMPTS.get(name):
            raise AttributeError(f"ChatPrompter has no {name}: {why}.")
        raise AttributeError(f"'ChatPrompter' object has no attribute {name!r}")


def prompter(prompt: object) -> ChatPrompter:
    """Return what `prompt` means: None, text, a dict or a `ChatPrompter`."""
    if isinstance(prompt, ChatPrompter):
        return prompt
    if prompt is None or isinstance(prompt, str | Mapping):
        return ChatPrompter(cast(Instruction | None, prompt))
    raise ArgumentError(
        f"A prompt must be text, a dict with system and user, or a ChatPrompter, not "
        f"{type(prompt).__name__}."
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"A prompt must be text, not {type(value).__name__}.")
    return value


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=str).decode()


def _slots(text: str) -> set[str]:
    return set(_SLOT.findall(text))
