"""`--temporary`: what is said is answered, and leaves no trace in any file."""

from pathlib import Path

from support.fakes.lazychat import Home
from support.start import Start, ask

NEEDLE = "needle-in-a-haystack"


def holding(folder: Path) -> list[str]:
    """Return the files that have the needle, besides the script of the model."""
    return [
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file()
        and NEEDLE.encode() in file.read_bytes()
        and "script" not in file.name
    ]


def test_a_temporary_chat_leaves_nothing(start: Start, home: Path) -> None:
    script = [{"text": f"Of the {NEEDLE}."}, {"text": "Second."}]
    terminal = start(script, "--temporary")
    ask(terminal, f"What about the {NEEDLE}?")
    terminal.wait_for(f"Of the {NEEDLE}.")
    terminal.wait_for(lambda t: "temporary" in t.row(-1) and "ready" in t.row(-1))
    assert "not saved" not in terminal.text
    terminal.press("ctrl+n")
    terminal.wait_for("Recent")
    terminal.press("ctrl+s")
    terminal.wait_for(f"What about the {NEEDLE}?")
    terminal.press("escape")
    terminal.type(f"draft {NEEDLE}")
    terminal.wait_for(f"draft {NEEDLE}")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert holding(home) == []


def test_a_temporary_question_leaves_nothing(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        home.scripted(f"Of the {NEEDLE}.")

        done = home.ask("--temporary", f"What about the {NEEDLE}?")

        assert (done.code, done.out, done.err) == (0, f"Of the {NEEDLE}.\n", "")
        assert holding(home.folder) == []
        assert home.run("list", "--json").out == "[]\n"


def test_it_does_not_continue_what_is_stored(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        home.scripted("Yes.")

        done = home.ask("--temporary", "-c", "And?")

        assert (done.code, done.out) == (2, "")
        assert "--temporary always starts a new conversation" in done.err
