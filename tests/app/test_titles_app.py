"""Titles that models write, as screens show them."""

import threading

import pytest
from support.pilot import opened

from tui.models.scripted import ScriptedModel
from tui.runtime.host import Host

pytestmark = pytest.mark.usefixtures("home")

SERVER = (
    'model = "remote"\n[models.remote]\nprovider = "openai"\nmodel = "x"\n'
    'base_url = "http://127.0.0.1:1"\n'
)


@pytest.fixture
def titled(monkeypatch):
    """Hosts whose model is `remote`, and makes titles."""
    model = ScriptedModel(["Fine.", "Small talk", "Yes."])

    class Titling(Host):
        def start(self) -> None:
            self.models._models["remote"] = model
            self.make_titles()
            super().start()

    monkeypatch.setattr("support.pilot.Host", Titling)
    return model


async def test_the_header_has_the_title_and_the_figures_are_those_of_the_answer(
    titled: ScriptedModel,
) -> None:
    async with opened(toml=SERVER) as chat:
        await chat.ask("How are you?")
        await chat.until("Small talk")
        await chat.ready()

        assert chat.text.splitlines()[0].split() == ["lazychat", "Small", "talk"]
        await chat.ask("/rename My talk")
        await chat.until("Renamed to")
        await chat.ask("And now?")
        await chat.until("Yes.")
        await chat.ready()

        assert "My talk" in chat.text.splitlines()[0]
        assert len(titled.requests) == 3
        assert not [t for t in threading.enumerate() if t.name == "lazychat-title"]
