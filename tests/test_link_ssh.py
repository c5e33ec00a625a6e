"""The app over a real ssh, near and far."""

from conftest import Start
from ssh import Link


def test_an_answer_is_whole_and_the_terminal_is_given_back(start_remote: Start) -> None:
    terminal = start_remote([{"text": "Hi."}])
    terminal.type("Hello")
    terminal.press("enter")
    terminal.wait_for("Hi.")

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_a_cut_line_ends_the_client(start_remote: Start, link: Link) -> None:
    terminal = start_remote([])

    link.relay.cut()

    assert terminal.wait_exit() == 255


def test_a_frozen_line_carries_nothing_until_it_thaws(
    start_remote: Start, link: Link
) -> None:
    terminal = start_remote([])

    link.relay.freeze()
    terminal.type("typed")
    assert terminal.written_within(0.3) == b""
    link.relay.thaw()

    terminal.wait_for("typed")
