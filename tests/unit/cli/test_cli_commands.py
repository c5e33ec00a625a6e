"""Each command of the help is run by something, and nothing else is."""

import argparse
import re
from collections.abc import Iterator

import pytest

from tui import i18n
from tui.cli import RUN, options


@pytest.fixture
def chinese() -> Iterator[None]:
    i18n.choose("zh")
    yield
    i18n.choose("en")


def test_each_command_has_its_options_and_what_runs_it() -> None:
    assert set(RUN) == set(options.COMMANDS)


@pytest.mark.parametrize("name", options.COMMANDS)
@pytest.mark.usefixtures("chinese")
def test_no_help_of_an_option_stays_in_english(name: str) -> None:
    parser = argparse.ArgumentParser()

    options.COMMANDS[name][1](parser)

    helps = [action.help or "" for action in parser._actions[1:]]
    assert not [help for help in helps if re.search(r"([a-z]+ ){3}", help)]
