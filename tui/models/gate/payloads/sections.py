"""Parses sections of calls, each of which begins with a marker."""

from collections.abc import Callable

from tui.models.gate.grammar import Reading
from tui.models.gate.payloads.literals import Fault, skip_space
from tui.models.gate.pieces import Call


def read_section(
    body: str,
    call_at: Callable[[int], tuple[Call, int]],
    next_call: Callable[[int], int],
) -> Reading:
    """Parse calls one after another; a malformed one does not affect the others.

    `call_at` returns the call at a position and where it ends, or raises `Fault`;
    `next_call` returns where the next may begin from a position on, -1 for nowhere.
    """
    calls: list[Call] = []
    whole = True
    at = skip_space(body, 0)
    while 0 <= at < len(body):
        try:
            call, end = call_at(at)
            calls.append(call)
            at = skip_space(body, end)
        except Fault:
            whole = False
            at = next_call(at + 1)
    return Reading(calls, whole and bool(calls))
