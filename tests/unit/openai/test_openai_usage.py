"""Counts of tokens under the names, and by the conventions, of different servers."""

from typing import Any

import pytest

from tui.models.openai.chunks import usage_event


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        # OpenAI: cached is a part of the prompt, reasoning a part of the answer.
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 90},
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            (100, 90, 50, 40),
        ),
        # Anthropic: what was cached, read or written, is none of `input_tokens`.
        (
            {
                "input_tokens": 10,
                "cache_read_input_tokens": 90,
                "cache_creation_input_tokens": 5,
                "output_tokens": 5,
            },
            (105, 90, 5, 0),
        ),
        # A relay that adds Anthropic's names to OpenAI's, which count all of it.
        (
            {
                "prompt_tokens": 105,
                "input_tokens": 10,
                "cache_read_input_tokens": 90,
                "completion_tokens": 5,
            },
            (105, 90, 5, 0),
        ),
        # The names of the Responses API.
        (
            {
                "input_tokens": 100,
                "input_tokens_details": {"cached_tokens": 90},
                "output_tokens": 50,
                "output_tokens_details": {"reasoning_tokens": 40},
            },
            (100, 90, 50, 40),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "cached_tokens": 4},
            (9, 4, 5, 0),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "reasoning_tokens": 4},
            (9, 0, 5, 4),
        ),
        # xAI: reasoning is none of the answer, as the total tells.
        (
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            (32, 0, 103, 94),
        ),
        # Gemini: only the total tells that there was reasoning.
        (
            {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 118},
            (7, 0, 111, 100),
        ),
        # A total that makes no sense.
        (
            {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 3},
            (7, 0, 11, 0),
        ),
        (
            {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": "x"},
            (7, 0, 0, 0),
        ),
        # More cached than there is.
        (
            {"prompt_tokens": 7, "completion_tokens": 1, "cached_tokens": 9},
            (7, 7, 1, 0),
        ),
    ],
)
def test_tokens_are_counted_once(usage: dict[str, Any], counts: tuple[int, ...]):
    event = usage_event(usage, 1.0)

    assert event
    told = (event.input_tokens, event.cached_tokens, event.output_tokens)
    assert (*told, event.reasoning_tokens) == counts
