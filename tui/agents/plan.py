"""Plan and solve: a numbered plan, each step with tools, then one answer.

After Wang et al., "Plan-and-Solve Prompting", 2023. Plan and steps are reasoning for
the user; only the answer is text.
"""

import re
from collections.abc import Generator, Sequence

import msgspec

from tui.agents.planning import PlanningAgent, demote, question
from tui.errors import ModelError
from tui.events import Event, NoticeGiven
from tui.messages import Message, ToolSchema
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
        yield from self._add(reasoning, turn)
        steps = read_steps(written)
        if not steps:
            yield self._unreadable()
        if len(steps) <= 1:
            return (yield from self.solver.run(messages, turn))
        if len(steps) > MOST_STEPS:
            yield NoticeGiven(
                f"The plan has {len(steps)} steps; the first {MOST_STEPS} are done."
            )
            del steps[MOST_STEPS:]
        # Whatever a small window leaves out, it is not the question.
        asked = msgspec.structs.replace(messages[-1], pinned=True)
        history = [*messages[:-1], asked, Message("assistant", written)]
        for number, step in enumerate(steps, 1):
            told = _STEP.format(number=number, steps=len(steps), step=step)
            history.append(Message("user", told))
            heading = f"Step {number} of {len(steps)}: {step}"
            history += yield from self._do(history, heading, turn)
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


def read_steps(text: str) -> list[str]:
    """Return the steps of a plan: of numbered lines, else of a list with bullets.

    Lines that follow a step belong to it.
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
    return []


def _first(description: str) -> str:
    return description.strip().partition("\n")[0]
