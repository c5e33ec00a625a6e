"""Which models are sent pictures, and what the user is told of the others."""

import base64
from typing import Any

import pytest
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui.events import NoticeGiven
from tui.messages import Attachment, Message, ToolCall
from tui.models.openai import responses, vision
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

CAT = Attachment("cat.png", "image/png", b"\x89PNG")
LOOK = [Message("user", "What is it?", attachments=(CAT,))]


@pytest.mark.parametrize(
    ("model", "sees"),
    [
        ("gpt-4o-mini", True),
        ("gpt-5-nano", True),
        ("o4-mini", True),
        ("anthropic/claude-sonnet-4", True),
        ("models/gemini-2.5-flash", True),
        ("qwen2.5-vl-7b-instruct", True),
        ("Qwen/Qwen3-VL-8B", True),
        ("llama3.2-vision:11b", True),
        ("meta-llama/Llama-4-Scout", True),
        ("gemma3:4b", True),
        ("gemma3:1b", False),
        ("gpt-3.5-turbo", False),
        ("gpt-4", False),
        ("o3-mini", False),
        ("deepseek-chat", False),
        ("qwen3:8b", False),
        ("llama3.1:8b", False),
        ("gpt-oss-20b", False),
        ("my-model", None),
        ("fake", None),
    ],
)
def test_a_name_tells_whether_a_model_sees(model: str, sees: bool | None):
    assert vision.by_name(model) is sees


@pytest.mark.parametrize(
    ("entry", "sees"),
    [
        ({"architecture": {"input_modalities": ["text", "image"]}}, True),
        ({"architecture": {"input_modalities": ["text"]}}, False),
        ({"capabilities": {"vision": False}}, False),
        ({"capabilities": ["completion", "multimodal"]}, True),
        ({"capabilities": ["completion"]}, None),
        ({"type": "vlm"}, True),
        ({"capabilities": 3, "architecture": "x"}, None),
    ],
)
def test_a_list_of_models_tells_it(entry: dict[str, Any], sees: bool | None):
    assert vision.told({"data": [{"id": "m", **entry}]}, "m") is sees


def test_llama_cpp_tells_it_of_the_model_that_it_runs():
    assert vision.told_by_llama({"modalities": {"vision": True}}) is True
    assert vision.told_by_llama({"modalities": {"vision": False}}) is False
    assert vision.told_by_llama({"modalities": 3}) is None


def test_an_image_of_a_tool_goes_to_the_responses_api():
    wire = list(
        responses.items(
            [
                Message("user", "Draw"),
                Message("assistant", tool_calls=(ToolCall("a", "draw", {}),)),
                Message("tool", "done", tool_call_id="a", attachments=(CAT,)),
            ],
            "",
        )
    )

    assert [item.get("type", item.get("role")) for item in wire] == [
        "user",
        "function_call",
        "function_call_output",
        "assistant",
        "user",
    ]
    assert [part["type"] for part in wire[-1]["content"]] == [
        "input_text",
        "input_image",
    ]


def ask(model: OpenAIModel) -> list[str]:
    events, _ = collect(model.generate(LOOK, (), Turn("t")))
    return [event.text for event in events if isinstance(event, NoticeGiven)]


@pytest.mark.parametrize("name", ["fake", "gpt-4o"])
def test_a_picture_is_sent_unless_the_model_is_known_to_be_blind(
    server: SSEServer, name: str
):
    server.answer(text("A cat"), finish(), DONE)
    model = OpenAIModel("test", name, server.url, max_retries=0)

    assert ask(model) == []

    model.close()
    _, picture = server.requests[0].json["messages"][0]["content"]
    data = base64.b64encode(CAT.data).decode()
    assert picture["image_url"] == {"url": f"data:image/png;base64,{data}"}


@pytest.mark.parametrize(("name", "images"), [("deepseek-chat", None), ("fake", False)])
def test_a_blind_model_is_told_the_name_and_the_user_is_told_once(
    server: SSEServer, name: str, images: bool | None
):
    for _ in range(2):
        server.answer(text("?"), finish(), DONE)
    model = OpenAIModel("test", name, server.url, images=images, max_retries=0)

    (notice,) = ask(model)
    again = ask(model)

    model.close()
    assert "test cannot see pictures" in notice
    assert "cat.png" in notice
    assert again == []
    said = server.requests[0].json["messages"][0]["content"]
    assert said.startswith("What is it?\n\n[cat.png (image/png")


def test_the_configuration_overrules_the_name(server: SSEServer):
    server.answer(text("A cat"), finish(), DONE)
    model = OpenAIModel("test", "deepseek-chat", server.url, images=True)

    assert ask(model) == []

    model.close()
    assert "image_url" in str(server.requests[0].json)
