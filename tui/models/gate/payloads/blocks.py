"""Parses sections of <tool_call> blocks.

Hunyuan writes pairs in them; other families put their own notation into a section that
their templates do not have.
"""

import re

from tui.models.gate.grammar import Reader, Reading, Tools
from tui.models.gate.payloads.json import read_calls
from tui.models.gate.payloads.literals import Fault
from tui.models.gate.payloads.pairs import pairs_at
from tui.models.gate.payloads.tags import FUNCTION, tag_reader
from tui.models.gate.pieces import Call

_BEGIN = re.compile(r"\s*<tool_call>(?:\s*<tool_call>)?")
_END = re.compile(r"\s*</tool_call>(?:\s*</tool_call>)?\s*")
_CLOSER = re.compile(
    r'"(?:[^"\\]|\\.)*+"|<parameter=.*?</parameter>|(?P<end></tool_call>)', re.DOTALL
)
_read_functions = tag_reader(FUNCTION)


def read_section_of_blocks(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse calls, each in its own element; a malformed one does not affect others."""
    calls: list[Call] = []
    whole = True
    at = 0
    while body[at:].strip():
        try:
            begin = _BEGIN.match(body, at)
            if begin is None:
                raise Fault("no start tag")
            at = begin.end()
            more, at = _block(body, at, tools)
            end = _END.match(body, at)
            if end is None:
                raise Fault("text outside the call")
            at = end.end()
            calls += more
        except Fault:
            whole = False
            again = _BEGIN.search(body, at)
            if again is None:
                break
            at = again.start()
    return Reading(calls, whole and bool(calls))


def _block(body: str, at: int, tools: Tools) -> tuple[list[Call], int]:
    """Return the calls of a block and where its closer begins; raise `Fault`."""
    written = body[at:].lstrip()
    reader: Reader
    if written.startswith(("{", "[", "```")):
        reader = read_calls
    elif written.startswith("<function="):
        reader = _read_functions
    else:
        call, at = pairs_at(body, at, tools)
        return [call], at
    end = next((f.start() for f in _CLOSER.finditer(body, at) if f["end"]), -1)
    if end < 0:
        raise Fault("no end tag")
    reading = reader(body[at:end], tools, True)
    if not reading.whole:
        raise Fault("malformed")
    return list(reading.calls), end
