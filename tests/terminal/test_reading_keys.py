"""The keys of find, reasoning and effort, as a terminal sends them."""

from support.start import Start, ask

REPLY = [
    {"steps": [{"reasoning": "a hidden thought"}, {"text": "A token, a word."}]},
]


def test_alt_r_shows_reasoning_and_types_nothing(start: Start) -> None:
    terminal = start(REPLY)
    ask(terminal, "Hi", "A token, a word.")

    terminal.type("\x1br")

    terminal.wait_for("a hidden thought")
    terminal.wait_for("Reasoning shown")
    terminal.type("\x1be")
    terminal.wait_for("scripted has no reasoning effort")
    terminal.wait_for("Message (Enter")  # nothing was typed


def test_ctrl_f_finds_counts_and_returns(start: Start) -> None:
    terminal = start(REPLY, environment={"NO_COLOR": "1"})
    ask(terminal, "A token?", "A token, a word.")

    terminal.type("\x06token")
    terminal.wait_for("1 of 2")
    assert b"\x1b[7" in terminal.raw or b";7m" in terminal.raw
    terminal.press("enter")
    terminal.wait_for("n next")
    terminal.type("n")
    terminal.wait_for("2 of 2  n next")
    terminal.press("escape")

    terminal.wait_for(lambda t: "ready" in t.row(-1) and "of 2" not in t.row(-1))
