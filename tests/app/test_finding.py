"""Finding text in the open conversation: the field, the marks, n and N."""

import threading

import pytest
from support.pilot import Chat, opened
from textual.widgets import Input

from tui.app.transcript import finder as module
from tui.models.scripted import Think

pytestmark = pytest.mark.usefixtures("home")

POEM = "\n\n".join(f"Line {n} of the *poem*" for n in range(60))


async def answered(chat: Chat, count: int = 1) -> None:
    await chat.until(lambda: len(chat.screen.presenter.answers) >= count)
    await chat.ready()


async def asked(chat: Chat, *questions: str) -> None:
    for count, question in enumerate(questions, 1):
        await chat.ask(question)
        await answered(chat, count)


async def find(chat: Chat, words: str) -> None:
    """Open the field and type."""
    await chat.pilot.press("ctrl+f")
    await chat.until(lambda: isinstance(chat.screen.focused, Input))
    await chat.pilot.press(*(" " if c == " " else c for c in words))


def marked(chat: Chat) -> list[tuple[str, bool]]:
    """The found texts on the screen, and whether each is the current one."""
    pane = chat.screen.transcript
    found: list[tuple[str, bool]] = []
    for y in range(pane.size.height):
        index, number = pane._rows.locate(y + pane.scroll_offset.y)
        if index < len(pane.items):
            item = pane.items[index]
            text = item.line(number).text
            marks = pane.marks(item, number)
            found += [(text[a : min(b, len(text))], now) for a, b, now in marks]
    return found


async def test_letters_search_and_the_matches_are_counted_and_marked() -> None:
    async with opened(["Some **token** bucket.\n\n```python\ntoken = 1\n```"]) as chat:
        await asked(chat, "What is a Token?")

        await find(chat, "token")

        await chat.until("1 of 3")
        assert "ready" not in chat.text.splitlines()[-1]
        assert marked(chat) == [("Token", True), ("token", False), ("token", False)]
        styles = {
            segment.text: segment.style
            for y in range(12)
            for segment in chat.screen.transcript.render_line(y)
            if segment.style
        }
        assert styles["Token"].reverse
        assert styles["token"].underline
        assert not styles["token"].reverse


async def test_a_capital_makes_the_case_count() -> None:
    async with opened(["token Token TOKEN"]) as chat:
        await asked(chat, "Hi")
        await find(chat, "Token")
        await chat.until("1 of 1")
        assert marked(chat) == [("Token", True)]


@pytest.mark.parametrize(
    ("words", "total"),
    [("速率限制", 2), ("É", 1), ("a.b*", 1), ("<b>", 1), ("Ünïcode é", 1)],
)
async def test_chinese_and_marks_are_found_as_they_are_typed(words: str, total: int):
    text = "速率限制就是速率限制。\n\na.b* axbb `<b>` É ünïcode é"
    async with opened([text]) as chat:
        await asked(chat, "Hi")
        chat.screen.finding.find(words)
        await chat.until(f"1 of {total}" if words != "Ünïcode é" else "no match")


async def test_a_phrase_that_the_wrap_has_parted_is_found() -> None:
    text = "start " + "word " * 9 + "alpha beta gamma"
    async with opened([text], size=(60, 24)) as chat:
        await asked(chat, "Hi")
        chat.screen.finding.find("word word alpha beta gamma")
        await chat.until("1 of 1")
        assert "".join(part for part, _ in marked(chat)).count("word") == 2
        assert len(marked(chat)) > 1


async def test_enter_goes_to_the_pane_where_n_and_N_step_round() -> None:
    async with opened([POEM], size=(80, 24)) as chat:
        await asked(chat, "Poem")
        await find(chat, "poem")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.transcript.has_focus)
        first = chat.screen.transcript.finder.state.number
        assert chat.screen.transcript.finder.state.total == 61
        await chat.until(f"{first} of 61  n next  N previous")

        await chat.pilot.press("n")
        await chat.until(f"{first % 61 + 1} of 61")
        await chat.pilot.press("N", "N")
        await chat.until(f"{first - 1} of 61")
        for number in [61, 1, 61]:
            step = 1 if number == 1 else -1
            while chat.screen.transcript.finder.state.number != number:
                chat.screen.finding.step(step)
            await chat.until(f"{number} of 61")
            await chat.until(lambda: any(now for _, now in marked(chat)))

        await chat.pilot.press("escape")
        await chat.until(lambda: chat.screen.composer.has_focus)
        await chat.until(lambda: marked(chat) == [])


async def test_esc_returns_to_where_one_was() -> None:
    async with opened([POEM], size=(80, 24)) as chat:
        await asked(chat, "Poem")
        await chat.pilot.press("pageup")
        pane = chat.screen.transcript
        before = pane.scroll_offset.y
        assert not pane.following

        await find(chat, "Line 1 of")
        await chat.until("1 of 1")
        assert pane.scroll_offset.y != before
        await chat.pilot.press("escape")

        await chat.until(lambda: pane.scroll_offset.y == before)
        assert chat.screen.composer.has_focus
        await chat.until("ready")
        assert marked(chat) == []


async def test_up_and_down_step_while_the_field_is_open() -> None:
    async with opened(["one two one two one"]) as chat:
        await asked(chat, "Hi")
        await find(chat, "one")
        await chat.until("1 of 3")
        await chat.pilot.press("down")
        await chat.until("2 of 3")
        await chat.pilot.press("up", "up")
        await chat.until("3 of 3")
        await chat.pilot.press("shift+enter")
        await chat.until("2 of 3")


async def test_what_is_far_above_and_not_laid_out_is_found_too() -> None:
    async with opened([f"Answer {n}\n\n{POEM}" for n in range(8)]) as chat:
        await asked(chat, *(f"Question {n}" for n in range(8)))
        id = chat.screen.conversation

        async with opened([], id=id, size=(80, 24)) as again:
            await again.until("Line 59")
            pane = again.screen.transcript
            assert not pane.items[1].exact

            await find(again, "Answer 1")

            await again.until("1 of 1")
            await again.until(lambda: ("Answer 1", True) in marked(again))


async def test_the_nearest_match_above_comes_first_if_none_is_below() -> None:
    async with opened(["early word", "late word", POEM], size=(80, 24)) as chat:
        await asked(chat, "One", "Two", "Three")
        await find(chat, "word")
        await chat.until("2 of 2")
        assert ("word", True) in marked(chat)


async def test_reasoning_counts_only_while_it_is_unfolded() -> None:
    async with opened([[Think("a secret thought"), "Said."]]) as chat:
        await asked(chat, "Hi")
        await find(chat, "secret")
        await chat.until("no match")

        view = next(v for v in chat.screen.transcript.views if v.reasoning)
        chat.screen.transcript._toggle(chat.screen.transcript._indexes[view.message_id])

        await chat.until("1 of 1")


async def test_new_text_is_not_searched_for_each_piece() -> None:
    gate = threading.Event()
    async with opened(["word", ["word ", gate, "word"]]) as chat:
        await asked(chat, "Hi")
        await chat.ask("Again")
        await chat.until(lambda: chat.pane.count("word") == 2)
        await find(chat, "word")
        await chat.until("1 of 2")
        searched: list[object] = []
        search = module.matches.find_all

        def noted(*args: object) -> object:
            searched.append(args)
            return search(*args)  # pyright: ignore[reportArgumentType]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.matches, "find_all", noted)
            gate.set()
            await chat.until("1 of 3")
        assert len(searched) <= 3


async def test_typing_in_the_pane_without_a_search_writes_n_too() -> None:
    async with opened(["One."]) as chat:
        await asked(chat, "First")
        await chat.pilot.press("shift+tab")
        await chat.until(lambda: chat.screen.transcript.has_focus)

        await chat.pilot.press("n", "o", "w")

        await chat.until(lambda: chat.screen.composer.text == "now")


async def test_no_key_is_lost_between_composer_field_and_pane() -> None:
    async with opened(["xny xny xny"]) as chat:
        await asked(chat, "Hi")
        await chat.pilot.press("a", "ctrl+f", "x", "n", "enter", "n", "escape", "b")
        await chat.until(lambda: chat.screen.composer.text == "ab")
        assert not chat.screen.finding.active


async def test_slash_find_searches_and_goes_to_the_pane() -> None:
    async with opened(["token bucket"]) as chat:
        await asked(chat, "Hi")
        await chat.ask("/find bucket")
        await chat.until("1 of 1  n next")
        assert chat.screen.transcript.has_focus

        await chat.pilot.press("escape")
        await chat.until(lambda: chat.screen.composer.has_focus)
        await chat.ask("/find")
        await chat.until(lambda: chat.screen.prompt_bar.is_open)
        assert chat.screen.prompt_bar.field.value == "bucket"


async def test_a_change_of_the_width_keeps_the_match() -> None:
    async with opened([POEM], size=(120, 40)) as chat:
        await asked(chat, "Poem")
        chat.screen.finding.find("Line 7 of")
        await chat.until("1 of 1")

        await chat.pilot.resize_terminal(60, 20)

        await chat.until(lambda: chat.screen.transcript.size.width <= 60)
        chat.screen.finding.step(1)
        await chat.until(lambda: marked(chat) == [("Line 7 of", True)])


async def test_more_matches_than_are_counted_are_said_to_be_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    monkeypatch.setattr("tui.app.chat.finding.MOST", 20)
    async with opened([POEM]) as chat:
        await asked(chat, "Poem")
        await find(chat, "e")
        await chat.until("of 20+")


async def test_slash_find_without_a_match_stays_in_the_composer() -> None:
    async with opened(["word"]) as chat:
        await asked(chat, "Hi")

        await chat.ask("/find nothing")

        await chat.until("no match")
        assert chat.screen.focused is chat.screen.composer
        assert "n next" not in chat.text


async def test_no_match_is_not_final_while_an_answer_grows() -> None:
    gate = threading.Event()
    async with opened([["some ", gate, "word"]]) as chat:
        await chat.ask("Hi")
        await chat.until("some")

        await find(chat, "word")

        await chat.until("no match yet")
        gate.set()
        await chat.until("1 of 1")


async def test_an_answer_that_still_grows_is_searched_as_it_grows() -> None:
    gates = [threading.Event() for _ in range(3)]
    steps = ["first word\n\n", gates[0], "second word ", gates[1], "and more. "]
    async with opened([[*steps, gates[2], "Third word."]]) as chat:
        await chat.ask("Hi")
        await chat.until("first word")
        await find(chat, "word")
        await chat.until("1 of 1")

        gates[0].set()
        await chat.until("1 of 2")
        assert marked(chat) == [("word", True), ("word", False)]
        gates[1].set()
        await chat.until("and more.")
        assert ("word", True) in marked(chat)  # while it is not yet searched again

        await chat.pilot.press("down")
        await chat.until("2 of 2")
        gates[2].set()
        await chat.until("2 of 3")
