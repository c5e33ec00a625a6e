"""A home for each test: the app remembers what a user has chosen."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home_of_its_own(home: Path) -> Path:
    """Use no state that another test has left, and leave none to the developer."""
    return home
