import pytest
from support import ROOT

from tui import config
from tui.config import Config, LlamaModelConfig, OpenAIModelConfig
from tui.errors import ConfigError

EXAMPLE = ROOT / "config.example.toml"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("MODEL", "SYSTEM", "THEME", "STREAM"):
        monkeypatch.delenv(f"LAZYCHAT_{name}", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_the_example_says_the_defaults():
    assert config.parse(EXAMPLE.read_text()) == Config()


def test_the_example_names_every_key():
    text = EXAMPLE.read_text()
    sections = (Config, config.ToolsConfig, OpenAIModelConfig, LlamaModelConfig)
    missing = [
        field
        for section in sections
        for field in section.__struct_fields__
        if f"{field} =" not in text and f"{field}]" not in text
    ]
    assert missing == []


def test_the_examples_of_models_are_valid_when_uncommented():
    lines = EXAMPLE.read_text().splitlines()
    at = lines.index("# [models.deepseek]")
    code = [ln[2:] for ln in lines[at:] if "=" in ln or ln.startswith("# [")]
    models = config.parse("\n".join(code)).models
    assert list(models) == ["deepseek", "qwen"]


def test_no_file_is_the_defaults(tmp_path):
    assert config.load(tmp_path / "config.toml") == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = 'a'\nstream = yes\n", "line 2, column 10: this is not TOML"),
        ("model = [", "line 1, column 1[0-9]?: this is not TOML"),
        ("\nmodle = 'a'", 'line 2: unknown key "modle". Did you mean "model"'),
        ("[tools]\ntimeut = 3", r'line 2: unknown key "timeut" in \[tools\]. Did'),
        ("zzz = 1", 'unknown key "zzz". Known: model, agent'),
        ("stream = 1", "line 1: stream: expected bool, got int"),
        ("agent = 'x'", 'line 1: agent cannot be "x"'),
        (
            "[models.a]\nprovider = 'llama'\npath = 'x'\n\n"
            "[models.b]\nprovider = 'openai'\nbase_ulr = 'x'",
            r'line 7: unknown key "base_ulr" in \[models.b\]. Did you mean "base_url"',
        ),
        ("[models.a]\nprovider = 'llama'", r'line 1: \[models.a\] needs "path"'),
        ("[models.a]\npath = 'x'", r'line 1: \[models.a\] needs "provider"'),
        (
            "[models.a]\nprovider = 'lama'",
            'line 2: models.a.provider cannot be "lama". Known: openai, llama',
        ),
        ("notify = 'x'", 'line 1: notify cannot be "x". Known: off, bell, notify'),
        (
            "[tools.policy]\ndice = 'ask'\nclock = 'x'",
            'line 3: tools.policy.clock cannot be "x". Known: allow, ask, deny',
        ),
        (
            "[models.a]\nprovider = 'openai'\nprice.inptu = 3",
            r'line 3: unknown key "inptu" in \[models.a.price\]. Did you mean "input"',
        ),
        ("[models]\na = 3", "line 2: models.a: expected object, got int"),
        ("mcp = 3", "line 1: mcp: expected object, got int"),
    ],
)
def test_bad_input_says_what_where_and_what_to_do(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        config.parse(text, "my.toml")
    assert str(caught.value).startswith("my.toml, line ")


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text("model = 'a'\nstream = true")
    monkeypatch.setenv("LAZYCHAT_MODEL", "b")
    monkeypatch.setenv("LAZYCHAT_STREAM", "off")

    loaded = config.load(tmp_path / "config.toml")

    assert (loaded.model, loaded.stream) == ("b", False)


def test_a_senseless_variable_is_named(monkeypatch):
    monkeypatch.setenv("LAZYCHAT_STREAM", "perhaps")
    with pytest.raises(ConfigError, match="LAZYCHAT_STREAM is 'perhaps'"):
        config.with_environment(Config())


def test_the_default_model_is_online_only_with_a_key(monkeypatch):
    assert config.default_model(Config()) == "starter"
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert config.default_model(Config()) == "openai"
    assert config.default_model(Config(model="mine")) == "mine"
