"""Records what a cut line does to an answer, and draws docs/hangup.svg of it.

Usage: PYTHONPATH=tests python docs/hangup.py FILE.svg

Nothing in it is staged but the model, which plays a script at the pace of a real one:
an sshd runs on 127.0.0.1, its clients are OpenSSH's, the line between them is reset in
the middle of the answer, and the pictures are what the clients' terminals showed. The
numbers in the captions are measured. Nothing is drawn unless the answer has come back
word for word.
"""

import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyte.screens
import tomli_w
from panels import Panel, draw
from support import ssh
from support.terminal import Terminal

from tui import conversation
from tui.eventlog import EventLog
from tui.events import TurnFinished

ROOT = Path(__file__).parent.parent
COLUMNS = 84
QUESTION = "A checklist for a server move?"
ANSWER = """\
Twenty steps, **in this order**:

## The week before

1. Write down every service, its port and who needs it.
2. List the cron jobs and timers; somebody has forgotten one.
3. Note the versions: `uname -a`, `dpkg -l`, `pip freeze`.
4. Restore last night's backup somewhere. Did it work?
5. Lower the TTL of the DNS records to 300 seconds.
6. Agree on an hour, and tell everybody *twice*.

## On the new machine

7. Install the same release, then all updates.
8. Create users and groups with the **same numbers**.
9. Copy your SSH key over and log in with it.
10. Only then switch passwords off.
11. Open in the firewall what step 1 says, nothing more.
12. Run `rsync -aHAX` once, while the old one still works.

## The hour itself

13. Put up the page that says *back soon*.
14. Stop the services; the database last.
15. Run `rsync` again, with `--delete`.
16. Load the dump and count the rows on both sides.
17. Start the services one by one and read their logs.
18. Point the DNS at the new address, and raise the TTL.
19. Make a backup of the new machine, **and restore it**.
20. Keep the old one for a month. Then wipe its disks.
"""
WORDS = re.sub(r"[#*`]", "", ANSWER).split()
"""What of the answer is on a screen: its words without the marks of Markdown."""
PACE = 30.0
"""Words a second."""


class Recording(NamedTuple):
    """What was seen; times are in seconds since the question was sent."""

    panels: Sequence[Panel]
    cut: float
    """When the line was cut."""
    end: float
    """When the answer ended, without a terminal."""
    ends: list[str]
    """How the turns ended, from the log: one, by itself, is `["stop"]`."""
    before: list[str]
    """The words of the first screen, just before the cut."""
    meanwhile: list[str]
    """The words of the second screen, of another login."""
    after: list[str]
    """The words of the third screen, of who came back."""
    stored: str
    """The answer as the log has it."""


def record(folder: Path, server: ssh.Server, pace: float = PACE) -> Recording:
    """Ask, cut the line, look on, come back; keep everything in `folder`.

    `pace` is in words a second. Raises AssertionError when something does not come
    within the limit of the terminal.
    """
    env = account(folder, pace)
    with (
        ssh.Relay(server.port) as line,
        ssh.Relay(server.port) as other_line,
        EventLog(folder / "lazychat.db") as log,
    ):
        mine = ssh.Link(server, line, env)
        with _log_in(mine, 18) as terminal:
            _run(terminal, "lazychat", until="Message")
            terminal.type(QUESTION)
            terminal.press("enter")
            terminal.wait_for("8. Create")
            cut_at = time.time()
            line.cut()
            first, before = _picture(terminal), terminal.words.split()
            terminal.wait_exit()

        with _log_in(ssh.Link(server, other_line, env), 10) as terminal:
            _run(terminal, "lazychat list", until="A checklist")
            _run(terminal, "lazychat tail | tail -n 4", until="tail -n 4")
            follow = "lazychat tail -f | grep turn_finished"
            _run(terminal, follow, until="turn_finished  ")
            second, meanwhile = _picture(terminal), terminal.words.split()

        with _log_in(mine, 37) as terminal:
            _run(terminal, "lazychat", until="wipe its disks.")
            terminal.settle()
            third, after = _picture(terminal), terminal.words.split()
        (stored,) = _answers(log)
        records = log.read()

    sent = records[0].time
    ends = [(r.time, r.event) for r in records if isinstance(r.event, TurnFinished)]
    cut, end = cut_at - sent, ends[-1][0] - sent
    went_on = f"The line is dead. The process goes on, and is done at {end:.1f} s"
    panels = [
        Panel(f"{cut:.1f} s: just before the line is cut", "ssh server", first),
        Panel(went_on, "ssh server, from elsewhere", second),
        Panel("The next login: lazychat, and the answer is whole", "ssh server", third),
    ]
    reasons = [event.reason for _, event in ends]
    return Recording(panels, cut, end, reasons, before, meanwhile, after, stored)


def check(found: Recording) -> None:
    """Raise AssertionError unless the recording shows what it is to show."""
    assert WORDS[-1] not in found.before, "nothing was left to come"
    assert found.cut < found.end, "it had ended before the line was cut"
    assert found.ends == ["stop"], f"it did not end once and by itself: {found.ends}"
    assert found.stored == ANSWER, f"the stored answer differs: {found.stored}"
    assert contains(found.after, WORDS), f"the screen differs: {found.after}"


def contains(words: Sequence[str], part: Sequence[str]) -> bool:
    """Tell whether `part` is among `words`, in one piece."""
    size = len(part)
    return any(words[at : at + size] == part for at in range(len(words) - size + 1))


def account(folder: Path, pace: float) -> dict[str, str]:
    """Make what a user has over there; return the environment of their logins."""
    script = folder / "script.toml"
    reply = {"reply": [{"text": ANSWER}], "rate": pace}
    script.write_text(tomli_w.dumps(reply), "utf-8")
    model = {"provider": "scripted", "path": str(script)}
    settings = {"model": "scripted", "models": {"scripted": model}}
    (folder / "config.toml").write_text(tomli_w.dumps(settings), "utf-8")
    command = folder / "bin" / "lazychat"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tui "$@"\n', "utf-8")
    command.chmod(0o755)
    return {
        "HOME": str(folder),
        "LAZYCHAT_HOME": str(folder),
        "PATH": f"{command.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PS1": "$ ",
    }


def _log_in(link: ssh.Link, rows: int) -> Terminal:
    return link.terminal(["sh", "-i"], columns=COLUMNS, rows=rows)


def _run(terminal: Terminal, command: str, until: str) -> None:
    terminal.wait_for(lambda t: t.text.rstrip().endswith("$"))
    terminal.type(command)
    terminal.press("enter")
    terminal.wait_for(until)


def _picture(terminal: Terminal) -> list[list[pyte.screens.Char]]:
    return [terminal.cells(row) for row in range(terminal.rows)]


def _answers(log: EventLog) -> list[str]:
    (one,) = conversation.recent(log)
    entries = conversation.fold(log.read(one.id)).entries.values()
    return [e.message.text for e in entries if e.message.role == "assistant"]


def main() -> None:
    """Record, check, and draw."""
    if why := ssh.missing():
        sys.exit(f"hangup.py {why}")
    with (
        tempfile.TemporaryDirectory() as keys,
        tempfile.TemporaryDirectory() as home,
        ssh.Server(Path(keys)) as server,
    ):
        found = record(Path(home), server)
    check(found)
    running = {"[running,", "text_delta"} <= set(found.meanwhile)
    assert running, "the second login came too late: it had ended"
    Path(sys.argv[1]).write_text(draw(found.panels), "utf-8")
    print(f"cut at {found.cut:.1f} s, ended at {found.end:.1f} s, whole")


if __name__ == "__main__":
    main()
