"""Plain mode: the chat without a screen, for screen readers and dumb terminals.

The same conversations, models and tools as in the app, as lines that are only ever
appended, each with a label that says whose it is. It also works over a pipe.
"""

import gc
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tui.cli import streams
from tui.cli.chat import choose_conversation, finish_turns
from tui.cli.plain import commands
from tui.cli.plain.console import Console
from tui.cli.plain.narrator import NOTE
from tui.cli.plain.repl import Left, Repl
from tui.config import Config
from tui.errors import LazychatError
from tui.i18n import _
from tui.messages import Attachment
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend


def plain(
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
    color: bool = False,
    hint: str = "",
) -> int:
    """Talk on the standard streams, and return the exit code.

    For the other arguments see `tui.cli.chat.chat`. `color` makes labels bold; `hint`
    is printed first.
    """
    gc.enable()
    host = Host(settings, problems, config_file=config_file, temporary=temporary)
    try:
        id, is_new = choose_conversation(host.log, cid, last, anew)
        backend = LocalBackend(host)
        try:
            with Console(color=color) as console:
                with console.busy():  # the user's tools may print
                    host.load_tools(tools)
                host.start()
                host.mcp.start()
                _greet(console, host, backend, hint, id)
                repl = Repl(host, backend, console, commands.run, files)
                console.complete(commands.matching)
                repl.choose_model(host.model, quiet=True)
                left = repl.run(id, is_new=is_new)
        except BrokenPipeError:  # the reader has closed the pipe (`| head`)
            left = Left(1)
        finally:
            backend.close()
        if left.how:
            finish_turns(host, hung_up=left.how == "hung up")
        return left.code
    finally:
        host.close()
        with suppress(OSError):  # the terminal may be gone
            for words in host.last_words:
                streams.talk(words)


def _greet(
    console: Console, host: Host, backend: LocalBackend, hint: str, id: str
) -> None:
    """Tell what this is, and where there is news."""
    if hint:
        console.say(NOTE, hint)
    console.line(
        _("lazychat in plain mode, model {model}. /help lists commands.").format(
            model=host.model
        )
    )
    try:
        host.models.find(host.model)
    except LazychatError as error:
        host.problems.append(str(error))
    if note := host.models.note(host.model):
        console.say(NOTE, note)
    if host.temporary:
        console.say(NOTE, _("Nothing is stored"))
    unread = [it for it in backend.store.unread() if it != id]
    if unread:
        titles = backend.store.titles(unread)
        console.say(
            NOTE,
            _("Unread answers: {values}. /list, /open").format(
                values=", ".join(titles.values())
            ),
        )
