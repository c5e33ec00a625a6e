"""What is allowed or denied of commands: where a grant holds, whatever the words."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from tui import grants
from tui.config import ToolsConfig
from tui.eventlog import EventLog
from tui.events import ApprovalGiven, ApprovalRequested, ToolCallStarted
from tui.grants import Grant
from tui.messages import ToolCall
from tui.runtime.approvals import LoggedApprover
from tui.tools import ToolBox
from tui.tools.approval import Rules, parse_flags
from tui.tools.bundled import bundled
from tui.turn import Turn

STATUS = "git status *"


def decided(
    root: Path,
    command: str,
    *,
    folder: str = ".",
    shell: bool = False,
    allow: str = "",
    deny: str = "",
    attended: bool = False,
    policy: str = "ask",
) -> str:
    """Return what is decided about a call of the real tool, which is not run."""
    tools = bundled(ToolsConfig(folders=(str(root),)))
    rules = Rules(
        {} if policy == "ask" else {"run_command": policy},  # pyright: ignore
        parse_flags([allow] if allow else []),
        parse_flags([deny] if deny else []),
        attended=attended,
    )
    log, turn = EventLog(root / ".log.db"), Turn()
    turn.approver = LoggedApprover(log, "c", turn.cancel)
    arguments = {"command": command, "folder": folder, "shell": shell}
    run = ToolBox(tools, rules=rules).run(ToolCall("1", "run_command", arguments), turn)
    started = next(run)
    run.close()
    log.close()
    assert isinstance(started, ToolCallStarted)
    return started.decision


def question(root: Path, command: str) -> ApprovalRequested:
    """Return what the user is asked about a call of the real tool."""
    log, turn = EventLog(root / ".log.db"), Turn()
    turn.approver = approver = LoggedApprover(log, "c", turn.cancel)
    call = ToolCall("1", "run_command", {"command": command})
    run = ToolBox(bundled(ToolsConfig(folders=(str(root),)))).run(call, turn)
    written: Future[int] = Future()
    written.set_result(1)
    try:
        for event in run:
            approver.wrote(event, written)
            if isinstance(event, ApprovalRequested):
                return event
    finally:
        run.close()
        log.close()
    raise AssertionError("nothing was asked")


@pytest.fixture
def root(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "below").mkdir(parents=True)
    (tmp_path / "project-2").mkdir()
    monkeypatch.chdir(folder)
    return folder.resolve()


def test_what_is_always_allowed_holds_in_its_folder_and_below(root: Path) -> None:
    grants.keep(Grant("run_command", pattern=STATUS, folder=str(root)))

    assert decided(root, "git status -s") == "always"
    assert decided(root, "git status -s", folder="below") == "always"


def test_it_does_not_hold_elsewhere(root: Path) -> None:
    for elsewhere in (root / "below", root.parent / "project-2"):
        for grant in grants.stored():
            grants.revoke(grant)
        grants.keep(Grant("run_command", pattern=STATUS, folder=str(elsewhere)))
        assert decided(root, "git status -s") == "unattended"
    assert not Grant("x", folder="/a/b").covers("x", "", "", "/a/b/../c")
    assert not Grant("x", folder="/a/b").covers("x", "", "", "")
    assert not Grant("x", folder="/a/b").covers("x", "", "", "/a/bc")


def test_a_grant_without_a_folder_allows_no_command(root: Path) -> None:
    grants.keep(Grant("run_command", pattern=STATUS))

    assert decided(root, "git status -s") == "unattended"
    assert not Grant("x").covers("x", "", "", "/a")
    assert Grant("x").covers("x", "", "")


@pytest.mark.parametrize(
    ("old", "asks_again"),
    [
        (Grant("run_command", pattern=STATUS), True),
        (Grant("run_command"), True),
        (Grant("run_command", pattern="git log *"), False),
        (Grant("run_command", pattern=STATUS, folder="/elsewhere"), False),
    ],
)
def test_a_question_says_that_an_old_grant_has_no_folder(
    root: Path, old: Grant, asks_again: bool
) -> None:
    grants.keep(old)
    asked = question(root, "git status -s")

    assert (asked.asks_again, asked.folder) == (asks_again, str(root))


def test_a_grant_with_a_folder_replaces_the_old_ones(home: Path) -> None:
    other = Grant("run_command", pattern="git log *")
    kept = Grant("run_command", pattern=STATUS, folder="/a")
    foreign = Grant("run_command", "mcp.x")
    for grant in (Grant("run_command"), Grant("run_command", pattern=STATUS)):
        grants.keep(grant)
    grants.keep(other)
    grants.keep(foreign)
    grants.keep(kept)
    assert grants.stored() == [other, foreign, kept]

    whole = Grant("run_command", folder="/a")
    grants.keep(whole)
    assert grants.stored() == [foreign, kept, whole]


def test_an_answer_counts_though_the_old_grant_has_gone_in_the_meantime(
    root: Path, tmp_path: Path
) -> None:
    now = question(root, "git status -s")
    grants.keep(Grant("run_command", pattern=STATUS))
    asked = question(root, "git status -s")
    log = EventLog(tmp_path / "log.db")
    approver = LoggedApprover(log, "c", Turn().cancel)
    approver.gave_before([(asked, ApprovalGiven("1", True, "always", pattern=STATUS))])

    assert approver.answered(now) is not None
    assert grants.stored() == [Grant("run_command", "", STATUS, str(root))]
    log.close()


def test_the_answer_always_is_kept_with_the_folder_of_the_call(
    root: Path, tmp_path: Path
) -> None:
    log = EventLog(tmp_path / "log.db")
    asked = ApprovalRequested(
        *("c1", "run_command", "", "command", "x", "git status -s", STATUS, True),
        str(root),
    )
    approver = LoggedApprover(log, "c", Turn().cancel)
    approver.give(ApprovalGiven("c1", True, "always", pattern=STATUS))
    approver.wait(asked)
    log.close()

    assert grants.stored() == [Grant("run_command", "", STATUS, str(root))]


DENIED = "run_command=git push*"


@pytest.mark.parametrize(
    ("command", "shell"),
    [
        ("git push", False),
        ("git push", True),
        ("git  push", False),
        ("/usr/bin/git -C x push", False),
        ("env FOO=1 git push", False),
        ('sh -c "git push"', False),
        ("cd x && git push", True),
    ],
)
def test_deny_catches_each_form_of_a_command(
    root: Path, command: str, shell: bool
) -> None:
    for policy in ("ask", "allow"):
        decision = decided(
            root, command, shell=shell, allow="run_command", deny=DENIED, policy=policy
        )
        assert decision == "flag denied"


@pytest.mark.parametrize(
    ("attended", "decision"), [(True, "asked"), (False, "flag denied")]
)
@pytest.mark.parametrize("policy", ["ask", "allow"])
def test_what_nobody_can_tell_is_asked_or_denied(
    root: Path, attended: bool, decision: str, policy: str
) -> None:
    found = decided(
        *(root, "$x push"),
        shell=True,
        allow="run_command",
        deny=DENIED,
        attended=attended,
        policy=policy,
    )

    assert found == decision


@pytest.mark.parametrize("command", ["git status", "git log -n 1"])
def test_other_commands_are_still_allowed(root: Path, command: str) -> None:
    for shell in (True, False):
        found = decided(root, command, shell=shell, allow="run_command", deny=DENIED)
        assert found == "flag"


@pytest.mark.parametrize(
    "command",
    [
        *("env FOO=1 git status", "sh -c 'git status'", "/usr/bin/git status"),
        *("git  status", "git -C x status", "git status; ls", "git status $(ls)"),
    ],
)
def test_allow_takes_a_pattern_at_its_word(root: Path, command: str) -> None:
    for shell in (True, False):
        found = decided(root, command, shell=shell, allow="run_command=git status *")
        # The tool writes spaces and quotes in one way only.
        plain = command == "git  status" and not shell
        assert found == ("flag" if plain else "unattended")
