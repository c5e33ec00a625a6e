"""Exports one conversation as Markdown, for people to read."""

import re

import msgspec

from tui import bounds, events
from tui.conversation.store import get
from tui.conversation.transcript import Entry, fold
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.messages import Message
from tui.safe import one_line


def export_markdown(log: EventLog, id: str) -> str:
    """Return a conversation as readable Markdown, with thinking and tool calls folded.

    Times are local. Raises `LogError` when there is no such conversation.
    """
    summary = get(log, id)
    records = log.read(id)
    if not summary:
        raise LogError(f"There is no conversation {id!r}.")
    times = {
        record.event.message_id: record.time
        for record in records
        if isinstance(record.event, events.MessageAdded)
    }
    entries = list(fold(records).entries.values())
    answers = {e.message.tool_call_id: e.message for e in entries if _is_result(e)}
    parts = [f"# {one_line(summary.title) or 'Untitled'}"]
    for entry in entries:
        if not _is_result(entry):
            at = times.get(entry.message_id, summary.updated)
            parts += _markdown(entry.message, at, answers)
    return "\n\n".join(parts) + "\n"


def _is_result(entry: Entry) -> bool:
    return entry.message.role == "tool"


_SPEAKERS = {"user": "You", "assistant": "Assistant", "system": "System"}


def _markdown(
    message: Message, at: float, answers: dict[str | None, Message]
) -> list[str]:
    clock = bounds.spell_time(at, "%Y-%m-%d %H:%M").strip()
    parts = [f"## {_SPEAKERS[message.role]}, {clock}"]
    if message.reasoning.strip():
        parts.append(_folded("Thinking", message.reasoning.strip()))
    if message.text.strip():
        parts.append(message.text.strip("\n"))
    parts += [f"Attached: {attached.name}" for attached in message.attachments]
    for call in message.tool_calls:
        arguments = call.arguments
        if not isinstance(arguments, str):
            encoded = msgspec.json.encode(arguments)
            arguments = msgspec.json.format(encoded, indent=2).decode()
        body = _fenced(arguments, "json")
        if answer := answers.get(call.id):
            body += f"\n\n{_fenced(answer.text)}"
        parts.append(_folded(f"Tool: {call.name}", body))
    return parts


def _folded(title: str, body: str) -> str:
    title = title.replace("&", "&amp;").replace("<", "&lt;")
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"


def _fenced(text: str, language: str = "") -> str:
    runs: list[str] = re.findall("`{3,}", text)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
