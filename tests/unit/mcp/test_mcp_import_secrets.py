"""Secrets of other clients' configurations: none reaches config.toml or the output."""

import json
import stat
from pathlib import Path

import pytest

from tui import config, paths
from tui.cli import main
from tui.config import McpServerConfig
from tui.errors import ConfigError
from tui.mcp import secrets
from tui.models import keys

S = "s3cr3t-value-of-mine"
"""A secret that has no known shape."""


def imported(home: Path, **about: object) -> McpServerConfig:
    """Import one server; return what config.toml has of it."""
    file = home / "other.json"
    file.write_text(json.dumps({"mcpServers": {"x": about}}), "utf-8")
    assert main(["mcp", "import", str(file)]) == 0
    return config.load(home / "config.toml").mcp["x"]


@pytest.mark.parametrize(
    "args",
    [
        ("--api-key", S),
        (f"--token={S}",),
        ("-e", f"GITHUB_TOKEN={S}", "image"),
        ("--header", f"Authorization: Bearer {S}"),
        ("--header", f"Authorization:Bearer {S}", "https://x.example"),
        (f"--header=X-Api-Key:{S}",),
        ("-c", f"ACCESS_TOKEN={S} node server.js"),
        ("--config", json.dumps({"apiKey": S, "deep": {"clientSecret": "o" + S}})),
        (f"postgresql://me:{S}@db.example/app",),
        (f"https://x.example/mcp?token={S}&plain=1",),
        ("ghp_" + 30 * "a1" + S,),
        ("Bearer " + S,),
        (f"--password=a,b&{S}",),
        ("-H", f"Cookie: a=b; session={S}"),
        (f"postgresql://me:a@{S}@db.example/app",),
    ],
)
def test_secret_arguments_become_references(
    home: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...]
):
    found = imported(home, command="npx", args=args)
    output = capsys.readouterr()

    assert S not in (home / "config.toml").read_text()
    assert S not in output.out + output.err
    assert "is now in" in output.out
    assert stat.S_IMODE(paths.keys_file().stat().st_mode) == 0o600
    assert secrets.arguments("x", found) == args


@pytest.mark.parametrize(
    "args",
    [
        ("--max-tokens", "4096"),
        ("-y", "@acme/key-server", "--port", "8080"),
        ("--api-key-env", "SOME_NAME"),
        ("https://x.example/mcp?keyword=a&page=2",),
        ("--token",),
        ("--author", "Ada"),
    ],
)
def test_ordinary_arguments_stay(home: Path, args: tuple[str, ...]):
    assert imported(home, command="npx", args=args).args == args
    assert not paths.keys_file().exists()


def test_secrets_of_an_address_become_references(home: Path):
    long = "NTk0ZDk3YzQtYjY4OC00YTc1LWE4NjEt"
    url = f"https://x.example/s/{long}/mcp?api_key={S}&page=1"

    found = imported(home, url=url)

    text = (home / "config.toml").read_text()
    assert S not in text
    assert long not in text
    assert secrets.address("x", found) == url


def test_a_login_in_an_address_becomes_a_header(home: Path):
    found = imported(home, url=f"https://me:{S}%40@x.example/mcp")

    assert found.url == "https://x.example/mcp"
    assert S not in (home / "config.toml").read_text()
    assert secrets.headers("x", found) == {
        "Authorization": "Basic bWU6czNjcjN0LXZhbHVlLW9mLW1pbmVA"
    }


def test_plain_variables_and_headers_with_secret_values_go_to_keys(home: Path):
    database = f"postgres://me:{S}@db/app"

    found = imported(home, command="c", env={"DATABASE": database, "LEVEL": "info"})

    assert found.env == {"LEVEL": "info"}
    assert found.env_keys == ("DATABASE",)
    assert keys.find("DATABASE") == database
    assert S not in (home / "config.toml").read_text()


def test_two_secrets_with_one_flag_are_both_kept(home: Path):
    args = ("--token", S, "--token", S + "2", "--token", S)

    found = imported(home, command="c", args=args)

    assert found.args[1] != found.args[3]
    assert found.args[1] == found.args[5]
    assert secrets.arguments("x", found) == args


def test_references_of_other_clients_are_taken_over(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MY_TOKEN", "abc")

    found = imported(
        home,
        command="c",
        args=["--token", "${MY_TOKEN}", "${env:MY_TOKEN}", "${input:other-key}"],
    )

    assert found.args == ("--token", "${MY_TOKEN}", "${MY_TOKEN}", "${OTHER_KEY}")
    assert "set OTHER_KEY" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"\[mcp.x\] args: OTHER_KEY is neither"):
        secrets.arguments("x", found)


@pytest.mark.parametrize(
    "about",
    [
        {"command": "c", "env": {"API_KEY": S + "-${MY_TOKEN}"}},
        {"command": "c", "env": {"PLACE": "${MY_TOKEN}://me:" + S + "@x.example"}},
        {"command": "c", "env": {"PLACE": "${API_KEY:-" + S + "}"}},
        {"command": "c", "args": ["${API_KEY:-" + S + "}"]},
        {"url": "https://x.example", "headers": {"X-Api-Key": S + "${MY_TOKEN}"}},
        {"url": "https://x.example", "headers": {"Cookie": "a=${MY_TOKEN}; b=" + S}},
        {"url": "https://x.example/${MY_TOKEN}?token=" + S},
        {"command": "${API_KEY:-" + S + "}"},
    ],
)
def test_a_secret_beside_a_reference_does_not_stay(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    about: dict[str, object],
):
    monkeypatch.setenv("MY_TOKEN", "abc")

    found = imported(home, **about)
    output = capsys.readouterr()

    assert S not in (home / "config.toml").read_text() + output.out + output.err
    if "headers" in about:
        (sent,) = secrets.headers("x", found).values()
        assert S in sent
        assert "abc" in sent
    elif about.get("env") == {"API_KEY": S + "-${MY_TOKEN}"}:
        assert secrets.environment("x", found)["API_KEY"] == f"{S}-abc"


def test_a_doubled_dollar_and_what_shells_read_stay(home: Path):
    settings = McpServerConfig(command="sh", args=("-c", "$${A} ${B:-c} $D ${1}"))

    assert secrets.arguments("x", settings) == ("-c", "${A} ${B:-c} $D ${1}")
