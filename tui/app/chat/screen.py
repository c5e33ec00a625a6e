"""The chat screen: follows one conversation's log and shows it.

It draws nothing that is not in the log: a sent message is appended there and comes back
like every other record. Opening an old conversation works like watching a new one: the
follower reads its log from the start.

The file is long because Textual looks up the handlers of messages as members of the
screen; each of them is one call of a part.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from tui import paths
from tui.app import commands, state
from tui.app.backend import Backend
from tui.app.chat import vi_switch
from tui.app.chat.agent_choice import AgentChoice
from tui.app.chat.approvals import ApprovalChoice
from tui.app.chat.arrangement import Arrangement
from tui.app.chat.attaching import Attaching
from tui.app.chat.clipboard import Clipboard
from tui.app.chat.code_saving import CodeSaving
from tui.app.chat.comparing import Comparing
from tui.app.chat.controller import Controller
from tui.app.chat.conversation_settings import ConversationSettings
from tui.app.chat.costs import Costs
from tui.app.chat.debug_feed import fetch_bodies
from tui.app.chat.drafts import Drafts
from tui.app.chat.effort import Effort
from tui.app.chat.finding import Finding
from tui.app.chat.first_screen import FirstScreen
from tui.app.chat.follower import Follower
from tui.app.chat.hints import Hints
from tui.app.chat.input_history import InputHistory
from tui.app.chat.key_routing import KeyRouting
from tui.app.chat.next_model import NextModel
from tui.app.chat.owners import Owners
from tui.app.chat.place import PlaceToShow
from tui.app.chat.presenter import Presenter
from tui.app.chat.prompt_commands import PromptCommands
from tui.app.chat.read_marker import ReadMarker
from tui.app.chat.screen_view import ScreenView
from tui.app.chat.tool_choice import ToolChoice
from tui.app.chat.versions import MessageVersions
from tui.app.chat.view import Settings
from tui.app.terminal.textual_hook import OutputScreen
from tui.app.transcript.find import Place
from tui.app.transcript.pane import Transcript
from tui.app.widgets.approval_dialog import ApprovalDialog
from tui.app.widgets.attachment_bar import AttachmentBar
from tui.app.widgets.command_menu import RowClicked
from tui.app.widgets.composer import Composer
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.prompt_bar import PromptBar
from tui.app.widgets.requests import CopyRequested, HintRequested
from tui.app.widgets.status import Fill, Status
from tui.app.widgets.tab_bar import ChatBar, Tab
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.conversation.read_state import Opened
from tui.events import Record
from tui.i18n import _
from tui.messages import Attachment
from tui.runtime import guard

FAILURE_SECONDS = 0.5
"""Seconds between two checks for turns that failed without an event in the log."""


class ChatScreen(OutputScreen):
    """Shows one conversation: transcript, debug panel, composer, tools, status."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "Composer"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings()

    stream: var[bool] = var(True, init=False)
    """Whether answers are shown while they are written."""
    model: var[str] = var("", init=False)
    """The name of the model for the next question."""

    class Deleted(Message):
        """The conversation of `screen` was deleted, and the screen should close."""

        def __init__(self, screen: "ChatScreen") -> None:
            super().__init__()
            self.screen = screen

    class Answered(Message):
        """A turn has ended while the screen showed it; `title` is that of the chat."""

        def __init__(self, title: str) -> None:
            super().__init__()
            self.title = title

    class Commanded(Message):
        """The user typed a slash command."""

        def __init__(self, command: commands.Command, argument: str) -> None:
            super().__init__()
            self.command = command
            self.argument = argument

    def __init__(
        self,
        backend: Backend,
        conversation: str,
        *,
        first: bool = False,
        is_new: bool = False,
        files: tuple[Attachment, ...] = (),
    ) -> None:
        """Show `conversation`; `first` if the program starts with it.

        With `is_new`, nothing is known to have been written in it. `files` are attached
        to the first message.
        """
        super().__init__()
        self.backend = backend
        self.conversation = conversation
        door = backend.conversation(conversation, is_new=is_new)
        transcript = self.transcript = Transcript()
        composer = self.composer = Composer()
        self._prompts = PromptCommands(
            backend.problems,
            lambda: self.call_later(lambda: composer.menu.list_again(composer.text)),
        )
        composer.menu.more = lambda: (
            *self._prompts.commands(),
            *commands.of_prompts(backend.mcp.prompts),
        )
        self.chat_bar = ChatBar()
        dialog = self.dialog = ApprovalDialog(self.spell_key("cancel"))
        self.drafts = Drafts(door, composer, is_new)
        self.read_marker = ReadMarker(door.mark_seen)
        debug_panel = self.debug_panel = DebugPanel()
        sidebar = self.sidebar = ToolSidebar()
        status = self.status = Status()
        hints = self.hints = Hints(status, transcript)
        self.hint, self.complain = hints.hint, hints.complain
        composer.help_key = self.spell_key("help")
        closing = filter(None, map(self.spell_key, ("tools", "cancel")))
        self.arrangement = Arrangement(
            self, sidebar, debug_panel, composer, hints, _(" or ").join(closing)
        )
        self.routing = KeyRouting(
            *(self, self.arrangement, transcript, composer, status, self.spell_key),
            dialog,
        )
        self.tools = ToolChoice(backend, sidebar, transcript.add_note)
        self.agents = AgentChoice(backend, sidebar, status)
        presenter = self.presenter = Presenter(
            transcript, debug_panel, status, backend.serves
        )
        fold = self.presenter.fold
        self.approvals = ApprovalChoice(
            *(self, backend, door, fold, dialog, composer, sidebar),
            hint=self.hint,
            note=transcript.add_note,
        )
        versions = self.versions = MessageVersions(
            fold,
            self.presenter.timeline,
            hint=self.hint,
            choose=self.presenter.choose,
        )
        composer.files = files
        self.follower = Follower(
            door,
            lambda opened: self.call_later(self._take_up, opened),
            lambda records: self.call_later(self._show, records),
            lambda why: self.call_later(transcript.add_note, why, "error"),
            adopt=first,
        )
        view = ScreenView(
            hints,
            transcript,
            composer,
            self.drafts,
            self.follower,
            settings=lambda: Settings(
                self.model,
                self.agents.current,
                self.stream,
                self.tools.enabled_for(self.model),
            ),
            mark_seen=door.mark_seen,
            call_later=self.call_later,
        )
        self.controller = Controller(
            door,
            presenter,
            composer,
            view,
            question=versions.question,
            unsend_key=self.spell_key("unsend"),
            leave_key=self.spell_key("cancel"),
        )
        self.attaching = Attaching(
            backend.files,
            composer,
            complain=self.complain,
            call_later=self.call_later,
            sees=lambda: (self.model, backend.models.sees(self.model)),
        )
        self.comparing = Comparing(
            backend.models,
            composer,
            self.controller,
            self.attaching,
            self.drafts.wait_for,
            model=lambda: self.model,
            tools=self.tools.enabled_for,
            complain=self.complain,
            push=lambda dialog, chosen: self.app.push_screen(dialog, chosen),
        )
        self.owners = Owners(backend, door, fold, transcript.add_note, self.hint)
        self._next_model = NextModel(
            backend.models, presenter, status, sidebar, self.set_timer, self.call_later
        )
        self.presenter.context.window = lambda: backend.models.window(self.model)
        self._input_history = InputHistory(
            backend.store, conversation, composer, self.call_later
        )
        self.settings = ConversationSettings(
            door,
            fold,
            composer,
            sidebar,
            backend.config.system,
            self.hint,
            self.complain,
            self.call_later,
        )
        self.costs = Costs(
            backend,
            sidebar,
            lambda screen: self.app.push_screen(screen),
            self.complain,
            self.call_later,
            self.hold_keys,
        )
        self.effort = Effort(
            self.settings,
            backend.models,
            status,
            model=lambda: self.model,
            hint=self.hint,
            complain=self.complain,
        )
        self.clipboard = Clipboard(
            presenter,
            lambda text: self.app.copy_to_clipboard(text),
            self.hint,
            self.call_later,
            here="suspend" not in backend.refused,
        )
        self.prompt_bar = PromptBar()
        self.code = CodeSaving(
            transcript,
            self.prompt_bar,
            tell=hints.tell,
            show_bar=self._show_bar,
            leave=self.routing.write,
            call_later=self.call_later,
        )
        self.finding = Finding(
            transcript,
            self.prompt_bar,
            hint=self.hint,
            spell=self.spell_key,
            show_bar=self._show_bar,
            leave=self.routing.write,
        )
        self._is_first = first
        self.first_screen = FirstScreen(
            transcript,
            backend,
            conversation=conversation,
            spell=self.spell_key,
            call_later=self.call_later,
        )
        self._place = PlaceToShow(
            door,
            self._go_to,
            call_later=self.call_later,
            after_refresh=self.call_after_refresh,
        )

    def compose(self) -> ComposeResult:
        """Yield the parts; screen.tcss arranges them."""
        self.arrangement.begin(*self.app.size)
        self.approvals.begin(self.app.size.height)
        yield self.chat_bar
        with Horizontal(id="middle"):
            with Vertical(id="conversation"):
                yield self.transcript
                yield self.debug_panel
                yield self.composer.menu
                yield self.composer.file_menu
                yield self.composer.bar
                yield self.composer
                yield self.dialog
            yield self.sidebar
        yield self.status
        yield self.prompt_bar

    def on_mount(self) -> None:
        """Start to follow the conversation."""
        remembered = state.load(paths.state_file())
        self.stream = self.backend.config.stream and remembered.stream is not False
        on = vi_switch.is_on(self.backend.config, remembered)
        vi_switch.apply(self.composer, self.transcript, on=on)
        self.model = self.backend.model
        self.presenter.timeline.folded = remembered.reasoning is not True
        self.sidebar.tools_folder = self.backend.tools_folder
        self.watch(self.status, "context", self._show_context)
        self.watch(self.status, "effort", self._show_effort)
        if self.drafts.is_new:
            self.first_screen.begin(self.model, first=self._is_first)
        elif note := self.backend.models.note(self.model):
            # The sidebar shows the note too, but a narrow screen hides it.
            self.hints.advise(note)
        self._spell_keys()
        self.tools.show_problems()
        self.call_after_refresh(self.tools.show)
        self.status.temporary = self.backend.temporary
        self.call_after_refresh(self._prompts.commands)
        self.approvals.look()
        self.run_worker(self.follower.run, thread=True)
        self.set_interval(FAILURE_SECONDS, self._look_for_failure)
        self.chat_bar.current = self.conversation
        # The composer keeps a sent text until it survives a kill.
        self.composer.holds = True

    def on_unmount(self) -> None:
        """Save the draft and stop following; running turns continue."""
        self.drafts.save()
        self.read_marker.leave()
        self.follower.close()

    # -- leaving and returning

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was ever written in this conversation."""
        return self.drafts.is_new and not (self.composer.text or self.composer.files)

    def pause(self) -> None:
        """Stop following until this screen is shown again."""
        self.drafts.save()
        self.read_marker.leave()
        self.follower.pause()

    def on_screen_resume(self) -> None:
        """Resume following where it was paused."""
        shown = state.load(paths.state_file()).reasoning is True
        if self.presenter.timeline.folded == shown:  # changed in another conversation
            self.presenter.timeline.fold_reasoning(not shown)
        self.follower.resume()
        if self.presenter.deleted:
            self.post_message(self.Deleted(self))

    def show_tabs(self, tabs: Sequence[Tab]) -> None:
        """Show the open conversations, if there are several."""
        self.chat_bar.tabs = tuple(tabs)
        self.set_class(len(tabs) > 1, "-several")

    def show_place(self, place: Place) -> None:
        """Scroll to `place` of the conversation as soon as it has been loaded."""
        self._place.show(place)

    def _go_to(self, place: Place) -> bool:
        self.versions.show(place.message_id)
        return self.transcript.go_to(place)

    @on(Composer.Changed)
    def _keep_draft(self) -> None:
        self.attaching.text_changed()
        self.drafts.changed()
        if self.composer.text:
            self._next_model.typed()

    @on(AttachmentBar.Changed)
    def _keep_files(self) -> None:
        self.attaching.files_changed()
        self.drafts.changed()

    @on(Composer.FilesWanted)
    def _find_files(self, wanted: Composer.FilesWanted) -> None:
        self.attaching.find(wanted.word)

    @on(Composer.FilesNamed)
    def _attach_named(self, named: Composer.FilesNamed) -> None:
        self.attaching.attach_all(named.paths, named=named.in_text)

    @on(Composer.FileUnwanted)
    def _remove_last_file(self) -> None:
        self.attaching.remove_last()

    @on(AttachmentBar.Unwanted)
    def _remove_file(self, unwanted: AttachmentBar.Unwanted) -> None:
        self.attaching.remove(unwanted.file)
        self.composer.focus()

    def before_frame(self) -> None:
        """Wait until typed text survives a kill before it is drawn."""
        if self.is_running:
            self.drafts.before_frame()

    @on(Composer.HistoryWanted)
    def _fetch_history(self) -> None:
        self._input_history.fetch_older()

    def _spell_keys(self) -> None:
        """Show the configured keys."""
        self.sidebar.stream_key = self.spell_key("stream")
        self.sidebar.model_key = self.spell_key("model")
        self.composer.menu.keys = dict(self.backend.keys)
        self.presenter.footers.debug_key = self.spell_key("debug")
        walk = self.spell_key("older"), self.spell_key("newer")
        self.presenter.comparisons.keys = walk
        self.debug_panel.key = self.spell_key("debug")
        spelled = ((self.spell_key(name), name) for name in ("help", "tools", "debug"))
        keys = tuple((key, name) for key, name in spelled if key)
        self.presenter.spell_keys(keys, (self.spell_key("cancel"), "stop"))

    @on(events.Resize)
    def _fit(self, event: events.Resize) -> None:
        self.arrangement.fit(*event.size)
        self.approvals.fit(event.size.height)

    def watch_stream(self, on: bool) -> None:
        """Show text that was held back, or hold back text from now on."""
        self.presenter.stream = on
        self.sidebar.stream = on
        self.status.stream = on

    def _show_context(self, fill: Fill | None) -> None:
        self.sidebar.context = fill

    def _show_effort(self, effort: str) -> None:
        self.sidebar.effort = effort

    def watch_model(self, name: str) -> None:
        """Show the next model and its note."""
        self.hints.forget_advice()
        self._next_model.show(name)
        self.tools.show_switches()
        self.first_screen.model(name)

    # -- following the log

    def _look_for_failure(self) -> None:
        """Report a turn that cannot be written, as the log will not show its end."""
        self.tools.show_problems()  # the store may have failed or recovered
        if guarded := guard.current():
            guarded.keep(self.backend.keeps and not self.backend.unkept)
        presenter = self.presenter
        presenter.mark_unkept(self.backend.kept_to)
        for turn in filter(None, (presenter.running, *presenter.waiting)):
            if failure := self.backend.failure(turn):
                presenter.give_up(turn, failure)
        self.owners.look()
        # A worker that should answer may have exited.
        self.controller.show_queue()

    def _take_up(self, opened: Opened | None) -> None:
        self.drafts.restore(opened)
        if opened:
            self.read_marker.known(opened.seen)
            self.presenter.footers.returned(opened.seen)

    def _show(self, records: list[Record]) -> None:
        was_running = self.presenter.running
        self.presenter.show(records)
        self.costs.take(records)
        self.tools.take(records)
        if was_running and not self.presenter.running:
            self.post_message(self.Answered(self.presenter.title))
        self.presenter.mark_unkept(self.backend.kept_to, records)
        if not self.presenter.running:
            self.follower.calm()
        self.chat_bar.title = self.presenter.title
        self.controller.show_queue()
        self.approvals.show()
        self.approvals.look(records)
        self._input_history.show(self.presenter.fold.questions)
        self.settings.show()
        self.effort.show()
        self.read_marker.show(records)
        if self.presenter.deleted:
            self.post_message(self.Deleted(self))
        self._place.read(records[-1].seq)

    # -- key routing

    @property
    def focus_chain(self) -> list[Widget]:
        """Tab goes between composer, conversation and debug panel; F2 to the tools."""
        chain = super().focus_chain
        aside = (self.sidebar, self.prompt_bar.field)
        return [it for it in chain if it not in aside or it.has_focus]

    def spell_key(self, name: str) -> str:
        """Return a command's key as users write it; "" when it has none."""
        return commands.spelled(commands.named(name), self.backend.keys)

    def give_back(self, typed: str) -> None:
        """Put a command that failed into the composer, unless something is there."""
        if not self.composer.text:
            self.composer.load_text(typed)

    def write(self, text: str) -> None:
        """Write `text` into the composer: it was typed over a dialog."""
        self.routing.write_text(text)

    def on_key(self, event: events.Key) -> None:
        """Pass a character to the composer if the focused part does not use it."""
        self.routing.take_key(event)

    def on_paste(self, event: events.Paste) -> None:
        """Pass pasted text to the composer, whichever part has the focus."""
        self.routing.take_paste(event)

    @on(events.DescendantFocus)
    def _show_focus(self) -> None:
        self.routing.show_focus()
        if self.focused is self.composer and self.finding.active:
            self.finding.end()

    def _show_bar(self, shown: bool) -> None:
        self.status.display = not shown

    @on(events.DescendantBlur)
    def _lose_focus(self, event: events.DescendantBlur) -> None:
        self.routing.lose_focus(event.widget)

    # -- user actions

    @on(Composer.Submitted)
    def _send(self, submitted: Composer.Submitted) -> None:
        text = submitted.text
        self.hints.forget_complaint()
        command = self.composer.menu.parse(text)
        if command or commands.mistyped(text):
            submitted.take(keep_files=True)
        if command:
            self.post_message(self.Commanded(*command))
            return
        if problem := commands.mistyped(text):
            self.complain(problem)
            self.composer.load_text(text)
            return
        self.attaching.before_sending(
            text,
            submitted.files,
            lambda files: self.drafts.wait_for(
                self.controller.send(text, submitted.take, files)
            ),
            submitted.give_back,
        )

    @on(RowClicked)
    def _choose_row(self) -> None:
        self.composer.focus()
        # Not in this handler, for which the composer waits.
        self.composer.call_later(self.composer.action_submit)

    @on(Transcript.WelcomeClicked)
    def _follow_welcome(self, clicked: Transcript.WelcomeClicked) -> None:
        self.composer.focus()
        keys = self.backend.keys
        if not clicked.key:
            self.composer.write(clicked.text)
        elif found := [
            it for it in commands.COMMANDS if commands.spelled(it, keys) == clicked.key
        ]:
            self.post_message(self.Commanded(found[0], ""))
        else:
            self.app.simulate_key(clicked.key.lower())

    @on(Status.KeyClicked)
    def _run_key(self, clicked: Status.KeyClicked) -> None:
        name = "cancel" if clicked.what == "stop" else clicked.what
        self.post_message(self.Commanded(commands.named(name), ""))

    @on(ApprovalDialog.Answered)
    def _answer(self, answered: ApprovalDialog.Answered) -> None:
        self.approvals.answer(answered.question, answered.given)

    @on(ApprovalDialog.Typed)
    def _type_on(self, typed: ApprovalDialog.Typed) -> None:
        self.approvals.add_to_draft(typed.text)

    @on(ToolSidebar.Revoked)
    def _revoke(self, revoked: ToolSidebar.Revoked) -> None:
        self.approvals.revoke(revoked.grant, always=revoked.always)

    @on(Composer.Paged)
    def _page(self, paged: Composer.Paged) -> None:
        self.transcript.action_page(paged.pages)

    @on(Transcript.WriteWanted)
    def _write(self) -> None:
        self.composer.vi.insert()
        self.routing.write()

    @on(ToolSidebar.StreamToggled)
    def _toggle_stream(self, toggled: ToolSidebar.StreamToggled) -> None:
        if toggled.on != self.stream:
            self.toggle_stream()

    @on(DebugPanel.BodiesWanted)
    def _fetch_bodies(self, wanted: DebugPanel.BodiesWanted) -> None:
        panel, kept = self.debug_panel, self.backend.exchanges
        fetch_bodies(panel, kept, wanted.round, self.call_later)

    @on(CopyRequested)
    def _copy(self, request: CopyRequested) -> None:
        self.clipboard.copy(request.text)

    @on(HintRequested)
    def _show_hint(self, request: HintRequested) -> None:
        self.hint(request.text)

    # -- commands, see `tui.app.commands`

    def escape(self) -> None:
        """Return to the composer; from there, `cancel`."""
        if self.arrangement.is_covered:
            self.arrangement.toggle_sidebar()
        elif self.routing.is_away:
            self.routing.write()
        else:
            self.cancel()

    def cancel(self) -> None:
        """Stop the running turn, or else take back the newest queued message.

        An edit in progress is cancelled first.
        """
        if self.controller.leave_edit() or self.approvals.drop():
            return
        if self.controller.cancel():
            self.read_marker.expect_cancel()
        else:
            self.routing.write()

    def toggle_stream(self) -> None:
        """Switch streaming, also for the answer in progress."""
        self.stream = not self.stream
        state.save(paths.state_file(), stream=self.stream)

    def show_reasoning(self, argument: str = "") -> None:
        """Show or hide the reasoning of all answers: `show`, `hide`, "" for other."""
        folded = self.presenter.timeline.folded
        folded = argument == "hide" if argument else not folded
        self.presenter.timeline.fold_reasoning(folded)
        state.save(paths.state_file(), reasoning=not folded)
        self.hint(_("Reasoning hidden") if folded else _("Reasoning shown"))

    @on(Transcript.VersionWanted)
    def _walk(self, wanted: Transcript.VersionWanted) -> None:
        self.versions.walk(wanted.step, wanted.message_id)

    def edit_outside(self) -> None:
        """Edit the message in $VISUAL or $EDITOR."""
        from tui.app.chat.external_editor import edit_in

        if problem := edit_in(self.composer, self.app.suspend):
            self.transcript.add_note(problem, "error")
