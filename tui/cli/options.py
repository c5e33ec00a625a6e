"""The options of each command.

Only the options of the given command are created: creating all of them would take
longer than anything else before the import of the screen.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from tui import agent_names
from tui.safe import decoded, safe

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Add = Callable[[argparse.ArgumentParser], None]

_PATHS = ("attach", "config", "file", "files", "output", "schema", "to", "tool")
"""Options that name files: the names may contain bytes that are not UTF-8."""
_ID = "the id of a conversation, or an unambiguous prefix of it"


class Parser(argparse.ArgumentParser):
    """Prints arguments without control characters.

    Arguments may be file names that a shell has put in place of a `*`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.color = False  # on by default in Python 3.14; `safe` would spoil it

    def error(self, message: str) -> NoReturn:
        """Report the problem with the arguments in one line, and exit."""
        super().error(safe(decoded(message), newlines=False))

    def _print_message(
        self, message: str, file: "SupportsWrite[str] | None" = None
    ) -> None:
        super()._print_message(safe(message), file or sys.stderr)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options in `arguments`; `command` is `chat` if none is given.

    Prints and exits if they are invalid or ask for help.
    """
    given = [*arguments]
    if given[:1] in (["-h"], ["--help"], ["--version"]):
        return _overview().parse_args(given)
    command = given.pop(0) if given and given[0] in COMMANDS else "chat"
    parser = Parser(prog=f"lazychat {command}")
    COMMANDS[command][1](parser)
    parser.set_defaults(command=command, version=False)
    options, rest = parser.parse_known_args(given)
    if rest:
        hint = '; to ask: lazychat ask "..."' if command == "chat" else ""
        parser.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
    model = getattr(options, "model", None)
    if model and model.endswith(".gguf") and decoded(model) != model:
        # The model's name is stored with each question.
        parser.error(
            f"-m {model}: this path is not UTF-8. Rename the file, or link to it under "
            f"another name: ln -s THE_FILE model.gguf"
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
        description="Chat with language models in the terminal.",
        epilog="The default command is chat. `lazychat COMMAND -h` shows its options.",
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (help, _) in COMMANDS.items():
        commands.add_parser(name, help=help)
    return parser


# -- commands that ask a model


def _chat(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    _add_attach(parser)
    _add_which(parser, "open")
    _add_temporary(parser)
    parser.add_argument(
        "--plain",
        action="store_true",
        default=None,
        help="labelled lines in place of a screen, for screen readers, dumb terminals "
        "and pipes",
    )
    parser.add_argument(
        "--color", action="store_true", help="with --plain: labels are bold"
    )


def _ask(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    _add_attach(parser, "; -: standard input")
    parser.add_argument(
        "prompt",
        nargs="*",
        help="the question; standard input is appended if it is not a terminal",
    )
    _add_which(parser, "continue")
    _add_temporary(parser)
    flags = {
        "--allow": "run this tool's calls without asking; in PATTERN, * is any plain "
        "text (repeatable)",
        "--deny": "refuse this tool's calls; wins over all else (repeatable)",
    }
    for flag, help in flags.items():
        parser.add_argument(
            flag, action="append", default=[], metavar="NAME[=PATTERN]", help=help
        )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--schema",
        metavar="FILE",
        help="answer with JSON that fits this JSON Schema, else exit with 1; only the "
        "tools of -T are offered",
    )
    form.add_argument(
        "--json",
        action="store_true",
        help="print the records of the turn, one JSON object a line",
    )


def _add_attach(parser: argparse.ArgumentParser, more: str = "") -> None:
    parser.add_argument(
        "-a",
        "--attach",
        action="append",
        default=[],
        metavar="FILE",
        help="attach a text file, a picture or a PDF (repeatable); FILE:10-40: these "
        f"lines of it{more}",
    )


def _agents() -> str:
    """Return the agents for a help text."""
    return "; ".join(f"{name}: {about}" for name, about in agent_names.ABOUT.items())


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m",
        "--model",
        help="a model name from config.toml, a .gguf file, or supplier/model",
    )
    parser.add_argument(
        "--agent",
        choices=tuple(agent_names.ABOUT),
        help=f"how answers are made: {_agents()}",
    )
    parser.add_argument("-s", "--system", help="system prompt")
    parser.add_argument(
        "-T",
        "--tool",
        action="append",
        default=[],
        metavar="TOOL",
        help="use only this tool (repeatable); FILE.py: the tools in it; "
        "FILE.py:FUNCTION, MODULE:FUNCTION: this one; none: no tools",
    )
    parser.add_argument(
        "--no-stream",
        dest="stream",
        action="store_false",
        default=None,
        help="print only the complete answer",
    )
    _add_config(parser)


def _add_temporary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--temporary",
        action="store_true",
        help="store nothing: what is said is gone at the end",
    )


def _add_which(parser: argparse.ArgumentParser, act: str) -> None:
    parser.add_argument(
        "-c",
        "--continue",
        dest="last",
        action="store_true",
        help=f"{act} the last conversation",
    )
    parser.add_argument("--cid", metavar="ID", help=f"{act} this conversation")


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="use this file instead of the user's config.toml",
    )


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Serves the app to browsers: prints an address with a token, which lets the "
        "browser that opens it in. Answers continue when a page is closed."
    )
    parser.add_argument(
        "--port",
        type=_count,
        default=8000,
        help="the port to listen on (default: 8000); 0: any free one",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: 127.0.0.1, this machine only)",
    )
    parser.add_argument(
        "--pages",
        type=_count,
        default=8,
        metavar="N",
        help="at most N pages at a time (default: 8)",
    )
    _add_common(parser)


def _worker(parser: argparse.ArgumentParser) -> None:
    does = parser.add_mutually_exclusive_group()
    does.add_argument(
        "--detach",
        action="store_true",
        help="run in the background, in its own session",
    )
    does.add_argument("--stop", action="store_true", help="stop the running worker")
    does.add_argument(
        "--status", action="store_true", help="show whether one is running"
    )
    _add_config(parser)


def _setup(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds models on this machine, or adds one of a service, and writes it into "
        "config.toml. The app has the same as /setup."
    )
    _add_config(parser)


def _pull(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Downloads a GGUF file from Hugging Face, or the hub that HF_ENDPOINT names, "
        "checks it, and adds it to config.toml. A stopped download continues. A key "
        "for private models is taken from HF_TOKEN."
    )
    parser.add_argument(
        "repo",
        metavar="HF_REPO[:QUANT]",
        help="such as Qwen/Qwen3-4B-GGUF:Q4_K_M; default: the best small quantization",
    )
    parser.add_argument(
        "--to", metavar="FOLDER", help="download to FOLDER instead of lazychat's own"
    )
    _add_config(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Checks the terminal, the files, the configuration, the models and the local "
        "build. Changes nothing. Exits with 1 if there is an error."
    )
    parser.add_argument("--json", action="store_true", help="as a JSON object")
    _add_config(parser)


def _tools(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Without an action, lists the tools: their policy (allow, ask or deny) and "
        "origin. `log` prints which were called, who allowed it and how it ended, the "
        "newest last. `revoke` takes back what is always allowed."
    )
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "log", "revoke")
    )
    parser.add_argument(
        "what", nargs="?", metavar="NAME[=PATTERN]", help="what to revoke"
    )
    parser.add_argument(
        "--conversation", metavar="ID", help="log: only the calls of one conversation"
    )
    parser.add_argument(
        "-n",
        "--limit",
        type=_count,
        default=50,
        metavar="N",
        help="log: at most N calls; 0: all (default: 50)",
    )
    _add_json(parser)
    _add_config(parser)


def _undo_write(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Puts back what was in a file before a tool wrote it, the newest write first; "
        "a file that the tool made is removed. A file that was changed since is left "
        "as it is."
    )
    parser.add_argument(
        "--list", dest="show", action="store_true", help="list what can be undone"
    )


def _mcp(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "MCP servers give models tools; `[mcp.NAME]` in config.toml names one."
    )
    _add_config(parser)
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    act = acts.add_parser("list", help="connect to all servers, show what they offer")
    act.add_argument("--json", action="store_true", help="as a JSON array")
    act = acts.add_parser("import", help="add the servers of another client's file")
    act.add_argument(
        "file", metavar="FILE", help="JSON with mcpServers, or VS Code's mcp.json"
    )
    for name, help in (("login", "log in to"), ("logout", "forget the login of")):
        act = acts.add_parser(name, help=f"{help} a server on the internet")
        act.add_argument("name", metavar="NAME", help="the NAME of [mcp.NAME]")
    acts.add_parser(
        "serve", help="be an MCP server: offer tools and conversations on stdio"
    )


# -- commands for conversations


def _tail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "cid",
        nargs="?",
        metavar="ID",
        help="conversation id or prefix (default: the last)",
    )
    parser.add_argument(
        "--after",
        type=_count,
        default=0,
        metavar="SEQ",
        help="print only later records",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="keep following until Ctrl+C"
    )


def _list(parser: argparse.ArgumentParser) -> None:
    _add_limit(parser)
    parser.add_argument(
        "--deleted",
        action="store_true",
        help="list deleted conversations that `undelete` can restore",
    )
    _add_json(parser)


def _search(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds messages that contain all WORDS, newest first. "
        '"Quote" a phrase; code matches as typed or by parts of names. The last word '
        "may be a prefix. Exits with 1 if there are none."
    )
    parser.add_argument("words", nargs="+", metavar="WORDS")
    _add_limit(parser)
    _add_json(parser)


def _cost(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints the tokens that conversations have used, by model, and what they cost: "
        "by the server, or by the prices in config.toml."
    )
    parser.add_argument(
        "id", nargs="?", default="", metavar="ID", help=f"{_ID} (default: all)"
    )
    parser.add_argument(
        "--days", type=_count, default=0, metavar="N", help="only the last N days"
    )
    _add_json(parser)
    _add_config(parser)


def _rename(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_ID)
    parser.add_argument("title", nargs="+", metavar="TITLE")


def _fork(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Copies a conversation into a new one, which goes its own way, and prints the "
        "id of the copy. An answer in progress is left out."
    )
    parser.add_argument("id", metavar="ID", help=_ID)
    parser.add_argument(
        "title", nargs="*", metavar="TITLE", help="default: the title with (fork)"
    )


def _pin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_ID)
    parser.add_argument("--off", action="store_true", help="unpin")


def _delete(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID", help=_ID)
    parser.add_argument(
        "-y", "--yes", action="store_true", help="do not ask for confirmation"
    )


def _undelete(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Restores a conversation that was deleted in the app within the last week. "
        "`lazychat delete` is permanent."
    )
    parser.add_argument(
        "id", nargs="?", default="", metavar="ID", help=f"{_ID} (default: the last)"
    )


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help=_ID)
    parser.add_argument("--all", action="store_true", help="all conversations")
    parser.add_argument(
        "--format",
        choices=("md", "json"),
        help="default: from FILE's extension, else md",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to FILE instead of standard output",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite an existing FILE"
    )


def _import(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Imports conversations from `export --format json` and prints their ids. "
        "Existing conversations are never overwritten: they are imported as copies."
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="- means standard input"
    )


def _backup(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Copies the whole conversation store to FILE while it is in use. To restore "
        "it, quit lazychat, copy FILE over the store, and start lazychat."
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--force", action="store_true", help="overwrite an existing FILE"
    )


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        dest="limit",
        type=_count,
        default=50,
        metavar="N",
        help="at most N; 0: all",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as a JSON array")


def _count(text: str) -> int:
    """Return an option's number: 0 or more."""
    # Not int: it takes "1_0" and digits of any script, and its limit is 4,300 digits.
    if not re.fullmatch(r"[0-9]{1,18}", text):
        wrong = f'"{text[:40]}" is not a whole number, 0 or more'
        raise argparse.ArgumentTypeError(wrong)
    return int(text)


COMMANDS: dict[str, tuple[str, Add]] = {
    "chat": ("open the chat screen", _chat),
    "ask": ("print the answer to one question", _ask),
    "setup": ("find or add a model", _setup),
    "pull": ("download a GGUF file from Hugging Face", _pull),
    "tail": ("print the records of a conversation", _tail),
    "serve": ("open the app in a browser", _serve),
    "worker": ("answer in the background, even after logout", _worker),
    "tools": ("list tools and their calls, or revoke a permission", _tools),
    "undo-write": ("undo what a tool wrote into a file", _undo_write),
    "mcp": ("list, import or be a server of tools (MCP)", _mcp),
    "doctor": ("check the environment, and say how to fix it", _doctor),
    "list": ("list conversations, last used first", _list),
    "search": ("search the messages of all conversations", _search),
    "cost": ("show tokens and cost by model", _cost),
    "rename": ("rename a conversation", _rename),
    "fork": ("copy a conversation into a new one", _fork),
    "pin": ("pin a conversation to the top of lists", _pin),
    "delete": ("delete conversations permanently", _delete),
    "undelete": ("restore a conversation that was deleted in the app", _undelete),
    "export": ("write conversations to a file", _export),
    "import": ("import exported JSON", _import),
    "backup": ("copy the whole store to a file, even while in use", _backup),
}
"""The help and the options of each command, in the order of `--help`."""
