"""The options of each command.

Only the options of the given command are created: creating all of them would take
longer than anything else before the import of the screen.
"""

import argparse
import re
from collections.abc import Sequence
from typing import Any

from tui import agent_names
from tui.cli import conversation_options, wide
from tui.cli.option_parser import (
    Add,
    Parser,
    add_config,
    add_json,
    count,
    misplaced,
    unknown_command,
)
from tui.i18n import N_, _, labelled
from tui.safe import decoded

_PATHS = ("attach", "config", "file", "files", "output", "schema", "to", "tool")
"""Options that name files: the names may contain bytes that are not UTF-8."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options in `arguments`; `command` is `chat` if none is given.

    Prints and exits if they are invalid or ask for help.
    """
    wide.translate_argparse()
    given = [*arguments]
    if given[:1] in (["-h"], ["--help"], ["--version"]):
        return _overview().parse_args(given)
    if given and re.fullmatch(r"\w[\w-]*", given[0]) and given[0] not in COMMANDS:
        _overview().error(unknown_command(given[0], COMMANDS))
    command = given.pop(0) if given and given[0] in COMMANDS else "chat"
    parser = Parser(prog=f"lazychat {command}")
    COMMANDS[command][1](parser)
    parser.set_defaults(command=command, version=False)
    options, rest = parser.parse_known_args(given)
    if rest:
        hint = misplaced(rest, COMMANDS) if command == "chat" else ""
        text = _("unrecognized arguments: {rest}{hint}")
        parser.error(text.format(rest=" ".join(rest), hint=hint))
    model = getattr(options, "model", None)
    if model and model.endswith(".gguf") and decoded(model) != model:
        # The model's name is stored with each question.
        parser.error(
            _(
                "-m {model}: this path is not UTF-8. Rename the file, or link to "
                "it under another name: ln -s THE_FILE model.gguf"
            ).format(model=model)
        )
    return argparse.Namespace(
        **{
            name: value if name in _PATHS else _decoded(value)
            for name, value in vars(options).items()
        }
    )


def _decoded(value: Any) -> Any:
    match value:
        case str():
            return decoded(value)
        case [*values]:
            return [_decoded(each) for each in values]
        case _:
            return value


def _overview() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lazychat",
        description=_("Chat with language models in the terminal."),
        epilog=_(
            "The default command is chat. `lazychat COMMAND -h` shows its options."
        ),
    )
    parser.add_argument("--version", action="store_true", help=_("show the version"))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (help, __) in COMMANDS.items():
        commands.add_parser(name, help=_(help))
    return parser


def _chat(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    _add_attach(parser)
    _add_which(parser, _("open the last conversation"), _("open this conversation"))
    _add_temporary(parser)
    parser.add_argument(
        "--plain",
        action="store_true",
        default=None,
        help=_(
            "labelled lines instead of a full screen, for screen readers, dumb "
            "terminals and pipes"
        ),
    )
    parser.add_argument(
        "--color", action="store_true", help=_("with --plain: labels are bold")
    )


def _ask(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    _add_attach(parser, _("; -: standard input"))
    parser.add_argument(
        "prompt",
        nargs="*",
        help=_("the question; standard input is appended if it is not a terminal"),
    )
    _add_which(
        parser, _("continue the last conversation"), _("continue this conversation")
    )
    _add_temporary(parser)
    flags = {
        "--allow": _(
            "run this tool's calls without asking; in PATTERN, * is any plain text "
            "(repeatable)"
        ),
        "--deny": _("deny this tool's calls; overrides everything else (repeatable)"),
    }
    for flag, help in flags.items():
        parser.add_argument(
            flag, action="append", default=[], metavar="NAME[=PATTERN]", help=help
        )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--schema",
        metavar="FILE",
        help=_(
            "answer with JSON that matches this JSON Schema (-: standard input), "
            "else exit with 1; offers only the tools of -T"
        ),
    )
    form.add_argument(
        "--json",
        action="store_true",
        help=_("print the records of the turn, one JSON object a line"),
    )


def _add_attach(parser: argparse.ArgumentParser, more: str = "") -> None:
    parser.add_argument(
        "-a",
        "--attach",
        action="append",
        default=[],
        metavar="FILE",
        help=_(
            "attach a text file, a picture or a PDF (repeatable); FILE:10-40: "
            "these lines of it{more}"
        ).format(more=more),
    )


def _agents() -> str:
    about = agent_names.ABOUT.items()
    return _("; ").join(labelled(name, _(what)) for name, what in about)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m",
        "--model",
        help=_("a model name from config.toml, a .gguf file, or supplier/model"),
    )
    parser.add_argument(
        "--agent",
        choices=tuple(agent_names.ABOUT),
        help=_("how answers are made: {agents}").format(agents=_agents()),
    )
    parser.add_argument("-s", "--system", help=_("system prompt"))
    parser.add_argument(
        "-T",
        "--tool",
        action="append",
        default=[],
        metavar="TOOL",
        help=_(
            "use only this tool (repeatable); FILE.py: the tools in it; "
            "FILE.py:FUNCTION, MODULE:FUNCTION: this one; none: no tools"
        ),
    )
    parser.add_argument(
        "--no-stream",
        dest="stream",
        action="store_false",
        default=None,
        help=_("print only the complete answer"),
    )
    add_config(parser)


def _add_temporary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--temporary",
        action="store_true",
        help=_("store nothing: the conversation is gone when you quit"),
    )


def _add_which(parser: argparse.ArgumentParser, last: str, this: str) -> None:
    parser.add_argument(
        "-c",
        "--continue",
        dest="last",
        action="store_true",
        help=last,
    )
    parser.add_argument("--cid", metavar="ID", help=this)


def _tail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "cid",
        nargs="?",
        metavar="ID",
        help=_("conversation id or prefix (default: the last)"),
    )
    parser.add_argument(
        "--after",
        type=count,
        default=0,
        metavar="SEQ",
        help=_("print only later records"),
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON object a line"))
    parser.add_argument(
        "-f", "--follow", action="store_true", help=_("keep following until Ctrl+C")
    )


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Serves the app to browsers. Prints an address with a token that lets a "
        "browser in. Closing a page does not stop its answers."
    )
    parser.add_argument(
        "--port",
        type=count,
        default=8000,
        help=_("the port to listen on (default: 8000); 0: any free one"),
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help=_("the address to listen on (default: 127.0.0.1, this machine only)"),
    )
    parser.add_argument(
        "--pages",
        type=count,
        default=8,
        metavar="N",
        help=_("at most N pages at a time (default: 8)"),
    )
    _add_common(parser)


def _worker(parser: argparse.ArgumentParser) -> None:
    does = parser.add_mutually_exclusive_group()
    does.add_argument(
        "--detach",
        action="store_true",
        help=_("run in the background, in its own session"),
    )
    does.add_argument("--stop", action="store_true", help=_("stop the running worker"))
    does.add_argument(
        "--status", action="store_true", help=_("show whether one is running")
    )
    add_config(parser)


def _setup(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Finds models on this machine, or adds one from a service, and writes it "
        "into config.toml. In the app, /setup does the same."
    )
    add_config(parser)


def _pull(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Downloads a GGUF file from Hugging Face, or the hub that HF_ENDPOINT "
        "names, checks it, and adds it to config.toml. A stopped download "
        "continues. A key for private models is taken from HF_TOKEN."
    )
    parser.add_argument(
        "repo",
        metavar="HF_REPO[:QUANT]",
        help=_(
            "such as Qwen/Qwen3-4B-GGUF:Q4_K_M; default: the best small quantization"
        ),
    )
    parser.add_argument(
        "--to", metavar="FOLDER", help=_("download to FOLDER instead of lazychat's own")
    )
    add_config(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Checks the terminal, the files, the configuration, the models and the "
        "local build. Changes nothing. Exits with 1 if there is an error."
    )
    parser.add_argument("--json", action="store_true", help=_("as a JSON object"))
    add_config(parser)


def _tools(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Without an action, lists the tools: their policy (allow, ask or deny) "
        "and origin. `log` prints which were called, who allowed it and how it "
        "ended, the newest last. `revoke` takes back what is always allowed."
    )
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "log", "revoke")
    )
    parser.add_argument(
        "what",
        nargs="?",
        metavar="NAME[=PATTERN]",
        help=_("revoke: the permission to revoke; log: the tool whose calls to show"),
    )
    parser.add_argument(
        "--conversation",
        metavar="ID",
        help=_("log: only the calls of one conversation"),
    )
    parser.add_argument(
        "-n",
        "--limit",
        type=count,
        default=50,
        metavar="N",
        help=_("log: at most N calls; 0: all (default: 50)"),
    )
    add_json(parser)
    add_config(parser)


def _undo_write(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "Undoes a tool's write to a file, the newest first; a file that the tool "
        "created is deleted. A file changed since then is left alone."
    )
    parser.add_argument(
        "--list", dest="show", action="store_true", help=_("list what can be undone")
    )


def _mcp(parser: argparse.ArgumentParser) -> None:
    parser.description = _(
        "MCP servers give models tools; each is an `[mcp.NAME]` in config.toml."
    )
    add_config(parser)
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    act = acts.add_parser(
        "list", help=_("connect to all servers and show what they offer")
    )
    act.add_argument("--json", action="store_true", help=_("as a JSON array"))
    act = acts.add_parser("import", help=_("add the servers of another client's file"))
    act.add_argument(
        "file", metavar="FILE", help=_("JSON with mcpServers, or VS Code's mcp.json")
    )
    for name, help in (
        ("login", _("log in to a remote server")),
        ("logout", _("log out of a remote server")),
    ):
        act = acts.add_parser(name, help=help)
        act.add_argument("name", metavar="NAME", help=_("the NAME of [mcp.NAME]"))
    acts.add_parser(
        "serve", help=_("run as an MCP server: offer tools and conversations on stdio")
    )


COMMANDS: dict[str, tuple[str, Add]] = {
    "chat": (N_("open the chat screen"), _chat),
    "ask": (N_("print the answer to one question"), _ask),
    "setup": (N_("find or add a model"), _setup),
    "pull": (N_("download a GGUF file from Hugging Face"), _pull),
    "tail": (N_("print the records of a conversation"), _tail),
    "serve": (N_("open the app in a browser"), _serve),
    "worker": (N_("answer in the background, even after logout"), _worker),
    "tools": (N_("list tools and their calls, or revoke a permission"), _tools),
    "undo-write": (N_("undo a tool's write to a file"), _undo_write),
    "mcp": (N_("list or import MCP servers, or run as one"), _mcp),
    "doctor": (N_("check the environment, and say how to fix it"), _doctor),
    **conversation_options.COMMANDS,
}
"""The help and the options of each command, in the order of `--help`."""
