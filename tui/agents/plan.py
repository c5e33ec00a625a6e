"""Plan and solve: a numbered plan, each step with tools, then one answer.

After Wang et al., "Plan-and-Solve Prompting", 2023. Plan and steps are reasoning for
the user; only the answer is text.
"""

import re
from collections.abc import Generator, Sequence
from typing import Any, cast

import msgspec

from tui.agents.arguments import json_value
from tui.agents.planning import PlanningAgent, demote, question
from tui.errors import ModelError
from tui.events import Event, NoticeGiven
from tui.i18n import _
from tui.messages import Message, ToolSchema, since_question
from tui.turn import Turn

MOST_STEPS = 8
"""Each step is at least one request."""

_HOW = """\
Make a plan for that; do not do it yet. List the steps in their order, one in a line, \
numbered "1.", "2." and so on: as few as are needed, at most {most}. The answer itself \
is no step, it is asked for afterwards. If no steps are needed, write only: \
1. Answer.{tools}"""
_TOOLS = """

Do not guess what can be looked up. There will be these tools:
{tools}"""
_STEP = """\
Step {number} of {steps}: {step}

Do only this step now, with tools if they help, and reply with its result alone."""
_ANSWER = """\
All steps are done. Now give the answer, with what they have found and without \
mentioning the steps, in the language of this question: {question}"""

_NUMBERS = "一二三四五六七八九十"
_NUMBERED = re.compile(
    r"[ \t>#*_]*"
    r"(?:\(?\d{1,2}[.)、:：）](?!\d)"
    r"|step[ \t]*\d{1,2}[ \t]*[*_]*[.:：)-]?"
    rf"|第[ \t]*(?:\d{{1,2}}|[{_NUMBERS}]+)[ \t]*步[:：.、]?"
    rf"|[{_NUMBERS}]{{1,3}}[、.．])"
    r"[ \t*_]*",
    re.IGNORECASE,
)
_BULLET = re.compile(r"[ \t>]*[-*•][ \t]+")
_LIST = re.compile(r"\[\s*\".*\"\s*\]", re.DOTALL)
_END = re.compile(r"<?END_OF_PLAN>?")


class PlanAndSolveAgent(PlanningAgent):
    """Makes a plan, does its steps with tools, and answers with their results.

    Each step has at most `max_rounds` rounds of tool calls. A plan of one step is not
    worth more than a `FunctionCallAgent`.
    """

    def _how(self, tools: Sequence[ToolSchema]) -> str:
        listed = "\n".join(f"- {t.name}: {_first(t.description)}" for t in tools)
        about = _TOOLS.format(tools=listed) if tools else ""
        return _HOW.format(most=MOST_STEPS, tools=about)

    def _follow(
        self, written: str, reasoning: str, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        steps = read_steps(written)
        planned = len(steps) > 1
        yield from self._add(reasoning, turn, written if planned else "")
        if not steps:
            yield self._unreadable()
        if len(steps) <= 1:
            return (yield from self.solver.run(messages, turn))
        if len(steps) > MOST_STEPS:
            yield NoticeGiven(
                _(
                    "The plan has {count} steps; the first {most_steps} are done."
                ).format(count=len(steps), most_steps=MOST_STEPS)
            )
            del steps[MOST_STEPS:]
        history = [*_pinned(messages), Message("assistant", written)]
        return (yield from self._do_rest(messages, history, steps, 0, turn))

    def _resume(
        self, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        steps = read_steps(turn.plan)[:MOST_STEPS]
        asked, done = since_question(messages)
        history = [*_pinned(asked), Message("assistant", turn.plan)]
        number = 0
        for message in done:
            said = message.reasoning
            if number < len(steps) and said.startswith(_heading(number + 1, steps)):
                number += 1
                history.append(_told(number, steps))
                said = said.removeprefix(_heading(number, steps)).lstrip("\n")
            if number:  # before the first step there is only the plan
                text = message.text or said
                history.append(msgspec.structs.replace(message, text=text))
        if not number:
            return (yield from self.solver.run(messages, turn))
        history += yield from self._do(history, "", turn)
        turn.open_calls = ()
        return (yield from self._do_rest(asked, history, steps, number, turn))

    def _do_rest(
        self,
        messages: Sequence[Message],
        history: list[Message],
        steps: Sequence[str],
        done: int,
        turn: Turn,
    ) -> Generator[Event, None, Message]:
        """Do the steps after the first `done`, then answer `messages`."""
        for number in range(done + 1, len(steps) + 1):
            history.append(_told(number, steps))
            history += yield from self._do(history, _heading(number, steps), turn)
        told = _ANSWER.format(question=question(messages))
        history.append(Message("user", told))
        return (yield from self.solver.answer_now(history, turn))

    def _do(
        self, history: Sequence[Message], heading: str, turn: Turn
    ) -> Generator[Event, None, list[Message]]:
        """Do a step; return its messages, the last of which is its result."""
        said: list[Message] = []
        try:
            run = self.solver.run(history, turn)
            yield from demote(run, turn, said, heading)
        except ModelError as error:
            if error.kind != "empty":
                raise
        turn.next_message()
        said = [m for m in said if m.text or m.tool_calls or m.role == "tool"]
        if not said or said[-1].role == "tool":
            said.append(Message("assistant", "This step has no result."))
        return said


def _pinned(messages: Sequence[Message]) -> list[Message]:
    """Return `messages`; whatever a small window leaves out, it is not the last."""
    return [*messages[:-1], msgspec.structs.replace(messages[-1], pinned=True)]


def _heading(number: int, steps: Sequence[str]) -> str:
    return _("Step {number} of {count}: {steps}").format(
        number=number, count=len(steps), steps=steps[number - 1]
    )


def _told(number: int, steps: Sequence[str]) -> Message:
    step = steps[number - 1]
    return Message("user", _STEP.format(number=number, steps=len(steps), step=step))


def read_steps(text: str) -> list[str]:
    """Return the steps of a plan: of numbered lines, else of a list with bullets.

    Lines that follow a step belong to it. Without such lines a list of texts in JSON is
    the plan.
    """
    lines = _END.split(text)[0].splitlines()
    for mark in (_NUMBERED, _BULLET):
        steps: list[str] = []
        for line in lines:
            if found := mark.match(line):
                steps.append(line[found.end() :])
            elif steps:
                steps[-1] += f"\n{line}"
        cleaned = [" ".join(step.replace("**", "").split()) for step in steps]
        if any(cleaned):
            return [step for step in cleaned if step]
    found = _LIST.search(text)
    listed = json_value(found[0]) if found else None
    if not isinstance(listed, list):
        return []
    steps = [" ".join(s.split()) for s in cast(list[Any], listed) if isinstance(s, str)]
    return [step for step in steps if step]


def _first(description: str) -> str:
    return description.strip().partition("\n")[0]
