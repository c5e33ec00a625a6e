"""`lazychat tools`: lists tools, revokes what is allowed, prints the audit of calls."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tui import conversation, grants, paths
from tui.cli import streams
from tui.cli.codes import DONE, FAILED
from tui.cli.list import clock
from tui.config import Config
from tui.conversation import audit
from tui.errors import LazychatError
from tui.eventlog import open_to_read
from tui.i18n import N_, _, labelled
from tui.safe import one_line, safe, safe_json
from tui.tools import Tool, builtin, installed_tools, load_tools

_WORDS = {
    "": "",
    "policy": N_("allowed by policy"),
    "flag": N_("allowed by --allow"),
    "conversation": N_("allowed in the conversation"),
    "always": N_("always allowed"),
    "asked": N_("not answered"),
    "allowed once": N_("allowed once"),
    "allowed conversation": N_("allowed for the conversation"),
    "allowed always": N_("always allowed from now on"),
    "denied by user": N_("denied"),
    "denied": N_("denied by policy"),
    "flag denied": N_("denied by --deny"),
    "unattended": N_("nobody to ask"),
}
"""What each decision is called."""
_OUTCOMES = {
    "done": N_("done"),
    "failed": N_("failed"),
    "denied": N_("denied"),
    "waiting": N_("waiting"),
    "running": N_("running"),
    "cancelled": N_("cancelled"),
    "interrupted": N_("interrupted"),
    "error": N_("error"),
}
"""What each outcome is called, but for rare ends of a turn."""


def show_tools(settings: Config, as_json: bool) -> int:
    """Print each tool with its policy and origin, and what is always allowed."""
    tools, problems = _tools(settings)
    kept = grants.stored()
    policies = settings.tools.policy
    rows = [
        {
            "name": tool.name,
            "policy": policies.get(tool.name, tool.policy),
            "on": tool.name not in settings.tools.disabled,
            "origin": tool.origin,
            "allowed": [
                grant.pattern or "*"
                for grant in kept
                if (grant.tool, grant.origin) == (tool.name, tool.origin)
            ],
            "allowed_in": [
                grant.folder
                for grant in kept
                if (grant.tool, grant.origin) == (tool.name, tool.origin)
            ],
            "summary": tool.summary,
        }
        for tool in tools
    ]
    for problem in problems:
        streams.talk(problem)
    if as_json:
        streams.print_json(rows)
        return DONE
    column = max((len(tool.name) for tool in tools), default=0)
    for row, tool in zip(rows, tools, strict=True):
        off = "" if row["on"] else _("  (off)")
        origin = _("  from {origin}").format(origin=tool.origin) if tool.origin else ""
        line = (
            f"{tool.name:{column}}  {row['policy']:5}  {_(tool.summary)}{origin}{off}"
        )
        print(safe(line, newlines=False).rstrip())
    if kept:
        print(_("\nAlways allowed:"))
    for grant in kept:
        print(safe(f"  {grant.spelled}", newlines=False))
    return DONE


def _tools(settings: Config) -> tuple[list[Tool[..., object]], list[str]]:
    """Return all tools that a chat would have, and what went wrong."""
    folder = paths.tools_folder()
    files: list[str | Path] = sorted(folder.glob("*.py")) if folder.is_dir() else []
    found = dict(builtin())
    problems: list[str] = []
    with streams.prints_aside():
        all_loaded = load_tools([*files, *settings.tools.files]), installed_tools()
    for loaded in all_loaded:
        found |= {tool.name: tool for tool in loaded.tools}
        problems += [str(error) for error in loaded.errors]
    return list(found.values()), problems


def revoke(what: str) -> int:
    """Revoke what is always allowed: `NAME`, all of a tool, or `NAME=PATTERN`."""
    kept = grants.stored()
    gone = [each for each in kept if what in (each.tool, each.title, each.spelled)]
    if not gone:
        known = ", ".join(each.spelled for each in kept)
        hint = _(" Known: {known}.").format(known=known) if kept else ""
        raise LazychatError(
            _('Nothing called "{what}" is always allowed.{hint}').format(
                what=what, hint=hint
            )
        )
    for grant in gone:
        try:
            grants.revoke(grant)
        except OSError as error:
            raise LazychatError(
                _("{state_file} cannot be written: {strerror}.").format(
                    state_file=paths.state_file(), strerror=error.strerror
                )
            ) from error
        streams.talk(_("{spelled} asks again.").format(spelled=grant.spelled))
    return DONE


def show_log(
    cid: str | None, limit: int, as_json: bool, name: str | None = None
) -> int:
    """Print the last `limit` calls (0: all), newest last; return 1 if there are none.

    `cid` is the start of a conversation's id, None means all conversations; `name` is
    a tool, None means all tools.
    """
    with open_to_read(paths.log_file(), streams.talk) as log:
        id = conversation.find(log, cid) if cid else None
        with streams.unreadable_reported(log):
            found = audit.calls(log, id, -1 if name else limit or -1)
        if name:
            found = [call for call in found if call.tool == name][-limit:]
        if not (found or log.unreadable):
            streams.talk(
                _("{name} has not been called yet.").format(name=name)
                if name
                else _("no tool was called yet.")
            )
        if as_json:
            streams.print_json(msgspec.to_builtins(found))
            return DONE if found else FAILED
        ids = conversation.short_ids(log, [call.conversation for call in found])
        _print(found, ids)
    return DONE if found else FAILED


def _print(found: Sequence[audit.AuditedCall], ids: Sequence[str]) -> None:
    for short, call in zip(ids, found, strict=True):
        if isinstance(call.arguments, str):
            arguments = safe(one_line(call.arguments), newlines=False)
        else:  # exactly: what cannot be seen is spelled out, as when it was asked for
            arguments = safe_json(msgspec.json.encode(call.arguments).decode())
        took = (
            ""
            if call.seconds is None or call.outcome == "denied"
            else _(" in {seconds:.2f} s").format(seconds=call.seconds)
        )
        decision = _(_WORDS.get(call.decision, call.decision))
        if call.decision == "allowed always" and call.pattern:
            decision = labelled(decision, call.pattern)
        if call.reason:
            decision = labelled(decision, call.reason)
        facts = (
            clock(call.time),
            short,
            call.tool or "?",
            decision,
            _(_OUTCOMES.get(call.outcome, call.outcome)) + took,
        )
        row = "  ".join(one_line(fact) for fact in facts if fact)
        sys.stdout.write(safe(row, newlines=False) + "\n")
        sys.stdout.write(f"    {arguments}\n")
        if call.error:
            sys.stdout.write("    " + safe(one_line(call.error), newlines=False) + "\n")
