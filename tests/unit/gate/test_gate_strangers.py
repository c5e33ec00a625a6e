"""What a stranger would try: quoting, ends, fences and types of other kinds."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gate_rows import FAMILIES, ROME, ROWS, Calls, Outcome, run

from tui.models.gate.payloads.typed_values import typed

# The text of these is decided by what follows, and so tested elsewhere; a fence or a
# line of their own ends what is around others.
BARE = ("glm4", "llama3_json", "llama_pythonic", "xlam")
FRAMED = ("react", "functionary_v32", "rwkv", "minicpm4", "cwm", "gemma3")
MARKED = [f for f in FAMILIES if f not in (*BARE, *FRAMED)]


def _quote(mark: str, text: str) -> str:
    return "\n".join(mark + line for line in text.split("\n"))


SHOWN: dict[str, Callable[[str], str]] = {
    "a comment": lambda c: f"<!-- {c} -->\nDone.",
    "an element for samples": lambda c: f"See <samp>{c}</samp> there.",
    "an element with attributes": lambda c: f'<code class="x">{c}</code> is it.',
    "code in an element": lambda c: f"<pre><code>\n{c}\n</code></pre>\nDone.",
    "a quotation in a quotation": lambda c: f"{_quote('> > ', c)}\n\nDone.",
    "a fence with words": lambda c: f'```xml title="a b"\n{c}\n```\nDone.',
    "a fence in a fence": lambda c: f"`````\n```\n{c}\n```\n`````\nDone.",
    "a fence that stays open": lambda c: f"So:\n```\n{c}\n",
    "low quotes": lambda c: f"Er schrieb „{c}“ und ging.",
    "Swedish quotes": lambda c: f"Han skrev »{c}» och gick.",
    "corner brackets": lambda c: f"『{c}』と書く。",
    "strong": lambda c: f"No **{c}** please.",
    "a fence on one line": lambda c: f"Write ```{c}``` here.",
    "two fences": lambda c: f"```\n{c}\n```\nor\n```\n{c}\n```\nDone.",
    "not this but that": lambda c: f"Not `{c}` but `{c}`.",
}
TAILS = [
    " Done.",
    "\n\n## Heading\n\nText.",
    "\n- one\n- two",
    "\n| a |\n|---|\n| 1 |",
    "\n```py\nx = f(1)\n```\nEnd.",
    "。次です。",
    "\n<b>bold</b> text",
    "\n[link](https://x.y) ok",
    "\n> quoted\n\nend",
    '\n"quoted" ok',
    "\n`code` then",
    "\n\n---\n\nRule.",
    "\n… and so on",
    "\n<|x|> odd",
]


def _same(dialect: str, text: str) -> Outcome:
    chance = random.Random(text)
    whole = run(dialect, [text])
    for longest in (1, 4, 30):
        pieces, at = [""], 0
        while at < len(text):
            length = chance.randint(1, longest)
            pieces.append(text[at : at + length])
            at += length
        assert run(dialect, pieces) == whole
    return whole


@pytest.mark.parametrize("where", SHOWN)
@pytest.mark.parametrize("family", MARKED)
def test_a_call_that_is_only_shown_is_text(family: str, where: str) -> None:
    text = SHOWN[where](ROWS[family].write(ROME))

    for dialect in (family, "auto"):
        assert _same(dialect, text) == Outcome(text, "", [], []), dialect


@pytest.mark.parametrize("family", MARKED)
def test_what_stands_behind_a_call_is_kept(family: str) -> None:
    for tail in TAILS:
        for dialect in (family, "auto"):
            came = _same(dialect, f"Hi.\n{ROWS[family].write(ROME)}{tail}")

            assert came == Outcome(came.text, "", ROME, []), tail
            assert came.text.split() == f"Hi. {tail}".split(), tail


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ('{"a": 1}', {"type": ["string", "object"]}, {"a": 1}),
        ("12", {"oneOf": [{"type": "string"}, {"type": "integer"}]}, 12),
        ("12", {"allOf": [{"type": "string"}]}, "12"),
        ("true", {"type": ["integer", "string"]}, "true"),
        ("true", {"type": ["boolean", "string"]}, True),
        ("True", {"type": ["number", "string"]}, "True"),
        ("1", {"type": ["boolean", "string"]}, "1"),
        ("12.5", {"type": ["string", "integer"]}, "12.5"),
        ("007", {"type": ["integer", "string"]}, "007"),
        ("NaN", {"type": ["number", "string"]}, "NaN"),
        ("null", {"type": ["string", "null"]}, None),
        ("null", {"type": "string"}, "null"),
        ('"5"', {"type": ["integer", "string"]}, '"5"'),
    ],
)
def test_a_value_of_several_types_is_what_it_looks_like(
    text: str, schema: dict[str, Any], value: Any
) -> None:
    came = typed(text, schema)

    assert came == value
    assert type(came) is type(value)


CITY = '{"city": "Rome"}'
RUN = [("get_weather", {"city": "Rome"})]


@pytest.mark.parametrize(
    ("text", "reasoning", "left", "calls"),
    [
        ("analysisUser asks. So 4.assistantfinalIt is 4.", "User asks. So 4.",
         "It is 4.", []),
        ("analysisUser asks.\n\nAnd 4.assistantfinal**4**", "User asks.\n\nAnd 4.",
         "**4**", []),
    ],
)  # fmt: skip
@given(data=st.data())
def test_headers_of_which_only_the_words_are_left_are_read(
    text: str, reasoning: str, left: str, calls: Calls, data: st.DataObject
) -> None:
    places = sorted(data.draw(st.sets(st.integers(1, len(text) - 1))))
    cuts = zip([0, *places], [*places, None], strict=True)

    came = run("harmony", [text[a:b] for a, b in cuts])

    assert came == Outcome(left, reasoning, calls, [])


@pytest.mark.parametrize(
    "text",
    [
        "analysis of data is nice.",
        "Analysis:\nIt is 4.",
        "commentary to follow.",
        "commentary to=nobody is odd.",
        "An assistantfinal and an assistantcommentary to=x are words.",
        "ana",
    ],
)
def test_words_of_headers_in_a_sentence_are_text(text: str) -> None:
    assert run("harmony", list(text)).text == run("harmony", [text]).text == text


@pytest.mark.parametrize("blank", ["\ufeff", "\u200b", " \u2060\n"])
def test_blanks_of_no_width_may_come_before_reasoning(blank: str) -> None:
    for family in ("auto", "hermes", "glm45"):
        came = run(family, list(f"{blank}<think>Hm.</think>4."))

        assert (came.reasoning, came.text.strip(blank)) == ("Hm.", "4.")


@pytest.mark.parametrize(
    "written",
    [
        f'{{"tool": "get_weather", "arguments": {CITY}}}',
        f'{{"function": "get_weather", "args": {CITY}}}',
        f'{{"tool_name": "get_weather", "parameters": {CITY}}}',
        '{"name": "get_weather", "city": "Rome"}',
        '{"type": "function", "name": "get_weather", "city": "Rome"}',
    ],
)
def test_the_keys_of_a_call_may_have_other_names(written: str) -> None:
    for family in ("hermes", "auto"):
        came = run(family, list(f"<tool_call>\n{written}\n</tool_call>"))

        assert came == Outcome("", "", RUN, [])


def test_what_is_no_parameter_is_no_argument() -> None:
    written = '{"name": "get_weather", "description": "Looks."}'

    came = run("hermes", [f"<tool_call>\n{written}\n</tool_call>"])

    assert came.calls == [("get_weather", {})]
