"""SIGKILL at random moments: what was on the screen is there again.

Twenty of the two hundred of docs/faults.md, which tests/faults.py tries.
"""

from pathlib import Path

import pytest
from support.crashes import Faults

# As for a user, nobody reaps the app at once.
pytestmark = pytest.mark.new_process


@pytest.mark.parametrize("seed", range(4))
def test_what_was_on_the_screen_outlives_a_kill(
    tmp_path: Path, home: Path, seed: int
) -> None:
    faults = Faults(tmp_path / "crashing", seed)

    trials = [faults.kill_once(restart=number == 4) for number in range(5)]

    assert [(trial.lost, trial.faults) for trial in trials] == [([], [])] * 5
    assert sum(trial.shown for trial in trials) > 0
