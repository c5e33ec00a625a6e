"""What follows from the table of dialects: detection, `auto` and the docs' table."""

import re

import pytest
from dialects_page import PAGE, page
from support.gate_rows import NONE, ROME, ROWS, STRUCTURAL, TOOLS

from tui.models.gate import Call, dialect_of_name, dialect_of_template
from tui.models.gate.auto import auto_dialect
from tui.models.gate.detect import words_of
from tui.models.gate.dialects.registry import DIALECTS
from tui.models.gate.splitter import Splitter

SHUFFLED = auto_dialect(reversed(DIALECTS.values()))
NAMES = [
    "deepseek-r1-distill-qwen-7b",
    "deepseek-r1-distill-llama-3.1-8b",
    "deepseek-r1-0528-qwen3-8b",
    "deepseek-v3-0324",
    "deepseek-v3.1",
    "deepseek-v3.2",
    "deepseek-v3.2-exp",
    "deepseek-v4",
    "devstral",
    "functionary-small-v3.1",
    "gemma4",
    "functiongemma",
    "glm-4-9b",
    "glm-4.6",
    "granite3.3",
    "granite4",
    "hermes-2-pro-mistral-7b",
    "hermes-3-llama-3.1-8b",
    "llama-4-scout",
    "llama-xlam-2-8b-fc-r",
    "llama3.1",
    "minimax-m2",
    "mistral-7b",
    "mistral-large-2407",
    "mistral-nemo",
    "mistral-small3.2",
    "nvidia-nemotron-3-nano",
    "nvidia-nemotron-nano-9b-v2",
    "phi-4-mini",
    "qwen3-8b",
    "qwen3-coder",
    "qwen3.5",
    "step-3",
    "step-3.5-flash",
]


def test_the_docs_show_every_dialect() -> None:
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("family", sorted(set(ROWS) - {*STRUCTURAL, "rwkv"}))
def test_auto_reads_the_same_whatever_the_order_of_the_rows(family: str) -> None:
    splitter = Splitter(SHUFFLED, TOOLS, False)

    pieces = splitter.feed(ROWS[family].write(ROME + NONE)) + splitter.finish()

    calls = [(p.name, p.arguments) for p in pieces if isinstance(p, Call)]
    assert calls == ROME + NONE


@pytest.mark.parametrize("name", NAMES)
def test_no_two_rows_claim_a_name_with_equal_right(name: str) -> None:
    best = DIALECTS[dialect_of_name(name)]

    fit = [d for d in DIALECTS.values() if d.names and re.search(d.names, name)]

    assert [d for d in fit if d.priority >= best.priority] == [best]


@pytest.mark.parametrize("family", sorted(f for f in DIALECTS if DIALECTS[f].signs))
def test_signs_lead_to_their_own_row(family: str) -> None:
    for signs in DIALECTS[family].signs:
        assert dialect_of_template(" ".join(words_of(signs))) == family
