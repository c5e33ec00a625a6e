"""Keys are kept for the user alone, found by their variable, and never shown."""

import stat
from pathlib import Path

import pytest

from tui import masking, paths
from tui.config import Config, OpenAIModelConfig
from tui.errors import ConfigError
from tui.models import keys
from tui.models.catalog import ModelCatalog
from tui.models.discovery import services

KEY = "sk-proj-9fK2xQzT4aB7"


@pytest.fixture(autouse=True)
def kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DEEPSEEK_API_KEY", "GROQ_API_KEY", "GITHUB_TOKEN", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return home


def test_a_key_is_stored_for_the_user_alone_beside_the_others() -> None:
    first = keys.store("GROQ_API_KEY", KEY)
    first.chmod(0o644)

    file = keys.store("DEEPSEEK_API_KEY", "sk-other-123456")

    assert file == paths.keys_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keys.find("GROQ_API_KEY") == KEY
    assert keys.find("DEEPSEEK_API_KEY") == "sk-other-123456"
    assert [p.name for p in file.parent.iterdir()] == ["keys.toml"]


def test_the_variable_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    keys.store("GROQ_API_KEY", KEY)
    monkeypatch.setenv("GROQ_API_KEY", "sk-of-today-1")

    assert keys.find("GROQ_API_KEY") == "sk-of-today-1"


def test_a_stored_key_is_masked_from_its_first_use() -> None:
    paths.keys_file().write_text('ONE = "sk-never-said-1234"\n')

    keys.find("ONE")

    assert masking.mask("it was sk-never-said-1234") == "it was ***"


@pytest.mark.parametrize(
    "text",
    [
        *(KEY, f"  {KEY}\n", f'"{KEY}"', f"export GROQ_API_KEY={KEY}", f"A_B='{KEY}'"),
        *(f"Bearer {KEY}", f"Authorization: Bearer {KEY}"),
    ],
)
def test_a_key_is_taken_out_of_what_was_copied(text: str) -> None:
    assert keys.checked(text) == KEY


@pytest.mark.parametrize("text", ["", "  ", "two words", "schlüssel", "x" * 5000])
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        keys.checked(text)
    assert not text.strip() or text not in str(refused.value)


def test_a_file_that_is_broken_is_kept_and_named() -> None:
    paths.keys_file().write_text("GROQ_API_KEY = sk-x\n")

    with pytest.raises(ConfigError, match=r"keys\.toml is not valid"):
        keys.store("A_KEY", KEY)

    assert paths.keys_file().read_text() == "GROQ_API_KEY = sk-x\n"
    assert keys.find("GROQ_API_KEY") == ""


def test_services_with_a_key_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_1")
    keys.store("GROQ_API_KEY", KEY)

    found = services()

    assert [it.supplier for it in found if it.has_key] == ["groq", "github"]
    assert [it.supplier for it in found[:2]] == ["groq", "github"]
    assert "ollama" not in [it.supplier for it in found]


def test_a_model_finds_its_stored_key() -> None:
    models = ModelCatalog(Config(models={"g": OpenAIModelConfig(supplier="groq")}))
    keys.store("GROQ_API_KEY", KEY)
    model: object = models.get("g")

    assert model._find_key() == KEY  # pyright: ignore
    models.close()


@pytest.mark.parametrize("given", [f'"{KEY}"', f"'{KEY}'", f' "{KEY}" \n', f"{KEY}\r"])
def test_quotes_and_blanks_around_a_variable_are_none_of_the_key(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", given)  # Docker's --env-file keeps the quotes

    assert keys.find("GROQ_API_KEY") == KEY
