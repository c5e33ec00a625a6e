"""Titles that models write, with a server and real terminals."""

import pytest
from support.fakes.sse_server import DONE, Pause, SSEServer, finish, text, usage
from support.start import Start, ask
from support.terminal import Terminal

from tui import conversation
from tui.eventlog import EventLog

TITLES = {"LAZYCHAT_TITLES": "model"}


@pytest.fixture
def settings(server: SSEServer) -> str:
    return (
        'model = "remote"\n[models.remote]\nprovider = "openai"\nmodel = "x"\n'
        f'base_url = "{server.url}"\ncontext = 9000\n'
        "price = { input = 1, output = 10 }\n"
    )


def header(terminal: Terminal) -> str:
    return terminal.row(0)


def test_both_terminals_show_the_title(
    start: Start, server: SSEServer, settings: str
) -> None:
    written = Pause()
    server.answer(text("Fine."), finish(), usage(100, 10), DONE)
    server.answer(written, text('"Small talk."'), finish(), usage(1000, 100), DONE)
    first = start(config=settings, environment=TITLES)
    ask(first, "How are you?", "Fine.")
    written.reached()
    second = start(None, "-c", config=settings, environment=TITLES)
    second.wait_for("Fine.")
    second.wait_for(lambda t: "How are you?" in header(t))

    written.go()

    first.wait_for(lambda t: "Small talk" in header(t))
    second.wait_for(lambda t: "Small talk" in header(t))
    assert "100 in / 10 out" in first.row(-1)  # those of the answer
    ask(second, "/cost")
    second.wait_for("$0.0022")
    assert len(server.asked) == 2


def test_quitting_does_not_wait_for_the_title(
    start: Start, server: SSEServer, settings: str, log: EventLog
) -> None:
    written = Pause()
    server.answer(text("Fine."), finish(), usage(100, 10), DONE)
    server.answer(written, text("Small talk"), finish(), DONE)
    terminal = start(config=settings, environment=TITLES)
    ask(terminal, "How are you?", "Fine.")
    written.reached()

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert server.gone.wait(30)
    assert [it.title for it in conversation.recent(log)] == ["How are you?"]


def test_the_next_question_does_not_wait_for_the_title(
    start: Start, server: SSEServer, settings: str, log: EventLog
) -> None:
    never = Pause()
    server.answer(text("Fine."), finish(), usage(100, 10), DONE)
    server.answer(never, text("Too late"), finish(), DONE)
    server.answer(text("Still fine."), finish(), usage(100, 10), DONE)
    server.answer(text("Small talk"), finish(), usage(100, 10), DONE)
    terminal = start(config=settings, environment=TITLES)
    ask(terminal, "How are you?", "Fine.")
    never.reached()

    ask(terminal, "And now?", "Still fine.")

    terminal.wait_for(lambda t: "Small talk" in header(t))
    assert server.gone.wait(30)
