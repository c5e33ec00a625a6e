"""The options of each command.

Only the options of the command that is given are made: to make them all takes longer
than anything else that happens before the screen is imported.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from tui.safe import decoded, safe

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Add = Callable[[argparse.ArgumentParser], None]

_PATHS = ("config", "files", "output", "tool")
"""The options that name files: bytes that are no UTF-8 may be in their names."""
_ID = "the id of a conversation, or as much of its beginning as no other has"


class Parser(argparse.ArgumentParser):
    """Quotes arguments with nothing in them that acts on a terminal.

    They may be names of files, which a shell has put in the place of a `*`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.color = False  # Python 3.14 has it on; what we print is made safe

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong with the arguments, and exit."""
        super().error(safe(decoded(message), newlines=False))

    def _print_message(
        self, message: str, file: "SupportsWrite[str] | None" = None
    ) -> None:
        super()._print_message(safe(message), file or sys.stderr)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options in `arguments`, `command` among them: `chat` if none is given.

    Prints and exits when they are wrong or ask for help.
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
        # Which model is asked is stored with each question.
        parser.error(
            f"-m {model}: this path is not UTF-8. Rename the file, or make a link of "
            f"another name to it: ln -s THE_FILE model.gguf"
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
        epilog="Without a command: chat. `lazychat COMMAND -h` tells its options.",
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (help, _) in COMMANDS.items():
        commands.add_parser(name, help=help)
    return parser


# -- what asks a model


def _chat(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    _add_which(parser, "open")


def _ask(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument(
        "prompt",
        nargs="*",
        help="the question; standard input, when it is not a terminal, is added to it",
    )
    _add_which(parser, "go on with")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m",
        "--model",
        help="a name of the configuration, a .gguf file, or supplier/model",
    )
    parser.add_argument("-s", "--system", help="instructions for the model")
    parser.add_argument(
        "-T",
        "--tool",
        action="append",
        default=[],
        metavar="TOOL",
        help="switch on this tool and no others; a .py file stands "
        "for the tools in it, `none` for no tool; may be repeated",
    )
    parser.add_argument(
        "--no-stream",
        dest="stream",
        action="store_false",
        default=None,
        help="show an answer when it is whole",
    )
    _add_config(parser)


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
        "--config", metavar="FILE", help="instead of the user's config.toml"
    )


def _worker(parser: argparse.ArgumentParser) -> None:
    does = parser.add_mutually_exclusive_group()
    does.add_argument(
        "--detach",
        action="store_true",
        help="run in the background, in its own session",
    )
    does.add_argument("--stop", action="store_true", help="end the one that runs")
    does.add_argument("--status", action="store_true", help="tell whether one runs")
    _add_config(parser)


# -- what is done with conversations


def _tail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "cid", nargs="?", metavar="ID", help="its id or the beginning of it; else: last"
    )
    parser.add_argument(
        "--after",
        type=_count,
        default=0,
        metavar="SEQ",
        help="only what comes after this record",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with what comes, to Ctrl+C"
    )


def _list(parser: argparse.ArgumentParser) -> None:
    _add_limit(parser)
    parser.add_argument(
        "--deleted",
        action="store_true",
        help="those deleted in the app that `undelete` brings back",
    )
    _add_json(parser)


def _search(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds messages that have all WORDS, the newest first: "
        '"in quotes" side by side, code as it is typed or by the parts of names. The '
        "last word may be the beginning of one. Exits with 1 when there is none."
    )
    parser.add_argument("words", nargs="+", metavar="WORDS")
    _add_limit(parser)
    _add_json(parser)


def _rename(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_ID)
    parser.add_argument("title", nargs="+", metavar="TITLE")


def _pin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_ID)
    parser.add_argument("--off", action="store_true", help="no longer")


def _delete(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID", help=_ID)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask first")


def _undelete(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Brings back what was deleted in the app, within a week; what `lazychat "
        "delete` has deleted is gone."
    )
    parser.add_argument(
        "id", nargs="?", default="", metavar="ID", help=f"{_ID}; else: the last"
    )


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help=_ID)
    parser.add_argument("--all", action="store_true", help="all conversations")
    parser.add_argument(
        "--format",
        choices=("md", "json"),
        help="md to be read, json to be imported; else as FILE ends, else md",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="instead of standard output"
    )
    parser.add_argument(
        "--force", action="store_true", help="write over a FILE that is there"
    )


def _import(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Takes in what `export --format json` has written and prints the "
        "ids. What is there already is never written over: it comes in as a copy."
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="- stands for standard input"
    )


def _backup(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Copies the whole store of conversations to FILE while it is used. To have it "
        "back: end lazychat, copy FILE to where the store is, start lazychat."
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--force", action="store_true", help="write over a FILE that is there"
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
    """Return the number that an option is given: 0 or more."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("it must be 0 or more")
    return number


COMMANDS: dict[str, tuple[str, Add]] = {
    "chat": ("open the chat screen", _chat),
    "ask": ("print the answer to one question", _ask),
    "tail": ("print the records of a conversation", _tail),
    "worker": ("answer apart from any terminal, also after logout", _worker),
    "list": ("list conversations, the last used first", _list),
    "search": ("find messages in all conversations, the newest first", _search),
    "rename": ("give a conversation another title", _rename),
    "pin": ("keep a conversation at the top of lists", _pin),
    "delete": ("delete conversations: not a trace is left in the store", _delete),
    "undelete": ("bring back a conversation that was deleted in the app", _undelete),
    "export": ("write conversations to a file", _export),
    "import": ("take in what `export --format json` has written", _import),
    "backup": ("copy the whole store to a file, while it is used", _backup),
}
"""What each command is for, and what adds its options, in the order of the help."""
