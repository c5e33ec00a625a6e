"""Answers, errors and refusals as services write them, by public reports of 2025/26.

Where a service is meant that has a row in `servers`, it is not its address that tells,
but its words: relays pass them on.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.fakes.asking import asked
from support.fakes.collect import collect
from support.fakes.sse_server import (
    DONE,
    Answer,
    Request,
    SSEServer,
    call,
    calls,
    delta,
    event,
    finish,
    text,
)

from tui.errors import ModelError
from tui.events import NoticeGiven, RetryScheduled
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

X = '{"x": 1}'
LOOK = ToolSchema("look", "Looks", {"type": "object", "properties": {}})
TOOLCALL = f'<TOOLCALL>[{{"name": "look", "arguments": {X}}}]</TOOLCALL>'


def choice(delta: Any = None, reason: str | None = None, **more: Any) -> bytes:
    fields = {"index": 0, "delta": delta, "finish_reason": reason, **more}
    return event({"choices": [fields]})


def parts(*parts: Any) -> bytes:
    return delta(content=list(parts))


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
DETAIL = {"type": "reasoning.text", "text": "Hm.", "format": "unknown", "index": 0}
ANSWERS: dict[str, tuple[list[bytes], str, str, list[dict[str, Any]]]] = {
    "Mistral: parts": (
        [parts(THINKING), parts({"type": "text", "text": "It is 4."})],
        "It is 4.", "Hm.", [],
    ),
    "Mistral: closed thought": (
        [parts({**THINKING, "closed": True}), text("It is 4.")],
        "It is 4.", "Hm.", [],
    ),
    "Mistral: reference": (
        [parts({"type": "text", "text": "See"}),
         parts({"type": "reference", "reference_ids": [1, 2]}), text(" here.")],
        "See here.", "", [],
    ),
    "Groq: no content but a list": (
        [delta(content=[], tool_calls=[call(0, "a", "look", X)])], "", "", [{"x": 1}],
    ),
    "NVIDIA: a call in both ways": (
        [delta(content=TOOLCALL, tool_calls=[call(0, "a", "look", X)])],
        "", "", [{"x": 1}],
    ),
    "NVIDIA: a call in both ways, in pieces": (
        [text(TOOLCALL[:9]), text(TOOLCALL[9:]), calls(call(0, "a", "look", X))],
        "", "", [{"x": 1}],
    ),
    "Cerebras": ([delta(reasoning="Hm."), text("4")], "4", "Hm.", []),
    "vLLM: old and new name": (
        [delta(reasoning="Hm.", reasoning_content="Hm."), text("4")], "4", "Hm.", [],
    ),
    "OpenRouter: details beside the words": (
        [delta(reasoning="Hm.", reasoning_details=[DETAIL]), text("4")], "4", "Hm.", [],
    ),
    "OpenRouter: details alone": (
        [delta(content="", reasoning_details=[DETAIL]), text("4")], "4", "Hm.", [],
    ),
    "OpenRouter: encrypted": (
        [delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "ab"}]),
         text("4")], "4", "", [],
    ),
    "Qwen: no content, then thoughts": (
        [delta(role="assistant", content=None), delta(content=None,
         reasoning_content="Hm."), delta(content="4", reasoning_content=None)],
        "4", "Hm.", [],
    ),
    "MiniMax: all again": (
        [choice({"content": "It is", "role": "assistant", "name": "MiniMax AI"}),
         choice({"content": " 4."}, "stop"),
         event({"choices": [{"index": 0, "finish_reason": "stop", "message": {
             "content": "It is 4.", "role": "assistant"}}],
             "object": "chat.completion", "base_resp": {"status_code": 0}})],
        "It is 4.", "", [],
    ),
    "Azure: filters first": (
        [event({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
         choice({"content": "4"}, content_filter_results={"hate": {}})],
        "4", "", [],
    ),
    "Perplexity: message beside each delta": (
        [choice({"content": "It"}, message={"role": "assistant", "content": "It"}),
         choice({"content": " is"}, message={"content": "It is"}),
         choice({"content": ""}, "stop", message={"role": "assistant",
                "content": "It is"})],
        "It is", "", [],
    ),
    "Together: text beside each delta": (
        [choice({"content": "It"}, text="It", logprobs=None),
         choice({"content": " is"}, text=" is")], "It is", "", [],
    ),
    "OpenAI: padding": (
        [event({"choices": [{"index": 0, "delta": {"content": "4"}}],
                "obfuscation": "x1", "service_tier": "default"})], "4", "", [],
    ),
    "Gemini: calls without number and id": (
        [calls({"function": {"name": "look", "arguments": X}, "id": "",
                "type": "function"},
               {"function": {"name": "look", "arguments": '{"x": 2}'}, "id": "",
                "type": "function"})], "", "", [{"x": 1}, {"x": 2}],
    ),
    "Ollama: the same number for each": (
        [calls(call(0, "a", "look", X)), calls(call(0, "b", "look", '{"x": 2}'))],
        "", "", [{"x": 1}, {"x": 2}],
    ),
    "SGLang: name, then arguments": (
        [calls(call(0, "a", "look", "")), calls(call(0, None, None, '{"x"')),
         calls(call(0, None, None, ": 1}"))], "", "", [{"x": 1}],
    ),
    "vLLM: empty arguments twice": (
        [calls(call(0, "a", "look")), calls(call(0, None, None, "{}"))], "", "", [{}],
    ),
    "Anthropic: an empty object, then all": (
        [calls(call(0, "a", "look", "{}")), calls(call(0, None, None, X))],
        "", "", [{"x": 1}],
    ),
    "Kimi: usage in the choice": (
        [choice({"content": "4"}), choice({}, "stop", usage={"prompt_tokens": 1,
         "completion_tokens": 1})], "4", "", [],
    ),
    "LiteLLM": (
        [delta(content="", provider_specific_fields={"reasoning_content": "Hm."}),
         text("4")], "4", "Hm.", [],
    ),
    "xAI: citations": (
        [delta(reasoning_content="Hm."), delta(content="4", citations=["http://x"])],
        "4", "Hm.", [],
    ),
    "Cohere: plan": ([delta(tool_plan="Hm."), calls(call(0, "a", "look", X))],
                     "", "Hm.", [{"x": 1}]),
    "AI21: content as an object": ([delta(content={"text": "4"})], "4", "", []),
    "Claude: fields of its own": (
        [delta(content="4", thinking_blocks=None, stop_sequence=None)], "4", "", [],
    ),
    "Hugging Face: role each time": (
        [delta(role="assistant", content="It"), delta(role="assistant", content=" is",
         tool_calls=None, tool_call_id=None)], "It is", "", [],
    ),
    "GLM: call with index in a string": (
        [calls({"index": "0", "id": "a", "type": "function",
                "function": {"name": "look", "arguments": X}})], "", "", [{"x": 1}],
    ),
    "DeepSeek: both empty": (
        [delta(role="assistant", content="", reasoning_content=""), text("4")],
        "4", "", [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("service", ANSWERS)
def test_an_answer_is_read_as_it_is_meant(server: SSEServer, service: str) -> None:
    steps, said, thought, given = ANSWERS[service]
    server.answer(*steps, finish("tool_calls" if given else "stop"), DONE)
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    events, reply = collect(model.generate([Message("user", "Hi")], (LOOK,), Turn("t")))

    model.close()
    message = reply.message
    assert (message.text, message.reasoning) == (said, thought)
    assert [call.arguments for call in message.tool_calls] == given
    assert not [e for e in events if isinstance(e, NoticeGiven)]


FAILED_CALL = {
    "message": "Failed to call a function. Please adjust your prompt. See "
    "'failed_generation' for more details.",
    "type": "invalid_request_error",
    "code": "tool_use_failed",
    "failed_generation": 'look{"x": 1}</function>',
}
UNKNOWN_CALL = FAILED_CALL | {
    "message": "tool call validation failed: attempted to call tool 'peek' which was "
    "not in request.tools",
}
BAD_CALL = FAILED_CALL | {
    "message": "tool call validation failed: parameters for tool look did not match "
    "schema: errors: [`/domain`: expected array, but got string]",
}
MALFORMED: dict[str, tuple[int, Any]] = {
    "Groq": (400, {"error": FAILED_CALL}),
    "Groq: an unknown tool": (400, {"error": UNKNOWN_CALL}),
    "Groq: arguments": (400, {"request_id": "r", "error": BAD_CALL}),
    "Groq: no JSON": (400, {"error": {"message": "Failed to generate JSON. Please "
        "adjust your prompt. See 'failed_generation' for more details.",
        "failed_generation": "", "type": "invalid_request_error",
        "code": "json_validate_failed"}}),
    "Groq in the stream": (200, {"error": FAILED_CALL | {"status_code": 400}}),
    "llama.cpp": (500, {"error": {"code": 500, "message": "Failed to parse input at "
                        "pos 12: <tool_call>", "type": "server_error"}}),
    "Ollama": (500, {"error": {"message": "error parsing tool call: raw='{\"x' err="
                     "unexpected end of JSON input", "type": "api_error"}}),
}  # fmt: skip


@pytest.mark.parametrize("service", MALFORMED)
def test_a_call_that_the_server_cannot_read_is_asked_for_again_with_tools(
    server: SSEServer, service: str
) -> None:
    status, error = MALFORMED[service]
    if status == 200:
        server.answer(event(error))
    else:
        server.json(error, status=status)
    server.answer(text("4"), finish(), DONE)
    model = OpenAIModel("test", "fake", server.url, max_retries=1)

    events, reply = collect(model.generate([Message("user", "Hi")], (LOOK,), Turn("t")))

    model.close()
    assert reply.message.text == "4"
    assert len([e for e in events if isinstance(e, RetryScheduled)]) == 1
    assert all("tools" in request.json for request in server.asked)


FAILURES: dict[str, tuple[int, Any, str]] = {
    "Gemini: a list": (400, [{"error": {"code": 400, "status": "INVALID_ARGUMENT",
        "message": "Please ensure that function call turn comes immediately after"}}],
        "function call turn comes immediately"),
    "MiniMax": (400, {"type": "error", "error": {"type": "bad_request_error",
        "message": "invalid params, invalid chat setting (2013)", "http_code": "400"}},
        "invalid chat setting (2013)"),
    "Cerebras": (400, {"message": "Please reduce the temper",
        "param": "validation_error", "type": "invalid_request_error",
        "code": "wrong_api_format"},
        "Please reduce the temper"),
    "xAI": (400, {"code": "Client specified an invalid argument",
        "error": "Incorrect API thing provided"}, "Incorrect API thing provided"),
    "GLM": (400, {"error": {"code": "1214",
        "message": "messages 参数非法。请检查文档。"}}, "参数非法"),
    "Hugging Face": (400, {"error": "The requested model is gone for now",
        "error_type": "validation"}, "gone for now"),
    "Mistral": (422, {"object": "error", "message": {"detail": [{"type": "value_error",
        "loc": ["body", "messages", 2], "msg": "Value is odd"}]}}, "Value is odd"),
    "OpenRouter": (400, {"error": {"message": "Provider returned error", "code": 400,
        "metadata": {"raw": '{"error": "Bad thing"}', "provider_name": "Novita"}}},
        "Bad thing"),
    "Kong": (400, {"message": "Bad thing"}, "Bad thing"),
    "Azure": (400, {"error": {"code": "content_filter", "message": "The response was "
        "filtered", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        "was filtered"),
}  # fmt: skip


@pytest.mark.parametrize("service", FAILURES)
def test_the_words_of_a_failure_are_quoted(server: SSEServer, service: str) -> None:
    status, body, words = FAILURES[service]
    for _ in range(6):
        server.json(body, status=status)

    error = asked(server, max_retries=0)[1]

    assert isinstance(error, ModelError)
    assert words in str(error)


STREAMED: dict[str, tuple[list[bytes], str]] = {
    "OpenRouter: a choice": (
        [text("It"), event({"choices": [{"index": 0, "delta": {"content": ""},
         "finish_reason": "error"}], "error": {"code": 502,
         "message": "Provider disconnected"}})], "Provider disconnected"),
    "OpenRouter: within the choice": (
        [text("It"), choice({"content": ""}, "error", error={"code": 502,
         "message": "Upstream gone"})], "Upstream gone"),
    "LM Studio": (
        [b'event: error\ndata: {"error":{"message":"The model has crashed"}}\n\n'],
        "The model has crashed"),
    "Hugging Face": (
        [event({"error": "Model is odd", "error_type": "generation"})], "Model is odd"),
    "DeepInfra": (
        [text("It"), event({"error": {"message": "inference failed", "type": "x"}})],
        "inference failed"),
    "Anthropic": (
        [event({"type": "error", "error": {"type": "api_error", "message": "Oh no"}})],
        "Oh no"),
    "vLLM": (
        [text("It"), event({"error": {"message": "EngineCore died", "type":
         "InternalServerError", "param": None, "code": 500}}), DONE],
        "EngineCore died"),
    "Gemini": (
        [event([{"error": {"code": 500, "message": "An internal thing"}}])],
        "An internal thing"),
    "Bedrock": (
        [text("It"), event({"internalServerException": {"message": "It broke"}})],
        "It broke"),
    "Ollama": ([text("It"), event({"error": "unexpected EOF of llama runner"})],
               "unexpected EOF"),
}  # fmt: skip


@pytest.mark.parametrize("service", STREAMED)
def test_the_words_of_a_failure_in_a_stream_are_quoted(
    server: SSEServer, service: str
) -> None:
    steps, words = STREAMED[service]
    server.answer(*steps)

    error = asked(server, max_retries=0)[1]

    assert isinstance(error, ModelError), error
    assert words in str(error)


class Refusing(SSEServer):
    """Refuses what `refuses` finds words for."""

    refuses: Callable[[dict[str, Any]], Any] = staticmethod(lambda body: "")

    def take(self, request: Request) -> Answer | None:
        """Answer a request."""
        super().take(request)
        if request.method != "POST":
            return None
        if words := self.refuses(request.json):
            body = json.dumps({"error": words} if isinstance(words, str) else words)
            return Answer([body.encode()], 400, content_type="application/json")
        return Answer([text("fine"), finish(), DONE])


def _error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


REFUSED: dict[str, tuple[str, Any]] = {
    "xAI: effort": ("reasoning_effort", {"code": "Client specified an invalid argument",
        "error": "Model grok-4 does not support parameter reasoningEffort."}),
    "xAI: penalty": ("presence_penalty",
        "Argument not supported on this model: presencePenalty"),
    "Cerebras": ("parallel_tool_calls", {"message": "body.parallel_tool_calls: "
        "property 'body.parallel_tool_calls' is unsupported",
        "type": "invalid_request_error", "code": "wrong_api_format"}),
    "OpenAI": ("temperature", _error("Unsupported value: 'temperature' does not "
        "support 0.2 with this model. Only the default (1) value is supported.",
        param="temperature", code="unsupported_value")),
    "OpenAI: not verified": ("stream", _error("Your organization must be verified to "
        "stream this model.", param="stream", code="unsupported_value")),
    "OpenAI: system": ("system", _error("Unsupported value: 'messages[0].role' does "
        "not support 'system' with this model.", param="messages[0].role")),
    "Bedrock": ("top_p", {"message": "The model returned the following errors: "
        "`temperature` and `top_p` cannot both be specified", "type": "error"}),
    "Kimi": ("temperature", _error("invalid temperature: only 1 is allowed for this "
        "model", type="invalid_request_error")),
    "Anthropic": ("top_p", _error("`temperature` and `top_p` cannot both be specified "
        "for this model. Please use only one.")),
    "Claude 4.7": ("temperature", _error("temperature is deprecated for this model.")),
    "Gemini": ("presence_penalty", [_error("Penalty is not enabled for this model: "
        "presence_penalty", code=400, status="INVALID_ARGUMENT")]),
    "Mistral": ("reasoning_effort", {"object": "error", "message": {"detail": [
        {"type": "extra_forbidden", "loc": ["body", "reasoning_effort"],
         "msg": "Extra inputs are not permitted"}]}, "code": "3001"}),
    "Hugging Face": ("seed", {"error": "Unsupported parameter: seed"}),
    "MiniMax: system": ("system", {"type": "error", "error": {"type":
        "bad_request_error", "http_code": "400", "message":
        "invalid params, chat content has invalid message role: system (2013)"}}),
    "Gemma: system": ("system", _error("Developer instruction is not enabled for "
        "models/gemma-3-27b-it", code=400)),
    "Gemini: tools": ("tools", [_error("Function calling is not enabled for "
        "models/gemma-3-27b-it", code=400)]),
    "NVIDIA": ("tools", _error('"auto" tool choice requires --enable-auto-tool-choice '
        "and --tool-call-parser to be set", type="BadRequestError", code=400)),
    "MiniMax: tools": ("tools", "Failed to fetch tools: Not yet implemented"),
    "OpenRouter": ("tools", _error("No endpoints found that support tool use. To learn "
        "more about provider routing, visit: https://openrouter.ai/docs", code=404)),
    "Hugging Face: tools": ("tools", {"error": {"message": "Input validation error: "
        "`tools` is not supported by this provider", "http_status_code": 422}}),
}  # fmt: skip
OPTIONS = {
    "reasoning_effort": "low", "presence_penalty": 0.1, "parallel_tool_calls": False,
    "temperature": 0.2, "top_p": 0.9, "seed": 1,
}  # fmt: skip


def _has(body: dict[str, Any], what: str) -> bool:
    if what == "stream":
        return body["stream"]
    if what == "system":
        return body["messages"][0]["role"] == "system"
    return what in body


@pytest.mark.parametrize("service", REFUSED)
def test_what_a_service_refuses_is_left_out(service: str) -> None:
    what, words = REFUSED[service]
    options = {what: OPTIONS[what]} if what in OPTIONS else {}
    if service == "Anthropic":
        options["temperature"] = 0.2
    with Refusing() as server:
        server.refuses = lambda body: (
            words
            if _has(body, what) and (service != "Anthropic" or "temperature" in body)
            else ""
        )
        model = OpenAIModel("t", "m", server.url, max_retries=0, options=options)
        question = [Message("system", "Be brief."), Message("user", "Hi")]

        _, reply = collect(model.generate(question, (LOOK,), Turn("t")))

        model.close()
        assert reply.message.text == "fine"
        assert len(server.asked) == 2
        assert what == "tools" or "tools" in server.asked[-1].json


EMPTY = [
    "Each message must have at least one content element.",
    "Invalid request: the message at position 2 with role 'assistant' must not be "
    "empty",
    "messages.3.content: text content blocks must be non-empty",
    "The text field in the ContentBlock object at messages.3.content.0 is blank.",
]


@pytest.mark.parametrize("words", EMPTY)
def test_an_empty_text_beside_a_call_is_none_where_it_is_refused(words: str) -> None:
    with Refusing() as server:
        server.refuses = lambda body: (
            _error(words) if any(m["content"] == "" for m in body["messages"]) else ""
        )
        model = OpenAIModel("t", "m", server.url, max_retries=0)

        _, reply = collect(model.generate(HISTORY, (LOOK,), Turn("t")))

        model.close()
        assert reply.message.text == "fine"
        assert "tool_calls" in server.asked[-1].json["messages"][3]


CALL = ToolCall("a", "look", {})
HISTORY = [
    Message("user", "Hi"),
    Message("assistant", "Hello.", "Hm."),
    Message("user", "Look."),
    Message("assistant", "", "Well.", (CALL,)),
    Message("tool", "nice", tool_call_id="a"),
    Message("assistant", "It is nice."),
    Message("user", "And now?"),
]


def _without(field: str, only_calls: bool) -> Callable[[dict[str, Any]], str]:
    def refuses(body: dict[str, Any]) -> str:
        for number, message in enumerate(body["messages"]):
            needs = message["role"] == "assistant"
            needs = needs and (not only_calls or "tool_calls" in message)
            if needs and not message.get(field):
                return str(number)
        return ""

    return refuses


WANTED: dict[str, tuple[str, bool, str]] = {
    "DeepSeek V3.2": ("reasoning_content", True, "Missing `reasoning_content` field in "
        "the assistant message at message index @. For more information, please refer "
        "to https://api-docs.deepseek.com/guides/thinking_mode#tool-calls"),
    "DeepSeek V4": ("reasoning_content", False, "The `reasoning_content` in the "
        "thinking mode must be passed back to the API."),
    "Kimi": ("reasoning_content", True, "thinking is enabled but reasoning_content is "
        "missing in assistant tool call message at index @"),
    "MiMo": ("reasoning_content", False, "Param Incorrect: reasoning_content is "
        "required in assistant messages"),
}  # fmt: skip


@pytest.mark.parametrize("service", WANTED)
def test_thoughts_that_a_service_wants_back_are_given_to_it(service: str) -> None:
    field, only_calls, words = WANTED[service]
    lacks = _without(field, only_calls)
    with Refusing() as server:
        server.refuses = lambda body: (
            _error(words.replace("@", n)) if (n := lacks(body)) else ""
        )
        model = OpenAIModel("t", "m", server.url, max_retries=0)

        _, reply = collect(model.generate(HISTORY, (LOOK,), Turn("t")))

        model.close()
        assert reply.message.text == "fine"
        assert len(server.asked) <= 3


@pytest.mark.parametrize(
    "words",
    [
        "messages.3.assistant.@: property 'messages.3.assistant.@' is unsupported",
        "messages[3]: unknown field @",
        "Extra inputs are not permitted, field: 'messages[3].assistant.@', value: 'Hm'",
        "Unrecognized key(s) in object: '@'",
    ],
)
def test_thoughts_that_a_service_does_not_want_back_stay_here(words: str) -> None:
    """After it has sent them itself."""

    class Thinking(Refusing):
        def take(self, request: Request) -> Answer | None:
            answer = super().take(request)
            if answer is None or answer.status != 200:
                return answer
            if request.json["messages"][-1]["role"] == "tool":
                return answer
            steps = [delta(reasoning_content="Hm."), calls(call(0, "a", "look", "{}"))]
            return Answer([*steps, finish("tool_calls"), DONE])

    with Thinking() as server:
        server.refuses = lambda body: (
            words.replace("@", "reasoning_content")
            if any("reasoning_content" in m for m in body["messages"])
            else ""
        )
        model = OpenAIModel("t", "m", server.url, max_retries=0)
        said = [Message("user", "Hi")]
        reply = collect(model.generate(said, (LOOK,), Turn("t")))[1]
        assert isinstance(reply, Reply)
        id = reply.message.tool_calls[0].id
        said += [reply.message, Message("tool", "ok", tool_call_id=id)]

        _, reply = collect(model.generate(said, (LOOK,), Turn("u")))

        model.close()
        assert reply.message.text == "fine"
