"""Asks two models the same question, and names their answers when both are there.

The answers are versions: one of them is shown, and the conversation continues with it.
Its model stays what it was.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from tui.app.backend import Models
from tui.app.chat.timeline import Timeline
from tui.app.chat.view import Editor
from tui.conversation import Transcript
from tui.conversation.comparison import AskedModel, compares
from tui.errors import ConfigError
from tui.events import ErrorRaised, Record, TurnFinished
from tui.i18n import _, labelled
from tui.messages import Attachment
from tui.safe import safe

if TYPE_CHECKING:
    from tui.app.dialogs.choice import ChoiceScreen


class _Controller(Protocol):
    def compare(
        self,
        model: AskedModel,
        text: str = "",
        files: tuple[Attachment, ...] = (),
        taken: Callable[[], None] = ...,
        typed: str = "",
    ) -> Future[int] | None: ...


class _Attaching(Protocol):
    def before_sending(
        self,
        text: str,
        files: tuple[Attachment, ...],
        send: Callable[[tuple[Attachment, ...]], None],
        keep: Callable[[], None],
    ) -> None: ...


class Comparing:
    """Runs `/compare` in one chat. Call it in the UI thread."""

    def __init__(
        self,
        models: Models,
        composer: Editor,
        controller: _Controller,
        attaching: _Attaching,
        wait_for: Callable[[Future[int]], object],
        *,
        model: Callable[[], str],
        tools: Callable[[str], Callable[[], set[str]]],
        complain: Callable[[str], None],
        push: "Callable[[ChoiceScreen, Callable[[str | None], None]], object]",
    ) -> None:
        """Set the parts of the chat.

        `wait_for` keeps frames back until a question is stored, `model` returns the
        conversation's model, and `tools` what `AskedModel.tools` is for a model. `push`
        shows a dialog.
        """
        self._models = models
        self._composer = composer
        self._controller = controller
        self._attaching = attaching
        self._wait_for = wait_for
        self._model = model
        self._tools = tools
        self._complain = complain
        self._push = push

    def begin(self, argument: str) -> None:
        """Compare as `MODEL` or `MODEL QUESTION` says; "" asks for the model.

        Without a question the last one is taken, with the answer that it has.
        """
        if not argument:
            self._pick()
            return
        name, text = self._split(argument)
        typed = f"/compare {argument}"
        try:
            self._models.find(name)
        except ConfigError as error:
            self._complain(str(error))
            self._give_back(typed)
        else:
            self._ask(AskedModel(name, self._tools(name)), text, typed)

    def _split(self, argument: str) -> tuple[str, str]:
        """Return the model and the question; the name of a model may have spaces."""
        for name in sorted(self._models.names, key=len, reverse=True):
            rest = argument.removeprefix(name)
            if rest != argument and (not rest or rest[0].isspace()):
                return name, rest.strip()
        name, *rest = argument.split(maxsplit=1)
        return name, "".join(rest)

    def _ask(self, model: AskedModel, text: str, typed: str) -> None:
        if not text:
            if self._controller.compare(model) is None:
                self._complain(_("No question yet: /compare MODEL QUESTION asks one"))
                self._give_back(f"{typed} ")
            return

        def send(files: tuple[Attachment, ...]) -> None:
            self._composer.load_text(self._composer.text, ())
            written = self._controller.compare(model, text, files, typed=typed)
            if written is not None:
                self._wait_for(written)

        self._attaching.before_sending(
            text, self._composer.files, send, lambda: self._give_back(typed)
        )

    def _give_back(self, typed: str) -> None:
        if not self._composer.text:
            self._composer.load_text(typed)

    def _pick(self) -> None:
        from tui.app.dialogs.choice import ChoiceScreen  # seldom needed

        here = self._model()
        models = self._models
        about = {name: models.about(name) for name in models.names if name != here}
        if not about:
            self._complain(_("There is no other model: /setup finds or adds one"))
            return

        def chosen(name: str | None) -> None:
            if name:
                self.begin(name)

        self._push(
            ChoiceScreen(
                _("Compare with"),
                about,
                "",
                note=_(
                    "It answers the last question; /compare MODEL QUESTION asks both"
                ),
            ),
            chosen,
        )


class Comparisons:
    """Names the answers of a comparison below the last one; follows the records."""

    def __init__(self, fold: Transcript, timeline: Timeline) -> None:
        """Take records after they were applied to `fold` and shown."""
        self.keys: tuple[str, str] = "", ""
        """The keys for the versions before and after, "" for none."""
        self._fold = fold
        self._timeline = timeline
        self._failed: tuple[str, str] = "", ""
        """The turn that raised the last error, and its text."""

    def take(self, record: Record) -> None:
        """Take the next record."""
        turn = record.turn or ""
        if isinstance(record.event, ErrorRaised):
            self._failed = turn, record.event.text
        if isinstance(record.event, TurnFinished) and compares(
            self._fold.requests.get(turn)
        ):
            self._finish(turn)

    def _finish(self, turn: str) -> None:
        branches = self._fold.branches
        view = self._timeline.answer(turn)
        if view is None or not branches.has_begun(turn):
            self._note_silent(turn, turn)
            return
        ids, place = branches.versions(view.message_id)
        if place:
            older, newer = self.keys
            text = _(
                "Two answers: Tab, then {older} shows {first}, {newer} shows {second}; "
                "the one shown is continued"
            ).format(
                older=older or "/older",
                first=self._model_of(branches.node(ids[place - 1])),
                newer=newer or "/newer",
                second=self._model_of(turn),
            )
            self._timeline.note(text, "info", turn)
        elif question := branches.question(view.message_id):
            self._note_silent(branches.node(question), turn)

    def _note_silent(self, silent: str, turn: str) -> None:
        text = _("{model} has not answered").format(model=self._model_of(silent))
        failed, why = self._failed
        if failed == silent != turn:  # below its own turn, the error is shown already
            text = labelled(text, why)
        self._timeline.note(text, "warning", turn)

    def _model_of(self, turn: str) -> str:
        request = self._fold.requests.get(turn)
        return safe(request.model if request else "?", newlines=False)
