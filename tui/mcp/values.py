"""What is known of an MCP server, as values without the SDK.

All text in them is bounded and free of control characters: see `tui.mcp.reading`.
"""

from typing import Literal

import msgspec

from tui.i18n import _, ngettext
from tui.messages import Value

Phase = Literal["disabled", "connecting", "ready", "login", "failed", "retrying"]
"""`login`: the server wants the user to log in; `failed`: it is not connected;
`retrying`: it was connected, and is connected again after a pause."""


class ServerState(Value, frozen=True):
    """A server as it is now."""

    name: str
    """The NAME of `[mcp.NAME]`."""
    phase: Phase
    problem: str = ""
    """The last error in one line, without a full stop; it may be of an earlier call
    while the server is ready. "" if there was none."""
    pause: float = 0.0
    """Seconds before the next try, while `retrying`."""
    tools: int = 0
    prompts: int = 0
    resources: int = 0
    title: str = ""
    """What the server calls itself, with its version; "" if it does not say."""
    left_out: tuple[str, ...] = ()
    """Why some of its tools are not offered, a line for each reason."""

    def describe(self) -> str:
        """Return the state in a few words."""
        match self.phase:
            case "ready":
                counts = (
                    (self.tools, ngettext("{count} tool", "{count} tools", self.tools)),
                    (
                        self.prompts,
                        ngettext("{count} prompt", "{count} prompts", self.prompts),
                    ),
                    (
                        self.resources,
                        ngettext(
                            "{count} resource", "{count} resources", self.resources
                        ),
                    ),
                )
                words = [text.format(count=count) for count, text in counts if count]
                return ", ".join(words) or _("offers nothing")
            case "connecting":
                return _("connecting")
            case "disabled":
                return _("off")
            case "login":
                return _("needs a login: lazychat mcp login {name}").format(
                    name=self.name
                )
            case "failed":
                return self.problem or _("not connected")
            case "retrying":
                return _("{problem}; tries again in {seconds:g} s").format(
                    problem=self.problem or _("not connected"), seconds=self.pause
                )


class PromptArgument(Value, frozen=True):
    """An argument of a prompt; its value is text."""

    name: str
    description: str = ""
    required: bool = False


class Prompt(Value, frozen=True):
    """A text that a server writes from arguments."""

    server: str
    name: str
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()

    @property
    def slash(self) -> str:
        """The slash command that fetches it, such as `/github:review`."""
        return "/" + "-".join(f"{self.server}:{self.name}".split())


class Resource(Value, frozen=True):
    """Something that a server lets read."""

    server: str
    uri: str
    name: str = ""
    description: str = ""
    media_type: str = ""
    """Such as text/markdown; "" if the server does not say."""
    size: int = 0
    """Bytes; 0 if the server does not say."""


class ResourceText(Value, frozen=True):
    """The content of a resource."""

    uri: str
    text: str
    """Its text; a line that says what it is if it has none."""
    media_type: str = ""
    is_text: bool = True


class Field(Value, frozen=True):
    """One thing that a server asks the user for."""

    name: str
    kind: Literal["text", "number", "integer", "boolean", "choice", "choices"] = "text"
    title: str = ""
    description: str = ""
    required: bool = False
    default: str = ""
    """As the user would type it; "" for none."""
    choices: tuple[tuple[str, str], ...] = ()
    """Value and title of each choice, for `choice` and `choices`."""
    least: float | None = None
    """The least number, characters or choices; None if there is no limit."""
    most: float | None = None
    format: str = ""
    """`email`, `uri`, `date`, `date-time` or ""."""


class Question(Value, frozen=True):
    """A server asks the user (elicitation), while a call waits for the answer."""

    id: str
    server: str
    message: str
    fields: tuple[Field, ...] = ()
    url: str = ""
    """An address that the user should open instead of filling in fields."""


class Answer(msgspec.Struct, frozen=True):
    """The user's answer to a `Question`."""

    action: Literal["accept", "decline", "cancel"]
    content: dict[str, str | int | float | bool | list[str]] = {}
    """The values of the fields by their names, for `accept`."""
