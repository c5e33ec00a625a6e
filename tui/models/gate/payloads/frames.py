"""Parses the headers of dialects that frame the whole message.

A header says where the text after it goes: to the user, to reasoning or to a tool.
"""

import re

from tui.models.gate.grammar import Payload, Quote, Reading, Tools
from tui.models.gate.patterns import BLANK, Lit, Opt, Run
from tui.models.gate.payloads.named import arguments_reader

_STRING = Quote('"', '"', escapes=True)
_TO = re.compile(r"\bto=([^\s<]+)")
_BARE_TO = re.compile(
    r"[a-z]*\s*to=(?:functions\.)?(?P<name>[^\s{<]+?)\s*(?:json|code)?\s*(?=\{)"
)
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")
_ROLE = re.compile(r"<\|start\|>\s*([^\s<]+)")
_PEOPLE = ("user", "assistant", "all")


def read_harmony_header(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse role, recipient and channel, in any order."""
    if not closed:
        return Reading(whole=False)
    role = _ROLE.search(body)
    if role and role[1] != "assistant":
        # The model invents another role's turn, such as a tool's result.
        return Reading(channel="nothing")
    to = _TO.search(body)
    if to and to[1] not in _PEOPLE:
        name = to[1].removeprefix("functions.")
        return Reading(then=_harmony_call(name))
    channel = _CHANNEL.search(body)
    thinks = channel is not None and channel[1] == "analysis"
    return Reading(channel="reasoning" if thinks else "text")


def read_bare_header(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a recipient and its arguments, between which the tokens are missing."""
    to = _BARE_TO.match(body)
    if to is None:
        return Reading(whole=False)
    return arguments_reader(to["name"])(body[to.end() :], tools, closed)


def _harmony_call(name: str) -> Payload:
    return Payload(
        arguments_reader(name),
        (_STRING,),
        ("<|call|>", "<|end|>", "<|return|>"),
        before=("<|start|>", "<|channel|>"),
    )


def read_react_action(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse the name; the arguments follow."""
    return Reading(
        then=Payload(
            arguments_reader(body.strip()),
            (_STRING,),
            balanced=True,
            header=(BLANK, Opt((Run(r"\n", 1, 1), BLANK))),
            look=(Lit("{"),),
            resume="\n",
        )
    )
