"""Nothing of llama.cpp reaches the terminal that somebody else draws on."""

import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path

from support import ROOT

from tui.models.llama import starter_path

WATCHED = """
    import os, sys, threading
    from pathlib import Path
    from tui.errors import ModelError
    from tui.messages import Message
    from tui.models.llama import LlamaEngine, LlamaModel, Sampling, starter_path
    from tui.turn import Turn

    moved = []
    for name in ("dup", "dup2"):
        setattr(os, name, lambda *a, name=name: moved.append((name, a)))
    before = [os.fstat(fd)[:3] for fd in (1, 2)]
    done = threading.Event()
    looks = []

    def watch():
        while not done.wait(0.001):
            looks.append([os.fstat(fd)[:3] for fd in (1, 2)])

    watcher = threading.Thread(target=watch)
    watcher.start()
    engine = LlamaEngine(starter_path(), context=512)
    model = LlamaModel(engine, sampling=Sampling(temperature=0), max_tokens=5)
    events = list(model.generate([Message("user", "Hello")], [], Turn()))
    half = Path(sys.argv[1])
    half.write_bytes(starter_path().read_bytes()[:1_000_000])
    broken = LlamaEngine(half)
    try:
        with broken.hold():
            raise SystemExit("the damaged file was loaded")
    except ModelError:
        pass
    broken.close()
    model.close()
    done.set()
    watcher.join()
    assert len(events) > 2, events
    assert moved == [], moved
    assert len(looks) > 20, len(looks)
    assert all(look == before for look in looks)
"""

BUSY_AT_EXIT = """
    import threading
    from tui.errors import ModelError
    from tui.messages import Message
    from tui.models.llama import LlamaEngine, LlamaModel, starter_path
    from tui.turn import Turn

    engine = LlamaEngine(starter_path(), context=4096)
    spoke = threading.Event()

    def speak():
        question = [Message("user", "Count to one thousand. " * 8)]
        try:
            for event in LlamaModel(engine).generate(question, [], Turn()):
                spoke.set()
        except ModelError:  # broken off
            pass

    threading.Thread(target=speak, daemon=True).start()
    assert spoke.wait(60)
    {last}
"""


def run_on_pty(script: str, *args: str) -> tuple[int, bytes]:
    """Run `script` with a terminal as its output; return status and what it wrote."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *args],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    written = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not data:
            break
        written += data
    os.close(leader)
    return process.wait(60), written


def test_loading_and_speaking_write_nothing_and_leave_the_descriptors_alone(
    tmp_path: Path,
):
    assert run_on_pty(WATCHED, str(tmp_path / "half.gguf")) == (0, b"")


def test_a_process_may_end_while_a_thread_speaks():
    assert run_on_pty(BUSY_AT_EXIT.format(last="")) == (0, b"")


def test_a_process_may_end_while_a_thread_reads_and_another_loads(tmp_path: Path):
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(starter_path().read_bytes())
    script = BUSY_AT_EXIT.format(
        last=f"LlamaEngine({str(copy)!r}, context=256).preload()"
    )

    assert run_on_pty(script) == (0, b"")
