"""GGUF files are found where programs keep them, and nothing else is taken for one."""

import json
import os
import struct
from pathlib import Path

import pytest

from tui.models.discovery import gguf_files
from tui.models.discovery.files import GGUFFile

HEAD = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and none of the variables that name others."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "none"))
    return tmp_path


def write(path: Path, data: bytes = HEAD, changed: float = 1000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (changed, changed))
    return path


def context(tokens: int) -> bytes:
    key = b"llama.context_length"
    return HEAD + struct.pack("<Q", len(key)) + key + struct.pack("<II", 4, tokens)


def found() -> dict[str, GGUFFile]:
    return {file.name: file for file in gguf_files()}


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("models", "~/models"),
        ("models/deep/er", "~/models"),
        ("Downloads", "~/Downloads"),
        ("Downloads/Qwen3-8B-GGUF", "~/Downloads"),
        (".cache/huggingface/hub/models--a--b/snapshots/1f", "Hugging Face cache"),
        (".lmstudio/models/a/b", "LM Studio"),
        (".cache/lm-studio/models/a/b", "LM Studio"),
        (".cache/llama.cpp", "llama.cpp"),
    ],
)
def test_a_file_is_found_in_each_folder(user: Path, folder: str, place: str) -> None:
    path = write(user / folder / "m.gguf", context(32768))

    assert gguf_files() == [
        GGUFFile(str(path), "m.gguf", place, path.stat().st_size, 1000.0, 32768)
    ]


def test_downloads_are_not_searched_far_down(user: Path) -> None:
    write(user / "Downloads/source/tests/fixtures/m.gguf")

    assert gguf_files() == []


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME"])
def test_the_cache_may_be_elsewhere(
    user: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(user / "disk"))
    write(user / "disk/hub/models--a--b/snapshots/1f/m.gguf")

    assert list(found()) == ["m.gguf"]


def test_a_linked_file_counts_once_and_links_to_folders_are_not_followed(
    user: Path,
) -> None:
    blob = write(user / ".cache/huggingface/hub/models--a--b/blobs/abc")
    link = user / ".cache/huggingface/hub/models--a--b/snapshots/1f/m.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    (user / "models").mkdir()
    (user / "models/again.gguf").symlink_to(blob)
    (user / "models/round").symlink_to(user / "models")

    assert len(gguf_files()) == 1


def test_of_a_model_in_parts_the_first_is_listed_when_all_are_there(user: Path) -> None:
    for number in (1, 2):
        write(user / f"models/whole-0000{number}-of-00002.gguf")
    write(user / "models/half-00001-of-00002.gguf")

    assert list(found()) == ["whole-00001-of-00002.gguf"]
    assert found()["whole-00001-of-00002.gguf"].size == 2 * len(HEAD)


def test_the_newest_is_first(user: Path) -> None:
    write(user / "models/old.gguf", changed=1.0)
    write(user / "models/new.gguf", changed=2.0)

    assert list(found()) == ["new.gguf", "old.gguf"]


def test_what_cannot_answer_is_not_listed(user: Path) -> None:
    write(user / "models/mmproj-model-f16.gguf")
    write(user / "models/page.gguf", b"<html>not found</html>")
    write(user / "models/empty.gguf", b"")
    os.mkfifo(user / "models/pipe.gguf")
    (user / "models/gone.gguf").symlink_to(user / "nowhere")
    (user / "models/folder.gguf").mkdir()

    assert gguf_files() == []


def test_the_scan_ends_in_a_folder_without_end(user: Path) -> None:
    path = user / "models"
    for _ in range(60):
        path /= "d"
    write(path / "too-deep.gguf")
    write(user / "models/near.gguf")

    assert list(found()) == ["near.gguf"]
    assert gguf_files(seconds=0) == []


def test_models_of_ollama_are_found_by_their_manifests(user: Path) -> None:
    store = user / ".ollama/models"
    digest = "sha256:" + "ab" * 32
    blob = write(store / "blobs" / digest.replace(":", "-"))
    layers = [
        {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:0"},
        {"mediaType": "application/vnd.ollama.image.model", "digest": digest},
    ]
    library = store / "manifests/registry.ollama.ai/library"
    write(library / "qwen3/8b", json.dumps({"layers": layers}).encode())
    layers[1]["digest"] = "sha256:../../../../etc/passwd"
    write(library / "evil/1", json.dumps({"layers": layers}).encode())
    write(library / "broken/1", b"{")

    assert list(found()) == ["qwen3:8b"]
    assert found()["qwen3:8b"].path == str(blob)
    assert found()["qwen3:8b"].place == "Ollama"
