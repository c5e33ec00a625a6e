"""Says whether a tool may run unasked, and what the user sees before allowing a call.

What only reads or computes is allowed; what writes, runs, fetches or sends asks. The
configuration and the user's answers decide over a tool's own policy.
"""

from typing import Literal

from tui.messages import Value

Policy = Literal["allow", "ask", "deny"]
"""`allow` runs at once, `ask` waits for the user's permission, `deny` never runs."""


class Preview(Value, frozen=True):
    """The effect of a call, as the user is asked to allow it."""

    kind: Literal["arguments", "diff", "command", "address"]
    """How `text` is shown: `diff` in the unified format, the others as they are."""
    text: str
    """The exact effect: the arguments as JSON, a diff, a command line, an address."""
    subject: str = ""
    """What a pattern is matched against, such as the path, the command line or the
    address; empty means that the tool can only be allowed as a whole."""
    folder: str = ""
    """The absolute folder in which it has its effect; what is always allowed there is
    not allowed elsewhere. "" if it has none."""
