"""The model picker: groups, filter, what is typed, and small screens."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fakes.hub import Hub
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.pilot import Chat, opened
from textual.geometry import Region

from tui import config
from tui.app.setup import rows
from tui.models.hub import Pull, Pulled, wanted
from tui.models.suppliers import SUPPLIERS

BIG = {
    "id": "vendor/big-1",
    "context_length": 131072,
    "pricing": {"prompt": "0.0000004", "completion": "0.0000016"},
}


@pytest.fixture(autouse=True)
def user(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without keys and files."""
    monkeypatch.setenv("HOME", str(home))
    for name in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for supplier in SUPPLIERS.values():
        monkeypatch.delenv(supplier.key_env or "NONE", raising=False)
    monkeypatch.setattr("tui.models.keys._held", {})
    return home


@pytest.fixture
def probed(server: SSEServer, monkeypatch: pytest.MonkeyPatch) -> SSEServer:
    """A server that the app finds: Ollama with two models."""
    rows = [{"id": n, "owned_by": "library"} for n in ("qwen3:8b", "llama3.2:latest")]
    server.json({"data": rows}, path="/v1/models")
    server.answer(text("I am real."), finish(), DONE)
    monkeypatch.setenv("LAZYCHAT_PROBE", server.url)
    return server


def listed(chat: Chat) -> list[str]:
    """Return the rows of the list without its headings, each without blanks."""
    screen: Any = chat.app.screen
    return [row.name for row in screen._shown if row]


async def test_models_are_in_groups_and_filtered_by_typing(
    probed: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_1234567890")
    async with opened(size=(100, 50)) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("This machine")
        await chat.until(lambda: "qwen3:8b" in listed(chat))
        parts = [[*line.split("│"), "", ""] for line in chat.text.splitlines()]
        lines = [part[1].strip() for part in parts]
        places = [lines.index(it) for it in ("This machine", "Services", "Needs a key")]
        assert places == sorted(places)
        assert "Groq" in lines[places[1] + 1]
        assert any(line.startswith("DeepSeek") for line in lines[places[2] :])

        await chat.pilot.press(*"llama3")
        await chat.until(lambda: listed(chat) == ["llama3.2:latest"])
        await chat.pilot.press(*" nosuch")
        await chat.until(lambda: listed(chat) == [])
        await chat.pilot.press("enter")  # nothing to choose: nothing happens
        await chat.until("Choose a model")


def dialog(chat: Chat) -> list[str]:
    """Return the rows of the open dialog."""
    boxes = chat.app.screen.query(".dialog")
    region = boxes.first().region if boxes else Region()
    rows = chat.text.split("\n")[region.y : region.bottom]
    return [row[region.x : region.right] for row in rows]


async def test_it_and_other_dialogs_look_the_same_in_any_order() -> None:
    """Style sheets of all screens that were opened hold for all of them."""
    keys = {"ctrl+l": "paste a key", "f1": "Send", "ctrl+p": "/history"}

    alone: dict[str, list[str]] = {}
    for key in keys:
        async with opened(size=(80, 24)) as chat:
            await chat.pilot.press(key)
            await chat.until(keys[key])
            before: list[str] = []
            while before != (before := dialog(chat)):  # rows come in several steps
                await chat.pilot.pause(0.1)
            alone[key] = before
    async with opened(size=(80, 24)) as chat:
        for key in (*keys, *keys):
            await chat.pilot.press(key)
            await chat.until(lambda key=key: dialog(chat) == alone[key])
            await chat.pilot.press("escape")
            await chat.until(lambda: chat.app.screen is chat.screen)


async def test_enter_uses_what_was_found_and_writes_it_down(
    probed: SSEServer, user: Path
) -> None:
    async with opened() as chat:
        await chat.until("Found    Ollama: qwen3:8b, llama3.2:latest")
        await chat.pilot.press("enter")
        await chat.until("Set up a model")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model == "qwen3-8b")
        await chat.until(lambda: "This is the starter" not in chat.text)
        assert "Found Ollama" not in chat.text
        await chat.ask("Who?")
        await chat.until("I am real.")

    assert config.load().model == "qwen3-8b"


async def test_enter_before_the_search_has_ended_uses_its_first_model(
    probed: SSEServer,
) -> None:
    async with opened() as chat:
        await chat.ask("/setup")
        await chat.until("Set up a model")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model == "qwen3-8b")


async def test_a_second_choice_leaves_the_default(probed: SSEServer) -> None:
    async with opened(toml='model = "starter"') as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("llama3.2")
        await chat.pilot.press(*"llama3", "enter")
        await chat.until(lambda: chat.screen.model == "llama3-2")

    assert config.load().model == ""  # the file named none, and none was written
    assert list(config.load().models) == ["llama3-2"]


async def test_a_model_that_was_added_is_listed_once(probed: SSEServer) -> None:
    async with opened(size=(100, 50)) as chat:
        for _ in range(2):
            await chat.pilot.press("ctrl+l")
            await chat.until("llama3.2:latest")
            await chat.pilot.press(*"llama3", "enter")
            await chat.until(lambda: chat.screen.model == "llama3-2")
            await chat.until("Message")
        await chat.pilot.press("ctrl+l")
        await chat.until("qwen3:8b")
        assert "llama3.2:latest" not in listed(chat)
        assert "llama3-2" in listed(chat)


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("ollama/phi4", config.OpenAIModelConfig("phi4", supplier="ollama")),
        ("~/own.gguf", config.LlamaModelConfig("~/own.gguf")),
    ],
)
async def test_a_path_or_a_suppliers_model_is_typed(
    user: Path, typed: str, becomes: config.ModelConfig
) -> None:
    (user / "own.gguf").write_bytes(b"GGUF")
    async with opened() as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*typed)
        await chat.until("use ")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model != "starter")

        assert chat.host.models.find(chat.screen.model) == becomes
    assert list(config.load().models.values()) == [becomes]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("~/no.gguf", "No such file: ~/no.gguf"),
        ("~/models", "~/models is a folder"),
        ("~/page.gguf", "~/page.gguf is not a GGUF file"),
    ],
)
async def test_a_path_that_leads_to_no_model_is_told(
    user: Path, typed: str, says: str
) -> None:
    (user / "models").mkdir()
    (user / "page.gguf").write_text("<html>Log in</html>")
    async with opened() as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*typed)
        await chat.until("use this file")
        await chat.pilot.press("enter")
        await chat.until(says)

    assert config.load().models == {}


async def test_without_llama_cpp_a_file_is_not_offered_as_ready(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.models.setup.files.find_spec", lambda _: None)
    (user / "models").mkdir()
    (user / "models" / "mine.gguf").write_bytes(b"GGUF")
    async with opened(size=(100, 50)) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs llama-cpp-python")
        await chat.pilot.press(*"mine")
        await chat.until(lambda: listed(chat) == ["mine"])
        await chat.pilot.press("enter")
        await chat.until("pip install")
        await chat.until("lazychat[local]")

    assert config.load().models == {}


async def test_window_and_price_are_shown_and_a_model_is_tried(
    server: SSEServer,
) -> None:
    server.json({"data": [BIG, {"id": "other"}]}, path="/models")
    server.json({"error": {"message": "out of order"}}, status=400)
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*server.url)
        await chat.until("use this server")
        await chat.pilot.press("enter")
        await chat.until("131k  $0.40 / $1.60")
        await chat.pilot.press("enter")  # a server of this machine is not tried
        await chat.until(lambda: chat.screen.model == "big-1")
    assert [request.json for request in server.asked] == [{"messages": 0}]  # of the key


async def test_a_server_that_wants_a_key_gets_it(
    server: SSEServer, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As vLLM does; found on this machine, where no variable names its key."""
    for _ in range(3):  # the offer, the picker, its list
        server.json({"error": "Unauthorized"}, path="/models", status=401)
    server.json({"data": [BIG]}, path="/models")
    server.json({"error": {"message": "no messages"}}, status=400)
    monkeypatch.setenv("LAZYCHAT_PROBE", server.url)
    async with opened() as chat:
        await chat.until("(needs a key)")
        await chat.pilot.press("enter")
        await chat.until("needs a key")
        await chat.pilot.press("enter")
        await chat.until("needs an API key")
        await chat.pilot.press(*"sk-typed-12345", "enter")
        await chat.until("vendor/big-1")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model == "big-1")

    kept = config.load().models["big-1"]
    assert isinstance(kept, config.OpenAIModelConfig)
    assert kept.api_key_env in (user / "keys.toml").read_text()


async def test_a_server_that_lists_its_models_to_all_may_want_a_key(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As llama-server does with --api-key."""
    data = [{"id": "qwen3:8b", "owned_by": "llamacpp"}]
    server.json({"data": data}, path="/models")
    server.json({"error": {"message": "Invalid API Key"}}, status=401)
    server.json({"error": {"message": "no messages"}}, status=400)
    monkeypatch.setenv("LAZYCHAT_PROBE", server.url)
    async with opened() as chat:
        await chat.until("Found    llama.cpp: qwen3:8b")
        await chat.pilot.press("enter")
        await chat.until("Set up a model")
        await chat.pilot.press("enter")
        await chat.until("needs an API key")
        await chat.pilot.press(*"sk-typed-12345", "enter")
        await chat.until("1 model")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model == "qwen3-8b")

    assert server.asked[-1].headers["authorization"] == "Bearer sk-typed-12345"


async def test_a_key_stays_in_its_field_unless_it_was_refused(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.json({"error": {"message": "later"}}, path="/models", status=500)
    server.json({"error": {"message": "bad key"}}, path="/models", status=401)
    async with opened() as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*"opena", "enter")
        await chat.until("Key for OpenAI")
        await chat.pilot.press("enter")
        await chat.until("Paste the key first")
        await chat.pilot.press(*"sk-typed-12345", "enter")
        await chat.until("returned an error (500)")
        await chat.until("•" * 14)
        await chat.pilot.press("enter")
        await chat.until("did not accept the API key")
        await chat.until(lambda: "•" not in chat.text)


async def test_a_configured_model_without_its_key_asks_for_it(
    server: SSEServer, user: Path
) -> None:
    server.json({"data": [BIG]}, path="/models")
    toml = (
        f'[models.mine]\nprovider = "openai"\nbase_url = "{server.url}"\n'
        'api_key_env = "MINE_KEY"\nmodel = "m"'
    ).replace("127.0.0.1", "localhost.localdomain")
    (user / "config.toml").write_text(toml)
    async with opened(toml=toml) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*"mine")
        await chat.until(lambda: listed(chat)[:1] == ["mine"])
        await chat.pilot.press("enter")
        await chat.until("Key for mine")
        await chat.pilot.press(*"sk-typed-12345")
        await chat.until("•" * 14)
        assert "sk-typed" not in chat.text


async def test_a_key_that_was_stored_for_a_gateway_is_not_asked_for_again(
    user: Path,
) -> None:
    toml = (
        '[models.corp]\nprovider = "openai"\nbase_url = "https://llm.corp.example/v1"\n'
        'api_key_env = "LLM_CORP_EXAMPLE_KEY"\nmodel = "m"'
    )
    (user / "keys.toml").write_text('LLM_CORP_EXAMPLE_KEY = "sk-stored-1234567"\n')
    async with opened(toml=toml) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*"corp")
        await chat.until(lambda: listed(chat)[:1] == ["corp"])
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model == "corp")


async def test_a_command_that_prints_the_key_is_shown_and_kept(
    server: SSEServer, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.json({"data": [BIG]}, path="/models")
    server.answer(text("ready"), finish(), DONE)
    async with opened() as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*"opena", "enter")
        await chat.until("Key for OpenAI")
        await chat.pilot.press(*"!echo sk-printed-1")
        await chat.until("!echo sk-printed-1")
        await chat.pilot.press("enter")
        await chat.until("vendor/big-1")
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model == "big-1")

    kept = config.load().models["big-1"]
    assert isinstance(kept, config.OpenAIModelConfig)
    assert kept.api_key_cmd == "echo sk-printed-1"
    assert not (user / "keys.toml").exists()


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub")
    with Hub(
        {"Qwen/Tiny-GGUF": {"Tiny-Q4_K_M.gguf": b"GGUF" + bytes(1_000_000)}}
    ) as it:
        monkeypatch.setenv("HF_ENDPOINT", it.url)
        monkeypatch.setenv("HF_HOME", str(home / "hf"))
        yield it


async def test_a_download_shows_its_progress_stops_and_continues(
    hub: Hub, user: Path
) -> None:
    hub.gate.clear()
    async with opened(size=(80, 24)) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*"Qwen/Tiny-GGUF")
        await chat.until("download it from Hugging Face")
        await chat.pilot.press("enter")
        await chat.until("of 1.0 MB")
        await chat.until(hub.waiting.is_set)
        await chat.until("Ctrl+X stop")
        await chat.pilot.press("ctrl+x")
        await chat.until("Stopped; the part so far is kept")
        hub.gate.set()
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.screen.model == "tiny-q4_k_m")

    file = user / "models/Qwen/Tiny-GGUF/Tiny-Q4_K_M.gguf"
    assert file.stat().st_size == 1_000_004
    assert config.load().models["tiny-q4_k_m"] == config.LlamaModelConfig(
        "~/models/Qwen/Tiny-GGUF/Tiny-Q4_K_M.gguf"
    )


def test_a_pasted_page_of_the_hub_is_a_download_and_no_server() -> None:
    page = "https://huggingface.co/Qwen/Tiny-GGUF/blob/main/Tiny-Q8_0.gguf"

    (row,) = rows.typed(page)

    assert row.pick == rows.Download("Qwen/Tiny-GGUF:Tiny-Q8_0.gguf")


@pytest.mark.parametrize(
    ("text", "picks"),
    [
        ("llm.corp.example/v1", ["Address", "Download"]),
        ("gpu:8000", ["Address"]),
        ("Qwen/Tiny-GGUF:Tiny-Q8_0.gguf", ["Download"]),
        ("../models/m.gguf", ["InFile"]),
        ("groq/llama-3", ["At"]),
        ("nothing", []),
    ],
)
def test_what_is_typed_may_be_meant_as(text: str, picks: list[str]) -> None:
    assert [type(row.pick).__name__ for row in rows.typed(text)] == picks


async def begin_download(chat: Chat, hub: Hub) -> None:
    """Begin a download that waits in the middle, and close its dialog."""
    hub.gate.clear()
    await chat.pilot.press("ctrl+l")
    await chat.until("Needs a key")
    await chat.pilot.press(*"Qwen/Tiny-GGUF")
    await chat.until("download it from Hugging Face")
    await chat.pilot.press("enter")
    await chat.until("of 1.0 MB")
    await chat.until(hub.waiting.is_set)
    await chat.pilot.press("escape")
    await chat.until(lambda: chat.app.screen is chat.screen)


async def test_a_download_goes_on_when_its_dialog_is_closed(hub: Hub) -> None:
    async with opened(size=(80, 24)) as chat:
        await begin_download(chat, hub)
        await chat.until("↓")

        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*"Qwen/Other-GGUF", "enter")
        await chat.until("One model is downloaded at a time")
        await chat.until("Qwen/Tiny-GGUF")
        await chat.pilot.press("escape")
        await chat.until(lambda: chat.app.screen is chat.screen)
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*"download")
        await chat.pilot.press("enter")
        await chat.until("Ctrl+X stop")
        await chat.until("Qwen/Tiny-GGUF")
        await chat.pilot.press("escape")
        await chat.until(lambda: chat.app.screen is chat.screen)
        hub.gate.set()

        await chat.until("Downloaded Qwen/Tiny-GGUF: /model tiny-q4_k_m")
        assert "↓" not in chat.text
        assert "tiny-q4_k_m" in config.load().models
        assert chat.screen.model != "tiny-q4_k_m"


async def test_quitting_stops_a_download_and_the_next_one_continues(
    hub: Hub, user: Path
) -> None:
    async with opened(size=(80, 24)) as chat:
        await begin_download(chat, hub)

        chat.app.setup.close()

        await chat.until(lambda: not chat.app.setup.downloads.name)
        assert not (user / "models/Qwen/Tiny-GGUF/Tiny-Q4_K_M.gguf").exists()
        hub.gate.set()
        *_, last = Pull(wanted("Qwen/Tiny-GGUF"))
    assert isinstance(last, Pulled)
    assert last.fetched < 1_000_004


@pytest.mark.parametrize("size", [(60, 20), (40, 10), (20, 6)])
async def test_a_small_screen_shows_the_chosen_row(
    probed: SSEServer, size: tuple[int, int]
) -> None:
    async with opened(size=size) as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("qwen3:8b" if size[0] > 20 else "start")
        await chat.pilot.press("end", *["down"] * 6)
        screen: Any = chat.app.screen
        name = screen._highlighted.name
        await chat.until(name[:8])
        await chat.pilot.press("escape")
        await chat.until(lambda: chat.app.screen is chat.screen)


async def test_a_hostile_server_cannot_write_on_the_screen(server: SSEServer) -> None:
    rows = [{"id": "[bold]x[/bold]"}, {"id": "a" * 190}, {"id": "\u202egpt"}]
    server.json({"data": rows}, path="/models")
    async with opened() as chat:
        await chat.pilot.press("ctrl+l")
        await chat.until("Needs a key")
        await chat.pilot.press(*server.url)
        await chat.pilot.press("enter")
        await chat.until("[bold]x[/bold]")
        assert "\u202e" not in chat.text


async def test_what_the_configuration_has_is_not_offered(probed: SSEServer) -> None:
    toml = (
        f'[models.mine]\nprovider = "openai"\nbase_url = "{probed.url}"\n'
        'model = "qwen3:8b"'
    )
    async with opened(toml=toml) as chat:
        await chat.until("Found    Ollama: llama3.2:latest")


def test_the_offer_names_what_was_found() -> None:
    from tui.app.setup.offer import described
    from tui.models.discovery import Found, ListedModel, LocalServer

    models = tuple(ListedModel(f"m{n}") for n in range(5))
    server = LocalServer("ollama", "Ollama", "http://localhost:11434/v1", models)
    empty = LocalServer("vllm", "vLLM", "http://localhost:8000/v1", ())

    said: Callable[..., str] = described
    assert said(Found((server, empty))) == "Ollama: m0, m1, m2 and 2 more"
    assert said(Found((empty,))) == ""
    path = ListedModel("/srv/models/Qwen3-8B-Q4_K_M.gguf")
    own = LocalServer("llama.cpp", "llama.cpp", "http://localhost:8080/v1", (path,))
    assert said(Found((own,))) == "llama.cpp: Qwen3-8B-Q4_K_M.gguf"
