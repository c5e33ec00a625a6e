"""How hard the model is to think: an option of the conversation, changed by a key."""

from collections.abc import Callable
from typing import Any, Protocol

from tui.app.chat.conversation_settings import EFFORT, ConversationSettings
from tui.i18n import _
from tui.safe import safe

LEVELS = ("low", "medium", "high")
"""What the key goes through, after the model's default."""
OTHERS = ("none", "minimal", "xhigh", "max")
"""What some models take too; `/effort NAME` sets it."""


class _Models(Protocol):
    def no_effort(self, name: str) -> str: ...


class _Status(Protocol):
    effort: Any


class Effort:
    """The effort of one chat. Call it in the UI thread."""

    def __init__(
        self,
        settings: ConversationSettings,
        models: _Models,
        status: _Status,
        *,
        model: Callable[[], str],
        hint: Callable[[str], object],
        complain: Callable[[str], object],
    ) -> None:
        """`model` returns the name of the model that answers next."""
        self._settings = settings
        self._models = models
        self._status = status
        self._model = model
        self._hint = hint
        self._complain = complain

    @property
    def current(self) -> str:
        """The effort that is set here, "" for the model's default."""
        value = self._settings.current.options.get(EFFORT, "")
        return safe(value, newlines=False)[:12] if isinstance(value, str) else ""

    def show(self) -> None:
        """Show the effort in the status line if it is not the default."""
        self._status.effort = self.current

    def choose(self, level: str) -> None:
        """Set an effort; "" goes to the next one, `default` resets it."""
        level = level.lower()
        if not level:
            order = ("", *LEVELS)
            at = order.index(self.current) if self.current in order else -1
            level = order[(at + 1) % len(order)] or "default"
        if level == "default":
            self._settings.set_option(f"{EFFORT} default")
            self._hint(_("Effort: the model's default"))
        elif level not in (*LEVELS, *OTHERS):
            known = ", ".join((*LEVELS, "default"))
            self._complain(
                _("/effort takes {known}, not {level!r}").format(
                    known=known, level=safe(level)[:20]
                )
            )
            return
        elif why := self._models.no_effort(self._model()):
            self._complain(why)
            return
        else:
            self._settings.set_option(f"{EFFORT} {level}")
            self._hint(_("Effort: {level}").format(level=level))
        self.show()
