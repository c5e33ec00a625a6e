"""Asks a model for JSON that matches a schema, in a prompt that any model understands.

A server that accepts a schema gets it as well, and then enforces it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tui.messages import Message

_ASKED = (
    "Answer with one JSON value that fits this JSON Schema, and with nothing else: no "
    "explanation, no code fence.\n\n{schema}"
)


def instructed(messages: Sequence[Message], schema: Mapping[str, Any]) -> list[Message]:
    """Return `messages` with the schema appended to the user's last one."""
    asked = list(messages)
    for at in range(len(asked) - 1, -1, -1):
        if asked[at].role == "user":
            words = _ASKED.format(schema=json.dumps(schema, ensure_ascii=False))
            text = f"{asked[at].text}\n\n{words}"
            asked[at] = msgspec.structs.replace(asked[at], text=text)
            break
    return asked
