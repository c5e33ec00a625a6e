"""Long pieces of a stream, which take other ways through the gate than short ones."""

import random
from itertools import pairwise

import pytest
from support.gate_rows import FAMILIES, ROME, ROWS, STRUCTURAL, TOOLS, run

from tui.models.gate.detect import find_dialect
from tui.models.gate.markdown import Markdown
from tui.models.gate.matcher import rule_set
from tui.models.gate.prose import PassedProse

PROSE = "It is a fine day, and the sea is as flat as a plate. " * 8
BITS = (
    *("\n", "\n", "\n\n", "\r\n", " ", "    ", "\t", "> ", ">", "- ", "1. ", "|", "#"),
    *("`", "``", "```", "````", "```py", "~~~", "~", "text", "A b", '"', "(", "x" * 50),
)


def _texts(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    weights = [[chance.random() ** 3 for _ in BITS] for _ in range(count)]
    return ["".join(chance.choices(BITS, w, k=chance.randint(1, 60))) for w in weights]


@pytest.mark.parametrize("dialect", [*FAMILIES, "auto"])
def test_a_long_text_is_searched_as_a_short_one_is(dialect: str) -> None:
    rules = rule_set(
        find_dialect(dialect), tuple(TOOLS), "text", (), False, True, *[False] * 4
    )
    calls = [ROWS[f].write(ROME) for f in FAMILIES]
    chance = random.Random(3)

    for _ in range(10):
        text = "".join(chance.choices([*calls, *BITS, PROSE], k=6))
        text = text[: chance.randint(1, len(text))]
        ones = [m.start() for m in map(rules.first.search, [text]) if m]
        while ones and (found := rules.first.search(text, ones[-1] + 1)):
            ones.append(found.start())

        assert list(rules.starts(text)) == ones


@pytest.mark.parametrize("family", [f for f in FAMILIES if f not in STRUCTURAL])
@pytest.mark.parametrize("after", ["", "\n" + PROSE])
def test_a_call_in_a_long_piece_is_found(family: str, after: str) -> None:
    text = f"{PROSE}\n{ROWS[family].write(ROME)}{after}"

    for dialect in (family, "auto"):
        came = run(dialect, [PROSE, text])

        assert came == run(dialect, list(PROSE + text)), dialect
    assert run(family, [PROSE, text]).calls == ROME


def test_lines_that_come_at_once_count_as_one_by_one() -> None:
    for text in _texts(1, 2000):
        whole, single = Markdown(), Markdown()
        whole.feed(text)
        for line in text.splitlines(keepends=True):
            single.feed(line)
            single.quotes()

        assert whole.quotes() == single.quotes(), text
        assert list(whole.marks()) == list(single.marks()), text
        assert whole.in_fence == single.in_fence, text


def test_what_is_known_of_passed_prose_is_what_markdown_says() -> None:
    for first, second in pairwise(_texts(2, 4000)):
        markdown, prose = Markdown(), PassedProse()
        markdown.feed(first)
        markdown.quotes()
        prose.learn(markdown)
        prose.add(second)
        known = prose.quoted()
        markdown.feed(second)

        assert known in (None, markdown.quotes()), (first, second)
