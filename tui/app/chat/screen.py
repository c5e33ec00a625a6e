"""The chat screen: follows one conversation's log and shows it.

It draws nothing that is not in the log: what the user sends is appended there and
comes back like everything else. Opening an old conversation is the same act as
watching a new one: follow it from the start.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from tui import conversation, paths
from tui.app import background, commands, state
from tui.app.chat import preload
from tui.app.chat.controller import Controller
from tui.app.chat.drafts import Drafts
from tui.app.chat.follower import Follower
from tui.app.chat.owners import Owners
from tui.app.chat.place import PlaceToShow
from tui.app.chat.presenter import Presenter
from tui.app.chat.read_marker import ReadMarker
from tui.app.chat.versions import MessageVersions
from tui.app.chat.view import Settings
from tui.app.terminal.key_order import typed
from tui.app.terminal.textual_hook import OutputScreen
from tui.app.transcript.find import Place
from tui.app.transcript.message_view import NoteKind
from tui.app.transcript.pane import Transcript
from tui.app.widgets.composer import Composer
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.status import Status
from tui.app.widgets.tab_bar import ChatBar, Tab
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.conversation import read_state
from tui.errors import LogError
from tui.eventlog import Draft
from tui.events import Record
from tui.runtime import guard, worker_registry
from tui.runtime.host import Host

FAILURE_SECONDS = 0.5
"""How often a turn under way is looked after that may have failed unheard."""

TELL_SECONDS = 1.0
"""How long a model may load before that is told to one who waits for nothing."""

NARROW = 100
"""Columns below which the sidebar takes the place of the conversation."""


class ChatScreen(OutputScreen):
    """One conversation: transcript, debug panel, composer, tools, status."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "Composer"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings()

    stream: var[bool] = var(True, init=False)
    """Whether answers are shown while they are written."""
    model: var[str] = var("", init=False)
    """The name of the model that is asked next."""

    class Arrived(Message):
        """The log has more records of this conversation."""

        def __init__(self, records: list[Record]) -> None:
            super().__init__()
            self.records = records

    class Deleted(Message):
        """The conversation of `screen` was deleted, and the screen is to go."""

        def __init__(self, screen: "ChatScreen") -> None:
            super().__init__()
            self.screen = screen

    class Commanded(Message):
        """The user typed a slash command."""

        def __init__(self, command: commands.Command, argument: str) -> None:
            super().__init__()
            self.command = command
            self.argument = argument

    def __init__(self, host: Host, conversation: str, first: bool = False) -> None:
        """Show `conversation`; `first`: it is the one that the program begins with."""
        super().__init__()
        self.host = host
        self.conversation = conversation
        self._first = first
        self.transcript = Transcript()
        self.composer = Composer()
        self.chat_bar = ChatBar()
        self.drafts = Drafts(host.log, conversation, self.composer)
        self.read_marker = ReadMarker(host.log, conversation)
        self.debug_panel = DebugPanel()
        self.sidebar = ToolSidebar()
        self.status = Status()
        self.presenter = Presenter(
            self.transcript,
            self.debug_panel,
            self.status,
            host.runner.id,
            worker_registry.is_alive,
        )
        fold = self.presenter.fold
        self.versions = MessageVersions(
            fold,
            self.presenter.timeline,
            self.composer,
            hint=self.hint,
            choose=self.presenter.choose,
            retitle=lambda: self.controller.show_queue(),
            leave_key=self.spell_key("cancel"),
        )
        self.controller = Controller(
            host, conversation, self.presenter, self.versions, self.composer, self
        )
        self._owners = Owners(host, conversation, fold, self.note)
        self.presenter.context.window = lambda: host.models.window(self.model)
        self._problems = 0  # those of the host that have been shown
        self._questions = 0  # those that the composer knows
        self._toggled: dict[str, bool] = {}  # tools that the user has switched
        self._sidebar_wanted = True  # where there is room for it
        self._place = PlaceToShow(
            host.log,
            conversation,
            self._go_to,
            call_later=self.call_later,
            after_refresh=self.call_after_refresh,
        )
        self.follower = Follower(
            host.log,
            conversation,
            lambda records: self.post_message(self.Arrived(records)),
            lambda why: self.call_later(self.note, why, "error"),
        )

    def compose(self) -> ComposeResult:
        """Put the parts together; screen.tcss arranges them."""
        # Before there are parts: each change of a class styles them all anew.
        self._sidebar_wanted = state.load(paths.state_file()).sidebar is not False
        self._arrange(self.app.size.width < NARROW)
        yield self.chat_bar
        with Horizontal(id="middle"):
            with Vertical(id="conversation"):
                yield self.transcript
                yield self.debug_panel
                yield self.composer
            yield self.sidebar
        yield self.status

    def on_mount(self) -> None:
        """Begin to follow the conversation."""
        remembered = state.load(paths.state_file())
        self.stream = self.host.config.stream and remembered.stream is not False
        self.model = self.host.model
        self.sidebar.tools_folder = str(paths.tools_folder())
        if note := self.host.models.note(self.model):
            # On a narrow screen the sidebar, which says so too, is not seen.
            self.transcript.add_note(note)
        self._spell_keys()
        self.show_tools()
        self.run_worker(self.follower.run, thread=True)
        self.set_interval(FAILURE_SECONDS, self._look_for_failure)
        self.chat_bar.current = self.conversation
        # Until what is sent outlives a kill.
        self.composer.holds = True
        with suppress(LogError):
            self.drafts.restore(adopt=self._first)

    def on_unmount(self) -> None:
        """Keep what is being written, and follow no more; turns that run go on."""
        self.drafts.save()
        self.read_marker.leave()
        self.follower.close()

    # -- left and come back to

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was ever written into this conversation."""
        return self.drafts.is_new and not self.composer.text

    def pause(self) -> None:
        """Follow no further until this screen is shown again."""
        self.drafts.save()
        self.read_marker.leave()
        self.follower.pause()

    def on_screen_resume(self) -> None:
        """Go on following where it was paused."""
        self.follower.resume()
        if self.presenter.deleted:
            self.post_message(self.Deleted(self))

    def show_tabs(self, tabs: Sequence[Tab]) -> None:
        """Show which conversations are open, if it is more than one."""
        self.chat_bar.tabs = tuple(tabs)
        self.set_class(len(tabs) > 1, "-several")

    def show_place(self, place: Place) -> None:
        """Show a place of the conversation, as soon as it has been read."""
        self._place.show(place)

    def _go_to(self, place: Place) -> bool:
        self.versions.show(place.message_id)
        return self.transcript.go_to(place)

    def has_sent(self, request: int) -> None:
        """Keep that the user knows what is before the record `request`.

        Only of a conversation that was seen it can be told what of it is unread.
        """
        if request > 1:
            read_state.mark_seen(self.host.log, self.conversation, request - 1)

    @on(Composer.Changed)
    def _keep_draft(self) -> None:
        self.drafts.changed()

    def before_frame(self) -> None:
        """Show nothing that was typed before it outlives a kill."""
        if self.is_running:
            self.drafts.before_frame()

    @on(Composer.HistoryWanted)
    def _fetch_history(self) -> None:
        background.run("questions", self._find_questions)

    def _find_questions(self) -> None:
        with suppress(LogError):
            found = conversation.questions(self.host.log, besides=self.conversation)
            self.call_later(self.composer.add_older, found)

    # -- parts of the screen

    def _spell_keys(self) -> None:
        """Show the keys as the configuration has them."""
        self.sidebar.stream_key = self.spell_key("stream")
        shown = ("help", "tools", "debug")
        keys = [(self.spell_key(name), name) for name in shown]
        self.presenter.spell_keys(tuple(keys), (self.spell_key("cancel"), "stop"))

    @on(events.Resize)
    def _fit(self, event: events.Resize) -> None:
        narrow = event.size.width < NARROW
        if narrow != self.has_class("-narrow"):
            self._arrange(narrow)

    def _arrange(self, narrow: bool) -> None:
        """Make a screen that has become narrow the conversation's."""
        self.set_class(narrow, "-narrow")
        self.set_class(self._sidebar_wanted and not narrow, "-sidebar")
        if narrow and self.sidebar.has_focus:
            self.composer.focus()

    def watch_stream(self, on: bool) -> None:
        """Show what was held back, or hold back what comes."""
        self.presenter.stream = on
        self.sidebar.stream = on
        self.status.stream = on

    def watch_model(self, name: str) -> None:
        """Say which model answers next, and what is to be known of it."""
        self.status.model = name
        self.presenter.context.model_changed()
        self.sidebar.model = name
        # The rest of it stands in the conversation.
        first, end, _ = self.host.models.note(name).partition(". ")
        self.sidebar.note = first + end.strip()
        self._preload(name)

    def _preload(self, name: str) -> None:
        self.presenter.loading = True
        self.set_timer(TELL_SECONDS, self.presenter.tell_loading)
        loaded = partial(self.call_later, self._loaded, name)
        learned = partial(self.call_later, self.presenter.context.show)
        start = partial(preload.preload, self.host, name, loaded, learned)
        self.set_timer(preload.BEGIN_SECONDS, start)

    def _loaded(self, name: str) -> None:
        if name == self.model:
            self.presenter.loading = False

    def show_tools(self) -> None:
        """Show the host's tools anew, and what problems it has met since."""
        self.sidebar.set_tools(self.host.tools, self.enabled_tools())
        self._show_problems()

    def _show_problems(self) -> None:
        problems = self.host.problems[self._problems :]
        self._problems += len(problems)
        for problem in problems:
            self.transcript.add_note(problem, "warning")

    # -- following the log

    def hurry(self) -> None:
        """Show each record as it comes: who has stopped an answer wants to see it."""
        self.follower.hurry()

    def _look_for_failure(self) -> None:
        """Say it when a turn cannot be written: then the log brings no end of it."""
        self._show_problems()  # the store may be in trouble, or out of it
        if guarded := guard.current():
            guarded.keep(self.host.keeps and not self.host.log.unkept)
        presenter = self.presenter
        presenter.tell_kept(self.host.log.kept_to)
        for turn in filter(None, (presenter.running, *presenter.waiting)):
            if failure := self.host.runner.failure(turn):
                presenter.give_up(turn, str(failure))
        self._owners.look()
        # A worker that was asked may have gone.
        self.controller.show_queue()

    @on(Arrived)
    def _show(self, arrived: Arrived) -> None:
        self.presenter.show(arrived.records)
        self.presenter.tell_kept(self.host.log.kept_to, arrived.records)
        if not self.presenter.running:
            self.follower.calm()
        self.controller.show_queue()
        questions = self.presenter.fold.questions
        if len(questions) != self._questions:
            self._questions = len(questions)
            self.composer.set_history(questions)
        self.read_marker.show(arrived.records)
        if self.presenter.deleted:
            self.post_message(self.Deleted(self))
        self._place.read(arrived.records[-1].seq)

    # -- where the keys go

    def spell_key(self, name: str) -> str:
        """Return the key of a command as people write it; "" when it has none."""
        return commands.spelled(commands.named(name), self.host.config.keys)

    @property
    def is_away(self) -> bool:
        """Whether another part than the composer has the focus."""
        return self.focused not in (None, self.composer)

    @property
    def is_covered(self) -> bool:
        """Whether the tools hide the conversation and the composer."""
        return self.has_class("-narrow") and self.has_class("-sidebar")

    def write(self) -> None:
        """Give the composer the focus, if it is to be seen."""
        if not self.is_covered:
            self.set_focus(self.composer)

    def on_key(self, event: events.Key) -> None:
        """Take what is typed in a part of the screen that has no use for it."""
        if self.composer.has_focus or self.is_covered:
            return
        character = typed(event)
        if character and event.key not in self.active_bindings:
            event.stop()
            self.composer.write(character)

    def on_paste(self, event: events.Paste) -> None:
        """Take what is pasted anywhere."""
        if not self.is_covered:
            event.stop()
            self.composer.write(event.text)

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _tell_who_has_the_keys(self) -> None:
        self.status.away = self.is_away
        told = ""
        if self.focused is self.transcript:
            acts = {"cancel": "writes", "revise": "edits", "regenerate": "asks again"}
            spelled = ((self.spell_key(name), does) for name, does in acts.items())
            keys = [f"{key} {does}" for key, does in spelled if key]
            told = f"reading: {', '.join(keys)}"
        self.composer.border_subtitle = Content(told) if told else None

    # -- what the user does

    @on(Composer.Submitted)
    def _send(self, submitted: Composer.Submitted) -> None:
        text = submitted.text
        if commands.parse(text) or commands.mistyped(text):
            submitted.take()
        if command := commands.parse(text):
            self.post_message(self.Commanded(*command))
            return
        if problem := commands.mistyped(text):
            # A message that is one word with a slash before it is hardly ever meant.
            self.complain(problem)
            self.composer.load_text(text)
            return
        self.drafts.wait_for(self.controller.send(text, submitted.take))

    @on(Composer.Paged)
    def _page(self, paged: Composer.Paged) -> None:
        self.transcript.action_page(paged.pages)

    @on(ToolSidebar.ToolToggled)
    def _toggle_tool(self, toggled: ToolSidebar.ToolToggled) -> None:
        self._toggled[toggled.name] = toggled.enabled

    def settings(self) -> Settings:
        """Return how the next question is asked."""
        return Settings(self.model, self.stream, self.enabled_tools())

    def enabled_tools(self) -> set[str]:
        """Return the names of the tools that are on; the user's word is the last."""
        on = {name for name, enabled in self._toggled.items() if enabled}
        return (self.host.enabled | on) - (set(self._toggled) - on)

    @on(ToolSidebar.StreamToggled)
    def _toggle_stream(self, toggled: ToolSidebar.StreamToggled) -> None:
        self.stream = toggled.on
        state.save(paths.state_file(), stream=toggled.on)

    @on(Transcript.CopyRequested)
    @on(DebugPanel.CopyRequested)
    def _copy(
        self, request: Transcript.CopyRequested | DebugPanel.CopyRequested
    ) -> None:
        self.copy(request.text)

    @on(Composer.Told)
    @on(Transcript.Told)
    def _tell(self, told: Composer.Told | Transcript.Told) -> None:
        self.hint(told.text)

    def copy(self, text: str) -> None:
        """Send `text` to the terminal's clipboard by OSC 52.

        Nobody answers whether the terminal took it, so we do not say that it did.
        """
        self.app.copy_to_clipboard(text)
        self.hint(f"{len(text)} characters sent to the terminal's clipboard")

    def note(self, text: str, kind: NoteKind = "info") -> None:
        """Add a note to the conversation."""
        self.transcript.add_note(text, kind)

    def entitle(self, title: str) -> None:
        """Put a title above the composer, "" for none."""
        self.composer.border_title = Content(title) if title else None

    def follow_end(self) -> None:
        """Show the end of the conversation, and what comes there."""
        self.transcript.action_follow()

    def take_draft(self) -> Sequence[Draft]:
        """Return what is to be stored with the message that was written here."""
        return self.drafts.sent()

    def hint(self, text: str, seconds: float | None = None) -> None:
        """Say something in the status line until the next key, or for `seconds`."""
        self.status.hint = text
        if seconds is not None:
            self.set_timer(seconds, lambda: self._unhint(text))

    def complain(self, text: str) -> None:
        """Say what is wrong with what was typed: it is read and done with.

        What does not fit in the status line becomes a note.
        """
        if "\n" in text or cell_len(text) > self.status.content_size.width:
            self.transcript.add_note(text, "warning")
        else:
            self.hint(text)

    def _unhint(self, text: str) -> None:
        if self.status.hint == text:
            self.status.hint = ""

    # -- actions; `tui.app.commands` has their keys

    def action_escape(self) -> None:
        """Go back to the composer; from there `action_cancel`."""
        if self.is_covered:
            self.action_toggle_sidebar()
        elif self.is_away:
            self.write()
        else:
            self.action_cancel()

    def action_cancel(self) -> None:
        """Stop the turn that runs, else take back the newest that waits.

        A message that is edited is left first.
        """
        if not self.versions.leave() and not self.controller.cancel():
            self.write()

    def action_unsend(self) -> None:
        """Take back the newest message that waits, whoever sent it, to be edited."""
        self.controller.unsend()

    def action_toggle_stream(self) -> None:
        """Switch streaming, for the answer that is being written too."""
        self.stream = not self.stream
        state.save(paths.state_file(), stream=self.stream)

    def action_toggle_sidebar(self) -> None:
        """Show or hide the tools; shown by key they have the focus."""
        shown = not self.has_class("-sidebar")
        self.set_class(shown, "-sidebar")
        if not self.has_class("-narrow"):
            self._sidebar_wanted = shown
            state.save(paths.state_file(), sidebar=shown)
        elif shown:
            self.hint(f"{self.spell_key('tools')} or Esc: back to the conversation")
        (self.sidebar if shown else self.composer).focus()

    def action_toggle_debug(self) -> None:
        """Show or hide the tool calls."""
        shown = not self.has_class("-debug")
        self.set_class(shown, "-debug")
        if not shown and self.debug_panel.has_focus:
            self.composer.focus()

    @on(Transcript.VersionWanted)
    def _walk(self, wanted: Transcript.VersionWanted) -> None:
        self.versions.walk(wanted.step, wanted.message_id)

    def action_revise(self) -> None:
        """Edit the question at the cursor, or the last: a new version of it."""
        self.versions.edit()

    def action_regenerate(self) -> None:
        """Ask the question at the cursor, or the last, once more."""
        self.controller.regenerate()

    def action_version(self, step: int) -> None:
        """Show the version before (-1) or after (1) the one at the cursor."""
        self.versions.walk(step)

    def action_edit(self) -> None:
        """Write the message in $VISUAL or $EDITOR."""
        from tui.app.chat.external_editor import edit

        with self.app.suspend():
            text, problem = edit(self.composer.text)
        self.composer.load_text(text)
        if problem:
            self.transcript.add_note(problem, "error")

    def action_copy_answer(self, number: int = 1) -> None:
        """Copy the Markdown of the `number`th answer from the end."""
        answers = self.presenter.answers
        if 1 <= number <= len(answers):
            self.copy(answers[-number])
        else:
            self.hint("There is no such answer")

    def action_go_on(self) -> None:
        """Have the model go on where its answer was broken off."""
        self.controller.go_on()

    def action_retry(self) -> None:
        """Ask the last question again."""
        self.controller.retry()

    def action_take_over(self) -> None:
        """End a turn that runs on another machine, as one may think it no longer."""
        if why := self._owners.take_over():
            self.hint(why)

    def action_compact(self, keep: str = "") -> None:
        """Have what was said first summed up, and the summary sent in its place."""
        self.controller.compact(keep)
