"""The command line: parses, dispatches, and turns errors into exit codes.

Each command that does more than pass on its options has a module here.

The file is long because each command has its row and its function here.
"""

import argparse
import errno
import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli import conversations, language, streams
from tui.cli.codes import CANCELLED, DONE, FAILED, USED_WRONGLY
from tui.cli.options import parse
from tui.errors import ConfigError, LazychatError, too_many_files
from tui.i18n import _
from tui.runtime import tty
from tui.safe import decoded, safe

_LIBRARIES = (
    *("openai", "httpx", "httpx2", "httpcore", "httpcore2"),
    *("mcp", "client"),  # both are of the MCP SDK
)
"""The libraries that reach servers. They log all requests, including keys, if
OPENAI_LOG or a tool enables that; which one is used depends on the version of the
client."""

_ARRAYS = ("cost", "list", "mcp", "search", "tools")
"""The commands whose --json prints an array; others print a line for each record."""

if TYPE_CHECKING:
    from tui.config import Config
    from tui.messages import Attachment
    from tui.runtime.served import Served


def main(arguments: Sequence[str] | None = None) -> int:
    """Run lazychat with `arguments` (None: the process's own); return the exit code."""
    streams.fill()
    tty.forget_size_in_environment()
    streams.clean()
    arguments = sys.argv[1:] if arguments is None else arguments
    language.choose(arguments)
    options = parse(arguments)
    if options.version:
        print(_version())
        return DONE
    if options.command != "doctor":  # which changes nothing, and may find a dead disk
        _log_to_file()
    try:
        return RUN[options.command](options)
    except LazychatError as error:
        streams.talk(str(error))
        if getattr(options, "json", False) and options.command in _ARRAYS:
            streams.print_empty_json()
        return USED_WRONGLY if isinstance(error, ConfigError) else FAILED
    except BrokenPipeError:  # the reader has closed the pipe (`| head`)
        streams.leave_stdout()
        return FAILED
    except OSError as error:
        if not (message := too_many_files(error) or _about_name(error)):
            raise
        streams.talk(message)
        return FAILED
    except KeyboardInterrupt:
        return CANCELLED


def _about_name(error: OSError) -> str:
    """Return a line about a file whose name is no good, "" for another error.

    `pathlib` raises such an error wherever it looks for a file.
    """
    if error.errno not in (errno.ENAMETOOLONG, errno.EACCES) or not error.filename:
        return ""
    name = safe(decoded(os.fsdecode(error.filename)), newlines=False)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}…"
    return f"{name}: {error.strerror}."


_LONGEST_NAME = 200
"""Characters of a file's name that are quoted where it is too long for a file."""


def _settings(options: argparse.Namespace) -> "Config":
    from tui import config

    path = Path(options.config) if options.config else None
    if path and not path.exists():
        raise ConfigError(_("{path}: no such file.").format(path=path))
    return _with_flags(config.load(path), options)


def _with_flags(settings: "Config", options: argparse.Namespace) -> "Config":
    import msgspec

    changes = {
        name: value
        for name in ("model", "agent", "system", "stream", "plain")
        if (value := getattr(options, name, None)) is not None
    }
    return msgspec.structs.replace(settings, **changes)


def _ask(options: argparse.Namespace) -> int:
    from tui.cli.ask import ask

    prompt = " ".join(options.prompt)
    files = _attached(options)
    _check_input(options)
    given = "-" in (*options.attach, options.schema)
    if not given and not sys.stdin.isatty():
        piped = _piped()
        prompt = f"{prompt}\n\n{piped}" if prompt and piped.strip() else prompt or piped
    if not prompt.strip():
        raise ConfigError(_('ask needs a question: lazychat ask "..."'))
    return ask(
        _settings(options),
        prompt,
        options.tool,
        options.cid,
        options.last,
        options.allow,
        options.deny,
        files=files,
        temporary=_is_temporary(options),
        schema=options.schema,
        as_json=options.json,
    )


def _check_input(options: argparse.Namespace) -> None:
    """Raise `ConfigError` if more than one thing is to be read from standard input."""
    if options.schema != "-":
        return
    if "-" in options.attach:
        raise ConfigError(_("Only one of --schema - and -a - can read standard input."))
    if not options.prompt:
        raise ConfigError(
            _(
                "--schema - reads the schema from standard input, so the question "
                'must be an argument: lazychat ask --schema - "..."'
            )
        )
    if sys.stdin.isatty():
        raise ConfigError(
            _("--schema - needs a schema on standard input, as in --schema - < FILE.")
        )


def _is_temporary(options: argparse.Namespace) -> bool:
    if options.temporary and (options.last or options.cid):
        raise ConfigError(
            _("--temporary always starts a new conversation: leave out -c and --cid.")
        )
    return options.temporary


def _attached(options: argparse.Namespace) -> "list[Attachment]":
    """Return the files of `-a`; "-" is stdin. Raises `AttachmentError`."""
    if not options.attach:
        return []
    from tui.attachments import loading

    if len(options.attach) > loading.MOST:
        raise ConfigError(
            _("-a: at most {most} files for one message.").format(most=loading.MOST)
        )
    files: list[Attachment] = []
    for spec in options.attach:
        if spec == "-" and options.command == "ask":
            data = sys.stdin.buffer.read(loading.LARGEST_FILE + 1)
            if len(data) > loading.LARGEST_FILE:
                raise ConfigError(_("-a -: standard input has more than 100 MB."))
            files.append(loading.of_bytes(data, _("standard input")))
        else:
            files.append(loading.load(spec, Path()))
    return files


def _piped() -> str:
    """Return the text on stdin, which is UTF-8 whatever the terminal's encoding."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            _(
                "standard input is not UTF-8 text (byte {start}): convert it "
                "first, with iconv or a program that knows its format."
            ).format(start=error.start + 1)
        ) from error


def _chat(options: argparse.Namespace) -> int:
    # Off until everything is imported: see tui.app.gc_freeze.
    gc.disable()
    from tui.runtime import guard

    if served := _served():
        options.config = served[0].config
        options.model = served[0].model
        options.stream = served[0].stream
        tty.make_controlling(0)
    files = _attached(options)  # what is wrong with them is said before the screen
    if sys.stdin.isatty() and not options.plain and not _dumb_terminal():
        guard.start(str(_log_path()))
    from tui.cli.chat import chat, show_served
    from tui.config import Config

    problems: list[str] = []
    try:
        settings = _settings(options)
    except ConfigError as error:
        # Open the screen anyway: the user reads the problem there.
        problems.append(
            _("{error} Using the defaults until it is fixed.").format(error=error)
        )
        settings = _with_flags(Config(), options)
    if served:
        return show_served(settings, problems, *served)
    file = _config_file(options)
    anew = bool(options.model or options.system)
    temporary = _is_temporary(options)
    given = (settings, problems, options.tool, options.cid, options.last, file)
    hint = _dumb_terminal()
    if settings.plain or hint:
        from tui.cli.plain import plain

        if guarded := guard.current():
            guarded.dismiss()
        told = "" if settings.plain else hint
        return plain(
            *given,
            files=files,
            anew=anew,
            temporary=temporary,
            color=options.color,
            hint=told,
        )
    return chat(*given, files=files, anew=anew, temporary=temporary)


def _dumb_terminal() -> str:
    """Return why there is no screen on this terminal, "" if there can be one."""
    term = os.environ.get("TERM", "")
    if term not in ("dumb", "unknown", "") or not sys.stdin.isatty():
        return ""
    return _(
        "This terminal (TERM={term}) cannot show a screen. If yours can, set TERM, "
        "for example TERM=xterm-256color."
    ).format(term=term)


def _served() -> "tuple[Served, str] | None":
    """Return what another process serves, if it has started this one."""
    if "LAZYCHAT_SERVED" not in os.environ:
        return None
    from tui.runtime import served

    return served.receive()


def _worker(options: argparse.Namespace) -> int:
    from tui.cli import worker

    if options.stop:
        return worker.stop()
    if options.status:
        return worker.status()
    return worker.serve(_settings(options), detach=options.detach)


def _setup(options: argparse.Namespace) -> int:
    from tui.cli.setup import setup

    return setup(_config_file(options))


def _pull(options: argparse.Namespace) -> int:
    from tui.cli.pull import pull

    return pull(options.repo, options.to, _config_file(options))


def _undo_write(options: argparse.Namespace) -> int:
    from tui.cli import undo_write

    return undo_write.run(options.show)


def _doctor(options: argparse.Namespace) -> int:
    from tui.cli.doctor import doctor

    return doctor(_config_file(options), options.json)


def _tools(options: argparse.Namespace) -> int:
    from tui.cli import tools

    if options.action == "revoke":
        if not options.what:
            raise ConfigError(_("tools revoke needs NAME or NAME=PATTERN."))
        return tools.revoke(options.what)
    if options.action == "log":
        code = tools.show_log(
            options.conversation, options.limit, options.json, options.what
        )
    elif options.what:
        raise ConfigError(
            _('tools {action} takes no "{what}".').format(
                action=options.action, what=options.what
            )
        )
    else:
        code = tools.show_tools(_settings(options), options.json)
    sys.stdout.flush()
    return code


def _config_file(options: argparse.Namespace) -> Path | None:
    return Path(options.config) if options.config else None


def _serve(options: argparse.Namespace) -> int:
    from tui.cli.serve import serve

    return serve(
        _settings(options),
        host=options.host,
        port=options.port,
        pages=options.pages,
        tools=options.tool,
        config=str(Path(options.config).absolute()) if options.config else "",
    )


def _mcp(options: argparse.Namespace) -> int:
    from tui.cli.mcp import mcp

    return mcp(lambda: _settings(options), options, _config_file(options))


def _tail(options: argparse.Namespace) -> int:
    from tui.cli.tail import tail

    return tail(options.cid, options.after, options.json, options.follow)


RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "chat": _chat,
    "ask": _ask,
    "serve": _serve,
    "worker": _worker,
    "setup": _setup,
    "pull": _pull,
    "tail": _tail,
    "tools": _tools,
    "undo-write": _undo_write,
    "mcp": _mcp,
    "doctor": _doctor,
    **dict.fromkeys(conversations.COMMANDS, conversations.run),
}
"""Maps each of `options.COMMANDS` to its function, which returns the exit code."""


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return f"lazychat {version('lazychat')}"
    except PackageNotFoundError:  # running from a source tree that is not installed
        return "lazychat (source)"


def _log_path() -> Path:
    from tui import paths

    return paths.state_file().with_name("lazychat.log").absolute()


def _log_to_file() -> None:
    """Log errors to a file: on the terminal they would be drawn over the screen."""
    import logging

    from tui import files
    from tui.masking import mask

    class LogFile(logging.FileHandler):
        """Drops records if the log file cannot be opened."""

        def _open(self) -> io.TextIOWrapper:
            flags = os.O_WRONLY | os.O_APPEND
            descriptor = files.open_private(Path(self.baseFilename), flags)
            return os.fdopen(
                descriptor, "a", encoding="utf-8", errors="backslashreplace"
            )

        def format(self, record: logging.LogRecord) -> str:
            return mask(super().format(record))

        def emit(self, record: logging.LogRecord) -> None:
            with suppress(OSError):
                super().emit(record)

        def handleError(self, record: logging.LogRecord) -> None:
            """Ignore a full disk: Python would report it on the terminal."""
            if not isinstance(sys.exc_info()[1], OSError):
                super().handleError(record)

    file = _log_path()
    try:
        files.make_folder(file.parent)
        handler: logging.Handler = LogFile(file, delay=True)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    for name in ("tui", *_LIBRARIES):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
