"""A conversation that is too long is recognized in the words of every server."""

import json
from typing import Any

import pytest
from support.fakes.asking import asked
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui.errors import ContextOverflow
from tui.events import NoticeGiven
from tui.messages import Message
from tui.models.openai.errors import Where, provider_message, status_error
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

WHERE = Where("m", "http://h/v1")

TOO_LONG: dict[str, tuple[int, Any, tuple[int, int]]] = {
    "TGI": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must "
            "be <= 4096. Given: 5000 `inputs` tokens and 200 `max_new_tokens`"
        },
        (4096, 5000),
    ),
    "TGI without room": (
        422,
        {
            "error": "Input validation error: `inputs` must have less than 4095 "
            "tokens. Given: 5000"
        },
        (4095, 5000),
    ),
    "xAI": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request "
            "contains 150000 tokens.",
        },
        (131072, 0),
    ),
    "GitHub Models": (
        413,
        {
            "error": {
                "code": "tokens_limit_reached",
                "message": "Request body too large for x. Max size: 8000 tokens.",
            }
        },
        (8000, 0),
    ),
    "Copilot": (
        400,
        {"error": {"message": "prompt token count of 140000 exceeds the limit of "
                   "128000"}},
        (128000, 140000),
    ),
    "Mistral": (
        400,
        {"message": "Prompt contains 40000 tokens, too large for model with 32768 "
         "maximum context length"},
        (32768, 40000),
    ),
    "Mistral in short": (400, {"message": "Too many tokens overall"}, (0, 0)),
    "Bedrock": (400, {"message": "Input is too long for requested model."}, (0, 0)),
    "Cohere": (
        400,
        {"message": "too many tokens: total number of tokens in the prompt cannot "
         "exceed 4081 - received 4290."},
        (4081, 4290),
    ),
    "SGLang": (
        400,
        {"message": "The input (9000 tokens) is longer than the model's context "
         "length (8192 tokens)."},
        (8192, 9000),
    ),
    "LMDeploy": (
        400, {"message": "The input length 9000 exceeds session_len 8192"}, (8192, 9000)
    ),
    "TensorRT-LLM": (
        400,
        {"message": "Prompt length (9000) exceeds maximum input length (8192)"},
        (8192, 9000),
    ),
    "MLX": (
        400, {"error": "Prompt length 9000 exceeds max kv size 8192"}, (8192, 9000)
    ),
    "TabbyAPI": (
        422, {"detail": "Prompt length 9000 is greater than max_seq_len 8192"},
        (8192, 9000),
    ),
    "llama.cpp without shift": (
        500, {"error": {"message": "context shift is disabled"}}, (0, 0)
    ),
    "llamafile": (500, {"error": "prompt is longer than context size"}, (0, 0)),
    "watsonx": (
        400,
        {"errors": [{"message": "the number of input tokens 9000 cannot exceed the "
                     "total tokens limit 8192 for this model"}]},
        (8192, 9000),
    ),
    "GLM": (400, {"error": {"code": "1261", "message": "Prompt 超长"}}, (0, 0)),
    "Chinese": (400, {"message": "输入内容超出模型最大上下文长度限制"}, (0, 0)),
    "a code only": (
        400, {"error": {"message": "Bad Request", "code": "context_length_exceeded"}},
        (0, 0),
    ),
    "behind much else": (
        400,
        {"message": "Provider returned an error. " * 20 + "the prompt is too long: "
         "This model's maximum context length is 8192 tokens."},
        (8192, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("server", TOO_LONG)
def test_a_conversation_that_is_too_long_is_recognized(server: str) -> None:
    status, said, sizes = TOO_LONG[server]
    body = json.dumps(said, ensure_ascii=False)

    error = status_error(status, provider_message(body, WHERE), WHERE, body=body)

    assert isinstance(error, ContextOverflow)
    assert (error.window, error.tokens) == sizes


@pytest.mark.parametrize(
    "said",
    [
        "Input exceeds the limit of 128 tools",
        "Image input is too large: more than 20 MB",
        "input_schema of function x exceeds the maximum depth",
        "Input exceeds the rate limit of 6000 tokens per minute",
        "Daily token limit exceeded",
        "max_tokens is too large: 10000. At most 4096 completion tokens are supported",
        "The number of images exceeds the limit of 5 in context",
    ],
)
def test_another_limit_is_no_overflow(said: str) -> None:
    error = status_error(400, said, WHERE, body=json.dumps({"error": said}))

    assert not isinstance(error, ContextOverflow)


A_MINUTE = {
    "Groq": (
        413,
        "Request too large for model `x` in organization `o` service tier `on_demand` "
        "on tokens per minute (TPM): Limit 1000, Requested 2000, please reduce your "
        "message size and try again.",
    ),
    "OpenAI": (
        429,
        "Request too large for x in organization o on tokens per min (TPM): Limit "
        "1000, Requested 2000. The input or output tokens must be reduced in order to "
        "run successfully.",
    ),
    "Azure-like": (413, "TPM limit: 1000. Requested: 2000 tokens."),
}


@pytest.mark.parametrize("service", A_MINUTE)
def test_a_limit_of_a_minute_is_not_taken_for_the_window(service: str) -> None:
    status, said = A_MINUTE[service]
    messages = [Message(role, "word " * 200) for role in ("user", "assistant") * 5]
    with SSEServer() as server:
        server.json({"error": {"message": said, "code": "rate_limit"}}, status=status)
        server.answer(text("Hello"), finish(), DONE)
        model = OpenAIModel("test", "fake", server.url, max_retries=0)
        for _ in range(2):
            collect(model.generate([*messages, Message("user", "q")], (), Turn("t")))
        model.close()

    sent = [len(request.json["messages"]) for request in server.asked]
    assert sent[0] == sent[2] == 11  # all of it, a minute later
    assert 1 <= sent[1] <= 7
    assert model.window == 0


@pytest.mark.parametrize(
    "said",
    [
        "tokens per day (TPD): Limit 100000, Used 99000, Requested 9000. Try again.",
        "tokens per minute (TPM): Limit 9000, Used 8000, Requested 2000. Try again in "
        "6 s.",
        "Request too large: tokens per minute. Reduce your message size.",
    ],
)
@pytest.mark.parametrize("status", [413, 429])
def test_a_used_up_minute_is_no_overflow(status: int, said: str) -> None:
    error = status_error(status, said, WHERE, body=json.dumps({"error": said}))

    assert not isinstance(error, ContextOverflow)


@pytest.mark.parametrize(
    ("said", "sizes"),
    [
        ({"error": {"message": "prompt is too long", "code": 40003,
                    "limit_id": 120001}}, (0, 0)),
        ({"error": {"message": "The prompt is too long for model-2024-08-06 "
                    "(request 7353912)"}}, (0, 0)),
        ({"error": "context length exceeded. Request 7353912, shard 4411"}, (0, 0)),
        ({"error": "context window exceeded (error 40003)"}, (0, 0)),
        ({"detail": [{"msg": "prompt is too long", "input": [
            {"content": "Is a context window of 4096 enough for 9000 words?"}]}]},
         (0, 0)),
        ({"error": "prompt is too long: it came at 2026-11-28 on port 8080"}, (0, 0)),
        ({"error": "Context length exceeded: 9000 > 8192"}, (8192, 9000)),
        ({"error": "maximum context length is 128,000 tokens, you requested 130,001"},
         (128000, 130001)),
        ({"error": {"message": "prompt token count of 140000 exceeds the limit of "
                    "128000", "request": 77553311}}, (128000, 140000)),
        ({"error": "input length 9000 exceeds the context length 8192; id 123456"},
         (8192, 9000)),
        ({"message": "Prompt contains 40000 tokens, too large for model with 32768 "
          "maximum context length", "code": 3051}, (32768, 40000)),
    ],
)  # fmt: skip
def test_only_numbers_of_tokens_are_taken_for_such(
    said: Any, sizes: tuple[int, int]
) -> None:
    body = json.dumps(said)

    error = status_error(400, provider_message(body, WHERE), WHERE, body=body)

    assert isinstance(error, ContextOverflow)
    assert (error.window, error.tokens) == sizes


@pytest.mark.parametrize(
    "said",
    [
        "'max_tokens' is too large: 10000. This model's maximum context length is 8192 "
        "tokens and your request has 500 input tokens (10000 > 8192 - 500).",
        "input length and `max_tokens` exceed context limit: 500 + 10000 > 8192, "
        "decrease input length or `max_tokens` and try again",
        "This model's maximum context length is 8192 tokens. However, you requested "
        "10500 tokens (500 in the messages, 10000 in the completion).",
        "`inputs` tokens + `max_new_tokens` must be <= 8192. Given: 500 `inputs` "
        "tokens and 10000 `max_new_tokens`",
    ],
)
def test_too_much_room_for_the_answer_is_left_out(said: str) -> None:
    with SSEServer() as server:
        server.json({"error": {"message": said}}, status=400)
        server.answer(text("Hello"), finish(), DONE)

        events, reply = asked(server, options={"max_tokens": 10000})

    assert reply.message.text == "Hello"
    assert "max_tokens" not in server.asked[-1].json
    assert len(server.asked) == 2
    assert ["max_tokens" in e.text for e in events if isinstance(e, NoticeGiven)] == [
        True
    ]
