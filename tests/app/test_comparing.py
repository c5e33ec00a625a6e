"""The same question to two models: what is asked, shown and continued."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.pilot import Chat, opened

from tui.app.dialogs.choice import ChoiceScreen
from tui.errors import LogError, ModelError
from tui.events import TurnRequested
from tui.models.scripted import ScriptedModel, Step
from tui.runtime import runner, worker_registry
from tui.runtime.host import Host

pytestmark = pytest.mark.usefixtures("home")

OTHER = """
[models.other]
provider = "openai"
base_url = "http://127.0.0.1:9"
model = "other"
"""
BOTH = "Two answers: Tab, then [ shows starter, ] shows other"


class Two:
    """A chat with the model `starter`, and the model `other` beside it."""

    def __init__(self, chat: Chat, other: ScriptedModel) -> None:
        self.chat = chat
        self.other = other

    def told(self) -> list[list[str]]:
        """What each request told the other model, without the system message."""
        return [
            [m.text for m in request.messages if m.role != "system"]
            for request in self.other.requests
        ]


@asynccontextmanager
async def two(
    script: Iterable[str | Iterable[Step]], other: Iterable[str | Iterable[Step]]
) -> AsyncIterator[Two]:
    async with opened(script, OTHER) as chat:
        model = ScriptedModel(other, name="other")
        chat.host.models._models["other"] = model
        yield Two(chat, model)


async def test_both_models_answer_a_new_question_one_after_the_other() -> None:
    goes_on = threading.Event()
    async with two([["One ", goes_on, "by starter."], "Next."], ["By other."]) as both:
        chat = both.chat
        await chat.ask("/compare other Which?")
        await chat.until("One")
        await chat.until("Queued: an answer of other")
        assert both.told() == []
        goes_on.set()
        await chat.until("By other.")
        await chat.until(BOTH)

        assert both.told() == [["Which?"]]
        await chat.until("‹ 2/2 ›")
        assert "One by starter." not in chat.pane
        assert "other ·" in chat.pane  # the footer
        assert chat.screen.model == "starter"
        await chat.pilot.press("tab", "[")
        await chat.until("One by starter.")
        assert "By other." not in chat.pane
        assert "starter ·" in chat.pane

        await chat.pilot.press("escape")
        await chat.ask("And now?")
        await chat.until("Next.")
        texts = [m.text for m in chat.model.requests[-1].messages]
        assert texts[-3:] == ["Which?", "One by starter.", "And now?"]


async def test_without_a_question_the_last_one_is_taken_with_its_answer() -> None:
    async with two(["By starter."], ["By other."]) as both:
        await both.chat.ask("Which?")
        await both.chat.until("By starter.")
        await both.chat.ready()

        await both.chat.ask("/compare other")
        await both.chat.until(BOTH)

        assert both.told() == [["Which?"]]
        assert len(both.chat.model.requests) == 1


async def test_a_list_of_the_other_models_opens_without_an_argument() -> None:
    async with two(["By starter."], ["By other."]) as both:
        chat = both.chat
        await chat.ask("Which?")
        await chat.until("By starter.")
        await chat.ready()

        await chat.ask("/compare")
        await chat.until(lambda: isinstance(chat.app.screen, ChoiceScreen))
        await chat.until("Compare with")
        await chat.pilot.press("enter")
        await chat.until(BOTH)

        assert both.told() == [["Which?"]]


async def test_an_unknown_model_is_named_and_nothing_is_asked() -> None:
    async with two(["By starter."], []) as both:
        await both.chat.ask("/compare othr Which?")

        await both.chat.until("othr")
        await both.chat.until(
            lambda: both.chat.screen.composer.text == "/compare othr Which?"
        )
        assert 'Did you mean "other"?' in " ".join(both.chat.text.split())
        log = both.chat.host.log
        assert not [r for r in log.read() if isinstance(r.event, TurnRequested)]


async def test_nothing_is_compared_before_the_first_question() -> None:
    async with two([], []) as both:
        await both.chat.ask("/compare other")

        await both.chat.until("No question yet")
        assert both.chat.screen.composer.text == "/compare other "


async def test_a_second_model_that_fails_leaves_the_first_answer() -> None:
    async with two(["By starter."], [[ModelError("Out of order.")]]) as both:
        await both.chat.ask("/compare other Which?")
        await both.chat.until("other has not answered")

        assert "By starter." in both.chat.pane
        assert "Out of order." in both.chat.pane
        assert "Two answers" not in both.chat.pane


async def test_a_first_model_that_fails_leaves_the_second_answer() -> None:
    async with two([[ModelError("Out of order.")]], ["By other."]) as both:
        await both.chat.ask("/compare other Which?")
        await both.chat.until("starter has not answered: Out of order.")

        assert "By other." in both.chat.pane
        assert both.told() == [["Which?"]]


async def test_escape_stops_only_the_running_answer() -> None:
    never = threading.Event()
    async with two([["Half ", never]], ["By other."]) as both:
        await both.chat.ask("/compare other Which?")
        await both.chat.until("Half")
        await both.chat.pilot.press("escape")

        await both.chat.until(BOTH)
        assert "By other." in both.chat.pane
        assert both.chat.screen.composer.text == ""


async def test_escape_twice_keeps_the_answered_question_out_of_the_composer() -> None:
    never = threading.Event()
    async with two([["Half ", never]], [["Some ", never]]) as both:
        chat = both.chat
        await chat.ask("/compare other Which?")
        await chat.until("Half")
        await chat.pilot.press("escape")
        await chat.until("Some")
        await chat.pilot.press("escape")

        await chat.until(BOTH)
        assert chat.screen.composer.text == ""


async def test_the_second_request_can_be_taken_back() -> None:
    goes_on = threading.Event()
    async with two([["One ", goes_on, "by starter."]], []) as both:
        chat = both.chat
        await chat.ask("/compare other Which?")
        await chat.until("Queued: an answer of other")
        await chat.pilot.press("alt+up")
        await chat.until("Taken back: an answer of other")
        goes_on.set()
        await chat.until("One by starter.")
        await chat.ready()

        assert both.told() == []


async def test_a_refused_question_goes_back_into_the_composer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise LogError("disk full")

    async with two([], []) as both:
        monkeypatch.setattr(runner, "request_each", refuse)
        await both.chat.ask("/compare other Which?")

        await both.chat.until("disk full")
        assert both.chat.screen.composer.text == "/compare other Which?"


async def test_attached_files_go_to_both(home: Path) -> None:
    (home / "notes.txt").write_text("the notes")
    async with two(["By starter."], ["By other."]) as both:
        chat = both.chat
        await chat.ask(f"/attach {home / 'notes.txt'}")
        await chat.until(lambda: chat.screen.composer.files)
        await chat.ask("/compare other Which?")
        await chat.until(BOTH)

        for model in (chat.model, both.other):
            question = model.requests[0].messages[-1]
            assert [file.name for file in question.attachments] == ["notes.txt"]
        assert chat.screen.composer.files == ()


async def test_the_line_is_there_when_the_conversation_is_opened_again() -> None:
    async with two(["By starter."], ["By other."]) as both:
        chat = both.chat
        await chat.ask("/compare other Which?")
        await chat.until(BOTH)
        id = chat.screen.conversation
        await chat.ask("/new")
        await chat.until(lambda: chat.screen.conversation != id)
        await asyncio.to_thread(chat.app.backend.store.flush)
        chat.app.tabs.open(id)

        await chat.until(BOTH)


async def test_both_answers_are_requested_from_one_runner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker would not wait for the answer of this process, nor know its question."""

    def runner_for(host: Host, model: str, _: object) -> str:
        return host.runner.id if model == "starter" else "a worker"

    async with two(["By starter."], ["By other."]) as both:
        monkeypatch.setattr(worker_registry, "runner_for", runner_for)
        await both.chat.ask("/compare other Which?")
        await both.chat.until(BOTH)

        log, here = both.chat.host.log, both.chat.host.runner.id
        asked = [r.event for r in log.read() if isinstance(r.event, TurnRequested)]
        assert [(it.model, it.runner) for it in asked] == [
            ("starter", here),
            ("other", here),
        ]


async def test_the_name_of_a_model_may_have_spaces() -> None:
    async with two(["By starter."], []) as both:
        spaced = ScriptedModel(["By it."], name="my model")
        config = both.chat.host.config.models
        config["my model"] = config["other"]
        both.chat.host.models._models["my model"] = spaced

        await both.chat.ask("/compare my model Which?")
        await both.chat.until("By it.")

        assert spaced.requests[0].messages[-1].text == "Which?"
