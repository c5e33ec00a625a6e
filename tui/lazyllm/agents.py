"""`ReactAgent`, `PlanAndSolveAgent`, `ReWOOAgent`: LazyLLM's other agents.

Only the answer is text for the user. What the agent thinks and plans is in the
conversation as reasoning, and in `lazy_trace` on demand.
"""

from collections.abc import Iterable

from tui import agents
from tui.lazyllm.arguments import ArgumentError
from tui.lazyllm.function_call import AgentModule, model_of
from tui.lazyllm.modules import ChatModule, ModelAgent
from tui.lazyllm.tool_manager import ToolManager
from tui.models import Model

_Tools = Iterable[object] | ToolManager | None


class ReactAgent(AgentModule):
    """An agent that reasons, calls tools, and looks at their results, step by step.

    A model that has tool calls makes these; one whose server refuses tools is asked
    in ReAct's own form, in text. For `tools` see `FunctionCallAgent`; `max_retries` is
    the most rounds of tool calls. `prompt` replaces the advice to go step by step.
    """

    agent_name = "react"

    def __init__(
        self,
        llm: ChatModule | Model,
        tools: _Tools = None,
        max_retries: int = 5,
        return_trace: bool | None = None,
        prompt: object = None,
        stream: object = None,
        return_last_tool_calls: bool = False,
        **options: object,
    ) -> None:
        super().__init__(
            llm,
            tools or (),
            stream=stream,
            return_trace=return_trace,
            prompt=prompt,
            return_last_tool_calls=return_last_tool_calls,
            **options,
        )
        self._rounds = max_retries

    def _make(self) -> ModelAgent:
        return agents.ReactAgent(self.model, self.toolbox, self._rounds, native=True)


class _Planning(AgentModule):
    """Base of agents that may have another model for the plan."""

    kind: type[agents.PlanAndSolveAgent | agents.ReWOOAgent]

    def __init__(
        self,
        llm: ChatModule | Model | None = None,
        tools: _Tools = None,
        *,
        plan_llm: ChatModule | Model | None = None,
        solve_llm: ChatModule | Model | None = None,
        max_retries: int = 5,
        return_trace: bool | None = None,
        stream: object = None,
        return_last_tool_calls: bool = False,
        prompt: object = None,
        **options: object,
    ) -> None:
        solver, planner = solve_llm or llm or plan_llm, plan_llm or llm or solve_llm
        if solver is None or planner is None:
            raise ArgumentError(
                f"{type(self).__name__} needs llm, or plan_llm and solve_llm."
            )
        super().__init__(
            solver,
            tools or (),
            return_trace=return_trace,
            stream=stream,
            return_last_tool_calls=return_last_tool_calls,
            prompt=prompt,
            **options,
        )
        self._rounds = max_retries
        self._planner = model_of(planner, "plan_llm")

    def _make(self) -> ModelAgent:
        return self.kind(self.model, self.toolbox, self._rounds, planner=self._planner)


class PlanAndSolveAgent(_Planning):
    """An agent that makes a numbered plan, does its steps with tools, and answers.

    `plan_llm` makes the plan and `solve_llm` does the rest; `llm` is both unless they
    are given. `max_retries` is the most rounds of tool calls in a step. Without a plan
    that can be read it is a `FunctionCallAgent`.
    """

    agent_name = "plan"
    kind = agents.PlanAndSolveAgent


class ReWOOAgent(_Planning):
    """An agent that plans all tool calls at once, runs them, and answers.

    `plan_llm` makes the plan and `solve_llm` answers; `llm` is both unless they are
    given. Calls that do not need each other run in parallel. Without a plan that can be
    read it is a `FunctionCallAgent` of at most `max_retries` rounds.
    """

    agent_name = "rewoo"
    kind = agents.ReWOOAgent
