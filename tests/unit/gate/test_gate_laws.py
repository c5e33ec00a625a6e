"""Laws of the gate that hold for any text, and what hypothesis tries to break."""

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gate_rows import FAMILIES, NONE, ROME, ROWS, STRUCTURAL, TOOLS, run

from tui.models.gate import Gate, Piece, Text

ALL = [*FAMILIES, "auto"]
GLUE = [
    *("<", "|", "`", "```", "\n```\n", "~~~", "\n", " ", "\n\n", "{", "}", "[", "]"),
    *('"', "'", "\\", '\\"', ";", ":", ",", "(", ")", "Hi.", "é", "😀", "get_weather"),
    *("get_weather\n{", '{"name": ', '"get_weather"', ', "arguments": {', "all\n"),
    *("“", "”", "(", ")", "*", "|", "> ", "    ", "\t", "\r\n", "<code>", "</code>"),
    *("The rest is text.", " is how.", "``", "- ", "<|end|>", "[/TOOL_CALLS]"),
    *("<THINK>", "</THINK>", "<Think>", "</Think>", "</T"),
    *("<think>", "</think>", "<|im_end|>", "</s>", ">>>", "Thought:", "Observation:"),
]


def _fragments(family: str) -> st.SearchStrategy[str]:
    """Return texts made of the family's markers, whole and in parts, and of glue."""
    rows = list(ROWS.values()) if family == "auto" else [ROWS[family]]
    whole = [row.write(calls) for row in rows for calls in (ROME, NONE)]
    marks = [
        m for row in rows for m in (row.marker, row.closer, *(row.think or ())) if m
    ]
    cut = [text[i:j] for text in whole[:8] for i, j in _cuts(len(text))]
    return st.lists(
        st.one_of(
            st.sampled_from(GLUE),
            st.sampled_from(marks or GLUE),
            st.sampled_from(whole + cut),
        ),
        max_size=12,
    ).map("".join)


def _cuts(length: int) -> list[tuple[int, int]]:
    third = max(1, length // 3)
    return [(0, third), (third, 2 * third), (2 * third, length), (0, length - 1)]


def _pieces(text: str, cuts: list[int]) -> list[str]:
    """Return the text cut where the numbers, taken as lengths in turn, say."""
    pieces: list[str] = []
    at = 0
    while at < len(text):
        length = cuts[len(pieces) % len(cuts)] if cuts else 1
        pieces.append(text[at : at + length])
        at += length
    return [p for piece in pieces for p in (piece, "")]


@pytest.mark.parametrize("family", ALL)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_outcome_does_not_depend_on_the_pieces(
    family: str, data: st.DataObject
) -> None:
    text = data.draw(_fragments(family))
    cuts = data.draw(st.lists(st.integers(1, 20), max_size=6))
    more: dict[str, Any] = {
        "tools": data.draw(st.sampled_from([TOOLS, None])),
        "reasoning_open": data.draw(st.booleans()),
    }

    whole = run(family, [text], **more)

    assert run(family, _pieces(text, cuts), **more) == whole
    assert run(family, list(text), **more) == whole


PROSE = "The quick <b>brown</b> fox, a < b; 你好 [x] {y}.\n"


@pytest.mark.parametrize("family", ALL)
def test_words_that_came_before_cost_no_search(family: str) -> None:
    words = re.findall(r" ?\w+", PROSE)
    gate = Gate(family, TOOLS)
    gate.feed("Well,")
    for word in words:
        gate.feed(word)

    # The least of some: a collector of garbage makes calls too.
    made = min(
        _calls_made(lambda: [gate.feed(word) for word in words]) for _ in range(3)
    )

    # The call itself, and taking note of the word.
    assert made <= 2 * len(words) + 5


@pytest.mark.parametrize("family", ALL)
def test_prose_with_signs_costs_few_calls(family: str) -> None:
    pieces = [PROSE[i : i + 4] for i in range(0, len(PROSE), 4)] * 40
    gate = Gate(family, TOOLS)
    gate.feed("Well,")
    for piece in pieces:
        gate.feed(piece)

    made = _calls_made(lambda: [gate.feed(piece) for piece in pieces])

    assert made <= 3.3 * len(pieces)


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("\n```\n", "\n```\n"),
        ("\n~~~\n", "\n~~~\n"),
        ("\n> ", "\n\n"),
        ("see `", "` "),
        ("\n\n    ", "\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 20])
def test_what_is_known_of_prose_is_not_believed_where_code_begins(
    opened: str, closed: str, size: int
) -> None:
    def shown(text: str) -> str:
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        came = [piece for text in pieces for piece in gate.feed(text)]
        return "".join(p.text for p in came if isinstance(p, Text))

    gate = Gate("hermes", TOOLS)
    for _ in range(3):
        assert shown("Well, if a <") == "Well, if a "
        assert shown(" b or c <") == "< b or c "
        # What is quoted opens nothing, so that nothing is held back.
        assert shown("d" + opened) == "<d" + opened
        assert shown("<") == "<"
        assert shown("e" + closed) == "e" + closed


def test_the_words_remembered_are_bounded() -> None:
    gate = Gate("auto", TOOLS)
    gate.feed("Well,")
    rules = gate._splitter._rules

    for i in range(10_000):
        gate.feed(f"{i} ")
        gate.feed(f"{i} " + "x" * 100)
        gate.feed(f"{i}<")
        gate.feed(f" {i}")

    assert 0 < len(rules.plain) <= 4096
    assert 0 < len(rules.cuts) <= 4096
    assert max(map(len, rules.plain)) < 10


@pytest.mark.parametrize("step", [1, 4, 1000])
def test_a_thousand_tools_cost_no_more_than_one(step: int) -> None:
    text = 'Call\ntool_7\n[tool_9_( {"name": "tool_3", "x": 1} <b> [tool_1] `x`\n' * 5

    def cost(tools: int) -> int:
        offered = {f"tool_{i}_{'x' * (i % 5)}": {} for i in range(tools)}
        gate = Gate("auto", offered)
        gate.feed("\n[ {\n")
        pieces = [text[i : i + step] for i in range(0, len(text), step)]
        return _calls_made(lambda: [gate.feed(p) for p in pieces])

    # What is prepared once for the same tools is not part of it.
    first, few = cost(3), cost(3)
    first_of_many, many = cost(1000), cost(1000)

    assert many < few * 1.5
    assert first_of_many < first * 5


@pytest.mark.parametrize("family", [f for f in ALL if f not in STRUCTURAL])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_no_character_of_prose_is_lost(family: str, data: st.DataObject) -> None:
    words = st.sampled_from(
        [
            "<",
            "<t",
            "[T",
            "{",
            "x",
            " ",
            "\n",
            "`",
            "```",
            "<b>",
            "</",
            "functool",
            "✿",
            "|>",
            "<|",
            "a < b",
            "你好",
            ";",
        ]
    )
    text = "".join(data.draw(st.lists(words, max_size=30)))

    assert run(family, list(text)).text == text


@pytest.mark.parametrize("family", ALL)
def test_what_cannot_become_a_marker_is_not_held_back(family: str) -> None:
    gate = Gate(family, TOOLS)
    text = "So 1 + 1 = 2, says (x) & co.\nNext: 3 > 2! ¿Sí? 你好 "

    shown = [
        sum(len(p.text) for p in gate.feed(c) if isinstance(p, Text)) for c in text
    ]

    start = 4 if family in ("functionary_v32", "react", "glm4", "auto") else 0
    assert sum(shown[start:]) >= len(text) - start - 1
    assert all(sum(shown[: i + 1]) >= i for i in range(start, len(text)))


@pytest.mark.parametrize(
    ("begun", "held"),
    [
        ("A", True),
        ("Al", False),
        ("a", True),
        ("a ", False),
        ("an", False),
        ("al", True),
        ("als", False),
        ("all", True),
        ("all ", False),
        ("all,", False),
        ("allo", False),
        ("all\n", True),
        ("all\n\n", False),
        ("all\n<b", False),
        ("g", True),
        ("go", False),
        ("get_t", True),
        ("get_to", False),
    ],
)
def test_auto_holds_the_first_letters_only_while_they_may_become_a_form(
    begun: str, held: bool
) -> None:
    """Functionary begins its answers with `all`, others with a tool's name."""
    gate = Gate("auto", TOOLS)

    shown = "".join(p.text for c in begun for p in gate.feed(c) if isinstance(p, Text))

    assert (shown != begun) == held
    assert run("auto", [*begun, "."]).text == begun + "."
    if begun.startswith("a"):
        # Without tools, it is shown at once.
        assert Gate("auto").feed(begun[0]) == [Text(begun[0])]


def _calls_made(act: Callable[[], object]) -> int:
    """Return how many functions, of Python and C, the act calls: time without noise."""
    made = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("family", ["hermes", "qwen3_coder", "gemma4", "lfm2", "auto"])
def test_a_long_call_costs_time_in_proportion_to_its_length(family: str) -> None:
    row = ROWS["hermes" if family == "auto" else family]

    def cost(lines: int) -> int:
        code = '<x> "q" \\ {\n' * lines
        text = row.write([("run_python", {"code": code})])
        gate = Gate(family, TOOLS)
        pieces = [text[i : i + 4] for i in range(0, len(text), 4)]
        came: list[Piece] = []
        made = _calls_made(lambda: [came.extend(gate.feed(p)) for p in pieces])
        came += gate.finish()
        assert [getattr(p, "arguments", {}) for p in came][-1] == {"code": code}
        return made

    few, many = cost(200), cost(800)

    assert many < few * 4.2


def test_what_muse_says_to_itself_is_thought_even_if_a_call_begins_it() -> None:
    """The frame before a call to a tool has the same form, but another recipient."""
    text = " to=self<|message|><atem:function_calls>"
    more: dict[str, Any] = {"tools": None, "reasoning_open": False}

    assert run("muse", [text], **more).reasoning == "<atem:function_calls>"
    assert run("muse", list(text), **more) == run("muse", [text], **more)
