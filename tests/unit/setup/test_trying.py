"""Places, their keys and their models; a first word proves that all is right."""

import os
import threading
from pathlib import Path

import pytest
from support.fakes.sse_server import DONE, Pause, SSEServer, Stall, finish, text

from tui.config import LlamaModelConfig, OpenAIModelConfig
from tui.errors import Cancelled, ConfigError, ModelError
from tui.models.discovery import LocalServer
from tui.models.setup import (
    NoList,
    Place,
    check_key,
    model_at,
    model_in,
    models_at,
    place_of_address,
    place_of_server,
    place_of_service,
    try_model,
    with_key,
)
from tui.turn import Cancellation

KEY = "sk-9fK2xQzT4aB7c"
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.models.keys._held", {})
    for name in ("GROQ_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_models_are_listed_with_the_key(server: SSEServer) -> None:
    server.json({"data": [{"id": "a"}, {"id": "text-embedding-3"}]}, path="/models")

    place = with_key(place_of_address(server.url), KEY)
    models = models_at(place)

    assert [model.id for model in models] == ["a"]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (401, "unauthorized", "did not accept the API key"),
        (403, "unauthorized", "does not allow this"),
        (500, "model", "returned an error"),
    ],
)
def test_a_refusal_is_told_without_the_key(
    server: SSEServer, status: int, kind: str, says: str
) -> None:
    body = {"error": {"message": f"Incorrect API key: {KEY}"}}
    server.json(body, path="/models", status=status)

    with pytest.raises(ModelError, match=says) as raised:
        models_at(with_key(place_of_address(server.url), KEY))

    assert raised.value.kind == kind
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_a_list_says_so(server: SSEServer, status: int) -> None:
    server.answer(b"no", path="/models", status=status)

    with pytest.raises(NoList, match="Type the name of one"):
        models_at(place_of_address(server.url))


def test_a_web_page_is_no_list(server: SSEServer) -> None:
    server.answer(b"<html>", path="/models", content_type="text/html")

    with pytest.raises(NoList):
        models_at(place_of_address(server.url))


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ModelError, match=r"Cannot reach http://127\.0\.0\.1:9/v1"):
        models_at(place_of_address("127.0.0.1:9"))


def test_the_wait_for_a_list_can_be_cancelled(server: SSEServer) -> None:
    pause = Pause()
    server.answer(b"{}", path="/models", before=pause)
    cancel = Cancellation()

    def stop() -> None:
        pause.reached()
        cancel.request()

    threading.Thread(target=stop).start()
    with pytest.raises(Cancelled):
        models_at(place_of_address(server.url), cancel)


def test_a_command_that_hangs_can_be_left(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    place = with_key(place_of_address("127.0.0.1:9"), f"!cat {tmp_path / 'pipe'}")
    cancel = Cancellation()

    def stop() -> None:
        # Opened once the command reads from it.
        with (tmp_path / "pipe").open("w"):
            cancel.request()
            ended.wait(30)

    ended = threading.Event()
    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        with pytest.raises(Cancelled):
            models_at(place, cancel)
        assert stopper.is_alive()  # the command has not ended by itself
    finally:
        ended.set()
        stopper.join(30)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_is_checked_without_a_word_of_the_model(
    server: SSEServer, status: int
) -> None:
    server.json({"error": {"message": "Invalid API Key"}}, status=status)
    server.json({"error": {"message": "'messages' is required"}}, status=400)

    with pytest.raises(ModelError, match=f"LOCALHOST_{server.port}_KEY") as raised:
        check_key(place_of_address(server.url))
    check_key(with_key(place_of_address(server.url), KEY))

    assert raised.value.kind == "unauthorized"
    assert [request.json for request in server.asked] == [{"messages": 0}] * 2
    assert server.asked[1].headers["authorization"] == f"Bearer {KEY}"


def test_a_server_that_answers_what_is_no_question_is_not_read(
    server: SSEServer,
) -> None:
    server.answer(text("I"), Stall())

    check_key(place_of_address(server.url))

    server.wait_gone()


def test_no_other_failure_keeps_a_model_from_being_added() -> None:
    check_key(place_of_address("127.0.0.1:9"))


def test_the_first_word_is_enough(server: SSEServer) -> None:
    pause = Pause()
    server.answer(text("re"), pause, text("ady"), finish(), DONE)

    try_model(OpenAIModelConfig("m", server.url))  # does not wait for the rest

    assert server.asked[0].json["model"] == "m"


def test_a_key_that_is_refused_at_the_first_word_is_told(server: SSEServer) -> None:
    server.json({"error": {"message": "no such key"}}, status=401)
    chosen = model_at(with_key(place_of_address(server.url), KEY), "m")
    assert isinstance(chosen.settings, OpenAIModelConfig)

    with pytest.raises(ModelError, match="did not accept the API key") as raised:
        try_model(chosen.settings)

    assert raised.value.kind == "unauthorized"


@pytest.mark.parametrize(
    ("place", "settings"),
    [
        (place_of_service("groq"), OpenAIModelConfig("x/Y:8b", supplier="groq")),
        (
            place_of_server(
                LocalServer("ollama", "Ollama", "http://127.0.0.1:11434/v1", ())
            ),
            OpenAIModelConfig("x/Y:8b", supplier="ollama"),
        ),
        (
            place_of_server(LocalServer("ollama", "Ollama", "http://gpu:11434/v1", ())),
            OpenAIModelConfig("x/Y:8b", "http://gpu:11434/v1"),
        ),
        (
            place_of_address("https://api.groq.com/openai/v1/"),
            OpenAIModelConfig("x/Y:8b", supplier="groq"),
        ),
        (
            place_of_address("llm.corp.example/openai"),
            OpenAIModelConfig("x/Y:8b", "https://llm.corp.example/openai"),
        ),
    ],
)
def test_a_model_is_described_as_briefly_as_possible(
    place: Place, settings: OpenAIModelConfig
) -> None:
    chosen = model_at(place, "x/Y:8b")

    assert chosen.settings == settings
    assert chosen.name == "y-8b"


def test_a_key_of_an_own_server_gets_a_name() -> None:
    place = with_key(place_of_address("https://llm.corp.example/v1"), KEY)

    chosen = model_at(place, "m")

    assert chosen.key_env == "LLM_CORP_EXAMPLE_KEY"
    assert chosen.settings == OpenAIModelConfig(
        "m", "https://llm.corp.example/v1", api_key_env="LLM_CORP_EXAMPLE_KEY"
    )


def test_servers_of_one_machine_have_keys_of_their_own() -> None:
    places = [place_of_address(it) for it in ("localhost:8000", "127.0.0.1:9000")]
    found = place_of_server(LocalServer("vllm", "", "http://localhost:8000/v1", ()))

    assert [it.key_env for it in places] == ["LOCALHOST_8000_KEY", "LOCALHOST_9000_KEY"]
    assert found.key_env == places[0].key_env
    assert found.supplier == places[0].supplier == "vllm"
    assert not found.lacks_key

    chosen = model_at(with_key(found, KEY), "m")

    assert chosen.settings == OpenAIModelConfig(
        "m", supplier="vllm", api_key_env="LOCALHOST_8000_KEY"
    )


def test_a_key_beside_a_variable_that_is_set_gets_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_old_and_expired")

    place = with_key(place_of_service("groq"), KEY)

    assert place.key == KEY
    assert model_at(place, "m").settings == OpenAIModelConfig(
        "m", supplier="groq", api_key_env="LAZYCHAT_GROQ_API_KEY"
    )


def test_a_password_in_an_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="Leave the user and the password out") as e:
        place_of_address("https://me:hunter22@corp.example/v1")
    assert "hunter22" not in str(e.value)


def test_a_file_is_named_after_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    chosen = model_in("/home/me/models/Qwen3-8B-Q4_K_M-00001-of-00002.gguf")

    assert chosen.name == "qwen3-8b-q4_k_m"
    assert chosen.settings == LlamaModelConfig(
        "~/models/Qwen3-8B-Q4_K_M-00001-of-00002.gguf"
    )
