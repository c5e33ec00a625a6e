"""Fills the empty state of a conversation, and opens what it offers."""

from collections.abc import Callable, Mapping, Sequence

from tui.app import background, commands
from tui.app.backend import Backend
from tui.app.history.dates import ago
from tui.app.transcript.pane import Transcript
from tui.app.transcript.welcome import Row, Welcome
from tui.conversation import Summary
from tui.errors import LogError
from tui.i18n import N_, _

KEYS = ("f5", "f6", "f7")
"""They open the conversations that were used last, while the empty state is shown."""
_EXAMPLES = {
    "time": N_("“What time is it in Tokyo?”"),
    "calc": N_("“What's 17 % of 2,340?”"),
    "dice": N_("“Roll two dice”"),
    "weather": N_("“What's the weather in Tokyo?”"),
}
"""Questions for tools, by a part of their names."""
_ANY = N_("“Explain SSH in two sentences”")


class FirstScreen:
    """The empty state of one chat. Call it in the UI thread."""

    def __init__(
        self,
        transcript: Transcript,
        backend: Backend,
        *,
        conversation: str,
        spell: Callable[[str], str],
        call_later: Callable[..., object],
    ) -> None:
        """Use `spell` to get the printed key of a command."""
        self._transcript = transcript
        self._backend = backend
        self._models = backend.models
        self._conversation = conversation
        self._spell = spell
        self._call_later = call_later
        self._keys = _free(backend.keys)
        self._welcome: Welcome | None = None
        self._model = ""
        self._found = ""
        self._recent: Sequence[Summary] = ()

    @property
    def shown(self) -> bool:
        """Whether the empty state is on the screen."""
        welcome = self._welcome
        return welcome is not None and self._transcript.welcome is welcome

    def begin(self, model: str, *, first: bool) -> None:
        """Show it, the larger one with `first`."""
        self._welcome = Welcome(first=first)
        self._model = model
        self._fill()
        background.run("recent", self._look)

    def model(self, name: str) -> None:
        """Show the model that answers next."""
        self._model = name
        self._fill()

    def found(self, text: str) -> bool:
        """Show which models were found; return False if there is no place for it."""
        self._found = text
        self._fill()
        return self.shown

    def recent(self, key: str) -> str:
        """Return the conversation that a key opens now, "" for none."""
        if not self.shown or key not in self._keys[: len(self._recent)]:
            return ""
        return self._recent[self._keys.index(key)].id

    def _look(self) -> None:  # in a thread of its own
        try:
            kept = self._backend.store.recent(len(KEYS) + 1)
        except LogError:
            return  # other parts report it
        own = self._conversation
        found = [it for it in kept if it.id != own and it.title][: len(self._keys)]
        if found:
            self._call_later(self._show_recent, found)

    def _show_recent(self, found: Sequence[Summary]) -> None:
        self._recent = found
        self._fill()

    def _fill(self) -> None:
        if self._welcome is not None:
            self._welcome.rows = list(self._rows())
            self._transcript.show_welcome(self._welcome)

    def _examples(self) -> str:
        names = self._backend.tool_names
        fit = [
            _(question)
            for part, question in _EXAMPLES.items()
            if names is None or any(part in name for name in names)
        ]
        return "  ".join(fit[:2]) or _(_ANY)

    def _rows(self) -> "list[Row]":
        note = self._models.note(self._model)
        starter = self._models.is_starter(self._model)
        what = self._model
        if starter:
            what += _(" (135M demo, often wrong)")
        if starter and _("not installed") in note:  # also in the translated note
            what = _("{model} is not installed: /setup adds a model").format(
                model=self._model
            )
        rows = [Row(_("Model"), what, self._spell("model"), _("choose"), 9)]
        if self._found:
            rows.append(Row(_("Found"), self._found, "Enter", _("choose one"), 8))
        recent = zip(self._keys, self._recent, strict=False)
        for number, (key, it) in enumerate(recent):
            age = _("open · {updated}").format(updated=ago(it.updated))
            rows.append(Row(_("Recent"), it.title, key.upper(), age, 5 - number))
        rows.append(Row(_("Try"), self._examples(), importance=6))
        history = self._spell("history")
        rows.append(
            Row(
                _("Keys"), _("all keys and commands"), self._spell("help"), _("help"), 7
            )
        )
        if self._recent:
            rows.append(
                Row(_("Keys"), _("all conversations"), history, _("history"), 1)
            )
        return rows


def _free(own: Mapping[str, str]) -> list[str]:
    """Return those of `KEYS` that no command has; `own` has the user's keys."""
    used = [own.get(c.name, c.key) for c in commands.COMMANDS if not c.reading]
    taken = {key.strip() for keys in used for key in keys.split(",")}
    return [key for key in KEYS if key not in taken]
