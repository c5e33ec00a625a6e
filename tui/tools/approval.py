"""Decides whether a call may run, and words the question to the user.

From the strongest: `--deny`, a policy that says deny, `--allow`, the policy of
config.toml, what the user has allowed before, and the tool's own policy.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from tui import grants
from tui.errors import ConfigError, LogError, ToolError
from tui.events import ApprovalRequested
from tui.i18n import _
from tui.messages import ToolCall, Value
from tui.tools import command_lines
from tui.tools.base import Tool
from tui.tools.policy import Policy, Preview
from tui.turn import Approver

LONGEST_PREVIEW = 200_000
"""Most characters that a user is asked to read."""
LONGEST_REASON = 400
"""Most characters of a reason that the model is told."""

Decision = Literal[
    "policy",
    "flag",
    "conversation",
    "always",
    "asked",
    "denied",
    "flag denied",
    "unattended",
]
"""See `ToolCallStarted.decision`."""


class Rules(Value, frozen=True):
    """What was decided before the calls of a turn are known."""

    policies: Mapping[str, Policy] = {}
    """The table `[tools.policy]`."""
    allow: tuple[grants.Grant, ...] = ()
    """What `--allow` names; any origin."""
    deny: tuple[grants.Grant, ...] = ()
    """What `--deny` names; any origin."""
    attended: bool = True
    """Whether the user can be asked."""

    def policy(self, tool: Tool[..., Any]) -> Policy:
        """Return the policy of a tool, before any grant."""
        return self.policies.get(tool.name, tool.policy)

    def needs_preview(self, tool: Tool[..., Any]) -> bool:
        """Return whether the decision, or the question, depends on the preview."""
        patterns = any(each.tool == tool.name and each.pattern for each in self.deny)
        return patterns or self.policy(tool) == "ask"

    def decide(
        self, tool: Tool[..., Any], preview: Preview, approver: Approver | None
    ) -> Decision:
        """Return whether a call of `tool` may run.

        A command of which nobody can say whether a flag denies it is not run unasked.
        Without an approver, a program runs its own tools: only a denial counts.
        """
        policy, subject = self.policy(tool), preview.subject
        answers = {_denied(each, tool.name, preview) for each in self.deny}
        if "yes" in answers or ("unclear" in answers and approver is None):
            return "flag denied"
        if policy == "deny":
            return "denied"
        if "unclear" in answers:
            return "asked" if self.attended else "flag denied"
        if policy == "allow":
            return "policy"
        if any(each.covers(tool.name, each.origin, subject) for each in self.allow):
            return "flag"
        if approver is None:
            return "policy"
        by = approver.granted(tool.name, tool.origin, subject, preview.folder)
        if by == "conversation":
            return "conversation"
        if by == "always" and tool.name not in self.policies:
            return "always"
        return "asked" if self.attended else "unattended"


def _denied(flag: grants.Grant, tool: str, preview: Preview) -> command_lines.Answer:
    if flag.tool != tool:
        return "no"
    # A call without a subject can only be denied as a whole.
    if not flag.pattern or not preview.subject:
        return "yes"
    if preview.kind == "command":
        return command_lines.denied(flag.pattern, preview.subject)
    return "yes" if grants.resembles(flag.pattern, preview.subject) else "no"


def parse_flags(flags: Iterable[str]) -> tuple[grants.Grant, ...]:
    """Return the grants in texts of the form `NAME` or `NAME=PATTERN`.

    Raises `ConfigError` if one is empty or too long.
    """
    found: list[grants.Grant] = []
    for flag in flags:
        name, equals, pattern = flag.partition("=")
        if not name or (equals and not pattern):
            raise ConfigError(
                _('"{flag}" is not NAME or NAME=PATTERN.').format(flag=flag)
            )
        if len(pattern) > grants.LONGEST_PATTERN:
            raise ConfigError(
                _(
                    "The pattern for {name} has more than {longest_pattern} characters."
                ).format(name=name, longest_pattern=grants.LONGEST_PATTERN)
            )
        found.append(grants.Grant(name, pattern=pattern))
    return tuple(found)


def arguments_preview(call: ToolCall, arguments: Mapping[str, Any]) -> Preview:
    """Return what is shown of a call whose tool has no preview: its arguments."""
    text = msgspec.json.format(msgspec.json.encode(dict(arguments)), indent=2)
    return Preview("arguments", text.decode() if arguments else _("No arguments."))


def is_preview(value: object) -> bool:
    """Return whether `value` is a preview whose fields are of the right types."""
    try:
        msgspec.convert(msgspec.to_builtins(value), Preview)
    except Exception:  # of a class of the tool, which may raise anything
        return False
    return isinstance(value, Preview)


def question(
    call: ToolCall,
    tool: Tool[..., Any],
    preview: Preview,
    rules: Rules,
    approver: Approver,
) -> ApprovalRequested:
    """Return the question to the user. Raises `ToolError` if it is too long to read."""
    if len(preview.text) > LONGEST_PREVIEW:
        raise ToolError(
            f"{tool.name} was not run: nobody can check {len(preview.text):,} "
            f"characters; do it in smaller steps, of {LONGEST_PREVIEW:,} at most."
        )
    return ApprovalRequested(
        call.id,
        tool.name,
        tool.origin,
        preview.kind,
        preview.text,
        preview.subject,
        grants.suggest(preview.kind, preview.subject),
        tool.name not in rules.policies,
        preview.folder,
        _was_allowed_without_folder(tool, preview, approver),
    )


def _was_allowed_without_folder(
    tool: Tool[..., Any], preview: Preview, approver: Approver
) -> bool:
    if not preview.folder:
        return False
    call = tool.name, tool.origin, preview.subject, preview.folder
    try:
        return approver.granted(*call) == "elsewhere"
    except LogError:  # it only explains the question
        return False


def refusal(tool: Tool[..., Any], decision: Decision) -> str:
    """Return what the model is told about a call that nobody was asked about."""
    if decision == "unattended":
        return (
            f"{tool.name} was not run: it needs the user's permission, and nobody can "
            "be asked."
        )
    return f"{tool.name} was not run: the user does not allow it."


def how_to_allow(tool: Tool[..., Any], preview: Preview) -> str:
    """Return a line that names the flag which would have allowed a call."""
    import shlex  # seldom needed

    pattern = grants.suggest(preview.kind, preview.subject)
    flag = shlex.quote(f"{tool.name}={pattern}" if pattern else tool.name)
    return f"{tool.name} was not run, as it asks first; --allow {flag} allows it."


def denial(tool: Tool[..., Any], reason: str) -> str:
    """Return what the model is told about a call that the user has denied."""
    reason = " ".join(reason[:LONGEST_REASON].split())
    why = f" The reason: {reason}" if reason else ""
    return f"{tool.name} was not run: the user denied this call.{why}"
