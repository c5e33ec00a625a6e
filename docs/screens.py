"""The screens of the app, and what a user does to see each of them."""

# ruff: noqa: E501 - what is asked and answered is not broken

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import staged
from staged import CLOCK, Script
from support.pilot import Chat

from tui.events import UsageReported
from tui.messages import ToolCall
from tui.models.scripted import Pause, Step, Think

Play = Callable[[Chat], Awaitable[object]]


class Scene(NamedTuple):
    """A screen."""

    name: str
    play: Play
    """Brings it about in a new conversation."""
    script: Script = ()
    language: str = "en"
    main: bool = False
    """Whether it is also drawn at the largest size and without colours."""
    kept: bool = True
    """Whether there are older conversations."""
    sidebar: bool = False
    """Whether the tools are shown, which a narrow screen hides."""

    async def settle(self, chat: Chat) -> None:
        """Wait until everything is where it belongs."""
        await chat.pilot.pause(0.03)
        if self.sidebar and not chat.screen.sidebar.display:
            await chat.pilot.press("f2")
        for _ in range(3):
            await chat.pilot.pause(0.03)

    async def end(self, chat: Chat) -> None:
        """Stop what still runs."""
        if chat.app.chat and chat.app.chat.presenter.running:
            chat.app.chat.cancel()


def words(text: str) -> list[Step]:
    """Return a reply in pieces, as a server sends them."""
    head, *rest = text.split(" ")
    return [head, *(f" {word}" for word in rest)]


def usage(input: int, output: int, seconds: float) -> UsageReported:
    """Return what a server says at the end of an answer."""
    return UsageReported(input, output, seconds)


MEETING: Script = [
    [
        Think("The time over there, and how many hours are left until nine."),
        *words("Let me look."),
        ToolCall("a", "current_time", {"place": "Tokyo"}),
        ToolCall("b", "calculate", {"expression": "9.5 h in minutes"}),
        usage(412, 63, 0.9),
    ],
    [
        *words(
            """\
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
"""
        ),
        usage(612, 188, 2.3),
    ],
]
MARKDOWN = """\
# Heading one

## Heading two

### Heading three

#### Heading four

##### Heading five

###### Heading six

A paragraph with **bold**, *italic*, ~~struck~~, `code`, a [link](https://example.org/a)
and a bare one: https://example.org/path?q=1. Math: $E = mc^2$, $\\sum_{i=1}^n x_i$.[^1]

- one
  - two
    - three
      1. first
      2. second
- [x] done
- [ ] to do

> A quotation
>
> > within a quotation, long enough to wrap in a narrow pane, as quotations often are.

![A cat](cat.png)

---

| Name | Purpose | Default | Since | Notes |
|:---|:---|:---:|---:|---|
| `timeout` | seconds until a request is abandoned | 120 | 1.0 | per request, not per answer |
| `max_retries` | how often it is sent again | 2 | 1.2 | only if nothing has arrived |
| `语言` | 界面的语言 | auto | 2.0 | 🎉 emoji |

```python
def refill(self, now: float) -> None:
    self.tokens = min(self.capacity, self.tokens + (now - self.last) * self.rate_per_second)
```

$$
\\int_0^1 x^2\\,dx = \\frac{1}{3}
$$

你好，世界。שלום עולם. مرحبا. 👩‍💻 🇯🇵 ✅

[^1]: A footnote.
"""


async def ask(chat: Chat, text: str, answers: int = 1) -> None:
    """Ask, and wait until the model has written `answers` messages in all."""
    await chat.ask(text)
    await chat.until(lambda: len(chat.screen.presenter.answers) >= answers)
    await chat.until(lambda: chat.screen.presenter.running is None)


async def history(language: str) -> None:
    """Fill a store with the conversations of some days."""
    english = language == "en"
    end = CLOCK.now
    for days, question, answer in _OLD if english else _ALT:
        CLOCK.now = end - days * 86_400
        async with staged.opened([[*words(answer), usage(90, 60, 1.0)]]) as chat:
            await ask(chat, question)
    CLOCK.now = end


_OLD = (
    (
        20.1,
        "Why is my SQLite database locked on NFS?",
        "NFS locks are *advisory*, and many servers do not pass them on. Keep the file on a local disk.",
    ),
    (
        3.2,
        "A checklist for a server move?",
        "1. Write down every service.\n2. List the cron jobs.\n3. Restore a backup.",
    ),
    (
        1.1,
        "Translate the release notes into Japanese",
        "リリースノート：**速度**が上がりました。",
    ),
    (
        0.2,
        "How do I rate limit an API? Compare the algorithms.",
        "Use a **token bucket** unless you have a reason not to:\n\n```python\ntokens = min(capacity, tokens + elapsed * rate)\n```\n",
    ),
)
_ALT = (
    (
        3.2,
        "搬迁服务器的检查清单？",
        "1. 记下每项服务。\n2. 列出定时任务。\n3. 恢复一次备份。",
    ),
    (0.2, "如何限制接口的请求速率？", "一般用**令牌桶**。"),
)


async def _start(chat: Chat) -> None:
    await chat.pilot.pause(0.3)


async def _conversation(chat: Chat) -> None:
    await ask(chat, "How long until nine o'clock in Tokyo?", 2)


async def _chinese(chat: Chat) -> None:
    await ask(chat, "东京离九点还有多久？", 2)


async def _zh_sidebar(chat: Chat) -> None:
    await _chinese(chat)
    await chat.pilot.press("f2")


async def _zh_help(chat: Chat) -> None:
    await _chinese(chat)
    await chat.pilot.press("f1")


async def _markdown(chat: Chat) -> None:
    await ask(chat, "Show me all of Markdown")


async def _markdown_top(chat: Chat) -> None:
    await _markdown(chat)
    chat.screen.transcript.scroll_home(animate=False)


async def _streaming(chat: Chat) -> None:
    await chat.ask("How do I move a server?")
    await chat.until("tell everybody")


async def _slash(chat: Chat) -> None:
    await chat.pilot.press("/")
    await chat.until("/new")


async def _slash_filtered(chat: Chat) -> None:
    await chat.pilot.press("/", "c", "o")
    await chat.until("/copy")


async def _files(chat: Chat) -> None:
    await chat.pilot.press(*"Review", "space", "@", "c")
    await chat.until("client.py")


def _after(*keys: str, until: str = "") -> Play:
    """Return a play that presses keys after the conversation."""

    async def play(chat: Chat) -> None:
        await _conversation(chat)
        await chat.pilot.press(*keys)
        if until:
            await chat.until(until)

    return play


def _saying(text: str, until: str = "", *keys: str) -> Play:
    """Return a play that sends a slash command after the conversation."""

    async def play(chat: Chat) -> None:
        await _conversation(chat)
        await chat.ask(text)
        if until:
            await chat.until(until)
        await chat.pilot.press(*keys)

    return play


async def approval(chat: Chat) -> None:
    """Ask something for which a file must be edited."""
    await chat.ask("Why does client.py time out?")
    await chat.until(lambda: chat.screen.presenter.fold.approvals.questions)
    await chat.until(lambda: chat.screen.dialog.armed)


async def _history(chat: Chat) -> None:
    await chat.pilot.press("ctrl+s")
    await chat.until("A checklist")
    await chat.pilot.press("down")
    await chat.pilot.pause(0.3)


async def _search(chat: Chat) -> None:
    await chat.pilot.press("ctrl+s")
    await chat.until("A checklist")
    await chat.pilot.press(*"bucket")
    await chat.pilot.pause(0.5)


async def _attached(chat: Chat) -> None:
    for number, name in enumerate(("client.py", "notes.md"), 1):
        await chat.ask(f"/attach {name}")
        await chat.until(lambda n=number: len(chat.screen.composer.files) == n)
    await chat.type("What do these have in common?")


async def _reading(chat: Chat) -> None:
    await _conversation(chat)
    await chat.pilot.press("tab")


async def _two(chat: Chat) -> None:
    await _conversation(chat)
    await chat.pilot.press("ctrl+n")
    await chat.pilot.pause(0.3)


async def _quit(chat: Chat) -> None:
    await _streaming(chat)
    await chat.pilot.press("ctrl+q")
    await chat.until("still running")


EDIT: Script = [
    [
        *words("The timeout is too short for that server. I would raise it:"),
        ToolCall(
            "e",
            "edit_file",
            {
                "path": "client.py",
                "old": "TIMEOUT = 5",
                "new": "TIMEOUT = 30  # the model loads on the first request",
            },
        ),
    ],
    "Done.",
]
MOVE: Script = [
    [
        *words(
            "Twenty steps, **in this order**:\n\n## The week before\n\n"
            "1. Write down every service, its port and who needs it.\n"
            "2. List the cron jobs and timers; somebody has forgotten one.\n"
            "3. Agree on an hour, and tell everybody *twice*.\n\n"
        ),
        Pause(600),
    ]
]
ZH: Script = [
    [
        Think("先看那边的时间。"),
        "我看一下。",
        ToolCall("a", "current_time", {"place": "Tokyo"}),
        usage(212, 33, 0.9),
    ],
    [
        "离会议还有**九个半小时**：\n\n| 时间 | 事项 | 分钟 |\n|---|---|---:|\n"
        "| 今晚 | 看笔记 | 45 |\n| 明早八点 | 再看一遍幻灯片 | 30 |\n\n"
        "1. 今天就发*议程*。\n2. 提前 15 分钟加入，检查麦克风、摄像头和网络，以免会议开始后才发现问题。\n",
        usage(412, 98, 2.3),
    ],
]

SCREENS = (
    Scene("start", _start, main=True),
    Scene("start-first", _start, kept=False),
    Scene("conversation", _conversation, MEETING, main=True),
    Scene("markdown-top", _markdown_top, [MARKDOWN]),
    Scene("markdown", _markdown, [MARKDOWN], main=True),
    Scene("streaming", _streaming, MOVE),
    Scene("reading", _reading, MEETING),
    Scene("slash", _slash),
    Scene("slash-filtered", _slash_filtered),
    Scene("files", _files),
    Scene("attached", _attached),
    Scene("sidebar", _after("f2"), MEETING, main=True, sidebar=True),
    Scene("debug", _after("f3"), MEETING, main=True),
    Scene("approval", approval, EDIT, main=True),
    Scene("history", _history, main=True),
    Scene("search", _search),
    Scene("help", _after("f1"), MEETING, main=True),
    Scene("help-filtered", _after("f1", *"copy"), MEETING),
    Scene("palette", _after("ctrl+p"), MEETING),
    Scene("palette-filtered", _after("ctrl+p", *"con"), MEETING),
    Scene("model", _after("ctrl+l"), MEETING, main=True),
    Scene("setup", _saying("/setup"), MEETING),
    Scene("theme", _saying("/theme"), MEETING),
    Scene("agent", _saying("/agent"), MEETING),
    Scene("find", _saying("/find agenda"), MEETING),
    Scene("cost", _saying("/cost"), MEETING),
    Scene("tabs", _two, MEETING),
    Scene("quit", _quit, MOVE),
    Scene("zh-start", _start, language="zh"),
    Scene("zh-conversation", _chinese, ZH, language="zh"),
    Scene("zh-help", _zh_help, ZH, language="zh"),
    Scene("zh-sidebar", _zh_sidebar, ZH, language="zh", sidebar=True),
)
"""All of them, those of one language together."""
