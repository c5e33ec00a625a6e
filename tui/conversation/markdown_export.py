"""Exports one conversation as Markdown, for people to read."""

import re
from urllib.parse import quote

import msgspec

from tui import bounds, events
from tui.conversation.attached import described, fence_of, filled, with_bytes
from tui.conversation.saved_pictures import file_name
from tui.conversation.store import get
from tui.conversation.transcript import Entry, fold
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.i18n import N_, _
from tui.messages import Attachment, Message
from tui.safe import one_line


def export_markdown(log: EventLog, id: str, folder: str = "") -> str:
    """Return a conversation as readable Markdown, with thinking and tool calls folded.

    Attached texts are folded too. Pictures are shown from `folder`, where the caller
    saves `pictures`; without one they are only named. Times are local. Raises
    `LogError` when there is no such conversation.
    """
    summary = get(log, id)
    records = log.read(id)
    if not summary:
        raise LogError(_("There is no conversation {id!r}.").format(id=id))
    times = {
        record.event.message_id: record.time
        for record in records
        if isinstance(record.event, events.MessageAdded)
    }
    entries = list(fold(records).entries.values())
    answers = {e.message.tool_call_id: e.message for e in entries if _is_result(e)}
    parts = [f"# {one_line(summary.title) or _('Untitled')}"]
    for entry in entries:
        if not _is_result(entry):
            at = times.get(entry.message_id, summary.updated)
            message = filled(log, entry.message)
            parts += _markdown(message, at, answers, folder)
    return "\n\n".join(parts) + "\n"


def pictures(log: EventLog, id: str) -> dict[str, bytes]:
    """Return the attached pictures by the names under which a page shows them."""
    found: dict[str, bytes] = {}
    for entry in fold(log.read(id)).entries.values():
        for file in entry.message.attachments:
            if file.is_image and (data := with_bytes(log, file).data):
                found[file_name(file)] = data
    return found


def _is_result(entry: Entry) -> bool:
    return entry.message.role == "tool"


_SPEAKERS = {"user": N_("You"), "assistant": N_("Assistant"), "system": N_("System")}


def _markdown(
    message: Message, at: float, answers: dict[str | None, Message], folder: str
) -> list[str]:
    clock = bounds.spell_time(at, "%Y-%m-%d %H:%M").strip()
    parts = [f"## {_(_SPEAKERS[message.role])}, {clock}"]
    if message.reasoning.strip():
        parts.append(_folded(_("Thinking"), message.reasoning.strip()))
    if message.text.strip():
        parts.append(message.text.strip("\n"))
    parts += [_attached(file, folder) for file in message.attachments]
    for call in message.tool_calls:
        arguments = call.arguments
        if not isinstance(arguments, str):
            encoded = msgspec.json.encode(arguments)
            arguments = msgspec.json.format(encoded, indent=2).decode()
        body = _fenced(arguments, "json")
        if answer := answers.get(call.id):
            body += f"\n\n{_fenced(answer.text)}"
            for file in answer.attachments:
                body += f"\n\n{_attached(file, folder)}"
        parts.append(_folded(_("Tool: {name}").format(name=call.name), body))
    return parts


def _folded(title: str, body: str) -> str:
    title = title.replace("&", "&amp;").replace("<", "&lt;")
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"


def _attached(file: Attachment, folder: str) -> str:
    title = _("Attached: {file}").format(
        file=one_line(described(file)).partition(" ")[2]
    )
    if file.is_image:
        if not folder:
            return title
        place = quote(f"{folder}/{file_name(file)}")
        name = re.sub(r"[^\w. -]", "", file.name)
        return f"{title}\n\n![{name}]({place})"
    try:
        text = file.data.decode()
    except UnicodeDecodeError:
        return title
    return _folded(title, _fenced(text.rstrip("\n"))) if text else title


def _fenced(text: str, language: str = "") -> str:
    fence = fence_of(text)
    return f"{fence}{language}\n{text}\n{fence}"
