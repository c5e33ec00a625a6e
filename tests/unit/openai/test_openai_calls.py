"""Tool calls from pieces, as different servers stream them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fakes.sse_server import call

from tui.messages import ToolCall
from tui.models.openai.calls import CallAssembler, read_arguments

F, G = ToolCall("a", "f", {"x": 1}), ToolCall("b", "g", {"y": "z"})
X, Y = '{"x": 1}', '{"y": "z"}'


def assemble(*deltas: Any) -> list[ToolCall]:
    calls = CallAssembler()
    for pieces in deltas:
        calls.add(pieces)
    return calls.finish()


SERVERS: dict[str, list[Any]] = {
    "openai": [
        [call(0, "a", "f", "")],
        [call(0, arguments='{"x"')],
        [call(0, arguments=": 1}")],
        [call(1, "b", "g", "")],
        [call(1, arguments=Y)],
    ],
    "both in each delta": [
        [call(0, "a", "f"), call(1, "b", "g")],
        [call(0, arguments=X[:3]), call(1, arguments=Y[:4])],
        [call(0, arguments=X[3:]), call(1, arguments=Y[4:])],
    ],
    "index 0 for all, told by id": [
        [call(0, "a", "f", X[:3])],
        [call(0, "b", "g", Y[:3])],
        [call(0, "a", None, X[3:])],
        [call(0, "b", None, Y[3:])],
    ],
    "whole, no index": [
        [call(id="a", name="f", arguments=X)],
        [call(None, "b", "g", Y)],
    ],
    "whole, no index, one delta": [[call(None, "a", "f", X), call(None, "b", "g", Y)]],
    "whole as objects": [
        [call(None, "a", "f", {"x": 1})],
        [call(None, "b", "g", {"y": "z"})],
    ],
    "index 0 for all": [[call(0, "a", "f", X)], [call(0, "b", "g", Y)]],
    "index 0 for all, in pieces": [
        [call(0, "a", "f", "")],
        [call(0, arguments=X)],
        [call(0, "b", "g", "")],
        [call(0, arguments=Y)],
    ],
    "pieces, no index": [
        [call(None, "a", "f", "")],
        [call(arguments=X[:5])],
        [call(arguments=X[5:])],
        [call(None, "b", "g", "")],
        [call(arguments=Y)],
    ],
    "pieces by place, no index": [
        [call(None, "a", "f"), call(None, "b", "g")],
        [call(arguments=X[:3]), call(arguments=Y[:4])],
        [call(arguments=X[3:]), call(arguments=Y[4:])],
    ],
    "id and name with each piece": [
        [call(0, "a", "f", X[:5])],
        [call(0, "a", "f", X[5:])],
        [call(1, "b", "g", Y[:3])],
        [call(1, "b", "g", Y[3:])],
    ],
    "another id with each piece": [
        [call(0, "a", "f", X[:5])],
        [call(0, "c", "f", X[5:])],
        [call(1, "b", "g", Y[:3])],
        [call(1, "d", None, Y[3:])],
    ],
    "the whole call once more": [
        [call(0, "a", "f", X[:5])],
        [call(0, "a", "f", X[5:])],
        [call(0, "a", "f", X), call(1, "b", "g", Y)],
    ],
    "nulls": [
        [{"index": 0, "id": "a", "function": {"name": "f", "arguments": None}}],
        [{"index": 0, "id": None, "function": {"name": None, "arguments": X}}],
        [{"index": 1, "id": "b", "type": None, "function": {"name": "g"}}],
        [{"index": 1, "function": {"name": "", "arguments": Y}}],
        [{"index": 1, "function": None}],
    ],
    "no level of function": [
        [{"id": "a", "name": "f", "arguments": X}],
        [{"id": "b", "name": "g", "parameters": {"y": "z"}}],
    ],
    "no list": [call(0, "a", "f", X), call(1, "b", "g", Y)],
    "junk between": [
        None,
        [None, "?", call(0, "a", "f", X)],
        3,
        [call(1, "b", "g", Y)],
    ],
    "empty arguments first": [
        [call(0, "a", "f", "{}")],
        [call(0, arguments=X[:3])],
        [call(0, arguments=X[3:])],
        [call(1, "b", "g", {})],
        [call(1, arguments=Y)],
    ],
    "all so far in each piece": [
        [call(0, "a", "f", X[:3])],
        [call(0, "a", "f", X[:5])],
        [call(0, "a", "f", X)],
        [call(1, "b", "g", Y[:4])],
        [call(1, arguments=Y)],
    ],
    "arguments twice": [[call(0, "a", "f", X + X)], [call(1, "b", "g", Y + Y)]],
    "no index, ids, side by side": [
        [call(None, "a", "f", X[:3])],
        [call(None, "b", "g", Y[:3])],
        [call(None, "a", None, X[3:])],
        [call(None, "b", None, Y[3:])],
    ],
    "index with a fraction": [
        [call(0, "a", "f", "") | {"index": 0.0}],
        [call(0, arguments=X) | {"index": 0.0}],
        [call(1, "b", "g", Y) | {"index": 1.0}],
    ],
    "index as text": [[call(0, "a", "f", X) | {"index": "0"}], [call(1, "b", "g", Y)]],
}


@pytest.mark.parametrize("server", SERVERS)
def test_calls_come_out_whole(server: str) -> None:
    assert assemble(*SERVERS[server]) == [F, G]


@pytest.mark.parametrize(
    "names", [["get_weather"], ["get_", "weather"], ["get_", "get_weather"]]
)
def test_names_may_come_in_pieces_or_grow(names: list[str]) -> None:
    (found,) = assemble(
        *[[call(0, name=name)] for name in names], [call(0, "a", None, X)]
    )

    assert found == ToolCall("a", "get_weather", {"x": 1})


def test_one_tool_twice_is_two_calls_without_index_and_with_one_id() -> None:
    found = assemble([call(None, "a", "f", X)], [call(None, "a", "f", '{"x": 2}')])

    assert [c.arguments for c in found] == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    "deltas",
    [
        [[call(None, "a", "f", ""), call(None, "b", "f", "")]],
        [[call(None, "a", "f", "")], [call(None, "b", "f", "")]],
        [[call(0, "a", "f", "")], [call(0, "b", "f", "")]],
        [[call(0, "a", "f", ""), call(0, "b", "f", "")]],
    ],
)
def test_one_tool_twice_without_arguments_is_two_calls(deltas: list[Any]) -> None:
    assert assemble(*deltas) == [ToolCall("a", "f", {}), ToolCall("b", "f", {})]


def test_one_index_and_one_id_for_all_is_told_by_the_names() -> None:
    made = assemble([call(0, "a", "f", X)], [call(0, "a", "g", Y)])

    assert [(each.name, each.arguments) for each in made] == [
        ("f", {"x": 1}),
        ("g", {"y": "z"}),
    ]


def test_one_tool_twice_side_by_side_is_told_by_the_ids() -> None:
    pieces = [
        ("a", "f", '{"x"'),
        ("b", "f", '{"x"'),
        ("a", None, ":1}"),
        ("b", "", ":2}"),
    ]

    made = assemble(*[[call(None, *piece)] for piece in pieces])

    assert [each.arguments for each in made] == [{"x": 1}, {"x": 2}]


def test_one_tool_twice_by_one_id_and_index_is_two_calls() -> None:
    made = assemble([call(0, "a", "f", X)], [call(0, "a", "f", '{"x": 2}')])

    assert [each.arguments for each in made] == [{"x": 1}, {"x": 2}]


def test_objects_within_objects_are_not_taken_for_pieces_said_again() -> None:
    (made,) = assemble([call(0, "a", "f", '{"a":')], [call(0, arguments='{"a":1}}')])

    assert made.arguments == {"a": {"a": 1}}


def test_two_names_in_one_delta_are_two_calls() -> None:
    found = assemble([call(name="f"), call(name="g")])

    assert [c.name for c in found] == ["f", "g"]


def test_another_name_after_broken_arguments_is_another_call() -> None:
    found = assemble([call(None, "a", "f", '{"x": ')], [call(None, "b", "g", Y)])

    assert found == [ToolCall("a", "f", '{"x": '), G]


@pytest.mark.parametrize("arguments", ["", " \n", "null", "{}", None, {}])
def test_nothing_is_no_arguments(arguments: Any) -> None:
    (found,) = assemble(
        [call(0, "a", "f") | {"function": {"name": "f", "arguments": arguments}}]
    )

    assert found.arguments == {}


@pytest.mark.parametrize("text", ['{"x": 1', "[1]", "3", '"x"', "x = 1", '{"x": 1}{'])
def test_what_is_no_object_is_kept_as_it_is(text: str) -> None:
    assert assemble([call(0, "a", "f", text)])[0].arguments == text


def test_list_in_place_of_arguments_is_kept_as_text() -> None:
    assert assemble([call(0, "a", "f", [1, 2])])[0].arguments == "[1, 2]"


def test_object_inside_a_json_string_is_read() -> None:
    assert read_arguments(json.dumps(json.dumps({"x": 1}))) == {"x": 1}


def test_arguments_without_a_name_are_a_call_that_is_refused_later() -> None:
    assert assemble([call(0, arguments=X)]) == [ToolCall("", "", {"x": 1})]


words = st.text('ab"{}\\ 好👋', max_size=5)
values = st.dictionaries(words, words | st.integers() | st.none() | st.lists(words))


@settings(max_examples=50)
@given(st.lists(values, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_interleaved_pieces_of_any_size_give_the_arguments(
    arguments: list[dict[str, Any]], random: Any
) -> None:
    texts = [json.dumps(a, ensure_ascii=random.random() < 0.5) for a in arguments]
    pieces = [[call(i, f"id{i}", f"tool{i}", "")] for i in range(len(texts))]
    left = list(texts)
    while any(left):
        i = random.choice([i for i, text in enumerate(left) if text])
        size = random.randint(1, 6)
        pieces.append([call(i, arguments=left[i][:size])])
        left[i] = left[i][size:]

    found = assemble(*pieces)

    assert [c.arguments for c in found] == arguments
    assert [c.name for c in found] == [f"tool{i}" for i in range(len(texts))]
