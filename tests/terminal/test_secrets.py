"""No secret is in what is said, stored or logged; files are for the user alone."""

import base64
import logging
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from support import ROOT
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.fault_notes import Tried
from support.terminal import Terminal

from tui import config, files, masking
from tui.config import OpenAIModelConfig
from tui.errors import ConfigError, LazychatError
from tui.mcp import secrets
from tui.messages import Message
from tui.models.catalog import ModelCatalog
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

KEY = "sk-proj-9fK/2+x_QzT4"
PASSWORD = "hunter2=Xy/9"
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
ASK = [Message("user", "Hello")]


def complaint(url: str, **settings: Any) -> str:
    """Return what a question to a model of the configuration ends with."""
    about = OpenAIModelConfig("m", url, max_retries=0, **settings)
    catalog = ModelCatalog(config.Config(models={"big": about}))
    with pytest.raises(LazychatError) as raised:
        collect(catalog.get("big").generate(ASK, (), Turn("t")))
    catalog.close()
    return f"{raised.value} {catalog.about('big')}"


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        KEY.upper(),
        quote(KEY, safe=""),
        KEY.replace("/", "\\/"),
        base64.b64encode(KEY.encode()).decode(),
        f"x={KEY}&y",
        f"\\n{KEY}\\r",
        f"Authorization: Bearer {KEY}",
    ],
)
def test_no_form_of_a_key_is_quoted(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch, form: str, tried: Tried
) -> None:
    monkeypatch.setenv("BIG_KEY", KEY)
    server.json({"error": {"message": f"bad: {form}"}}, status=400)

    said = complaint(server.url, api_key_env="BIG_KEY")

    assert "***" in said
    assert form not in said
    assert KEY[8:] not in said
    tried("Keys in errors of servers")


@pytest.mark.parametrize("form", [f"Basic {BASIC}", BASIC, PASSWORD, f"me:{PASSWORD}"])
def test_no_form_of_a_password_is_quoted(
    server: SSEServer, form: str, tried: Tried
) -> None:
    server.json({"error": {"message": f"bad: {form}"}}, status=400)

    login = f"me:{quote(PASSWORD, safe='')}"
    said = complaint(server.url.replace("//", f"//{login}@"))

    for secret in (BASIC.rstrip("="), PASSWORD, login):
        assert secret not in said
    assert "***" in said
    tried("Passwords of an address in errors of servers")


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@host:port/v1",
        "ftp://me:hunter2@host/v1",
        "http://me:hunter2@host:0/v1",
        "http://me:hunter2@[::/v1",
        "http://me:hunter2@/v1",
        "me:hunter2@",
        "http://me:hun/ter2@host/v1",
        "http://me:12/ter2@host/v1",
        "http://me:12?ter2@host/v1",
        "http://me:12#ter2@host/v1",
        "http://me:hun@ter2@:x/v1",
        "ftp://host/v1?key=hunter2",
        "ftp://host/v1#hunter2",
    ],
)
def test_an_address_that_is_wrong_is_told_without_its_password(
    url: str, tried: Tried
) -> None:
    with pytest.raises(ConfigError) as raised:
        OpenAIModel("m", "m", url)

    assert "base_url" in str(raised.value)
    assert "hun" not in str(raised.value)
    assert "ter2" not in str(raised.value)
    shown = ModelCatalog(config.Config(models={"m": OpenAIModelConfig("m", url)}))
    assert "ter2" not in shown.about("m")
    tried("Passwords of an address that is wrong")


@pytest.mark.parametrize(
    "key", ["sk-abcDEF123456", "gsk_abcDEF123456", "AIzaSyD1234567890", "0123456789AB"]
)
def test_a_key_in_the_place_of_a_variable_is_not_quoted(key: str, tried: Tried) -> None:
    said = complaint("http://127.0.0.1:9/v1", api_key_env=key)

    assert "api_key_env" in said
    assert key not in said
    tried("Keys written into api_key_env")


def test_nothing_that_a_command_for_the_key_prints_is_quoted() -> None:
    command = f"sh -c 'echo {KEY}; echo {KEY} >&2; exit 3'"

    said = complaint("http://127.0.0.1:9/v1", api_key_cmd=command)

    assert "status 3" in said
    assert KEY not in said


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 abc %s\r\n\r\n",
        b"garbage \xff\x00 %s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header %s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \x01\n%s\r\n\r\n",
    ],
)
def test_lines_that_are_no_http_are_quoted_without_the_key(
    answer: bytes, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    monkeypatch.setenv("BIG_KEY", KEY)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def play() -> None:
            client, _ = listening.accept()
            with client:
                client.recv(65536)
                client.sendall(answer % KEY.encode())

        thread = threading.Thread(target=play)
        thread.start()
        port = listening.getsockname()[1]
        said = complaint(f"http://127.0.0.1:{port}/v1", api_key_env="BIG_KEY")
        thread.join()

    assert KEY not in said
    tried("Keys in lines that are not HTTP")


def test_ids_of_models_are_quoted_without_the_key(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIG_KEY", KEY)
    error = {"error": {"message": "The model `m` does not exist"}}
    server.json(error, status=404, path="/chat/completions")
    server.json({"data": [{"id": f"real-{KEY}"}]}, path="/models")

    said = complaint(server.url, api_key_env="BIG_KEY")

    assert "It has: real-***." in said


@pytest.mark.parametrize("key", ["x", "a", "none", "ollama", "lm-studio"])
def test_a_placeholder_is_not_cut_out_of_prose(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("BIG_KEY", key)
    message = f"Extra inputs: try pulling it with {key} pull llama9"
    server.json({"error": {"message": message}}, status=400)

    said = complaint(server.url, api_key_env="BIG_KEY")

    assert message in said


def test_a_model_that_is_listed_and_refused_is_told_so(server: SSEServer) -> None:
    error = {"error": {"message": "The model `m` does not exist"}}
    server.json(error, status=404, path="/chat/completions")
    server.json({"data": [{"id": "m"}]}, path="/models")

    said = complaint(server.url)

    assert 'lists the model "m", but refuses it' in said


def test_a_secret_that_is_cut_off_is_masked() -> None:
    masking.remember_key("zz-cut-0123456789abcdef")

    assert masking.mask("said zz-cut-0123456789") == "said ***"


def test_prose_is_left_alone() -> None:
    masking.remember_key("correcthorse")
    prose = (
        "Basic understanding of bearer bonds; incorrecthorses at https://x.example/@me"
    )

    assert masking.mask(prose) == prose


def test_the_log_file_has_no_secret(home: Path) -> None:
    from tui.cli import main

    main(["list"])
    masking.remember_key(KEY)
    logging.getLogger("tui.test").error("failed with %s", KEY)

    written = (home / "lazychat.log").read_text()
    assert "failed with ***" in written


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_are_for_the_user_alone_whatever_the_umask(
    tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        file = tmp_path / "a" / "b" / "state.toml"
        files.replace_private(file, b"1")
        os.close(files.open_private(file.with_name("x.log"), os.O_WRONLY))
    finally:
        os.umask(before)

    found = {it.name: stat.S_IMODE(it.stat().st_mode) for it in tmp_path.rglob("*")}
    assert found == {"a": 0o700, "b": 0o700, "state.toml": 0o600, "x.log": 0o600}


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("")
    log.chmod(0o666)

    os.close(files.open_private(log, os.O_WRONLY | os.O_APPEND))

    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_what_the_programs_make_is_for_the_user_alone(
    home: Path, server: SSEServer, tried: Tried
) -> None:
    folder = home / "new"
    server.answer(text("Hi"))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LAZYCHAT_HOME": str(folder)}
    lazychat = [sys.executable, "-m", "tui"]

    def run(*arguments: str) -> None:
        shell = ["sh", "-c", 'umask 000; exec "$@"', "sh", *lazychat, *arguments]
        subprocess.run(shell, env=env, capture_output=True, timeout=30, check=True)

    run("ask", "-m", "starter", "-T", "none", "--no-stream", "hi")
    run("worker", "--detach")
    try:
        modes = {it.name: stat.S_IMODE(it.stat().st_mode) for it in folder.rglob("*")}
    finally:
        run("worker", "--stop")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {"lazychat.db", "worker.log"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    tried("Files that others may read, under umask 000", len(modes))


def test_a_byte_order_mark_is_no_part_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbfmodel = 'x'\n")

    assert config.load(file).model == "x"


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_PATIENCE", 0.05)
    pipe = tmp_path / "config.toml"
    os.mkfifo(pipe)

    with pytest.raises(ConfigError, match="sends no data"):
        config.load(pipe)


def test_the_output_of_a_command_is_a_configuration() -> None:
    read, write = os.pipe()
    os.write(write, b"model = 'x'\n")
    os.close(write)

    assert config.load(Path(f"/dev/fd/{read}")).model == "x"
    os.close(read)


@pytest.mark.parametrize(
    ("path", "why"), [("/dev/zero", "larger than 1 MB"), ("/tmp", "directory")]
)
def test_what_is_no_file_is_no_configuration(path: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        config.load(Path(path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("temperature = nan", "temperature cannot be nan"),
        ("temperature = -1", "temperature must be 0 or more, not -1"),
        ("max_tokens = 0", "max_tokens must be 1 or more, not 0"),
        ("max_tokens = true", "max_tokens must be a whole number"),
        ("max_tokens = 1.5", "max_tokens must be a whole number"),
        ("logit_bias = { a = inf }", "cannot be inf"),
    ],
)
def test_a_number_that_makes_no_sense_is_told(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        config.parse(f"[models.a]\nprovider = 'openai'\n[models.a.options]\n{line}\n")

    assert "config.toml, line 4: models.a.options." in str(raised.value)


@pytest.mark.parametrize("command", [["ask", "hi"], None])
def test_what_libraries_log_has_no_secret_and_is_not_on_the_screen(
    server: SSEServer, home: Path, tried: Tried, command: list[str] | None
) -> None:
    """As with OPENAI_LOG=debug, and httpx and httpcore told to say all."""
    login = f"me:{quote(PASSWORD, safe='')}"
    url = server.url.replace("//", f"//{login}@")
    (home / "config.toml").write_text(
        f'model = "m"\n[models.m]\nprovider = "openai"\nmodel = "m"\n'
        f'base_url = "{url}"\n'
    )
    (home / "tools").mkdir()
    (home / "tools" / "loud.py").write_text(
        "import logging\nfrom tui.cli import _LIBRARIES\nfor name in _LIBRARIES:\n"
        "    logging.getLogger(name).setLevel(logging.DEBUG)\n"
        "from tui.tools import tool\n@tool\ndef f() -> str:\n    'Do.'\n"
    )
    server.answer(text("Fine."), finish(), DONE)
    env = {**os.environ, "OPENAI_LOG": "debug", "PYTHONPATH": str(ROOT)}
    env |= {"TERM": "xterm-256color"}
    with Terminal([sys.executable, "-m", "tui", *(command or [])], env=env) as terminal:
        if command is None:
            terminal.wait_for("Message")
            terminal.type("hi")
            terminal.press("enter")
        terminal.wait_for("Fine.")
        if command is None:
            terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        shown = bytes(terminal.raw).decode()

    logged = (home / "lazychat.log").read_text()
    assert "chat/completions" in logged
    for said in (shown, logged):
        for secret in (PASSWORD, login, BASIC.rstrip("=")):
            assert secret not in said
    assert "httpcore" not in shown
    assert "Request options" not in shown
    tried("Keys and passwords in what libraries log")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("address", ["http://me:%s@proxy:3128", "me:%s@proxy:3128"])
def test_the_password_of_a_proxy_of_the_environment_is_masked(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    password = f"Pr0xy-{name}-{len(address)}"
    coded = base64.b64encode(f"me:{password}".encode()).decode().rstrip("=")
    monkeypatch.setenv(name, address % password)

    said = masking.mask(f"407: not {password}, not {coded}")

    assert said == "407: not ***, not ***"


def test_the_token_of_the_hub_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_0123abcdEFGH4567")

    assert masking.mask("bad hf_0123abcdEFGH4567") == "bad ***"


TOKEN = "tok-Zx81Yw72Vu63Ts54-"
SERVERS: dict[str, dict[str, Any]] = {
    "headers": {"url": "http://h/", "headers": {"X-Api-Key": TOKEN}},
    "headers, Authorization": {
        "url": "http://h/",
        "headers": {"Authorization": f"Bearer {TOKEN}"},
    },
    "headers_env": {"url": "http://h/", "headers_env": {"X-Any": "SOME_VARIABLE"}},
    "headers_cmd": {"url": "http://h/", "headers_cmd": {"X-Any": f"echo {TOKEN}"}},
    "url": {"url": f"http://h/mcp?key={TOKEN}"},
    "args": {"command": "x", "args": ("--api-key", TOKEN)},
    "args, one": {"command": "x", "args": (f"--token={TOKEN}",)},
    "env": {"command": "x", "env": {"SERVICE_TOKEN": TOKEN}},
    "env_keys": {"command": "x", "env_keys": ("SERVICE_TOKEN",)},
    "env_cmd": {"command": "x", "env_cmd": {"ANY": f"echo {TOKEN}"}},
}


@pytest.mark.parametrize("place", SERVERS)
def test_what_an_mcp_server_is_given_as_a_secret_is_masked(
    place: str, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    token = f"{TOKEN}{list(SERVERS).index(place)}"
    text = msgspec.json.encode(SERVERS[place]).decode().replace(TOKEN, token)
    server = msgspec.json.decode(text, type=config.McpServerConfig)
    for name in ("SOME_VARIABLE", "SERVICE_TOKEN"):
        monkeypatch.setenv(name, token)

    if server.url:
        secrets.address("srv", server)
        secrets.headers("srv", server)
    else:
        secrets.arguments("srv", server)
        secrets.environment("srv", server)

    assert masking.mask(f"error: bad {token}.") == "error: bad ***."
    tried("Secrets of MCP servers in their errors")


def test_other_values_of_an_mcp_server_are_not_masked() -> None:
    server = config.McpServerConfig(
        command="x",
        args=("--directory", "/home/somebody/projects"),
        env={"LOG_LEVEL": "debugging", "REGION": "eu-central-1"},
        headers={"X-Region": "eu-central-1"},
    )
    secrets.arguments("srv", server)
    secrets.environment("srv", server)
    secrets.headers("srv", server)

    text = "debugging in /home/somebody/projects of eu-central-1"
    assert masking.mask(text) == text
