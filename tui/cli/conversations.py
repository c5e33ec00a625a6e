"""What is done with conversations that are there.

The commands themselves stand in modules of their own, which are imported when they
are run.
"""

import argparse
import io
import os
import sys

from tui.cli import streams
from tui.cli.codes import FAILED

COMMANDS = (
    "list",
    "search",
    "rename",
    "pin",
    "delete",
    "undelete",
    "export",
    "import",
    "backup",
)

_READS = ("list", "search", "export")
"""The commands that a store which cannot be written is good enough for."""


def run(options: argparse.Namespace) -> int:
    """Run one of `COMMANDS`; return the exit code."""
    out: object = sys.stdout
    if isinstance(out, io.TextIOWrapper) and not isinstance(out, streams.Clean):
        # A pipe or a file gets what was said, whatever the terminal could show.
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] # TextIO does not have it
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
    if options.command == "backup":
        from tui.cli.backup import backup

        return backup(file, options.file, options.force)
    opened = open_to_read(file, streams.talk) if reads else EventLog(file)
    with opened as log, streams.unreadable_told(log):
        match options.command:
            case "list":
                from tui.cli.list import show_deleted, show_list

                if options.deleted:
                    return show_deleted(log, options.json)
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
            case "undelete":
                from tui.cli.change import undelete

                return undelete(log, options.id)
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
