"""`ChatPrompter`: what a module says before the user's question."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from tui.lazyllm.arguments import ArgumentError
from tui.lazyllm.history import History, messages_of
from tui.messages import Message

Instruction = str | Mapping[str, str]
"""The system prompt, or `{"system": ..., "user": ...}`."""


class ChatPrompter:
    """A system prompt, and a form for the user's question.

    `{name}` in either stands for the value of that name in the query, a dict such as
    `{"input": "...", "name": "..."}`; other braces are text. `extra_keys` are values
    that the query has as well: one that stands nowhere follows the system prompt.
    `history` comes before the history of a call. Raises `ArgumentError`.
    """

    def __init__(
        self,
        instruction: Instruction | None = None,
        extra_keys: str | Sequence[str] | None = None,
        *,
        history: History | None = None,
    ) -> None:
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

    def messages(self, query: Any, history: History | None) -> list[Message]:
        """Return the request for `query`; its last message is the question."""
        if isinstance(query, Message):
            question, values = query, dict[str, str]()
        else:
            values = _values(query)
            if missing := [key for key in self.extra_keys if key not in values]:
                raise ArgumentError(f"The prompt needs {missing[0]!r} in the query.")
            extra = [key for key in values if key not in (*self.extra_keys, "input")]
            if odd := [key for key in extra if not self._names(key)]:
                raise ArgumentError(
                    f"The prompt has no place for {odd[0]!r}: write {{{odd[0]}}} in "
                    f"it, or name it in ChatPrompter(extra_keys=...)."
                )
            text = _filled(self.user, values) if self.user else values["input"]
            if self.user and "{input}" not in self.user:
                text = f"{text}\n\n{values['input']}" if values["input"] else text
            question = Message("user", text)
        system = [_filled(self.system, values)] if self.system else []
        system += [
            f"{key}:\n{values[key]}" for key in self.extra_keys if not self._names(key)
        ]
        said = [*self.history, *messages_of(history)]
        if system and said and said[0].role == "system":
            system.append(said.pop(0).text)
        first = [Message("system", "\n\n".join(system))] if system else []
        return [*first, *said, question]

    def _names(self, key: str) -> bool:
        return f"{{{key}}}" in self.system or f"{{{key}}}" in self.user


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


def _values(query: Any) -> dict[str, str]:
    if isinstance(query, str):
        return {"input": query}
    if isinstance(query, Mapping):
        given = cast(Mapping[str, Any], query)
        if given.get("role") == "user":
            given = {"input": given.get("content")}
        if isinstance(given.get("input"), str):
            return {key: _plain(value) for key, value in given.items()}
    raise ArgumentError(
        f"A question must be text or a dict with the text under 'input', not "
        f"{type(cast(object, query)).__name__}: {cast(object, query)!r:.60}."
    )


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=str).decode()


def _filled(text: str, values: Mapping[str, str]) -> str:
    # In one pass: what is put in may have braces of its own.
    return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), text)
