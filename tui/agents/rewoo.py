"""ReWOO: a plan with evidence, all of it looked up, then one answer.

After Xu et al., "ReWOO: Decoupling Reasoning from Observations", 2023. The model is
asked twice, however many tools are called. A plan's lines are `#E1 = tool[arguments]`,
and `#E1` in the arguments of another line stands for what was found.
"""

import re
import uuid
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from tui.agents.arguments import json_value, kinds, read_arguments
from tui.agents.function_call import as_message
from tui.agents.planning import PlanningAgent, question
from tui.agents.react import described
from tui.events import Event, MessageAdded, NoticeGiven
from tui.i18n import _
from tui.messages import Message, ToolCall, ToolResult, ToolSchema, since_question
from tui.turn import Turn

MOST_EVIDENCE = 16

_HOW = """\
Plan how to answer that with tools; do not answer it yet. For each piece of evidence \
that is needed write two lines:

Plan: what is looked up, and why
#E1 = tool[{{"argument": "value"}}]

Number them #E1, #E2 and so on, at most {most}. The brackets hold the arguments of the \
tool as a JSON object. "#E1" within the arguments of another tool stands for what was \
found; use it only where it is needed. There are these tools:

{tools}

If no tool is needed, write only: Plan: answer"""
_SOLVE = """\
That is all that was looked up; no tool can be called any more. Some of it may be \
wrong or missing.{missing} Now give the answer, without mentioning the plan or its \
numbers, in the language of this question: {question}"""
_LINE = re.compile(
    r"^(?:[ \t>*`-]*(?:\d{1,3}[.)][ \t*`]*)?|[ \t>*-]*(?:Plan|计划)\b[^\n]*?[ \t`*])"
    r"#E(?P<number>\d{1,3})[ \t*`]*[=:][ \t*`]*(?P<name>[\w.-]+)[ \t]*[\[(]",
    re.MULTILINE,
)
_NEXT = re.compile(
    r"[\])][^\n#]{0,200}#E(?P<number>\d{1,3})[ \t*`]*[=:][ \t*`]*(?P<name>[\w.-]+)"
    r"[ \t]*[\[(]"
)
"""Another piece of evidence on the same line, after the bracket of the one before."""
_ENDS = re.compile(r"^[ \t>*#-]*(?:Plan\b|Step\b|#E\d|\d+[.)][ \t])", re.MULTILINE)
_REFERENCE = re.compile(r"#E(\d+)\b")
_BARE = re.compile(r"(?<=[:\[,])([ \t]*)(#E\d+)([ \t]*)(?=[,}\]])")
_NO_TOOL = re.compile(r"\A\W*plan\W+answer\W*\Z", re.IGNORECASE)


class Evidence(NamedTuple):
    """A line of a plan."""

    number: int
    name: str
    """The tool's."""
    arguments: str

    @property
    def needs(self) -> set[int]:
        """The evidence that its arguments name."""
        return {int(n) for n in _REFERENCE.findall(self.arguments)}


class ReWOOAgent(PlanningAgent):
    """Plans all calls at once, runs them, and answers with their results.

    Evidence that needs no other is looked up in parallel.
    """

    def _how(self, tools: Sequence[ToolSchema]) -> str:
        listed = "\n".join(map(described, tools))
        return _HOW.format(most=MOST_EVIDENCE, tools=listed) if tools else ""

    def _follow(
        self, written: str, reasoning: str, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        evidence = read_plan(written)
        if not evidence:
            yield from self._add(reasoning, turn)
            if not _NO_TOOL.match(written):
                yield self._unreadable()
            return (yield from self.solver.run(messages, turn))
        if len(evidence) > MOST_EVIDENCE:
            yield NoticeGiven(
                _(
                    "The plan has {count} calls; the first {most_evidence} are made."
                ).format(count=len(evidence), most_evidence=MOST_EVIDENCE)
            )
            del evidence[MOST_EVIDENCE:]
        work = _Work(evidence, self.solver.toolbox.schemas())
        history = list(messages)
        return (
            yield from self._look_up(work, messages, history, written, reasoning, turn)
        )

    def _resume(
        self, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        asked, done = since_question(messages)
        evidence = read_plan(turn.plan)[:MOST_EVIDENCE]
        work = _Work(evidence, self.solver.toolbox.schemas())
        if not work.take_up(done, turn.open_calls):
            return (yield from self.solver.run(messages, turn))
        opened = Message("assistant", tool_calls=tuple(turn.open_calls))
        results = yield from self.solver.call(opened, turn)
        work.take(results)
        turn.open_calls = ()
        turn.next_message()
        turn.cancel.raise_if_requested()
        first = msgspec.structs.replace(done[0], text=turn.plan, reasoning="")
        history = [*asked, first, *done[1:], *map(as_message, results)]
        return (yield from self._look_up(work, asked, history, "", "", turn))

    def _look_up(
        self,
        work: "_Work",
        messages: Sequence[Message],
        history: list[Message],
        written: str,
        reasoning: str,
        turn: Turn,
    ) -> Generator[Event, None, Message]:
        """Do the rest of `work`, then answer `messages`.

        `written` is the plan, and `reasoning` what was yielded of it, unless they are
        in `history`.
        """
        while calls := work.calls():
            asking = Message("assistant", "", reasoning, calls)
            yield MessageAdded(
                turn.message_id, asking, finish_reason="tool_calls", plan=written
            )
            results = yield from self.solver.call(asking, turn)
            work.take(results)
            history.append(Message("assistant", written, tool_calls=calls))
            history += map(as_message, results)
            reasoning = written = ""
            turn.next_message()
            turn.cancel.raise_if_requested()
        if written:
            yield from self._add(reasoning, turn)
            history.append(Message("assistant", written))
        for problem in work.problems:
            yield NoticeGiven(problem)
        missing = "".join(f" {problem}" for problem in work.problems)
        told = _SOLVE.format(missing=missing, question=question(messages))
        history.append(Message("user", told))
        return (yield from self.solver.answer_now(history, turn))


class _Work:
    """What of a plan is done, and what can be done next."""

    def __init__(
        self, evidence: Sequence[Evidence], schemas: Iterable[ToolSchema]
    ) -> None:
        self._open = list(evidence)
        self._schemas = {schema.name: schema for schema in schemas}
        self._running: dict[str, Evidence] = {}
        self._found: dict[int, str] = {}
        self._failed: set[int] = set()
        self.problems: list[str] = []
        """Why some evidence was not looked up; a sentence for each."""

    def calls(self) -> tuple[ToolCall, ...]:
        """Return the calls that can be made now, () at the end."""
        self._drop()
        ready = [e for e in self._open if e.needs <= set(self._found)]
        self._open = [e for e in self._open if e not in ready]
        calls: list[ToolCall] = []
        for each in ready:
            call = ToolCall(
                f"call_{uuid.uuid4().hex[:12]}", each.name, self._arguments(each)
            )
            self._running[call.id] = each
            calls.append(call)
        return tuple(calls)

    def take_up(self, done: Iterable[Message], open_calls: Iterable[ToolCall]) -> bool:
        """Take over earlier results; return whether they belong to this plan.

        `open_calls` have no result yet.
        """
        running = {call.id for call in open_calls}
        results = {m.tool_call_id: m.text for m in done if m.role == "tool"}
        for message in done:
            if not message.tool_calls:
                continue
            made = self.calls()
            if [c.name for c in made] != [c.name for c in message.tool_calls]:
                return False
            for own, call in zip(made, message.tool_calls, strict=True):
                self._running[call.id] = self._running.pop(own.id)
                if call.id not in running:
                    text = results.get(call.id, "")
                    failed = text if text.startswith("Error: ") else None
                    self.take([ToolResult(call.id, text, failed)])
        return running == set(self._running)

    def take(self, results: Iterable[ToolResult]) -> None:
        """Take the results of these calls."""
        for result in results:
            number = self._running.pop(result.call_id).number
            if result.error is None:
                self._found[number] = result.output
            else:
                self._failed.add(number)

    def _drop(self) -> None:
        """Give up what needs evidence that will never be there."""
        while True:
            coming = {e.number for e in self._open} | set(self._found)
            lost = [e for e in self._open if e.number in e.needs or e.needs - coming]
            if not lost:
                break
            for each in lost:
                self._open.remove(each)
                need = min(each.needs - coming or {each.number})
                why = "failed" if need in self._failed else "cannot be had"
                self._failed.add(each.number)
                self._give_up(each, f"#E{need} {why}")
        if self._open and not any(e.needs <= set(self._found) for e in self._open):
            # They need each other.
            for each in self._open:
                need = min(each.needs - set(self._found))
                self._give_up(each, f"it and #E{need} need each other")
            self._open.clear()

    def _give_up(self, evidence: Evidence, why: str) -> None:
        self.problems.append(
            f"#E{evidence.number} ({evidence.name}) was not looked up, as {why}."
        )

    def _arguments(self, evidence: Evidence) -> dict[str, Any] | str:
        tool = self._schemas.get(evidence.name)
        written = _BARE.sub(r'\1"\2"\3', evidence.arguments)
        arguments = read_arguments(written, tool)
        if isinstance(arguments, str):
            return arguments
        parameters = tool.parameters if tool else {}
        return self._filled(arguments, parameters)

    def _filled(self, value: Any, schema: Mapping[str, Any]) -> Any:
        """Return `value` with what was found in place of references to it."""
        match value:
            case str():
                whole = _REFERENCE.fullmatch(value.strip())
                if whole and int(whole[1]) in self._found:
                    found = self._found[int(whole[1])]
                    if "string" in kinds(schema):
                        return found
                    read = json_value(found)
                    return found if read is None else read
                return _REFERENCE.sub(lambda m: self._found.get(int(m[1]), m[0]), value)
            case dict():
                properties = _schema(schema.get("properties"))
                items = cast(dict[str, Any], value).items()
                return {
                    k: self._filled(v, _schema(properties.get(k))) for k, v in items
                }
            case list():
                items = _schema(schema.get("items"))
                return [self._filled(v, items) for v in cast(list[Any], value)]
            case _:
                return value


def _schema(value: object) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def read_plan(text: str) -> list[Evidence]:
    """Return the evidence that a plan names, in its order, each number once."""
    evidence: dict[int, Evidence] = {}
    at = 0
    while found := _LINE.search(text, at):
        head: re.Match[str] | None = found
        while head is not None:
            at = head.end()
            after = _ENDS.search(text, at)
            given = _within(text[at : after.start() if after else len(text)])
            number = int(head["number"])
            evidence.setdefault(number, Evidence(number, head["name"], given))
            head = _NEXT.match(text, text.find(given, at) + len(given))
    return list(evidence.values())


def _within(given: str) -> str:
    """Return what is before the bracket that ends the arguments."""
    depth, quote, escaped = 0, "", False
    structured = given.lstrip()[:1] in ("{", "[", '"')
    for at, character in enumerate(given if structured else ""):
        if quote:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == quote:
                quote = ""
        elif character == '"':
            quote = character
        elif character in "{[(":
            depth += 1
        elif character in "}])":
            if depth == 0:
                return given[:at]
            depth -= 1
    line = given.strip() if structured else given.strip().partition("\n")[0]
    if not structured and (following := _NEXT.search(line)):
        return line[: following.start()]
    end = max(line.rfind("]"), line.rfind(")"))
    return line[:end] if end >= 0 else line
