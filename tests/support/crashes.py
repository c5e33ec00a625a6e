"""Kills the app at random moments of an answer with tools, and checks what is left.

Each trial starts the app in a terminal, asks, and kills it by SIGKILL, most often when
a randomly chosen word has appeared; every word that was on the screen by then must be
in the store. Then the app is restarted: the same words must be on the screen, nothing
may have been sent, and `/continue` or `/retry` must work. All trials use one store, so
the remains of a crash affect the next ones. Meanwhile another program may use the same
store repeatedly: `lazychat import` of many messages, `lazychat backup`, or one that
locks it for seconds.
"""

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from support import ROOT
from support.terminal import Terminal, wait_until
from tui import conversation
from tui.conversation import read_state
from tui.eventlog import EventLog
from tui.events import (
    MessageAdded,
    Record,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
)
from tui.messages import Message
from tui.runtime import turn_driver

WORD = re.compile(r"\bw[0-9]{3}\b")
FIRST = " ".join(f"w{number:03}" for number in range(20))
SECOND = " ".join(f"w{number:03}" for number in range(20, 140))
SCRIPT: dict[str, Any] = {
    "rate": 150,
    "reply": [
        {"steps": [{"text": FIRST}, {"call": "look_up", "arguments": {"what": "it"}}]},
        {"text": SECOND},
    ],
}
TOOL = '''
import time
from tui.tools import tool

@tool
def look_up(what: str) -> str:
    """Look something up.

    Args:
        what: What to look up.
    """
    time.sleep(0.2)
    return "found"
'''
WORDS = 140
"""Number of words in the answer."""

MOMENTS = (0.1, 0.2, 0.3)
"""Upper limits of a random number for a kill soon after Enter, in the tool, and
after the end. All other kills come with a word."""

SOON = 0.3
"""Most seconds after Enter, or after the last word before the tool, until such a
kill."""

LOCKED = 2.5
"""Seconds for which another program locks the store at a time."""

AGAIN = """
import subprocess, sys
while True:
    print(flush=True)
    subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
"""
LOCK = f"""
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
while True:
    db.execute("BEGIN IMMEDIATE")
    print(flush=True)
    time.sleep({LOCKED})
    db.execute("ROLLBACK")
    time.sleep(0.02)
"""
ALT_UP = b"\x1b[1;3A"
MEANWHILE = ("import", "backup", "lock")

NOT_STORED, NOT_BEGUN = "before the question was stored", "before the turn was begun"
STAGES = (
    NOT_STORED,
    NOT_BEGUN,
    "while the model was waited for",
    "while text was written",
    "while a tool ran",
    "after the answer",
)


@dataclass
class Trial:
    """The result of one kill."""

    stage: str
    shown: int
    """Number of words that were on the screen."""
    lost: list[str] = field(default_factory=list[str])
    """Words that were shown, but are missing in the store or on the screen
    afterwards."""
    faults: list[str] = field(default_factory=list[str])
    """Other violations."""


class Faults:
    """Kills lazychat in the home `folder` repeatedly."""

    def __init__(self, folder: Path, seed: int, during: str = "") -> None:
        self._home = folder
        self._during = during
        self._random = random.Random(seed)
        self._store = folder / "lazychat.db"
        (folder / "tools").mkdir(parents=True)
        (folder / "tools" / "look_up.py").write_text(TOOL, "utf-8")
        self._answering = self._config("answering", SCRIPT)
        self._resuming = self._config("resuming", {"reply": [{"text": "Well then."}]})
        if during in ("import", "backup"):
            self._big = folder / "big.json"
            self._big.write_text(many_messages(folder / "source.db"), "utf-8")
        if during == "backup":
            subprocess.run(
                self._command("import", self._big), env=self._env, check=True
            )

    def kill_once(self, restart: bool = True) -> Trial:
        """Start, ask, kill at a random moment, check; with `restart` continue."""
        terminal = self._start(self._answering)
        with terminal:
            terminal.type("Tell me all")
            terminal.wait_for("Tell me all")
            before = self._last()
            with self._meanwhile():
                terminal.press("enter")
                self._wait_for_the_moment(terminal)
                os.kill(terminal.process.pid, signal.SIGKILL)
            # Read the output that was written before the kill.
            terminal.written_within(10)
            terminal.process.wait(10)
            rows = [*terminal.shown, *terminal.display]
        words = sorted({word for row in rows for word in WORD.findall(row)})
        trial = Trial("", len(words))
        self._look_into_the_store(trial, words, before)
        if trial.stage == NOT_STORED:
            self._look_for_the_draft(trial)
            return trial
        if restart:
            self._start_again(trial, words)
        else:
            self._be_done_with_it()
        return trial

    def _wait_for_the_moment(self, terminal: Terminal) -> None:
        """Wait until the moment of the kill."""
        dice = self._random.random()
        soon, tool, end = MOMENTS
        if dice < soon:
            terminal.written_within(self._random.uniform(0, SOON))
        elif dice < tool:
            terminal.wait_for(FIRST[-4:])
            terminal.written_within(self._random.uniform(0, SOON))
        elif dice < end:
            terminal.wait_for(SECOND[-4:])
            terminal.wait_for(lambda t: "ready" in t.row(-1))
        else:
            terminal.wait_for(f"w{self._random.randrange(WORDS):03}")

    @contextmanager
    def _meanwhile(self) -> Iterator[None]:
        """Let another program use the store while the block runs."""
        if not self._during:
            yield
            return
        python = [sys.executable, "-c"]
        if self._during == "lock":
            command = [*python, LOCK, str(self._store)]
        else:
            file = self._big if self._during == "import" else self._home / "backup.db"
            force = ["--force"] if self._during == "backup" else []
            command = [*python, AGAIN, *self._command(self._during, *force, file)]
        imported = self._imported()
        # A session of its own, so that its child processes are killed with it.
        with subprocess.Popen(
            command, env=self._env, stdout=subprocess.PIPE, start_new_session=True
        ) as other:
            assert other.stdout
            other.stdout.readline()
            if self._during == "import":
                wait_until(lambda: self._imported() > imported)
            elif self._during == "backup":
                wait_until(lambda: any(self._home.glob("*backup.db*")))
            try:
                yield
                assert other.poll() is None, f"{self._during} has failed"
            finally:
                os.killpg(other.pid, signal.SIGKILL)

    def _imported(self) -> int:
        """Return the number of imported records."""
        with closing(sqlite3.connect(self._store)) as db:
            # The list knows: to look through a store that each import makes larger
            # took longer from kill to kill.
            return db.execute(
                "SELECT ifnull(sum(messages), 0) FROM conversation WHERE used = 0"
            ).fetchone()[0]

    def _look_for_the_draft(self, trial: Trial) -> None:
        """Check that an unsent question is a draft; delete it for the next trial."""
        with closing(sqlite3.connect(self._store)) as db, db:
            drafts = [text for (text,) in db.execute("SELECT text FROM draft")]
            db.execute("DELETE FROM draft")
        if drafts != ["Tell me all"]:
            trial.faults.append(f"the question is neither stored nor a draft: {drafts}")

    def _be_done_with_it(self) -> None:
        """Let the next start open a new conversation."""
        with EventLog(self._store) as log:
            newest = conversation.newest(log)
            assert newest
            turn_driver.end_if_gone(log, newest.id)
            read_state.mark_seen(log, newest.id, log.tail()).result()

    def _look_into_the_store(self, trial: Trial, words: list[str], before: int) -> None:
        with closing(sqlite3.connect(self._store)) as db:
            (sound,) = db.execute("PRAGMA integrity_check").fetchone()
        if sound != "ok":
            trial.faults.append(f"the store is damaged: {sound}")
        with EventLog(self._store) as log:
            newest = conversation.newest(log)
            records = log.read(newest.id, before) if newest else []
        trial.stage = _stage(records)
        stored = _stored_words(records)
        trial.lost += [word for word in words if word not in stored]
        # Words must not be stored twice or out of order.
        whole = WORD.findall(f"{FIRST} {SECOND}")
        if stored != whole[: len(stored)]:
            trial.faults.append(f"the text is not the model's: {stored}")

    def _start_again(self, trial: Trial, words: list[str]) -> None:
        ended, begun = trial.stage == STAGES[-1], trial.stage != NOT_BEGUN
        with self._start(self._resuming, rows=60) as terminal:
            try:
                terminal.wait_for("Tell me all")
                if not ended:
                    terminal.wait_for("Interrupted" if begun else "not asked")
                if words:
                    terminal.wait_for(words[-1])
            except AssertionError as error:
                trial.faults.append(f"after the start: {error}")
                return
            there = set(WORD.findall(terminal.text))
            trial.lost += [word for word in words if word not in there]
            before = self._requests()
            terminal.settle()
            if self._requests() != before:
                trial.faults.append("something was sent without a request")
            if not ended:
                if begun:
                    terminal.type(self._random.choice(["/continue", "/retry"]))
                else:  # take the question back
                    terminal.send(ALT_UP)
                    terminal.wait_for(lambda t: "not asked" not in t.text)
                terminal.press("enter")
                try:
                    terminal.wait_for("Well then.")
                    terminal.wait_for(lambda t: "ready" in t.row(-1))
                except AssertionError as error:
                    trial.faults.append(f"continuing: {error}")
            terminal.press("ctrl+q")
            terminal.wait_exit()

    def _last(self) -> int:
        with EventLog(self._store) as log:
            return log.tail()

    def _requests(self) -> int:
        with EventLog(self._store) as log:
            return sum(isinstance(r.event, TurnRequested) for r in log.read())

    def _config(self, name: str, script: dict[str, Any]) -> Path:
        played = self._home / f"{name}-script.toml"
        played.write_text(tomli_w.dumps(script), "utf-8")
        file = self._home / f"{name}.toml"
        model = {"provider": "scripted", "path": str(played)}
        file.write_text(
            tomli_w.dumps({"model": "scripted", "models": {"scripted": model}}), "utf-8"
        )
        return file

    def _start(self, config: Path, rows: int = 24) -> Terminal:
        terminal = Terminal(
            self._command("--config", config),
            rows=rows,
            env=self._env,
            cwd=self._home,
        )
        terminal.wait_for("Message")
        return terminal

    def _command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "tui", *map(str, arguments)]

    @property
    def _env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("LAZYCHAT_")}
        return kept | {
            "LAZYCHAT_HOME": str(self._home),
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
        }


def many_messages(path: Path, count: int = 4000) -> str:
    """Return a conversation of `count` messages, as exported by `lazychat export`."""
    text = "imported " * 100
    with EventLog(path) as log:
        asked = (
            MessageAdded(f"m{number}", Message("user", f"{number} {text}"))
            for number in range(count)
        )
        log.add([Record(0, "c", None, 1.0, event) for event in asked]).result()
        return conversation.export_json(log, "c")


def _stored_words(records: list[Record]) -> list[str]:
    """Return the words of the answer in the order of the transcript."""
    entries = conversation.fold(records).entries.values()
    return [
        word
        for entry in entries
        if entry.message.role == "assistant"
        for word in WORD.findall(entry.message.text)
    ]


def _stage(records: list[Record]) -> str:
    stage = NOT_STORED
    for record in records:
        match record.event:
            case TurnRequested():
                stage = NOT_BEGUN
            case TurnStarted() | ToolCallFinished():
                stage = STAGES[2]
            case ToolCallStarted():
                stage = STAGES[4]
            case TextDelta():
                stage = STAGES[3]
            case MessageAdded(_, message) if message.role == "assistant":
                stage = STAGES[3]
            case TurnFinished():
                stage = STAGES[5]
            case _:
                pass
    return stage
