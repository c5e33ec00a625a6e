"""What the screen shows every day, in a real terminal.

Several things in each run of the app, as starting it takes the longest.
"""

import base64
import re
from pathlib import Path

from support.fakes.sse_server import DONE, Close, SSEServer, Stall, finish, text
from support.start import Start, ask
from support.terminal import Terminal

LINES = "\n\n".join(f"paragraph {number} of it" for number in range(40))
CODE = (
    "# Title\n\nText.\n\n```python\n"
    "result = compute_something(first_argument, second_argument, third_argument)\n"
    "```\n"
)


def usage(**more: float) -> dict[str, object]:
    return {"usage": {"input_tokens": 365, "output_tokens": 10, **more}}


def remote(server: SSEServer, model: str = "gpt-5") -> str:
    return (
        f'model = "m"\n[models.m]\nprovider = "openai"\nbase_url = "{server.url}"\n'
        f'model = "{model}"\n'
    )


def test_the_empty_screen_says_what_this_is_and_what_to_do(start: Start) -> None:
    terminal = start([{"text": "One."}], columns=120, rows=40)

    terminal.wait_for("l a z y c h a t")
    terminal.wait_for("Model")
    terminal.wait_for("Try")
    assert terminal.row(0).startswith(" lazychat")
    ask(terminal, "Remember me", "One.")
    terminal.press("ctrl+n")
    terminal.wait_for("Recent")
    terminal.wait_for(lambda t: "Remember me" in t.text.split("Recent")[1])


def test_an_answer_that_has_streamed_ends_at_the_bottom(start: Start) -> None:
    terminal = start(
        {"rate": 300, "reply": [{"steps": [{"text": LINES}, usage(seconds=1)]}]}
    )

    ask(terminal, "Go on", "paragraph 39")
    terminal.settle()

    top = next(n for n, row in enumerate(terminal.display) if row.startswith("╭"))
    _, y = terminal.find("paragraph 39")
    assert top - y <= 3  # a blank row and the footer
    footer = terminal.display[y + 1 : top]
    assert any(
        re.search(r"scripted · .* s · 10 tok .*\d\d:\d\d", row) for row in footer
    )
    assert "F1 help  F2 tools  F3 debug" in terminal.row(-1)


def test_a_turn_has_times_and_room_and_reads_as_source(start: Start) -> None:
    reply = {"steps": [{"reasoning": "Let me think."}, {"text": CODE}, usage()]}
    terminal = start([reply, {"text": "Two."}], columns=60)
    ask(terminal, "Code, please", "third_argument")

    rows = terminal.display
    question = next(row for row in rows if row.startswith("▌"))
    assert re.search(r"\d\d:\d\d$", question)
    folded = next(n for n, row in enumerate(rows) if "Reasoning" in row)
    assert rows[folded + 1] == ""
    assert "Title" in rows[folded + 2]
    begun, *hanging = [n for n, row in enumerate(rows) if "_argument" in row]
    assert rows[begun].endswith(" ") or rows[begun].endswith((",", "("))
    assert hanging
    assert "└" in rows[hanging[0]]

    # Copies are the source, without the wraps of this narrow screen.
    terminal.press("tab")
    terminal.wait_for("e edit")
    seen = len(terminal.raw)
    terminal.press("Y")
    code = b"cmVzdWx0ID0gY29tcHV0ZV9zb21ldGhpbmcoZmlyc3RfYXJndW1lbnQsIHNlY29uZF9hcmd1"
    terminal.wait_for(lambda t: code in t.raw[seen:])
    terminal.press("escape")
    ask(terminal, "Next", "Two.")
    ask(terminal, "/copy 2")
    terminal.wait_for("characters sent to the terminal")
    assert "/copy 2" not in terminal.text


def test_a_long_answer_is_copied_into_a_file(start: Start, home: Path) -> None:
    terminal = start([{"text": "word " * 16_000}])
    ask(terminal, "Go on")
    terminal.wait_for("scripted · ")
    ask(terminal, "/copy")
    terminal.wait_for("Too long for a clipboard: written to ")

    assert (home / "copied.txt").stat().st_size == 80_000


def test_what_is_waited_for_is_said_and_counted(
    start: Start, server: SSEServer
) -> None:
    refusal = {"error": {"message": "Too many requests"}}
    server.json(refusal, status=429, headers={"Retry-After": "42"})
    stall = Stall()
    server.answer(text("Hello"), finish(), DONE, before=stall)
    terminal = start(None, config=remote(server))

    ask(terminal, "Hi")
    terminal.wait_for(
        lambda t: re.search(r"rate-limited, retry in \d+ s \(1/2\)", t.row(-1))
    )
    terminal.press("escape")
    terminal.wait_for("■ Cancelled")  # though no word had come
    terminal.wait_for("/retry")

    terminal.send(b"\x1be")  # Alt+E
    terminal.wait_for("Effort: low")
    ask(terminal, "/set temperature 0.2")
    terminal.wait_for("temperature = 0.2 in this")
    ask(terminal, "/system Be brief.")
    terminal.wait_for("System prompt set")
    ask(terminal, "/retry")
    terminal.wait_for(lambda t: re.search(r"thinking [3-9] s", t.row(-1)))
    stall.go()
    terminal.wait_for("Hello")
    asked = [r.json for r in server.requests if r.path.endswith("completions")][-1]
    assert (asked["reasoning_effort"], asked["temperature"]) == ("low", 0.2)
    assert asked["messages"][0]["content"].startswith("Be brief.")


def test_what_fails_is_one_line_that_names_what_to_do(
    start: Start, server: SSEServer
) -> None:
    server.answer(text("Half an "), Close())
    server.answer(text("Whole."), finish(), DONE)
    terminal = start(None, config=remote(server))

    ask(terminal, "Hi")
    terminal.wait_for(lambda t: "/continue resumes it, /retry asks again" in t.words)

    assert "Half an" in terminal.text
    assert sum("×" in row for row in terminal.display) == 1
    ask(terminal, "/retry", "Whole.")


def test_keys_stay_while_a_tool_with_a_long_name_runs(start: Start, home: Path) -> None:
    name = "a_tool_whose_name_is_so_long_that_it_fills_the_line"
    folder = home / "tools"
    folder.mkdir()
    (folder / "slow.py").write_text(
        "import pathlib, time\nfrom tui import tool\n\n\n@tool\n"
        f'def {name}() -> str:\n    """Wait."""\n'
        f"    while not pathlib.Path({str(home / 'go')!r}).exists():\n"
        "        time.sleep(0.02)\n    return 'done'\n"
    )
    reply = [{"steps": [{"call": name, "arguments": {}}]}, {"text": "Done."}]
    terminal = start(reply)

    ask(terminal, "Wait")
    terminal.wait_for(lambda t: "running" in t.row(-1))
    assert "Esc stop  F1 help" in terminal.row(-1)
    (home / "go").touch()
    terminal.wait_for("Done.")

    terminal.press("f3")
    terminal.wait_for("1 call")
    title = next(row for row in terminal.display if "Debug" in row)
    assert re.search(r"─ Debug · .*1 call", title)
    assert title.count("call") == 1


def test_several_answers_at_once_are_told_apart(start: Start, home: Path) -> None:
    held = {"steps": [{"text": "One "}, {"wait_for": "go"}, {"text": "two"}]}
    other = home / "other.toml"
    other.write_text('[[reply]]\ntext = "Quick."\n')
    models = {"quick": {"provider": "scripted", "path": str(other)}}
    terminal = start([held, held], config={"models": models})
    question = "How do I rate limit an API that has a lot of clients in many places?"
    ask(terminal, question)
    terminal.wait_for("One")
    ask(terminal, "/model quick")
    terminal.wait_for(lambda t: re.match(" *scripted +writing", t.row(-1)))
    terminal.press("ctrl+n")
    terminal.wait_for("2 open")
    terminal.wait_for("2 open · 1 busy")
    title = terminal.row(0)
    assert "…" in title
    assert title.count("●") <= 2
    ask(terminal, "/model scripted")
    ask(terminal, "Another")
    terminal.wait_for("One")

    terminal.press("ctrl+q")
    terminal.wait_for("2 answers")
    assert "as soon as it has" not in terminal.words
    terminal.press("escape")
    (home / "go").touch()
    terminal.wait_for("One two")
    terminal.press("f4")
    terminal.wait_for("How do I rate")
    terminal.wait_for("One two")
    terminal.press("tab")
    terminal.wait_for("e edit")
    terminal.press("up")
    terminal.press("e")
    terminal.wait_for("Editing “How do I")
    assert re.search(r"…” *·? *Esc cancels", terminal.text)


def test_a_search_counts_matches_and_shows_no_marks_of_markdown(start: Start) -> None:
    answers = [
        "## The algorithms\n\nA *token* bucket.",
        "## The algorithms\n\nAnother.",
    ]
    terminal = start([{"text": text} for text in answers])
    ask(terminal, "How do I limit?", "bucket")
    terminal.press("ctrl+n")
    ask(terminal, "And then?", "Another.")

    terminal.press("ctrl+s")
    terminal.wait_for("2 conversations")
    terminal.type("token")
    terminal.wait_for("1 match")
    assert "##" not in terminal.text
    assert "*" not in terminal.text


def test_help_uses_the_width_and_is_filtered(start: Start) -> None:
    terminal = start([], columns=120, rows=40)
    terminal.press("f1")
    terminal.wait_for("Keys and commands")
    top = next(row for row in terminal.display if "Keys and commands" in row)
    assert len(top.strip()) > 76
    assert not [row for row in terminal.display if re.search(r"\w[█▅▁│]$", row)]

    terminal.type("copy")
    terminal.wait_for("/copy")
    terminal.wait_for(lambda t: "/export" not in t.text)


def test_answers_are_written_in_any_script(start: Start) -> None:
    """Letters that tmux, VTE and xterm give a column of their own are not covered."""
    text = "हिन्दी में नमस्ते कहें। বাংলা ভাষা। தமிழ் மொழி। ශ්‍රී ලංකාව। မြန်မာ။"
    terminal = start([{"text": f"{text}\n\n| क | b |\n|---|---|\n| की | हिन्दी |\n"}])

    ask(terminal, "Say hello")
    terminal.wait_for("scripted · ")

    shown = "".join(terminal.text.split())
    for word in text.split():
        assert word in shown, word


def test_formulas_are_read_as_mathematics_and_copied_as_source(start: Start) -> None:
    source = "Mass: $E = mc^2$, and\n\n$$\n\\int_0^1 x^2\\,dx = \\frac{1}{3}\n$$"
    terminal = start([{"text": source}])

    ask(terminal, "Why?")
    terminal.wait_for("scripted · ")
    assert "E = mc²" in terminal.text
    assert "∫₀¹ x² dx = ⅓" in terminal.text
    ask(terminal, "/copy")
    terminal.wait_for("sent to the terminal")

    assert base64.b64encode(source.encode()) in terminal.raw


def test_a_dead_mcp_server_keeps_nobody(start: Start) -> None:
    servers = {"dead": {"command": "/bin/sleep", "args": ["600"]}}
    terminal: Terminal = start([{"text": "Fine."}], config={"mcp": servers})

    ask(terminal, "Hi", "Fine.")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
