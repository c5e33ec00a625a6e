"""What is pressed and typed every day does what the screen says, in a real terminal.

Several things in each run of the app, as starting it takes the longest.
"""

import re
from pathlib import Path

import pytest
from support.start import Start, ask
from support.terminal import Terminal, wait_until

from tui import conversation
from tui.eventlog import EventLog

CTRL_END = b"\x1b[1;5F"
CTRL_UP, CTRL_DOWN = b"\x1b[1;5A", b"\x1b[1;5B"
F4, F5, F6, F8, F9 = (
    *(b"\x1bOS", b"\x1b[15~", b"\x1b[17~"),
    *(b"\x1b[19~", b"\x1b[20~"),
)
LONG = "\n\n".join(f"paragraph {number} of it" for number in range(60))


def gone(terminal: Terminal, text: str) -> None:
    terminal.wait_for(lambda t: text not in t.text)


def composer(terminal: Terminal) -> str:
    """Return the text between the last two borders."""
    rows = terminal.display
    below = max(n for n, row in enumerate(rows) if row.startswith("╰"))
    above = max(n for n, row in enumerate(rows[:below]) if row.startswith("╭"))
    return " ".join(row.strip("│ ") for row in rows[above + 1 : below])


def clear(terminal: Terminal) -> None:
    terminal.press("ctrl+u")
    terminal.wait_for("Message")


def test_end_tab_and_the_jumps_go_where_the_screen_says(
    start: Start, home: Path
) -> None:
    script = [{"steps": [{"text": LONG}, {"wait_for": "go"}, {"text": "\n\nlast"}]}]
    terminal = start([*script, {"text": "Short."}], columns=120, rows=40)
    ask(terminal, "First")
    terminal.wait_for("paragraph 59")
    terminal.press("pageup", "pageup")
    terminal.wait_for("paragraph 20 ")
    (home / "go").touch()
    terminal.wait_for("↓ more below · End")
    terminal.send(b"\x1b[F")
    terminal.wait_for("last")
    assert "more below" not in terminal.text
    ask(terminal, "Second", "Short.")
    terminal.press("pageup", "pageup")
    gone(terminal, "Short.")
    terminal.send(CTRL_END)
    terminal.wait_for("Short.")

    terminal.send(CTRL_UP + CTRL_UP)
    terminal.wait_for(lambda t: "First" in t.text and "Short." not in t.text)
    terminal.send(CTRL_DOWN)
    terminal.wait_for("Second")

    terminal.press("tab")
    terminal.wait_for("e edit")
    terminal.press("tab")
    terminal.wait_for("Message (Enter")
    terminal.press("tab")
    terminal.wait_for("e edit")
    terminal.press("up", "e")
    terminal.wait_for("Editing “")
    terminal.press("escape")
    gone(terminal, "Editing")


def test_each_way_to_a_new_line_is_one(start: Start) -> None:
    terminal = start([{"text": "Four lines."}])

    terminal.type("one")
    terminal.press("alt+enter")
    terminal.type("two")
    terminal.press("ctrl+j")
    terminal.type("three\\")
    terminal.wait_for("three\\")  # else it is taken for a paste
    terminal.press("enter")
    terminal.wait_for(lambda t: composer(t) == "one two three ")
    terminal.type("four")
    terminal.wait_for(lambda t: composer(t) == "one two three four")
    terminal.press("enter")

    terminal.wait_for("Four lines.")
    rows = [row for row in terminal.display if row.startswith("▌")]
    assert [row.split()[1] for row in rows] == ["one", "two", "three", "four"]


def test_the_tools_are_closed_at_first_and_take_no_letter(start: Start) -> None:
    terminal = start([{"text": "It is so."}], columns=120, rows=40)
    ask(terminal, "Is it?", "It is so.")
    assert "current_time" not in terminal.text

    terminal.press("f2")
    terminal.wait_for("current_time")
    assert re.search(r"[○●] get_current_weather +demo", terminal.text)
    x, _y = terminal.find("current_time")
    assert x > 80  # beside the conversation
    terminal.press("f2")
    gone(terminal, "current_time")

    terminal.resize(80, 24)
    terminal.wait_for(lambda t: t.row(-1).endswith("F3 debug"))
    terminal.settle()
    terminal.press("f2")
    terminal.wait_for("current_time")
    assert "It is so." in terminal.text
    terminal.type("Hello")
    terminal.wait_for(lambda t: composer(t) == "Hello")
    assert "current_time" not in terminal.text


def test_a_slash_lists_commands_and_filters_them(start: Start) -> None:
    terminal = start([{"text": "Fine."}])

    terminal.type("/")
    terminal.wait_for("/history")
    terminal.wait_for("↓")  # there are more
    terminal.type("mo")
    terminal.wait_for("/model")
    gone(terminal, "/history")
    rows = [row for row in terminal.display if re.match(r"[ ›►]*/m", row)]
    assert "/model" in rows[0]
    assert "Ctrl+L" in rows[0]
    clear(terminal)

    terminal.type("/usage")  # another name of /cost
    terminal.press("enter")
    terminal.wait_for("Tokens and cost")
    terminal.press("escape")
    gone(terminal, "Tokens and cost")


def test_what_is_mistyped_is_said_until_the_next_command(start: Start) -> None:
    terminal = start([], columns=100)
    for typed, told in (
        ("/foo", "There is no command /foo. /help lists all commands."),
        ("/modle", 'Did you mean "/model"?'),
        ("/modle qwen", 'Did you mean "/model"?'),
        ("/import nosuch.json", "No such file"),
        ("/copy", "No answer to copy yet"),
    ):
        ask(terminal, typed)
        terminal.wait_for(lambda t, told=told: told in t.row(-1))
        clear(terminal)
        gone(terminal, told)

    for typed in ("/model nope", "/theme nope"):
        ask(terminal, typed)
        terminal.wait_for('"nope".')  # longer than the status line
        clear(terminal)
    ask(terminal, "/stream")
    gone(terminal, "nope")


def test_keys_that_cannot_work_are_named_at_the_start(start: Start) -> None:
    keys = {"stream": "ctrl+l", "help": "hyper+x", "edit": "ctrl+o", "strem": "f7"}
    terminal = start(
        [],
        columns=120,
        rows=40,
        config={"keys": keys},
        environment={"ZELLIJ": "0"},
    )

    for told in (
        "takes that key from model",
        "few terminals send that key",
        'there is no command "strem". Did you mean "stream"?',
        "Zellij takes that key until Ctrl+G locks it",
    ):
        terminal.wait_for(lambda t, told=told: told in t.words)

    terminal.press("ctrl+l")
    terminal.wait_for("stream off")
    terminal.press("f1")
    terminal.wait_for("Keys and commands")
    terminal.type("streaming")
    terminal.wait_for(lambda t: re.search(r"Ctrl\+L, /stream +Streaming", t.text))
    assert "Choose a model" not in terminal.text


def test_what_one_has_stopped_is_seen_and_a_model_or_prompt_begins_anew(
    start: Start, home: Path
) -> None:
    script = [{"steps": [{"text": "Some words. "}, {"pause": 60}]}]
    terminal = start(script)
    ask(terminal, "Forgotten?")
    terminal.wait_for("Some words.")
    terminal.press("escape")
    terminal.wait_for("Cancelled")
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0

    again = start(script)
    again.wait_for("Try")
    assert "Forgotten?" not in again.text.split("Try")[1]
    ask(again, "Left alone?")
    again.wait_for("Some words.")
    again.hang_up()  # the answer goes on, and nobody sees it

    config = (home / "config.toml").read_text()
    for given in (("-m", "scripted"), ("-s", "Be brief.")):
        other = start(None, *given, config=config)
        other.wait_for("Try")
        other.press("f2")
        other.wait_for("Tools")
        if "-s" in given:
            other.wait_for("Be brief.")
        other.press("ctrl+q")
        other.wait_exit()

    unseen = start(None, config=config)
    unseen.wait_for("Left alone?")
    unseen.wait_for("Some words.")
    unseen.press("escape")
    unseen.wait_for("Cancelled")


def test_the_model_picker_is_filtered_and_shows_what_lacks_a_key(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    local = {"provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    models = {f"local-{n}": {**local, "model": f"m{n}"} for n in range(15)}
    models["cloud"] = {"provider": "openai", "model": "gpt-5"}
    terminal = start([], columns=60, rows=20, config={"models": models})

    terminal.press("ctrl+l")
    terminal.wait_for("Type to filter")
    terminal.wait_for("local-0")
    terminal.wait_for(lambda t: re.search("[↓▼▅▁█▇]", t.text))  # the list goes on
    terminal.type("cloud")
    gone(terminal, "local-0")
    terminal.wait_for(lambda t: re.search("(?i)key", t.words.split("cloud", 1)[-1]))
    terminal.press("backspace", "backspace", "backspace", "backspace", "backspace")
    terminal.type("local-13")
    terminal.wait_for("local-13")
    terminal.press("enter")
    terminal.wait_for(lambda t: "local-13" in t.row(-1))


def test_prompts_of_the_history_say_what_they_are_for(
    start: Start, log: EventLog
) -> None:
    terminal = start([{"text": "One."}, {"text": "Two."}])
    ask(terminal, "Keep this", "One.")
    terminal.press("ctrl+s")
    terminal.wait_for("Search all conversations")

    terminal.send(F6)
    terminal.wait_for("Import file (.json)")
    terminal.wait_for("path/to/file.json")
    assert "Enter import  Esc cancel" in terminal.row(-1)
    assert "conversation" not in terminal.row(2)
    terminal.press("escape")
    terminal.press("f2")
    terminal.wait_for("Rename to")
    assert "Enter rename  Esc cancel" in terminal.row(-1)
    terminal.press("escape")
    terminal.wait_for("F2 rename")

    terminal.send(F8)
    terminal.wait_for("F9")
    gone(terminal, "Keep this    ")
    terminal.press("escape")
    terminal.wait_for("Message")
    terminal.send(F9)
    terminal.wait_for("One.")

    for typed in ("/delete", "/undo"):  # with the history opened before
        ask(terminal, typed)
        terminal.wait_for(lambda t, n=typed: ("One." in t.text) == (n == "/undo"))
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert "Traceback" not in terminal.text
    assert [it.title for it in conversation.recent(log)] == ["Keep this"]


def test_a_delete_is_undone_by_the_next_run(start: Start, home: Path) -> None:
    terminal = start([{"text": "One."}])
    ask(terminal, "Keep this", "One.")
    terminal.press("ctrl+s")
    terminal.wait_for("Search all conversations")
    terminal.press("escape")
    ask(terminal, "/delete")
    gone(terminal, "One.")
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0

    again = start(None, config=(home / "config.toml").read_text())
    ask(again, "/undo")

    again.wait_for("One.")


def test_themes_are_seen_before_they_are_chosen(start: Start, home: Path) -> None:
    terminal = start([])
    ask(terminal, "/theme")
    terminal.wait_for("● lazychat-dark")
    x, y = terminal.find("lazychat-dark")
    before = terminal.cells(0)[0].bg

    terminal.press("down")
    terminal.wait_for(lambda t: t.cells(0)[0].bg != before)
    terminal.press("escape")
    terminal.wait_for(lambda t: t.cells(0)[0].bg == before)
    gone(terminal, "Choose a theme")

    file = home / "themes" / "mine.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text('primary = "#ff0000"\nbackground = "#000000"')
    mine = start([], config={"theme": "mine"})
    mine.wait_for(lambda t: t.cells(3)[0].bg == "000000")
    file.write_text('primary = "#ff0000"\nbackground = "#112233"')
    mine.wait_for("Theme mine reloaded")
    mine.wait_for(lambda t: t.cells(3)[0].bg == "112233")
    assert (x, y) != (0, 0)


def test_files_are_named_by_an_at_and_code_is_saved(start: Start, home: Path) -> None:
    (home / "notes.md").write_text("one\ntwo\n")
    block = "Here:\n\n```sh\necho a\n```\n"
    terminal = start([{"text": block}])

    terminal.type("see @not")
    terminal.wait_for("notes.md")
    terminal.press("enter")
    terminal.wait_for("≡ notes.md · 2 lines")
    x, y = terminal.find("×")
    terminal.click(x, y)
    gone(terminal, "≡ notes.md")
    clear(terminal)

    ask(terminal, "Code, please", "echo a")
    ask(terminal, "/save-code run.sh")
    wait_until((home / "run.sh").exists)
    assert (home / "run.sh").read_text() == "echo a\n"


def test_files_of_prompts_are_commands(start: Start, home: Path) -> None:
    folder = home / "prompts"
    folder.mkdir()
    text = "---\ndescription: Look a file over\n---\nReview $1, please."
    (folder / "review.md").write_text(text)
    terminal = start([{"text": "Fine."}])

    terminal.type("/rev")
    terminal.wait_for("Look a file over")
    terminal.type("iew a.py")
    terminal.press("enter")
    terminal.wait_for(lambda t: composer(t) == "Review a.py, please.")
    terminal.press("enter")

    terminal.wait_for("Fine.")


def test_a_conversation_is_forked_compared_and_found_in_the_palette(
    start: Start,
) -> None:
    terminal = start([{"text": "One."}, {"text": "Two."}])
    ask(terminal, "First", "One.")

    ask(terminal, "/fork Another way")
    terminal.wait_for("Forked from First")
    terminal.wait_for("2 open")
    ask(terminal, "Second", "Two.")
    terminal.press("f4")
    gone(terminal, "Two.")

    terminal.press("ctrl+p")
    terminal.wait_for("Type to filter")
    terminal.type("theme")
    terminal.wait_for("Choose a theme")
    terminal.press("enter")
    terminal.wait_for("● lazychat-dark")
