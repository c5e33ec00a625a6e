"""Dispatches the commands that work on stored conversations.

The commands are in modules of their own, which are imported when needed.
"""

import argparse
import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.cli import streams
from tui.cli.codes import FAILED

if TYPE_CHECKING:
    from tui.eventlog import EventLog


def run(options: argparse.Namespace) -> int:
    """Run one of `COMMANDS`; return the exit code."""
    out: object = sys.stdout
    if isinstance(out, io.TextIOWrapper) and not isinstance(out, streams.Clean):
        # A pipe or a file gets the whole text, whatever the terminal could show.
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] # TextIO does not have it
    try:
        code = _run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader has closed the pipe (`| head`)
        streams.leave_stdout()
        return FAILED


def _run(options: argparse.Namespace) -> int:
    from tui import paths
    from tui.eventlog import EventLog, open_to_read

    if run := _UNOPENED.get(options.command):
        return run(options)
    reads = options.command in _READING
    file = paths.log_file()
    opened = open_to_read(file, streams.talk) if reads else EventLog(file)
    with opened as log, streams.unreadable_reported(log):
        return (_READING | _WRITING)[options.command](log, options)


def _list(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.list import show_deleted, show_list

    if options.deleted:
        return show_deleted(log, options.json)
    return show_list(log, options.limit, options.json)


def _cost(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.cost import show_cost

    return show_cost(log, options.id, options.days, options.json, options.config)


def _search(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.search import show_hits

    return show_hits(log, " ".join(options.words), options.limit, options.json)


def _rename(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.change import rename

    return rename(log, options.id, " ".join(options.title))


def _fork(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.change import fork

    return fork(log, options.id, " ".join(options.title))


def _pin(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.change import pin

    return pin(log, options.id, not options.off)


def _delete(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.change import delete

    return delete(log, options.ids, options.yes)


def _undelete(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.change import undelete

    return undelete(log, options.id)


def _export(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.export import export

    return export(
        log,
        options.ids,
        options.all,
        options.format,
        options.output,
        options.force,
    )


def _import(log: "EventLog", options: argparse.Namespace) -> int:
    from tui.cli.export import take_in

    return take_in(log, options.files)


def _backup(options: argparse.Namespace) -> int:
    from tui import paths
    from tui.cli.backup import backup

    return backup(paths.log_file(), options.file, options.force)


_Run = Callable[["EventLog", argparse.Namespace], int]

_READING: dict[str, _Run] = {
    "list": _list,
    "search": _search,
    "cost": _cost,
    "export": _export,
}
"""The commands that need only a readable store."""

_WRITING: dict[str, _Run] = {
    "rename": _rename,
    "fork": _fork,
    "pin": _pin,
    "delete": _delete,
    "undelete": _undelete,
    "import": _import,
}

_UNOPENED = {"backup": _backup}
"""The commands that open the store themselves."""

COMMANDS = (*_READING, *_WRITING, *_UNOPENED)
