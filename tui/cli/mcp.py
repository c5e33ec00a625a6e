"""`lazychat mcp`: lists, imports and logs in to MCP servers, and is one itself."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from tui.cli import streams
from tui.cli.codes import DONE, FAILED
from tui.config import Config
from tui.errors import ConfigError, LazychatError
from tui.i18n import N_, _, labelled
from tui.safe import safe
from tui.spelling import nearest

_CONNECT_SECONDS = 30.0
_LOGIN_SECONDS = 600.0
_PHASES = {
    "disabled": N_("disabled"),
    "connecting": N_("connecting"),
    "ready": N_("ready"),
    "login": N_("login"),
    "failed": N_("failed"),
    "retrying": N_("retrying"),
}


def mcp(
    settings: Callable[[], Config], options: argparse.Namespace, file: Path | None
) -> int:
    """Run the command that `options.act` names; return the exit code.

    `settings` reads the configuration, which `file` holds (None: the user's file).
    """
    match options.act:
        case "list":
            return _list(settings(), options.json)
        case "import":
            return _import(Path(options.file), file)
        case "login":
            return _login(settings(), options.name)
        case "logout":
            return _logout(settings(), options.name)
        case _:
            return _serve(settings())


def _list(settings: Config, as_json: bool) -> int:
    """Connect to all servers, and print what they offer; 1 if one is not connected."""
    from tui.mcp import Servers

    servers = Servers(settings.mcp)
    servers.start()
    try:
        servers.wait(_CONNECT_SECONDS)
        states, tools = servers.states, servers.tools
        if as_json:
            streams.print_json(
                [
                    msgspec.to_builtins(state)
                    | {
                        "tools": [
                            {"name": t.name, "hints": t.hints, "policy": t.policy}
                            for t in tools
                            if t.origin == state.name
                        ],
                        "prompts": [
                            p.slash for p in servers.prompts if p.server == state.name
                        ],
                    }
                    for state in states
                ]
            )
        else:
            for state in states:
                print(
                    _("{name}: {phase}, {state}").format(
                        name=state.name,
                        phase=_(_PHASES[state.phase]),
                        state=state.describe(),
                    )
                )
                for tool in tools:
                    if tool.origin == state.name:
                        hints = f" ({tool.hints})" if tool.hints else ""
                        print(f"  {tool.name}{hints}: {safe(tool.summary)}")
                for prompt in servers.prompts:
                    if prompt.server == state.name:
                        print(f"  {prompt.slash}: {prompt.description}")
                for why in state.left_out:
                    print(f"  {why}")
    finally:
        servers.close()
    if not states:
        streams.talk(_("no MCP server is configured: lazychat mcp import FILE"))
    return DONE if all(s.phase in ("ready", "disabled") for s in states) else FAILED


def _import(source: Path, file: Path | None) -> int:
    """Add the servers of another client's file to config.toml."""
    from tui import config
    from tui.mcp import importing
    from tui.models import keys
    from tui.models.setup import keeping

    known = dict(config.load(file).mcp)
    for found in importing.read(source):
        if found.settings in known.values():
            print(_("{name}: already there").format(name=found.name))
            continue
        found.name = importing.free_name(found.name, known)
        for name in found.keys:
            if keys.find(name) not in ("", found.keys[name]):
                raise ConfigError(
                    _(
                        "{name} has another value for {name2} than your "
                        "environment or keys.toml: rename it in {source}, or "
                        "remove it there."
                    ).format(name=found.name, name2=name, source=source)
                )
        lines = importing.entry(found, str(source))
        known[found.name] = found.settings

        def change(before: Config, found: importing.Imported = found) -> Config:
            servers = before.mcp | {found.name: found.settings}
            return msgspec.structs.replace(before, mcp=servers)

        for name, value in found.keys.items():
            stored = keys.store(name, value)
            print(
                _("{name}: {name2} is now in {stored}").format(
                    name=found.name, name2=name, stored=stored
                )
            )
        written = keeping.append(lines, change, file)
        for note in (
            *found.notes,
            *(
                _("set {name}").format(name=name)
                for name in found.wanted
                if not keys.find(name)
            ),
        ):
            streams.talk(f"{found.name}: {note}")
        print(_("{name}: added to {written}").format(name=found.name, written=written))
    return DONE


def _url(settings: Config, name: str) -> str:
    if name not in settings.mcp:
        hint = _nearest(name, settings)
        raise ConfigError(
            _('There is no MCP server "{name}".{hint}').format(name=name, hint=hint)
        )
    from tui.mcp import secrets

    if not (url := secrets.address(name, settings.mcp[name])):
        raise ConfigError(
            _("{name} runs on this machine and needs no login.").format(name=name)
        )
    return url


def _nearest(name: str, settings: Config) -> str:

    return nearest(name, dict(settings.mcp))


def _login(settings: Config, name: str) -> int:
    """Have the user log in to a server in a browser, which may be elsewhere."""
    from tui.mcp.login import log_in

    url = _url(settings, name)

    def show(address: str) -> None:
        print(
            _(
                "Open this address in a browser, here or elsewhere:\n\n{address}\n"
            ).format(address=address)
        )
        print(
            _(
                "The browser is then redirected to a page that does not load. Paste "
                "its address"
            )
        )
        print(_("here, or just the code in it:"), flush=True)

    def take() -> str:
        # Not input(), whose readline would keep the code in its history.
        return sys.stdin.readline()

    log_in(name, settings.mcp[name], url, show, take, _LOGIN_SECONDS)
    print(_("{name}: logged in").format(name=name))
    return DONE


def _logout(settings: Config, name: str) -> int:
    from tui.mcp import oauth

    gone = oauth.forget(name, _url(settings, name))
    print(labelled(name, _("logged out") if gone else _("you were not logged in")))
    return DONE


def _serve(settings: Config) -> int:
    """Be an MCP server, until the client closes our standard input."""
    from tui import conversation, paths
    from tui.eventlog import open_to_read
    from tui.mcp import serving
    from tui.tools import builtin, installed_tools, load_tools, process_guard

    def search(words: str, limit: int) -> str:
        with open_to_read(paths.log_file(), streams.talk) as log:
            hits = conversation.search(log, words, limit)
        lines = [f"{h.conversation} ({h.title}), {h.role}: {h.excerpt}" for h in hits]
        return "\n".join(map(safe, lines)) or _("Nothing found.")

    def read(id: str) -> str:
        with open_to_read(paths.log_file(), streams.talk) as log:
            return conversation.export_markdown(log, conversation.find(log, id))

    folder = paths.tools_folder()
    files = sorted(folder.glob("*.py")) if folder.is_dir() else []
    process_guard.install()
    with streams.prints_aside():
        loaded = [load_tools([*files, *settings.tools.files]), installed_tools()]
    for error in (error for each in loaded for error in each.errors):
        streams.talk(str(error))
    ours = builtin()
    found = dict(ours)
    found |= {tool.name: tool for each in loaded for tool in each.tools}
    rules = settings.tools.policy
    allowed = [
        tool
        for tool in found.values()
        if tool.name not in settings.tools.disabled
        and rules.get(tool.name, tool.policy) == "allow"
    ]
    own = [t for t in serving.conversation_tools(search, read) if t.name not in found]
    # What the user's own tools do, and those that config.toml allows, nobody can say.
    only_read = {
        name
        for name, tool in ours.items()
        if found[name] is tool and tool.policy == "allow"
    }
    try:
        serving.serve(
            [*allowed, *own],
            "Tools of lazychat, a chat for language models in the terminal, and the "
            "user's conversations in it.",
            settings.tools.timeout,
            only_read | {tool.name for tool in own},
        )
    except ImportError as error:
        raise LazychatError(
            _('MCP needs one more package: pip install "lazychat[mcp]".')
        ) from error
    return DONE
