"""Draws pictures of the README: the app itself, on scripted answers.

Usage: python docs/screenshot.py FOLDER

`lazychat.svg` is an answer with its calls in the debug panel, `approval.svg` the
question before a file is edited.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

# ruff: noqa: E501 - inline tables of TOML are one line
ANSWER = '''
[[reply]]
steps = [
  { reasoning = "The time over there, and how many hours are left until nine." },
  { text = "Let me look." },
  { call = "current_time", arguments = { place = "Tokyo" } },
  { call = "calculate", arguments = { expression = "9.5 h in minutes" } },
]

[[reply]]
steps = [
  { text = """
You have **nine and a half hours** until the meeting. A plan:

| When | What | Minutes |
|---|---|---:|
| tonight | read the notes | 45 |
| tomorrow, 8:00 | coffee, and the slides once more | 30 |
| 8:45 | join early | 15 |

1. Send the *agenda* today, not tomorrow.
2. Ask again by program:

```python
from tui import FunctionCallAgent, Message

for event in agent.run([Message("user", "How long until nine in Tokyo?")]):
    print(event)  # what is said, what is called, what it took
```
""" },
  { usage = { input_tokens = 612, output_tokens = 188, seconds = 2.3 } },
]
'''

EDIT = """
[[reply]]
steps = [
  { text = "The timeout is too short for that server. I would raise it, and say why:" },
  { call = "edit_file", arguments = { path = "client.py", old = "TIMEOUT = 5", new = "TIMEOUT = 30  # the model loads on the first request" } },
]

[[reply]]
text = "Done."
"""
CLIENT = """import httpx

URL = "http://127.0.0.1:8080/v1"
TIMEOUT = 5
RETRIES = 2


def ask(text):
    return httpx.post(URL, json={"text": text}, timeout=TIMEOUT)
"""


async def draw(
    script: str,
    question: str,
    done: Callable[[Any], object],
    keys: Sequence[str] = (),
    *,
    size: tuple[int, int] = (110, 36),
    theme: str = "",
) -> str:
    """Ask the question in the app, press `keys`, and return what it shows, as SVG."""
    from tui.app.app import LazychatApp
    from tui.config import Config, ScriptedModelConfig
    from tui.conversation import new_id
    from tui.runtime.host import Host
    from tui.runtime.local_backend import LocalBackend

    models = {"qwen3-8b": ScriptedModelConfig(_kept(script))}
    host = Host(Config(model="qwen3-8b", models=models, theme=theme))
    host.start()
    backend = LocalBackend(host)
    app = LazychatApp(backend, new_id())
    async with app.run_test(size=size) as pilot:
        await pilot.press(*question, "enter", *keys)
        while not (app.chat and done(app.chat)):
            await pilot.pause(0.05)
        await pilot.pause(1.0)  # the question takes keys only after a moment
        svg = app.export_screenshot(title="lazychat")
    backend.close()
    host.close()
    # Pages that show the picture load no fonts for it: the reader's will do.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _kept(script: str) -> str:
    """Write a script into the store's folder; return its path."""
    file = Path(os.environ["LAZYCHAT_HOME"], "script.toml")
    file.write_text(script, "utf-8")
    return str(file)


def answered(chat: Any) -> bool:
    """Whether the second message of the answer is there."""
    return bool(chat.presenter.answers[1:]) and chat.presenter.running is None


def asks(chat: Any) -> bool:
    """Whether the user is asked about a call."""
    return bool(chat.presenter.fold.approvals.questions)


def main(folder: Path) -> None:
    """Draw into a store of its own, so that the user's is left alone."""
    folder = folder.absolute()
    with tempfile.TemporaryDirectory(prefix="site-") as home, chdir(home):
        os.environ["LAZYCHAT_HOME"] = home
        svg = asyncio.run(
            draw(ANSWER, "How long until nine o'clock in Tokyo?", answered, ["f3"])
        )
        (folder / "lazychat.svg").write_text(svg, "utf-8")
        Path("client.py").write_text(CLIENT)
        question = "Why does client.py time out?"
        svg = asyncio.run(draw(EDIT, question, asks, size=(100, 30)))
        (folder / "approval.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
