"""The bundled tool that runs commands, with real processes."""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.errors import ToolError
from tui.events import ToolCallFinished, ToolProgressed
from tui.messages import ToolCall
from tui.tools import Tool, ToolBox
from tui.tools.bundled import children, commands
from tui.tools.bundled.commands import Commands
from tui.tools.bundled.confined import Folders
from tui.turn import Turn

pytestmark = pytest.mark.outside  # commands are processes

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Commands(Folders()).run_command


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def pids(file: Path, count: int) -> list[int]:
    """Return the process ids that a command writes into `file`, when all are there."""
    found: list[int] = []

    def there() -> bool:
        found[:] = map(int, file.read_text().split()) if file.exists() else []
        return len(found) == count

    wait_for(there)
    return found


# -- what comes back


def test_the_output_and_the_status_come_back(run):
    assert run("echo hello") == "hello\n[exit status 0]"
    assert run("false") == "[exit status 1]"
    assert run("sh -c 'echo out; echo err >&2; exit 3'") == "out\nerr\n[exit status 3]"
    assert run("sh -c 'kill -9 $$'") == "[ended by signal 9]"


def test_no_shell_reads_the_command_unless_asked(run):
    assert (
        run("echo $HOME '*' a;b | cat > x") == "$HOME * a;b | cat > x\n[exit status 0]"
    )
    assert run("echo a | tr a b; echo *", shell=True) == "b\n*\n[exit status 0]"


def test_it_runs_in_a_folder_within(run, tmp_path: Path):
    (tmp_path / "work" / "inner").mkdir()

    assert run("pwd", "inner").splitlines()[0] == str(tmp_path / "work" / "inner")
    with pytest.raises(ToolError, match="outside"):
        run("pwd", "..")
    with pytest.raises(ToolError, match="no such"):
        run("pwd", "nowhere")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("", "the command is empty"),
        ("   ", "the command is empty"),
        ("echo 'a", "the command cannot be read: no closing quotation"),
        ("echo \0", "the command has a NUL character"),
        ("echo \ud800", "the command cannot be read: "),
    ],
)
def test_what_is_no_command_is_refused(run, command, why):
    with pytest.raises(ToolError) as error:
        run(command)

    assert str(error.value).startswith(why)


def test_a_command_that_does_not_exist_is_named(run):
    assert run("no-such-program --x").splitlines() == [
        "no-such-program: No such file or directory",
        "[not found, or it cannot be started]",
    ]


def test_output_in_any_bytes_is_text(run):
    assert run(r"printf '\377caf\303\251\n'") == "\ufffdcafé\n[exit status 0]"


def test_of_much_output_the_start_and_the_end_are_kept(run):
    said = run("seq 1 100000")

    assert said.startswith("1\n2\n3\n")
    assert said.endswith("99999\n100000\n[exit status 0]")
    assert "characters left out" in said
    assert len(said) < 17_000


def test_endless_output_ends_the_command(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "_MOST_BYTES", 2_000_000)

    assert run("yes").endswith("[ended: more than 2 MB of output]")


# -- what it gets


def test_it_gets_no_input_and_no_terminal(run):
    assert run("cat") == "[exit status 0]"
    assert run("sh -c 'echo x > /dev/tty' ").endswith(
        "[exit status 2]"
    ) or "No such" in (run("sh -c 'echo x > /dev/tty'"))
    code = "import os; print(os.getsid(0) == os.getpid(), os.isatty(1))"
    assert run(f"{sys.executable} -c '{code}'").startswith("True False\n")


def test_it_gets_no_keys(run, monkeypatch: pytest.MonkeyPatch):
    for name in (
        "OPENAI_API_KEY",
        "ACME_TOKEN",
        "MY_SECRET_PATH",
        "DB_URL",
        "HF_TOKEN",
    ):
        monkeypatch.setenv(name, "sk-very-secret-0123")
    monkeypatch.setenv("LC_TIME", "C")

    said = run("env")

    assert "sk-very-secret" not in said
    assert "LC_TIME=C" in said
    assert f"PATH={os.environ['PATH']}" in said
    assert "LAZYCHAT" not in said
    assert "TERM=dumb" in said


def test_it_inherits_no_open_file(run, tmp_path: Path):
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        said = run("sh -c 'ls /proc/self/fd | wc -l'")

    assert int(said.split()[0]) <= 4  # three, and that of the folder that ls reads


# -- what is shown


def test_the_preview_is_the_command_line_that_runs(run, tmp_path: Path):
    preview = Commands(Folders()).preview

    plain = preview("git   status '*.py'", seconds=30)
    shell = preview("ls | wc -l", shell=True)

    assert plain.kind == "command"
    line, where = plain.text.split("\n")
    assert line == "git status '*.py'"
    assert where == f"(in {tmp_path}/work, 30 s at most; it can write anywhere)"
    assert plain.subject == "git status '*.py'"
    assert shell.subject == "/bin/sh -c 'ls | wc -l'"
    assert shell.text.startswith("/bin/sh -c 'ls | wc -l'\n")


def test_a_pattern_for_a_program_does_not_match_a_shell(run):
    """`git *` may be allowed for good: what a shell adds must not look like it."""
    assert Commands(Folders()).preview("git status; rm x").subject == (
        "git 'status;' rm x"
    )


# -- the end


def box(seconds: float = 60) -> ToolBox:
    tool = Tool(Commands(Folders()).run_command, timeout=seconds)
    return ToolBox([tool])


def test_output_is_reported_while_it_runs(run, tmp_path: Path):
    gate = tmp_path / "go"
    wish = f"sh -c 'echo first; until [ -e {gate} ]; do sleep 0.05; done; echo last'"
    events = box().run(ToolCall("c", "run_command", {"command": wish}))

    seen: list[str] = []
    for event in events:
        if isinstance(event, ToolProgressed):
            seen.append(event.text)
            gate.touch()

    assert seen == ["first", "last"]


TREE = """
import os, sys, time
file = open(sys.argv[1], "a", buffering=1)
def stay():
    os.write(file.fileno(), f"{os.getpid()}\\n".encode())
    time.sleep(600)
if os.fork() == 0:
    stay()                      # a child
if os.fork() == 0:
    os.setsid()                 # a child in a session of its own
    stay()
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()             # a daemon, whose parent has ended
        os.close(1), os.close(2)
        stay()
    os._exit(0)
if os.fork() == 0:
    import signal
    for number in (1, 2, 3, 15):
        signal.signal(number, signal.SIG_IGN)   # one that does not want to
    stay()
"""


@pytest.fixture
def tree(tmp_path: Path) -> tuple[str, Path]:
    """A command that leaves four processes, and the file with their ids."""
    program, file = tmp_path / "tree.py", tmp_path / "pids"
    program.write_text(TREE + "stay()\n")
    return f"{sys.executable} {program} {file}", file


@LINUX
def test_at_its_limit_all_its_processes_end(run, tree):
    command, file = tree

    said = run(command, seconds=2)

    assert said == "[ended after 2 seconds, with all its processes]"
    assert [pid for pid in pids(file, 5) if is_running(pid)] == []


@LINUX
@pytest.mark.parametrize("how", ["kill -9 $PPID", "kill -9 $PPID; exec sleep 600"])
def test_a_command_that_kills_its_supervisor_leaves_no_process(
    run, tree, tmp_path: Path, how: str
):
    command, file = tree
    (tmp_path / "tree.py").write_text(TREE)
    count = f"[ $(grep -c . {file}) -ge 4 ]"

    said = run(f"{command}; until {count}; do sleep 0.02; done; {how}", shell=True)

    assert "what watched over it was killed" in said
    assert [pid for pid in pids(file, 4) if is_running(pid)] == []


@LINUX
def test_what_a_command_leaves_running_ends_with_it(run, tree, tmp_path: Path):
    command, file = tree
    program = tmp_path / "tree.py"
    wait = f"\nwhile open({str(file)!r}).read().count('\\n') < 4: time.sleep(0.02)\n"
    program.write_text(TREE + wait)

    assert run(command) == "[exit status 0]"
    assert [pid for pid in pids(file, 4) if is_running(pid)] == []


@LINUX
def test_after_a_cancel_all_its_processes_end(run, tree):
    command, file = tree
    turn = Turn()
    events = box().run(ToolCall("c", "run_command", {"command": command}), turn)
    watcher = threading.Thread(target=lambda: (pids(file, 5), turn.cancel.request()))
    watcher.start()

    finished = [e for e in events if isinstance(e, ToolCallFinished)]

    watcher.join()
    # Its processes may take longer to end than the turn waits.
    assert (finished[0].error or "").startswith("cancelled")
    wait_for(lambda: not any(map(is_running, pids(file, 5))))


@LINUX
def test_at_the_limit_of_the_box_all_its_processes_end(run, tree):
    command, file = tree

    for _ in box(2).run(ToolCall("c", "run_command", {"command": command})):
        pass

    wait_for(lambda: not any(map(is_running, pids(file, 5))))


@LINUX
def test_when_lazychat_is_killed_all_its_processes_end(run, tree, tmp_path: Path):
    command, file = tree
    program = (
        "from tui.tools.bundled.commands import Commands\n"
        "from tui.tools.bundled.confined import Folders\n"
        f"Commands(Folders()).run_command({command!r})\n"
    )
    root = Path(__file__).parents[3]
    chat = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", program],
        {**os.environ, "PYTHONPATH": str(root)},
    )
    found = pids(file, 5)

    os.kill(chat, 9)
    os.waitpid(chat, 0)

    wait_for(lambda: not any(map(is_running, found)))


def children_now() -> set[int]:
    """Return the children of this process, also those that nobody has waited for."""
    return {
        int(child)
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text().split()
    }


def descriptors_now() -> int:
    gc.collect()  # of files that other tests have left
    return len(list(Path("/proc/self/fd").iterdir()))


@LINUX
def test_no_process_and_no_descriptor_stay(run):
    run("true")
    before, children = descriptors_now(), children_now()

    for _ in range(3):
        run("true")
        run("no-such-program")

    assert descriptors_now() == before
    assert children_now() - children == set()


def test_the_environment_is_a_list_of_what_is_known():
    own = {"PATH": "/bin", "GOPATH": "/go", "X": "1", "KEY_PATH": "k", "LC_ALL": "C"}

    kept = children.environment(own)

    assert {"PATH", "GOPATH", "LC_ALL"} <= kept.keys()
    assert not {"X", "KEY_PATH"} & kept.keys()


# -- a command that works against its end


def marked(mark: str) -> list[int]:
    """Return the running processes that have `mark` among their arguments."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in arguments and is_running(int(entry.name)):
            found.append(int(entry.name))
    return found


ORPHAN = "env -i setsid sh -c 'touch {files}/begun; sleep 60; :' {mark}"
"""Processes without the command's environment and session."""
OUTER = "$(cut -d ' ' -f 4 /proc/$PPID/stat)"


@LINUX
@pytest.mark.parametrize(
    "how",
    [
        "kill -9 $PPID",
        "kill -9 $PPID; exec sleep 60",
        f"kill -9 {OUTER}; exec sleep 60",
        f"kill -9 {OUTER} $PPID",
        f"kill -9 {OUTER} $PPID; exec sleep 60",
        "kill -STOP $PPID; exec sleep 60",
        f"kill -STOP $PPID {OUTER}; exec sleep 60",
    ],
)
def test_what_hides_and_attacks_its_supervisor_leaves_no_process(
    tmp_path: Path, how: str
):
    mark = f"lazychat-test-{tmp_path.name}-{os.getpid()}"
    begun, seen = tmp_path / "begun", tmp_path / "seen"
    orphan = ORPHAN.format(files=tmp_path, mark=mark)
    until = f"until [ -e {seen} ]; do sleep 0.02; done"
    line = f"{orphan} >/dev/null 2>&1 & {until}; {how}"
    looks: list[bool] = []

    def tick() -> None:
        looks.append(begun.exists())
        if looks[-2:] == [True, True]:
            seen.touch()

    folder = os.open(tmp_path, os.O_RDONLY)
    children.run(["/bin/sh", "-c", line], folder, 3, lambda _: True, tick)
    os.close(folder)

    assert seen.exists()
    assert marked(mark) == []
