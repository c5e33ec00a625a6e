"""A local model reads what prompts begin with, while the question is typed."""

import threading

import pytest
from support.pilot import LIMIT, opened

from tui.models.scripted import ScriptedModel
from tui.runtime.local_models import LocalModels

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were told to read ahead; none counts as the starter."""
    names: list[str] = []
    monkeypatch.setattr(LocalModels, "warm", lambda _, name: names.append(name))
    monkeypatch.setattr("tui.models.catalog.ModelCatalog.is_starter", lambda *_: False)
    return names


async def test_it_begins_with_the_first_letter_and_once(told: list[str]) -> None:
    async with opened() as chat:
        await chat.until(lambda: not chat.screen.presenter.loading)
        assert told == []

        await chat.pilot.press("h", "i")

        await chat.until(lambda: told == [chat.screen.model])
        await chat.pilot.press("!")
        await chat.until(lambda: chat.screen.composer.text == "hi!")
        assert told == [chat.screen.model]


async def test_what_is_typed_while_the_model_loads_counts_too(told: list[str]) -> None:
    loaded = threading.Event()

    class Slow(ScriptedModel):
        def preload(self) -> None:
            loaded.wait(LIMIT)

    async with opened(model=Slow([])) as chat:
        await chat.pilot.press("h", "i")
        await chat.until("loading")
        assert told == []

        loaded.set()

        await chat.until(lambda: told == [chat.screen.model])
