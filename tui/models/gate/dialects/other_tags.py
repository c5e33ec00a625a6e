"""Rules for calls in the tags of no family.

They are written by models that have learned from several families' calls, or from the
prompts of programs that describe tools in their own way: the usual tag in another
spelling, the name as an attribute or as an element of its own, an element for each
argument. Tags that a text may hold as well (`<action>`, `<tool>`) need the name of a
tool. Only `auto` looks for them: a model with a family's dialect does not wait for
these.
"""

from collections.abc import Sequence

from tui.models.gate.dialects.builders import (
    BARE_CALL,
    LIST,
    MORE_JSON,
    OBJECT,
    QUOTE,
    STRINGS,
    block,
    eat,
)
from tui.models.gate.grammar import Element, Payload, Quote, Rule
from tui.models.gate.patterns import (
    NAME,
    SPACE,
    Alt,
    Atom,
    Atoms,
    Lit,
    Opt,
    Run,
    ToolName,
)
from tui.models.gate.payloads.other_tags import (
    read_mcp_tools,
    read_other_tags,
    read_tag_pair,
)

_CALLS = ("tool_call", "tool-call", "tool_use")
_NAMED = (Lit("name"), SPACE, Lit("="), SPACE, QUOTE)
_CHILD = Element((Lit("<"), Run(r"[^\s<>/]", 1), Lit(">")), "</*>")
_ATTRIBUTED = tuple(
    Element((Lit(f"<{tag} "), Run("[^<>]", 1), Lit(">")), f"</{tag}>")
    for tag in ("parameter", "param", "argument", "arg")
)


def _rule(
    tags: Sequence[str],
    header: Atoms,
    look: Atoms,
    elements: Sequence[Element] = (),
    quotes: Sequence[Quote] = STRINGS,
    sign: str = "",
) -> Rule:
    """Return the rule for an element with one of `tags`, which begins with `header`."""
    closers = tuple(f"</{tag}>" for tag in tags)
    payload = Payload(
        read_other_tags,
        quotes,
        closers if not elements else (*closers, "/>"),
        balanced=True,
        again=() if elements else MORE_JSON,
        header=header,
        elements=elements,
        odd=True,
    )
    after = eat(
        *((SPACE, Lit(closer)) for closer in (*closers, "</tool_calls>")),
    )
    return Rule((), (*header, *look), payload, sign=sign, after=after)


def _attributes(tags: Sequence[str], *header: Atom, name: Atoms = NAME) -> Rule:
    """Return the rule for a tag whose first attribute is the name of a tool."""
    blank = Run(r"\s", 1)
    elements = (*_ATTRIBUTED, _CHILD)
    quotes = (*STRINGS, Quote("'", "'", escapes=True))
    return _rule(tags, header, (blank, *_NAMED, *name, QUOTE), elements, quotes)


def _children(tags: Sequence[str], *header: Atom, name: Atoms = NAME) -> Rule:
    """Return the rule for a tag in which the first element is the name of a tool."""
    kind = Opt((Alt(((Lit("tool"),), (Lit("function"),))), Run("[_-]", 1, 1)))
    look = (SPACE, Lit("<"), kind, Lit("name>"), SPACE, *name, SPACE, Lit("</"))
    return _rule(tags, header, look, (_CHILD,))


def _spelt(tag: str) -> Rule:
    """Return the rule for a tag with calls in JSON."""
    json: Atoms = (Alt(((OBJECT, SPACE, QUOTE), (LIST, SPACE, OBJECT))),)
    return _rule((tag,), (Lit(f"<{tag}>"),), (SPACE, *json), sign=f"<{tag}>")


def _pair(tag: str) -> Rule:
    """Return the rule for a tool's name in one tag, and its input in another."""
    look = (SPACE, Lit("<"), Lit(tag), Lit("_input>"))
    named = (Lit(f"<{tag}>"), SPACE, ToolName(), SPACE, Lit(f"</{tag}>"))
    payload = Payload(read_tag_pair, closers=(f"</{tag}_input>",), odd=True)
    return Rule((), (*named, *look), payload, sign="")


def _mcp(word: str) -> Element:
    return Element((Lit(f"<{word}"), Lit(">")), f"</{word}>")


MCP_TOOL = block(
    "<use_mcp_tool>",
    (Lit("<server_name>"),),
    Payload(
        read_mcp_tools,
        (),
        ("</use_mcp_tool>",),
        ends=("</arguments>",),
        again=((Lit("<server_name>"),), (Lit("<tool_name>"),)),
        elements=tuple(map(_mcp, ("server_name", "tool_name", "arguments"))),
    ),
)
"""A call of MiroThinker, and of prompts of programs that have tools of MCP servers."""
_ANY_CALL = (Lit("<tool"), Alt(tuple((Lit(tag[4:]),) for tag in _CALLS)))
OTHER_TAGS = (
    _attributes(_CALLS, *_ANY_CALL),
    _attributes(("tool_call",), Lit("<tool_calls>"), SPACE, Lit("<tool_call")),
    _attributes(("function_call",), Lit("<function_call")),
    _attributes(("xai:function_call",), Lit("<xai:function_call")),
    *(
        _attributes((tag,), Lit(f"<{tag}"), name=(ToolName(),))
        for tag in ("tool", "action")
    ),
    _children(_CALLS, *_ANY_CALL, Lit(">")),
    _children(("function_call",), Lit("<function_call>")),
    _children(("action",), Lit("<action>"), name=(ToolName(),)),
    *map(_spelt, ("TOOL_CALL", "ToolCall", "toolcall", "tool-call", "tool_use")),
    _rule(
        ("action",),
        (Lit("<action>"),),
        (SPACE, Opt((LIST, SPACE)), *BARE_CALL),
    ),
    *map(_pair, ("action", "tool")),
)
"""What begins with a tag that is not a marker of a family."""
