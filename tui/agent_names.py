"""The names of the agents that answer, for the configuration, the flags and the screen.

Imports nothing: the command line reads it before anything heavy.
"""

from tui.i18n import N_

DEFAULT = "function_call"

ABOUT = {
    DEFAULT: N_("calls tools until it has the answer"),
    "react": N_("calls in text (ReAct), for models without tool calls"),
    "plan": N_("makes a plan, does its steps, then answers"),
    "rewoo": N_("plans all calls at once, makes them, then answers"),
}
"""Each agent with what it does, in words that fit beside it in 80 columns."""
