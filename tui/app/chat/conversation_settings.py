"""Keeps the settings of one conversation: its system prompt and the model's options."""

import json
import math
import re
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from tui import bounds
from tui.app.backend import Conversation
from tui.app.chat.view import Editor
from tui.config_problems import option_problem
from tui.conversation import Transcript
from tui.events import ConversationConfigured
from tui.i18n import _
from tui.safe import safe
from tui.spelling import VERY_NEAR, nearest

LONGEST = 100_000
"""Characters of a system prompt."""
EFFORT = "reasoning_effort"
"""The option that has its own command, and its own line in the sidebar."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_USUAL = (
    *("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "stop"),
    *("max_completion_tokens", "repeat_penalty", "reasoning_effort"),
    *("presence_penalty", "frequency_penalty"),
)
"""Options that servers have. They may have others, so an unknown one is set too."""
_OFF = ("default", "none", "off")


class _Sidebar(Protocol):
    system: Any
    options: Any


class ConversationSettings:
    """The settings of one chat. Call it in the UI thread."""

    def __init__(
        self,
        conversation: Conversation,
        fold: Transcript,
        composer: Editor,
        sidebar: _Sidebar,
        configured: str,
        hint: Callable[[str], object],
        complain: Callable[[str], object],
        call_later: Callable[..., object],
    ) -> None:
        """`configured` is the system prompt of the configuration, "" for none."""
        self._conversation = conversation
        self._fold = fold
        self._composer = composer
        self._sidebar = sidebar
        self._configured = configured
        self._hint = hint
        self._complain = complain
        self._call_later = call_later
        self._own: ConversationConfigured | None = None
        """What the user has set here, until it is read from the log."""
        self.show()

    @property
    def current(self) -> ConversationConfigured:
        """The settings that the next question has."""
        return self._own or self._fold.configured

    def show(self) -> None:
        """Show the current settings in the sidebar."""
        if self._own == self._fold.configured:
            self._own = None
        now = self.current
        self._sidebar.system = now.system or self._configured
        self._sidebar.options = tuple(
            f"{k} = {_spell(v)}" for k, v in now.options.items() if k != EFFORT
        )

    def set_system(self, text: str) -> None:
        """Set the system prompt; "" puts it into the composer, to be changed there."""
        now = self.current
        if not text:
            if current := now.system or self._configured:
                self._composer.load_text(f"/system {current}")
                self._hint(_("Edit and press Enter · /system default resets"))
            else:
                self._hint(_("No system prompt; /system TEXT sets one"))
        elif text.lower() in _OFF:
            self._change(system="", options=now.options)
            self._hint(_("System prompt reset"))
        elif len(text) > LONGEST:
            self._complain(
                _("A system prompt has at most {longest:,} characters").format(
                    longest=LONGEST
                )
            )
        else:
            self._change(system=text, options=now.options)
            self._hint(_("System prompt set for this conversation"))

    def set_option(self, text: str) -> None:
        """Set an option of the model from `NAME VALUE`; "" lists those that are set."""
        now = self.current
        name, __, value = text.replace("=", " ", 1).partition(" ")
        value = value.strip()
        if not text:
            listed = ", ".join(f"{k} = {_spell(v)}" for k, v in now.options.items())
            self._hint(listed or _("No options set; /set temperature 0.2 sets one"))
        elif not _NAME.fullmatch(name):
            self._complain(
                _("/set takes a name and a value, not {name!r}").format(
                    name=safe(name)[:40]
                )
            )
        elif not value:
            known = now.options.get(name)
            self._hint(
                f"{name} = {_spell(known)}" if known is not None else _("Not set")
            )
        elif value.lower() in ("default", "none"):
            rest = {k: v for k, v in now.options.items() if k != name}
            self._change(system=now.system, options=rest)
            self._hint(_("{name} reset").format(name=name))
        else:
            self._set(name, value, now)

    def _set(self, name: str, value: str, now: ConversationConfigured) -> None:
        read = _read(value)
        if problem := option_problem(name, read):
            self._complain(f"{name} {problem}")
            return
        self._change(system=now.system, options=now.options | {name: read})
        hint = "" if name in _USUAL else nearest(name, _USUAL, VERY_NEAR)
        self._hint(
            _("{name} = {read} in this conversation").format(
                name=name, read=_spell(read)
            )
            + (f".{hint}" if hint else "")
        )

    def _change(self, system: str, options: dict[str, Any]) -> None:
        event = ConversationConfigured(system, options)
        self._own = event
        self.show()
        written: Future[int] = self._conversation.configure(event)
        written.add_done_callback(self._report)

    def _report(self, done: "Future[int]") -> None:
        """Report a failed write. Runs in the log thread."""
        if error := done.exception():
            self._call_later(self._failed, str(error))

    def _failed(self, why: str) -> None:
        self._own = None
        self.show()
        self._complain(why)


def _read(value: str) -> Any:
    """Return a value as JSON, else as the text that it is."""
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if isinstance(read, float) and not math.isfinite(read):
        return value
    return value if bounds.is_deep(read) else read


def _spell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return safe(text, newlines=False)[:60]
