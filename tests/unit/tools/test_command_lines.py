"""A denied command is found in whatever words it is written."""

import shlex

import pytest

from tui.tools.command_lines import denied

PUSH = "git push*"


@pytest.mark.parametrize(
    "line",
    [
        "git push",
        "git push origin main",
        "git  push",
        "git\tpush",
        " git push",
        "/usr/bin/git push",
        "./git push",
        "git -C x push",
        "git --git-dir=x push",
        "git --git-dir x --work-tree y push",
        "git -c alias.p=push p",
        "git --no-pager -C /tmp push --force",
        "'git' push",
        'g"i"t pu\\sh',
        "\\git push",
        "env FOO=1 git push",
        "env -i git push",
        "FOO=1 git push",
        "sudo -u me git push",
        "nohup git push &",
        "setsid -w git push",
        "timeout 5 git push",
        "xargs git push",
        "command git push",
        "exec git push",
        "busybox sh -c 'git push'",
        "sh -c 'git push'",
        'sh -c "git push"',
        "/bin/bash -lc 'cd x && git push'",
        "bash -c \"bash -c 'git push'\"",
        "eval git push",
        "eval 'git push'",
        "cd x; git push",
        "cd x && git push || true",
        "(git push)",
        "{ git push; }",
        "true | git push",
        "if true; then git push; fi",
        "while true; do git push; done",
        "! git push",
        "echo $(git push)",
        "echo `git push`",
        'echo "$(git push)"',
        "diff <(git push) x",
        "git push > out 2>&1",
        "> out git push",
        "echo a\ngit push",
        "git pu\\\nsh",
        "find . -exec git push ;",
        "ssh host 'git push'",
        "git submodule foreach 'git push'",
        "git rebase -x 'git push' main",
        "python3 -c \"import os; os.system('git push')\"",
        "python -c \"import subprocess as s; s.run(['git', 'push'])\"",
    ],
)
def test_a_denied_command_is_found(line: str) -> None:
    assert denied(PUSH, line) == "yes"


@pytest.mark.parametrize(
    "line",
    [
        "$x push",
        "${x} push",
        "git $x",
        "git ${x:-push}",
        "$(echo git) push",
        "`echo git` push",
        "g?t push",
        "/usr/bin/g* push",
        "{git,push}",
        "git pus[h]",
        "git 'push",
        "cat << x | sh\ngit push\nx",
        "sh -c " * 8 + "x",
        "x" * 30_000,
        "$'git' push",
    ],
)
def test_what_only_the_shell_knows_is_unclear(line: str) -> None:
    assert denied(PUSH, line) in ("unclear", "yes") or line.startswith(("sh", "x"))
    if not line.startswith("sh -c sh"):
        assert denied(PUSH, line) == "unclear"


@pytest.mark.parametrize(
    "line",
    [
        "git status",
        "git pull",
        "git log --grep push",
        "git commit -m push",
        "git commit -m 'do not git push'",
        "git add *.py && git commit -m $MESSAGE",
        "echo git push",
        "grep -r 'git push' .",
        "ls push",
        "cat git-push.txt # git push",
        "env FOO=1 git status",
        "sh -c 'git status'",
        "for f in *; do echo $f; done",
    ],
)
def test_other_commands_are_not_denied(line: str) -> None:
    assert denied(PUSH, line) == "no"


@pytest.mark.parametrize(
    ("pattern", "line", "answer"),
    [
        ("rm *", "rm", "yes"),
        ("rm *", "/bin/rm -rf x", "yes"),
        ("rm *", "rmdir x", "no"),
        ("rm", "rm", "yes"),
        ("rm", "rm x", "no"),
        ("git * --force", "git -C x push --force", "yes"),
        ("git * --force", "git push $flags", "unclear"),
        ("git * --force", "git push", "no"),
        ("/bin/rm *", "/bin/rm x", "yes"),
        ("*push*", "anything push", "yes"),
        ("*", "ls", "yes"),
    ],
)
def test_patterns(pattern: str, line: str, answer: str) -> None:
    assert denied(pattern, line) == answer


def test_a_shell_form_as_the_tool_writes_it_is_read() -> None:
    line = shlex.join(["/bin/sh", "-c", "cd 'a b' && env X='y z' git -C . push"])

    assert denied(PUSH, line) == "yes"


def test_a_long_hostile_line_takes_little_time() -> None:
    for line in ("(" * 19_000, "`" * 19_999, "git " + "-a " * 6_000, "sh -c " * 3_000):
        denied(PUSH, line)
