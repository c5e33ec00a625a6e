"""The slash commands of plain mode: those of the app that make sense without a screen.

They have the names of the app; `/list`, `/open` and `/show` stand for the lists that a
screen shows.

The file is long because each command has its row and its function here.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tui import agent_names, conversation, paths, prompt_files
from tui.app.chat.conversation_settings import ConversationSettings
from tui.app.history.actions import Library
from tui.app.history.dates import ago
from tui.cli.plain.narrator import ERROR
from tui.cli.plain.repl import Repl
from tui.errors import LazychatError
from tui.i18n import N_, _, labelled
from tui.messages import Attachment
from tui.safe import one_line, safe
from tui.spelling import VERY_NEAR, nearest
from tui.tools.registry import is_demo

LISTED = 20
"""Conversations, or hits of a search, that are listed at most."""
ELSEWHERE = {
    "/setup": N_("run lazychat setup"),
    "/mcp": N_("run lazychat mcp list"),
    "/debug": N_("lazychat tools log lists the calls"),
    "/copy": N_("/export writes the conversation to a file"),
    "/compare": N_("/model NAME, then /retry, asks another model too"),
    "/save-code": N_("/export writes the conversation to a file"),
    "/effort": N_("/set reasoning_effort high sets it"),
    "/fork": N_("run lazychat fork"),
    "/commands": N_("/help lists all commands"),
    "/palette": N_("/help lists all commands"),
    **dict.fromkeys(("/cost", "/usage", "/tokens"), N_("run lazychat cost")),
    **dict.fromkeys(
        ("/find", "/findnext", "/findprevious"),
        N_("/search searches all conversations"),
    ),
    **dict.fromkeys(
        ("/above", "/below"), N_("/show prints the conversation from its beginning")
    ),
    **dict.fromkeys(
        ("/close", "/next", "/previous", "/older", "/newer"),
        N_("/open opens another one"),
    ),
    **dict.fromkeys(
        ("/edit", "/revise", "/unsend", "/theme", "/resource", "/takeover", "/purge"),
        N_("run lazychat without --plain"),
    ),
    **dict.fromkeys(
        ("/mouse", "/reasoning", "/vi"), N_("run lazychat without --plain")
    ),
}
"""Commands of the app that need its screen, and what to do instead."""


class Command(NamedTuple):
    """A slash command."""

    slash: str
    usage: str
    """Its argument, "" for none; in brackets if it may be left out."""
    help: str
    run: Callable[[Repl, str], object]
    aliases: tuple[str, ...] = ()


def run(repl: Repl, line: str) -> bool:
    """Run `line` if it is a command; return whether it was one.

    What looks like a mistyped command is not sent either.
    """
    word, __, argument = line.strip().partition(" ")
    if not re.fullmatch(r"/[a-z][a-z0-9_-]*", word):
        return False
    for command in COMMANDS:
        if word in (command.slash, *command.aliases):
            if argument and not command.usage:
                repl.console.say(
                    ERROR, _("{slash} takes no argument").format(slash=command.slash)
                )
            else:
                command.run(repl, argument.strip())
            return True
    found, __ = prompt_files.load(paths.prompt_files_folder())
    for prompt in found:
        if word == f"/{prompt.name}":
            text = prompt.filled(argument)
            repl.note(_("Sent: {text}").format(text=text))
            repl.send(text)
            return True
    known = [slash for it in COMMANDS for slash in (it.slash, *it.aliases)]
    if argument and word not in ELSEWHERE and not nearest(word, known, VERY_NEAR):
        return False
    if word in ELSEWHERE:
        why = _("{word} is not available in plain mode: {elsewhere}").format(
            word=word, elsewhere=_(ELSEWHERE[word])
        )
    else:
        near = nearest(word, known, 0.7) or _(" /help lists all commands.")
        why = _("There is no command {word}.{near}").format(word=word, near=near)
    repl.console.say(ERROR, why)
    return True


def matching(line: str) -> Sequence[str]:
    """Return the commands that `line` may be the beginning of."""
    return [it.slash for it in COMMANDS if line and it.slash.startswith(line)]


# -- conversations


def _list(repl: Repl, __: str) -> None:
    store = repl.backend.store
    found = store.recent(LISTED)
    unread, running = store.unread(), store.answering([it.id for it in found])
    ids = conversation.short_ids(repl.host.log, [it.id for it in found])
    for id, it in zip(ids, found, strict=True):
        marks = [
            ago(it.updated),
            *([_("answering")] if it.id in running else []),
            *([_("unread")] if it.id in unread else []),
            *([_("open here")] if it.id == repl.talk.id else []),
        ]
        title = one_line(it.title) or _("(no title)")
        repl.console.line(f"{id}  " + _(", ").join([title, *marks]))
    repl.note(_("/open ID opens one") if found else _("No conversations yet"))


def _open(repl: Repl, argument: str) -> None:
    if not argument:
        _list(repl, "")
    else:
        repl.open(conversation.find(repl.host.log, argument))


def _new(repl: Repl, __: str) -> None:
    if repl.talk.fold.questions:
        repl.open(conversation.new_id(), is_new=True)
        repl.note(_("New conversation"))
    else:
        repl.note(_("This is already a new conversation"))


def _search(repl: Repl, words: str) -> None:
    if not words:
        repl.note(_("/search WORDS searches all conversations"))
        return
    hits = repl.backend.store.search(words, LISTED)
    ids = conversation.short_ids(repl.host.log, [hit.conversation for hit in hits])
    for id, hit in zip(ids, hits, strict=True):
        title = one_line(hit.title) or _("(no title)")
        repl.console.line(f"{id}  {labelled(title, one_line(hit.excerpt))}")
    repl.note(_("/open ID opens one") if hits else _("Nothing found"))


def _show(repl: Repl, __: str) -> None:
    if repl.talk.fold.questions:
        repl.talk.narrator.replay(())
    else:
        repl.note(_("This conversation is empty"))


def _act(name: str) -> Callable[[Repl, str], None]:
    """Return the function for an action of the app's list of conversations."""

    def act(repl: Repl, argument: str) -> None:
        if name == "rename" and not argument:
            raise LazychatError(_("/rename needs a title"))
        outcome = Library(repl.backend.store).do(name, repl.talk.id, argument)
        if outcome.failed:
            repl.console.say(ERROR, outcome.text)
            return
        if name != "rename":  # the log has the new title, and it is told from there
            repl.note(outcome.text)
        if name == "delete":
            repl.note(_("This is a new conversation; /undo restores the deleted one"))
            repl.open(conversation.new_id(), is_new=True)
        elif name in ("undo", "import"):
            repl.open(outcome.id, quiet=True)

    return act


# -- the next answer


def _model(repl: Repl, name: str) -> None:
    if name:
        repl.choose_model(name)
        return
    for each in repl.backend.models.names:
        here = _(", in use") if each == repl.model else ""
        repl.console.line(f"{each}{here}")
    repl.note(_("/model NAME chooses another one"))


def _agent(repl: Repl, name: str) -> None:
    if name in agent_names.ABOUT:
        repl.agent = name
        repl.note(
            _("The agent is now {name}: {about}").format(
                name=name, about=_(agent_names.ABOUT[name])
            )
        )
        return
    if name:
        hint = nearest(name, list(agent_names.ABOUT))
        raise LazychatError(
            _('There is no agent "{name}".{hint}').format(name=name, hint=hint)
        )
    for each, about in agent_names.ABOUT.items():
        here = _(", in use") if each == repl.agent else ""
        repl.console.line(labelled(each, _(about)) + here)
    repl.note(_("/agent NAME chooses another one"))


def _tools(repl: Repl, name: str) -> None:
    tools = {tool.name: tool for tool in repl.backend.tools}
    if not name:
        on = repl.enabled()
        for each, tool in tools.items():
            asks = _(", asks first") if repl.backend.policy(tool) == "ask" else ""
            demo = _(", demo with made-up results") if is_demo(tool) else ""
            state = _("on") if each in on else _("off")
            shown = labelled(safe(each, newlines=False), state)
            repl.console.line(shown + asks + demo)
        repl.note(_("/tools NAME turns one on or off"))
    elif name not in tools:
        hint = nearest(name, list(tools))
        raise LazychatError(
            _("There is no tool {name}.{hint}").format(name=name, hint=hint)
        )
    else:
        repl.toggled[name] = name not in repl.enabled()
        repl.note(
            _("{name} is {value}").format(
                name=name, value=_("on") if repl.toggled[name] else _("off")
            )
        )


def _stream(repl: Repl, __: str) -> None:
    repl.stream = not repl.stream
    repl.note(
        _("Answers appear as they are written")
        if repl.stream
        else _("Answers appear when they are complete")
    )


class _Field:
    """Stands for the app's composer, which shows the system prompt for editing."""

    files: tuple[Attachment, ...] = ()
    text = ""

    def load_text(self, text: str, files: tuple[Attachment, ...] | None = None) -> None:
        pass

    def focus(self) -> None:
        pass


class _Sidebar:
    system: object = None
    options: object = None


def _settings(repl: Repl) -> ConversationSettings:
    talk = repl.talk
    if talk.settings is None:
        talk.settings = ConversationSettings(
            talk.conversation,
            talk.fold,
            _Field(),
            _Sidebar(),
            repl.host.config.system,
            repl.note,
            lambda text: repl.console.say(ERROR, text),
            _drop,
        )
    return talk.settings


def _drop(call: Callable[..., object], *given: object) -> None:
    """Drop a report from another thread: the store reports its own troubles."""


def _system(repl: Repl, text: str) -> None:
    settings = _settings(repl)
    if not text and (known := settings.current.system or repl.host.config.system):
        repl.console.say(_("System prompt"), known)
        repl.note(_("/system TEXT sets another one, /system default resets it"))
    else:
        settings.set_system(text)


def _set(repl: Repl, text: str) -> None:
    _settings(repl).set_option(text)


def _attach(repl: Repl, spec: str) -> None:
    if spec:
        file = repl.backend.files.load(spec)
        repl.files.append(file)
        repl.note(_("Attached to the next message: {title}").format(title=file.title))
    else:
        names = ", ".join(file.title for file in repl.files)
        repl.note(
            _("Attached: {names}").format(names=names)
            if names
            else _("/attach FILE attaches a file")
        )


# -- answers


def _retry(repl: Repl, __: str) -> None:
    if not repl.talk.retry(repl.settings):
        repl.note(_("Nothing to retry"))


def _continue(repl: Repl, __: str) -> None:
    if not repl.talk.go_on(repl.settings):
        repl.note(_("Nothing to continue"))


def _compact(repl: Repl, keep: str) -> None:
    if not repl.talk.sum_up(repl.model, keep):
        repl.note(_("Nothing to summarise yet"))


def _help(repl: Repl, __: str) -> None:
    for it in COMMANDS:
        usage = f"{it.slash} {_(it.usage)}".strip()
        repl.console.line(labelled(usage, _(it.help)))
    for prompt in prompt_files.load(paths.prompt_files_folder())[0]:
        repl.console.line(labelled(f"/{prompt.name}", prompt.description))
    repl.console.line(_("A final backslash continues the message on the next line."))
    repl.console.line(
        _(
            "Ctrl+C stops the answer, twice it quits. Ctrl+D quits. A path after @ "
            "is attached."
        )
    )


def _quit(repl: Repl, _: str) -> None:
    repl.leave()


COMMANDS = (
    Command("/help", "", N_("this list"), _help),
    Command("/new", "", N_("a new conversation"), _new, ("/clear", "/reset")),
    Command(
        "/list", "", N_("the last conversations"), _list, ("/history", "/sessions")
    ),
    Command("/open", "ID", N_("opens a conversation"), _open, ("/resume",)),
    Command("/search", N_("WORDS"), N_("searches all conversations"), _search),
    Command("/show", "", N_("this conversation from its beginning"), _show),
    Command(
        "/model",
        N_("[NAME]"),
        N_("lists the models, or chooses one"),
        _model,
        ("/models",),
    ),
    Command("/agent", N_("[NAME]"), N_("how answers are made"), _agent),
    Command(
        "/system", N_("[TEXT]"), N_("the system prompt of this conversation"), _system
    ),
    Command(
        "/set",
        N_("[OPTION VALUE]"),
        N_("an option of the model, here"),
        _set,
        ("/options",),
    ),
    Command(
        "/tools", N_("[NAME]"), N_("lists the tools, or turns one on or off"), _tools
    ),
    Command("/stream", "", N_("turns streaming on or off"), _stream),
    Command("/attach", N_("FILE"), N_("attaches a file to the next message"), _attach),
    Command("/retry", "", N_("asks the last question again"), _retry, ("/regenerate",)),
    Command("/continue", "", N_("continues a stopped answer"), _continue),
    Command(
        "/compact",
        N_("[WORDS]"),
        N_("summarises old messages"),
        _compact,
        ("/summarize", "/summarise"),
    ),
    Command("/rename", N_("TITLE"), N_("renames this conversation"), _act("rename")),
    Command("/pin", "", N_("pins or unpins this conversation"), _act("pin")),
    Command(
        "/export", N_("[FILE]"), N_("writes it to FILE.md or FILE.json"), _act("export")
    ),
    Command("/import", N_("FILE"), N_("imports an exported file"), _act("import")),
    Command("/delete", "", N_("deletes this conversation"), _act("delete")),
    Command("/undo", "", N_("restores the last deleted conversation"), _act("undo")),
    Command("/quit", "", N_("quits"), _quit, ("/exit",)),
)
