"""What a serving process tells the screens that it starts.

Such a screen runs no turns: it only follows conversations and asks the runner of the
serving process. So it needs no keys, models or tools, but it must show what is stored.
The note is passed in an unnamed file, so that no list of processes and no folder has
it, and its length is not limited as that of a variable is.
"""

import os
import tempfile
from pathlib import Path

import msgspec

from tui import bounds
from tui.errors import ConfigError
from tui.i18n import _
from tui.messages import ToolSchema
from tui.spelling import nearest
from tui.tools.policy import Policy

DESCRIPTOR = "LAZYCHAT_SERVED"
"""The variable with the number of the descriptor from which the note is read."""
CONVERSATION = "LAZYCHAT_CONVERSATION"
"""The variable with the id of the conversation that the screen opens."""


class ServedModel(msgspec.Struct, frozen=True):
    """A model of the serving process, as screens show it."""

    about: str
    note: str = ""
    window: int = 0
    """Size of its context window in tokens, 0 if it is unknown."""
    enabled: tuple[str, ...] | None = None
    """The names of the tools that are on at the start with it; None: as `Served`'s."""


class Served(msgspec.Struct, frozen=True):
    """What a screen may ask of the serving process."""

    runner: str
    """The id of its runner, for `TurnRequested.runner`."""
    model: str
    """The name of the model for new conversations."""
    models: dict[str, ServedModel]
    tools: tuple[ToolSchema, ...] = ()
    enabled: tuple[str, ...] = ()
    """The names of the tools that are on at the start."""
    stream: bool = True
    agent: str = ""
    """The name of the agent for new conversations, "" if the screens cannot choose."""
    config: str = ""
    """The path of the configuration, "" for the user's own."""
    policies: dict[str, Policy] = {}
    """Whether each tool asks before it runs; others do not."""


def pass_on(served: Served) -> int:
    """Return an open descriptor with the note, for a new process; close it then."""
    descriptor, path = tempfile.mkstemp(prefix="lazychat-")
    try:
        Path(path).unlink()
        os.write(descriptor, msgspec.json.encode(served))
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def receive() -> tuple[Served, str] | None:
    """Return the note and the conversation for this process, None if it has none.

    Removes both from the environment. Raises `ConfigError` if they are not complete.
    """
    number = os.environ.pop(DESCRIPTOR, "")
    conversation = os.environ.pop(CONVERSATION, "")
    if not number:
        return None
    try:
        with os.fdopen(int(number), "rb") as file:
            served = bounds.decode_as(file.read(), Served)
    except (OSError, ValueError) as error:
        raise ConfigError(
            _(
                "{descriptor} is only for screens that `lazychat serve` starts "
                "({error})."
            ).format(descriptor=DESCRIPTOR, error=error)
        ) from error
    if not conversation:
        raise ConfigError(
            _("{descriptor} is set, but {conversation} is not.").format(
                descriptor=DESCRIPTOR, conversation=CONVERSATION
            )
        )
    return served, conversation


class ServedModels:
    """The models of the serving process, which loads them."""

    def __init__(self, served: Served) -> None:
        self._models = served.models

    @property
    def names(self) -> list[str]:
        """The names of the models."""
        return list(self._models)

    def find(self, name: str) -> object:
        """Raise `ConfigError` if `name` is not a model of the serving process."""
        if name not in self._models:
            hint = nearest(name, self._models)
            hint = hint or _(" Known: {models}.").format(models=", ".join(self._models))
            raise ConfigError(
                _('No model named "{name}" is served here.{hint}').format(
                    name=name, hint=hint
                )
            )
        return self._models[name]

    def is_starter(self, name: str) -> bool:
        """Return False: another model is set up where this one is served."""
        return False

    def about(self, name: str) -> str:
        """Return a short description of `name`."""
        found = self._models.get(name)
        return found.about if found else ""

    def note(self, name: str) -> str:
        """Return a line that the user should know about the model, or ""."""
        found = self._models.get(name)
        return found.note if found else ""

    def no_effort(self, name: str) -> str:
        """Return "": the serving process knows its models."""
        return ""

    def sees(self, name: str) -> bool | None:
        """Return None: files cannot be attached here."""
        return None

    def window(self, name: str) -> int:
        """Return the size of the context window when the screen was opened, or 0."""
        found = self._models.get(name)
        return found.window if found else 0

    def preload(self, name: str) -> None:
        """Do nothing: the serving process has loaded it."""

    warm = learn_window = preload
