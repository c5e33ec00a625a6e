"""The names of the agents that answer, for the configuration, the flags and the screen.

Imports nothing: the command line reads it before anything heavy.
"""

DEFAULT = "function_call"

ABOUT = {
    DEFAULT: "calls tools until it has the answer",
    "react": "calls in text (ReAct), for models without tool calls",
    "plan": "makes a plan, does its steps, then answers",
    "rewoo": "plans all calls at once, makes them, then answers",
}
"""Each agent with what it does, in words that fit beside it in 80 columns."""
