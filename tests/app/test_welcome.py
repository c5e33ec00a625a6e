"""What a conversation shows before its first message."""

import pytest
from support.pilot import Chat, opened

from tui.app.transcript.welcome import NAME, Row, Welcome
from tui.conversation import store
from tui.events import MessageAdded
from tui.messages import Message

pytestmark = pytest.mark.usefixtures("home")

ROWS = [
    Row("Model", "qwen3-8b", "Ctrl+L", "choose", 9),
    Row("Recent", "Rates", "F5", "open · 2 min", 5),
    Row("Recent", "Ships", "F6", "open · 1 h", 4),
    Row("Try", "“Roll two dice”", importance=6),
    Row("Keys", "all keys and commands", "F1", "help", 7),
]


def laid_out(width: int, room: int, *, first: bool = True) -> list[str]:
    welcome = Welcome(first=first)
    welcome.rows, welcome.room = ROWS, room
    welcome.resize(width)
    return [line.text.rstrip() for line in welcome.lines()]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("room", [2, 5, 8, 12, 30])
def test_it_fits_every_window(width: int, room: int) -> None:
    lines = laid_out(width, room)

    assert len([line for line in lines if line]) <= max(room, 1)
    assert all(len(line) < width for line in lines)
    assert any("Model" in line for line in lines)


@pytest.mark.parametrize("width", [24, 36, 40, 60, 80])
def test_narrow_windows_get_whole_sentences(width: int) -> None:
    tries = Row("Try", "“Roll two dice”  “What's 17 % of 2,340?”", importance=6)
    welcome = Welcome(first=True)
    welcome.rows, welcome.room = [ROWS[0], tries], 20
    welcome.resize(width)
    text = "\n".join(line.text for line in welcome.lines())

    assert "…" not in text or width < 30
    assert text.count("“") == text.count("”") or width < 30
    assert ("SSH connection" in text) == (width >= 36)


def test_it_stands_in_the_middle_of_a_wide_window() -> None:
    narrow, wide = laid_out(79, 20), laid_out(180, 20)

    text = [line for line in wide if line]
    left = min(len(line) - len(line.lstrip()) for line in text)
    assert abs(left - (180 - 76) // 2) <= 2
    assert [line.strip() for line in text] == [line.strip() for line in narrow if line]


def test_small_windows_leave_out_the_least_important() -> None:
    text = "\n".join(laid_out(80, 5))

    assert NAME not in text
    assert "F1 help" in text
    assert "Ships" not in text


def test_a_later_conversation_does_not_repeat_the_name() -> None:
    assert NAME in "\n".join(laid_out(80, 20))
    assert NAME not in "\n".join(laid_out(80, 20, first=False))


def kept(chat: Chat, *titles: str) -> None:
    for n, title in enumerate(titles):
        message = MessageAdded(f"m{n}", Message("user", title))
        chat.host.log.append(f"c{n}", message).result()


async def test_it_says_what_this_is_and_goes_with_the_first_message() -> None:
    async with opened(["One."], size=(80, 24)) as chat:
        await chat.until(NAME)
        assert "answers that outlive your SSH connection" in chat.text
        assert "Ctrl+L choose" in chat.text

        await chat.ask("First")
        await chat.until("One.")

        assert NAME not in chat.pane
        assert chat.pane.startswith("▌ First")


async def test_notes_stay_below_it_and_stay_when_it_goes() -> None:
    async with opened(["One."], size=(80, 24)) as chat:
        await chat.until(NAME)
        chat.screen.transcript.add_note("Something is wrong")
        await chat.until("Something is wrong")
        assert NAME in chat.text

        await chat.ask("First")
        await chat.until("One.")
        assert "Something is wrong" in chat.pane


async def test_a_key_opens_a_conversation_that_was_used_before() -> None:
    async with opened(["One."], size=(80, 24)) as chat:
        await chat.ask("Hello")
        await chat.until("One.")
        kept(chat, "Rates", "Ships")
        assert len(store.recent(chat.host.log)) == 3
        await chat.pilot.press("ctrl+n")
        await chat.until("F7 open")
        assert "Ships" in chat.text

        row = next(row for row in chat.text.split("\n") if "F6 open" in row)
        await chat.pilot.press("f6")

        await chat.until(lambda: not chat.screen.first_screen.shown)
        await chat.until(lambda: chat.screen.presenter.fold.questions)
        assert chat.screen.presenter.fold.questions[0] in row


async def test_the_keys_do_nothing_once_there_is_a_message() -> None:
    async with opened(["One.", "Two."]) as chat:
        kept(chat, "Rates")
        await chat.ask("Hello")
        await chat.until("One.")
        await chat.pilot.press("f5", "f6", "f7")

        await chat.ask("Again")
        await chat.until("Two.")


async def test_another_model_and_found_ones_are_shown_there() -> None:
    toml = '[models.mine]\nprovider = "openai"\nbase_url = "http://127.0.0.1:9/v1"'
    async with opened(toml=toml, size=(80, 24)) as chat:
        await chat.until("starter (135M")
        chat.app.choose_model("mine")
        await chat.until("Model    mine")
        assert chat.screen.first_screen.found("Ollama: qwen3:8b")
        await chat.until("Found    Ollama: qwen3:8b")
        await chat.pilot.resize_terminal(60, 11)
        await chat.until(lambda: NAME not in chat.text)
        assert "Model    mine" in chat.text


async def test_a_key_that_the_user_has_given_away_keeps_its_meaning() -> None:
    async with opened(["One."], '[keys]\nstream = "f5"', size=(80, 24)) as chat:
        kept(chat, "Rates", "Ships")
        await chat.ask("Hello")
        await chat.until("One.")
        await chat.pilot.press("ctrl+n")
        await chat.until("F7 open")
        assert "F5" not in chat.text

        await chat.pilot.press("f5")
        await chat.until("stream off")
