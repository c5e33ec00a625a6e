"""How large a server's window is, and what is sent when a conversation outgrows it."""

from typing import Any

import pytest
from support.fakes.sse_server import DONE, SSEServer, event, finish, text, usage

from tui.errors import ContextOverflow
from tui.events import Event, NoticeGiven, UsageReported
from tui.messages import Message
from tui.models.openai.model import OpenAIModel
from tui.models.openai.window import figures, own_size, told, told_elsewhere
from tui.turn import Turn


def conversation(turns: int, words: int = 100) -> list[Message]:
    """About `words` tokens by our estimate in each question."""
    messages: list[Message] = []
    for n in range(turns):
        messages.append(Message("user", f"{n:03} " + "abc " * (words - 1)))
        messages.append(Message("assistant", f"Answer {n}."))
    return [*messages, Message("user", "the last")]


def ask(model: OpenAIModel, messages: list[Message]) -> list[Event]:
    turn = Turn()
    turn.sources = [(f"m{n}", message) for n, message in enumerate(messages)]
    return list(model.generate(messages, [], turn))


def sent(server: SSEServer) -> list[list[str]]:
    """The beginnings of what each request for an answer has sent."""
    return [
        [message["content"][:9].strip() for message in request.json["messages"]]
        for request in server.asked
    ]


def answer(server: SSEServer, tokens: int = 10) -> None:
    server.answer(text("Yes."), finish(), usage(tokens, 2), DONE)


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ({"max_model_len": 4096}, 4096),
        ({"context_length": 32768}, 32768),
        ({"context_length": 32768, "top_provider": {"context_length": 8192}}, 8192),
        ({"context_length": 32768, "top_provider": None}, 32768),
        ({"context_window": 131072}, 131072),
        ({"max_context_length": 65536, "loaded_context_length": 4096}, 4096),
        ({"meta": {"n_ctx": 2048, "n_ctx_train": 131072}}, 2048),
        ({"max_model_len": None, "meta": None}, 0),
        ({"max_model_len": "4096"}, 0),
    ],
)
def test_the_list_of_models_tells_the_window(entry: dict[str, Any], size: int):
    others = [{"id": "other", "max_model_len": 1}, {"id": "another"}]

    assert told({"data": [*others, entry | {"id": "m"}]}, "m") == (size, "")


@pytest.mark.parametrize(
    ("entry", "path", "body"),
    [
        (
            {"owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}},
            "/props",
            {"default_generation_settings": {"n_ctx": 4096}},
        ),
        (
            {"owned_by": "library"},
            "/api/ps",
            {"models": [{"name": "x", "context_length": 1},
                        {"name": "m", "context_length": 4096}]},
        ),
        (
            {"owned_by": "organization_owner"},
            "/api/v0/models",
            {"data": [{"id": "x"}, {"id": "m", "loaded_context_length": 4096}]},
        ),
    ],
    ids=["llama.cpp", "ollama", "lmstudio"],
)  # fmt: skip
def test_servers_that_tell_it_elsewhere_are_asked_there(
    server: SSEServer, entry: dict[str, Any], path: str, body: dict[str, Any]
):
    server.json({"data": [{"id": "m", **entry}]}, path="/v1/models")
    server.json(body, path=path)
    model = OpenAIModel("m", "m", server.url)

    model.learn_window()
    model.learn_window()

    assert model.window == 4096
    assert [r.path for r in server.requests] == ["/v1/models", path]
    assert told_elsewhere(path, {}, "m") == told_elsewhere(path, [], "m") == 0
    model.close()


@pytest.mark.parametrize("body", [None, [], {}, {"data": None}, {"data": [{}, 3]}])
def test_odd_lists_of_models_tell_nothing(body: Any):
    assert told(body, "m") == (0, "")


def test_a_server_that_does_not_tell_is_asked_once_and_used_all_the_same(
    server: SSEServer,
):
    answer(server)
    model = OpenAIModel("m", "m", server.url)

    model.learn_window()
    model.learn_window()
    events = ask(model, conversation(50))

    assert model.window == 0
    assert [r.method for r in server.requests] == ["GET", "POST"]
    assert len(sent(server)[0]) == 101
    assert next(e for e in events if isinstance(e, UsageReported)).window == 0
    model.close()


def test_a_short_conversation_does_not_wait_for_the_window(server: SSEServer):
    answer(server)
    model = OpenAIModel("m", "m", server.url)

    ask(model, conversation(5))

    assert [r.method for r in server.requests] == ["POST"]
    model.close()


def test_a_long_one_is_trimmed_before_it_is_refused(server: SSEServer):
    server.json({"data": [{"id": "m", "max_model_len": 4000}]}, path="/models")
    answer(server, 2400)
    model = OpenAIModel("m", "m", server.url)

    events = ask(model, conversation(40))

    [request] = sent(server)
    [notice] = [e for e in events if isinstance(e, NoticeGiven)]
    left_out = 81 - len(request)
    assert 18 <= len(request) // 2 <= 28  # 1,900 to 3,000 tokens of turns of 108
    assert request[0] == f"{left_out // 2:03} abc a"
    assert notice.left_out == left_out
    assert notice.first_message_id == f"m{left_out}"
    assert notice.text == (
        "The conversation is longer than the 4,000 tokens that m can hold: its oldest "
        f"{left_out} messages are no longer sent."
    )
    assert next(e for e in events if isinstance(e, UsageReported)).window == 4000
    model.close()


def test_the_configured_window_is_believed_and_nothing_asked(server: SSEServer):
    answer(server)
    model = OpenAIModel("m", "m", server.url, context=4000)

    model.learn_window()
    ask(model, conversation(40))

    assert [r.method for r in server.requests] == ["POST"]
    assert len(sent(server)[0]) < 81
    model.close()


def test_room_for_the_answer_that_is_asked_for_is_kept(server: SSEServer):
    answer(server)
    roomy = {"max_tokens": 2500}
    model = OpenAIModel("m", "m", server.url, context=4000, options=roomy)

    ask(model, conversation(20))

    assert len(sent(server)[0]) // 2 <= 1500 // 104
    model.close()


OPENAI = (
    "This model's maximum context length is 8192 tokens. However, your messages "
    "resulted in 9001 tokens."
)


def test_a_refusal_tells_the_window_and_the_rest_is_sent_again(server: SSEServer):
    refusal = {"message": OPENAI.replace("8192", "1000").replace("9001", "1300")}
    server.json({"error": refusal}, status=400)
    answer(server)
    model = OpenAIModel("m", "m", server.url)

    events = ask(model, conversation(10))

    first, second = sent(server)
    assert len(first) == 21
    assert second == first[-len(second) :]
    assert 3 <= len(second) <= 15
    assert model.window == 1000
    assert [e.left_out for e in events if isinstance(e, NoticeGiven)] == [
        21 - len(second)
    ]
    # The next request knows it beforehand.
    ask(model, conversation(10))
    assert sent(server)[2] == second
    model.close()


def test_a_refusal_does_not_widen_what_is_configured(server: SSEServer):
    server.json({"error": {"message": OPENAI}}, status=400)
    answer(server)
    model = OpenAIModel("m", "m", server.url, context=2000)

    ask(model, conversation(10))

    first, second = sent(server)
    assert len(second) < len(first)
    assert model.window == 2000
    model.close()


def test_a_refusal_inside_the_stream_is_learnt_from_as_well(server: SSEServer):
    server.answer(event({"error": {"message": OPENAI.replace("8192", "1000")}}))
    answer(server)
    model = OpenAIModel("m", "m", server.url)

    ask(model, conversation(10))

    assert len(sent(server)[1]) < 21
    model.close()


def test_a_refusal_without_figures_shortens_until_it_fits(server: SSEServer):
    for _ in range(2):
        server.json({"error": {"message": "prompt is too long"}}, status=400)
    answer(server)
    model = OpenAIModel("m", "m", server.url)

    events = ask(model, conversation(20))

    lengths = [len(request) for request in sent(server)]
    assert lengths == sorted(set(lengths), reverse=True)
    assert len(lengths) == 3
    assert model.window == 0
    [notice] = [e for e in events if isinstance(e, NoticeGiven)]
    assert notice.text.startswith("The conversation is longer than m can take: its")
    model.close()


def test_a_question_that_is_too_long_alone_is_an_error(server: SSEServer):
    server.json({"error": {"message": OPENAI}}, status=400)
    model = OpenAIModel("m", "m", server.url)

    with pytest.raises(ContextOverflow, match="Send less at once") as caught:
        ask(model, [Message("user", "abc " * 9000)])

    assert (caught.value.window, caught.value.tokens) == (8192, 9001)
    assert len(sent(server)) == 1
    model.close()


def test_a_refusal_after_the_first_word_is_not_tried_again(server: SSEServer):
    server.answer(text("So"), event({"error": {"message": OPENAI}}))
    model = OpenAIModel("m", "m", server.url)

    with pytest.raises(ContextOverflow):
        ask(model, conversation(100))

    assert len(sent(server)) == 1
    model.close()


def test_an_estimate_that_was_too_low_is_put_right(server: SSEServer):
    """Code takes more tokens than a quarter of its characters."""
    answer(server, 2000)
    model = OpenAIModel("m", "m", server.url, context=2000)
    ask(model, conversation(10))  # 1,077 tokens by the estimate: sent whole

    ask(model, conversation(10))

    first, second = sent(server)
    assert len(first) == 21
    assert len(second) < 15
    model.close()


@pytest.mark.parametrize(
    ("message", "window", "tokens"),
    [
        (OPENAI, 8192, 9001),
        (
            "This model's maximum context length is 8192 tokens. However, you "
            "requested 9001 tokens (3001 in the messages, 6000 in the completion).",
            8192, 3001,
        ),
        (
            "This model's maximum context length is 4096 tokens. However, your request "
            "has 5000 input tokens.",
            4096, 5000,
        ),
        (
            "request (4390 tokens) exceeds the available context size (4096 tokens), "
            "try increasing it",
            4096, 4390,
        ),
        (
            '{"error":{"message":"the request exceeds the available context size. try '
            'increasing the context size or enable context shift",'
            '"n_prompt_tokens":1407,"n_ctx": 256}}',
            256, 1407,
        ),
        (
            "The prompt (length 5000) is longer than the maximum model length of 4096",
            4096, 5000,
        ),
        (
            "Trying to keep the first 5000 tokens when context the overflows. However, "
            "the model is loaded with context length of only 4096 tokens",
            4096, 5000,
        ),
        ("Requested tokens (6001) exceed context window of 4096", 4096, 6001),
        ("Range of input length should be [1, 30720]", 30720, 0),
        ("Your request exceeded model token limit: 8192", 8192, 0),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200000, 210000),
        (
            "The input token count (1200000) exceeds the maximum number of tokens "
            "allowed (1048576).",
            1048576, 1200000,
        ),
        ("input length exceeds the context length", 0, 0),
    ],
    ids=[
        "openai", "openai-answer", "vllm", "llama.cpp", "llama.cpp-json",
        "vllm-prompt", "lmstudio", "llama-cpp-python", "dashscope", "kimi",
        "anthropic-like", "gemini", "ollama",
    ],
)  # fmt: skip
def test_figures_of_a_refusal(message: str, window: int, tokens: int):
    assert figures(message) == (window, tokens)


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("gpt-4.1-mini", 1_047_576),
        ("gpt-4o-mini-2024-07-18", 128_000),
        ("gpt-4-0613", 8192),
        ("gpt-4-turbo", 128_000),
        ("gpt-5-mini", 400_000),
        ("o3-mini", 200_000),
        ("gpt-5.9-ultra", 0),
        ("ft:something", 0),
    ],
)
def test_sizes_of_openais_own_models(model: str, size: int):
    assert own_size(model) == size
