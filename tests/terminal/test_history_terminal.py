"""The list of conversations in a real terminal, over its real keys."""

from support.start import Start, ask


def test_search_over_the_keys_of_a_terminal(start: Start) -> None:
    """Ctrl+S is XOFF to a terminal that is not in raw mode: nothing would move."""
    terminal = start([{"text": "Take the *tram* 28."}, {"text": "Answer two."}])
    ask(terminal, "Lisbon?", "tram")
    terminal.press("ctrl+n")
    ask(terminal, "Second", "Answer two.")

    terminal.press("ctrl+s")
    terminal.wait_for("2 conversations")
    terminal.type("tram")
    terminal.wait_for("Take the")
    terminal.send(b"\r\x1b[1;2S")  # Enter and Shift+F4 at once: two commands

    terminal.wait_for("Answer two.")
    terminal.wait_for("2 open")
    terminal.press("f4")
    terminal.wait_for("Take the tram 28.")
    terminal.send(b"\x1b[1;5S")  # Ctrl+F4
    terminal.wait_for("Answer two.")
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_list_sends_nothing_while_nothing_happens(start: Start) -> None:
    terminal = start([{"text": "Answer one."}])
    ask(terminal, "First", "Answer one.")
    terminal.press("ctrl+s")
    terminal.wait_for("1 conversation")
    terminal.settle()

    assert terminal.written_within(2.5) == b""
