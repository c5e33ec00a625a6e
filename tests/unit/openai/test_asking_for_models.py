"""What the list of a server's models, asked for as a check, tells of a fault."""

import threading

import pytest
from support.fakes.sse_server import SSEServer

from tui.errors import ModelError
from tui.models.openai.model import OpenAIModel


def test_a_key_that_does_not_come_is_told_apart_from_a_silent_server(
    server: SSEServer,
) -> None:
    printed = threading.Event()

    def key() -> str:
        printed.wait(30)
        return "sk-0123456789"

    model = OpenAIModel("mine", "x", server.url, key)

    with pytest.raises(ModelError, match=r"\[models\.mine\]: api_key_cmd has not"):
        model.listed(0.3)

    printed.set()
    model.close()
    assert server.requests == []


def test_a_web_page_is_no_list(server: SSEServer) -> None:
    page = b"<html><title>Log in</title></html>"
    server.answer(page, path="/models", content_type="text/html")
    model = OpenAIModel("mine", "x", server.url)

    with pytest.raises(ModelError, match=r'a web page \("Log in", text/html\)'):
        model.listed(10)

    model.close()
