"""What the app imports before its first frame."""

import subprocess
import sys

import pytest

LATER = [
    "openai",
    "llama_cpp",
    "jinja2",
    "markdown_it",
    "mcp",
    "websockets",
    "huggingface_hub",
    "PIL",
    "html",
    "shlex",
    "tomli_w",
    "tui.agents",
    "tui.app.mcp.form",
    "tui.app.vi.editor",
    "tui.attachments.pictures",
    "tui.conversation.full_text_search",
    "tui.models.discovery",
    "tui.models.gate",
    "tui.models.hub",
    "tui.models.openai",
    "tui.models.setup",
    "tui.tools.base",
    "tui.tools.bundled",
]
"""What is imported when it is first used, as each costs time at every start."""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Return the names of the modules that the app imports at its start."""
    code = "import sys, tui.cli.chat, tui.app.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", LATER)
def test_imports_at_its_first_use(module: str, imported: set[str]) -> None:
    """A module that the first frame does not need costs nothing at the start."""
    assert not [
        each for each in imported if each == module or each.startswith(f"{module}.")
    ]
