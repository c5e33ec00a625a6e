"""Each row of the table of servers, against a server that enforces it."""

import json
from collections.abc import Sequence

import pytest
from servers_page import PAGE, page
from support.fakes.strict_server import CHECKS, StrictServer

from tui.agents import FunctionCallAgent
from tui.events import NoticeGiven
from tui.messages import Attachment, Message, ToolCall
from tui.models.openai.chunks import THOUGHTS
from tui.models.openai.model import OpenAIModel
from tui.models.openai.servers import OTHER, RULES, SERVERS, server_of
from tui.models.suppliers import SUPPLIERS
from tui.tools import ToolBox, tool

HISTORY = [
    Message("assistant", "Hello! What can I do for you?"),
    Message("user", "Weather in Oslo and Rome?"),
    Message(
        "assistant",
        "",
        "Two cities.",
        (
            ToolCall("chatcmpl-tool-" + "x" * 50, "weather", {"city": "Oslo"}),
            ToolCall("2", "weather of!", '{"city": '),
        ),
    ),
    Message("tool", "", tool_call_id="chatcmpl-tool-" + "x" * 50),
    Message("user", "Never mind."),
    Message("assistant", "", "Hm."),
    Message("user", "Are you there?"),
    Message("assistant", "Yes."),
    Message("assistant", "And ready."),
    Message("tool", "sunny", tool_call_id="gone"),
    Message("user", "Then the weather again, please."),
]
"""What other models, cancels and faults leave behind."""


@tool
def weather(
    city: str,
    days: list | None = None,  # type: ignore[type-arg]
    span: tuple[int, str] | None = None,
) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def talk(
    server: StrictServer, history: Sequence[Message], question: str
) -> list[Message]:
    """Ask a server; return the conversation after its answer."""
    model = OpenAIModel("test", "m", server.url, supplier=server.name, max_retries=0)
    agent = FunctionCallAgent(model, ToolBox([weather]), system="Be brief.")
    said = [*history, Message("user", question)]
    run = agent.run(said)
    try:
        for event in run:
            assert not isinstance(event, NoticeGiven), event.text
            if message := getattr(event, "message", None):
                said.append(message)
    finally:
        model.close()
    assert server.refused == []
    return said


@pytest.mark.parametrize("name", SERVERS)
def test_any_history_is_taken_by(name: str) -> None:
    with StrictServer(name) as server:
        said = talk(server, HISTORY, "And in Paris?")

        assert said[-1].text == "It is sunny."
        talk(server, said, "Once more.")


@pytest.mark.parametrize("name", SERVERS)
def test_a_conversation_goes_on_at(name: str) -> None:
    """With calls of each other server before, and at each of them afterwards."""
    for other in SERVERS:
        with StrictServer(other) as first, StrictServer(name) as second:
            said = talk(first, [], "Weather?")
            said = talk(second, said, "And tomorrow?")
            said = talk(first, said, "And then?")

            if other != name:
                assert first.secret not in bodies(second)
                assert second.secret not in bodies(first)


@pytest.mark.parametrize("name", SERVERS)
def test_images_and_lost_calls_go_on_at(name: str) -> None:
    """With an image in a question and in a result, after a call that is gone."""
    image = Attachment("a.png", "image/png", b"\x89PNG")
    lost = Message("tool", "x", tool_call_id="gone", attachments=(image,))
    for other in SERVERS:
        with StrictServer(other) as first, StrictServer(name) as second:
            said = [Message("user", "See", attachments=(image,)), lost]
            said = talk(first, said, "Weather?")
            said = talk(second, [*said, lost], "And tomorrow?")
            talk(first, [*said, lost], "And then?")

            if other != name:
                assert first.secret not in bodies(second)
                assert second.secret not in bodies(first)


@pytest.mark.parametrize("name", SERVERS)
def test_a_last_round_without_tools_is_taken_by(name: str) -> None:
    with StrictServer(name) as server:
        model = OpenAIModel("test", "m", server.url, supplier=name, max_retries=0)
        agent = FunctionCallAgent(model, ToolBox([weather]), max_rounds=1)

        list(agent.run([Message("user", "Weather?")]))

        model.close()
        assert server.refused == []
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    "name", [n for n, row in SERVERS.items() if any("back" in r for r in row.rules)]
)
def test_what_is_wanted_back_goes_back_after_a_restart_too(name: str) -> None:
    with StrictServer(name) as server:
        said = talk(server, [], "Weather?")

        assert server.returned
        server.requests.clear()
        talk(server, said, "And tomorrow?")  # by a model that is made anew
        first = server.asked[0].json["messages"]
        assert server.secret in json.dumps(first)


def test_details_come_back_as_they_were() -> None:
    with StrictServer("openrouter") as server:
        talk(server, [], "Weather?")

        (sent,) = [m for m in server.asked[-1].json["messages"] if "tool_calls" in m]
    whole = {
        "type": "reasoning.text",
        "index": 0,
        "text": f"I need the weather. {server.secret}",
    }
    assert sent["reasoning_details"] == [whole]


def bodies(server: StrictServer) -> str:
    return json.dumps([request.json for request in server.asked])


def test_every_rule_is_enforced_and_every_row_has_known_rules() -> None:
    assert CHECKS.keys() == RULES.keys()
    used = {rule for row in SERVERS.values() for rule in row.rules}
    assert used == RULES.keys()
    assert all(row.sources for row in SERVERS.values())


@pytest.mark.parametrize("name", sorted(SERVERS.keys() & SUPPLIERS.keys()))
def test_suppliers_are_known_by_their_address(name: str) -> None:
    row = server_of(SUPPLIERS[name].base_url)

    assert row is SERVERS[name] or not SERVERS[name].hosts


def test_an_address_that_nobody_knows_has_no_rules() -> None:
    assert server_of("http://notmistral.ai.example/v1") is OTHER
    assert server_of("http://127.0.0.1:1/v1", "mistral") is SERVERS["mistral"]


def test_the_page_on_servers_is_what_the_table_says() -> None:
    """`python tests/servers_page.py` writes it."""
    assert PAGE.read_text("utf-8") == page()


def test_the_page_names_every_field_that_reasoning_is_read_from() -> None:
    for name in (*THOUGHTS, "reasoning_details"):
        assert f"`{name}`" in PAGE.read_text("utf-8")
