"""`lazychat ask`: prints the answer to one question as it streams.

It works like the screen: it appends a request and follows the log, so the answer is
stored and the conversation can be continued.
"""

import io
import signal
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from tui import conversation
from tui.cli import streams
from tui.cli.answer_printer import AnswerTerminal, Heard, Printer, RecordPrinter, talk
from tui.cli.checked_answer import AnswerSchema
from tui.cli.codes import DONE, FAILED
from tui.config import Config
from tui.conversation import read_state, store
from tui.errors import ConfigError, LazychatError, LogError
from tui.eventlog import EventLog, Follow
from tui.events import (
    CancelRequested,
    TurnRequested,
    TurnWithdrawn,
)
from tui.i18n import _
from tui.mcp import PATIENCE
from tui.messages import Attachment, Message
from tui.runtime import worker_registry
from tui.runtime.host import Host
from tui.runtime.runner import LOOK_AFTER_SECONDS, request
from tui.runtime.turn_driver import end_if_gone
from tui.spelling import nearest
from tui.tools.approval import parse_flags


def ask(
    settings: Config,
    prompt: str,
    tools: Sequence[str] = (),
    cid: str | None = None,
    last: bool = False,
    allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    *,
    files: Sequence[Attachment] = (),
    temporary: bool = False,
    schema: str | None = None,
    as_json: bool = False,
) -> int:
    """Ask `prompt` about `files`, print the answer, return the exit code.

    `cid` is the start of a conversation's id, `last` means the newest conversation;
    otherwise a new one is started. `allow` and `deny` are the flags for tools; a call
    that would ask the user is denied. Ctrl+C cancels; the text so far stays in the
    store.

    With `schema`, a file ("-": standard input), the answer is JSON that fits it, which
    is asked for twice at most; tools are offered only if `tools` names them. `as_json`
    prints the records of the turn, one in a line, instead of the answer.
    """
    parse_flags([*allow, *deny])  # before anything is asked
    flags = _flags(allow, deny)
    wanted = AnswerSchema(schema) if schema else None
    if wanted and not tools:
        tools = ("none",)
    with streams.answer_alone() as out:
        host = Host(settings, temporary=temporary)
        reported = 0
        try:
            host.load_tools(tools)
            reported = _report(host.problems, reported)
            _check_flags(host, [*allow, *deny])
            id = _conversation(host.log, cid, last)
            # Complete the answer of a killed process before the new question.
            end_if_gone(host.log, id)
            host.models.find(host.model)
            if conversation.running(host.log, id):
                talk(
                    _("This conversation has a running answer; the new one is queued.")
                )
            if not settings.model and streams.is_seen():
                talk(host.models.note(host.model))
            host.start()
            _connect(host)
            terminal = AnswerTerminal(out)
            terminal.watch()
            question = Message("user", prompt, attachments=tuple(files))
            if wanted:
                return _ask_checked(host, id, question, wanted, flags, out, terminal)
            kind = RecordPrinter if as_json else Printer
            on = host.enabled_for(host.model)
            return _ask(host, id, question, on, flags, kind(out, terminal))
        finally:
            host.close()
            # The store may have failed in the meantime.
            _report(host.problems, reported)


def _connect(host: Host) -> None:
    """Connect to MCP servers; their tools are missing if that takes too long."""
    host.mcp.start()
    host.mcp.wait(PATIENCE)
    for state in host.mcp.states:
        if state.phase not in ("ready", "disabled"):
            talk(
                _("MCP server {name}: {state}; continuing without it").format(
                    name=state.name, state=state.describe()
                )
            )


def _check_flags(host: Host, flags: Sequence[str]) -> None:
    """Raise `ConfigError` if a flag names a tool that does not exist."""
    names = {tool.name for tool in host.tools}
    for grant in parse_flags(flags):
        if grant.tool not in names and not host.mcp.may_have(grant.tool):
            hint = nearest(grant.tool, list(names))
            raise ConfigError(
                _('There is no tool "{tool}" to allow or deny.{hint}').format(
                    tool=grant.tool, hint=hint
                )
            )


def _flags(allow: Sequence[str], deny: Sequence[str]) -> dict[str, Any]:
    """Return the options of a request that say which tools may run."""
    flags = {"allow": list(allow), "deny": list(deny)}
    return {name: given for name, given in flags.items() if given}


def _ask(
    host: Host,
    id: str,
    question: Message,
    tools: Collection[str],
    options: Mapping[str, Any],
    printer: Printer,
) -> int:
    """Ask once, let `printer` take the records of the answer, return the exit code."""
    asked = TurnRequested(
        host.model,
        host.config.agent,
        tuple(t.name for t in host.tools if t.name in tools),
        {"stream": host.config.stream, "attended": False, **options},
        runner=worker_registry.runner_for(host, host.model, tools),
    )
    turn, written = request(host.log, id, question, asked)

    def cancel() -> None:
        host.log.append(id, CancelRequested(), turn=turn)

    with (
        host.log.follow(id, written.result() - printer.begins) as follow,
        _interrupts(cancel),
    ):
        code = _print_answer(follow, host, asked.runner, turn, printer, cancel)
        if not printer.terminal.gone:
            # So that the chat screen does not reopen this conversation.
            read_state.mark_seen(host.log, id, follow.cursor)
        return code


def _ask_checked(
    host: Host,
    id: str,
    question: Message,
    wanted: AnswerSchema,
    flags: Mapping[str, Any],
    out: TextIO,
    terminal: AnswerTerminal,
) -> int:
    """Ask for JSON, and once again if it does not fit; print only what fits."""
    if wanted.unknown:
        talk(
            _("{file}: not checked: {unknown}").format(
                file=wanted.name, unknown=", ".join(wanted.unknown)
            )
        )
    options = {"schema": wanted.schema, **flags}
    tools: Collection[str] = host.enabled_for(host.model)
    for is_last in (False, True):
        heard = Heard(io.StringIO(), terminal)
        code = _ask(host, id, question, tools, options, heard)
        if code != DONE:
            return code
        text, fault = wanted.check(heard.answer)
        if not fault:
            Printer(out, terminal).print_line(text)
            return DONE
        asks = "" if is_last else _(" Asking again.")
        talk(
            _("The answer does not fit {file}: {fault}.{asks}").format(
                file=wanted.name, fault=fault, asks=asks
            )
        )
        question, tools = Message("user", wanted.again(fault)), ()
    return FAILED


def _report(problems: Sequence[str], reported: int) -> int:
    """Print the problems after the first `reported`; return their total number."""
    for problem in problems[reported:]:
        talk(problem)
    return len(problems)


def _conversation(log: EventLog, cid: str | None, last: bool) -> str:
    if cid:
        return conversation.find(log, cid)
    if not last:
        return conversation.new_id()
    if newest := conversation.newest(log):
        return newest.id
    raise LogError(_("There is no conversation to continue yet."))


@contextmanager
def _interrupts(cancel: Callable[[], None]) -> Generator[None]:
    """Let the first Ctrl+C call `cancel`, and the second end the program.

    A handler is used because KeyboardInterrupt could be raised between two records of a
    batch, and the rest of the batch would never be printed.
    """

    def handle(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cancel()

    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:  # ignored under `nohup` or in a script's background
        signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _print_answer(
    follow: Follow,
    host: Host,
    runner: str,
    turn: str,
    printer: Printer,
    cancel: Callable[[], None],
) -> int:
    try:
        while not follow.closed:
            records = follow.poll(LOOK_AFTER_SECONDS)
            for record in records:
                if record.turn == turn and printer.take(record):
                    return printer.code
            if failure := host.runner.failure(turn):
                raise failure
            if not records and runner != host.runner.id:
                _look_after(host.log, runner, turn)
        raise LogError(_("The conversation store was closed."))
    except BrokenPipeError:  # the reader has closed the pipe (`| head`)
        cancel()
        return FAILED
    except OSError as error:
        cancel()
        raise LazychatError(
            _("Cannot write the answer: {strerror}.").format(strerror=error.strerror)
        ) from error


def _look_after(log: EventLog, runner: str, turn: str) -> None:
    """End the turn if its worker has died, rather than wait for it."""
    if worker_registry.is_alive(runner):
        return
    id = store.conversation_of(log, turn)
    end_if_gone(log, id)
    if turn in conversation.fold(log.read(id)).requested:
        log.append(id, TurnWithdrawn(), turn=turn).result()
        raise LogError(_("The worker ended before it answered. Ask again."))
