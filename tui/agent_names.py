"""The names of the agents that answer, for the configuration, the flags and the screen.

Imports nothing: the command line reads it before anything heavy.
"""

DEFAULT = "function_call"

ABOUT = {
    DEFAULT: "calls tools until it has the answer",
    "react": "ReAct: for models that cannot call tools; they write calls in text",
    "plan": "plan and solve: makes a plan, does its steps, then answers",
    "rewoo": "ReWOO: plans all tool calls at once, makes them, then answers",
}
"""Each agent with what it does."""
