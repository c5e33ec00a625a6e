"""Text that only shows calls, in every dialect: none of it is hidden, none is run."""

from collections.abc import Callable

import pytest
from support.gate_rows import (
    FAMILIES,
    NONE,
    ROME,
    ROWS,
    STRUCTURAL,
    Calls,
    Outcome,
    outcome,
    run,
)

from tui.models.gate.dialects.registry import DIALECTS
from tui.models.gate.grammar import Payload, Rule
from tui.models.gate.patterns import Lit

# Frames of plain words are not spoken of, auto does not read RWKV, a call of MiniCPM's
# has a fence of its own, which ends the one around it, and one of Code World Model's
# begins with its line, as the second of two in quotation marks does.
_NOT_SHOWN = ("react", "functionary_v32", "rwkv", "minicpm4", "cwm")
SHOWN = [f for f in FAMILIES if f not in _NOT_SHOWN]
CJK: Calls = [("get_weather", {"city": "東京（とうきょう）", "days": 3})]
NESTED: Calls = [("look_up", {"by": {"a": [1, {"b": "x } ] y"}], "名": "北京 's'"}})]


def _lines(mark: str, text: str) -> str:
    return "\n".join(mark + line for line in text.split("\n"))


QUOTED: dict[str, Callable[[str], str]] = {
    "inline code": lambda c: f"Write `{c}` for it.",
    "longer inline code": lambda c: f"Text `first {c} inside longer code` end.",
    "two back-ticks": lambda c: f"Write `` {c} `` for it.",
    "straight quotes": lambda c: f'He wrote "{c}" and left.',
    "inside straight quotes": lambda c: f'He wrote "so: {c} is it" and left.',
    "curly quotes": lambda c: f"He wrote “{c}” and left.",
    "guillemets": lambda c: f"Il a écrit « {c} » hier.",
    "brackets": lambda c: f"「{c}」と書く。",
    "single quotes": lambda c: f"He wrote '{c}' and left.",
    "emphasis": lambda c: f"He wrote *{c}* and left.",
    "parentheses": lambda c: f"The call ({c}) is how.",
    "an element": lambda c: f"See <code>{c}</code> there.",
    "a preformatted element": lambda c: f"<pre>\n{c}\n</pre>\nDone.",
    "a fence": lambda c: f"So:\n\n```\n{c}\n```\nDone.",
    "a tilde fence": lambda c: f"~~~text\n{c}\n~~~\n",
    "a fence with CRLF": lambda c: f"So:\r\n\r\n```\r\n{c}\r\n```\r\nDone.",
    "a fence in a list": lambda c: f"- one\n- ```\n  {c}\n  ```\n- two",
    "a fence in a step": lambda c: f"1. Do:\n   ```json\n   {c}\n   ```\n2. two",
    "a fence in a quote": lambda c: f"> ```\n{_lines('> ', c)}\n> ```\nDone.",
    "a quote": lambda c: f"So:\n\n{_lines('> ', c)}\n\nend",
    "indented code": lambda c: f"Code:\n\n{_lines('    ', c)}\n\nend",
    "code behind a tab": lambda c: f"Code:\n\n{_lines(chr(9), c)}\n\nend",
    "a table": lambda c: f"| a | b |\n|---|---|\n| {c} | x |\n",
}


def _same(family: str, text: str) -> Outcome:
    whole = run(family, [text])
    assert run(family, list(text)) == whole
    return whole


@pytest.mark.parametrize("where", QUOTED)
@pytest.mark.parametrize("family", SHOWN)
def test_a_call_in_quoting_is_text(family: str, where: str) -> None:
    for calls in (ROME, ROME + NONE, CJK, NESTED):
        text = QUOTED[where](ROWS[family].write(calls))

        for dialect in (family, "auto"):
            assert _same(dialect, text) == Outcome(text, "", [], []), dialect


@pytest.mark.parametrize("family", ["hermes", "qwen3_coder", "gemma4", "kimi_k2"])
def test_a_call_in_the_text_of_a_link_is_text(family: str) -> None:
    text = f"See [the call {ROWS[family].write(ROME)}](https://example.org) for it."

    for dialect in (family, "auto"):
        assert _same(dialect, text) == Outcome(text, "", [], []), dialect


REAL: dict[str, str] = {
    "a sentence": "Let me look. ",
    "inches": 'It is a 5" disk. ',
    "an odd back-tick": "Use the ` key. ",
    "an open parenthesis": "(Rome is in Italy ",
    "an open bracket": "[Rome is in Italy ",
    "apostrophes": "It's Rome's weather: ",
    "quotes that are closed": 'Use `x` and (y) and "z" and “w”. ',
    "marks on an earlier line": 'The "thing (is `x\n',
    "a closed fence": "```\nx\n```\n",
    "a list": "1. one\n2. two\n\n",
    "a quote": "> said he\n\n",
    "Chinese": "我来查一下。",
}


@pytest.mark.parametrize("before", REAL)
@pytest.mark.parametrize("family", SHOWN)
def test_a_call_behind_text_is_run(family: str, before: str) -> None:
    text = REAL[before]
    if not ROWS[family].marker and not text.endswith("\n"):
        text += "\n"

    for calls in (ROME, ROME + NONE, CJK):
        for dialect in (family, "auto"):
            came = _same(dialect, text + ROWS[family].write(calls))

            assert came == Outcome(came.text, "", calls, []), dialect
            assert came.text.strip() == text.strip()


def _first(rule: Rule) -> str:
    first = (*rule.marker, *rule.look)[0]
    return first.text.strip() if isinstance(first, Lit) else ""


def _markers(family: str) -> list[str]:
    dialect = DIALECTS[family]
    found = {_first(rule) for rule in dialect.rules}
    for rule in dialect.rules:
        if isinstance(rule.action, Payload):
            found |= set(rule.action.closers)
    found |= {*dialect.dropped, *dialect.endings}
    return sorted(m for m in found if len(m) > 3 and not m.startswith("```"))


MENTIONS = [
    "In short, @ begins a thing.\n\nSecond paragraph.",
    "- @ and\n- @, too\n",
    "The marker (@) does it. Then more.",
    'The marker "@" does it. Then more.',
    "The marker `@` does it. Then `@` more.",
    "Write @, @ and @ here. More.",
    "```\n@\nfoo@\n@ x\n```\nDone.",
    "So:\n\n    @\n    x@\n\nDone.",
    "Then @ get_weather is called with its arguments.\nNext line.",
]


@pytest.mark.parametrize("family", SHOWN)
def test_a_marker_that_is_spoken_of_is_text(family: str) -> None:
    for marker in _markers(family):
        for mention in MENTIONS:
            text = mention.replace("@", marker)

            for dialect in (family, "auto"):
                assert _same(dialect, text) == Outcome(text, "", [], []), dialect


@pytest.mark.parametrize(
    "text",
    [
        "[get_weather(city=c) for c in cities]",
        "Write:\n[get_weather(city=c) for c in cities]\nand print it.",
        "[get_weather( is how the list begins.\n\nSecond paragraph.",
        '{"name": "get_weather", "parameters": {"city": ...}}\nis the shape.',
        '{"name": "get_weather", "arguments": {"city": <city>}}',
        '{"name": "get_weather", "parameters": {"city" is where it ends.\n\nMore.',
        "get_weather\n{is its name.\nMore text follows.",
        '[{"name": "get_weather", "arguments": {"city": "..."}}, ...]\nand so on',
        '<tool_call>\n{"name": <function-name>, "arguments": <args>}\n</tool_call>',
        '<tool_call>\n{"name": "...", "arguments": {...}}\n</tool_call>',
        "<tool_call>{ opens it, and then comes the JSON.\n\nSecond paragraph.",
        "[TOOL_CALLS] [{ opens it, and then comes the JSON.\n\nSecond paragraph.",
        "<function=get_weather> is how it begins.",
        "The tokens are <|eot_id|>, <|end|>, </s> and <|endoftext|>.",
    ],
)
def test_what_cannot_be_a_call_after_all_is_text(text: str) -> None:
    fit = [f for f in FAMILIES if f not in STRUCTURAL]
    for dialect in (*fit, "auto"):
        came = _same(dialect, text)

        assert (came.text, came.calls) == (text, []), dialect


def test_a_bare_call_in_a_sentence_is_text() -> None:
    call = ROWS["llama3_json"].write(ROME)

    for after in (" is what to send.", "\nis what to send.", "\n, and so on"):
        assert outcome("llama3_json", f"So:\n{call}{after}").calls == []
    assert outcome("llama3_json", f"So:\n{call}\nDone.").calls == ROME


@pytest.mark.parametrize("token", ["<|im_end|>", "</s>", "<|end|>"])
@pytest.mark.parametrize(
    "around", ["```\nHi@\n```\nDone.", "So `Hi@` ends.", "So `@` ends.", '"@" ends.']
)
def test_a_token_that_ends_a_turn_stays_in_code(token: str, around: str) -> None:
    text = around.replace("@", token)

    for dialect in (*FAMILIES, "auto"):
        lead = "all\n" if dialect == "functionary_v32" else ""
        assert outcome(dialect, lead + text).text == text, dialect
