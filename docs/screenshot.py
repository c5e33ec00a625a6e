"""Draws the picture of the README: the app itself, on a scripted answer.

Usage: python docs/screenshot.py FILE.svg
"""

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

QUESTION = "What's the weather in Tokyo?"
# ruff: noqa: E501 - inline tables of TOML are one line
SCRIPT = '''
[[reply]]
steps = [
  { reasoning = "The weather now, and perhaps the next days too." },
  { text = "I'll look that up." },
  { call = "get_current_weather", arguments = { location = "Tokyo" } },
  { call = "get_n_day_weather_forecast", arguments = { location = "Tokyo", num_days = 3 } },
]

[[reply]]
steps = [
  { text = """
It is **10 °C** in Tokyo now, and it stays that way:

| Day | Temperature | Pack |
|---|---:|---|
| today | 10 °C | a warm coat |
| tomorrow | 10 °C | the same, and a scarf |
| after that | 10 °C | an umbrella, to be safe |

1. Wear *layers*: trains are heated.
2. Ask again by program:

```python
from tui import FunctionCallAgent, Message

for event in agent.run([Message("user", "Weather in Tokyo?")]):
    print(event)  # what is said, what is called, what it took
```
""" },
  { usage = { input_tokens = 412, output_tokens = 168, seconds = 2.1 } },
]
'''


async def draw(home: Path) -> str:
    """Ask the question in the app and return what it shows, as SVG."""
    from tui.app.app import LazychatApp
    from tui.config import Config, ScriptedModelConfig
    from tui.conversation import new_id
    from tui.runtime.host import Host
    from tui.runtime.local_backend import LocalBackend

    script = home / "script.toml"
    script.write_text(SCRIPT, "utf-8")
    models = {"qwen3-8b": ScriptedModelConfig(str(script))}
    host = Host(Config(model="qwen3-8b", models=models))
    host.start()
    backend = LocalBackend(host)
    app = LazychatApp(backend, new_id())
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press(*QUESTION, "enter", "f3")
        while not (app.chat and app.chat.presenter.answers[1:]):
            await pilot.pause(0.05)
        await pilot.pause(0.2)
        svg = app.export_screenshot(title="lazychat")
    backend.close()
    host.close()
    # Pages that show the picture load no fonts for it: the reader's will do.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def main() -> None:
    """Draw into a store of its own, so that the user's is left alone."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["LAZYCHAT_HOME"] = home
        svg = asyncio.run(draw(Path(home)))
    Path(sys.argv[1]).write_text(svg, "utf-8")


if __name__ == "__main__":
    main()
