"""What a server refuses is left out, once, and said; whatever its words are."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.fakes.collect import collect
from support.fakes.sse_server import (
    DONE,
    Answer,
    Request,
    SSEServer,
    event,
    finish,
    text,
)

from tui.errors import ContextOverflow, ModelError
from tui.events import Event, NoticeGiven, RetryScheduled
from tui.messages import Attachment, Message, ToolCall, ToolSchema
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

Body = dict[str, Any]
Refuses = Callable[[Body], bool]

LABEL = ToolSchema("label", "Labels", {"type": "object", "properties": {}})
LOOK = ToolSchema("look", "Looks", {"type": "object", "properties": {}})
ASK = [Message("system", "Be brief."), Message("user", "Hello")]


class PickyServer(SSEServer):
    """Refuses requests with `error` as long as `refuses` says so."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses: Refuses = lambda body: False
        self.status = 400
        self.error: Any = {}

    def take(self, request: Request) -> Answer | None:
        """Answer a request."""
        super().take(request)
        if request.method != "POST":
            return None
        if self.refuses(request.json):
            body = self.error
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            return Answer([data], self.status, content_type="application/json")
        return Answer([text("fine"), finish(), DONE])


@pytest.fixture
def picky() -> Iterator[PickyServer]:
    with PickyServer() as server:
        yield server


def ask(
    server: SSEServer,
    messages: list[Message] = ASK,
    tools: tuple[ToolSchema, ...] = (LABEL, LOOK),
    options: Body | None = None,
) -> tuple[str, list[str]]:
    """Return the answer to two questions (the same), and the notices of the first."""
    asked = OpenAIModel("test", "m", server.url, max_retries=0, options=options)
    try:
        events, reply = collect(asked.generate(messages, tools, Turn("t")))
        before = len(server.asked)
        again, _ = collect(asked.generate(messages, tools, Turn("u")))
        assert not [e for e in again if isinstance(e, NoticeGiven)]
        assert len(server.asked) == before + 1, "it is not kept in mind"
    finally:
        asked.close()
    return reply.message.text, [e.text for e in events if isinstance(e, NoticeGiven)]


def error(message: str, **more: Any) -> Body:
    return {"error": {"message": message, **more}}


def forbidden(*loc: str | int) -> Body:
    what = {"type": "extra_forbidden", "loc": ["body", *loc], "input": "tools"}
    return {"detail": [what | {"msg": "Extra inputs are not permitted"}]}


@pytest.mark.parametrize(
    "said",
    [
        forbidden("stream_options"),
        forbidden("stream_options", "include_usage"),
        {"detail": [{"loc": "body.stream_options", "msg": "extra fields"}]},
        error("STREAM_OPTIONS not supported"),
        {"object": "error", "message": forbidden("stream_options")},
        error("Unknown parameter.", param="stream_options"),
        error("Bad", param="stream_options.include_usage"),
        error("See the documentation. " * 40 + "Unknown field: stream_options"),
        b"json: unknown field \"stream_options\"",
        error("unsupported field: streamOptions"),
        error("Unrecognized request argument supplied: stream_options"),
        error("property 'stream_options' is unsupported, did you mean 'stream'?"),
        error("Failed", metadata={"raw": json.dumps(forbidden("stream_options"))}),
        {"errors": [{"detail": "include_usage is not a known field"}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 422])
def test_a_field_is_found_wherever_it_is_named(
    picky: PickyServer, said: Any, status: int
) -> None:
    picky.refuses = lambda body: "stream_options" in body
    picky.error, picky.status = said, status

    answer, notices = ask(picky)

    assert answer == "fine"
    assert len(notices) == 1
    assert "does not accept stream_options" in notices[0]
    assert all("tools" in request.json for request in picky.asked)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("temperature", 0.2, error("Unsupported value: 'temperature' does not support "
         "0.2 with this model. Only the default (1) value is supported.",
         param="temperature", code="unsupported_value")),
        ("temperature", 0.2, error("`temperature` is deprecated for this model.")),
        ("temperature", 9, error("temperature: Input should be less than or equal to 2",
         param="temperature")),
        ("top_p", 0.5, forbidden("top_p")),
        ("parallel_tool_calls", False, error("Unsupported parameter: "
         "'parallel_tool_calls' is not supported with this model.")),
        ("parallel_tool_calls", True, {"message": "Extra field parallel_tool_calls"}),
        ("tool_choice", "required", error("tool_choice 'required' is incompatible with "
         "thinking enabled")),
        ("tool_choice", "auto", error("invalid tool_choice, only `none` is allowed")),
        ("reasoning_effort", "high", error("Unrecognized request argument supplied: "
         "reasoning_effort")),
        ("seed", 1, error("property 'seed' is unsupported")),
        ("min_p", 0.1, b"Unknown name \"min_p\": Cannot find field."),
        ("thinking", {"type": "enabled"}, error("Unknown parameter: 'thinking'.")),
        ("seed", 1, error("Unrecognized request argument supplied: seed")),
        ("logit_bias", {}, error("logit_bias: this field may not be set")),
        ("parallel_tool_calls", True, error("parallel tool calls are not supported")),
        ("tool_choice", "required", error("tool choice must be auto")),
        ("reasoning_effort", "high", error("reasoning effort is not supported by m")),
        ("reasoning_effort", "high", error("m does not support thinking")),
        ("reasoning_effort", "high", error("Thinking level is not supported")),
        ("reasoning_effort", "high", error("thinking_budget is not supported")),
        ("temperature", 0.2, error("Solo se admite temperature = 1")),
        ("temperature", 0.2, error("temperature 必须为 1")),
    ],
)  # fmt: skip
def test_an_option_is_left_out_and_the_rest_stays(
    picky: PickyServer, field: str, value: Any, said: Any
) -> None:
    picky.refuses = lambda body: field in body
    picky.error = said

    answer, notices = ask(picky, options={field: value, "presence_penalty": 0.5})

    assert answer == "fine"
    assert len(notices) == 1
    assert f"does not accept {field}" in notices[0]
    last = picky.asked[-1].json
    assert last["presence_penalty"] == 0.5
    assert len(last["tools"]) == 2
    assert "stream_options" in last


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_length_goes_under_its_other_name(picky: PickyServer, field: str) -> None:
    (other,) = {"max_tokens", "max_completion_tokens"} - {field}
    picky.refuses = lambda body: field in body
    picky.error = error(
        f"Unsupported parameter: '{field}' is not supported with this model. Use "
        f"'{other}' instead.",
        param=field,
    )

    answer, notices = ask(picky, options={field: 100})

    assert answer == "fine"
    assert other in notices[0]
    assert picky.asked[-1].json[other] == 100


def test_a_length_that_is_taken_under_no_name_is_left_out(picky: PickyServer) -> None:
    names = {"max_tokens", "max_completion_tokens"}
    picky.refuses = lambda body: bool(names & body.keys())
    picky.error = error("max_tokens and max_completion_tokens: at most 4096 allowed")

    assert ask(picky, options={"max_tokens": 9999})[0] == "fine"
    assert not names & picky.asked[-1].json.keys()


TOOL_REFUSALS = [
    (401, error("Your key has no access to function calling")),
    (400, error("`tool calling` is not supported with this model")),
    (400, error("`tools` is not supported with this model")),
    (400, [error("Function calling is not enabled for models/gemma-3-27b-it")]),
    (400, {"code": 20037, "message": "Function call is not supported for this model."}),
    (400, error("gemma3:4b does not support tools")),
    (400, error("Tool calling is not supported for this model.")),
    (400, error("Unsupported parameter: 'tools' is not supported with this model.")),
    (400, error("Unrecognized request argument supplied: tools")),
    (404, error("No endpoints found that support tool use.")),
    (400, error('"auto" tool choice requires --enable-auto-tool-choice and '
                "--tool-call-parser to be set")),
    (500, error("tools param requires --jinja flag")),
    (400, {"message": "Please launch the api_server with --tool-call-parser if you "
                      "want to use tool."}),
    (422, {"object": "error", "message": forbidden("tools")}),
    (400, error("Provider returned error", metadata={"raw": '{"code":400, "message":'
                '"model features function calling not support"}'})),
    (400, error("bad request: model 'm' has no provider that supports the requested "
                "capability: tools")),
    (400, error("This model can be used for chat only, without any functions")),
    (400, error("tool_use is unavailable on the free plan")),
    (501, error("Tools: not implemented")),
    (400, error("Invalid request", param="tools")),
    (422, {"detail": "Function-calling isn’t offered here"}),
    (400, {"error": "该模型不支持工具调用"}),
    (400, {"error": "模型未开启函数调用"}),
    (400, error("toolConfig is not supported by this model")),
    (400, error("tools: Extra inputs are not permitted")),
    (400, error("Das Modell unterstützt keine Tools")),
    (500, error("Jinja Exception: This model does not support tools")),
    (400, error("the number of tools must be 0 for this model")),
    (400, b"unexpected key \"tools\""),
    (404, error("this endpoint knows nothing of functions")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "said"), TOOL_REFUSALS)
def test_tools_are_left_out_in_whatever_words_they_are_refused(
    picky: PickyServer, status: int, said: Any
) -> None:
    picky.refuses = lambda body: "tools" in body
    picky.status, picky.error = status, said

    answer, notices = ask(picky, options={"tool_choice": "auto"})

    assert answer == "fine"
    assert len(notices) == 1
    assert "does not accept tools" in notices[0]
    assert "tool_choice" not in picky.asked[-1].json


def test_without_tools_the_calls_of_a_history_are_told_as_text(
    picky: PickyServer,
) -> None:
    history = [
        Message("user", "Look"),
        Message("assistant", tool_calls=(ToolCall("a", "look", {"at": "it"}),)),
        Message("tool", "a cat", tool_call_id="a"),
        Message("user", "And now?"),
    ]
    picky.refuses = lambda body: (
        "tools" in body or "tool" in {m["role"] for m in body["messages"]}
    )
    picky.error = error("tool calling is not supported")

    answer, _ = ask(picky, history)

    assert answer == "fine"
    sent = picky.asked[-1].json["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert "a cat" in sent[-1]["content"]
    assert sent[-1]["content"].endswith("And now?")


@pytest.mark.parametrize(
    "said",
    [
        error("Invalid schema for function 'label': In context=('properties', 'tags'), "
              "array schema missing items.", param="tools[0].function.parameters",
              code="invalid_function_parameters"),
        error("Invalid schema for function 'label': bad"),
        error("* GenerateContentRequest.tools[0].function_declarations[0].parameters."
              "properties[tags].items: missing field."),
        error("tools.0.custom.input_schema: JSON schema is invalid"),
        forbidden("tools", 0, "function", "parameters"),
        error("Invalid 'tools[0].function.name': string does not match pattern"),
        error("JSON schema conversion failed for label: unrecognized schema"),
        {"error": "the parameters of the tool `label` are no valid schema"},
    ],
)  # fmt: skip
def test_a_tool_is_left_out_by_its_schema_and_named(
    picky: PickyServer, said: Any
) -> None:
    picky.refuses = lambda body: "label" in json.dumps(body.get("tools"))
    picky.error = said

    answer, notices = ask(picky)

    assert answer == "fine"
    assert len(notices) == 1
    assert "label" in notices[0]
    (left,) = picky.asked[-1].json["tools"]
    assert left["function"]["name"] == "look"


def test_a_word_of_schemas_that_is_refused_is_left_out_of_all(
    picky: PickyServer,
) -> None:
    rest = {"type": "object", "additionalProperties": {"type": "integer"}}
    tool = ToolSchema("count", "", {"type": "object", "properties": {"of": rest}})
    picky.refuses = lambda body: "additionalProperties" in json.dumps(body)
    picky.error = error(
        'Unknown name "additionalProperties" at '
        "'tools[0].function_declarations[0].parameters': Cannot find field."
    )

    answer, notices = ask(picky, tools=(tool, LOOK))

    assert (answer, notices) == ("fine", [])
    assert len(picky.asked[-1].json["tools"]) == 2


@pytest.mark.parametrize(
    "said",
    [
        error("Unsupported value: 'messages[0].role' does not support 'system' with "
              "this model.", param="messages[0].role", code="unsupported_value"),
        error("System role not supported"),
        error("unsupported role: system"),
        error("system messages are not allowed"),
        error("Only user, assistant and tool roles are supported, got system"),
        error("Input should be 'user' or 'assistant'", param="messages.0.role"),
        error("Input should be 'user' or 'assistant'"),
        error("Only user and assistant roles are supported!"),
        error("Developer instruction is not enabled for models/gemma-3-27b-it"),
        {"detail": [{"loc": ["body", "messages", 0, "role"], "type": "enum",
                     "msg": "unexpected value 'system'; permitted: 'user'"}]},
    ],
)  # fmt: skip
def test_a_system_message_goes_with_the_question(picky: PickyServer, said: Any) -> None:
    picky.refuses = lambda body: body["messages"][0]["role"] == "system"
    picky.error = said

    answer, notices = ask(picky)

    assert answer == "fine"
    assert "system message" in notices[0]
    (sent,) = picky.asked[-1].json["messages"]
    assert sent == {"role": "user", "content": "Be brief.\n\nHello"}


@pytest.mark.parametrize(
    "said",
    [
        error("unknown variant `image_url`, expected `text`"),
        error("This model does not support images"),
        error("Invalid type for 'messages[1].content': expected a string"),
    ],
)
def test_images_are_named_to_a_model_without_eyes(
    picky: PickyServer, said: Any
) -> None:
    image = Attachment("a.png", "image/png", b"1")
    picky.refuses = lambda body: "image_url" in json.dumps(body)
    picky.error = said

    answer, notices = ask(picky, [Message("user", "See", attachments=(image,))])

    assert answer == "fine"
    assert "images" in notices[0]


def test_a_model_that_does_not_stream_answers_whole(picky: PickyServer) -> None:
    picky.refuses = lambda body: body["stream"]
    picky.error = error(
        "Your organization must be verified to stream this model.", param="stream"
    )

    answer, notices = ask(picky)

    assert answer == "fine"
    assert "does not stream" in notices[0]


ROUND = [
    Message("user", "Look"),
    Message("assistant", tool_calls=(ToolCall("a", "look", {}),)),
    Message("tool", "a cat", tool_call_id="a"),
    Message("user", "And now?"),
]


@pytest.mark.parametrize(
    "said",
    [
        error("thinking is enabled but reasoning_content is missing in assistant tool "
              "call message at index 1"),
        error("The reasoning_content in the thinking mode must be passed back to the "
              "API."),
        error("Please include the model's reasoning_content of the previous turn"),
        error("Missing `reasoning_content` field in the assistant message at index 1."),
    ],
)  # fmt: skip
def test_thoughts_that_are_wanted_and_were_never_had_are_filled_in(
    picky: PickyServer, said: Any
) -> None:
    picky.refuses = lambda body: (
        "tool_calls" in body["messages"][1]
        and not body["messages"][1].get("reasoning_content")
    )
    picky.error = said

    answer, notices = ask(picky, ROUND)

    assert (answer, notices) == ("fine", [])
    assert "tools" in picky.asked[-1].json
    assert "tool_calls" in picky.asked[-1].json["messages"][1]


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (error("Assistant message must have either content or tool_calls, but not "
               "both."), ""),
        (error("The text field in the ContentBlock object is blank"), None),
    ],
)  # fmt: skip
def test_a_text_beside_a_call_is_written_as_it_is_taken(
    picky: PickyServer, said: Any, content: Any
) -> None:
    text = "" if content is None else "Let me look."
    calling = Message("assistant", text, tool_calls=(ToolCall("a", "look", {}),))
    picky.refuses = lambda body: body["messages"][1]["content"] != content
    picky.error = said

    answer, notices = ask(picky, [ROUND[0], calling, *ROUND[2:]])

    assert (answer, notices) == ("fine", [])
    assert "tools" in picky.asked[-1].json


@pytest.mark.parametrize("said", [error("Bad Request"), b" ", error("Invalid input")])
@pytest.mark.parametrize("field", ["tools", "stream_options"])
def test_a_refusal_without_a_reason_is_mostly_about_these(
    picky: PickyServer, said: Any, field: str
) -> None:
    picky.refuses = lambda body: field in body
    picky.error = said

    answer, notices = ask(picky)

    assert answer == "fine"
    assert any(field in notice for notice in notices)
    kept = {"tools", "stream_options"} - {field}
    assert kept <= picky.asked[-1].json.keys()


def test_a_signature_that_is_wanted_and_was_never_had_is_waived(
    picky: PickyServer,
) -> None:
    picky.refuses = lambda body: (
        "tool_calls" in body["messages"][1]
        and "extra_content" not in body["messages"][1]["tool_calls"][0]
    )
    picky.error = error("Function call is missing a thought_signature in functionCall")

    assert ask(picky, ROUND) == ("fine", [])
    assert "tool_calls" in picky.asked[-1].json["messages"][1]


def test_a_signature_that_is_good_no_longer_is_waived(picky: PickyServer) -> None:
    asked = OpenAIModel("test", "m", picky.url, max_retries=0)
    stale = {"extra_content": {"google": {"thought_signature": "stale"}}}
    calling = Message(
        "assistant",
        tool_calls=(ToolCall("a", "look", {}, stale),),
        origin=asked.origin,
    )

    def refuses(body: Body) -> bool:
        (each,) = body["messages"][1]["tool_calls"]
        picky.error = error("Corrupted thought signature.")
        if "extra_content" not in each:
            picky.error = error("Function call is missing a thought_signature")
        return "skip" not in json.dumps(each)

    picky.refuses = refuses
    try:
        _, reply = collect(
            asked.generate([ROUND[0], calling, *ROUND[2:]], (LOOK,), Turn("t"))
        )
    finally:
        asked.close()

    assert reply.message.text == "fine"
    assert "tools" in picky.asked[-1].json


@pytest.mark.parametrize(
    "said",
    [
        error("'messages.1' : for 'role:assistant' the following must be satisfied"
              "[('messages.1' : property 'reasoning_content' is unsupported)]"),
        forbidden("messages", 1, "assistant", "reasoning_content"),
        error("messages[1].reasoning_content: reasoning_content is not supported with "
              "this model"),
    ],
)  # fmt: skip
def test_thoughts_that_are_refused_go_back_no_more(
    picky: PickyServer, said: Any
) -> None:
    asked = OpenAIModel("test", "m", picky.url, max_retries=0)
    picky.answer()  # for the pool's look at the end
    picky.refuses = lambda body: "reasoning_content" in json.dumps(body["messages"])
    picky.error = said
    thought = Message(
        "assistant",
        "",
        "Hm.",
        (ToolCall("a", "look", {}),),
        origin=asked.origin,
        reasoning_field="reasoning_content",
    )
    try:
        events, reply = collect(
            asked.generate([ROUND[0], thought, *ROUND[2:]], (LOOK,), Turn("t"))
        )
    finally:
        asked.close()

    assert reply.message.text == "fine"
    assert not [e for e in events if isinstance(e, NoticeGiven)]
    assert len(picky.asked) == 2
    assert "tools" in picky.asked[-1].json


def test_several_refusals_one_after_another_are_all_heeded(
    picky: PickyServer,
) -> None:
    order = ["stream_options", "temperature", "tools"]

    def refuses(body: Body) -> bool:
        named = [field for field in order if field in body]
        if named:
            picky.error = forbidden(named[0])
        return bool(named)

    picky.refuses = refuses

    answer, notices = ask(picky, options={"temperature": 0.5})

    assert answer == "fine"
    assert len(notices) == 3


def test_a_refusal_within_a_stream_is_understood_too(server: SSEServer) -> None:
    refusal = error("fake does not support tools", code=400)
    server.answer(event(refusal), DONE)
    server.answer(text("fine"), finish(), DONE)

    answer, notices = ask(server)

    assert answer == "fine"
    assert "does not accept tools" in notices[0]


@pytest.mark.parametrize("words", ["tools are not supported", "stream_options: no"])
def test_what_did_not_help_is_put_back_and_the_refusal_told(
    picky: PickyServer, words: str
) -> None:
    picky.refuses = lambda body: True
    picky.error = error(words)
    model = OpenAIModel("test", "m", picky.url, max_retries=0)

    for _ in range(2):
        with pytest.raises(ModelError, match=words):
            collect(model.generate(ASK, (LOOK,), Turn("t")))

    model.close()
    assert len(picky.asked) == 4
    assert "tools" in picky.asked[2].json
    assert "stream_options" in picky.asked[2].json


def test_a_conversation_that_is_too_long_is_no_refusal_of_a_field(
    picky: PickyServer,
) -> None:
    picky.refuses = lambda body: True
    picky.error = error(
        "'max_tokens' is too large. This model's maximum context length is 100 tokens",
        param="max_tokens",
    )
    model = OpenAIModel("test", "m", picky.url, options={"max_tokens": 9})

    with pytest.raises(ContextOverflow):
        collect(model.generate(ASK, (), Turn("t")))

    model.close()
    assert all("max_tokens" in request.json for request in picky.asked)


GATEWAYS = {
    "a field": ("stream_options", error("Unknown field: stream_options")),
    "a field by its place": ("stream_options", forbidden("stream_options")),
    "tools": ("tools", error("Tool calling is not supported for this model")),
    "tools by their place": ("tools", forbidden("tools")),
}


@pytest.mark.parametrize("what", GATEWAYS)
@pytest.mark.parametrize("status", [403, 413, 502, 503])
def test_a_gateway_that_refuses_in_plain_words_is_understood(
    picky: PickyServer, status: int, what: str
) -> None:
    field, picky.error = GATEWAYS[what]
    picky.refuses = lambda body: field in body
    picky.status = status

    answer, notices = ask(picky)

    assert answer == "fine"
    assert f"does not accept {field}" in notices[0]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Country, region, or territory not supported"),
        (403, "This key may not stream, call tools or set stream_options"),
        (413, "Request too large: 12 tools, stream_options, 9000 tokens requested"),
        (503, "The tools service cannot be reached"),
    ],
)
def test_a_gateway_that_only_mentions_a_field_refuses_none(
    picky: PickyServer, status: int, said: str
) -> None:
    picky.refuses = lambda body: True
    picky.status, picky.error = status, error(said)
    model = OpenAIModel("test", "m", picky.url, max_retries=0)

    with pytest.raises(ModelError) as raised:
        collect(model.generate(ASK, (LOOK,), Turn("t")))

    model.close()
    assert said in str(raised.value)
    assert len(picky.asked) == 1


NO_TOOLS = [
    "Tool use is not enabled for your key",
    "Tool calling is not available on your plan.",
    "This API key does not allow function calling",
    "You are not allowed to use tools",
    "Function calling is disabled for this organization",
    "Your account does not have access to tool use",
]
BAD_KEY = [
    "Incorrect API key provided. Tool use requires a valid key",
    "Invalid API key: tools are not available",
    "No api key provided; function calling is not enabled",
    "Your token has expired. Tools are not supported without one",
    "Missing authentication token (tools not allowed)",
]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("said", NO_TOOLS)
def test_a_key_that_may_not_use_tools_is_asked_without_them(
    picky: PickyServer, status: int, said: str
) -> None:
    picky.refuses = lambda body: "tools" in body
    picky.status, picky.error = status, error(said)

    answer, notices = ask(picky)

    assert answer == "fine"
    assert "does not accept tools" in notices[0]
    assert said.rstrip(".") in notices[0]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("said", BAD_KEY)
def test_a_bad_key_is_a_bad_key_even_if_tools_are_mentioned(
    picky: PickyServer, status: int, said: str
) -> None:
    picky.refuses = lambda body: True
    picky.status, picky.error = status, error(said)
    model = OpenAIModel("test", "m", picky.url, api_key="sk-12345678", max_retries=0)

    with pytest.raises(ModelError) as raised:
        collect(model.generate(ASK, (LOOK,), Turn("t")))

    model.close()
    assert raised.value.kind == "unauthorized"
    assert len(picky.asked) == 1


PAGE = (
    "<!DOCTYPE html><html><head><title>400 Bad Request</title>"
    "<style>.tools {}</style></head><body><h1>Bad Request</h1>"
    "<p>Unknown field: <b>&#x27;stream_options&#x27;</b></p></body></html>"
)


def test_a_page_that_names_a_field_is_understood(picky: PickyServer) -> None:
    picky.refuses = lambda body: "stream_options" in body
    picky.error = PAGE.encode()

    answer, notices = ask(picky)

    assert answer == "fine"
    assert "does not accept stream_options" in notices[0]
    assert "<" not in notices[0]


@pytest.mark.parametrize(
    "page",
    [
        b"<html><body>Log in to see your tools</body></html>",
        b"<html><script>var tools = 'not supported'</script><h1>Bad</h1></html>",
        b"<html>" + b"<" * 100_000 + b"<!-- <style>" * 10_000,
    ],
)
def test_a_page_that_refuses_nothing_is_a_page(picky: PickyServer, page: bytes) -> None:
    picky.refuses = lambda body: True
    picky.error = page
    model = OpenAIModel("test", "m", picky.url, max_retries=0)

    with pytest.raises(ModelError, match="a web page"):
        collect(model.generate(ASK, (LOOK,), Turn("t")))

    model.close()
    assert len(picky.asked) == 1


@pytest.mark.parametrize("status", [401, 403, 429])
def test_other_errors_that_name_tools_are_no_refusals(
    picky: PickyServer, status: int
) -> None:
    picky.refuses = lambda body: True
    picky.status, picky.error = status, error("no tools for this key")
    model = OpenAIModel("test", "m", picky.url, max_retries=0)

    with pytest.raises(ModelError):
        collect(model.generate(ASK, (LOOK,), Turn("t")))

    model.close()
    assert len(picky.asked) == 1


def test_a_model_that_is_called_after_tools_is_not_taken_for_them(
    picky: PickyServer,
) -> None:
    picky.refuses = lambda body: True
    picky.status, picky.error = 404, error("The model `x/tools-7b` does not exist")
    model = OpenAIModel("test", "x/tools-7b", picky.url, max_retries=0)

    with pytest.raises(ModelError, match="tools-7b"):
        collect(model.generate(ASK, (LOOK,), Turn("t")))

    model.close()
    assert len(picky.asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"choices": None, "base_resp": {"status_code": 9, "status_msg": "it is down"}},
        {"error": {"message": "it is down"}},
        {"error": {"message": "it is down: tools are not supported"}},
    ],
)
def test_nothing_is_said_or_learned_before_there_is_an_answer(
    server: SSEServer, said: Body
) -> None:
    server.answer(event(said), DONE)
    asked = OpenAIModel("test", "m", server.url, max_retries=0)
    events: list[Event] = []
    for _ in range(2):
        with pytest.raises(ModelError, match="it is down"):
            collect(asked.generate(ASK, (LABEL,), Turn("t")), events)
    asked.close()

    assert not events
    sent = ["tools" in request.json for request in server.asked]
    assert sent in ([True] * 2, [True, False] * 2)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "error parsing tool call: raw='{\"a\":', err=unexpected end of JSON"),
        (500, "Failed to parse input at pos 5: <tool_call>{"),
        (400, "Failed to call a function. Please adjust your prompt."),
        (400, "tool call validation failed: attempted to call tool 'x' which was not"),
    ],
)
def test_a_call_that_was_written_badly_is_no_refusal_of_tools(
    server: SSEServer, status: int, said: str
) -> None:
    code = "tool_use_failed" if status == 400 else "api_error"
    server.json(error(said, code=code), status=status, headers={"retry-after-ms": "9"})
    server.answer(text("fine"), finish(), DONE)
    asked = OpenAIModel("test", "m", server.url, max_retries=1)

    events, reply = collect(asked.generate(ASK, (LABEL,), Turn("t")))
    asked.close()

    assert reply.message.text == "fine"
    assert all("tools" in request.json for request in server.asked)
    (retry,) = [event for event in events if isinstance(event, RetryScheduled)]
    assert retry.text == said
    assert not [event for event in events if isinstance(event, NoticeGiven)]


@pytest.mark.parametrize(
    "said",
    [
        "このモデルはツール呼び出しに対応していません",
        "Funktionsaufrufe werden von diesem Modell nicht unterstützt",
        "Ce modèle ne prend pas en charge les outils",
        "Модель не поддерживает инструменты",
        "이 모델은 도구 호출을 지원하지 않습니다",
        "El modelo no admite herramientas",
    ],
)
def test_tools_are_refused_in_other_languages(picky: PickyServer, said: str) -> None:
    picky.refuses = lambda body: "tools" in body
    picky.error = error(said)

    assert ask(picky)[0] == "fine"


@pytest.mark.parametrize(
    "said",
    [
        {"errors": {"StreamOptions": ["Unknown member"]}, "title": "It is odd"},
        {"errors": {"stream_options": ["The field is prohibited."]}},
        {"code": 400, "msg": "参数 stream_options 错误"},
        error("stream_options: wrong value"),
    ],
)
def test_a_field_is_found_by_names_and_words_of_others(
    picky: PickyServer, said: Body
) -> None:
    picky.refuses = lambda body: "stream_options" in body
    picky.error = said

    answer, notices = ask(picky)

    assert answer == "fine"
    assert len(picky.asked) == 3
    assert "does not accept stream_options" in notices[0]


@pytest.mark.parametrize(
    "said", ["Function name 'look' is reserved", "tools.1.custom.name: it is invalid"]
)
def test_a_tool_is_left_out_by_its_name(picky: PickyServer, said: str) -> None:
    picky.refuses = lambda body: "look" in json.dumps(body.get("tools"))
    picky.error = error(said)

    _, notices = ask(picky)

    assert [t["function"]["name"] for t in picky.asked[-1].json["tools"]] == ["label"]
    assert "the tool look" in notices[0]


def test_tools_that_are_all_refused_one_by_one_are_all_left_out(
    picky: PickyServer,
) -> None:
    many = tuple(ToolSchema(f"t{n}", "", LOOK.parameters) for n in range(40))
    picky.refuses = lambda body: "tools" in body
    picky.error = forbidden("tools", 0, "function")

    answer, _ = ask(picky, tools=many)

    assert answer == "fine"
    assert len(picky.asked) < 10


def test_a_template_without_a_system_role_complains_of_turns(
    picky: PickyServer,
) -> None:
    picky.refuses = lambda body: body["messages"][0]["role"] == "system"
    picky.error = error("Conversation roles must alternate user/assistant/user/...")

    assert ask(picky)[0] == "fine"
