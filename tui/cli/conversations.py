"""What is done with conversations that are there: their commands' options.

The commands themselves stand in modules of their own, which are imported when they
are run: `--help` loads nothing.
"""

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING

from tui.cli import streams
from tui.cli.codes import FAILED

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage] # it has no public name

COMMANDS = ("list", "search", "rename", "pin", "delete", "export", "import")

_READS = ("list", "search", "export")
"""The commands that a store which cannot be written is good enough for."""

_ID = "the id of a conversation, or as much of its beginning as no other has"


def add_to(commands: "Commands") -> None:
    """Add the options of all `COMMANDS`."""
    listed = commands.add_parser("list", help="list conversations, the last used first")
    _add_limit(listed)
    _add_json(listed)

    search = commands.add_parser(
        "search",
        help="find messages in all conversations, the newest first",
        description="Finds messages that have all WORDS, the newest first: "
        '"in quotes" side by side, code as it is typed or by the parts of names. The '
        "last word may be the beginning of one. Exits with 1 when there is none.",
    )
    search.add_argument("words", nargs="+", metavar="WORDS")
    _add_limit(search)
    _add_json(search)

    rename = commands.add_parser("rename", help="give a conversation another title")
    rename.add_argument("id", metavar="ID", help=_ID)
    rename.add_argument("title", nargs="+", metavar="TITLE")

    pin = commands.add_parser("pin", help="keep a conversation at the top of lists")
    pin.add_argument("id", metavar="ID", help=_ID)
    pin.add_argument("--off", action="store_true", help="no longer")

    delete = commands.add_parser(
        "delete", help="delete conversations: not a trace is left in the store"
    )
    delete.add_argument("ids", nargs="+", metavar="ID", help=_ID)
    delete.add_argument("-y", "--yes", action="store_true", help="do not ask first")

    export = commands.add_parser("export", help="write conversations to a file")
    export.add_argument("ids", nargs="*", metavar="ID", help=_ID)
    export.add_argument("--all", action="store_true", help="all conversations")
    export.add_argument(
        "--format",
        choices=("md", "json"),
        help="md to be read, json to be imported; else as FILE ends, else md",
    )
    export.add_argument(
        "-o", "--output", metavar="FILE", help="instead of standard output"
    )
    export.add_argument(
        "--force", action="store_true", help="write over a FILE that is there"
    )

    taken = commands.add_parser(
        "import",
        help="take in what `export --format json` has written",
        description="Takes in what `export --format json` has written and prints the "
        "ids. What is there already is never written over: it comes in as a copy.",
    )
    taken.add_argument(
        "files", nargs="+", metavar="FILE", help="- stands for standard input"
    )


def count(text: str) -> int:
    """Return the number that an option is given: 0 or more."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("it must be 0 or more")
    return number


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        dest="limit",
        type=count,
        default=50,
        metavar="N",
        help="at most N; 0: all",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as a JSON array")


def run(options: argparse.Namespace) -> int:
    """Run one of `COMMANDS`; return the exit code."""
    out: object = sys.stdout
    if isinstance(out, io.TextIOWrapper):
        # What the user's terminal cannot show must not end a list; a pipe or a file
        # gets what was said.
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="replace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] # TextIO does not have it
    try:
        code = _run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader has gone (`| head`)
        # Python flushes what is left at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(options: argparse.Namespace) -> int:
    from tui import paths
    from tui.eventlog import EventLog, open_to_read

    reads = options.command in _READS
    file = paths.log_file()
    with open_to_read(file, streams.talk) if reads else EventLog(file) as log:
        match options.command:
            case "list":
                from tui.cli.list import show_list

                return show_list(log, options.limit, options.json)
            case "search":
                from tui.cli.search import show_hits

                words = " ".join(options.words)
                return show_hits(log, words, options.limit, options.json)
            case "rename":
                from tui.cli.change import rename

                return rename(log, options.id, " ".join(options.title))
            case "pin":
                from tui.cli.change import pin

                return pin(log, options.id, not options.off)
            case "delete":
                from tui.cli.change import delete

                return delete(log, options.ids, options.yes)
            case "export":
                from tui.cli.export import export

                return export(
                    log,
                    options.ids,
                    options.all,
                    options.format,
                    options.output,
                    options.force,
                )
            case _:
                from tui.cli.export import take_in

                return take_in(log, options.files)
