"""What a user gets wrong is one line on stderr: what, where, and what to do.

Each runs in this process, where a traceback would be the test's own failure.
"""

import os
import socket
import sqlite3
import sys
from contextlib import closing

import pytest
from support.fakes.lazychat import Done, Home, complaint

from tui.cli import main


class Here(Home):
    """Runs lazychat in this process."""

    def __init__(self, folder, monkeypatch, capfd):
        super().__init__(folder)
        self._capfd = capfd
        for name in [n for n in os.environ if n.startswith(("OPENAI_", "LAZYCHAT_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("LAZYCHAT_HOME", str(self.folder))
        monkeypatch.chdir(folder)

    def run(self, *arguments, **options):
        assert not options
        code = main([str(argument) for argument in arguments])
        out, err = self._capfd.readouterr()
        return Done(code, out, err)


@pytest.fixture
def home(tmp_path, monkeypatch, capfd):
    # pytest's stand-in for stdin refuses to be read.
    with open(os.devnull) as nothing:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", nothing)
        yield Here(tmp_path, monkeypatch, capfd)


def test_broken_toml_is_told_with_line_and_column(home):
    path = home.config('model = "play"\nstream = tru\n')

    said = complaint(home.ask("hi"), 2)

    assert said.startswith(f"{path}, line 2, column 10: this is not TOML: ")


def test_an_unknown_key_is_told_with_its_line_and_the_nearest(home):
    path = home.config("# mine\n\n[tools]\ntimout = 5\n")

    assert complaint(home.ask("hi"), 2) == (
        f'{path}, line 4: unknown key "timout" in [tools]. Did you mean "timeout"?'
    )


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("stream = 1", 1, ["stream", "bool"]),
        ('agent = "magic"', 1, ["agent", '"magic"', "Known: function_call"]),
        ("max_rounds = -1", 1, ["max_rounds", ">= 0"]),
        ("[tools]\ntimeout = 0", 2, ["tools.timeout", "> 0"]),
        ("[tools]\ntimeout = nan", 2, ["tools.timeout", "> 0"]),
        (
            '[models.x]\nprovider = "llama"\npath = "x.gguf"\ncontext = -1',
            4,
            ["models.x.context", ">= 0"],
        ),
        ('[models.x]\nprovider = "opnai"', 2, ['"opnai"', "openai, llama, scripted"]),
        ('[models.x]\nprovider = "llama"', 1, ["[models.x]", '"path"']),
        ('[models.x]\nmodel = "gpt"', 1, ["[models.x]", '"provider"']),
        ("models = 3", 1, ["models"]),
    ],
)
def test_a_value_that_makes_no_sense_is_told_with_its_line(home, text, line, told):
    path = home.config(text)

    said = complaint(home.ask("hi"), 2)

    assert said.startswith(f"{path}, line {line}: ")
    for words in told:
        assert words in said


def test_a_configuration_that_is_not_text_is_told(home):
    path = home.folder / "config.toml"
    path.write_bytes(b"model = \xff")

    said = complaint(home.ask("hi"), 2)

    assert said == f"{path} cannot be read: it is not UTF-8 (byte 9)."


def test_a_configuration_that_is_named_and_missing_is_told(home):
    said = complaint(home.ask("--config", "no.toml", "hi"), 2)

    assert said == "no.toml: no such file."


def test_a_configuration_that_is_a_folder_is_told(home):
    said = complaint(home.ask("--config", home.folder, "hi"), 2)

    assert said == f"{home.folder} cannot be read: Is a directory."


@pytest.mark.parametrize(
    "table",
    ['provider = "openai"\nmodel = "m"', 'provider = "llama"\npath = "m.gguf"'],
)
def test_an_unknown_dialect_is_told_with_the_nearest(home, table):
    home.config(f'[models.mine]\n{table}\ndialect = "hermse"')

    said = complaint(home.ask("-m", "mine", "hi"), 1)

    assert said.startswith(
        '[models.mine]: there is no dialect "hermse". Did you mean "hermes"?'
    )


def test_an_unknown_model_names_the_nearest(home):
    home.scripted("Fine.")

    said = complaint(home.ask("-m", "plya", "hi"), 2)

    assert 'No model is named "plya". Did you mean "play"?' in said
    assert home.records() == []


def test_an_unknown_model_of_the_configuration_is_told(home):
    home.config('model = "gpt"')

    said = complaint(home.ask("hi"), 2)

    assert 'No model is named "gpt".' in said
    assert "starter, openai" in said


def test_a_missing_key_names_its_variable(home):
    home.server("http://127.0.0.1:9/v1", 'api_key_env = "MY_KEY"')

    said = complaint(home.ask("hi"), 1)

    assert "set the variable MY_KEY" in said
    assert "[models.remote]" in said


def test_the_usual_key_is_named_too(home):
    assert "set the variable OPENAI_API_KEY" in complaint(
        home.ask("-m", "openai", "hi"), 1
    )


def test_a_key_command_that_fails_is_told(home):
    home.server("http://127.0.0.1:9/v1", 'api_key_cmd = "no-such-command-here"')

    said = complaint(home.ask("hi"), 1)

    assert said.startswith("[models.remote]: api_key_cmd gave no key: ")


def test_a_server_that_does_not_run_is_told(home):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        home.server(url)

        said = complaint(home.ask("hi"), 1)

    assert said.startswith(f"Cannot reach {url}: connection refused.")
    assert "base_url" in said


def test_a_refused_key_is_told(home, server, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-secret")
    home.server(server.url, 'api_key_env = "MY_KEY"')
    server.json({"error": {"message": "Incorrect API key: sk-secret"}}, status=401)

    said = complaint(home.ask("hi"), 1)

    assert "MY_KEY" in said
    assert "sk-secret" not in said
    assert "sk-secret" not in "".join(str(r.event) for r in home.records())


def test_a_model_that_the_server_has_not_is_told_with_those_it_has(home, server):
    home.server(server.url)
    error = {"error": {"message": "The model `fake` does not exist"}}
    server.json(error, status=404, path="/chat/completions")
    server.json({"data": [{"id": "real"}]}, path="/models")

    said = complaint(home.ask("hi"), 1)

    assert said == f'{server.url} has no model "fake". It has: real.'


@pytest.mark.parametrize("by_name", [True, False])
def test_a_missing_gguf_is_told(home, by_name):
    path = home.work / "no.gguf"
    home.config(f'[models.mine]\nprovider = "llama"\npath = "{path}"')

    name, code = ("mine", 1) if by_name else (str(path), 2)
    said = complaint(home.ask("-m", name, "hi"), code)

    assert f"There is no file {path}" in said


def test_a_file_that_is_no_gguf_is_told(home):
    path = home.work / "model.gguf"
    path.write_text("<html>Not found</html>")

    said = complaint(home.ask("-m", path, "hi"), 1)

    assert f"{path} is not a GGUF file" in said


def test_an_unknown_option_of_a_local_model_is_told(home):
    home.config(
        '[models.mine]\nprovider = "llama"\npath = "m.gguf"\n'
        "options = { temprature = 1 }"
    )

    said = complaint(home.ask("-m", "mine", "hi"), 1)

    assert said == (
        '[models.mine]: options: unknown key "temprature". Did you mean "temperature"?'
    )


def test_a_missing_script_is_told(home):
    home.config('model = "x"\n[models.x]\nprovider = "scripted"\npath = "no.json"')

    said = complaint(home.ask("hi"), 1)

    assert said == "Script no.json cannot be read: No such file or directory."


def only_talk(done):
    """Return what was said on stderr besides an answer."""
    assert (done.code, done.out) == (0, "Fine.\n")
    lines = done.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("lazychat: ")
    return lines[0]


def test_a_store_of_a_newer_version_is_left_alone_and_the_answer_given(home):
    home.scripted("Fine.")
    with closing(sqlite3.connect(home.store)) as db:
        db.execute("PRAGMA user_version = 999")
    before = home.store.read_bytes()

    said = only_talk(home.ask("hi"))

    assert "written by a newer lazychat" in said
    assert str(home.store) in said
    assert "Update lazychat" in said
    assert home.store.read_bytes() == before


def test_a_store_that_is_no_database_is_set_aside_and_the_answer_given(home):
    home.scripted("Fine.")
    home.store.write_text("This is my diary. " * 100)

    said = only_talk(home.ask("hi"))

    (aside,) = home.folder.glob("lazychat.db.broken-*")
    assert f"is set aside as {aside}" in said
    assert aside.read_text() == "This is my diary. " * 100
    assert home.entries()[-1].message.text == "Fine."


def test_a_data_folder_that_cannot_be_written_is_told_and_the_answer_given(
    home, monkeypatch
):
    # Root may write anywhere, but not below a file.
    home.scripted("Fine.")
    config = home.folder / "config.toml"
    monkeypatch.setenv("LAZYCHAT_HOME", str(config / "below"))

    said = only_talk(home.ask("--config", config, "hi"))

    assert f"{config} is not a folder" in said
    assert "LAZYCHAT_HOME" in said


def test_going_on_where_nothing_is_kept_is_refused(home, monkeypatch):
    home.scripted("Fine.")
    config = home.folder / "config.toml"
    monkeypatch.setenv("LAZYCHAT_HOME", str(config / "below"))

    done = home.ask("-c", "--config", config, "hi")

    assert (done.code, done.out) == (1, "")
    assert "There is no conversation to continue yet" in done.err


def test_an_unknown_tool_names_the_nearest(home):
    home.scripted("Fine.")

    said = complaint(home.ask("-T", "get_curent_weather", "hi"), 2)

    assert said == (
        'There is no tool "get_curent_weather". Did you mean "get_current_weather"?'
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "no such file"),
        ("x = 1\ndef f(:\n", "line 2: SyntaxError"),
        ("x = 1\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
        ("import no_such_module\n", "line 1: ModuleNotFoundError"),
        ("x = 1\n", "mark functions with @tool"),
        ("import sys\nsys.exit(3)\n", "line 2: SystemExit"),
        ("from tui.tools import tool\n@tool\ndef f(x: int): ...\n", "docstring"),
    ],
)
def test_a_broken_tool_file_that_was_asked_for_is_refused(home, text, told):
    home.scripted("Fine.")
    if text is not None:
        (home.work / "mine.py").write_text(text)

    said = complaint(home.ask("-T", "mine.py", "hi"), 2)

    assert str(home.work / "mine.py") in said
    assert told in said


def test_a_broken_tool_of_the_users_folder_is_a_line_and_the_rest_works(home):
    home.scripted("Fine.")
    home.write("tools/broken.py", "import no_such_module\n")

    said = only_talk(home.ask("hi"))

    assert "broken.py, line 1: ModuleNotFoundError" in said


@pytest.mark.parametrize("tool", ["none", "calculate"])
def test_a_broken_tool_beside_those_that_are_wanted_is_not_told(home, tool):
    home.scripted("Fine.")
    home.write("tools/broken.py", "import no_such_module\n")

    assert home.ask("-T", tool, "hi") == (0, "Fine.\n", "")
    assert "broken.py, line 1" in home.ask("-T", "lost", "hi").err


def test_a_tool_file_of_the_configuration_that_is_missing_is_a_line(home):
    home.scripted("Fine.", more='[tools]\nfiles = ["no.py"]')

    assert "no.py cannot be loaded" in only_talk(home.ask("hi"))


def test_a_tool_that_is_switched_off_and_not_there_is_a_line(home):
    home.scripted("Fine.", more='[tools]\ndisabled = ["get_curent_weather"]')

    said = only_talk(home.ask("hi"))

    assert '"get_curent_weather"' in said
    assert 'Did you mean "get_current_weather"?' in said


@pytest.mark.parametrize(
    ("name", "value", "code", "told"),
    [
        ("LAZYCHAT_STREAM", "maybe", 2, "LAZYCHAT_STREAM is 'maybe': use on or off."),
        ("LAZYCHAT_MODEL", "plya", 2, 'No model is named "plya".'),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(
    home, monkeypatch, name, value, code, told
):
    home.scripted("Fine.")
    monkeypatch.setenv(name, value)

    assert told in complaint(home.ask("hi"), code)


def test_nothing_of_a_message_drives_the_terminal(home):
    assert "\x1b" not in complaint(home.ask("-m", "\x1b]0;mine\x07", "hi"), 2)


def test_a_process_ends_so_too(tmp_path):
    home = Home(tmp_path)
    path = home.config("model = [")

    assert complaint(home.ask("hi"), 2).startswith(f"{path}, line 1, column ")


NO_FILES = {
    "a long name": "x" * 5000,
    "a long part of a name": "y" * 300,
    "a home of nobody": "~nobody-of-that-name/x",
    "a file for a folder": "/etc/passwd/x",
}
TAKING_FILES = {
    "backup": ["backup", "FILE"],
    "backup --force": ["backup", "--force", "FILE"],
    "export": ["export", "--all", "-o", "FILE"],
    "import": ["import", "FILE"],
    "ask --config": ["ask", "--config", "FILE", "hi"],
    "ask -a": ["ask", "-a", "FILE", "hi"],
    "ask -T": ["ask", "-T", "FILE.py", "hi"],
    "ask -T of": ["ask", "-T", "FILE.py:look_up", "hi"],
    "ask -m": ["ask", "-m", "FILE.gguf", "hi"],
    "ask --schema": ["ask", "--schema", "FILE", "hi"],
    "mcp import": ["mcp", "import", "FILE"],
    "mcp list": ["mcp", "--config", "FILE", "list"],
    "tools": ["tools", "--config", "FILE"],
    "pull --to": ["pull", "a/b", "--to", "FILE"],
    "serve": ["serve", "--config", "FILE"],
}


@pytest.mark.parametrize("command", TAKING_FILES)
@pytest.mark.parametrize("name", NO_FILES)
def test_a_name_that_no_file_can_have_is_one_line(home, monkeypatch, command, name):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    home.scripted("Fine.")
    home.ask("hello")
    argv = [part.replace("FILE", NO_FILES[name]) for part in TAKING_FILES[command]]
    monkeypatch.chdir(home.folder)

    done = home.run(*argv)

    # `~name` of nobody is a folder of that name, as in a shell.
    written = "nobody" in name and command.startswith(("backup", "export"))
    assert done.code in (1, 2) or written, done
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("lazychat: ")


@pytest.mark.parametrize("host", ["x" * 300, ".", "a..b", "\ud800"])
def test_a_host_that_is_none_is_one_line(home, host):
    home.scripted("Fine.")

    said = complaint(home.run("serve", "--port", "0", "--host", host), 2)

    assert said.startswith("This machine cannot listen on ")


@pytest.mark.parametrize(
    "table",
    [
        '[tools]\nfolders = ["~nobody-of-that-name/x"]',
        '[tools]\ncommand_folders = ["~nobody-of-that-name/x"]',
        '[mcp.a]\ncommand = "~nobody-of-that-name/x"\ncwd = "~nobody-of-that-name"',
        '[models.b]\nprovider = "scripted"\npath = "~nobody-of-that-name/x"',
        '[models.b]\nprovider = "llama"\npath = "~nobody-of-that-name/x"',
    ],
)
def test_a_home_of_nobody_in_the_configuration_keeps_nobody_from_asking(home, table):
    home.scripted("Fine.")
    home.config(f"{(home.folder / 'config.toml').read_text()}\n{table}\n")

    done = home.ask("hi")

    assert (done.code, done.out) == (0, "Fine.\n"), done
    assert "Traceback" not in done.err


def test_a_home_of_nobody_for_all_files_is_a_folder(home, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAZYCHAT_HOME", "~nobody-of-that-name/x")

    done = home.run("list")

    assert done.code == 0
    assert done.err == "lazychat: no conversations yet\n"
