"""Asks in plain mode whether a tool may run: by a typed letter, or word."""

from tui.cli.plain.console import Console
from tui.conversation.approvals import lines_of_command
from tui.events import ApprovalGiven, ApprovalRequested
from tui.grants import ASKS_AGAIN
from tui.i18n import N_, _
from tui.safe import safe, spelled_out

_KINDS = {"diff": N_("wants to make this change"), "command": N_("wants to run")}
_OTHER = N_("asks to run")


def ask_permission(console: Console, asked: ApprovalRequested) -> ApprovalGiven:
    """Return the user's answer; nothing is allowed by an empty or unknown one.

    Raises what `Console.ask` raises.
    """
    name = safe(asked.tool, newlines=False)
    origin = safe(asked.origin, newlines=False)
    console.say(
        _("Tool {name}").format(name=name),
        _(_KINDS.get(asked.kind, _OTHER)) + (f" ({origin})" if origin else ""),
    )
    if asked.asks_again:
        console.line(f"  {_(ASKS_AGAIN)}")
    if asked.kind == "diff" and asked.subject:
        console.line(f"  {spelled_out(asked.subject)}")
    own = lines_of_command(asked) if asked.kind == "command" else 0
    for number, line in enumerate(spelled_out(asked.text).split("\n")):
        console.line(f"  > {line}" if 0 < number < own else f"  {line}")
    pattern = spelled_out(asked.pattern) if asked.may_keep else ""
    always = f"“{pattern}”" if pattern else name
    if asked.folder:
        always += _(" in {folder}").format(folder=spelled_out(asked.folder))
    choices = [_("y: once"), _("c: in this conversation")]
    if asked.may_keep:
        choices.append(_("a: always allow {always}").format(always=always))
    while True:
        # Apart from the prompt, which has to be shorter than a row.
        console.line(
            _("{choices}, n: deny, or n REASON").format(choices=", ".join(choices))
        )
        word, __, reason = console.ask(_("Allow")).strip().partition(" ")
        if given := _given(word.lower(), reason.strip(), asked):
            return given


def _given(word: str, reason: str, asked: ApprovalRequested) -> ApprovalGiven | None:
    """Return what a typed word stands for, None for an unknown one."""
    id = asked.call_id
    match word:
        case "n" | "no" | "d" | "deny":
            return ApprovalGiven(id, False, reason=reason)
        case _ if reason:
            return None  # a message that was typed too early
        case "y" | "yes" | "once":
            return ApprovalGiven(id, True)
        case "c" | "conversation":
            return ApprovalGiven(id, True, "conversation")
        case "a" | "always" if asked.may_keep:
            return ApprovalGiven(id, True, "always", pattern=asked.pattern)
        case _:
            return None
