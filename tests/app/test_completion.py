"""Tab after a slash: what is completed, gone through and said."""

import pytest
from support.pilot import opened

from tui.app.widgets.completion import Completion

pytestmark = pytest.mark.usefixtures("home")


def test_only_candidate_is_written_with_room_for_its_argument() -> None:
    becomes, told = Completion().complete("/ren")

    assert becomes == "/rename "
    assert "TITLE" in told


def test_what_all_candidates_begin_with_is_written_first() -> None:
    becomes, told = Completion().complete("/the")

    assert (becomes, told) == ("/theme ", "Choose a theme")
    assert Completion().complete("/comp")[0] == "/compact "
    becomes, told = Completion().complete("/ne")
    assert (becomes, told) == ("/ne", "/new /newer /next")


def test_further_tabs_go_through_the_candidates_and_round() -> None:
    completion = Completion()
    shown = ["/re"]
    for _ in range(6):
        shown.append(completion.complete(shown[-1])[0])

    names = ["/regenerate", "/rename", "/retry", "/revise"]
    assert shown == ["/re", "/re", *names, "/regenerate"]


def test_text_that_was_changed_is_completed_anew() -> None:
    completion = Completion()
    completion.complete("/re")
    completion.complete("/re")

    assert completion.complete("/ret")[0] == "/retry "


def test_name_that_others_begin_with_is_left_at_the_next_tab() -> None:
    completion = Completion()
    completion.complete("/new")

    assert completion.complete("/new")[0] == "/newer"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/xyz", "No command starts with /xyz"),
        ("/etc/hosts is odd", "No command starts with /etc/hosts"),
        ("/theme dusk", "Choose a theme"),
    ],
)
def test_what_cannot_be_completed_stays_and_is_told(text: str, told: str) -> None:
    assert Completion().complete(text) == (text, told)


async def test_tab_completes_a_command_and_elsewhere_moves_the_focus() -> None:
    async with opened() as chat:
        await chat.pilot.press("slash", "r", "e", "tab")
        await chat.until("/regenerate /rename /retry /revise")
        assert chat.screen.composer.has_focus
        await chat.pilot.press("v", "tab")
        await chat.until(lambda: chat.screen.composer.text == "/revise ")

        await chat.pilot.press("ctrl+u", "h", "i", "tab")

        await chat.until(lambda: not chat.screen.composer.has_focus)
        assert chat.screen.composer.text == "hi"
