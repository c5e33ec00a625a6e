"""More screens: what asks, compares or sets up, and what goes wrong."""

# ruff: noqa: E501 - what is asked and answered is not broken

import asyncio

from screens import MEETING, MOVE, Play, Scene, approval, ask, usage, words
from staged import Script
from support.pilot import Chat

from tui.errors import ModelError
from tui.mcp.values import Field, Question
from tui.messages import ToolCall
from tui.models.scripted import ScriptedModel

SAVING: Script = [
    [
        *words("Here is the whole file:\n\n```python\nTIMEOUT = 30\n```\n"),
        usage(210, 24, 0.6),
    ]
]
COMMAND: Script = [
    [
        *words("I would look at the last changes first."),
        ToolCall(
            "c",
            "run_command",
            {
                "command": "git log --oneline --stat --since='2 weeks ago' -- src tests docs && git status --short"
            },
        ),
    ]
]
LOST: Script = [
    [
        *words("The notes say that the server moves on Friday, "),
        ModelError(
            "qwen3-8b: the server closed the connection in the middle of the answer. "
            "What has come is kept. /continue or /retry."
        ),
    ]
]
COMPARED: Script = [
    [
        *words(
            "A **token bucket**: it allows bursts, and is one number and one time per client."
        ),
        usage(31, 24, 0.9),
    ]
]
QUESTION = Question(
    "1",
    "tickets",
    "Which project is the ticket for?",
    (
        Field("project", title="Project", required=True),
        Field(
            "kind",
            "choice",
            title="Kind",
            choices=(("bug", "a bug"), ("wish", "a wish"), ("question", "a question")),
        ),
        Field("days", "integer", "Days", "how long it may take"),
    ),
)


async def _prompts(chat: Chat) -> None:
    await chat.pilot.press(*"/rev")
    await chat.until("/review")


async def _compare(chat: Chat) -> None:
    answer = [
        *words(
            "A **leaky bucket** lets requests through at a fixed rate; what comes faster waits."
        ),
        usage(31, 22, 0.8),
    ]
    chat.host.models._models["coder"] = ScriptedModel([answer], name="coder")
    await chat.ask("/compare coder Token bucket or leaky bucket?")
    await chat.until("Two answers")


async def _question(chat: Chat) -> None:
    await ask(chat, "How long until nine o'clock in Tokyo?", 2)
    asked = QUESTION, asyncio.get_running_loop().create_future()
    chat.host.mcp._asking._open[QUESTION.id] = asked
    chat.app.mcp.refresh()
    await chat.until("Which project")
    await chat.pilot.press(*"lazychat", "enter", *"wisch", "enter")
    await chat.pilot.pause(0.1)


def _set_up(typed: str, sign: str) -> Play:
    """Return a play that chooses what `typed` finds in the list of models."""

    async def play(chat: Chat) -> None:
        await chat.pilot.press("ctrl+l")
        await chat.until("Type to filter")
        await chat.pilot.press(*typed)
        await chat.pilot.pause(0.1)
        await chat.pilot.press("enter")
        await chat.until(sign)

    return play


async def _save(chat: Chat) -> None:
    await ask(chat, "Show me the file")
    await chat.ask("/save-code client.py")
    await chat.until("Enter overwrites")


async def _queued(chat: Chat) -> None:
    await chat.ask("How do I move a server?")
    await chat.until("Write down")
    await chat.ask("And what about the DNS records, which are elsewhere?")
    await chat.until("Queued")


async def _cost(chat: Chat) -> None:
    model = ScriptedModel(MEETING, name="gpt-4o-mini")
    chat.host.models._models["gpt-4o-mini"] = model
    await chat.ask("/model gpt-4o-mini")
    await ask(chat, "How long until nine o'clock in Tokyo?", 2)
    await chat.ask("/cost")
    await chat.until("Tokens and cost")


async def _cancelled(chat: Chat) -> None:
    await chat.ask("How do I move a server?")
    await chat.until("Write down")
    await chat.pilot.press("escape")
    await chat.until("Cancelled")


async def _error(chat: Chat) -> None:
    await chat.ask("And now?")
    await chat.until(lambda: chat.screen.status.state == "error")


DIALOGS = (
    Scene("error", _error, LOST),
    Scene("cancelled", _cancelled, MOVE),
    Scene("queued", _queued, MOVE),
    Scene("prompts", _prompts),
    Scene("compare", _compare, COMPARED),
    Scene("approval-command", approval, COMMAND),
    Scene("question", _question, MEETING),
    Scene("key", _set_up("openrouter", "Key for")),
    Scene("server", _set_up("Another", "address")),
    Scene("pull", _set_up("Download", "Hugging Face repository")),
    Scene("save-code", _save, SAVING),
    Scene("cost-priced", _cost),
)
"""In English; those of one language are drawn together."""
