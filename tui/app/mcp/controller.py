"""Shows MCP servers in the app: states, prompts, resources and questions."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from tui.app import background
from tui.app.backend import Backend
from tui.app.chat.screen import ChatScreen
from tui.errors import LazychatError
from tui.i18n import _, labelled
from tui.mcp import Answer, Field, Prompt, Question
from tui.mcp.values import Phase, ResourceText

if TYPE_CHECKING:  # imported when something is asked, to keep startup fast
    from tui.app.mcp.form import Form


class _App(Protocol):
    def push_screen(self, screen: Any, callback: Callable[[Any], None]) -> object: ...
    def call_later(self, callback: Callable[..., Any], *args: Any) -> object: ...


class McpController:
    """The MCP servers of one app. Call it in the UI thread."""

    def __init__(
        self, app: _App, backend: Backend, chat: Callable[[], ChatScreen | None]
    ) -> None:
        self._app = app
        self._servers = backend.mcp
        self._chat = chat
        self._known: dict[str, Phase] = {}
        self._form: tuple[ChatScreen, Form] | None = None
        self._refreshing = False

    def begin(self) -> None:
        """Connect to the servers, after the first frame."""
        self._servers.on_change = self._change
        self._servers.on_note = lambda name, text: self._app.call_later(
            self._note, name, text
        )
        self._servers.listen_to_questions()
        self._servers.start()

    # -- what servers do

    def _change(self) -> None:
        """Refresh once for several changes. Runs in the thread of the servers."""
        if not self._refreshing:
            self._refreshing = True
            self._app.call_later(self.refresh)

    def refresh(self) -> None:
        """Show the states, tools and questions as they are now."""
        self._refreshing = False
        chat = self._chat()
        if chat is None or not chat.is_mounted:
            return
        chat.tools.show()
        for state in self._servers.states:
            before = self._known.get(state.name)
            self._known[state.name] = state.phase
            lost = state.phase in ("failed", "login", "retrying")
            if lost and state.phase != before:
                # The sidebar shows it too, but a narrow screen hides that.
                text = _("MCP server {name}: {state}").format(
                    name=state.name, state=state.describe()
                )
                chat.transcript.add_note(text, "warning")
        self._show_question(chat)

    def _note(self, name: str, text: str) -> None:
        if chat := self._chat():
            chat.debug_panel.note(f"{name}: {text}")

    def _show_question(self, chat: ChatScreen) -> None:
        """Show the oldest open question in place of the composer."""
        questions = self._servers.questions
        shown = self._form[1].key if self._form else ""
        if shown.startswith("/") or any(q.id == shown for q in questions):
            return
        self._close()
        if questions:
            self._ask(chat, questions[0])

    def _ask(self, chat: ChatScreen, question: Question) -> None:
        def done(answer: Answer) -> None:
            self._close()
            self._servers.answer(question.id, answer)

        from tui.app.mcp.form import Form

        message = question.message
        if question.url:
            message += _("\n\nOpen this address, then press Enter:\n{url}").format(
                url=question.url
            )
        title = _("MCP server {server} asks").format(server=question.server)
        self._open(chat, Form(title, message, question.fields, done, key=question.id))

    def _open(self, chat: ChatScreen, form: "Form") -> None:
        self._form = chat, form
        chat.add_class("-form")
        chat.query_one("#conversation").mount(form, before=chat.composer.menu)

    def _close(self) -> None:
        if self._form:
            chat, form = self._form
            self._form = None
            form.remove()
            chat.remove_class("-form")
            chat.routing.write()

    # -- what the user does

    def show(self, name: str) -> None:
        """Connect again to the server `name`; without a name, show all servers.

        `NAME off` ends that server until it is connected again.
        """
        chat = self._chat()
        if chat is None:
            return
        if not self._servers:
            chat.complain(_("No MCP server is configured: lazychat mcp import FILE"))
        elif self._stop(name):
            chat.hint(_("Stopped; /mcp {name} connects again").format(name=name[:-4]))
        elif name:
            self.reconnect(name)
        else:
            self._servers.check()
            for state in self._servers.states:
                kind = "info" if state.phase in ("ready", "disabled") else "warning"
                title = f" ({state.title})" if state.title else ""
                line = labelled(f"{state.name}{title}", state.describe())
                chat.transcript.add_note(line, kind)

    def _stop(self, typed: str) -> bool:
        """End the server that `NAME off` names; return whether there is one."""
        name = typed.removesuffix(" off")
        if name == typed or any(s.name == typed for s in self._servers.states):
            return False
        self._known[name] = "failed"  # which the user knows
        return self._servers.stop(name)

    def check(self) -> None:
        """Ask the servers whether they are there: the user looks at their states."""
        self._servers.check()

    def reconnect(self, name: str) -> None:
        """Connect again to one server."""
        chat = self._chat()
        if self._servers.reconnect(name):
            self._known.pop(name, None)
        elif chat:
            names = ", ".join(state.name for state in self._servers.states)
            chat.complain(
                _("No MCP server {name} is on; there are: {names}").format(
                    name=name, names=names
                )
            )

    def use_prompt(self, prompt: Prompt, typed: str) -> None:
        """Put the text of a prompt into the composer, with the typed arguments.

        They are `name=value`, or values in order, as a shell has them. If a required
        one is missing, a form asks for all.
        """
        chat = self._chat()
        if chat is None:
            return
        try:
            given = prompt_arguments(prompt, typed)
        except ValueError as error:
            chat.complain(f"{prompt.slash}: {error}")
            return
        if all(a.name in given or not a.required for a in prompt.arguments):
            self._fetch(prompt, given)
            return

        def done(answer: Answer) -> None:
            self._close()
            if answer.action == "accept":
                self._fetch(prompt, {k: str(v) for k, v in answer.content.items()})

        fields = [
            Field(
                a.name,
                description=a.description,
                required=a.required,
                default=given.get(a.name, ""),
            )
            for a in prompt.arguments
        ]
        from tui.app.mcp.form import Form

        self._close()
        form = Form(prompt.slash, prompt.description, fields, done, key=prompt.slash)
        self._open(chat, form)

    def _fetch(self, prompt: Prompt, given: dict[str, str]) -> None:
        self._insert("prompt", lambda: self._servers.prompt_text(prompt, given))

    def choose_resource(self, uri: str) -> None:
        """Put a resource into the composer; without an address, ask which."""
        chat, resources = self._chat(), self._servers.resources
        if chat is None:
            return
        self._servers.check()
        if not resources:
            chat.complain(_("No MCP server offers a resource"))
        elif uri:
            self._take_resource(uri)
        else:
            from tui.app.dialogs.choice import ChoiceScreen

            about = {r.uri: f"{r.server}: {r.name or r.description}" for r in resources}
            keys = _("Enter insert · Esc close")
            self._app.push_screen(
                ChoiceScreen(_("Resources"), about, "", keys=keys), self._take_resource
            )

    def _take_resource(self, uri: str | None) -> None:
        found = [r for r in self._servers.resources if r.uri == uri]
        chat = self._chat()
        if uri and not found and chat:
            chat.complain(_("No MCP server offers {uri}").format(uri=uri))
        for resource in found[:1]:
            self._insert(
                "resource",
                lambda r=resource: _texts(self._servers.read_resource(r.server, r.uri)),
            )

    def _insert(self, name: str, fetch: Callable[[], str]) -> None:
        """Fetch a text in a thread, and put it into the composer."""
        chat = self._chat()
        if chat is None:
            return
        chat.hint(_("Asking the MCP server…"))

        def work() -> None:
            try:
                text = fetch()
            except LazychatError as error:
                self._app.call_later(chat.complain, str(error))
            else:
                self._app.call_later(written, text)

        def written(text: str) -> None:
            chat.hint("")
            chat.composer.write(text)

        background.run(f"mcp-{name}", work)


def _texts(contents: Iterable[ResourceText]) -> str:
    """Return the texts of a resource; raises `LazychatError` if it has none."""
    contents = list(contents)
    texts = [each for each in contents if each.is_text]
    if not texts:
        what = contents[0].text.strip("[]") if contents else _("it is empty")
        raise LazychatError(_("Nothing to insert: {what}").format(what=what))
    return "\n\n".join(_fenced(each.uri, each.text) for each in texts)


def _fenced(name: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{name}\n{fence}\n{text}\n{fence}"


def prompt_arguments(prompt: Prompt, typed: str) -> dict[str, str]:
    """Return the arguments in what was typed after a prompt's slash command.

    A prompt with one argument takes the whole text. Raises `ValueError` with what is
    wrong.
    """
    names = [argument.name for argument in prompt.arguments]
    if len(names) == 1 and typed and not typed.startswith(f"{names[0]}="):
        return {names[0]: typed}
    import shlex  # few prompts have arguments

    try:
        words = shlex.split(typed)
    except ValueError:
        raise ValueError(_("a quote is not closed")) from None
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in names:
            given[name] = value
        elif free := [name for name in names if name not in given]:
            given[free[0]] = word
        else:
            raise ValueError(
                _("it takes {count} arguments: {names}").format(
                    count=len(names), names=", ".join(names)
                )
                if names
                else _("it takes no argument")
            )
    return given
