"""Where files are kept, also for a user who has no home."""

import os
import shutil
import subprocess
import sys

import pytest
from support import ROOT

NOBODY = ["unshare", "--user", "--map-user=54321"]
"""Runs a command as a user who is in no list of users, as containers do."""


def without_home(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    if (
        not shutil.which(NOBODY[0])
        or subprocess.run([*NOBODY, "true"], capture_output=True).returncode
    ):
        pytest.skip("this machine gives no user of its own to a process")
    return subprocess.run(
        [*NOBODY, sys.executable, "-m", "tui", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "command", [["list"], ["ask", "-m", "starter", "What is 2 + 3?"], ["doctor"]]
)
def test_a_user_without_a_home_is_answered(tmp_path, command: list[str]):
    # Root would be able to write in what is taken for the home: nothing does so here.
    kept = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("STATE", "DATA", "CACHE")}

    done = without_home(*command, **kept)

    assert "Traceback" not in done.stdout + done.stderr
    assert "home directory" not in done.stdout + done.stderr


def test_lazychat_home_is_enough(tmp_path):
    done = without_home("list", LAZYCHAT_HOME=str(tmp_path))

    assert (done.returncode, done.stderr) == (0, "lazychat: no conversations yet\n")
