"""`lazychat tools`, and the flags of `ask` that stand for the user's answer."""

import json

import pytest
from support import asking_tool
from support.fakes.lazychat import Home, complaint

from tui import grants
from tui.grants import Grant

STATUS = "git status --short"
STEPS = [asking_tool.call(STATUS)]


@pytest.fixture
def home_with_tool(place: Home) -> Home:
    asking_tool.add(place.folder)
    place.scripted(STEPS, "Done.")
    return place


def test_ask_denies_what_would_ask_and_names_the_flag(home_with_tool: Home) -> None:
    done = home_with_tool.ask("hi")

    assert (done.code, done.out) == (0, "Done.\n")
    assert done.err == (
        "lazychat: run_it was not run, as it asks first; "
        "--allow 'run_it=git status *' allows it.\n"
    )
    assert asking_tool.runs(home_with_tool.folder) == []
    results = [text for role, text in home_with_tool.said() if role == "tool"]
    assert results == [
        "Error: run_it was not run: it needs the user's permission, and nobody can be "
        "asked."
    ]


@pytest.mark.parametrize("flag", ["run_it", "run_it=git status *", f"run_it={STATUS}"])
def test_allow_stands_for_the_answer(home_with_tool: Home, flag: str) -> None:
    done = home_with_tool.ask("--allow", "read_file", "--allow", flag, "hi")

    assert (done.code, done.out, done.err) == (0, "Done.\n", "")
    assert asking_tool.runs(home_with_tool.folder) == [STATUS]


@pytest.mark.parametrize(
    "flags",
    [
        ["--allow", "run_it=git log *"],
        ["--allow", "run_it", "--deny", "run_it"],
        ["--allow", "run_it", "--deny", "run_it=git *"],
    ],
)
def test_deny_wins_and_a_pattern_must_match(
    home_with_tool: Home, flags: list[str]
) -> None:
    done = home_with_tool.ask(*flags, "hi")

    assert (done.code, done.out) == (0, "Done.\n")
    assert asking_tool.runs(home_with_tool.folder) == []


@pytest.mark.parametrize("flag", ["=x", "run_it=", ""])
def test_a_flag_that_makes_no_sense_is_an_error(
    home_with_tool: Home, flag: str
) -> None:
    done = home_with_tool.ask("--allow", flag, "hi")

    assert complaint(done, 2) == f'"{flag}" is not NAME or NAME=PATTERN.'


def test_what_is_always_allowed_needs_no_flag(home_with_tool: Home) -> None:
    grants.keep(Grant("run_it", pattern="git status *"))

    done = home_with_tool.ask("hi")

    assert (done.code, done.out, done.err) == (0, "Done.\n", "")
    assert asking_tool.runs(home_with_tool.folder) == [STATUS]


def test_the_policy_of_config_toml_denies(home_with_tool: Home) -> None:
    home_with_tool.scripted(STEPS, "Done.", more='tools.policy.run_it = "deny"')

    home_with_tool.ask("--allow", "run_it", "hi")

    assert asking_tool.runs(home_with_tool.folder) == []


def test_the_audit_tells_each_call_and_how_it_was_decided(
    home_with_tool: Home,
) -> None:
    place = home_with_tool
    place.ask("hi")
    place.ask("--allow", "run_it", "hi")

    done = place.run("tools", "log", "--json")
    calls = json.loads(done.out)

    assert [(c["tool"], c["decision"], c["outcome"]) for c in calls] == [
        ("run_it", "unattended", "denied"),
        ("run_it", "flag", "done"),
    ]
    assert calls[1]["arguments"] == {"command": STATUS}
    assert calls[1]["seconds"] >= 0
    last = json.loads(place.run("tools", "log", "--json", "--limit", "1").out)
    assert last == calls[1:]
    one = place.run(
        "tools", "log", "--json", "--conversation", calls[0]["conversation"]
    )
    assert json.loads(one.out) == calls[:1]

    rows = place.run("tools", "log").out.splitlines()
    assert rows[0].endswith("  run_it  nobody to ask  denied")
    assert "  run_it  allowed by --allow  done in " in rows[3]
    assert rows[4] == f'    {{"command":"{STATUS}"}}'
    place.env["LAZYCHAT_LANGUAGE"] = "zh"
    rows = place.run("tools", "log").out.splitlines()
    assert rows[0].endswith("  run_it  无人可以询问  拒绝")
    assert "  run_it  由 --allow 允许  完成，用时 " in rows[3]


def test_the_audit_tells_exactly_what_was_called(place: Home) -> None:
    asking_tool.add(place.folder)
    place.scripted([asking_tool.call("a  b\u202e \x1b[2J")], "Done.")
    place.ask("hi")

    rows = place.run("tools", "log").out.splitlines()

    assert rows[1] == r'    {"command":"a  b\u202e \u001b[2J"}'


def test_the_audit_of_one_tool(place: Home) -> None:
    asking_tool.add(place.folder)
    calls = [{"call": "roll_dice", "arguments": {}}, asking_tool.call(STATUS)]
    place.scripted(calls * 2, "Done.")
    place.ask("hi")

    def names(*arguments: str) -> list[str]:
        done = place.run("tools", "log", *arguments, "--json")
        return [call["tool"] for call in json.loads(done.out)]

    assert names("run_it") == ["run_it"] * 2
    assert names("roll_dice", "-n", "1") == ["roll_dice"]
    assert names("roll_dice", "-n", "0") == ["roll_dice"] * 2
    assert place.run("tools", "log", "nope").err == (
        "lazychat: nope has not been called yet.\n"
    )


def test_a_reader_of_the_audit_that_goes_away_is_no_fault(place: Home) -> None:
    long = "x" * 30_000
    place.scripted([{"call": "nope", "arguments": {"a": long}}] * 20, "Done.")
    place.ask("hi")
    with place.start("-m", "tui", "tools", "log") as listing:
        assert listing.stdout
        assert listing.stderr
        listing.stdout.close()

        assert listing.wait(60) == 1
        assert listing.stderr.read() == b""


def test_without_a_call_the_audit_is_empty(place: Home) -> None:
    done = place.run("tools", "log")

    assert (done.code, done.out) == (1, "")


def test_tools_lists_policies_and_what_is_allowed(home_with_tool: Home) -> None:
    grants.keep(Grant("run_it", pattern="git status *"))

    done = home_with_tool.run("tools")

    rows = done.out.splitlines()
    (row,) = [row for row in rows if row.startswith("run_it")]
    assert row.split() == ["run_it", "ask", "Run", "a", "command."]
    assert rows[-2:] == ["Always allowed:", "  run_it=git status *"]
    listed = json.loads(home_with_tool.run("tools", "--json").out)
    (tool,) = [each for each in listed if each["name"] == "run_it"]
    assert (tool["policy"], tool["allowed"]) == ("ask", ["git status *"])


def test_revoke_takes_back_what_is_allowed(home_with_tool: Home) -> None:
    grants.keep(Grant("run_it", pattern="git status *"))
    grants.keep(Grant("run_it"))

    done = home_with_tool.run("tools", "revoke", "run_it=git status *")
    assert done.err == "lazychat: run_it=git status * asks again.\n"
    assert grants.stored() == [Grant("run_it")]
    home_with_tool.run("tools", "revoke", "run_it")
    assert grants.stored() == []

    done = home_with_tool.run("tools", "revoke", "run_it")
    assert complaint(done, 1) == 'Nothing called "run_it" is always allowed.'
    assert complaint(home_with_tool.run("tools", "revoke"), 2)


@pytest.mark.parametrize("flag", ["--allow", "--deny"])
def test_a_flag_for_a_tool_that_does_not_exist_is_an_error(
    home_with_tool: Home, flag: str
) -> None:
    done = home_with_tool.ask(flag, "run_itt=git *", "hi")

    assert (done.code, done.out) == (2, "")
    assert 'There is no tool "run_itt" to allow or deny. Did you mean "run_it"?' in (
        done.err
    )
