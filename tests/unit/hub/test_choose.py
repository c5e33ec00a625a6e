"""Of a repository's files, those of the wanted model are chosen."""

import pytest

from tui.errors import ConfigError, ModelError
from tui.models.hub.choose import HubFile, Wanted, choose, is_page, quant, wanted

FILES = [
    HubFile(name, 1)
    for name in (
        "README.md",
        "Qwen3-8B-Q8_0.gguf",
        "Qwen3-8B-Q4_K_M.gguf",
        "Qwen3-8B-UD-IQ2_XXS.gguf",
        "BF16/Qwen3-8B-BF16-00002-of-00002.gguf",
        "BF16/Qwen3-8B-BF16-00001-of-00002.gguf",
        "mmproj-F16.gguf",
    )
]

PARTS = [f"BF16/Qwen3-8B-BF16-0000{n}-of-00002.gguf" for n in (1, 2)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Qwen/Qwen3-8B-GGUF", Wanted("Qwen/Qwen3-8B-GGUF")),
        ("Qwen/Qwen3-8B-GGUF:q4_k_m", Wanted("Qwen/Qwen3-8B-GGUF", "q4_k_m")),
        ("hf:a/b:m.gguf", Wanted("a/b", "m.gguf")),
        ("https://huggingface.co/a/b", Wanted("a/b")),
        ("hf.co/a/b:Q8_0", Wanted("a/b", "Q8_0")),
        ("https://huggingface.co/a/b/", Wanted("a/b")),
        ("https://huggingface.co/a/b/tree/main", Wanted("a/b")),
        ("https://huggingface.co/a/b/tree/main/BF16#x", Wanted("a/b")),
        (
            "https://huggingface.co/a/b/blob/main/m-Q8_0.gguf",
            Wanted("a/b", "m-Q8_0.gguf"),
        ),
        (
            "https://huggingface.co/a/b/resolve/main/BF16/m.gguf?download=true",
            Wanted("a/b", "BF16/m.gguf"),
        ),
        (
            "https://huggingface.co/a/b?show_file_info=m-Q8_0.gguf",
            Wanted("a/b", "m-Q8_0.gguf"),
        ),
    ],
)
def test_a_repository_is_named_with_or_without_its_quantization(
    text: str, what: Wanted
) -> None:
    assert wanted(text) == what


def test_a_page_of_the_mirror_in_use_names_a_repository_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = "https://corp.example/api/hf/a/b/blob/main/m.gguf"
    assert not is_page(page)

    monkeypatch.setenv("HF_ENDPOINT", "https://corp.example/api/hf/")

    assert is_page(page)
    assert wanted(page) == Wanted("a/b", "m.gguf")


@pytest.mark.parametrize(
    "text",
    [
        *("", "qwen", "a/b/c", "../b", "a/..", "a b/c", "a/b:", "a/b:../c"),
        "https://huggingface.co/spaces/a/b",
        "https://example.com/a/b",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="Qwen/Qwen3-8B-GGUF:Q4_K_M"):
        wanted(text)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", ["Qwen3-8B-Q4_K_M.gguf"]),
        ("q8_0", ["Qwen3-8B-Q8_0.gguf"]),
        ("UD-IQ2_XXS", ["Qwen3-8B-UD-IQ2_XXS.gguf"]),
        ("Qwen3-8B-Q8_0.gguf", ["Qwen3-8B-Q8_0.gguf"]),
        ("Qwen3-8B-BF16-00002-of-00002.gguf", PARTS),
        ("BF16/Qwen3-8B-BF16-00001-of-00002.gguf", PARTS),
        ("BF16", PARTS),
    ],
)
def test_the_asked_quantization_is_chosen_else_the_best(
    asked: str, names: list[str]
) -> None:
    chosen = choose(FILES, Wanted("a/b", asked))
    assert [file.name for file in chosen] == names


def test_what_is_not_there_is_told_with_what_there_is() -> None:
    with pytest.raises(ModelError, match=r"no Q2_K.*Q8_0, Q4_K_M, UD-IQ2_XXS, BF16"):
        choose(FILES, Wanted("a/b", "Q2_K"))


@pytest.mark.parametrize(
    "files",
    [
        [],
        ["model.safetensors"],
        ["mmproj-F16.gguf"],
        ["../../etc/x.gguf"],
        ["/elsewhere/x.gguf"],
        ["a\x1b[2J.gguf"],
    ],
)
def test_a_repository_without_a_fair_gguf_file_has_none(files: list[str]) -> None:
    with pytest.raises(ModelError, match="no GGUF file"):
        choose([HubFile(name, 1) for name in files], Wanted("a/b"))


def test_a_model_whose_parts_are_missing_is_refused() -> None:
    with pytest.raises(ModelError, match="only 1 of the 3 parts"):
        choose([HubFile("m-00001-of-00003.gguf", 1)], Wanted("a/b"))


@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("a-Q4_K_M.gguf", "Q4_K_M"),
        ("a.q4_0.gguf", "Q4_0"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("Q4/plain.gguf", "Q4"),
        ("plain.gguf", "plain.gguf"),
    ],
)
def test_a_quantization_is_read_from_the_name(name: str, which: str) -> None:
    assert quant(name) == which
