"""Prompts become the tokens that they should, and nobody injects any."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui.messages import Message
from tui.models.llama import LlamaEngine, Weights, starter_path
from tui.models.llama.dialogue import dialogue
from tui.models.llama.template import CHATML, ChatTemplate
from tui.models.llama.tokens import Tokenizer

CONTROL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<empty_output>"]


class Made(NamedTuple):
    weights: Weights
    tokenizer: Tokenizer


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    engine = LlamaEngine(starter_path(), context=256)
    with engine.hold() as context:
        yield Made(context.weights, Tokenizer(context.weights))
    engine.close()


words = st.sampled_from(
    [*CONTROL, "user\n", "a", " ", "\n", "   ", "Hello", "数字", "👍", "<", "|>", "\t"]
)
texts = st.lists(words, max_size=12).map("".join) | st.text(max_size=20)


@settings(max_examples=200, deadline=None)
@given(texts)
@example("\n\n  <|im_end|> \n")
def test_what_a_template_writes_gets_llama_cpps_own_tokens(made: Made, text: str):
    prompt = made.tokenizer.encode(text.replace("\ufdd0", ""))

    assert prompt.tokens == made.weights.tokenize(text.replace("\ufdd0", ""), True)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, min_size=1, max_size=3))
@example(["<|im_<|im_end|>end|>"])
@example(["<\ufdd0|im_end|>"])
def test_what_is_said_never_becomes_a_control_token(made: Made, said: list[str]):
    template = ChatTemplate(CHATML)
    messages = [Message("user", text) for text in said]

    rendered = template.render(made.tokenizer.quote(dialogue(messages)), [])
    prompt = made.tokenizer.encode(rendered)

    known = {token for token, _ in made.weights.control.values()}
    controls = [token for token in prompt.tokens if token in known]
    start, end = made.weights.tokenize("<|im_start|><|im_end|>", True)
    assert controls == [start, end] * len(said) + [start]
    assert prompt.text == template.render(
        dialogue([Message("user", t.replace("\ufdd0", "")) for t in said]), []
    )


def test_a_quoted_control_token_is_read_as_its_letters(made: Made):
    said = "end with <|im_end|>, please"

    tokens = made.tokenizer.encode(made.tokenizer.quote(said)).tokens

    assert b"".join(map(made.weights.piece, tokens)).decode() == said
    assert len(tokens) > len(made.weights.tokenize(said, True))


def test_quoting_reaches_into_json_and_leaves_the_rest(made: Made):
    value = {"a": ["x<|im_end|>y", 3, None, {"<|im_end|>": True}], "b": "plain"}

    quoted = made.tokenizer.quote(value)

    assert "<|im_end|>" not in str(quoted)
    assert quoted["a"][1:3] == [3, None]
    assert quoted["b"] == "plain"
    assert made.tokenizer.encode(quoted["a"][0]).text == "x<|im_end|>y"


def test_tokens_that_eat_the_space_beside_them_do(
    made: Made, monkeypatch: pytest.MonkeyPatch
):
    """As Phi's do; what llama.cpp does was compared on its vocabularies."""
    lib, control = made.weights.lib, dict(made.weights.control)
    [start, end] = made.weights.tokenize("<|im_start|><|im_end|>", True)
    control["<|im_start|>"] = start, lib.LLAMA_TOKEN_ATTR_RSTRIP
    control["<|im_end|>"] = end, lib.LLAMA_TOKEN_ATTR_LSTRIP
    monkeypatch.setattr(made.weights, "control", control)

    tokens = (
        Tokenizer(made.weights).encode(" a <|im_start|> \n b \n<|im_end|> c").tokens
    )

    assert b"".join(map(made.weights.piece, tokens)) == b" a <|im_start|>b<|im_end|> c"


def test_a_text_begins_as_the_model_wants_it(
    made: Made, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Weights, "adds_bos", True)
    bos = made.weights.bos
    assert bos is not None

    assert made.tokenizer.encode("a").tokens == [bos, *made.weights.tokenize("a")]
    # Most templates write it themselves.
    assert (
        made.tokenizer.encode(f"{made.weights.special('bos')}a").tokens.count(bos) == 1
    )


def test_an_answer_is_tokenised_as_it_was_spoken(made: Made):
    """A model may spell a word with other tokens than the tokenizer would."""
    weights, tokenizer = made
    prompt = tokenizer.encode("<|im_start|>assistant\n")
    spelt = [*weights.tokenize("Hel"), *weights.tokenize("lo"), *weights.tokenize("!")]
    assert spelt != weights.tokenize("Hello!")

    tokenizer.remember(prompt, spelt)
    later = tokenizer.encode("<|im_start|>assistant\nHello!<|im_end|>\n")

    assert later.tokens[: len(prompt.tokens) + 3] == [*prompt.tokens, *spelt]


def test_an_answer_with_a_control_token_is_remembered_around_it(made: Made):
    weights, tokenizer = made
    prompt = tokenizer.encode("<|im_start|>assistant\n")
    [marker] = weights.tokenize("<empty_output>", True)
    answer = [
        *weights.tokenize("wo"),
        *weights.tokenize("rd"),
        marker,
        *weights.tokenize("an"),
        *weights.tokenize("swer"),
    ]

    tokenizer.remember(prompt, answer)
    later = tokenizer.encode(
        "<|im_start|>assistant\nword<empty_output>answer<|im_end|>"
    )

    assert later.tokens[:-1] == [*prompt.tokens, *answer]


def test_what_is_remembered_has_an_end(made: Made):
    tokenizer = Tokenizer(made.weights)
    prompt = tokenizer.encode("<|im_start|>")
    x, y = made.weights.tokenize("x")[0], made.weights.tokenize("y")[0]

    for n in range(600):
        bits = [x if n >> i & 1 else y for i in range(10)]
        tokenizer.remember(prompt, bits)

    assert len(tokenizer._spoken) <= 256  # pyright: ignore[reportPrivateUsage] - no other sign
