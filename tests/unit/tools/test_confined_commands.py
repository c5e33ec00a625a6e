"""What a confined command may write and read, with real processes."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.config import ToolsConfig
from tui.tools.bundled import bundled, confinement, landlock
from tui.tools.bundled.commands import Commands
from tui.tools.bundled.confined import Folders
from tui.tools.bundled.confinement import Confinement

pytestmark = [
    pytest.mark.outside,  # commands are processes
    pytest.mark.skipif(
        not landlock.is_available(), reason="needs Landlock of Linux 6.2"
    ),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """lazychat's folder, with a key; the current folder is another one."""
    home = tmp_path / "home" / "lazychat"
    home.mkdir(parents=True)
    (home / "keys.toml").write_text("key = 'sk-hidden'")
    (home.parent / "notes").write_text("a note")
    for name in ("work", "temporary", "cache"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LAZYCHAT_HOME", str(home))
    monkeypatch.chdir(tmp_path / "work")
    own = [str(tmp_path / "temporary")]
    # The real one is the folder in which the files of this test are.
    monkeypatch.setattr(confinement, "temporary_folders", lambda: own)
    return home


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Callable[[str], str]:
    folders = Folders()
    tool = Commands(folders, Confinement(folders, [str(tmp_path / "cache")]))
    return lambda command: tool.run_command(command, shell=True)


def test_it_writes_in_the_folders_and_in_temporary_ones(run, tmp_path: Path):
    wish = (
        "mkdir -p a/b && echo x > a/b/f && mv a/b/f a/g && ln -s g a/h && cat a/h "
        f"&& echo y > {tmp_path}/temporary/f && echo z > {tmp_path}/cache/f "
        "&& echo > /dev/null && rm -r a"
    )

    assert run(wish) == "x\n[exit status 0]"
    assert (tmp_path / "cache" / "f").read_text() == "z\n"


@pytest.mark.parametrize(
    "wish",
    [
        "echo x > {out}/new",
        "echo x >> {out}/old",
        ": > {out}/old",
        "rm {out}/old",
        "mv {out}/old old",
        "mv mine {out}/mine",
        "mkdir {out}/folder",
        "ln -s /etc/passwd {out}/link",
        "ln {out}/old hard && echo x > hard",
        "ln -s {out} way && echo x > way/new",
        "truncate -s 0 {out}/old",
        "mkfifo {out}/pipe",
        "echo x > /proc/self/root{out}/new",
        "cd {out} && echo x > new",
        "setsid sh -c 'echo x > {out}/new'",
    ],
)
def test_it_writes_nowhere_else(run, tmp_path: Path, wish: str):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")
    (tmp_path / "work" / "mine").write_text("mine")

    said = run(wish.format(out=out))

    assert [(f.name, f.read_text()) for f in out.iterdir()] == [("old", "old")]
    assert "[exit status 0]" not in said


def test_what_is_refused_is_explained(run, tmp_path: Path):
    said = run(f"echo x > {tmp_path}/new")

    assert f"Commands may write only in {tmp_path}/work, {tmp_path}/cache" in said
    assert "command_folders under [tools]" in said


def test_it_reads_everything_but_what_is_lazychats(run, home: Path, tmp_path: Path):
    (home.parent / "link").symlink_to(home)
    (home / "lazychat.db").write_text("what was said")
    (home / "tools").mkdir()
    (home / "tools" / "own.py").write_text("a tool")

    assert run(f"cat {home.parent}/notes") == "a note\n[exit status 0]"
    for name in ("lazychat.db", "tools/own.py"):
        assert "ermission denied" in run(f"cat {home}/{name}")
    for path in (home, home.parent / "link", f"/proc/self/root{home}"):
        assert "sk-hidden" not in run(f"cat {path}/keys.toml")
    assert "sk-hidden" not in run(f"cp -r {home} mine; cat mine/keys.toml")


@pytest.fixture
def within(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Runs in a folder that has lazychat's own below it, as a home folder has."""
    (home / "tools").mkdir()
    (home / "config.toml").write_text("mine")
    (home.parent / "project").mkdir()
    (home.parent / "link").symlink_to(home)
    monkeypatch.chdir(home.parent)
    folders = Folders()
    tool = Commands(folders, Confinement(folders))
    return lambda command: tool.run_command(command, shell=True)


@pytest.mark.parametrize(
    "wish",
    [
        "cat lazychat/keys.toml",
        "cat link/keys.toml",
        "ln lazychat/keys.toml project/k; cat project/k",
        "cp -r lazychat project/; cat project/lazychat/keys.toml",
        "mv lazychat project/l; cat project/l/keys.toml",
        "echo evil > lazychat/config.toml",
        "echo evil > link/config.toml",
        "echo evil > lazychat/tools/evil.py",
        "rm lazychat/config.toml",
        "mv lazychat project/l",
        "rm -r lazychat",
        "truncate -s 0 lazychat/config.toml",
        "cd project && ln -s .. up && echo evil > up/lazychat/config.toml",
    ],
)
def test_what_is_lazychats_is_hidden_below_the_folders_too(
    within: Callable[[str], str], home: Path, wish: str
):
    said = within(wish)

    assert "sk-hidden" not in said
    assert (home / "config.toml").read_text() == "mine"
    assert (home / "keys.toml").read_text() == "key = 'sk-hidden'"
    assert list((home / "tools").iterdir()) == []


def test_beside_it_everything_else_can_be_changed(
    within: Callable[[str], str], home: Path
):
    said = within("echo x >> notes && echo y > project/new && cat notes project/new")

    assert said == "a notex\ny\n[exit status 0]"
    said = within("echo z > new")
    assert f"lazychat's own files are below {home.parent}" in said


def test_it_does_not_look_into_lazychat(run):
    """Its environment may have keys."""
    # Root may read an environment without the right to trace.
    files = ["mem"] if os.geteuid() == 0 else ["mem", "environ"]

    for name in files:
        said = run(f"head -c 1 /proc/{os.getpid()}/{name} | wc -c")
        assert "ermission denied" in said


def test_a_command_that_does_not_exist_is_named(home: Path):
    folders = Folders()

    said = Commands(folders, Confinement(folders)).run_command("no-such-program")

    assert said.splitlines() == [
        "no-such-program: No such file or directory",
        "[not found, or it cannot be started]",
    ]


def test_a_pipe_ends_its_writer(run):
    assert run("yes | head -1") == "y\n[exit status 0]"
    ignored = int(run("grep SigIgn /proc/self/status").split()[1], 16)
    assert not ignored >> (signal.SIGPIPE - 1) & 1


@pytest.mark.parametrize("confined", [True, False])
def test_the_configuration_decides(home: Path, tmp_path: Path, confined: bool):
    tools = bundled(ToolsConfig(confine_commands=confined))
    tool = next(tool for tool in tools if tool.name == "run_command")

    tool(command=f"touch {tmp_path}/new")

    assert (tmp_path / "new").exists() is not confined


def test_what_is_not_confined_says_so_before_it_runs(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    folders = Folders()
    confined = Commands(folders, Confinement(folders)).preview("true")
    monkeypatch.setattr(landlock, "is_available", lambda: False)
    free = Commands(folders, Confinement(folders)).preview("true")

    assert confined.text.endswith("60 s at most)")
    assert free.text.endswith("60 s at most; it can write anywhere)")
