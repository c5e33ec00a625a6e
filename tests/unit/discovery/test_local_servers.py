"""Model servers are found by their ports, quickly, and whatever answers there."""

import socket
from typing import Any

import pytest
from support.fakes.sse_server import Pause, SSEServer

from tui.models.discovery import ListedModel, LocalServer, local_servers
from tui.models.discovery.servers import addresses
from tui.models.setup.places import (
    place_of_address,
    place_of_server,
    place_of_service,
)
from tui.models.suppliers import address

OLLAMA = {
    "object": "list",
    "data": [
        {"id": "qwen3:8b", "object": "model", "owned_by": "library"},
        {"id": "nomic-embed-text:latest", "object": "model", "owned_by": "library"},
    ],
}
LM_STUDIO = {
    "data": [
        {"id": "qwen3-4b", "object": "model", "owned_by": "organization_owner"},
        {"id": "phi-4", "object": "model", "owned_by": "organization_owner"},
        {"id": "my-vectors", "object": "model", "owned_by": "organization_owner"},
    ]
}
STATES = {
    "data": [
        {"id": "qwen3-4b", "type": "llm", "max_context_length": 40960},
        {
            "id": "phi-4",
            "type": "llm",
            "state": "loaded",
            "max_context_length": 16384,
            "loaded_context_length": 4096,
        },
        {"id": "my-vectors", "type": "embeddings"},
    ]
}
LLAMA = {
    "data": [
        {"id": "a.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 32768}},
    ]
}
VLLM = {"data": [{"id": "Qwen/Qwen3-8B", "owned_by": "vllm", "max_model_len": 40960}]}


def probed(server: SSEServer, supplier: str = "") -> LocalServer:
    (found,) = local_servers([(supplier, server.url)], 5)
    assert found.base_url == server.url
    return found


@pytest.mark.parametrize(
    ("supplier", "answers", "title", "models"),
    [
        (
            "ollama",
            {"/models": OLLAMA, "/tags": {"models": [{"name": "qwen3:8b", "size": 5}]}},
            "Ollama",
            (ListedModel("qwen3:8b", size=5),),
        ),
        (
            "lmstudio",
            {"/v1/models": LM_STUDIO, "/v0/models": STATES},
            "LM Studio",
            (
                ListedModel("phi-4", 4096, loaded=True),
                ListedModel("qwen3-4b", 40960),
            ),
        ),
        (
            "llama.cpp",
            {"/models": LLAMA},
            "llama.cpp",
            (ListedModel("a.gguf", 32768, loaded=True),),
        ),
        (
            "llama.cpp",  # vLLM on the port of llama-server
            {"/models": VLLM},
            "vLLM",
            (ListedModel("Qwen/Qwen3-8B", 40960, loaded=True),),
        ),
        (
            "ollama",  # a model that is not of Ollama's own library
            {"/models": {"data": [{"id": "me/m", "owned_by": "me"}]}},
            "Ollama",
            (ListedModel("me/m"),),
        ),
        ("ollama", {"/models": {"object": "list", "data": None}}, "Ollama", ()),
    ],
)
def test_a_server_is_known_by_what_it_lists(
    server: SSEServer,
    supplier: str,
    answers: dict[str, Any],
    title: str,
    models: tuple[ListedModel, ...],
) -> None:
    for path, body in answers.items():
        server.json(body, path=path)

    found = probed(server, supplier)

    assert found.title == title
    assert found.models == models


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>Router</html>", 200),
        (b'{"data": {"id": "x"}}', 200),
        (b'"data"', 200),
        (b'{"data": [{"id": "x"}]}', 401),
        (b"<html>Log in</html>", 401),
        (b'{"error": "no"}', 403),
        (b"[" * 100_000, 200),
    ],
)
def test_what_is_no_model_server_is_not_listed(
    server: SSEServer, body: bytes, status: int
) -> None:
    server.answer(body, path="/models", status=status)

    assert local_servers([("llama.cpp", server.url)], 5) == []


@pytest.mark.parametrize(
    "body",
    [
        {"error": "Unauthorized"},  # vLLM
        {"error": {"message": "An LM Studio API token is required"}},
        {"detail": "Invalid API key"},
    ],
)
def test_a_server_that_wants_a_key_is_found(
    server: SSEServer, body: dict[str, Any]
) -> None:
    server.json(body, path="/models", status=401)

    found = probed(server, "vllm")

    assert found.wants_key
    assert (found.supplier, found.models) == ("", ())
    assert found.title in server.url


def test_another_server_on_a_usual_port_is_called_by_its_address(
    server: SSEServer,
) -> None:
    """As llama-cpp-python's own, on the port of vLLM."""
    server.json({"data": [{"id": "m.gguf", "owned_by": "me"}]}, path="/models")

    found = probed(server, "vllm")

    assert (found.supplier, found.title) == ("", f"127.0.0.1:{server.port}")
    assert [model.loaded for model in found.models] == [False]


def test_hostile_rows_are_left_out(server: SSEServer) -> None:
    rows = [{"id": "\x1b[2J"}, {"id": "x" * 500}, {"id": 7}, "x", {}, {"id": "good"}]
    server.json({"data": rows}, path="/models")

    assert [model.id for model in probed(server).models] == ["good"]


def test_all_are_asked_at_once_and_none_is_waited_for() -> None:
    with (
        SSEServer() as mute,
        SSEServer() as quick,
        socket.create_server(("127.0.0.1", 0)) as deaf,
    ):
        mute.answer(Pause(), path="/models")
        quick.json(VLLM, path="/models")
        places = [
            ("ollama", mute.url),
            ("lmstudio", f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"),
            ("llama.cpp", "http://127.0.0.1:9/v1"),
            ("vllm", quick.url),
        ]

        # All have the same 2 seconds: after the mute one, nothing would be left.
        found = local_servers(places, 2.0)

        assert [server.title for server in found] == ["vLLM"]


def test_the_usual_ports_are_probed_unless_others_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LAZYCHAT_PROBE", raising=False)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert [url for _, url in addresses()] == [
        "http://localhost:11434/v1",
        "http://localhost:1234/v1",
        "http://localhost:8080/v1",
        "http://localhost:8000/v1",
    ]

    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0")
    assert addresses()[0] == ("ollama", "http://127.0.0.1:11434/v1")

    monkeypatch.setenv("LAZYCHAT_PROBE", "gpu.lan:8000, http://[bad")
    assert addresses() == [("", "http://gpu.lan:8000/v1")]

    monkeypatch.setenv("LAZYCHAT_PROBE", "off")
    assert addresses() == []


def test_prices_and_windows_are_read_where_a_service_tells_them(
    server: SSEServer,
) -> None:
    rows = [
        {
            "id": "a/b",
            "context_length": 131072,
            "pricing": {"prompt": "0.0000004", "completion": "0.0000016"},
        },
        {"id": "free", "pricing": {"prompt": "0", "completion": "0"}},
        {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}},
        {"id": "c", "context_window": 8192, "pricing": {"input": 0.2, "output": 0.6}},
        {"id": "odd", "pricing": {"prompt": "nan", "completion": None}},
    ]
    server.json({"data": rows}, path="/models")

    models = {model.id: model for model in probed(server).models}

    assert models["a/b"] == ListedModel("a/b", 131072, 0.4, 1.6)
    assert models["free"] == ListedModel("free", 0, 0.0, 0.0)
    assert models["auto"] == ListedModel("auto")
    assert models["c"] == ListedModel("c", 8192, 0.2, 0.6)
    assert models["odd"] == ListedModel("odd")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("gpu", "http://gpu:11434/v1"),
        ("gpu:4000", "http://gpu:4000/v1"),
        (":4000", "http://127.0.0.1:4000/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:4000", "http://127.0.0.1:4000/v1"),
        ("http://gpu", "http://gpu:80/v1"),
        ("https://gpu.example.com", "https://gpu.example.com:443/v1"),
        ("https://gpu.example.com:8443/", "https://gpu.example.com:8443/v1"),
        ("http://gpu:4000/ollama/", "http://gpu:4000/ollama/v1"),
        ("http://gpu:4000/v1", "http://gpu:4000/v1"),
        ("http://me:pass@gpu:4000", "http://me:pass@gpu:4000/v1"),
        ("::1", "http://[::1]:11434/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("[::]:4000", "http://[::1]:4000/v1"),
        ("http://[fd00::2]:4000", "http://[fd00::2]:4000/v1"),
        (' "gpu:4000" ', "http://gpu:4000/v1"),
        ("gpu:99999", "http://gpu:11434/v1"),
        ("gpu:port", "http://gpu:11434/v1"),
        ("", "http://localhost:11434/v1"),
    ],
)
def test_ollama_is_where_its_own_variable_says(
    monkeypatch: pytest.MonkeyPatch, host: str, url: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)

    assert address("ollama") == url


def test_a_server_at_the_address_of_a_variable_is_set_up_with_that_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "gpu:4000")

    there = place_of_server(LocalServer("ollama", "", "http://gpu:4000/v1", ()))
    here = place_of_server(LocalServer("ollama", "", "http://localhost:11434/v1", ()))

    # The next start may be without the variable, or with it.
    assert (there.base_url, there.supplier) == ("http://gpu:4000/v1", "")
    assert (here.base_url, here.supplier) == ("http://localhost:11434/v1", "")
    assert place_of_service("ollama").base_url == "http://gpu:4000/v1"
    assert place_of_address("localhost:11434").supplier == ""
