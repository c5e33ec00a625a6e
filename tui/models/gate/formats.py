"""The table of dialects."""

from tui.models.gate.json_payload import read_calls
from tui.models.gate.patterns import SPACE, Lit, Run
from tui.models.gate.rules import Dialect, Payload, Quote, Rule, Thinking

_STRING = Quote('"', '"', escapes=True)
_THINK = (Thinking("<think>", "</think>"),)


def _json(*closers: str) -> Payload:
    return Payload(read_calls, (_STRING,), closers)


HERMES = Dialect(
    "hermes",
    (Rule((Lit("<tool_call>"),), (SPACE, Run(r"[{\[]", 1, 1)), _json("</tool_call>")),),
    _THINK,
    ("<|im_end|>",),
)
INTERNLM2 = Dialect(
    "internlm2",
    (
        Rule(
            (Lit("<|action_start|>"), SPACE, Lit("<|plugin|>")),
            (SPACE, Run(r"\{", 1, 1)),
            _json("<|action_end|>"),
            quotable=False,
        ),
    ),
    _THINK,
    ("<|im_end|>",),
)
DIALECTS = {d.id: d for d in (HERMES, INTERNLM2)}
