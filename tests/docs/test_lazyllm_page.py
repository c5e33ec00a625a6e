"""The page on LazyLLM's names, held to the module."""

import pytest
from lazyllm_page import DIFFERS, PAGE, page

from tui import lazyllm
from tui.lazyllm.scope import ABSENT


def test_the_page_has_the_names_as_the_module_has_them() -> None:
    assert PAGE.read_text("utf-8") == page()


def test_the_page_says_nothing_of_names_that_are_not_there() -> None:
    assert set(DIFFERS) <= set(lazyllm.__all__)


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_no_name_is_both_offered_and_absent(name: str) -> None:
    assert name not in lazyllm.__all__
    assert not hasattr(lazyllm, name)
