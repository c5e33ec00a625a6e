"""Names of the tools of MCP servers, whatever the servers are called."""

import re

import pytest

from tui.mcp.naming import server_prefix, tool_names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("my server", "my_server"),
        ("a.b", "a_b"),
        ("x" * 40, "x" * 41),
        ("x" * 30, "x" * 31),
        ("天气", "北京"),
    ],
)
def test_servers_of_similar_names_have_tools_of_their_own(one: str, other: str) -> None:
    names = ["look", "y" * 80]
    of_one, of_other = tool_names(one, names), tool_names(other, names)

    assert not set(of_one.values()) & set(of_other.values())
    for server, given in ((one, of_one), (other, of_other)):
        for name in given.values():
            assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
            assert name.startswith(server_prefix(server))


def test_a_plain_name_is_left_as_it_is() -> None:
    assert tool_names("github", ["review"]) == {"review": "github__review"}


def test_the_order_of_the_tools_does_not_change_their_names() -> None:
    names = ["a_b", "a.b", "a/b", "y" * 80]

    given = tool_names("x", names)

    assert given["a_b"] == "x__a_b"
    assert len(set(given.values())) == 4
    assert tool_names("x", names[::-1]) == given


@pytest.mark.parametrize(
    ("server", "tool", "other", "others"),
    [
        ("a", "b__c", "a__b", "c"),
        ("a", "_c", "a_", "c"),
        ("a", "__c", "a__", "c"),
        ("a", "b___c", "a__b_", "c"),
        ("a", "_", "a_", ""),
    ],
)
def test_no_tool_has_the_name_of_another_servers(
    server: str, tool: str, other: str, others: str
) -> None:
    ours, theirs = tool_names(server, [tool]), tool_names(other, [others])

    assert not set(ours.values()) & set(theirs.values())
    assert "__" not in server_prefix(other).removesuffix("__")
