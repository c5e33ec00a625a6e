"""The app in a real terminal: what somebody sees who uses it, and what is sent."""

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.start import Start, ask
from support.terminal import Terminal

STRUCTURED = {"call": "get_current_weather", "arguments": {"location": "Tokyo"}}
WRITTEN_OUT = {
    "text": "Let me look.\n<tool_call>\n"
    '{"name": "get_current_weather", "arguments": {"location": "Tokyo"}}\n'
    "</tool_call>"
}
OF_A_CALL = ("tool_call", '"name"', '"arguments"', '"location"', "location=", '"unit"')
"""What only a call, or its result, has in it."""


def weather(call: dict[str, Any], **more: Any) -> dict[str, Any]:
    looked_up = {"steps": [{"text": "One moment. "}, call]}
    answer = {"text": "It is 10 degrees celsius in Tokyo."}
    return {"reply": [looked_up, answer], **more}


def state(terminal: Terminal) -> str:
    return terminal.row(-1)


def ready(terminal: Terminal) -> None:
    terminal.wait_for(lambda t: "ready" in state(t))


def long_answer(words: int = 400) -> str:
    return " ".join(f"word{number}" for number in range(words)) + " theend"


# -- the main job


@pytest.mark.parametrize(
    ("columns", "rows", "call"),
    [(80, 24, STRUCTURED), (80, 24, WRITTEN_OUT), (120, 40, WRITTEN_OUT)],
    ids=["called", "written", "written, large"],
)
def test_answers_from_a_tool_and_shows_the_call_only_in_the_debug_panel(
    start: Start, columns: int, rows: int, call: dict[str, Any]
) -> None:
    terminal = start(weather(call, rate=200), columns=columns, rows=rows)

    ask(terminal, "What's the weather in Tokyo?")
    terminal.wait_for("10 degrees celsius in Tokyo")
    ready(terminal)

    for needle in OF_A_CALL:
        assert needle.encode() not in terminal.raw
        assert not [row for row in terminal.shown if needle in row]

    terminal.press("f3")
    terminal.wait_for("get_current_weather(location")
    terminal.wait_for("1 call")
    assert re.search(r"√ get_current_weather.* \d+(\.\d)? m?s", terminal.text)
    assert '"temperature": "10"' in terminal.text.replace('":"', '": "')


def test_debug_panel_unfolds_a_call_to_arguments_and_result(start: Start) -> None:
    terminal = start(weather(STRUCTURED), rows=40)
    terminal.press("f3")
    ask(terminal, "Weather?")
    terminal.wait_for("10 degrees")

    terminal.press("shift+tab", "up", "enter")

    terminal.wait_for("    location: Tokyo")
    terminal.wait_for("temperature: ")
    assert "arguments" in terminal.text


def test_debug_panel_tells_which_call_failed_and_why(start: Start) -> None:
    calls = [
        {"call": "get_current_weather", "arguments": {"place": "Tokyo"}},
        {"call": "get_the_weather", "arguments": {}},
    ]
    terminal = start([{"steps": calls}, {"text": "No luck."}], columns=120, rows=40)
    terminal.press("f3")
    ask(terminal, "Weather?")
    terminal.wait_for("No luck.")

    terminal.wait_for("2 calls · 2 failed")

    # What they gave comes as a record of its own, perhaps a frame later.
    terminal.wait_for("get_current_weather(place")
    terminal.wait_for(
        lambda t: re.search(r"(?i)missing|required|needs|location", t.words)
    )
    terminal.wait_for(lambda t: re.search(r"(?i)(no|unknown) tool", t.words))


# -- streaming


def test_answer_is_shown_while_it_is_written(start: Start) -> None:
    terminal = start({"rate": 100, "reply": [{"text": long_answer(150)}]})

    ask(terminal, "Go on")
    terminal.wait_for("word10 ")

    assert "theend" not in terminal.text
    assert "writing" in state(terminal)
    terminal.wait_for("theend")
    ready(terminal)


def test_stream_switched_off_and_on_in_mid_answer_acts_at_once(start: Start) -> None:
    terminal = start({"rate": 60, "reply": [{"text": long_answer(300)}]})
    ask(terminal, "Go on")
    terminal.wait_for("word5 ")

    terminal.press("ctrl+t")
    terminal.wait_for("stream off")
    shown = max(map(int, re.findall(r"word(\d+)", terminal.text)))
    terminal.written_within(1.0)
    assert max(map(int, re.findall(r"word(\d+)", terminal.text))) <= shown + 1
    assert "writing" in state(terminal)

    terminal.press("ctrl+t")
    terminal.wait_for(f"word{shown + 30}", seconds=1.5)
    assert "theend" not in terminal.text


def test_stream_off_shows_the_answer_when_it_is_whole(start: Start) -> None:
    terminal = start({"rate": 60, "reply": [{"text": long_answer(60)}]}, "--no-stream")

    ask(terminal, "Go on")
    terminal.wait_for("theend")

    assert [row for row in terminal.shown if "word5 word6 word7 word8" in row]
    assert not [row for row in terminal.shown if row.endswith("word5")]


def test_escape_stops_and_what_was_said_stays_and_is_marked(start: Start) -> None:
    terminal = start({"rate": 60, "reply": [{"text": long_answer()}, {"text": "Yes."}]})
    ask(terminal, "Go on")
    terminal.wait_for("word9 ")

    terminal.press("escape")
    ready(terminal)

    assert "word9" in terminal.text
    assert "theend" not in terminal.text
    assert re.search(r"(?i)cancelled|stopped", terminal.text)
    ask(terminal, "And now?")
    terminal.wait_for("Yes.")


def test_one_can_type_scroll_and_switch_while_an_answer_streams(start: Start) -> None:
    lines = "\n\n".join(f"line{number} of it" for number in range(150))
    terminal = start({"rate": 200, "reply": [{"text": lines}, {"text": "Second."}]})
    ask(terminal, "Go on")
    terminal.wait_for("line20 ")

    terminal.type("meanwhile I write")
    terminal.wait_for("meanwhile I write", seconds=2)
    terminal.press("f3")
    terminal.wait_for("Debug · ", seconds=2)
    terminal.press("f3")
    for _ in range(8):
        terminal.wheel(10, 5)
    terminal.wait_for("more below")
    terminal.written_within(0.3)  # the wheel has turned eight times by then
    above = [row[:70].rstrip() for row in terminal.display[:8]]
    terminal.written_within(0.5)

    assert [row[:70].rstrip() for row in terminal.display[:8]] == above
    assert "writing" in state(terminal)
    terminal.press("enter")
    terminal.wait_for("Second.")


def test_question_asked_while_an_answer_streams_waits_its_turn(start: Start) -> None:
    terminal = start({"rate": 40, "reply": [{"text": "a " * 20}, {"text": "Next."}]})
    ask(terminal, "First?")
    terminal.wait_for("a a")
    ask(terminal, "Second?")

    terminal.wait_for("Next.")

    text = terminal.text
    assert text.index("First?") < text.index("a a") < text.index("Second?")
    assert text.index("Second?") < text.index("Next.")


def test_reasoning_is_folded_and_unfolds(start: Start) -> None:
    reply = {"steps": [{"reasoning": "Hmm, a hidden thought."}, {"text": "42."}]}
    terminal = start([reply])
    ask(terminal, "Why?")
    terminal.wait_for("42.")
    ready(terminal)

    assert "hidden thought" not in terminal.text

    terminal.press("shift+tab", "enter")
    terminal.wait_for("hidden thought")


def test_resize_while_streaming_keeps_the_text(start: Start) -> None:
    terminal = start({"rate": 120, "reply": [{"text": long_answer(200)}]})
    ask(terminal, "Go on")
    terminal.wait_for("word20 ")

    terminal.resize(120, 40)
    terminal.wait_for("word40 ")
    terminal.resize(60, 40)
    terminal.wait_for("word60 ")
    terminal.resize(120, 40)
    terminal.wait_for("theend")
    ready(terminal)

    said = " ".join(re.findall(r"word\d+|theend", terminal.text))
    assert said == long_answer(200)
    assert "Go on" in terminal.text


# -- writing


def test_paste_of_several_lines_is_one_message(start: Start) -> None:
    terminal = start([{"text": "Got it."}, {"text": "Too many."}])

    terminal.paste("first line\nsecond line\n\nfourth line")
    terminal.wait_for("fourth line")
    terminal.settle()
    assert "Got it." not in terminal.text

    terminal.press("enter")
    terminal.wait_for("Got it.")
    ready(terminal)
    assert "Too many." not in terminal.text
    first = terminal.find("▌ first line")[1]
    assert terminal.find("▌ fourth line")[1] == first + 3


def test_ctrl_j_is_a_new_line(start: Start) -> None:
    terminal = start([{"text": "Got it."}])
    terminal.type("one")
    terminal.press("ctrl+j")
    terminal.type("two")
    terminal.wait_for("two")

    assert terminal.find("two")[1] == terminal.find("one")[1] + 1
    assert "Got it." not in terminal.text


def test_cursor_is_where_one_types(start: Start) -> None:
    terminal = start([])
    terminal.type("你好")
    terminal.wait_for("你好")
    terminal.settle()

    x, y = terminal.find("你好")
    assert terminal._screen.cursor.y == y
    assert terminal._screen.cursor.x == x + 4


def test_editor_has_the_terminal_to_itself(start: Start, home: Path) -> None:
    editor = home / "editor"
    editor.write_text('#!/bin/sh\necho OPEN; read line; echo "$line" >> "$1"\n')
    editor.chmod(0o755)
    terminal = start([{"text": "Got it."}], environment={"VISUAL": str(editor)})

    terminal.type("a draft ")
    terminal.press("ctrl+o")
    terminal.wait_for("OPEN")
    assert terminal.left_on() == set()
    ask(terminal, "is mended")

    terminal.wait_for("a draft is mended")
    assert "alternate screen" in terminal.left_on()
    assert "Got it." not in terminal.text
    terminal.press("enter")
    terminal.wait_for("Got it.")


# -- leaving


def test_leaving_gives_the_terminal_back(start: Start) -> None:
    terminal = start([{"text": "Hi."}], columns=120, rows=40)
    ask(terminal, "Hello")
    terminal.wait_for("Hi.")
    assert {"alternate screen", "bracketed paste"} <= terminal.left_on()

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_leaving_in_mid_answer_is_quick_and_keeps_what_was_said(start: Start) -> None:
    script = {"rate": 50, "reply": [{"text": long_answer()}]}
    terminal = start(script)
    ask(terminal, "Go on")
    terminal.wait_for("word9 ")
    terminal.press("ctrl+q")
    terminal.wait_for("An answer is still running")
    terminal.press("c")
    assert terminal.wait_exit(4) == 0
    assert terminal.left_on() == set()

    again = start(script, "-c")

    again.wait_for("word9 ")
    assert "Go on" in again.text


def test_terminal_is_given_back_when_the_app_is_told_to_end(start: Start) -> None:
    terminal = start([])

    terminal.signal(signal.SIGTERM)

    assert terminal.wait_exit() == 128 + signal.SIGTERM
    assert terminal.left_on() == set()


def test_ctrl_c_hints_first_and_quits_at_the_second_time(start: Start) -> None:
    terminal = start([])
    terminal.press("ctrl+c")
    terminal.wait_for("Ctrl+C again quits")

    terminal.press("ctrl+c")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_second_start_opens_the_last_conversation(start: Start) -> None:
    terminal = start(weather(STRUCTURED))
    ask(terminal, "What's the weather in Tokyo?")
    terminal.wait_for("10 degrees")
    terminal.press("ctrl+q")
    terminal.wait_exit()

    fresh = start([])
    assert "10 degrees" not in fresh.text
    fresh.press("ctrl+q")
    fresh.wait_exit()

    again = start([], "-c")
    again.wait_for("What's the weather in Tokyo?")
    again.wait_for("10 degrees celsius in Tokyo.")
    assert again.text.count("10 degrees") == 1
    again.press("f3")
    again.wait_for("get_current_weather(location")


# -- the terminal belongs to the user

CLIPBOARD = "\x1b]52;c;aGFoYQ==\x07"
EVIL = (
    f"ev\x1b[2Jil {CLIPBOARD} \x1b]0;title\x07 \x9b31m \x1bPq\x1b\\ \x07\x08"
    "\u202edesrever\u202c \u2066iso\u2069 \x1b[?1049l \x0e \x7f\u200fz"
)
EVIL_BYTES = (
    b"\x1b]52",
    b"\x1b]0;title",
    b"\x1bPq",
    b"\xc2\x9b",
    b"\x07",
    b"\x08",
    b"\x0e",
    b"\x7f",
    "\u202e".encode(),
    "\u202c".encode(),
    "\u2066".encode(),
    "\u2069".encode(),
    "\u200f".encode(),
)


def never_sent(terminal: Terminal) -> list[bytes]:
    """Return what of the evil came through; our own sequences are known."""
    raw = re.sub(rb"\x1b\]22;[a-z]*\x07", b"", bytes(terminal.raw))  # pointer shapes
    bad = [each for each in EVIL_BYTES if each in raw]
    cleared = [s for s in terminal.sequences if (s.numbers, s.end) == ("2", "J")]
    left = [s for s in terminal.sequences if (s.private, s.numbers, s.end) == LEAVE]
    return bad + [b"clear"] * len(cleared) + [b"leave"] * len(left)


LEAVE = ("?", "1049", "l")


def test_nothing_that_a_model_says_drives_the_terminal(start: Start) -> None:
    inside = f"# {EVIL}\n\n- {EVIL}\n\n| {EVIL} |\n|---|\n| {EVIL} |\n\n"
    inside += f"```{EVIL}\n{EVIL}\n```\n\n`{EVIL}` [{EVIL}](http://x/{EVIL})\n\n"
    steps = [
        {"reasoning": f"thinks {EVIL}"},
        {"text": inside},
        {"notice": f"notice {EVIL}"},
        {"call": f"tool{EVIL}", "arguments": {EVIL: EVIL}},
        {"call": "get_current_weather", "arguments": {"location": EVIL}},
    ]
    script = [{"steps": steps}, {"steps": [{"text": "Now "}, {"error": EVIL}]}]
    terminal = start(script, columns=120, rows=60)

    terminal.press("f3")
    ask(terminal, f"Be evil: {chr(0x202E)}")
    terminal.wait_for("Now")
    terminal.wait_for(lambda t: "error" in state(t))
    terminal.settle()
    # Unfold what is folded: the calls, then the thoughts.
    terminal.press("shift+tab", "enter", "up", "enter")
    terminal.settle()
    terminal.press("shift+tab", "up", "up", "up", "enter")
    terminal.settle()

    assert never_sent(terminal) == []
    assert "il" in terminal.text


def test_pasted_controls_do_not_drive_the_terminal(start: Start) -> None:
    terminal = start([{"text": "Hm."}])

    terminal.paste(f"see {EVIL} here")
    terminal.wait_for("here")
    terminal.press("enter")
    terminal.wait_for("Hm.")

    assert never_sent(terminal) == []


def test_tool_descriptions_and_names_do_not_drive_the_terminal(
    start: Start, home: Path
) -> None:
    (home / "tools").mkdir()
    (home / "tools" / "evil.py").write_text(
        "from tui.tools import tool\n\n\n@tool\ndef evil(x: int) -> str:\n"
        f"    {'Does ' + EVIL!a}\n    return {EVIL!a}\n",
        "utf-8",
    )
    script = [{"steps": [{"call": "evil", "arguments": {"x": 1}}]}, {"text": "Done."}]
    terminal = start(script, columns=120, rows=40)
    terminal.press("f2")
    terminal.wait_for("evil")
    terminal.press("f3")

    ask(terminal, "Go")
    terminal.wait_for("Done.")
    terminal.settle()

    assert "evil(x=1)" in terminal.text
    assert never_sent(terminal) == []


def test_idle_is_silent(start: Start) -> None:
    terminal = start([{"steps": [{"reasoning": "Hm."}, {"text": "Hi."}]}])
    ask(terminal, "Hello")
    terminal.wait_for("Hi.")
    terminal.press("f3")
    terminal.settle()

    assert terminal.written_within(2.0) == b""


def test_a_waiting_model_is_silent_too(start: Start) -> None:
    terminal = start([{"steps": [{"text": "Well"}, {"pause": 30.0}, {"text": "!"}]}])
    ask(terminal, "Hello")
    terminal.wait_for("Well")
    terminal.settle()

    assert terminal.written_within(1.0) == b""


# -- keys, commands, themes


def test_help_tells_the_keys(start: Start) -> None:
    terminal = start([])
    terminal.press("f1")
    terminal.wait_for("Ctrl+T")
    assert "New line" in terminal.text

    terminal.press("escape")
    terminal.wait_for(lambda t: "Ctrl+T" not in t.text)


def test_themes_switch_and_are_remembered(start: Start) -> None:
    terminal = start([])
    dark = terminal.cells(2)[5].bg

    ask(terminal, "/theme lazychat-light")
    terminal.wait_for(lambda t: t.cells(2)[5].bg != dark)
    light = terminal.cells(2)[5].bg
    terminal.press("ctrl+q")
    terminal.wait_exit()

    again = start([])
    assert again.cells(2)[5].bg == light
    assert int(str(dark)[:2], 16) < 0x60 < 0xA0 < int(str(light)[:2], 16)


def has_only_own_colours(terminal: Terminal) -> bool:
    """Whether all colours on the screen are the terminal's 16, which have names."""
    cells = [cell for y in range(terminal.rows) for cell in terminal.cells(y)]
    colours = {cell.bg for cell in cells}
    # That of a blank is not seen, and not sent anew.
    colours |= {cell.fg for cell in cells if cell.data.strip()}
    return not any(re.fullmatch("[0-9a-f]{6}", colour) for colour in colours)


def test_the_theme_terminal_uses_only_the_terminals_own_colours(
    start: Start,
) -> None:
    terminal = start([{"text": "# Title\n\nSome `code` and **bold**."}])
    ask(terminal, "/theme terminal")
    terminal.wait_for(has_only_own_colours)
    terminal.raw.clear()

    ask(terminal, "Say")
    terminal.wait_for("bold.")
    terminal.press("f2", "f3", "f1")
    terminal.wait_for("Esc")

    sent = bytes(terminal.raw)
    assert re.search(rb"\x1b\[(\d+;)*9[0-7]m", sent)
    assert not re.search(rb"\x1b\[[\d;]*[34]8;[25];", sent)


def test_copy_sends_the_source_to_the_terminals_clipboard(start: Start) -> None:
    terminal = start([{"text": "Some **bold** words."}])
    ask(terminal, "Say")
    terminal.wait_for("bold words.")
    ready(terminal)

    ask(terminal, "/copy")

    terminal.wait_for("sent to the terminal")
    # The base64 of the Markdown.
    assert b"\x1b]52;c;U29tZSAqKmJvbGQqKiB3b3Jkcy4=" in terminal.raw


def test_usage_is_in_the_status_line(start: Start) -> None:
    usage = {"input_tokens": 321, "output_tokens": 45, "seconds": 1.5}
    terminal = start([{"steps": [{"text": "Hi."}, {"usage": usage}]}], columns=120)

    ask(terminal, "Hello")

    terminal.wait_for(lambda t: "321 in / 45 out" in state(t))
    assert "30 tok/s" in state(terminal)
    assert "scripted" in state(terminal)


def test_markdown_is_drawn(start: Start) -> None:
    text = (
        "# Title\n\n- one\n- two\n\n1. first\n\n> quoted\n\n| a | b |\n|---|---|\n"
        "| x1 | y1 |\n\n```python\ndef f():\n    return 1\n```\n\n**strong** `code`\n"
    )
    terminal = start([{"text": text}], columns=120, rows=40)
    ask(terminal, "Show")
    terminal.wait_for("strong code")

    shown = terminal.text
    assert not [mark for mark in ("# Title", "**", "```", "|---|") if mark in shown]
    x, y = terminal.find("def f()")
    colours = {cell.fg for cell in terminal.cells(y)[x : x + 7]}
    assert len(colours) > 1
    x, y = terminal.find("strong")
    assert terminal.cells(y)[x].bold


# -- bad input


def says(terminal: Terminal, text: str) -> None:
    """Wait until `text` is on the screen, in whatever rows."""
    wanted = "".join(text.split())
    terminal.wait_for(lambda t: wanted in "".join(t.text.split()))


def answered(terminal: Terminal) -> None:
    ask(terminal, "Still there?")
    terminal.wait_for("Still here.")
    assert "Traceback" not in terminal.text


STILL = [{"text": "Still here."}]


def test_broken_configuration_is_named_with_line_and_column(
    start: Start, home: Path
) -> None:
    terminal = start(config='theme = "lazychat-dark"\nmodel = "x\n')

    says(terminal, "Using the defaults")

    says(terminal, f"{home / 'config.toml'}, line 2, column 11: this is not TOML")
    assert "".join(terminal.text.split()).count("config.toml,line") == 1
    terminal.type("Usable")
    terminal.wait_for("Usable")


def test_unknown_key_is_named_with_the_nearest(start: Start) -> None:
    terminal = start(config='model = "starter"\n\nthem = "x"\n')

    says(terminal, 'line 3: unknown key "them". Did you mean "theme"?')


def test_unknown_model_is_named_and_another_can_be_chosen(start: Start) -> None:
    terminal = start(STILL, "-m", "scriptde")
    terminal.wait_for('Did you mean "scripted"?')

    ask(terminal, "/model scripted")

    answered(terminal)


def test_whatever_else_is_broken_is_one_message_each(start: Start, home: Path) -> None:
    (home / "tools").mkdir()
    (home / "tools" / "broken.py").write_text("def f(:\n    pass\n")
    (home / "themes").mkdir()
    (home / "themes" / "ugly.toml").write_text('primary = "no colour"\n')
    settings = {"theme": "nosuch", "tools": {"files": [str(home / "gone.py")]}}

    terminal = start(STILL, config=settings)

    for piece in (
        "broken.py, line 1: SyntaxError",
        "gone.py cannot be loaded: no such file",
        "ugly.toml: primary cannot be 'no colour'",
        'There is no theme "nosuch"',
    ):
        says(terminal, piece)
    answered(terminal)


def test_tool_file_that_hangs_keeps_nobody(start: Start, home: Path) -> None:
    (home / "tools").mkdir()
    hangs = "import threading\nthreading.Event().wait(60)\n"
    (home / "tools" / "hangs.py").write_text(hangs)

    terminal = start(STILL)
    answered(terminal)
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0


def test_unknown_tool_on_the_command_line_is_named(start: Start) -> None:
    terminal = start(STILL, "-T", "get_curent_weather")

    says(terminal, 'no tool "get_curent_weather"')

    answered(terminal)


def test_log_of_a_newer_version_is_left_alone(start: Start, home: Path) -> None:
    with closing(sqlite3.connect(home / "lazychat.db")) as log:
        log.execute("PRAGMA user_version = 999")
    before = (home / "lazychat.db").read_bytes()

    terminal = start(STILL)
    says(terminal, "newer lazychat")
    says(terminal, "Until then nothing is saved")
    answered(terminal)

    assert (home / "lazychat.db").read_bytes() == before


def test_data_folder_that_cannot_be_made_is_named(start: Start, home: Path) -> None:
    (home / "file").write_text("in the way")
    nowhere = home / "file" / "folder"

    terminal = start(STILL, environment={"LAZYCHAT_HOME": str(nowhere)})
    says(terminal, "nothing is saved")

    says(terminal, str(nowhere))
    answered(terminal)


# -- versions


def test_versions_of_an_answer_are_asked_for_and_walked_by_key(start: Start) -> None:
    answers = [{"text": f"{word} answer."} for word in ("First", "Second", "Third")]
    terminal = start({"reply": answers, "rate": 200})
    ask(terminal, "Well?")
    terminal.wait_for("First answer.")
    ready(terminal)

    terminal.press("shift+tab", "up", "r")
    terminal.wait_for("Second answer.")
    terminal.wait_for("‹ 2/2 ›")
    ready(terminal)
    terminal.press("[")
    terminal.wait_for("First answer.")
    terminal.wait_for("‹ 1/2 ›")
    terminal.press("right")
    terminal.wait_for("Second answer.")

    terminal.press("e")
    terminal.wait_for("Editing “Well?”")
    terminal.type(" Then")
    terminal.press("enter")
    terminal.wait_for("Third answer.")
    assert "Well? Then" in terminal.text
    assert "Second answer." not in terminal.text
    ready(terminal)

    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    again = start({"reply": answers}, "-c")
    again.wait_for("Third answer.")
    again.wait_for("‹ 2/2 ›")


def test_an_answer_that_ends_behind_another_window_notifies(start: Start) -> None:
    script = {"rate": 100, "reply": [{"text": long_answer(40)}, {"text": "Two."}]}
    terminal = start(script, config={"notify": "notify"})
    ask(terminal, "Go on")
    terminal.wait_for("word3 ")
    terminal.send(b"\x1b[O")  # the terminal says that its window has lost the focus
    terminal.wait_for("theend")
    told = "\x1b]9;lazychat: answered “Go on”".encode()
    terminal.wait_for(lambda t: told in t.raw)
    terminal.send(b"\x1b[I")
    seen = len(terminal.raw)

    ask(terminal, "More", "Two.")

    assert b"\x1b]9;" not in terminal.raw[seen:]
