"""The table of commands: each row is a key, a slash command and a palette entry.

The file is long because it is one table, with what its rows need from the app.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec
from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from tui.i18n import N_, _
from tui.mcp import Prompt
from tui.prompt_files import PromptFile
from tui.safe import safe
from tui.spelling import VERY_NEAR, nearest


class _Controller(Protocol):
    def edit(self) -> object: ...
    def unsend(self) -> object: ...
    def go_on(self) -> object: ...
    def retry(self) -> object: ...
    def compact(self, keep: str) -> object: ...
    def regenerate(self) -> object: ...


class _Versions(Protocol):
    def walk(self, step: int) -> object: ...


class _Owners(Protocol):
    def take_over(self) -> object: ...


class _Arrangement(Protocol):
    def toggle_sidebar(self) -> object: ...
    def toggle_debug(self) -> object: ...


class _Settings(Protocol):
    def set_system(self, text: str) -> object: ...
    def set_option(self, text: str) -> object: ...


class _Costs(Protocol):
    def show(self) -> object: ...


class _Attaching(Protocol):
    def attach(self, spec: str) -> object: ...


class _Clipboard(Protocol):
    def copy_answer(self, number: int) -> object: ...


class _Finding(Protocol):
    @property
    def active(self) -> bool: ...
    def find(self, words: str) -> object: ...
    def step(self, step: int) -> object: ...


class _Effort(Protocol):
    def choose(self, level: str) -> object: ...


class _Comparing(Protocol):
    def begin(self, argument: str) -> object: ...


class _Code(Protocol):
    def save(self, argument: str) -> object: ...


class _Transcript(Protocol):
    def go_to_question(self, step: int) -> object: ...


class _Composer(Protocol):
    def write(self, text: str) -> object: ...


class _Chat(Protocol):
    """What commands need from the current chat."""

    @property
    def composer(self) -> _Composer: ...
    @property
    def hint(self) -> Callable[[str], object]: ...

    @property
    def controller(self) -> _Controller: ...
    @property
    def versions(self) -> _Versions: ...
    @property
    def owners(self) -> _Owners: ...
    @property
    def arrangement(self) -> _Arrangement: ...
    @property
    def settings(self) -> _Settings: ...
    @property
    def costs(self) -> _Costs: ...
    @property
    def clipboard(self) -> _Clipboard: ...
    @property
    def attaching(self) -> _Attaching: ...
    @property
    def finding(self) -> _Finding: ...
    @property
    def transcript(self) -> _Transcript: ...
    @property
    def effort(self) -> _Effort: ...
    @property
    def code(self) -> _Code: ...
    @property
    def comparing(self) -> _Comparing: ...
    def show_reasoning(self, argument: str) -> object: ...
    def escape(self) -> object: ...
    def toggle_stream(self) -> object: ...
    def edit_outside(self) -> object: ...


class _Tabs(Protocol):
    def new(self) -> object: ...
    def step(self, step: int) -> object: ...
    def close_current(self) -> object: ...


class _History(Protocol):
    def show(self, words: str) -> object: ...
    def act(self, act: str, argument: str) -> object: ...
    def fork(self, title: str) -> object: ...


class _Exits(Protocol):
    def stay(self) -> bool: ...
    def quit(self) -> object: ...


class _Mcp(Protocol):
    def show(self, name: str) -> object: ...
    def choose_resource(self, uri: str) -> object: ...
    def use_prompt(self, prompt: Prompt, typed: str) -> object: ...


class _App(Protocol):
    """What commands need from the app."""

    @property
    def mcp(self) -> _Mcp: ...
    @property
    def tabs(self) -> _Tabs: ...
    @property
    def history(self) -> _History: ...
    @property
    def exits(self) -> _Exits: ...
    def choose_model(self, name: str) -> object: ...
    def choose_agent(self, name: str) -> object: ...
    def set_up(self) -> object: ...
    def choose_theme(self, name: str) -> object: ...
    def show_palette(self) -> object: ...
    def switch_mouse(self, argument: str) -> object: ...
    def show_help(self) -> object: ...
    def set_vi(self, word: str) -> object: ...


NO_KEY = "no_key"
"""The key of commands without one: Textual ignores an empty one."""


def _anything(argument: str) -> str:
    return ""


def _always(_: _Chat) -> bool:
    return True


def _number(argument: str) -> str:
    """Return what is wrong with an answer's number, or ""."""
    if not argument or argument.isdecimal():
        return ""
    return _("/copy takes a number: /copy 2 copies the answer before the last")


def _one_of(slash: str, *words: str) -> Callable[[str], str]:
    """Return what reports an argument that is none of `words`, nor empty."""
    wrong = _("{slash} takes {words}").format(slash=slash, words=_(" or ").join(words))
    return lambda argument: "" if argument in ("", *words) else wrong


class Command(msgspec.Struct, frozen=True):
    """An action that the user can run."""

    name: str
    """Its name under [keys] in the configuration."""
    run: Callable[[_App, _Chat, str], object]
    """Runs it with the text typed after `slash`, "" for none."""
    key: str
    """The default key; "" for none."""
    slash: str
    """The slash command; "" for none."""
    help: str
    reading: bool = False
    """Whether the key works only in the conversation pane, as it is a letter."""
    aliases: tuple[str, ...] = ()
    """Other slash commands that do the same."""
    pane_key: str = ""
    """A key for it in the conversation pane, besides `key`; "" for none."""
    first: bool = False
    """Whether its key is not for the composer, which would edit or type with it."""
    live: Callable[[_Chat], bool] = _always
    """Whether the key does something now; if not, it types."""
    permanent: bool = False
    """Whether its effect cannot be undone: its name must be typed in full."""
    argument: Callable[[str], str] | None = None
    """Returns what is wrong with the text typed after `slash`, or ""; None if the
    command takes no argument."""
    needs_argument: bool = False
    """Whether it does nothing without an argument."""

    def refuse(self, argument: str) -> str:
        """Return why `argument` is not accepted, or ""."""
        if self.argument:
            return self.argument(argument)
        return (
            _("{slash} takes no argument").format(slash=self.slash) if argument else ""
        )


def _act(
    name: str,
    help: str,
    argument: Callable[[str], str] | None = None,
    key: str = "",
    *,
    permanent: bool = False,
    needs_argument: bool = False,
) -> Command:
    """Return the command for an action of `tui.app.history.actions`."""

    def run(app: _App, _: _Chat, argument: str) -> object:
        return app.history.act(name, argument)

    slash = f"/{name}"
    return Command(
        *(name, run, key, slash, help),
        argument=argument,
        permanent=permanent,
        needs_argument=needs_argument,
    )


def _plain(
    name: str, run: Callable[[_Chat], object], help: str, key: str = ""
) -> Command:
    """Return a command of the current chat that takes no argument."""
    return Command(name, lambda _, chat, __: run(chat), key, f"/{name}", help)


COMMANDS = (
    Command(
        "cancel",
        lambda app, chat, _: app.exits.stay() or chat.escape(),
        "escape",
        "",
        N_("Back to the composer; there: stop the answer"),
    ),
    _plain(
        "stream", lambda chat: chat.toggle_stream(), N_("Streaming on or off"), "ctrl+t"
    ),
    _plain(
        "tools",
        lambda chat: chat.arrangement.toggle_sidebar(),
        N_("Show or hide the tools"),
        "f2",
    ),
    _plain(
        "debug",
        lambda chat: chat.arrangement.toggle_debug(),
        N_("Show or hide the tool calls"),
        "f3",
    ),
    Command(
        "new",
        lambda app, _, __: app.tabs.new(),
        "ctrl+n",
        "/new",
        N_("New conversation"),
        aliases=("/clear", "/reset"),
    ),
    Command(
        "history",
        lambda app, _, words: app.history.show(words),
        "ctrl+s",
        "/history",
        N_("All conversations; /history WORDS searches"),
        aliases=("/search", "/sessions", "/resume"),
        argument=_anything,
    ),
    Command(
        "find",
        lambda _, chat, words: chat.finding.find(words),
        "ctrl+f",
        "/find",
        N_("Find text in this conversation: /find WORDS"),
        first=True,
        argument=_anything,
    ),
    Command(
        "question_above",
        lambda _, chat, __: chat.transcript.go_to_question(-1),
        "ctrl+up",
        "/above",
        N_("Go to the question above"),
        pane_key="{",
    ),
    Command(
        "question_below",
        lambda _, chat, __: chat.transcript.go_to_question(1),
        "ctrl+down",
        "/below",
        N_("Go to the question below"),
        pane_key="}",
    ),
    Command(
        "next",
        lambda app, _, __: app.tabs.step(1),
        "f4,ctrl+pagedown",
        "/next",
        N_("Next open conversation"),
    ),
    Command(
        "previous",
        lambda app, _, __: app.tabs.step(-1),
        "shift+f4,f16,ctrl+pageup",  # Textual reports xterm's Shift+F4 as F16
        "/previous",
        N_("Previous open conversation"),
    ),
    Command(
        "close",
        lambda app, _, __: app.tabs.close_current(),
        "ctrl+f4",
        "/close",
        N_("Close this conversation (it is kept)"),
    ),
    _act(
        "rename",
        N_("Rename this conversation: /rename TITLE"),
        _anything,
        needs_argument=True,
    ),
    _act("pin", N_("Pin or unpin this conversation")),
    _act("export", N_("Export to a file: /export NAME.md or .json"), _anything),
    _act(
        "import",
        N_("Import an exported file: /import NAME.json"),
        _anything,
        needs_argument=True,
    ),
    _act("delete", N_("Delete this conversation; /undo restores it")),
    _act("undo", N_("Undo the last delete"), key="f9"),
    _act("purge", N_("Permanently wipe all that was deleted"), permanent=True),
    Command(
        "model",
        lambda app, _, name: app.choose_model(name),
        "ctrl+l",
        "/model",
        N_("Choose a model"),
        aliases=("/models",),
        argument=_anything,
    ),
    Command(
        "compare",
        lambda _, chat, argument: chat.comparing.begin(argument),
        "",
        "/compare",
        N_("Ask a second model too: /compare MODEL QUESTION"),
        argument=_anything,
    ),
    Command(
        "agent",
        lambda app, _, name: app.choose_agent(name),
        "",
        "/agent",
        N_("Choose how answers are made: /agent NAME"),
        argument=_anything,
    ),
    Command(
        "system",
        lambda _, chat, text: chat.settings.set_system(text),
        "",
        "/system",
        N_("System prompt here: /system TEXT"),
        argument=_anything,
    ),
    Command(
        "set",
        lambda _, chat, text: chat.settings.set_option(text),
        "",
        "/set",
        N_("Model options here: /set temperature 0.2"),
        aliases=("/options",),
        argument=_anything,
        needs_argument=True,
    ),
    Command(
        "cost",
        lambda _, chat, __: chat.costs.show(),
        "",
        "/cost",
        N_("Tokens and cost, by model"),
        aliases=("/usage", "/tokens"),
    ),
    Command(
        "effort",
        lambda _, chat, level: chat.effort.choose(level),
        "alt+e",
        "/effort",
        N_("Reasoning effort here: low, medium, high or default"),
        first=True,
        argument=_anything,
    ),
    Command(
        "reasoning",
        lambda _, chat, argument: chat.show_reasoning(argument),
        "alt+r",
        "/reasoning",
        N_("Show or hide the reasoning of all answers"),
        first=True,
        argument=_one_of("/reasoning", "show", "hide"),
    ),
    Command(
        "setup",
        lambda app, _, __: app.set_up(),
        "",
        "/setup",
        N_("Find or add a model"),
    ),
    Command(
        "mcp",
        lambda app, _, name: app.mcp.show(name),
        "",
        "/mcp",
        N_("MCP servers; /mcp NAME: reconnect; NAME off: stop"),
        argument=_anything,
    ),
    Command(
        "resource",
        lambda app, _, uri: app.mcp.choose_resource(uri),
        "",
        "/resource",
        N_("Insert a text that an MCP server offers"),
        argument=_anything,
    ),
    _plain(
        "edit",
        lambda chat: chat.edit_outside(),
        N_("Edit the message in your editor"),
        "ctrl+o",
    ),
    Command(
        "attach",
        lambda _, chat, spec: chat.attaching.attach(spec),
        "",
        "/attach",
        N_("Attach a file: /attach FILE, or FILE:10-40"),
        argument=_anything,
        needs_argument=True,
    ),
    Command(
        "copy",
        lambda _, chat, number: chat.clipboard.copy_answer(int(number or 1)),
        "",
        "/copy",
        N_("Copy the last answer; /copy 2: the one before"),
        argument=_number,
    ),
    Command(
        "save_code",
        lambda _, chat, argument: chat.code.save(argument),
        "",
        "/save-code",
        N_("Save the last code block: /save-code FILE; 2 FILE: the one before"),
        argument=_anything,
        pane_key="S",
    ),
    _plain(
        "unsend",
        lambda chat: chat.controller.unsend(),
        N_("Take back the queued message"),
        "alt+up",
    ),
    _plain(
        "continue",
        lambda chat: chat.controller.go_on(),
        N_("Continue a stopped answer"),
    ),
    _plain(
        "retry", lambda chat: chat.controller.retry(), N_("Ask the last question again")
    ),
    _plain(
        "takeover",
        lambda chat: chat.owners.take_over(),
        N_("End a turn that another machine left"),
    ),
    Command(
        "compact",
        lambda _, chat, keep: chat.controller.compact(keep),
        "",
        "/compact",
        N_("Summarise old messages; /compact X: keep X"),
        aliases=("/summarize", "/summarise"),
        argument=_anything,
    ),
    Command(
        "theme",
        lambda app, _, name: app.choose_theme(name),
        "",
        "/theme",
        N_("Choose a theme"),
        argument=_anything,
    ),
    Command(
        "mouse",
        lambda app, _, argument: app.switch_mouse(argument),
        "",
        "/mouse",
        N_("Mouse for the app (on) or the terminal's own selection (off)"),
        argument=_one_of("/mouse", "on", "off"),
    ),
    Command(
        "vi",
        lambda app, _, word: app.set_vi(word),
        "",
        "/vi",
        N_("vi keys: /vi on or off"),
        argument=_one_of("/vi", "on", "off"),
    ),
    Command(
        "palette",
        lambda app, _, __: app.show_palette(),
        "ctrl+p",
        "/commands",
        N_("Command palette"),
        aliases=("/palette",),
    ),
    Command("help", lambda app, _, __: app.show_help(), "f1", "/help", N_("Help")),
    Command(
        "quit",
        lambda app, _, __: app.exits.quit(),
        "ctrl+q",
        "/quit",
        N_("Exit"),
        aliases=("/exit",),
    ),
    Command(
        "revise",
        lambda _, chat, __: chat.controller.edit(),
        "e",
        "/revise",
        N_("Edit your message (old version kept)"),
        reading=True,
    ),
    Command(
        "fork",
        lambda app, _, title: app.history.fork(title),
        "f",
        "/fork",
        N_("Fork the conversation here: /fork TITLE"),
        reading=True,
        argument=_anything,
    ),
    Command(
        "regenerate",
        lambda _, chat, __: chat.controller.regenerate(),
        "r",
        "/regenerate",
        N_("Regenerate (old answer kept)"),
        reading=True,
    ),
    Command(
        "older",
        lambda _, chat, __: chat.versions.walk(-1),
        "[,left",
        "/older",
        N_("Previous version"),
        reading=True,
    ),
    Command(
        "newer",
        lambda _, chat, __: chat.versions.walk(1),
        "],right",
        "/newer",
        N_("Next version"),
        reading=True,
    ),
    Command(
        "find_next",
        lambda _, chat, __: chat.finding.step(1),
        "n",
        "/findnext",
        N_("Next match of /find"),
        reading=True,
        live=lambda chat: chat.finding.active,
    ),
    Command(
        "find_previous",
        lambda _, chat, __: chat.finding.step(-1),
        "N",
        "/findprevious",
        N_("Previous match of /find"),
        reading=True,
        live=lambda chat: chat.finding.active,
    ),
)


def bindings(*, reading: bool = False) -> list[BindingType]:
    """Return the key bindings of the commands; users remap them by name.

    With `reading`, those of the conversation pane, otherwise those of the screen.
    """
    found: list[BindingType] = []
    for c in COMMANDS:
        if (reading and not (c.reading or c.pane_key)) or (c.reading and not reading):
            continue
        key = c.pane_key if reading and not c.reading else c.key
        run = f"app.command('{c.name}')"
        found.append(
            Binding(key or NO_KEY, run, c.help, show=False, priority=c.first, id=c.name)
        )
    return found


def spelled(command: Command, keys: Mapping[str, str], *, reading: bool = False) -> str:
    """Return the command's key as users write it; `keys` has the user's own.

    With `reading`, that of the conversation pane.
    """
    own = keys.get(command.name)
    usual = command.pane_key if reading and command.pane_key else command.key
    key = usual if own is None or _wrong_part(own) else safe(own, newlines=False)
    return spelled_key(key.split(",")[0].strip()) if key else ""


def spelled_key(key: str) -> str:
    """Return one key as users write it."""
    names = {"escape": "Esc", "pageup": "PageUp", "pagedown": "PageDown"}
    parts = [*key[:-1].split("+")[:-1], "+"] if key[-1:] == "+" else key.split("+")
    if len(parts) == 1 == len(parts[0]):
        return parts[0]  # keep the case of a letter: the other case is another key
    if parts[-1].isupper() and len(parts[-1]) == 1:
        parts.insert(-1, "shift")
    character = key_to_character(parts[-1])
    if (
        len(parts[-1]) > 1
        and character
        and character.isprintable()
        and character != " "
    ):
        parts[-1] = character  # "question_mark"
    return "+".join(names.get(part, part.capitalize()) for part in parts)


def checked(keys: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the valid entries of the user's `keys`, and problems with others.

    A command with an invalid key keeps its default key.
    """
    known = {command.name: command for command in COMMANDS}
    good: dict[str, str] = {}
    problems: list[str] = []
    for name, key in keys.items():
        if name not in known:
            hint = nearest(name, known) or _(" Known: {known}.").format(
                known=", ".join(known)
            )
            problems.append(
                _('[keys]: there is no command "{name}".{hint}').format(
                    name=name, hint=hint
                )
            )
        elif wrong := _wrong_part(key):
            problems.append(
                _(
                    '[keys]: {name} = "{key}": there is no key "{wrong}". Write it '
                    'like "ctrl+t", "f5", "alt+up" or "y"; the default ({key2}) is '
                    "used."
                ).format(
                    name=name, key=key, wrong=wrong, key2=known[name].key or _("none")
                )
            )
        else:
            good[name] = key
    return good, problems


def _wrong_part(key: str) -> str:
    """Return the first invalid key in the comma-separated `key`, or ""."""
    parts = [part.strip() for part in key.split(",")] if key else []
    return next((part or "," for part in parts if not _is_key(part)), "")


def _is_key(text: str) -> bool:
    *modifiers, key = (
        text.split("+")
        if text[-1:] != "+"
        else (
            *text[:-1].split("+")[:-1],
            "+",
        )
    )
    if not {"ctrl", "alt", "shift", "super", "hyper", "meta"}.issuperset(modifiers):
        return False
    if len(key) == 1:
        return key.isprintable()
    if key in {known.value for known in Keys} | set(KEY_NAME_REPLACEMENTS.values()):
        return True
    try:  # Textual names other characters by Unicode: question_mark
        unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return False
    return True


def named(name: str) -> Command:
    """Return the command called `name`; raises KeyError."""
    return {command.name: command for command in COMMANDS}[name]


def of_prompts(prompts: Iterable[Prompt]) -> tuple[Command, ...]:
    """Return a command for each prompt of an MCP server, such as `/github:review`."""

    def run(prompt: Prompt) -> Callable[[_App, _Chat, str], object]:
        return lambda app, _, typed: app.mcp.use_prompt(prompt, typed)

    return tuple(
        Command(
            f"prompt {prompt.slash}",
            run(prompt),
            "",
            safe(prompt.slash, newlines=False),
            prompt.description or _("Prompt of {server}").format(server=prompt.server),
            argument=_anything if prompt.arguments else None,
        )
        for prompt in prompts
    )


def of_file(prompt: PromptFile) -> Command:
    """Return the command of a prompt file: it puts the prompt into the composer."""

    def run(__: _App, chat: _Chat, typed: str) -> None:
        chat.composer.write(prompt.filled(typed))
        chat.hint(_("Enter sends the prompt"))

    slash = f"/{prompt.name}"
    name = f"prompt {prompt.name}"
    return Command(name, run, "", slash, prompt.description, argument=_anything)


def slashes() -> set[str]:
    """Return the slash commands of the table, with their other names."""
    return {s for command in COMMANDS for s in (command.slash, *command.aliases) if s}


def parse(text: str, more: Iterable[Command] = ()) -> tuple[Command, str] | None:
    """Return the command in `text` and its argument, None if there is none.

    `/model qwen` is the command `model` with the argument `qwen`. `more` are commands
    besides those of the table.
    """
    word, _, argument = text.strip().partition(" ")
    for command in (*COMMANDS, *more):
        if word and word in (command.slash, *command.aliases):
            return command, argument.strip()
    return None


def mistyped(text: str) -> str:
    """Return a hint if `text` looks like a mistyped command, or "".

    With more words after it, only one that is very near to a command is taken for one:
    "/modle qwen", but not "/tmp is full".
    """
    word, _space, argument = text.strip().partition(" ")
    if not re.fullmatch(r"/[a-z][a-z-]+", word) or parse(word):
        return ""
    known = [
        slash
        for command in COMMANDS
        for slash in (command.slash, *command.aliases)
        if slash
    ]
    if argument:
        hint = nearest(word, known, VERY_NEAR)
        return (
            _("There is no command {word}.{hint}").format(word=word, hint=hint)
            if hint
            else ""
        )
    begun = next((slash for slash in known if slash.startswith(word)), "")
    hint = (
        _(' Did you mean "{begun}"?').format(begun=begun)
        if begun
        else nearest(word, known, 0.7)
    )
    hint = hint or _(" /help lists all commands.")
    return _("There is no command {word}.{hint}").format(word=word, hint=hint)
