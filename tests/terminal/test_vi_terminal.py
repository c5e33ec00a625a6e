"""Vi keys in a real terminal: the shape of its cursor."""

from support.start import Start


def test_the_cursor_has_the_shape_of_the_mode_and_is_reset(start: Start) -> None:
    terminal = start(config={"vi_keys": True})
    terminal.wait_for("─ insert ─")
    terminal.wait_for(lambda t: b"\x1b[6 q" in t.raw)

    terminal.type("ab")
    terminal.press("escape")
    terminal.wait_for("─ normal ─")
    terminal.wait_for(lambda t: b"\x1b[2 q" in t.raw)
    assert b"\x1b[0 q" not in terminal.raw
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.raw.rindex(b"\x1b[0 q") > terminal.raw.rindex(b"\x1b[2 q")
    assert terminal.left_on() == set()


def test_without_vi_the_cursor_is_left_alone(start: Start) -> None:
    terminal = start()
    terminal.type("ab")
    terminal.wait_for("ab")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert b"\x1b[2 q" not in terminal.raw
