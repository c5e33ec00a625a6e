"""`lazychat worker`: runs turns without a terminal."""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from tui import conversation, files, paths
from tui.cli import background, streams
from tui.cli.codes import CANCELLED, DONE, FAILED
from tui.config import Config
from tui.errors import LazychatError
from tui.eventlog import open_to_read
from tui.i18n import _
from tui.mcp import PATIENCE
from tui.runtime import worker_registry
from tui.runtime.host import Host
from tui.runtime.worker_registry import Worker
from tui.safe import safe

STOP_SECONDS = 15.0
"""Seconds that `--stop` waits for the worker's end."""


def serve(settings: Config, *, detach: bool = False) -> int:
    """Run turns until Ctrl+C, SIGTERM or `stop`; return the exit code.

    With `detach`, return as soon as a process in its own session serves.
    """
    if found := worker_registry.find():
        raise LazychatError(
            _("A worker is already running: {found}.").format(found=_which(found))
        )
    if detach:
        return _detach(settings)
    return _serve(settings)


def stop() -> int:
    """Stop the worker of this machine; running answers are cancelled and kept."""
    found = worker_registry.find()
    if not found:
        streams.talk(_("No worker is running on this machine."))
        return FAILED
    os.kill(found.owner.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        if not worker_registry.is_alive(found.runner):
            streams.talk(
                _("The worker has stopped: {found}.").format(found=_which(found))
            )
            return DONE
        time.sleep(0.02)
    raise LazychatError(
        _("The worker did not stop: {found}.").format(found=_which(found))
    )


def status() -> int:
    """Print whether a worker is running, and its state; return the exit code."""
    found = worker_registry.find()
    if not found:
        print(_("No worker is running on this machine."))
        return FAILED
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.started))
    # The worker's note has the store's path as text, in which bytes that are not UTF-8
    # are replaced.
    ours = worker_registry.find(paths.log_file())
    store = paths.log_file() if ours else Path(found.store)
    with open_to_read(store, streams.talk) as log:
        running = conversation.running_anywhere(log)
    answers = sum(owners.count(found.owner) for owners in running.values())
    print(
        _("A worker is running: {found}, since {since}.").format(
            found=_which(found), since=since
        )
    )
    print(_("Store:   {store}").format(store=found.store))
    print(
        _("Models:  {models}").format(
            models=safe(", ".join(found.models), newlines=False)
        )
    )
    print(
        _("Tools:   {tools}").format(
            tools=safe(", ".join(found.tools) or _("none"), newlines=False)
        )
    )
    print(_("Running: {answers}").format(answers=answers))
    return DONE


def _which(found: Worker) -> str:
    return _("process {pid} on {host}").format(
        pid=found.owner.pid, host=found.owner.host
    )


def _serve(settings: Config, ready: int | None = None) -> int:
    """Serve in this process; write to the descriptor `ready` once it does."""
    host = Host(settings)
    try:
        if not host.keeps:
            raise LazychatError(host.problems[0])
        host.load_tools()
        for problem in host.problems:
            streams.talk(problem)
        host.make_titles()
        host.start()
        host.mcp.start()
        host.mcp.wait(PATIENCE)  # the note that clients read lists the tools
        me = worker_registry.describe(host, time.time())
        try:
            with background.ended_by_signal(signal.SIGHUP):
                _enter(me)
                streams.talk(_("The worker is running: {me}.").format(me=_which(me)))
                if ready is not None:
                    _report(ready, "")
                background.wait_for_signal()
        except SystemExit as end:
            # A signal is the usual way to stop a worker.
            if end.code == 128 + signal.SIGHUP:
                worker_registry.leave(me)
                background.let_go()
                host.runner.finish()
            return CANCELLED if end.code == 128 + signal.SIGINT else DONE
        finally:
            worker_registry.leave(me)
    finally:
        host.close()


def _enter(me: Worker) -> None:
    try:
        worker_registry.enter(me)
    except OSError as error:
        folder = worker_registry.file().parent
        raise LazychatError(
            _("Cannot register the worker in {folder}: {strerror}.").format(
                folder=folder, strerror=error.strerror
            )
        ) from error


def _detach(settings: Config) -> int:
    """Serve in a process of its own, without a terminal that could kill it."""
    log = paths.state_file().with_name("worker.log")
    try:
        files.make_folder(log.parent)
        flags = os.O_WRONLY | os.O_APPEND
        file = os.fdopen(files.open_private(log, flags), "ab")
    except OSError as error:
        raise LazychatError(
            _("The worker cannot write to {log}: {strerror}.").format(
                log=log, strerror=error.strerror
            )
        ) from error
    reports, ready = os.pipe()
    # Fork twice, with a new session between: the worker is not its leader, so a
    # terminal that it opens cannot become its controlling terminal. There are no
    # threads yet.
    if child := os.fork():
        os.close(ready)
        file.close()
        os.waitpid(child, 0)
        return _wait_for_report(reports, log)
    os.close(reports)
    os.setsid()
    if os.fork():
        os._exit(0)
    code = FAILED
    try:
        background.let_go()
        with file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        with suppress(OSError):
            os.chdir(Path.home())  # else the current disk could not be unmounted
        code = _serve(settings, ready)
    except LazychatError as error:
        streams.talk(str(error))
        _report(ready, str(error))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)


def _report(ready: int, problem: str) -> None:
    """Report to the waiting parent how the start went; "" means success."""
    with suppress(OSError):
        os.write(ready, f"{problem}\n".encode())
        os.close(ready)


def _wait_for_report(reports: int, log: Path) -> int:
    with open(reports, encoding="utf-8") as file:  # a descriptor, not a path
        answer = file.read()
    if answer == "\n":
        found = worker_registry.find()
        streams.talk(
            _("The worker is running: {found}.").format(found=_which(found))
            if found
            else _("The worker has stopped.")
        )
        return DONE
    raise LazychatError(
        answer.strip() or _("The worker did not start: see {log}.").format(log=log)
    )
