"""Writes attached files into the text that a model reads.

A text is fenced so that it cannot break out of its place, and named with its range. A
picture is only named, to a model that cannot see.
"""

import re

import msgspec

from tui.messages import Attachment, Message

_TEXT_TYPES = re.compile(
    r"text/|application/(json|xml|toml|yaml|x-yaml|javascript|sql|x-sh)\b|.*\+(json|xml)$"
)


def text_of(file: Attachment) -> str | None:
    """Return the text of a file, None if it is not text or its bytes are gone."""
    if file.is_image or not file.data:
        return None
    readable = "replace" if _TEXT_TYPES.match(file.media_type) else "strict"
    try:
        text = file.data.decode(errors=readable)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def written(file: Attachment) -> str:
    """Return a file as a part of a message's text: its content, or a note."""
    text = text_of(file)
    if text is None:
        return note(file)
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if text.endswith("\n") else "\n"
    place = f", lines {file.lines}" if "-" in file.lines else ""
    place = f", line {file.lines}" if file.lines and not place else place
    return f"{_name(file)}{place}:\n{fence}\n{text}{end}{fence}"


def note(file: Attachment) -> str:
    """Return a line that stands for a file that is not sent."""
    return (
        f"[{_name(file)} ({file.media_type}, {file.bytes:,} bytes) cannot be shown "
        "here.]"
    )


def without_pictures(message: Message) -> Message:
    """Return a message with references to its pictures, for a model that takes none."""
    if not any(file.is_image and file.data for file in message.attachments):
        return message
    files = tuple(
        msgspec.structs.replace(file, data=b"", size=file.bytes)
        if file.is_image
        else file
        for file in message.attachments
    )
    return msgspec.structs.replace(message, attachments=files)


def _name(file: Attachment) -> str:
    # A name may have line ends, which could pass for the end of the file.
    return " ".join(file.name.split()) or "file"
