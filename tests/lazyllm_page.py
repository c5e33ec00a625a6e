"""Writes the tables of docs/lazyllm.md anew from `tui.lazyllm`.

python tests/lazyllm_page.py
"""

import inspect
from collections.abc import Mapping
from typing import Any

from support import ROOT

from tui import lazyllm
from tui.lazyllm.scope import ABSENT, ABSENT_ARGUMENTS, ABSENT_METHODS

PAGE = ROOT / "docs" / "lazyllm.md"

PARTS = (
    ("a local and an online model, used alike", "TrainableModule, OnlineChatModule"),
    ("a queue that one thread fills and another drains", "FileSystemQueue"),
    ("a pool that carries the session", "ThreadPoolExecutor"),
    (
        "a registry of tools, schema from hints and docstring",
        "fc_register, ToolManager",
    ),
    ("one round of function calls", "FunctionCall"),
    ("an agent that streams its text and hides its calls", "FunctionCallAgent"),
    ("other agents, which stream too", "ReactAgent, PlanAndSolveAgent, ReWOOAgent"),
    ("a front end with a stream switch", "WebModule"),
    ("what happens inside, on demand", "return_trace=True, `lazy_trace`"),
)
"""The parts of the tutorial, and the names that are them."""

DIFFERS: Mapping[str, tuple[str, str]] = {
    "ChatPrompter": (
        "`{name}` is filled in for values of the query only; other braces are text; no "
        "`tools`, no `show`, no system prompt of its own",
        "a prompt with JSON in it needs no doubled braces; agents give the tools",
    ),
    "FileSystemQueue": (
        "gives plain text, not JSON envelopes; reading moves a cursor; `set_default` "
        "refuses other stores",
        "the tutorial's loop prints what it gets; the history survives a restart",
    ),
    "FunctionCall": (
        "the next round takes the dict as input and the history as argument",
        "no state is kept between calls, so threads may share one",
    ),
    "FunctionCallAgent": (
        "streams unless told otherwise; after `max_retries` rounds it answers with "
        "what it has; takes `prompt`, and else that of the model",
        "a switch in one place; an exception would lose the work of the rounds",
    ),
    "MCPClient": (
        "stays connected, until `close()`; `list_tools` and `call_tool` give tools and "
        "text, not the SDK's values; `timeout` is for each call; no `sse`, no `deploy`",
        "a server that starts for each call costs seconds; one protocol is left",
    ),
    "OnlineChatModule": (
        "the supplier's own key variable comes first, and is read for each request; "
        "unknown keywords are errors; "
        "suppliers without a default ask for a model",
        "a typing error is not sent to the server; names of models change",
    ),
    "OnlineModule": ("chat models only", "embeddings and images are not offered"),
    "PlanAndSolveAgent": (
        "only the answer is text; steps are read however they are numbered; a plan "
        "that cannot be read means function calls; any of the three models is enough",
        "plan and steps are reasoning; an IndexError is no answer",
    ),
    "ReactAgent": (
        "tools are called as by `FunctionCallAgent`, or in ReAct's own form, in text, "
        "once a server refuses tools; what a model writes in that form is run too; "
        "answers with what it has after `max_retries` rounds; no tools that are not "
        "listed",
        "models without tool calling can use tools; an exception would lose the work",
    ),
    "ReWOOAgent": (
        "only the answer is text; independent calls run side by side; lists and plain "
        "text are arguments; `#E1` is not a part of `#E10`; values keep their type",
        "evidence is what the tools have returned, unchanged",
    ),
    "StaticParams": ("a dict; any other will do", ""),
    "StreamCallHelper": (
        "yields text only; leaving it early cancels the call",
        "nobody waits for an answer that is not read",
    ),
    "Thread": (
        "`get_result` takes a time limit, and may be called again",
        "a second call would wait for ever",
    ),
    "ThreadPoolExecutor": (
        "an exception in the block cancels the turns; `done()` is false at a queue "
        "reader's first look",
        "Ctrl+C ends at once; the tutorial's loop loses no text",
    ),
    "ToolExecutionError": (
        "`approval_required` is told to the model too",
        "the user is asked before a call runs, by each tool's own policy",
    ),
    "ToolManager": (
        "has `add` and `names`; results are text, errors too; the tools of a group are "
        "offered at once, with its `prefix`; no keys of groups, no sandbox",
        "a model can only be told text; a call that opens a group costs a round",
    ),
    "TrainableModule": (
        "streams by default; an unknown name means the starter, and a line on stderr",
        "the same use as online; the programs run without a download",
    ),
    "WebModule": (
        "the app in a browser; streams unless told otherwise; `share=True` is refused; "
        "the arguments for audio, files and components are ignored, with a line on "
        "stderr; has `url`, `stop()` and `status`",
        "the same app as in the terminal; a public tunnel would show the conversations "
        "to others: use `ssh -L`",
    ),
    "fc_register": (
        "the group `tool` only; options for the sandbox are ignored; hints win over "
        "docstrings",
        "tools run in a thread of the program, with a time limit; a docstring is text",
    ),
    "init_session": ("returns the id", "it is the conversation's, for `lazychat`"),
    "new_session": ("", ""),
    "teardown_session": (
        "the conversation stays in the log",
        "ending a session loses nothing",
    ),
    "tools": ("has these names too, as does `tools.agent`", ""),
}
"""What differs from LazyLLM, and why."""


def page() -> str:
    """Return docs/lazyllm.md as the module has it."""
    lines = [PAGE.read_text("utf-8").partition("\n## The tutorial's parts")[0].rstrip()]
    lines += ["", "## The tutorial's parts", "", "| part | names |", "|---|---|"]
    lines += [f"| {part} | {_codes(names)} |" for part, names in PARTS]
    lines += ["", "## Names it offers", ""]
    lines += ["| name | where | what differs | why |", "|---|---|---|---|"]
    for name in sorted(lazyllm.__all__, key=str.lower):
        differs, why = DIFFERS.get(name, ("", ""))
        lines.append(
            f"| `{name}` | {_where(getattr(lazyllm, name))} | {differs} | {why} |"
        )
    for title, table in (
        ("Names it does not offer", ABSENT),
        ("Methods of modules that it does not offer", ABSENT_METHODS),
        ("Arguments of agents that it does not offer", ABSENT_ARGUMENTS),
    ):
        lines += ["", f"## {title}", "", "| LazyLLM | instead |", "|---|---|"]
        groups: dict[str, list[str]] = {}
        for name, instead in table.items():
            groups.setdefault(instead, []).append(f"`{name}`")
        lines += [f"| {', '.join(names)} | {why} |" for why, names in groups.items()]
    return "\n".join(lines) + "\n"


def _where(value: Any) -> str:
    home = value if inspect.ismodule(value) else inspect.getmodule(value)
    assert home is not None
    path = home.__name__.replace(".", "/")
    return f"`{path}/`" if hasattr(home, "__path__") else f"`{path}.py`"


def _codes(names: str) -> str:
    return ", ".join(n if "`" in n else f"`{n}`" for n in names.split(", "))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
