"""Each command of the help is run by something, and nothing else is."""

from tui.cli import RUN, options


def test_each_command_has_its_options_and_what_runs_it() -> None:
    assert set(RUN) == set(options.COMMANDS)
