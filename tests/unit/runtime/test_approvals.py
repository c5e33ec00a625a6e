"""Whether a tool may run is asked through the log, and answered from anywhere."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import asking_tool

from tui import config, grants
from tui.conversation import approvals, audit, fold
from tui.conversation.approvals import Question
from tui.errors import ConflictError
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ApprovalRevoked,
    CancelRequested,
    Event,
    MessageAdded,
    Record,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
)
from tui.grants import Grant
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel, Step
from tui.runtime import turn_driver
from tui.runtime.host import Host
from tui.runtime.resuming import LOST, RESUMES
from tui.runtime.runner import request

LIMIT = 30.0
STATUS = "git status --short"
GIT = "git status *"


class Asked:
    """A host whose model calls the asking tool."""

    def __init__(self, home: Path, host: Host, model: ScriptedModel) -> None:
        self.home = home
        self.host = host
        self.model = model
        self.seen = 0

    def ask(self, **options: object) -> str:
        asked = TurnRequested(
            "starter", tools=("run_it",), options=options, runner=self.host.runner.id
        )
        turn, written = request(self.host.log, "c", Message("user", "hi"), asked)
        written.result(LIMIT)
        return turn

    def until(self, kind: type[Event], count: int = 1) -> Record:
        """Wait for the next `count` events of a kind; return the last."""
        with self.host.log.follow("c", self.seen) as follow:
            while records := follow.poll(LIMIT):
                for record in records:
                    if isinstance(record.event, kind):
                        count -= 1
                        if not count:
                            self.seen = record.seq
                            return record
        raise AssertionError(f"no {kind.__name__}: {self.events()}")

    def question(self) -> Question:
        record = self.until(ApprovalRequested)
        assert isinstance(record.event, ApprovalRequested)
        return Question(record.turn or "", record.event)

    def answer(self, question: Question, allow: bool = True, **more: str) -> None:
        given = ApprovalGiven(question.request.call_id, allow, **more)
        approvals.answer(self.host.log, "c", question, given).result(LIMIT)

    def events(self) -> list[Event]:
        return [record.event for record in self.host.log.read("c")]

    def results(self) -> list[str]:
        return [
            e.message.text
            for e in self.events()
            if isinstance(e, MessageAdded) and e.message.role == "tool"
        ]

    @property
    def runs(self) -> list[str]:
        return asking_tool.runs(self.home)


Make = Callable[..., Asked]


def calling(*commands: str) -> list[Step]:
    return [
        ToolCall(f"call{n}", "run_it", {"command": command})
        for n, command in enumerate(commands)
    ]


@pytest.fixture
def make(home: Path) -> Iterator[Make]:
    hosts: list[Host] = []

    def asked(*replies: str | list[Step], toml: str = "") -> Asked:
        asking_tool.add(home)
        host = Host(config.parse(toml))
        hosts.append(host)
        model = ScriptedModel(replies)
        host.models._models["starter"] = model
        host.load_tools()
        host.start()
        return Asked(home, host, model)

    yield asked
    for host in hosts:
        host.close()


def test_a_tool_that_asks_waits_and_runs_once_it_is_allowed(make: Make) -> None:
    it = make(calling(STATUS), "Done.")
    turn = it.ask()

    question = it.question()
    assert it.runs == []
    it.answer(question)
    end = it.until(TurnFinished)

    assert question == Question(
        turn,
        ApprovalRequested(
            "call0",
            "run_it",
            kind="command",
            text=STATUS,
            subject=STATUS,
            pattern="git status *",
        ),
    )
    assert it.runs == [STATUS]
    assert it.results() == [f"ran {STATUS}"]
    assert end.event == TurnFinished("stop")


def test_the_model_is_told_that_and_why_the_user_has_denied(make: Make) -> None:
    it = make(calling("rm -r /"), "Sorry.")
    it.ask()

    it.answer(it.question(), False, reason="not\nmine")
    it.until(TurnFinished)

    assert it.runs == []
    assert it.results() == [
        "Error: run_it was not run: the user denied this call. The reason: not mine"
    ]


def test_nothing_runs_before_its_start_is_stored(make: Make) -> None:
    it = make(calling(STATUS), "Done.", toml='[tools.policy]\nrun_it = "allow"\n')
    it.ask()
    it.until(TurnFinished)

    kinds = [type(event) for event in it.events()]
    assert it.runs == [STATUS]
    assert kinds.index(ToolCallStarted) < kinds.index(ToolCallFinished)
    (started,) = [e for e in it.events() if isinstance(e, ToolCallStarted)]
    assert started.decision == "policy"


def test_a_call_that_cannot_be_stored_is_not_run(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import Future

    from tui.errors import LogError

    it = make(calling(STATUS), "Done.", toml='[tools.policy]\nrun_it = "allow"\n')
    append = it.host.log.append

    def refuse(id: str, *events: Event, **more: object) -> "Future[int]":
        if any(isinstance(event, ToolCallStarted) for event in events):
            failed: Future[int] = Future()
            failed.set_exception(LogError("the disk is full"))
            return failed
        return append(id, *events, **more)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(it.host.log, "append", refuse)
    it.ask()
    it.until(TurnFinished)

    assert it.runs == []


def test_the_first_answer_counts(make: Make) -> None:
    it = make(calling(STATUS), "Done.")
    it.ask()
    question = it.question()

    it.answer(question, False)
    with pytest.raises(ConflictError):
        it.answer(question, True)
    it.until(TurnFinished)

    assert it.runs == []


def test_a_cancel_ends_the_wait(make: Make) -> None:
    it = make(calling(STATUS), "Done.")
    turn = it.ask()
    question = it.question()

    it.host.log.append("c", CancelRequested(), turn=turn)
    end = it.until(TurnFinished)

    assert end.event == TurnFinished("cancelled")
    assert it.runs == []
    with pytest.raises(ConflictError):
        it.answer(question)


def test_each_call_of_a_message_asks_for_itself(make: Make) -> None:
    it = make(calling("one", "two"), "Done.")
    it.ask()
    it.until(ApprovalRequested, 2)

    first, second = fold(it.host.log.read("c")).approvals.questions
    it.answer(first, first.request.subject == "one")
    it.answer(second, second.request.subject == "one")
    it.until(TurnFinished)

    assert it.runs == ["one"]


def test_what_is_allowed_for_a_conversation_is_not_asked_again_there(
    make: Make,
) -> None:
    it = make(calling("one"), calling("two"), "Done.", calling("three"), "Done.")
    it.ask()
    it.answer(it.question(), scope="conversation")
    it.until(TurnFinished)
    assert it.runs == ["one", "two"]

    it.host.log.append("c", ApprovalRevoked("run_it")).result(LIMIT)
    it.ask()
    it.answer(it.question(), False)
    it.until(TurnFinished)

    assert it.runs == ["one", "two"]
    assert grants.stored() == []


def test_what_is_always_allowed_is_kept(make: Make) -> None:
    it = make(calling(STATUS), calling("git status -b"), calling("git push"), "Done.")
    it.ask()
    it.answer(it.question(), scope="always", pattern="git status *")

    question = it.question()
    assert question.request.subject == "git push"
    it.answer(question, False)
    it.until(TurnFinished)

    assert it.runs == [STATUS, "git status -b"]
    assert grants.stored() == [Grant("run_it", pattern="git status *")]
    started = [e.decision for e in it.events() if isinstance(e, ToolCallStarted)]
    assert started == ["asked", "always", "asked"]


def test_a_pattern_that_was_not_shown_is_not_kept(make: Make) -> None:
    it = make(calling(STATUS), "Done.")
    it.ask()
    it.answer(it.question(), scope="always", pattern="*")
    it.until(TurnFinished)

    assert grants.stored() == []


def test_a_policy_of_config_toml_asks_in_spite_of_what_is_always_allowed(
    make: Make,
) -> None:
    it = make(calling(STATUS), "Done.", toml='[tools.policy]\nrun_it = "ask"\n')
    grants.keep(Grant("run_it"))
    it.ask()
    question = it.question()
    it.answer(question, False)
    it.until(TurnFinished)

    assert not question.request.may_keep
    assert it.runs == []


@pytest.mark.parametrize(
    ("options", "decision"),
    [
        ({"attended": False}, "unattended"),
        ({"attended": False, "allow": ["run_it"]}, "flag"),
        ({"attended": False, "allow": ["run_it=git status *"]}, "flag"),
        ({"attended": False, "allow": ["run_it=git log *"]}, "unattended"),
        ({"allow": ["run_it"], "deny": ["run_it=git *"]}, "flag denied"),
    ],
)
def test_the_flags_of_a_request_decide(
    make: Make, options: dict[str, object], decision: str
) -> None:
    it = make(calling(STATUS), "Done.")
    it.ask(**options)
    started = it.until(ToolCallStarted).event
    it.until(TurnFinished)

    assert isinstance(started, ToolCallStarted)
    assert started.decision == decision
    assert it.runs == ([STATUS] if decision == "flag" else [])


# -- after the end of the process


def dead(it: Asked, *calls: ToolCall, done: Event | None = None) -> Question:
    """Write what a process leaves that is killed while it asks."""
    log, tools = it.host.log, ("run_it",)
    asked = TurnRequested("starter", tools=tools, runner="gone")
    request(log, "c", Message("user", "hi"), asked)
    (turn,) = {r.turn for r in log.read("c")} or {""} if log.flush() is None else {""}
    assert turn
    owner = TurnStarted("far-away", "boot", 4711, 1)
    message = Message("assistant", "", tool_calls=calls)
    question = ApprovalRequested(
        *("call0", "run_it", "", "command", STATUS, STATUS, "git status *")
    )
    events = [
        owner,
        MessageAdded(f"{turn}.1", message, finish_reason="tool_calls"),
        ToolCallStarted(calls[0], "asked"),
        question,
        *([done] if done else []),
    ]
    log.append("c", *events, turn=turn).result(LIMIT)
    turn_driver.end(log, "c", turn, "interrupted")
    it.seen = log.tail()
    return Question(turn, question)


def resume(it: Asked, question: Question, allow: bool = True) -> None:
    asked = TurnRequested(
        "starter",
        tools=("run_it",),
        options={RESUMES: question.turn},
        runner=it.host.runner.id,
    )
    given = ApprovalGiven("call0", allow)
    approvals.answer(it.host.log, "c", question, given, asked, "new").result(LIMIT)
    it.until(TurnFinished)


STEPS = tuple(call for call in calling(STATUS, "two") if isinstance(call, ToolCall))


def test_a_question_outlives_its_process_and_the_answer_resumes_the_turn(
    make: Make,
) -> None:
    it = make("Done.")
    question = dead(it, STEPS[0])
    assert fold(it.host.log.read("c")).approvals.questions == [question]

    resume(it, question)

    assert it.runs == [STATUS]
    sent = [(m.role, m.text) for m in it.model.requests[0].messages]
    assert sent == [("user", "hi"), ("assistant", ""), ("tool", f"ran {STATUS}")]
    transcript = fold(it.host.log.read("c"))
    assert [e.message.role for e in transcript.entries.values()] == [
        *("user", "assistant", "tool", "assistant")
    ]
    assert transcript.approvals.questions == []
    calls = [(c.decision, c.outcome) for c in audit.calls(it.host.log)]
    assert calls == [("asked", "interrupted"), ("allowed once", "done")]


def test_a_denial_resumes_the_turn_too(make: Make) -> None:
    it = make("Sorry.")
    question = dead(it, STEPS[0])

    resume(it, question, False)

    assert it.runs == []
    assert it.results() == ["Error: run_it was not run: the user denied this call."]


def test_a_call_that_may_have_run_is_not_repeated(make: Make) -> None:
    it = make("Done.")
    question = dead(it, *STEPS, done=ToolCallStarted(STEPS[1], "always"))

    resume(it, question)

    assert it.runs == [STATUS]
    assert sorted(it.results()) == [LOST, f"ran {STATUS}"]
    sent = [m.text for m in it.model.requests[0].messages if m.role == "tool"]
    assert sorted(sent) == [LOST, f"ran {STATUS}"]


def test_what_has_changed_since_the_question_is_asked_anew(make: Make) -> None:
    it = make("Done.")
    changed = ToolCall("call0", "run_it", {"command": "rm -r /"})
    question = dead(it, changed)
    asked = TurnRequested(
        "starter",
        tools=("run_it",),
        options={RESUMES: question.turn},
        runner=it.host.runner.id,
    )
    given = ApprovalGiven("call0", True)
    approvals.answer(it.host.log, "c", question, given, asked, "new").result(LIMIT)

    again = it.question()
    assert (again.turn, again.request.subject) == ("new", "rm -r /")
    it.answer(again, False)
    it.until(TurnFinished)

    assert it.runs == []


def test_only_one_answer_resumes_a_turn(make: Make) -> None:
    it = make("Done.")
    question = dead(it, STEPS[0])
    resume(it, question)

    asked = TurnRequested("starter", options={RESUMES: question.turn})
    given = ApprovalGiven("call0", True)
    with pytest.raises(ConflictError):
        approvals.answer(it.host.log, "c", question, given, asked, "x").result(LIMIT)


def test_the_next_question_of_the_user_drops_what_a_dead_process_asked(
    make: Make,
) -> None:
    it = make("Done.")
    dead(it, STEPS[0])

    it.ask()
    it.until(TurnFinished)

    assert fold(it.host.log.read("c")).approvals.questions == []


def test_waiting_burns_no_processor_time(make: Make) -> None:
    it = make(calling(STATUS), "Done.")
    it.ask()
    it.question()

    names = [t.name for t in threading.enumerate()]
    assert approvals.waiting(it.host.log) == {"c"}
    assert not [n for n in names if n.startswith("tool-")]


def test_a_plan_is_resumed_by_the_agent_that_made_it(make: Make) -> None:
    it = make("Done.")
    log, call = it.host.log, ToolCall("call0", "run_it", {"command": STATUS})
    asked = TurnRequested("starter", "plan", ("run_it",), runner="gone")
    turn, _ = request(log, "c", Message("user", "hi"), asked)
    plan = "1. Look.\n2. Tell."
    step = Message("assistant", reasoning="Step 1 of 2: Look.", tool_calls=(call,))
    log.append(
        *("c", TurnStarted("far-away", "boot", 4711, 1)),
        MessageAdded(f"{turn}.1", Message("assistant", reasoning=plan), plan=plan),
        MessageAdded(f"{turn}.2", step, finish_reason="tool_calls"),
        ToolCallStarted(call, "asked"),
        ApprovalRequested("call0", "run_it", "", "command", STATUS, STATUS, GIT),
        turn=turn,
    ).result(LIMIT)
    turn_driver.end(log, "c", turn, "interrupted")
    it.seen = log.tail()
    it.model = ScriptedModel(["It is clean.", "Told.", "All is clean."])
    it.host.models._models["starter"] = it.model
    (question,) = fold(log.read("c")).approvals.questions

    again = TurnRequested(
        *("starter", "plan", ("run_it",), {RESUMES: turn}), runner=it.host.runner.id
    )
    given = ApprovalGiven("call0", True)
    approvals.answer(log, "c", question, given, again, "new").result(LIMIT)
    it.until(TurnFinished)

    assert it.runs == [STATUS]
    asked_last = [r.messages[-1].text for r in it.model.requests]
    assert asked_last[0] == f"ran {STATUS}"
    assert asked_last[1].startswith("Step 2 of 2: Tell.")
    assert asked_last[2].startswith("All steps are done.")


def test_the_oldest_of_many_questions_is_asked_first() -> None:
    asked = [ApprovalRequested(f"c{n}", "run_it") for n in range(10_000)]
    open_now = approvals.fold(("t", event) for event in asked)

    assert open_now.oldest == Question("t", asked[0])
    assert open_now.count == len(open_now.questions) == 10_000
    for event in asked:
        open_now.apply("t", ApprovalGiven(event.call_id, False))
    assert (open_now.oldest, open_now.count) == (None, 0)
