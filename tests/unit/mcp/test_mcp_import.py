"""The configurations of other clients, taken over."""

import json
from pathlib import Path

import pytest

from tui import config
from tui.cli import main
from tui.mcp import importing
from tui.models import keys

CLAUDE = {
    "mcpServers": {
        "time": {"command": "uvx", "args": ["mcp-server-time", "--local-timezone=UTC"]},
        "git hub": {
            "command": "npx",
            "args": ["-y", "server"],
            "env": {"GITHUB_TOKEN": "ghp_secret", "LOG": 'a "b"', "OTHER": "${OTHER}"},
        },
        "web": {
            "type": "http",
            "url": "https://x.example/mcp",
            "headers": {"Authorization": "Bearer abc", "X-Plain": "1"},
        },
        "off": {"command": "x", "disabled": True},
    }
}


def written(home: Path, content: object, name: str = "other.json") -> str:
    file = home / name
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text, "utf-8")
    return str(file)


def test_servers_are_added_and_secrets_go_to_keys(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    mine = home / "config.toml"
    mine.write_text('# mine\nmodel = "starter"\n[mcp.time]\ncommand = "mine"')

    assert main(["mcp", "import", written(home, CLAUDE)]) == 0

    text = mine.read_text()
    assert text.startswith('# mine\nmodel = "starter"\n[mcp.time]\ncommand = "mine"\n')
    assert "ghp_secret" not in text + capsys.readouterr().out
    assert "Bearer abc" not in text
    servers = config.load(mine).mcp
    assert list(servers) == ["time", "time-2", "git hub", "web", "off"]
    assert servers["time-2"].args == ("mcp-server-time", "--local-timezone=UTC")
    assert servers["git hub"].env == {"LOG": 'a "b"'}
    assert servers["git hub"].env_keys == ("GITHUB_TOKEN", "OTHER")
    assert servers["web"].headers == {"X-Plain": "1"}
    assert servers["web"].headers_env == {"Authorization": "MCP_WEB_AUTHORIZATION"}
    assert servers["off"].disabled
    assert keys.find("GITHUB_TOKEN") == "ghp_secret"
    assert keys.find("MCP_WEB_AUTHORIZATION") == "Bearer abc"


def test_importing_twice_adds_nothing(home: Path, capsys: pytest.CaptureFixture[str]):
    file = written(home, CLAUDE)
    main(["mcp", "import", file])
    before = (home / "config.toml").read_text()
    capsys.readouterr()

    assert main(["mcp", "import", file]) == 0

    assert (home / "config.toml").read_text() == before
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: already there" for name in ("time", "git hub", "web", "off")
    ]


def test_another_value_for_a_stored_key_is_not_overwritten(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    keys.store("GITHUB_TOKEN", "mine")

    assert main(["mcp", "import", written(home, CLAUDE)]) == 2

    assert "git hub has another value for GITHUB_TOKEN" in capsys.readouterr().err
    assert keys.find("GITHUB_TOKEN") == "mine"


def test_the_file_of_vs_code_may_have_comments(home: Path):
    text = """{
      // my servers, see https://example.org
      "servers": { /* one */
        "fs": {"type": "stdio", "command": "npx", "args": ["a//b", "x",],},
        "k": {"command": "k", "env": {"API_KEY": "${input:api-key}"}},
      },
    }"""

    found = importing.read(Path(written(home, text)))

    assert [(f.name, f.settings.command, f.settings.args) for f in found] == [
        ("fs", "npx", ("a//b", "x")),
        ("k", "k", ()),
    ]
    assert found[1].wanted == ("API_KEY",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("not json", "is not JSON"),
        ("{}", "has no servers"),
        ('{"mcpServers": []}', "has no servers"),
        ("[" * 5000, "is not JSON"),
    ],
)
def test_what_is_no_such_file_is_said(
    home: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
):
    assert main(["mcp", "import", written(home, text)]) == 2

    assert problem in capsys.readouterr().err
    assert not (home / "config.toml").exists()
