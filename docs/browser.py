"""Draws the picture of a page in the browser: a real session in headless Chromium.

Usage: PYTHONPATH=tests python docs/browser.py FILE.png
"""

import sys
import tempfile
from pathlib import Path

from support.browser import CHROMIUM, Page, Program
from support.fakes.lazychat import Home

QUESTION = "What's the weather in Tokyo?"
CALL = {"call": "get_current_weather", "arguments": {"location": "Tokyo"}}
ANSWER = (
    "It is **10 °C** in Tokyo now. Wear *layers*:\n\n"
    "| Day | Temperature |\n|---|---:|\n| today | 10 °C |\n| tomorrow | 10 °C |\n"
)


def draw(folder: Path, target: Path) -> None:
    """Serve the app, ask the question in a page, and save what the page shows."""
    from playwright.sync_api import sync_playwright

    with Home(folder) as home, sync_playwright() as playwright:
        home.scripted([{"text": "I'll look that up."}, CALL], [{"text": ANSWER}])
        program = Program(home.start("-m", "tui", "serve", "--port", "0"))
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        page = Page(browser.new_page(viewport={"width": 1100, "height": 430}))
        page.open(program.url).ask(QUESTION)
        page.wait_for("tomorrow").wait_for("ready")
        page.press("F3").wait_for("Tokyo").wait_for("Tool calls")
        page.page.screenshot(path=str(target))
        browser.close()
        program.interrupt()


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("docs/browser.py needs Chromium (Debian: chromium).")
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), Path(sys.argv[1]))
