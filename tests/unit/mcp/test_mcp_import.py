"""The configurations of other clients, taken over."""

import json
from pathlib import Path

import pytest

from tui import config
from tui.cli import main
from tui.mcp import importing, secrets
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


def imported(
    home: Path, capsys: pytest.CaptureFixture[str], about: object
) -> tuple[config.McpServerConfig, str]:
    """Import one server; return what config.toml has of it, and what was said."""
    file = written(home, {"mcpServers": {"x": about}})
    capsys.readouterr()
    assert main(["mcp", "import", file]) == 0
    return config.load(home / "config.toml").mcp["x"], capsys.readouterr().err


@pytest.mark.parametrize(
    ("env", "gets"),
    [
        ({"GITHUB_TOKEN": "${env:MY_PAT}"}, {"GITHUB_TOKEN": "pat"}),
        ({"GITHUB_TOKEN": "${MY_PAT}"}, {"GITHUB_TOKEN": "pat"}),
        ({"MY_PAT": "${env:MY_PAT}"}, {"MY_PAT": "pat"}),
        ({"URL": "https://x.example/${MY_PAT}/"}, {"URL": "https://x.example/pat/"}),
        ({"URL": "${NO_SUCH:-https://x.example}"}, {"URL": "https://x.example"}),
        ({"URL": "${MY_PAT:-https://x.example}"}, {"URL": "pat"}),
        ({"PORT": 8080, "DEBUG": True, "NOT": None}, {"PORT": "8080", "DEBUG": "true"}),
        ({"PLACE": "${userHome}/x${/}y"}, {"PLACE": "/home/ada/x/y"}),
    ],
)
def test_a_variable_has_the_value_that_it_had(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    env: dict[str, object],
    gets: dict[str, str],
):
    monkeypatch.setenv("MY_PAT", "pat")
    monkeypatch.setenv("HOME", "/home/ada")

    found, said = imported(home, capsys, {"command": "c", "env": env})

    given = secrets.environment("x", found)
    assert {k: v for k, v in given.items() if k in (*gets, "NOT")} == gets
    assert not said


@pytest.mark.parametrize(
    ("header", "value", "sent"),
    [
        ("Authorization", "Bearer ${env:MY_PAT}", "Bearer pat"),
        ("Authorization", "${MY_PAT}", "Bearer pat"),
        ("Authorization", "Bearer ${input:my-pat}", "Bearer pat"),
        ("Authorization", "Basic ${MY_PAT}", "Basic pat"),
        ("X-Key", "${MY_PAT}", "pat"),
        ("X-Key", "Bearer ${MY_PAT}", "Bearer pat"),
        ("X-Key", "a ${MY_PAT} ${env:MY_PAT}", "a pat pat"),
        ("X-Key", "${NO_SUCH:-none}", "none"),
    ],
)
def test_a_header_has_the_value_that_it_had(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    header: str,
    value: str,
    sent: str,
):
    monkeypatch.setenv("MY_PAT", "pat")

    about = {"type": "http", "url": "https://x.example", "headers": {header: value}}
    found, _ = imported(home, capsys, about)

    assert secrets.headers("x", found) == {header: sent}


def test_command_and_folder_may_have_variables(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", "/home/ada")

    found, said = imported(
        home,
        capsys,
        {
            "command": "${env:HOME}/bin/server",
            "args": ["-p", 80, True],
            "cwd": "${workspaceFolder}/x",
        },
    )

    assert secrets.program("x", found) == "/home/ada/bin/server"
    assert found.args == ("-p", "80", "true")
    assert "fill in the value of ${workspaceFolder} yourself" in said


def test_what_is_not_taken_over_is_said(home: Path, capsys: pytest.CaptureFixture[str]):
    about = {
        "command": "c",
        "envFile": ".env",
        "alwaysAllow": ["x"],
        "disabledTools": [],
    }

    _, said = imported(home, capsys, about)

    assert said.splitlines() == [
        "lazychat: x: envFile was not imported",
        "lazychat: x: alwaysAllow was not imported",
    ]


def test_the_servers_of_each_folder_are_read(home: Path):
    one, other = {"command": "one"}, {"command": "other"}
    file = written(
        home,
        {
            "mcpServers": {},
            "projects": {
                "/a": {"mcpServers": {"x": one}},
                "/b": {"mcpServers": {"x": one, "y": other}},
                "/c": {"mcpServers": {"x": other, "z": {"url": "https://z.example"}}},
                "/d": {},
            },
        },
    )

    found = importing.read(Path(file))

    assert [(f.name, f.settings.command) for f in found] == [
        ("x", "one"),
        ("y", "other"),
        ("z", ""),
    ]


def test_the_users_own_servers_come_before_those_of_folders(home: Path):
    file = written(
        home,
        {
            "mcpServers": {"own": {"command": "c"}},
            "projects": {"/a": {"mcpServers": {"x": {"command": "d"}}}},
        },
    )

    assert [f.name for f in importing.read(Path(file))] == ["own", "x"]
