"""Showing all reasoning, and how hard the model is to think."""

import threading

import pytest
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.pilot import Chat, opened

from tui import config, i18n, paths
from tui.app import state
from tui.models.catalog import ModelCatalog
from tui.models.effort import takes_none
from tui.models.scripted import Think

pytestmark = pytest.mark.usefixtures("home")


async def answered(chat: Chat, count: int = 1) -> None:
    await chat.until(lambda: len(chat.screen.presenter.answers) >= count)
    await chat.ready()


async def test_the_key_shows_all_reasoning_and_hides_it_again() -> None:
    script = [[Think("first thought"), "One."], [Think("second thought"), "Two."]]
    async with opened(script) as chat:
        for count, question in enumerate(["A", "B"], 1):
            await chat.ask(question)
            await answered(chat, count)
        assert "thought" not in chat.text

        await chat.pilot.press("alt+r")
        await chat.until("first thought")
        await chat.until("second thought")
        await chat.until("Reasoning shown")

        await chat.ask("/reasoning hide")
        await chat.until(lambda: "thought" not in chat.text)
        await chat.ask("/reasoning hide")
        await chat.until("Reasoning hidden")
        assert "thought" not in chat.text


async def test_it_is_remembered_and_holds_while_an_answer_streams() -> None:
    gate = threading.Event()
    async with opened([["One."]]) as chat:
        await chat.ask("/reasoning show")
        await chat.until("Reasoning shown")
    assert state.load(paths.state_file()).reasoning is True

    async with opened([[Think("a long thought"), gate, "Two."]]) as chat:
        await chat.ask("A")
        await chat.until("a long thought")
        gate.set()
        await answered(chat)
        await chat.until("a long thought")


async def test_another_conversation_follows_when_it_is_shown_again() -> None:
    async with opened([[Think("a thought"), "One."]]) as chat:
        await chat.ask("A")
        await answered(chat)
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: chat.screen.is_untouched)
        await chat.pilot.press("alt+r")
        await chat.until("Reasoning shown")

        await chat.pilot.press("f4")

        await chat.until("a thought")


async def test_the_text_at_the_top_stays_when_reasoning_above_unfolds() -> None:
    body = "\n\n".join(f"paragraph {n}" for n in range(40))
    script = [[Think("line\n" * 30), body]]
    async with opened(script, size=(80, 24)) as chat:
        await chat.ask("A")
        await answered(chat)
        await chat.pilot.press("pageup")
        pane = chat.screen.transcript
        before = pane.render_line(0).text
        assert "paragraph" in before or "paragraph" in pane.render_line(1).text

        for _ in range(2):
            await chat.pilot.press("alt+r")
            await chat.pilot.pause()
            assert pane.render_line(0).text == before


OPENAI = """
model = "thinker"
[models.thinker]
provider = "openai"
model = "gpt-5"
base_url = "{url}"
[models.plain]
provider = "openai"
model = "gpt-4o"
base_url = "{url}"
"""


async def test_the_key_goes_through_the_efforts_which_are_sent() -> None:
    with SSEServer() as server:
        server.answer(text("Hi."), finish(), DONE)
        async with opened(toml=OPENAI.format(url=server.url)) as chat:
            sent = []
            for count, effort in enumerate(["low", "medium", "high", ""], 1):
                await chat.pilot.press("alt+e")
                said = f"Effort: {effort or 'the model'}"
                await chat.until(said)
                await chat.ask("Hello")
                await answered(chat, count)
                shown = f"thinker {effort} effort" if effort else "thinker  ready"
                await chat.until(shown)
                asked = [r for r in server.requests if r.path.endswith("completions")]
                sent.append(asked[-1].json.get("reasoning_effort", ""))
            assert sent == ["low", "medium", "high", ""]
            id = chat.screen.conversation
            await chat.ask("/effort high")
            await chat.until("Effort: high")

        async with opened(toml=OPENAI.format(url=server.url), id=id) as again:
            await again.until("thinker high effort")
            await again.ask("/effort extreme")
            await again.until("/effort takes low, medium, high, default")


async def test_the_key_comes_back_to_the_default_in_each_language(
    request: pytest.FixtureRequest,
) -> None:
    request.addfinalizer(lambda: i18n.choose("en"))
    i18n.choose("zh")
    async with opened(toml=OPENAI.format(url="http://127.0.0.1:9/v1")) as chat:
        for said in ("low", "medium", "high", "模型默认"):
            await chat.pilot.press("alt+e")
            await chat.until(f"推理强度：{said}")

        assert chat.screen.effort.current == ""


async def test_a_model_without_reasoning_says_so() -> None:
    async with opened(toml=OPENAI.format(url="http://127.0.0.1:9/v1")) as chat:
        await chat.ask("/model plain")
        await chat.until("plain  ready")
        await chat.pilot.press("alt+e")
        await chat.until("plain has no reasoning effort")
        assert "low effort" not in chat.text


@pytest.mark.parametrize(
    ("name", "none"),
    [
        ("gpt-4o-mini", True),
        ("openai/gpt-4.1", True),
        ("gpt-3.5-turbo", True),
        ("gpt-5-chat-latest", True),
        ("meta-llama/llama-3.1-8b", True),
        ("gpt-5.1", False),
        ("o3-mini", False),
        ("gpt-oss-20b", False),
        ("qwen3:8b", False),
        ("qwen2.5:7b", True),
        ("deepseek-reasoner", False),
        ("something-new", False),
    ],
)
def test_only_what_is_known_not_to_reason_is_refused(name: str, none: bool) -> None:
    assert takes_none(name) is none


def test_the_starter_has_no_effort_and_a_file_may_have_one() -> None:
    toml = '[models.mine]\nprovider = "llama"\npath = "/x/qwen3.gguf"'
    catalog = ModelCatalog(config.parse(toml))
    assert catalog.no_effort("starter") == "starter has no reasoning effort"
    assert catalog.no_effort("mine") == ""
