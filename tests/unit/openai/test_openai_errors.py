"""What the OpenAI model says when its server fails."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from support.fakes.asking import full_port
from support.fakes.collect import collect, text_of
from support.fakes.sse_server import (
    DONE,
    Close,
    Repeat,
    Reset,
    SSEServer,
    Stall,
    event,
    finish,
    text,
)

from tui import i18n
from tui.errors import ConfigError, ContextOverflow, ModelError
from tui.events import Event
from tui.messages import Message
from tui.models.gate import Piece, Text
from tui.models.openai import limits
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

ASK = [Message("user", "Hello")]


def failure(server: SSEServer | str, **options: Any) -> tuple[ModelError, str]:
    """Return the error that a question ends with, and the text before it."""
    url = server if isinstance(server, str) else server.url
    model = OpenAIModel("test", "fake", url, **{"max_retries": 0, **options})
    events: list[Event] = []
    try:
        with pytest.raises(ModelError) as raised:
            collect(model.generate(ASK, (), Turn("t")), events)
    finally:
        model.close()
    message = str(raised.value)
    assert "\n" not in message
    assert len(message) < 600
    return raised.value, text_of(events)


def openai_error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


def test_no_server_is_named_with_what_to_do() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"

        error, _ = failure(url)

    assert error.kind == "unreachable"
    assert str(error) == (
        f"Cannot reach {url}: connection refused. "
        "Check that the server runs and that base_url is right."
    )


def test_server_that_does_not_accept_is_given_up() -> None:
    with full_port() as url:
        error, _ = failure(url, timeout=0.1)
    assert error.kind == "unreachable"
    assert "Cannot reach" in str(error)


@pytest.mark.parametrize("proxy", ["nonsense://127.0.0.1:1", "http://[::1"])
def test_unusable_proxy_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)

    error, _ = failure("http://no-such-host.invalid/v1")

    assert error.kind == "unreachable"
    assert "ALL_PROXY" in str(error)


def test_unknown_host_is_named() -> None:
    error, _ = failure("http://no-such-host.invalid/v1")

    assert error.kind == "unreachable"
    assert "its name is not known" in str(error)


def test_https_to_a_plain_server_is_told(server: SSEServer) -> None:
    error, _ = failure(server.url.replace("http:", "https:"))

    assert error.kind == "unreachable"
    assert "it may speak plain http" in str(error)


def test_server_that_says_nothing_is_given_up(server: SSEServer) -> None:
    server.answer(before=Stall())

    error, _ = failure(server, timeout=0.1)

    assert error.kind == "unreachable"
    assert "has not answered within 0.1 seconds" in str(error)


def test_stream_that_falls_silent_is_given_up(server: SSEServer) -> None:
    server.answer(text("Hel"), Stall())

    error, said = failure(server, timeout=0.2)

    assert (error.kind, said) == ("dropped", "Hel")
    assert "it is silent" in str(error)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_names_its_variable_and_quotes_the_server(
    server: SSEServer, status: int
) -> None:
    server.json(openai_error("Bad key sk-123456, see docs"), status=status)

    error, _ = failure(server, api_key="sk-123456", key_hint="FAKE_API_KEY")

    assert error.kind == "unauthorized"
    assert "FAKE_API_KEY" in str(error)
    assert '"Bad key ***, see docs"' in str(error)


def test_missing_key_is_told_before_anything_is_sent(server: SSEServer) -> None:
    error, _ = failure(server, api_key=lambda: "", key_hint="FAKE_API_KEY")

    assert error.kind == "missing_key"
    assert "Set FAKE_API_KEY." in str(error)
    assert server.requests == []


@pytest.mark.parametrize("error", [ConfigError("no such command"), OSError("boom")])
def test_error_of_the_key_function_comes_through(
    server: SSEServer, error: Exception
) -> None:
    def find_key() -> str:
        raise error

    model = OpenAIModel("test", "fake", server.url, find_key)

    with pytest.raises(type(error), match=str(error)):
        collect(model.generate(ASK, (), Turn("t")))


def test_server_that_wants_a_key_where_none_is_set(server: SSEServer) -> None:
    server.json(openai_error("Invalid API key"), status=401)

    error, _ = failure(server)

    assert error.kind == "unauthorized"
    assert "needs an API key" in str(error)


def test_the_server_is_quoted_as_in_chinese_in_chinese(
    server: SSEServer, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: i18n.choose("en"))
    i18n.choose("zh")
    server.json(openai_error("Invalid API key"), status=401)

    error, _ = failure(server)

    assert "需要 API 密钥：“Invalid API key”。请设置" in str(error)


def test_key_that_cannot_be_sent_is_told(server: SSEServer) -> None:
    error, _ = failure(server, api_key="sk-1\nsk-2", key_hint="FAKE_API_KEY")

    assert error.kind == "unauthorized"
    assert "FAKE_API_KEY" in str(error)
    assert "sk-1" not in str(error)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "The model `fake` does not exist"),
        (404, 'model "fake" not found, try pulling it first'),
        (400, "Model Not Exist"),
        (400, "fake is not a valid model ID"),
    ],
    ids=["vllm", "ollama", "deepseek", "openrouter"],
)
def test_unknown_model_lists_those_that_there_are(
    server: SSEServer, status: int, message: str
) -> None:
    server.json(openai_error(message), status=status, path="/chat/completions")
    server.json({"data": [{"id": "other"}, {"id": "fake-2"}]}, path="/models")

    error, _ = failure(server)

    assert error.kind == "not_found"
    assert str(error) == (f'{server.url} has no model "fake". It has: fake-2, other.')


def test_unknown_model_is_told_also_without_a_list(server: SSEServer) -> None:
    server.json(openai_error("The model `fake` does not exist"), status=404)

    error, _ = failure(server)

    assert error.kind == "not_found"
    assert '"The model `fake` does not exist"' in str(error)


def test_wrong_path_points_at_the_base_url(server: SSEServer) -> None:
    server.json({"detail": "Not Found"}, status=404)

    error, _ = failure(server)

    assert error.kind == "not_found"
    assert "Check base_url" in str(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            400,
            openai_error(
                "This model's maximum context length is 8192 tokens. However, your "
                "messages resulted in 9001 tokens.",
                code="context_length_exceeded",
            ),
        ),
        (
            400,
            openai_error(
                "the request exceeds the available context size. try increasing "
                "the context size or enable context shift"
            ),
        ),
        (
            400,
            {
                "object": "error",
                "message": "This model's maximum context length is 4096 tokens. "
                "However, you requested 5000 tokens in the messages.",
            },
        ),
        (
            400,
            {"error": "The prompt (length 5000) is longer than the maximum model "
             "length of 4096"},
        ),
        (500, openai_error("input length exceeds the context length")),
        (
            400,
            {
                "error": "Trying to keep the first 5000 tokens when context the "
                "overflows. However, the model is loaded with context length of "
                "only 4096 tokens"
            },
        ),
        (
            400,
            {
                "error": "The number of tokens to keep from the initial prompt is "
                "greater than the context length"
            },
        ),
        (400, openai_error("Requested tokens (6001) exceed context window of 4096")),
        (400, openai_error("Range of input length should be [1, 30720]")),
        (400, openai_error("Your request exceeded model token limit: 8192")),
        (413, openai_error("prompt is too long: 210000 tokens > 200000 maximum")),
    ],
    ids=[
        "openai", "llama.cpp", "vllm", "vllm-prompt", "ollama", "lmstudio",
        "lmstudio-keep", "llama-cpp-python", "dashscope", "kimi", "anthropic-like",
    ],
)  # fmt: skip
def test_context_overflow_is_recognised(
    server: SSEServer, status: int, body: dict[str, Any]
) -> None:
    server.json(body, status=status)

    error, _ = failure(server)

    assert isinstance(error, ContextOverflow)
    assert error.kind == "context_overflow"
    assert "too long for fake" in str(error)


def test_context_overflow_inside_a_stream_is_recognised(server: SSEServer) -> None:
    message = "Trying to keep the first 5000 tokens when context the overflows."
    server.answer(event({"error": {"message": message}}))

    error, _ = failure(server)

    assert isinstance(error, ContextOverflow)


def test_rate_limit_is_waited_for_and_then_told(server: SSEServer) -> None:
    headers = {"Retry-After-Ms": "10", "Retry-After": "7"}
    server.json(openai_error("Too many requests"), status=429, headers=headers)

    error, _ = failure(server, max_retries=2)

    assert len(server.requests) == 3
    assert error.kind == "rate_limited"
    assert '"Too many requests"' in str(error)
    assert "in 7 seconds" in str(error)


def test_rate_limit_that_passes_is_no_error(server: SSEServer) -> None:
    headers = {"Retry-After-Ms": "10"}
    server.json(openai_error("Slow down"), status=429, headers=headers)
    server.answer(text("Hello"), finish(), DONE)
    model = OpenAIModel("test", "fake", server.url, max_retries=1)

    _, reply = collect(model.generate(ASK, (), Turn("t")))

    model.close()
    assert reply.message.text == "Hello"


@pytest.mark.parametrize(
    ("status", "message"),
    [(429, "You exceeded your current quota: insufficient_quota"),
     (402, "Insufficient Balance")],
)  # fmt: skip
def test_no_credit_points_at_billing(
    server: SSEServer, status: int, message: str
) -> None:
    server.json(openai_error(message), status=status)

    error, _ = failure(server)

    assert error.kind == "rate_limited"
    assert "billing" in str(error)


def test_rate_limit_in_tokens_is_no_overflow(server: SSEServer) -> None:
    message = "Over 30000 tokens per min: reduce the length of the messages"
    server.json(openai_error(message), status=429)

    error, _ = failure(server)

    assert error.kind == "rate_limited"


@pytest.mark.parametrize("status", [301, 308])
def test_server_that_moved_says_where_to(server: SSEServer, status: int) -> None:
    server.answer(status=status, headers={"Location": "https://new.example/v1"})

    error, _ = failure(server)

    assert error.kind == "not_found"
    assert "https://new.example/v1" in str(error)
    assert len(server.requests) == 1


def test_server_fault_is_quoted_in_one_line(server: SSEServer) -> None:
    message = "CUDA\n\x1b[31mout of memory" + "!" * 1000
    server.json(openai_error(message), status=503)

    error, _ = failure(server)

    assert error.kind == "model"
    assert '(503): "CUDA [31mout of memory!!!' in str(error)


@pytest.mark.parametrize(
    "ping",
    [
        b": OPENROUTER PROCESSING\n\n",
        b"data: keep-alive\n\n",
        b"data: {}\n\n",
        b'data: {"choices": [{"delta": {"content": ""}}]}\n\n',
        b"\n",
    ],
)
@pytest.mark.parametrize("begun", [(), (text("Once upon"),)])
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_server_that_only_keeps_the_line_open_is_given_up_in_the_end(
    server: SSEServer,
    monkeypatch: pytest.MonkeyPatch,
    ping: bytes,
    begun: tuple[bytes, ...],
    api: str,
) -> None:
    monkeypatch.setattr(limits, "QUIET", 0.01)
    server.answer(*(begun if api == "chat" else ()), Repeat(ping))

    error, said = failure(server, timeout=30.0, max_retries=2, api=api)

    assert error.kind == "dropped"
    assert "has kept the connection open for 0.3 seconds without answering" in str(
        error
    )
    assert said == ("Once upon" if begun and api == "chat" else "")
    assert len(server.requests) == 1


def test_an_answer_after_many_pings_is_an_answer(server: SSEServer) -> None:
    pings = [b": OPENROUTER PROCESSING\n\n"] * 100
    server.answer(*pings, text("Here."), *pings, finish(), DONE)
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    events, _ = collect(model.generate(ASK, (), Turn("t")))

    model.close()
    assert text_of(events) == "Here."


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("stream", [True, False])
def test_web_page_is_told_by_its_title(
    server: SSEServer, status: int, stream: bool
) -> None:
    page = b"<!DOCTYPE html><html><head><title>Log in</title></head></html>"
    server.answer(page, status=status, content_type="text/html")

    error, said = failure(server, stream=stream)

    assert (error.kind, said) == ("not_found", "")
    assert 'a web page ("Log in", text/html)' in str(error)
    assert "base_url" in str(error)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("text/html", b"<!-- --><p>Pay here</p>", "a web page"),
        ("text/html; charset=utf-8", b"Log in first", "a web page"),
        ("text/plain", b"Log in first\nplease\n", 'text/plain ("Log in first please")'),
        ("image/png", b"\x89PNG\r\n\x1a\n", "with image/png, which no model sends"),
        ("application/xml", b"<a>no</a>", "with application/xml, which no model sends"),
    ],
)
def test_what_is_no_answer_is_told_with_address_and_type(
    server: SSEServer, stream: bool, kind: str, body: bytes, told: str
) -> None:
    server.answer(body, content_type=kind)

    error, said = failure(server, stream=stream)

    assert (error.kind, said) == ("not_found", "")
    for words in (server.url, kind.partition(";")[0], told, "Check base_url"):
        assert words in str(error)


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "image/png", ""])
@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_stream_of_the_wrong_type_is_read(
    server: SSEServer, kind: str, cut: int
) -> None:
    data = text("Hi") + finish() + DONE
    server.answer(data[:cut], data[cut:], content_type=kind)
    model = OpenAIModel("test", "fake", server.url)
    events: list[Event] = []

    collect(model.generate(ASK, (), Turn("t")), events)
    model.close()

    assert text_of(events) == "Hi"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (3_000, "It has: fake-2, m0, m1, m2, m3, m4, m5, m6 and 2,993 more."),
        (100_000, "and 99,993 more. Only the first 23,697 names were checked"),
        (400_000, "Its list of models is longer than 4 MB and was not read"),
    ],
    ids=["gateway", "beyond what is compared", "beyond what is read"],
)
def test_a_long_list_of_models_is_read_and_what_is_left_out_is_said(
    server: SSEServer, count: int, said: str
) -> None:
    wrong = openai_error("The model `fake` does not exist")
    server.json(wrong, status=404, path="/chat/completions")
    ids = [*(f"m{number}" for number in range(count)), "fake-2"]
    server.json({"data": [{"id": id} for id in ids]}, path="/models")

    error, _ = failure(server)

    assert error.kind == "not_found"
    assert 'has no model "fake"' in str(error)
    assert said in str(error)


@pytest.mark.parametrize("encoding", ["br", "zstd", "bogus", "gzip, br"])
def test_an_answer_packed_as_was_not_asked_for_is_told(
    server: SSEServer, encoding: str
) -> None:
    server.answer(b"\x1b\x03\xf8data: x", headers={"Content-Encoding": encoding})

    error, said = failure(server)

    assert said == ""
    for words in (server.url, f'"{encoding}"', "text/event-stream", "as gzip"):
        assert words in str(error)


@pytest.mark.parametrize("end", [Close, Reset])
@pytest.mark.parametrize("chunked", [True, False])
def test_drop_keeps_the_text_and_says_so(
    server: SSEServer, end: Callable[[], Close], chunked: bool
) -> None:
    server.answer(text("Hel"), text("lo"), end(), chunked=chunked)

    error, said = failure(server)

    assert error.kind == "dropped"
    assert "stopped in the middle of the answer" in str(error)
    if end is Close:
        why = "closed the connection" if chunked else "ended early"
        assert why in str(error)
    assert said in ("Hello", "") if end is Reset else said == "Hello"


def test_clean_end_without_a_finish_reason_is_a_drop(server: SSEServer) -> None:
    server.answer(text("Hello"))

    assert failure(server)[0].kind == "dropped"


def test_half_an_event_at_the_end_is_a_drop(server: SSEServer) -> None:
    server.answer(text("Hello"), text(" you")[:-10], chunked=False)

    error, said = failure(server)

    assert (error.kind, said) == ("dropped", "Hello")
    assert "ended early" in str(error)


@pytest.mark.parametrize("body", [b"", b": ping\n\n"])
def test_stream_without_an_event_hints_at_the_context(
    server: SSEServer, body: bytes
) -> None:
    server.answer(body)

    error, said = failure(server)

    assert "before the first word" in str(error)
    assert "context" in str(error)
    assert (error.kind, said) == ("dropped", "")


class HoldingGate:
    """A gate that holds all text back until the end."""

    def __init__(self, dialect: str, tools: object) -> None:
        self.held = ""

    def feed(self, text: str) -> list[Piece]:
        self.held += text
        return []

    def finish(self) -> list[Piece]:
        return [Text(self.held)]


def test_drop_keeps_what_the_gate_has_held(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.models.gate.Gate", HoldingGate)
    server.answer(text("Hel"), text("lo"), Close())

    error, said = failure(server)

    assert (error.kind, said) == ("dropped", "Hello")


def test_drop_after_the_finish_reason_loses_nothing(server: SSEServer) -> None:
    server.answer(text("Hello"), finish(), Close())
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    _, reply = collect(model.generate(ASK, (), Turn("t")))

    model.close()
    assert reply.message.text == "Hello"


def test_bad_json_that_ends_an_answer_is_quoted(server: SSEServer) -> None:
    server.answer(text("Hello"), b"data: {oops\n\n")

    error, said = failure(server)

    assert (error.kind, said) == ("dropped", "Hello")
    assert "'{oops'" in str(error)


@pytest.mark.parametrize("body", [b'{"choices": {}}', b"[1, 2]", b"{oops"])
def test_document_that_is_no_answer_is_quoted(server: SSEServer, body: bytes) -> None:
    server.answer(body, content_type="application/json")

    error, _ = failure(server, stream=False)

    assert error.kind == "dropped"
    assert "instead of an answer" in str(error)


def test_error_code_inside_a_stream_counts_like_a_status(server: SSEServer) -> None:
    server.answer(event({"error": {"message": "Slow down", "code": "429"}}))

    error, _ = failure(server)

    assert error.kind == "rate_limited"


def test_message_of_the_provider_behind_the_provider_is_quoted(
    server: SSEServer,
) -> None:
    inner = {"raw": '{"error": "GPU is on fire"}', "provider_name": "X"}
    error_body = openai_error("Provider returned error", metadata=inner)
    server.json(error_body, status=502)

    error, _ = failure(server)

    assert "Provider returned error: " in str(error)
    assert "GPU is on fire" in str(error)


def test_validation_errors_are_joined(server: SSEServer) -> None:
    server.json({"detail": [{"msg": "too hot"}, {"msg": "too cold"}]}, status=422)

    error, _ = failure(server)

    assert '"too hot; too cold"' in str(error)
    assert "Check the options" in str(error)


def test_too_large_a_request_is_told(server: SSEServer) -> None:
    server.answer(b"<html><h1>413 Too Large</h1></html>", status=413)

    error, _ = failure(server)

    assert "too large" in str(error)
    assert '"413 Too Large"' in str(error)


@pytest.mark.parametrize(
    "chunk",
    [
        event({"error": {"message": "out of memory", "code": 500}}),
        event({"error": "out of memory"}),
        event({"object": "error", "message": "out of memory", "code": 500}),
        b'event: error\ndata: {"error": {"message": "out of memory"}}\n\n',
        b'error: {"code": 500, "message": "out of memory"}\n\n',
    ],
    ids=["openai", "string", "old-vllm", "named", "old-llama.cpp"],
)
def test_error_inside_the_stream_is_quoted(server: SSEServer, chunk: bytes) -> None:
    server.answer(text("Hello"), chunk, DONE)

    error, said = failure(server)

    assert said == "Hello"
    assert "out of memory" in str(error)


def test_error_with_status_200_is_quoted(server: SSEServer) -> None:
    server.json({"base_resp": {"status_code": 1004, "status_msg": "login fail"}})

    error, _ = failure(server)

    assert '"login fail"' in str(error)


def test_finish_reason_that_is_a_failure_is_told(server: SSEServer) -> None:
    server.answer(text("Hello"), finish("insufficient_system_resource"), DONE)

    error, said = failure(server)

    assert (error.kind, said) == ("dropped", "Hello")


def test_password_in_the_url_is_not_told(server: SSEServer) -> None:
    server.json(openai_error("broken"), status=500)

    error, _ = failure(server.url.replace("//", "//me:secret@"))

    assert "secret" not in str(error)


@pytest.mark.parametrize("url", ["ftp://host/v1", "http://", "http://host:x/v1"])
def test_base_url_that_is_none_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        OpenAIModel("test", "fake", url)


DEEP = b"[" * 5_000 + b"]" * 5_000
VERY_DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@pytest.mark.parametrize(
    "extra",
    [
        b'{"choices": [{"delta": {"foo": %s}}]}' % DEEP,
        b'{"choices": [], "usage": {"completion_tokens_details": %s}}' % VERY_DEEP,
        b'{"choices": [{"delta": {"content": [%s]}}]}' % DEEP,
        b'{"choices": [{"delta": {"content": %s}}]}'
        % (b'[{"type":"thinking","thinking":' * 450 + b'"x"' + b"}]" * 450),
        b'{"choices": [{"delta": {"foo": ["]\\"[", %s]}}]}' % DEEP,
    ],
    ids=["delta", "usage", "content", "thinking", "strings"],
)
def test_a_deep_field_costs_nothing_but_itself(server: SSEServer, extra: bytes) -> None:
    server.answer(text("Hel"), b"data: %s\n\n" % extra, text("lo"), finish(), DONE)
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    _, reply = collect(model.generate(ASK, (), Turn("t")))

    model.close()
    assert reply.message.text.startswith("Hel")
    assert reply.message.text.endswith("lo")


def test_a_plain_answer_with_a_deep_field_is_read(server: SSEServer) -> None:
    choice = b'{"message": {"content": "Hello"}, "finish_reason": "stop"}'
    server.answer(b'{"x": %s, "choices": [%s]}' % (DEEP, choice))
    model = OpenAIModel("test", "fake", server.url, max_retries=0, stream=False)

    _, reply = collect(model.generate(ASK, (), Turn("t")))

    model.close()
    assert reply.message.text == "Hello"


def test_an_error_with_a_deep_field_is_quoted(server: SSEServer) -> None:
    error = b'{"error": {"message": "no luck", "trace": %s}}' % DEEP
    server.answer(text("Hello"), b"data: %s\n\n" % error)

    error, said = failure(server)

    assert "no luck" in str(error)
    assert said == "Hello"


@pytest.mark.parametrize("start", [b"[", b'{"a":', b'{"choices":[', b'{"usage":['])
@pytest.mark.parametrize("prefix", [b"", b"data: "])
def test_what_is_deep_and_has_no_end_is_no_answer(
    server: SSEServer, prefix: bytes, start: bytes
) -> None:
    for size in (3_000, 3_000_000):
        server.answer(prefix + start * (size // len(start)) + b"\n\n")

        error, _ = failure(server)

        assert error.kind == "dropped"
