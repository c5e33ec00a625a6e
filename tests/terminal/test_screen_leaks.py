"""No tool text ever flashes: every frame of the real app, in every dialect.

The app runs in a pseudo-terminal against a real server that does not parse its
model's calls but streams them as text, in random pieces. What was ever on the screen
at the end of a frame must be text that the model said to the user.
"""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.gate_rows import FAMILIES, ROWS
from support.start import Start
from support.terminal import Terminal

CALL = [("get_current_weather", {"location": "ZQX Rome"})]
FINAL = {
    "harmony": "<|start|>assistant<|channel|>final<|message|>",
    "functionary_v32": "\n>>>all\n",
}


def before(family: str) -> str:
    return f"Before {family}: x < 3 is true, é 你好"


def after(family: str) -> str:
    return f"After {family}: that was it"


def done(family: str) -> str:
    return f"Done with {family}"


def spoken(family: str) -> str:
    """Return the raw stream: text, a call, and text again."""
    lead, between = "", "\n"
    if family == "functionary_v32":
        lead, between = "all\n", "\n>>>"
    call = ROWS[family].write(CALL)
    then = FINAL.get(family, "\n")
    return f"{lead}{before(family)}{between}{call}{then}{after(family)}"


def opening(family: str) -> str:
    """Return what a plain answer of this family begins with."""
    return {"functionary_v32": "all\n", "harmony": FINAL["harmony"]}.get(family, "")


def pieces(stream: str, seed: str) -> list[bytes]:
    rnd, at, cut = random.Random(seed), 0, []
    while at < len(stream):
        size = rnd.randint(1, rnd.choice((1, 3, 8)))
        cut.append(text(stream[at : at + size]))
        at += size
    return cut


def answers(server: SSEServer, family: str, seed: str) -> None:
    server.answer(*pieces(spoken(family), family + seed), finish(), DONE)
    server.answer(text(opening(family) + done(family)), finish(), DONE)


def models(server: SSEServer) -> dict[str, dict[str, str]]:
    # By their own names, some are known to begin with reasoning.
    plain = {"provider": "openai", "base_url": server.url, "model": "any"}
    return {family: plain | {"dialect": family} for family in FAMILIES}


def pane(row: str) -> str:
    """Return what a row shows of the conversation, without marks and blanks."""
    row = re.sub(r" +\d\d:\d\d$", "", row.rstrip())  # when a question was asked
    return row.strip(" ▌▇▁▂▃▄▅▆█").removesuffix("↓ more below · End").strip()


FOOTER = re.compile(
    r"(\w+)( · \d+(\.\d)? m?s)?( · \d+ tok)?( · 1 tool(, 1 failed)? \(F3\))? ·"
)
"""The line below an answer, but for its time: its model, and what it took."""
EMPTY = ("New conversation", "l a z y", "answers that", "Model  ", "Try  ", "Keys  ")
"""What the lines of a new conversation begin with."""


def unexpected(terminal: Terminal, expected: list[str]) -> list[str]:
    """Return the rows that show anything but the beginnings of what is expected."""
    # While a tool runs, a long name is cut in the middle of the status line.
    status = (
        *(f"{family}  " for family in FAMILIES),
        *(f"{family[:n]}…  " for family in FAMILIES for n in range(3, len(family))),
    )
    found: list[str] = []
    for row in terminal.shown:
        shown = pane(row)
        composer = row.startswith(("│", "╭", "╰"))
        if not shown or composer or shown.startswith(status):
            continue
        found_footer = FOOTER.fullmatch(shown)
        if found_footer and found_footer[1] in FAMILIES:
            continue
        shown = shown.removeprefix("lazychat  ")  # the header has the first question
        if shown.startswith(EMPTY) or any(row.startswith(shown) for row in EMPTY):
            continue
        if not any(line.startswith(shown) for line in expected):
            found.append(row)
    return found


@pytest.mark.parametrize("seed", ["one", "two"])
def test_no_frame_shows_a_byte_of_a_call_in_any_dialect(start: Start, seed: str):
    expected: list[str] = []
    with SSEServer() as server:
        for family in FAMILIES:
            answers(server, family, seed)
        config = {"model": FAMILIES[0], "models": models(server)}
        terminal = start(None, "-T", CALL[0][0], config=config)
        for family in FAMILIES:
            terminal.paste(f"/model {family}")  # typed, it would open the menu
            terminal.press("enter")
            terminal.wait_for(lambda t, f=family: t.row(-1).strip().startswith(f + " "))
            terminal.type(f"go {family}")
            terminal.press("enter")
            terminal.wait_for(done(family))
            expected += [before(family), after(family), done(family), f"go {family}"]
            # Where only one line break is left between the two, Markdown joins them.
            expected.append(f"{before(family)} {after(family)}")
        terminal.wait_for(lambda t: " ready " in t.row(-1))

    assert len(server.asked) == 2 * len(FAMILIES)
    assert "ZQX" not in terminal.raw.decode("utf-8", "replace")
    assert unexpected(terminal, expected) == []


def test_the_call_was_run_and_is_in_the_debug_panel(start: Start):
    with SSEServer() as server:
        answers(server, "glm45", "x")
        config = {"model": "glm45", "models": models(server)}
        terminal = start(None, "-T", CALL[0][0], config=config)
        terminal.type("go")
        terminal.press("enter")
        terminal.wait_for(done("glm45"))

        terminal.press("f3")

        terminal.wait_for('get_current_weather(location="ZQX Rome")')
    result = server.asked[1].json["messages"][-1]
    assert (result["role"], "unknown" in result["content"]) == ("tool", True)


def test_a_truncated_call_is_one_line_in_the_debug_panel(start: Start):
    with SSEServer() as server:
        server.answer(text('Wait.\n<tool_call>\n{"name": "get_cur'), finish(), DONE)
        server.answer(text("I give up."), finish(), DONE)
        config = {"model": "hermes", "models": models(server)}
        terminal = start(None, config=config)
        terminal.type("go")
        terminal.press("enter")
        terminal.wait_for("I give up.")
        assert "get_cur" not in terminal.text

        terminal.press("f3")

        terminal.wait_for("1 call · 1 failed")
        terminal.wait_for("unreadable call")
    told = [m for m in server.asked[1].json["messages"] if m["role"] == "tool"]
    assert len(told) == 1
    assert "could not be read" in told[0]["content"]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("family", ["hermes", "mistral_args", "llama3_json", "gemma4"])
def test_ask_prints_nothing_of_a_call(home: Path, family: str, stream: bool):
    import tomli_w

    with SSEServer() as server:
        answers(server, family, "ask")
        config = home / "config.toml"
        settings = {"model": family, "models": models(server)}
        config.write_text(tomli_w.dumps(settings), "utf-8")
        command = [sys.executable, "-m", "tui", "ask", "--config", str(config)]
        command += ["-T", CALL[0][0], "go"]
        run = subprocess.run(
            command if stream else [*command, "--no-stream"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    said = [line.strip() for line in run.stdout.splitlines() if line.strip()]
    assert said == [before(family), after(family), done(family)]
