"""A model is added to the user's config.toml, of which nothing else changes."""

import re
import stat
import threading
from pathlib import Path

import pytest

from tui import config, paths
from tui.config import LlamaModelConfig, OpenAIModelConfig
from tui.errors import ConfigError
from tui.models import keys
from tui.models.setup import Chosen, keep

QWEN = Chosen("qwen", OpenAIModelConfig("qwen3:8b", supplier="ollama"), "qwen3:8b")


@pytest.fixture(autouse=True)
def file(home: Path) -> Path:
    assert paths.config_file().parent == home
    return paths.config_file()


def test_without_a_file_one_is_made_for_the_user_alone(file: Path) -> None:
    kept = keep(QWEN, default=True)

    assert kept.name == "qwen"
    assert kept.added
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    loaded = config.load()
    assert loaded.model == "qwen"
    assert loaded.models == {"qwen": QWEN.settings}
    text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", file.read_text())
    assert text == (
        'model = "qwen"  # of new conversations\n'
        "\n"
        "# qwen3:8b (added DATE)\n"
        "[models.qwen]\n"
        'provider = "openai"\n'
        'model = "qwen3:8b"\n'
        'supplier = "ollama"\n'
        "# options = { temperature = 0.7 }  # sent with each question\n"
    )


OWN = """\
# My settings.
# Two lines.

stream = true     # as it comes
{default}
system = '''
model = "not this one"
[nor this]
'''

[keys]
stream = "ctrl+t"   # mine

[models.mine]
provider = "openai"   # a comment
model = "x"
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("default", "becomes"),
    [
        ('model = "mine"  # for now', 'model = "qwen"  # for now'),
        ("model = 'mine'", 'model = "qwen"'),
        ('"model"="mine"', '"model"="qwen"'),
    ],
)
def test_comments_order_and_line_ends_stay(
    file: Path, default: str, becomes: str, end: str
) -> None:
    text = OWN.format(default=default).replace("\n", end)
    file.write_bytes(text.encode())

    keep(QWEN, default=True)

    after = file.read_bytes().decode()
    assert after.startswith(text.replace(default, becomes))
    assert "\n" not in after.replace(end, "")
    assert list(config.load().models) == ["mine", "qwen"]


def test_without_a_default_it_is_written_behind_the_heading(file: Path) -> None:
    file.write_text("# My settings.\n\nstream = false\n")

    keep(QWEN, default=True)

    lines = file.read_text().splitlines()
    assert lines[:4] == [
        "# My settings.",
        "",
        'model = "qwen"  # of new conversations',
        "",
    ]
    assert "stream = false" in lines
    assert config.load().model == "qwen"


def test_the_default_stays_unless_it_is_to_change(file: Path) -> None:
    file.write_text('model = "starter"\n')

    keep(QWEN)

    assert config.load().model == "starter"


@pytest.mark.parametrize(
    "text",
    [
        "models = { mine = { provider = 'openai' } }\n",
        'system = """\nmodel = "x"\n"""\n[models]\nqwen2 = {provider = "openai"}\n'
        "models.x.provider = 1\n",
        'model = """mine"""\n',
    ],
)
def test_what_cannot_be_edited_is_left_alone_and_told(file: Path, text: str) -> None:
    file.write_text(text)

    with pytest.raises(ConfigError):
        keep(QWEN, default=True)

    assert file.read_text() == text


def test_a_file_with_a_mistake_is_left_alone_and_the_mistake_told(file: Path) -> None:
    file.write_text("stream = maybe\n")

    with pytest.raises(ConfigError, match="line 1"):
        keep(QWEN)

    assert file.read_text() == "stream = maybe\n"


def test_a_name_that_is_taken_gets_a_number_and_the_same_model_its_old_name(
    file: Path,
) -> None:
    file.write_text('[models.qwen]\nprovider = "openai"\nmodel = "other"\n')

    first = keep(QWEN)
    text = file.read_text().replace("# options", "options")
    file.write_text(text)
    second = keep(QWEN)

    assert (first.name, first.added) == ("qwen-2", True)
    assert (second.name, second.added) == ("qwen-2", False)
    assert file.read_text() == text


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "lazychat.toml"
    real.parent.mkdir()
    real.write_text("# mine\n")
    file.symlink_to(real)

    keep(QWEN)

    assert file.is_symlink()
    assert "[models.qwen]" in real.read_text()


def test_a_folder_that_cannot_be_written_is_told_with_the_lines_to_add(
    home: Path,
) -> None:
    (home / "flat").write_text("")

    with pytest.raises(ConfigError, match="cannot be written") as e:
        keep(QWEN, home / "flat" / "config.toml")

    assert "[models.qwen]" in str(e.value)


def test_a_key_goes_into_its_own_file_only(file: Path) -> None:
    keys.hold("GROQ_API_KEY", "gsk_9fK2xQzT4aB7")
    settings = OpenAIModelConfig("llama-3", supplier="groq")

    keep(Chosen("llama-3", settings, "llama-3 at Groq", "GROQ_API_KEY"))

    assert "gsk_" not in file.read_text()
    assert "GROQ_API_KEY" in file.read_text()
    assert 'GROQ_API_KEY = "gsk_9fK2xQzT4aB7"' in paths.keys_file().read_text()


def test_many_at_once_lose_nothing(file: Path) -> None:
    def add(number: int) -> None:
        settings = LlamaModelConfig(f"/models/{number}.gguf")
        keep(Chosen(f"m{number}", settings, "a file"))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(config.load().models) == [f"m{n}" for n in range(8)]
