"""What is allowed in advance: patterns that cannot be abused; where they are kept."""

import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui import grants, paths, state_file
from tui.app import state
from tui.grants import Grant, matches, resembles, suggest

EVIL = ";&|<>`$(){}[]?!#~^%'\"\\\n\r\t\0\x1b\x85\u2028\u00a0\u202e\u200b；｜＆．\ud800"
"""Characters of which some shell, path or terminal makes more than text."""


@pytest.mark.parametrize(
    ("pattern", "subject"),
    [
        ("git status *", "git status --short -b"),
        ("git status *", "git status"),
        ("git status", "git status"),
        ("/home/me/src/*", "/home/me/src/a/b.py"),
        ("/home/me/*/notes.md", "/home/me/x y/notes.md"),
        ("https://example.com/*", "https://example.com/a/b"),
        ("https://*.example.com/*", "https://www.example.com/a"),
        ("*", "ls -l"),
        ("echo a;b", "echo a;b"),
        ("/home/me/资料/*", "/home/me/资料/天气.md"),
    ],
)
def test_a_pattern_matches(pattern: str, subject: str) -> None:
    assert matches(pattern, subject)


@pytest.mark.parametrize(
    ("pattern", "subject"),
    [
        ("git status *", "git status; rm -r /"),
        ("git status *", "git status && rm -r /"),
        ("git status *", "git status --short | sh"),
        ("git status *", "git status\nrm -r /"),
        ("git status *", "git status `id`"),
        ("git status *", "git status $(id)"),
        ("git status *", "git status > /etc/passwd"),
        ("git status *", "git statusx"),
        ("git status *", "sudo git status x"),
        ("git status", "git status "),
        ("/home/me/src/*", "/home/me/src/../.ssh/id"),
        ("/home/me/src/*", "/home/me/src/.."),
        ("/home/me/src/.*", "/home/me/src/../x"),
        ("/home/me/src/*", "/home/me/srcx/a"),
        ("/home/me/src/*", "/home/me/src/．．/a"),
        ("https://example.com/*", "https://example.com/%2e%2e/x"),
        ("https://example.com/*", "https://example.com.evil.org/x"),
        ("https://example.com/*", "https://example.com@evil.org/x"),
        ("https://example.com*", "https://example.com.evil.org/x"),
        ("https://*.example.com/*", "https://evil.org/x.example.com/a"),
        ("https://*.example.com/*", "https://u@x.example.com/a"),
        ("https://*/*", "https://evil.org/a"),
        ("*", "https://evil.org/a"),
        ("http*", "https://evil.org/a"),
        ("https://example.com/*", "http://example.com/a"),
        ("", ""),
        ("", "ls"),
        ("a*a", "a"),
        ("*" * 501, "a"),
        ("*", "a" * 5_000),
    ],
)
def test_a_pattern_does_not_match(pattern: str, subject: str) -> None:
    assert not matches(pattern, subject)


@given(
    st.text("ab ./-", max_size=8),
    st.text("ab ./-*" + EVIL, max_size=12),
    st.text("ab ./-", max_size=8),
)
@example("git status ", "; rm -r /", "")
@example("src/", "../../etc/passwd", "")
@example("a.", "./b", "")
def test_a_star_never_stands_for_more_than_plain_text(
    begin: str, middle: str, end: str
) -> None:
    """Whatever a model writes in place of a star."""
    subject = begin + middle + end

    if matches(f"{begin}*{end}", subject):
        assert not set(middle) & set(EVIL)
        assert ".." not in subject


@given(st.text("a*;", max_size=6), st.text("ab;*\n", max_size=8))
def test_what_is_denied_covers_all_that_is_allowed(pattern: str, subject: str) -> None:
    if matches(pattern, subject):
        assert resembles(pattern, subject)


@given(
    st.sampled_from(["command", "diff", "arguments", "address"]),
    st.text("git status/.-:a" + EVIL, max_size=30),
)
def test_what_is_suggested_matches_and_is_plain(kind: str, subject: str) -> None:
    if pattern := suggest(kind, subject):
        assert matches(pattern, subject)
        assert not set(pattern) & set(EVIL)


@pytest.mark.parametrize(
    ("pattern", "subject", "matched"),
    [
        ("git log *", "git log --output=x", False),
        ("git log *", "git log -p --outp x", False),
        ("/usr/bin/git diff *", "/usr/bin/git diff --ext-diff", False),
        ("git log --output=*", "git log --output=x", True),
        ("git log *", "git log --oneline -p -- x", True),
        ("pandoc *", "pandoc --output=x", True),
        ("hg log *", "hg log --config a", False),
        ("go vet *", "go vet --vettool=./x", False),
        ("go build *", "go build -ldflags=-extld=./x", False),
        ("go build *", "go build -C /tmp/x", False),
        ("go list *", "go list -json -v ./x", True),
        ("pip list *", "pip list --log x", False),
        ("pip list *", "pip list -o --not-required", True),
        ("hg log *", "hg log --cwd /tmp/x", False),
        ("hg log *", "hg log -R/tmp/x", False),
        ("hg log *", "hg log -vR /tmp/x", False),
        ("hg log *", "hg log -l 5 -v", True),
        ("npm view *", "npm view x --git=./x", False),
        ("npm ls *", "npm ls --prefix /tmp/x", False),
        ("npm ls *", "npm ls --all", True),
        ("yarn list *", "yarn list --use-yarnrc ./x", False),
        ("yarn list *", "yarn list --cwd=/tmp/x", False),
        ("pnpm ls *", "pnpm ls -C /tmp/x", False),
        ("poetry show *", "poetry show -C/tmp/x", False),
        ("cargo check *", "cargo check -Zscript", False),
        ("cargo check *", "cargo check --workspace", True),
        ("git log *", "git log -C -M --stat", True),
        ("/home/me/src/*", "/home/me/src/a/b.py", True),
        ("/home/me/src/*", "/home/me/src/a.b/c.d", True),
        ("/home/me/src/*", "/home/me/src/.git/hooks/pre-commit", False),
        ("/home/me/src/*", "/home/me/src/a/.envrc", False),
        ("/home/me/src/*", "/home/me/src/.envrc", False),
        ("/home/me/src/.git/*", "/home/me/src/.git/config", True),
        ("/home/*/src/x", "/home/.me/src/x", False),
        ("git add *", "git add ./.env", True),
    ],
)
def test_a_star_is_no_option_that_runs_or_writes(
    pattern: str, subject: str, matched: bool
) -> None:
    assert matches(pattern, subject) == matched


@pytest.mark.parametrize(
    ("kind", "subject", "pattern"),
    [
        ("command", "git status --short", "git status *"),
        ("command", "git config alias.x y", "git config alias.x y"),
        ("command", "uv run x.py", "uv run x.py"),
        ("command", "git bisect run ./x", "git bisect run ./x"),
        ("command", "git grep -O./x y", "git grep -O./x y"),
        ("command", "git fetch --upload-pack=./x .", "git fetch --upload-pack=./x ."),
        ("command", "pip install x", "pip install x"),
        ("command", "rm -r build", "rm -r build"),
        ("command", "git status; rm -r /", ""),
        ("command", "bash -c 'x'", ""),
        ("command", "git ls-files -o", "git ls-files *"),
        *(
            ("command", command, command)
            for command in (
                *("git log --output=x", "git log --outp x", "git diff --ext-diff"),
                *("git show --textconv", "git ls-remote --upload-pack=x y"),
                *("git difftool -x ./x", "git mergetool", "git init --template=x"),
                *("git for-each-repo x", "git hook run x", "git svn x"),
                *("hg log --config x", "svn diff --diff-cmd ./x", "npm ci", "npm i x"),
                *("go build -toolexec ./x", "go vet --vettool=x", "go build -o x"),
                *("cargo build --config x", "cargo bench", "pip download x"),
                *("yarn anything", "pnpm add x", "poetry build", "uv sync"),
            )
        ),
        ("diff", "/home/me/src/a.py", "/home/me/src/*"),
        ("diff", "/etc/passwd", "/etc/passwd"),
        ("diff", "/home/me/src/.env", "/home/me/src/.env"),
        ("diff", "/home/me/.vim/after/a.vim", "/home/me/.vim/after/*"),
        ("arguments", "/home/me/src/../x", ""),
        ("address", "https://example.com/a/b", "https://example.com/*"),
        ("address", "https://user@example.com/a", ""),
        ("arguments", "", ""),
    ],
)
def test_a_suggestion_is_as_narrow_as_it_is_useful(
    kind: str, subject: str, pattern: str
) -> None:
    assert suggest(kind, subject) == pattern


def test_a_grant_is_for_one_tool_of_one_origin() -> None:
    grant = Grant("read", "files")

    assert grant.covers("read", "files", "/x")
    assert not grant.covers("read", "other", "/x")
    assert not grant.covers("write", "files", "/x")


def test_grants_are_kept_beside_the_other_choices_and_can_be_revoked(
    home: Path,
) -> None:
    file = paths.state_file()
    state.save(file, theme="sunset")
    grants.keep(Grant("run", pattern="git status *"))
    grants.keep(Grant("run", pattern="git status *"))
    grants.keep(Grant("write", "files"))
    state.save(file, stream=False)

    assert grants.stored() == [
        Grant("run", pattern="git status *"),
        Grant("write", "files"),
    ]
    assert state.load(file) == state.State("sunset", None, False)
    assert grants.revoke(Grant("write", "files"))
    assert not grants.revoke(Grant("write", "files"))
    assert grants.revoke(Grant("run", pattern="git status *"))
    assert grants.stored() == []
    assert "allowed" not in file.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "allowed = 1",
        '[[allowed]]\npattern = "*"',
        '[[allowed]]\ntool = "run"\npatern = "git status *"',
        '[[allowed]]\ntool = "run"\npattern = 1',
        "[[allowed",
        "\x00",
    ],
)
def test_what_is_damaged_allows_nothing(home: Path, text: str) -> None:
    paths.state_file().write_text(text)

    assert grants.stored() == []


def test_changes_from_several_threads_are_all_kept(home: Path) -> None:
    file = paths.state_file()
    threads = [
        threading.Thread(
            target=lambda n=n: state_file.change(
                file, lambda table: table.update({f"key{n}": n})
            )
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert state_file.read(file) == {f"key{n}": n for n in range(8)}
