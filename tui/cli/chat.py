"""`lazychat`: opens the chat screen."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tui import conversation
from tui.cli import streams
from tui.config import Config
from tui.conversation import approvals
from tui.errors import ConfigError, LazychatError
from tui.eventlog import EventLog
from tui.i18n import _
from tui.messages import Attachment
from tui.runtime import guard, tty
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend
from tui.runtime.served import Served


def chat(
    settings: Config,
    problems: Sequence[str],
    tools: Sequence[str] = (),
    cid: str | None = None,
    last: bool = False,
    config_file: Path | None = None,
    *,
    files: Sequence[Attachment] = (),
    anew: bool = False,
    temporary: bool = False,
) -> int:
    """Open the screen on a conversation and return the exit code.

    `cid` is the start of a conversation's id, `last` means the newest one. Without them
    a new conversation is opened, unless the newest has a running turn or an unseen
    answer; with `anew` it is a new one even then. `problems` are shown on the screen.
    `config_file` is where `settings` come from, None for the user's config.toml.
    `files` are attached to the next message. With `temporary`, nothing is stored.
    """
    _require_terminal()
    # Recognise a lone Esc after 25 ms, not 100. Textual reads this on import.
    os.environ.setdefault("ESCDELAY", "25")
    from tui.app.app import run_app

    host = Host(settings, problems, config_file=config_file, temporary=temporary)
    try:
        try:
            host.models.find(host.model)
        except LazychatError as error:
            host.problems.append(str(error))
        id, is_new = choose_conversation(host.log, cid, last, anew)
        if guarded := guard.current():
            guarded.keep(host.keeps)
        host.make_titles()
        host.start()
        backend = LocalBackend(host)
        try:
            left = run_app(backend, id, tools, is_new=is_new, files=files)
        finally:
            backend.close()
            if guarded := guard.current():
                guarded.dismiss()
        if left.fault:
            streams.talk(left.fault)
        if left.goes_on:
            finish_turns(host, hung_up=left.how == "hung up")
        return left.code
    finally:
        host.close()
        with suppress(OSError):  # the terminal may be gone
            for words in host.last_words:
                streams.talk(words)


def show_served(
    settings: Config, problems: Sequence[str], served: Served, cid: str
) -> int:
    """Open the screen on a conversation that another process serves.

    Runs no turns, and ends with its terminal, which the serving process holds.
    """
    os.environ.setdefault("ESCDELAY", "25")
    from tui.app.app import run_app
    from tui.runtime.follower_backend import KEYS, FollowerBackend

    settings = msgspec.structs.replace(settings, keys={**KEYS, **settings.keys})
    host = Host(settings, problems)
    try:
        if not host.keeps:
            raise LazychatError(host.problems[0])
        if guarded := guard.current():
            guarded.keep(host.keeps)
        backend = FollowerBackend(host, served)
        is_new = conversation.get(host.log, cid) is None
        try:
            left = run_app(backend, cid, is_new=is_new)
        finally:
            backend.close()
            if guarded := guard.current():
                guarded.dismiss()
        if left.fault:
            streams.talk(left.fault)
        return left.code
    finally:
        host.close()


def finish_turns(host: Host, *, hung_up: bool) -> None:
    """Run the turns of this process to their end, without a screen."""
    from tui.cli import background

    if not host.keeps:
        return  # the answer could never be read
    with background.ended_by_signal():
        if hung_up:
            background.let_go()
        else:
            print(
                _(
                    "The answer continues in the background (process {pid}); run "
                    "`lazychat` to see it."
                ).format(pid=os.getpid()),
                file=sys.stderr,
            )
            background.hand_back()
        host.runner.finish()


def _require_terminal() -> None:
    # Keys come from stdin; the screen is drawn on a terminal among the three.
    if not sys.stdin.isatty() or tty.screen() is None:
        raise ConfigError(
            _(
                "The chat screen needs a terminal. In a script or a pipe, use "
                'lazychat ask "..." or lazychat --plain.'
            )
        )


def choose_conversation(
    log: EventLog, cid: str | None, last: bool, anew: bool = False
) -> tuple[str, bool]:
    """Return the id of the conversation to show, and whether it is new."""
    if cid:
        return conversation.find(log, cid), False
    newest = conversation.newest(log)
    if newest and (last or (not anew and _calls_back(log, newest.id))):
        return newest.id, False
    return conversation.new_id(), True


def _calls_back(log: EventLog, id: str) -> bool:
    """Return whether an answer is running there, has ended unseen, or needs you."""
    if conversation.running(log, id) or conversation.is_unseen(log, id):
        return True
    return bool(approvals.of(log, id).questions)
