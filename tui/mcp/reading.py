"""Reads what servers send into our values: bounded, and free of control characters.

A server is a program of someone else, and what it says goes to the screen and to a
model. What is too large or too deep is left out, with a note.
"""

import base64
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from tui import bounds
from tui.errors import ToolError
from tui.i18n import _
from tui.mcp.text import clean, line
from tui.mcp.values import (
    Prompt,
    PromptArgument,
    Resource,
    ResourceText,
)
from tui.messages import ToolSchema

if TYPE_CHECKING:
    import mcp_types as types

MOST_TOOLS = 200
"""Most tools of one server: no model chooses well among more."""
LARGEST_SCHEMA = 64_000
"""Most bytes of a tool's parameters as JSON."""
LONGEST_DESCRIPTION = 8_000
"""Most characters that describe a tool."""
MOST_LISTED = 1_000
"""Most prompts, and most resources, of one server."""
MOST_PICTURES = 10
"""Most pictures of one result."""
LONGEST_RESULT = 1_000_000
"""Most characters of a result, of which a model gets less still."""


def log_line(params: "types.LoggingMessageNotificationParams") -> str:
    """Return what a server logs as one line."""
    data: Any = params.data
    if not isinstance(data, str):
        try:
            data = msgspec.json.encode(data).decode()
        except (TypeError, RecursionError, ValueError):
            data = _("something that cannot be shown")
    return f"{line(params.level, 20)}: {line(data)}"


def progress_line(progress: float, total: float | None, message: str | None) -> str:
    """Return how far a call is as one line."""
    share = (
        _("{progress:g} of {total:g}").format(progress=progress, total=total)
        if total
        else f"{progress:g}"
    )
    return f"{share}: {line(message)}" if message else share


class ReadTool(msgspec.Struct, frozen=True):
    """A tool as a server describes it."""

    name: str
    """The server's own name for it."""
    description: str
    parameters: dict[str, Any]
    read_only: bool
    """Whether the server says that it changes nothing."""
    hints: str
    """What the server says of its effects, in a few words; "" if nothing."""

    def schema(self, name: str) -> ToolSchema:
        """Return the schema for a model that knows the tool as `name`."""
        return ToolSchema(name, self.description, self.parameters)


def tools(found: "Sequence[types.Tool]") -> tuple[list[ReadTool], tuple[str, ...]]:
    """Return the tools to offer, and why others are not, a line for each reason."""
    read: dict[str, ReadTool] = {}
    left_out: list[str] = []
    for tool in found:
        if len(read) == MOST_TOOLS:
            left_out.append(
                _("only the first {most_tools} of {count} tools are used").format(
                    most_tools=MOST_TOOLS, count=len(found)
                )
            )
            break
        name = line(tool.name, 80)
        if why := _tool_problem(tool):
            left_out.append(_("{name} is left out: {why}").format(name=name, why=why))
        elif tool.name in read:
            left_out.append(
                _("{name} is left out: two tools have this name").format(name=name)
            )
        else:
            read[tool.name] = _tool(tool)
    return list(read.values()), tuple(left_out[:20])


def _tool_problem(tool: "types.Tool") -> str:
    if not tool.name or len(tool.name) > 256:
        return _("its name is empty or too long")
    if bounds.is_deep(tool.input_schema):
        return f"in its parameters {bounds.TOO_DEEP}"
    size = len(msgspec.json.encode(tool.input_schema))
    if size > LARGEST_SCHEMA:
        return _(
            "its parameters take {size} bytes, of {largest_schema} at most"
        ).format(size=size, largest_schema=LARGEST_SCHEMA)
    return ""


def _tool(tool: "types.Tool") -> ReadTool:
    told = tool.annotations
    title = tool.title or (told.title if told else "") or tool.name
    description = clean(tool.description or title, LONGEST_DESCRIPTION).strip()
    read_only = bool(told and told.read_only_hint)
    hints: list[str] = []
    if told and told.read_only_hint is not None:
        hints.append(_("changes nothing") if read_only else _("changes something"))
    if told and told.destructive_hint is not None and not read_only:
        hints.append(_("may destroy") if told.destructive_hint else _("only adds"))
    if told and told.open_world_hint:
        hints.append(_("reaches the outside"))
    return ReadTool(
        tool.name,
        description or "No description.",
        tool.input_schema,
        read_only,
        ", ".join(hints),
    )


def prompts(server: str, found: "Sequence[types.Prompt]") -> tuple[Prompt, ...]:
    """Return the prompts of a server."""
    return tuple(
        Prompt(
            server,
            prompt.name,
            line(prompt.description or prompt.title or ""),
            tuple(
                PromptArgument(
                    argument.name,
                    line(argument.description or ""),
                    bool(argument.required),
                )
                for argument in (prompt.arguments or [])[:50]
            ),
        )
        for prompt in found[:MOST_LISTED]
        if 0 < len(prompt.name) <= 256 and prompt.name.isprintable()
    )


def resources(server: str, found: "Sequence[types.Resource]") -> tuple[Resource, ...]:
    """Return the resources of a server."""
    return tuple(
        Resource(
            server,
            resource.uri,
            line(resource.title or resource.name, 200),
            line(resource.description or ""),
            line(resource.mime_type or "", 100),
            bounds.count(resource.size),
        )
        for resource in found[:MOST_LISTED]
        if 0 < len(resource.uri) <= 4096 and resource.uri.isprintable()
    )


class Picture(msgspec.Struct, frozen=True):
    """A picture in a result, as the server sends it."""

    data: str
    """Base64, which may be wrong."""
    kind: str
    """What the server calls its media type, in one short line."""

    @property
    def name(self) -> str:
        """Say what it is."""
        return f"image, {self.kind or 'of unknown kind'}, {_size(self.data)}"


class Result(msgspec.Struct, frozen=True):
    """What a call has returned."""

    text: str
    """"" if there are only pictures."""
    pictures: tuple[Picture, ...] = ()


def result(server: str, found: "types.CallToolResult") -> Result:
    """Return a result for a model.

    Raises `ToolError` if the server says that the call failed.
    """
    blocks = found.content[:MOST_LISTED]
    pictures = [] if found.is_error else list(filter(None, map(_picture, blocks)))
    shown = pictures[:MOST_PICTURES]
    named = [_block(b) for b in blocks if found.is_error or not _picture(b)]
    more = len(pictures) - len(shown)
    texts = [part for part in named if part]
    if found.is_error:
        raise ToolError(line("\n".join(texts) or f"{server} gave no reason"))
    structured = found.structured_content
    if structured is not None and not _is_said(structured, texts):
        texts.append(_json(structured))
    if more:
        texts.append(f"[{more} more images: not shown]")
    text = clean("\n".join(texts), LONGEST_RESULT)
    return Result(text or ("" if shown else "(no output)"), tuple(shown))


def _picture(block: "types.ContentBlock") -> Picture | None:
    if block.type == "image":
        return Picture(block.data, line(block.mime_type, 60))
    if block.type == "resource":
        kind = line(block.resource.mime_type or "", 60)
        blob = getattr(block.resource, "blob", None)
        if kind.startswith("image/") and isinstance(blob, str):
            return Picture(blob, kind)
    return None


def _is_said(structured: Any, texts: list[str]) -> bool:
    """Return whether a text has the structured content, as servers should repeat it."""
    fields = cast(dict[str, Any], structured) if isinstance(structured, dict) else {}
    # Some wrap what they say in a field: `result`, `content`.
    only: Any = next(iter(fields.values())) if len(fields) == 1 else None
    if isinstance(only, str) and [only] == texts:
        return True
    for text in texts:
        try:
            value = bounds.decode(text)
        except ValueError:
            continue
        if value == structured or (only is not None and value == only):
            return True
    return False


def _json(value: Any) -> str:
    if bounds.is_deep(value):
        value = bounds.shallow(value)
    return msgspec.json.encode(value).decode()


def _block(block: "types.ContentBlock") -> str:
    match block.type:
        case "text":
            return block.text
        case "image" | "audio":
            kind = line(block.mime_type, 60)
            return f"[{block.type}, {kind}, {_size(block.data)}: not shown]"
        case "resource_link":
            about = f" ({line(block.description)})" if block.description else ""
            return f"[resource {line(block.uri)}: {line(block.name)}{about}]"
        case "resource":
            return resource_text(block.resource).text


def resource_text(
    found: "types.TextResourceContents | types.BlobResourceContents",
) -> ResourceText:
    """Return the content of a resource as text.

    Bytes are decoded if they are text; of HTML only what a browser would show is kept.
    Content that is not really text, whatever the server calls it, is named.
    """
    kind, uri = line(found.mime_type or "", 100), line(found.uri)
    text, blob = getattr(found, "text", None), str(getattr(found, "blob", ""))
    if not isinstance(text, str):
        text = _decoded(blob, kind)
    if text is not None and _is_readable(text):
        if "html" in kind.lower() or _PAGE.match(text):
            from tui.tools.bundled import page_text  # few resources are pages

            text = page_text.text_of(text)
        return ResourceText(uri, clean(text, LONGEST_RESULT), kind)
    size = _size(blob) if text is None else f"{len(text)} characters"
    what = f"[resource {uri}, {kind or 'of unknown kind'}, {size}: not text]"
    return ResourceText(uri, what, kind, is_text=False)


_PAGE = re.compile(r"\s*(?:<!doctype html|<html)\b", re.IGNORECASE)
_CONTROL = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f\ufffd]")
_CHARSET = re.compile(r"charset=[\"']?([\w-]{1,40})", re.IGNORECASE)


def _decoded(blob: str, kind: str) -> str | None:
    """Return the text of bytes in base64, None if they are none."""
    named = kind.lower().startswith("text/") or re.search("json|xml", kind, re.I)
    if not (named or kind in ("", "application/octet-stream")):
        return None
    try:
        data = base64.b64decode(blob)
        if not named:  # the server does not know; it may be text
            return data.decode()
    except ValueError:
        return None
    from tui.tools.bundled import page_text

    charset = _CHARSET.search(kind)
    return page_text.decode(data, charset[1] if charset else "")


def _is_readable(text: str) -> bool:
    """Return whether this is text: a binary file has control or broken characters."""
    start = text[:10_000]
    return "\0" not in start and 50 * len(_CONTROL.findall(start)) <= len(start)


def _size(data: str) -> str:
    size = len(data) * 3 // 4
    return f"{size} bytes" if size < 10_000 else f"{size // 1000} kB"


def prompt_text(found: "types.GetPromptResult") -> str:
    """Return the messages of a prompt as one text; others than the user's are named."""
    pieces: list[str] = []
    for message in found.messages[:MOST_LISTED]:
        text = _block(message.content).strip()
        pieces.append(text if message.role == "user" else f"{message.role}: {text}")
    return clean("\n\n".join(filter(None, pieces)), LONGEST_RESULT)


class Throttle:
    """Passes on at most so many lines in so many seconds; the rest is counted."""

    def __init__(
        self,
        most: int,
        seconds: float,
        clock: Callable[[], float],
        tell: Callable[[str], object],
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._tell = tell
        self._since = clock()
        self._passed = 0
        self._dropped = 0

    def __call__(self, text: str) -> None:
        """Pass on a line, or count it."""
        now = self._clock()
        if now - self._since >= self._seconds:
            self.flush()
            self._since, self._passed = now, 0
        if self._passed < self._most:
            self._passed += 1
            self._tell(text)
        else:
            self._dropped += 1

    def flush(self) -> None:
        """Say how many lines were dropped since the last time."""
        if self._dropped:
            self._tell(f"[{self._dropped} more lines left out]")
            self._dropped = 0
