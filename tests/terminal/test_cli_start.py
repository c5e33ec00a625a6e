"""The first moments of the command."""

import subprocess
import sys

INTERRUPTED = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "tui.cli.options":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from tui.__main__ import main
sys.exit(main())
"""


def test_ctrl_c_while_python_loads_the_program_ends_it_without_a_traceback():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_number_that_is_none_is_said_in_plain_words(home):
    done = subprocess.run(
        [sys.executable, "-m", "tui", "list", "-n", "x"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert "a whole number" in done.stderr
    assert "_count" not in done.stderr
