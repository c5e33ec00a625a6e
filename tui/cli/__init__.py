"""The command line. stdout is the answer, stderr is talk.

Each command that does more than hand on its options has a module here.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli import conversations, streams
from tui.cli.codes import CANCELLED, DONE, FAILED, USED_WRONGLY
from tui.errors import ConfigError, LazychatError
from tui.safe import safe

if TYPE_CHECKING:
    from tui.config import Config

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage] # argparse has no public name of it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run lazychat with `arguments` (None: those of the process); return the code."""
    streams.fill()
    options = _options(_with_command(arguments))
    if options.version:
        print(_version())
        return DONE
    _log_to_file()
    try:
        match options.command:
            case "ask":
                return _ask(options)
            case "worker":
                return _worker(options)
            case "tail":
                return _tail(options)
            case command if command in conversations.COMMANDS:
                return conversations.run(options)
            case _:
                return _chat(options)
    except LazychatError as error:
        print(f"lazychat: {safe(str(error), newlines=False)}", file=sys.stderr)
        return USED_WRONGLY if isinstance(error, ConfigError) else FAILED
    except KeyboardInterrupt:
        return CANCELLED


COMMANDS = ("chat", "ask", "tail", "worker", *conversations.COMMANDS)


def _with_command(arguments: Sequence[str] | None) -> list[str]:
    """Put `chat` before arguments that name no command."""
    # `list` is a module here as soon as somebody has imported it.
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    if given[:1] in (["-h"], ["--help"], ["--version"]):
        return given
    return given if given[:1] and given[0] in COMMANDS else ["chat", *given]


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest:
        hint = "" if options.command == "ask" else '; to ask: lazychat ask "..."'
        parser.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lazychat",
        description="Chat with language models in the terminal.",
        epilog="Without a command: chat. `lazychat COMMAND -h` tells its options.",
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "-m",
        "--model",
        help="a name of the configuration, a .gguf file, or supplier/model",
    )
    common.add_argument("-s", "--system", help="instructions for the model")
    common.add_argument(
        "-T",
        "--tool",
        action="append",
        default=[],
        metavar="TOOL",
        help="switch on this tool and no others; a .py file stands "
        "for the tools in it, `none` for no tool; may be repeated",
    )
    common.add_argument(
        "--no-stream",
        dest="stream",
        action="store_false",
        default=None,
        help="show an answer when it is whole",
    )
    common.add_argument(
        "--config", metavar="FILE", help="instead of the user's config.toml"
    )

    chat = commands.add_parser("chat", parents=[common], help="open the chat screen")
    chat.add_argument(
        "-c",
        "--continue",
        dest="last",
        action="store_true",
        help="open the last conversation",
    )
    chat.add_argument("--cid", metavar="ID", help="open this conversation")

    ask = commands.add_parser(
        "ask", parents=[common], help="print the answer to one question"
    )
    ask.add_argument(
        "prompt",
        nargs="*",
        help="the question; standard input, when it is not a terminal, is added to it",
    )
    ask.add_argument(
        "-c",
        "--continue",
        dest="last",
        action="store_true",
        help="go on with the last conversation",
    )
    ask.add_argument("--cid", metavar="ID", help="go on with this conversation")
    _add_tail(commands)
    _add_worker(commands)
    conversations.add_to(commands)
    return parser


def _add_tail(commands: "Commands") -> None:
    tail = commands.add_parser("tail", help="print the records of a conversation")
    tail.add_argument(
        "cid", nargs="?", metavar="ID", help="its id or the beginning of it; else: last"
    )
    tail.add_argument(
        "--after",
        type=conversations.count,
        default=0,
        metavar="SEQ",
        help="only what comes after this record",
    )
    tail.add_argument("--json", action="store_true", help="one JSON object a line")
    tail.add_argument(
        "-f", "--follow", action="store_true", help="go on with what comes, to Ctrl+C"
    )


def _add_worker(commands: "Commands") -> None:
    worker = commands.add_parser(
        "worker", help="answer apart from any terminal, also after logout"
    )
    does = worker.add_mutually_exclusive_group()
    does.add_argument(
        "--detach",
        action="store_true",
        help="run in the background, in its own session",
    )
    does.add_argument("--stop", action="store_true", help="end the one that runs")
    does.add_argument("--status", action="store_true", help="tell whether one runs")
    worker.add_argument(
        "--config", metavar="FILE", help="instead of the user's config.toml"
    )


def _settings(options: argparse.Namespace) -> "Config":
    from tui import config

    path = Path(options.config) if options.config else None
    if path and not path.exists():
        raise ConfigError(f"{path}: there is no such file.")
    return _with_flags(config.load(path), options)


def _with_flags(settings: "Config", options: argparse.Namespace) -> "Config":
    import msgspec

    changes = {
        name: value
        for name in ("model", "system", "stream")
        if (value := getattr(options, name, None)) is not None
    }
    return msgspec.structs.replace(settings, **changes)


def _ask(options: argparse.Namespace) -> int:
    from tui.cli.ask import ask

    prompt = " ".join(options.prompt)
    if not sys.stdin.isatty():
        piped = _piped()
        prompt = f"{prompt}\n\n{piped}" if prompt and piped.strip() else prompt or piped
    if not prompt.strip():
        raise ConfigError('ask needs a question: lazychat ask "..."')
    return ask(_settings(options), prompt, options.tool, options.cid, options.last)


def _piped() -> str:
    """Return what is on stdin; a file, so UTF-8 whatever the terminal's encoding."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"standard input is not UTF-8 text (byte {error.start + 1}): convert it "
            "first, with iconv or a program that knows its format."
        ) from error


def _chat(options: argparse.Namespace) -> int:
    from tui.cli.chat import chat
    from tui.config import Config

    problems: list[str] = []
    try:
        settings = _settings(options)
    except ConfigError as error:
        # The screen opens all the same: that is where it is read.
        problems.append(f"{error} Until it is mended the defaults are used.")
        settings = _with_flags(Config(), options)
    return chat(settings, problems, options.tool, options.cid, options.last)


def _worker(options: argparse.Namespace) -> int:
    from tui.cli import worker

    if options.stop:
        return worker.stop()
    if options.status:
        return worker.status()
    return worker.serve(_settings(options), detach=options.detach)


def _tail(options: argparse.Namespace) -> int:
    from tui.cli.tail import tail

    return tail(options.cid, options.after, options.json, options.follow)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 30 ms

    try:
        return f"lazychat {version('lazychat')}"
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "lazychat (source)"


def _log_to_file() -> None:
    """Keep faults in a file: on the terminal they would be drawn over the screen."""
    import logging

    from tui import paths

    file = paths.state_file().with_name("lazychat.log")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(file, delay=True)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logging.getLogger("tui").addHandler(handler)
    logging.getLogger("tui").propagate = False
