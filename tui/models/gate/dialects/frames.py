"""Dialects that frame the whole message, and so apply without tools too."""

from tui.models.gate.dialects.builders import OBJECT, STRINGS, eat, row
from tui.models.gate.grammar import (
    Anchor,
    Payload,
    Rule,
    Switch,
    Thinking,
    opening_rules,
    token_rules,
)
from tui.models.gate.patterns import (
    BLANK,
    SPACE,
    Alt,
    Atom,
    Atoms,
    Lit,
    Opt,
    Run,
    ToolName,
)
from tui.models.gate.payloads.frames import (
    read_bare_header,
    read_harmony_header,
    read_react_action,
)
from tui.models.gate.payloads.named import read_name_line


def _recipient(marker: Atoms, anchor: Anchor) -> Rule:
    """Return the rule for a line with a tool's name and JSON below it."""
    payload = Payload(
        read_name_line,
        STRINGS,
        balanced=True,
        header=(Run(r"[^\n]", 1), Lit("\n"), SPACE),
        look=(OBJECT,),
        resume="\n>>>",
    )
    return Rule(marker, (ToolName(), Lit("\n"), SPACE, OBJECT), payload, anchor)


_SHOW = Switch("text")
_RECIPIENT = (Run(r"[^\s<]", 1), BLANK)
_FUNCTION = (Lit("functions."), *_RECIPIENT)
"""A tool; without a channel, another recipient may be that of another family."""
_TO: Atoms = (BLANK, Opt((Lit("to="), *_RECIPIENT)))
_TO_FUNCTION: Atoms = (BLANK, Opt((Lit("to="), *_FUNCTION)))
_WORD = (Run(r"\w", 0), BLANK)
_CONSTRAINT = Opt((Lit("<|constrain|>"), *_WORD))
_CHANNEL: Atoms = (
    Lit("<|channel|>"),
    SPACE,
    Alt(((Lit("analysis"),), (Lit("commentary"),), (Lit("final"),))),
    *_TO,
    *_WORD,
)


def _header(sign: str, *look: Atom, anchor: Anchor = "any") -> Rule:
    """Return the rule for a header; its tokens are parsed as part of it."""
    payload = Payload(read_harmony_header, closers=("<|message|>",), call=False)
    rest = (_CONSTRAINT, Lit("<|message|>"))
    return Rule((), (*look, *rest), payload, anchor, sign=sign)


def _without_tokens(*begin: Atom, anchor: Anchor = "start") -> Rule:
    """Return the rule for a call in whose header only the words are left."""
    word = (Alt(((Lit("json"),), (Lit("code"),))), SPACE)
    header = (*begin, Lit("to="), Run(r"[^\s{<]", 1, 100), SPACE, Opt(word))
    payload = Payload(
        read_bare_header, STRINGS, balanced=True, header=header, look=(OBJECT,)
    )
    return Rule(
        (), (*header, OBJECT), payload, anchor, structural=True, sign="", own=True
    )


_COMMENTARY = (Lit("assistantcommentary"), BLANK)


ROWS = (
    row(
        "react",
        Rule(
            (Lit("Action:"),),
            (BLANK, ToolName(), BLANK, Run(r"\n", 1), BLANK, Lit("Action Input:")),
            Payload(read_react_action, closers=("Action Input:",), call=False),
            anchor="line",
            after=eat((Run(r"\s", 1),)),
        ),
        Rule((Lit("Thought:"),), (), Switch("reasoning", trims=True), anchor="line"),
        Rule((Lit("Final Answer:"),), (), Switch("text", trims=True), anchor="line"),
        Rule((Lit("Observation:"),), (), Switch("nothing", True), anchor="line"),
        structural=True,
        in_auto=False,
        opener="Thought:",
    ),
    row(
        "functionary_v32",
        # The prompt ends in the first >>>.
        Rule((Lit("all\n"),), (), Switch("text"), "start", quotable=False),
        _recipient((), "start"),
        Rule((Lit(">>>all\n"),), (), Switch("text"), "line"),
        _recipient((Lit(">>>"),), "line"),
        dropped=("<|eot_id|>",),
        structural=True,
        names=r"functionary.*v3\.2",
        signs=(">>> <|start_header_id|>",),
        in_auto=False,
    ),
    row(
        "harmony",
        _header(
            "<|start|>",
            Lit("<|start|>"),
            Run(r"[\w.\-]", 1),
            Alt(((*_TO, *_CHANNEL), _TO_FUNCTION)),
        ),
        _header("<|channel|>", *_CHANNEL),
        # The prompt ends in <|start|>assistant, and the recipient may come first.
        _header(
            "",
            SPACE,
            Lit("to="),
            Alt(((*_RECIPIENT, *_WORD, *_CHANNEL), (*_FUNCTION, *_WORD))),
            anchor="start",
        ),
        *opening_rules("<|message|>", _SHOW),
        *token_rules("<|end|>", _SHOW),
        *token_rules("<|return|>", _SHOW),
        *token_rules("<|call|>", _SHOW),
        # Some servers leave the tokens out, and the words between them in.
        _without_tokens(Lit("commentary"), BLANK),
        _without_tokens(*_COMMENTARY),
        _without_tokens(*_COMMENTARY, anchor="called"),
        thinking=(
            Thinking(
                "analysis",
                "assistantfinal",
                look=(Run("[A-Z]", 1, 1),),
                within=(_without_tokens(*_COMMENTARY, anchor="any"),),
            ),
        ),
        structural=True,
        special=True,
        names="gpt-oss",
        signs=("<|channel|> <|message|>",),
        opener="<|channel|>analysis<|message|>",
    ),
)
