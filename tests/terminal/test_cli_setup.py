"""`lazychat setup` and `lazychat pull`, as a user of a terminal meets them."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.fakes.hub import Hub
from support.fakes.lazychat import Home
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.terminal import Terminal, wait_until

from tui import config

KEY = "sk-proj-9fK2xQzT4aB7cD8e"
needs_hub = pytest.mark.skipif(
    find_spec("huggingface_hub") is None,
    reason="needs huggingface_hub, of the extra `local`",
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        home.env |= {"LAZYCHAT_PROBE": "http://127.0.0.1:9/v1", "PYTHONWARNINGS": ""}
        yield home


def run(home: Home, *arguments: str, columns: int = 120) -> Terminal:
    command = [sys.executable, "-m", "tui", *arguments]
    return Terminal(command, env=home.env, cwd=home.work, columns=columns)


def test_a_found_model_is_taken_by_enter(home: Home, server: SSEServer) -> None:
    server.json({"data": [{"id": "qwen3:8b", "owned_by": "library"}]}, path="/models")
    home.env["LAZYCHAT_PROBE"] = server.url
    with run(home, "setup") as terminal:
        terminal.wait_for("Number [1]:")
        assert "1  qwen3:8b  (Ollama)" in terminal.text
        terminal.press("enter")
        terminal.wait_for("qwen3-8b is now the model of new conversations")
        assert terminal.wait_exit() == 0

    assert 'model = "qwen3-8b"' in (home.folder / "config.toml").read_text()


def test_of_many_models_a_part_of_the_name_finds_one(
    home: Home, server: SSEServer
) -> None:
    rows = [{"id": f"vendor/m-{n}", "owned_by": "library"} for n in range(500)]
    server.json({"data": rows}, path="/models")
    home.env["LAZYCHAT_PROBE"] = server.url
    with run(home, "setup", columns=60) as terminal:
        terminal.wait_for("Number [1]:")
        assert "and 480 more: type a part of the name" in terminal.text
        assert "23  Download a GGUF file" in terminal.text
        assert "or a Hugging\nFace name." in terminal.text
        terminal.type("M-77")
        terminal.press("enter")
        terminal.wait_for(lambda t: t.text.count("Number [1]:") == 2)
        assert "1  vendor/m-77  (Ollama)" in terminal.text
        terminal.press("enter")
        terminal.wait_for("m-77 is now the model of")
        assert terminal.wait_exit() == 0


def test_a_key_is_asked_for_unseen_and_tried(home: Home, server: SSEServer) -> None:
    server.json({"error": {"message": "no"}}, path="/models", status=401)
    server.json({"data": [{"id": "gpt-4.1"}, {"id": "o3"}]}, path="/models")
    server.answer(text("ready"), finish(), DONE)
    home.env["OPENAI_BASE_URL"] = server.url
    with run(home, "setup") as terminal:
        terminal.wait_for("Number [1]:")
        terminal.press("enter")
        terminal.wait_for("Service:")
        terminal.type("opena")
        terminal.press("enter")
        answers = (("sk-wrong-1234567", "did not accept"), (KEY, "Model [1]:"))
        for asked, (key, then) in enumerate(answers, 1):
            # What is typed before the prompt is discarded.
            terminal.wait_for(
                lambda t, asked=asked: t.text.count("(not shown):") == asked
            )
            terminal.type(key)
            terminal.press("enter")
            terminal.wait_for(then)
        terminal.type("2")
        terminal.press("enter")
        terminal.wait_for("o3 is now the model of new conversations")
        assert terminal.wait_exit() == 0
        assert KEY.encode() not in terminal.raw

    assert KEY not in (home.folder / "config.toml").read_text()
    assert KEY in (home.folder / "keys.toml").read_text()


@needs_hub
def test_setup_takes_a_path_an_address_or_a_download_too(
    home: Home, server: SSEServer
) -> None:
    server.json({"data": [{"id": "corp-large"}]}, path="/models")
    (home.work / "page.gguf").write_text("<html>")
    (home.work / "own.gguf").write_bytes(b"GGUF")
    files = {"Tiny-Q4_K_M.gguf": b"GGUF" + bytes(2_000_000)}
    with Hub({"Qwen/Tiny-GGUF": files}) as hub:
        home.env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home.work / "hf")}
        ways = [
            ("~/own.gguf", "own is now the model"),
            ("ollama/phi4", "phi4 is now the model"),
            (f"{hub.url}/Qwen/Tiny-GGUF", "tiny-q4_k_m is now the model"),
        ]
        for typed, then in ways:
            with run(home, "setup") as terminal:
                terminal.wait_for("Number [1]:")
                if typed.startswith("~"):
                    terminal.type("~/page.gguf")
                    terminal.press("enter")
                    terminal.wait_for("is not a GGUF file")
                    terminal.type("nonsense")
                    terminal.press("enter")
                    terminal.wait_for("Type a number from 1 to")
                terminal.type(typed)
                terminal.press("enter")
                terminal.wait_for(then)
                assert terminal.wait_exit() == 0
    with run(home, "setup") as terminal:
        terminal.wait_for("Number [1]:")
        terminal.type(server.url)
        terminal.press("enter")
        terminal.wait_for("Model [1]:")
        terminal.press("enter")
        terminal.wait_for("corp-large is now the model")
        assert terminal.wait_exit() == 0

    found = config.load(home.folder / "config.toml")
    assert list(found.models) == ["own", "phi4", "tiny-q4_k_m", "corp-large"]
    assert found.model == "corp-large"


def test_setup_tells_a_mistake_in_the_file_before_it_asks(home: Home) -> None:
    home.config("stream = maybe\n")
    with run(home, "setup") as terminal:
        terminal.wait_for("line 1")
        assert terminal.wait_exit() == 2


def test_without_a_terminal_setup_says_what_to_do(home: Home) -> None:
    done = home.run("setup")

    assert done.code == 2
    assert "needs a terminal" in done.err


@needs_hub
def test_a_model_is_pulled_with_a_bar_and_added(home: Home) -> None:
    files = {"Tiny-Q4_K_M.gguf": b"GGUF" + bytes(2_000_000)}
    with Hub({"Qwen/Tiny-GGUF": files}) as hub:
        home.env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home.work / "hf")}
        with run(home, "pull", "Qwen/Tiny-GGUF:Q4_K_M") as terminal:
            terminal.wait_for("tiny-q4_k_m is now the model of new conversations")
            assert terminal.row(1) == "■" * 20 + "  100%  2.0 MB of 2.0 MB"
            assert terminal.wait_exit() == 0
        again = home.run("pull", "Qwen/Tiny-GGUF")

    path = home.folder / "models/Qwen/Tiny-GGUF/Tiny-Q4_K_M.gguf"
    assert path.stat().st_size == 2_000_004
    assert again.out.strip() == str(path)
    assert "already" in again.err
    assert "continued" not in again.err
    assert len(hub.sent) == 1
    assert "[models.tiny-q4_k_m]" in (home.folder / "config.toml").read_text()


@needs_hub
@pytest.mark.parametrize(
    ("toml", "key", "default"),
    [
        ("", "", "tiny-q4_k_m"),
        ('model = "starter"\n', "", "starter"),
        ("", "sk-1234567890", ""),  # OpenAI's model answers
    ],
)
def test_the_first_model_pulled_is_that_of_new_conversations(
    home: Home, toml: str, key: str, default: str
) -> None:
    home.config(toml)
    with Hub({"Qwen/Tiny-GGUF": {"Tiny-Q4_K_M.gguf": b"GGUF"}}) as hub:
        home.env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home.work / "hf")}
        home.env["OPENAI_API_KEY"] = key
        done = home.run("pull", "Qwen/Tiny-GGUF")

    assert done.code == 0
    found = config.load(home.folder / "config.toml")
    assert list(found.models) == ["tiny-q4_k_m"]
    assert found.model == default
    assert ("is now the model of new" in done.err) is (default == "tiny-q4_k_m")


@needs_hub
def test_what_was_pulled_is_named_although_it_cannot_be_added(home: Home) -> None:
    home.config("stream = maybe\n")
    with Hub({"Qwen/Tiny-GGUF": {"Tiny-Q4_K_M.gguf": b"GGUF"}}) as hub:
        home.env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home.work / "hf")}
        done = home.run("pull", "Qwen/Tiny-GGUF")

    path = home.folder / "models/Qwen/Tiny-GGUF/Tiny-Q4_K_M.gguf"
    assert done.code == 2
    assert done.out == f"{path}\n"
    assert f"lazychat -m {path}" in done.err
    assert "line 1" in done.err
    assert (home.folder / "config.toml").read_text() == "stream = maybe\n"


@needs_hub
def test_ctrl_c_ends_a_pull_below_its_bar_and_the_next_one_continues(
    home: Home,
) -> None:
    files = {"Tiny-Q4_K_M.gguf": b"GGUF" + bytes(2_000_000)}
    with Hub({"Qwen/Tiny-GGUF": files}) as hub:
        home.env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home.work / "hf")}
        hub.gate.clear()
        part = home.folder / "models/Qwen/Tiny-GGUF/Tiny-Q4_K_M.gguf.part"
        with run(home, "pull", "Qwen/Tiny-GGUF", columns=40) as terminal:
            terminal.wait_for("of 2.0 MB")
            assert hub.waiting.wait(30)
            wait_until(lambda: part.exists() and part.stat().st_size)
            terminal.send(b"\x03")
            assert terminal.wait_exit() == 130
            assert "\N{SYMBOL FOR ESCAPE}" not in terminal.text
            assert "MB" in terminal.row(1)
            assert terminal.row(2).startswith("lazychat: Stopped.")
        hub.gate.set()
        again = home.run("pull", "Qwen/Tiny-GGUF")

    assert again.code == 0
    assert ", continued" in again.err


@needs_hub
@pytest.mark.parametrize(
    ("spec", "code", "says"),
    [("nonsense", 2, "write it like"), ("a/b", 1, "has no repository a/b")],
)
def test_what_cannot_be_pulled_is_told_in_a_line(
    home: Home, spec: str, code: int, says: str
) -> None:
    with Hub({}) as hub:
        home.env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home.work / "hf")}
        done = home.run("pull", spec)

    assert done.code == code
    assert says in done.err
    assert done.err.count("\n") <= 2
