"""The loop of plain mode: a line from the user, then an answer, then the next line.

Nothing is written while the user types, so that a line is never torn. What is typed
while an answer comes is sent at once; commands wait for the end of the answer.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, NoReturn

from tui import conversation
from tui.app.chat.view import Settings
from tui.cli.plain.approving import ask_permission
from tui.cli.plain.console import Console, HungUp
from tui.cli.plain.narrator import ERROR, NOTE, USER
from tui.cli.plain.talk import POLL_SECONDS, Talk
from tui.conversation.approvals import Question
from tui.errors import LazychatError
from tui.events import ApprovalGiven
from tui.i18n import _
from tui.messages import Attachment
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend

How = Literal["", "hung up", "background"]
TWICE_SECONDS = 2.0
"""Seconds within which a second Ctrl+C, after one that stopped an answer, leaves."""
ENDING_SECONDS = 0.5
"""Seconds after its last word within which an answer has ended for its runner too."""
MOST_REMEMBERED = 500
"""Earlier questions that Up walks through."""


class Left(NamedTuple):
    """How plain mode ended."""

    code: int = 0
    """The exit code."""
    how: How = ""
    """Empty if running turns are to be cancelled, otherwise why they continue."""


class _Leaving(Exception):
    """The user leaves; `left` says how."""

    def __init__(self, left: Left) -> None:
        self.left = left


class Repl:
    """Talks with the user. `commands` runs a line that begins with a slash."""

    def __init__(
        self,
        host: Host,
        backend: LocalBackend,
        console: Console,
        commands: "Callable[[Repl, str], bool]",
        files: Sequence[Attachment] = (),
    ) -> None:
        """`commands` returns False for a line that is a message all the same."""
        self.host, self.backend, self.console = host, backend, console
        self._commands = commands
        self.files = list(files)
        """The files for the next message."""
        self.model, self.agent = backend.model, backend.agent
        self.stream = host.config.stream
        self.toggled: dict[str, bool] = {}
        """The tools that the user has switched."""
        self.talk: Talk
        self._waiting: list[str] = []
        """Lines that were typed while an answer came."""
        self._wants_to_leave = False
        self._interrupted = -math.inf
        """When Ctrl+C was pressed last."""
        self._warned = False
        """Whether Ctrl+C has no other effect any more than to leave."""
        self._stopping = False
        """Whether the current answer is to stop."""
        self._problems = 0
        """How many of the host's problems were told."""

    def run(self, id: str, *, is_new: bool) -> Left:
        """Talk until the user leaves; return how that was."""
        with self._signals():
            try:
                self.open(id, is_new=is_new)
                while True:
                    self._follow_answer()
                    self._do(self._next_line())
            except _Leaving as leaving:
                self.talk.mark_seen()
                return leaving.left
            except HungUp:
                return Left(128 + signal.SIGHUP, "hung up")
            finally:
                self.talk.close()

    # -- for commands

    def note(self, text: str) -> None:
        """Tell the user something."""
        self.console.say(NOTE, text)

    def open(self, id: str, *, is_new: bool = False, quiet: bool = False) -> None:
        """Open a conversation in place of the current one. Raises `LogError`.

        Its title is told unless `quiet`.
        """
        talk = Talk(self.host, self.backend, self.console, id, is_new=is_new)
        if hasattr(self, "talk"):
            self.talk.close()
        self.talk = talk
        if not is_new and not quiet:
            title = conversation.get(self.host.log, id)
            self.note(
                _("Conversation {title}").format(title=(title and title.title) or id)
            )
        talk.begin()
        if not self.host.config.model and (last := talk.last_model):
            self.choose_model(last, quiet=True)
        self.console.remember(self.backend.store.questions(id)[-MOST_REMEMBERED:])

    def choose_model(self, name: str, *, quiet: bool = False) -> None:
        """Let `name` answer from now on; `quiet`: unless there is no such model."""
        try:
            self.backend.models.find(name)
        except LazychatError as error:
            if not quiet:
                self.console.say(ERROR, str(error))
            return
        if not quiet:
            self.note(_("The model is now {name}").format(name=name))
        self.model = name
        threading.Thread(
            target=lambda: self.backend.models.preload(name), daemon=True
        ).start()

    @property
    def settings(self) -> Settings:
        """The settings of the next question."""
        return Settings(self.model, self.agent, self.stream, self.enabled)

    def enabled(self) -> set[str]:
        """Return the names of the tools that are on; the user's choice wins."""
        on = {name for name, enabled in self.toggled.items() if enabled}
        return (self.backend.enabled_for(self.model) | on) - (set(self.toggled) - on)

    def send(self, text: str) -> None:
        """Ask `text`, with the files that were attached."""
        files, self.files = self.files, []
        specs = self.backend.files.mentioned(text)
        try:
            files += [self.backend.files.load(spec) for spec in specs]
            self.talk.ask(text, self.settings, files)
        except LazychatError as error:
            self.console.say(ERROR, _("Not sent: {error}").format(error=error))
            self.files = files

    def leave(self) -> None:
        """Leave, or ask first if answers are still running."""
        if not self.console.types:
            self._leave_when_done()
        ended = time.monotonic() + ENDING_SECONDS
        while not (count := self.backend.wanted) or time.monotonic() < ended:
            if not count:
                raise _Leaving(Left())
            if self.talk.is_answering():
                break
            time.sleep(POLL_SECONDS / 10)
        if count == 1:
            self.note(_("An answer is still running"))
        else:
            self.note(_("{count} answers are still running").format(count=count))
        background = _("b: finish in the background, ") if self.backend.keeps else ""
        self.console.line(
            _("w: wait, then quit, {background}s: stop and quit, Enter: stay").format(
                background=background
            )
        )
        try:
            answer = self.console.ask(_("Quit"))
        except (EOFError, KeyboardInterrupt):
            raise _Leaving(Left()) from None
        match answer.strip().lower()[:1]:
            case "w":
                self._leave_when_done()
            case "b" if self.backend.keeps:
                raise _Leaving(Left(how="background"))
            case "s":
                raise _Leaving(Left())
            case _:
                self.note(_("Staying"))

    # -- lines

    def _next_line(self) -> str:
        """Return what the user has typed; a final backslash continues a line."""
        if self._waiting:
            line = self._waiting.pop(0)
            self.console.say(USER, line)
            return line
        lines: list[str] = []
        while not lines or lines[-1].endswith("\\"):
            try:
                lines.append(self.console.ask("" if lines else USER))
            except EOFError:
                if lines:
                    break
                self.leave()
            except KeyboardInterrupt:
                lines.clear()
                self._warn()
        self._warned = False
        ended = [line.removesuffix("\\") for line in lines[:-1]]
        return "\n".join([*ended, *lines[-1:]])

    def _warn(self) -> None:
        """Leave at the second Ctrl+C in a row, and announce that at the first."""
        if self._warned or time.monotonic() - self._interrupted < TWICE_SECONDS:
            raise _Leaving(Left())
        self._warned = True
        self.note(_("Ctrl+C again quits"))

    def _do(self, line: str) -> None:
        """Run a command, or send a message."""
        self.talk.mark_seen()
        try:
            if line.strip() and not self._commands(self, line):
                self.send(line)
        except LazychatError as error:
            self.console.say(ERROR, str(error))

    # -- answers

    def _follow_answer(self) -> None:
        """Tell what comes, until the user is to type; ask for permissions."""
        while True:
            self._report_problems()
            with self.console.busy():
                while self.talk.step() and not self._wants_to_leave:
                    self._hear_keys()
                    self._obey_interrupt()
            self._stopping = False
            if self._wants_to_leave:
                self._wants_to_leave = False
                self.leave()
            elif question := self.talk.question:
                self._permit(question)
            elif self.talk.deleted:
                self.note(_("This conversation was deleted; a new one is open"))
                self.open(conversation.new_id(), is_new=True)
            else:
                break
        self._report_problems()

    def _hear_keys(self) -> None:
        """Send what was typed while the answer comes; commands wait for its end."""
        try:
            lines = self.console.typed()
        except EOFError:
            lines = ["/quit"]
        for line in lines:
            if line.strip() in ("/quit", "/exit"):
                self._wants_to_leave = True
            elif line.startswith("/") or self._waiting:
                self._waiting.append(line)
            elif line.strip():
                self.note(_("Queued: {line}").format(line=line))
                self.send(line)

    def _obey_interrupt(self) -> None:
        """Stop the answer at the first Ctrl+C; a second one has raised already."""
        if time.monotonic() - self._interrupted < TWICE_SECONDS and not self._stopping:
            self._stopping = True
            self.talk.stop()

    def _permit(self, question: Question) -> None:
        """Ask the user whether a tool may run."""
        try:
            given = ask_permission(self.console, question.request)
        except KeyboardInterrupt:
            self._warn()
            self.talk.stop()
            return
        except EOFError:
            if self.console.types:
                self.leave()
                return
            given = ApprovalGiven(question.request.call_id, False)
        self._warned = False
        self.talk.answer(question, given)

    def _leave_when_done(self) -> NoReturn:
        """Leave as soon as no answer of this process is left."""
        while self.backend.busy:
            with self.console.busy():
                while self.backend.busy and self.talk.question is None:
                    if not self.talk.step():
                        time.sleep(POLL_SECONDS)  # another conversation's answer
            if question := self.talk.question:
                self._permit(question)
        raise _Leaving(Left())

    def _report_problems(self) -> None:
        """Tell what parts of the host have reported since the last call."""
        new = self.backend.problems[self._problems :]
        self._problems += len(new)
        for problem in new:
            self.note(problem)

    # -- signals

    @contextmanager
    def _signals(self) -> Generator[None]:
        """Let Ctrl+C stop answers, and a hang-up or SIGTERM end the loop."""

        def interrupt(number: int, frame: object) -> None:
            if self.console.prompting:
                raise KeyboardInterrupt
            now = time.monotonic()
            if now - self._interrupted < TWICE_SECONDS:
                raise _Leaving(Left())
            self._interrupted = now

        def hang_up(number: int, frame: object) -> None:
            self.console.gone = True
            if self.console.prompting:
                raise HungUp

        def terminate(number: int, frame: object) -> None:
            raise _Leaving(Left(128 + signal.SIGTERM))

        heard: dict[signal.Signals, Any] = {
            signal.SIGINT: interrupt,
            signal.SIGHUP: hang_up,
            signal.SIGTERM: terminate,
        }
        before = {number: signal.getsignal(number) for number in heard}
        for number, handler in heard.items():
            if before[number] != signal.SIG_IGN:  # as under nohup
                signal.signal(number, handler)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
