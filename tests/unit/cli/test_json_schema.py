"""Checks of values against JSON Schemas, and what is read as the JSON of an answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.cli import checked_answer
from tui.cli.checked_answer import AnswerSchema
from tui.cli.json_schema import Schema
from tui.errors import ConfigError

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
    },
    "required": ["name"],
    "additionalProperties": False,
}
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"inner": {"$ref": "#/$defs/node"}, "n": {"type": "number"}},
        }
    },
}


@pytest.mark.parametrize(
    ("schema", "value", "fault"),
    [
        (PERSON, {"name": "Ada", "age": 3, "tags": ["a", "b"]}, ""),
        (PERSON, {"age": 3}, "$.name is missing"),
        (PERSON, {"name": "Ada", "age": "3"}, "$.age must be integer"),
        (PERSON, {"name": "Ada", "age": -1}, "$.age must be at least 0"),
        (PERSON, {"name": ""}, "$.name must have at least 1 characters"),
        (PERSON, {"name": "Ada", "tags": ["c"]}, '$.tags[0] must be one of "a", "b"'),
        (PERSON, {"name": "A", "tags": ["a"] * 3}, "$.tags must have at most 2 items"),
        (PERSON, {"name": "Ada", "x": 1}, "$.x is not allowed"),
        (PERSON, [], "$ must be object"),
        (TREE, {"inner": {"inner": {"n": 1}}}, ""),
        (TREE, {"inner": {"inner": {"n": "1"}}}, "$.inner.inner.n must be number"),
        ({"type": ["integer", "null"]}, None, ""),
        ({"type": ["integer", "null"]}, "", "$ must be integer or null"),
        ({"type": "integer"}, 3.0, ""),
        ({"type": "integer"}, True, "$ must be integer"),
        ({"type": "number"}, False, "$ must be number"),
        ({"const": 1}, True, "$ must be 1"),
        ({"const": [1, {"a": 2}]}, [1.0, {"a": 2}], ""),
        ({"enum": [0]}, False, "$ must be one of 0"),
        ({"anyOf": [{"type": "null"}, {"minimum": 2}]}, 1, "$ fits none of anyOf"),
        ({"anyOf": [{"type": "null"}, {"minimum": 2}]}, 2, ""),
        (
            {"oneOf": [{"minimum": 1}, {"maximum": 3}]},
            2,
            "$ must fit one of oneOf, but fits 2",
        ),
        ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, 4, "$ must be at most 3"),
        ({"not": {"type": "string"}}, "x", "$ must not fit {'type': 'string'}"),
        ({"pattern": "^a+$"}, "ab", "$ must match ^a+$"),
        ({"pattern": "^a+$"}, 3, ""),
        ({"multipleOf": 0.1}, 0.3, ""),
        ({"multipleOf": 2}, 3, "$ must be a multiple of 2"),
        ({"exclusiveMaximum": 3}, 3, "$ must be below 3"),
        ({"uniqueItems": True}, [1, True, {"a": 1}], ""),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], "$ must not have an item twice"),
        ({"prefixItems": [{"type": "string"}], "items": False}, ["a"], ""),
        (
            {"prefixItems": [{"type": "string"}], "items": False},
            ["a", 1],
            "$[1] must not be there",
        ),
        ({"contains": {"const": 1}}, [2], "$ has no item that fits contains"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "$.ab must have at most 1"),
        ({"patternProperties": {"^n": {"type": "null"}}}, {"n1": 1}, "$.n1 must be"),
        ({"additionalProperties": {"type": "null"}}, {"a": 1}, "$.a must be null"),
        ({"format": "date"}, 3, ""),
        ({"format": "date"}, "2026-02-28", ""),
        ({"format": "date"}, "2026-02-29", "$ must be a valid date"),
        ({"format": "date"}, "tomorrow", "$ must be a valid date"),
        ({"format": "time"}, "14:30:00", ""),
        ({"format": "time"}, "14:30:00.5+02:00", ""),
        ({"format": "time"}, "2 pm", "$ must be a valid time"),
        ({"format": "date-time"}, "2026-11-28T14:30:00Z", ""),
        ({"format": "date-time"}, "2016-12-31T23:59:60z", ""),
        ({"format": "date-time"}, "2026-11-28", "$ must be a valid date-time"),
        ({"format": "uuid"}, "123e4567-e89b-12d3-a456-426614174000", ""),
        ({"format": "uuid"}, "123e4567", "$ must be a valid uuid"),
        ({"format": "email"}, "ada@example.org", ""),
        ({"format": "email"}, "ada at example", "$ must be a valid email"),
        ({"format": "uri"}, "https://example.org/a?b#c", ""),
        ({"format": "uri"}, "example.org", "$ must be a valid uri"),
        ({"format": "ipv4"}, "256.1.1.1", "$ must be a valid ipv4"),
        ({"format": "ipv6"}, "::1", ""),
        ({"format": "color"}, "no colour", ""),
        (
            {
                "$ref": "#node",
                "$defs": {"a": {"$anchor": "node", "type": "null"}},
            },
            1,
            "$ must be null",
        ),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/anyOf/0"}]}, None, ""),
        ({"$ref": "#/$defs/a%20b", "$defs": {"a b": {"type": "null"}}}, 1, "$ must"),
        ({"items": [{"type": "null"}, True]}, [None, 1, 2], ""),
        ({"items": [{"type": "null"}]}, [1], "$[0] must be null"),
        (
            {"items": [True], "additionalItems": False},
            [1, 2],
            "$[1] must not be there",
        ),
        (
            {"items": [True], "additionalItems": {"type": "null"}},
            [1, 2],
            "$[1] must be null",
        ),
        (
            {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "null"}}},
            1,
            "$",
        ),
        ({}, {"any": "thing"}, ""),
    ],
)
def test_a_value_fits_or_its_first_fault_is_named(schema, value, fault):
    found = Schema(schema).fault(value)

    assert found.startswith(fault)
    assert bool(found) is bool(fault)


@pytest.mark.parametrize(
    ("schema", "unknown"),
    [
        (PERSON, []),
        (
            {"if": {}, "then": {}, "properties": {"a": {"minContains": 1}}},
            ["if", "minContains", "then"],
        ),
        ({"anyOf": [{"unevaluatedItems": False}]}, ["unevaluatedItems"]),
        ({"properties": {"if": {"type": "string"}}}, []),
        ({"properties": {"a": {"format": "color"}}}, ["format color"]),
        ({"format": "date", "items": {"additionalItems": True, "items": [{}]}}, []),
    ],
)
def test_keywords_that_are_not_checked_are_named(schema, unknown):
    assert Schema(schema).unknown == unknown


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
        {"$ref": "#/anyOf/1", "anyOf": [{}]},
        {"$ref": "#none"},
        {"items": [3]},
        {"$ref": "https://example.com/schema"},
        {"type": "text"},
        {"type": 3},
        {"required": 3},
        {"properties": []},
        {"anyOf": {}},
        {"allOf": [3]},
        {"properties": {"a": {"items": {"pattern": "("}}}},
        {"enum": 3},
        {"multipleOf": 0},
        {"minimum": "3"},
        3,
        None,
    ],
)
def test_what_is_no_schema_is_refused_at_once(schema):
    with pytest.raises(ValueError, match=r"\w"):
        Schema(schema)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_a_value_fits_its_own_constant_and_no_schema_that_denies_it(value):
    assert Schema({"const": value}).fault(value) == ""
    assert Schema({"enum": [value]}).fault(value) == ""
    assert Schema({"not": {"const": value}}).fault(value) != ""


@given(JSON, JSON)
def test_whatever_the_schema_checking_ends_with_a_line_or_a_refusal(schema, value):
    try:
        fault = Schema(schema).fault(value)
    except ValueError as error:
        fault = str(error)
    assert isinstance(fault, str)


@pytest.fixture
def wanted(tmp_path):
    file = tmp_path / "person.json"
    file.write_text(json.dumps(PERSON))
    return AnswerSchema(str(file))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('{"name": "Ada"}', '{"name":"Ada"}'),
        (' {"name": "Käthe"}\n', '{"name":"Käthe"}'),
        ('```json\n{"name": "Ada"}\n```', '{"name":"Ada"}'),
        ('Here it is:\n\n```\n{"name": "Ada"}\n```\nDone.', '{"name":"Ada"}'),
        ('It is {"name": "Ada"}', '{"name":"Ada"}'),
        ("{'name': 'Ada',}", '{"name":"Ada"}'),
        ('As [1] says: {"name": "Ada"}.', '{"name":"Ada"}'),
        ('It is {"name": "Ada"}. I hope that {this} helps!', '{"name":"Ada"}'),
        ('{"name": "Ada"} — or {"nobody": 1}?', '{"name":"Ada"}'),
        ('{"name": "Ada"}\n\n{"name": "Ada"}', '{"name":"Ada"}'),
        (
            'The schema:\n```json\n{"type": "object"}\n```\nThe answer:\n'
            '```json\n{"name": "Ada"}\n```\n',
            '{"name":"Ada"}',
        ),
        ('- It:\n  ```json title="a"\n  {"name": "Ada"}\n  ```', '{"name":"Ada"}'),
        ('~~~\n{"name": "Ada"}\n~~~', '{"name":"Ada"}'),
        ('[{"name": "Eve"}] is a list of {"name": "Ada"}', '{"name":"Ada"}'),
        ('It is {"name": "A } \\" {"} there.', '{"name":"A } \\" {"}'),
        ('{"name": "a\\u001b]0;x\\u0007"}', '{"name":"a\\u001b]0;x\\u0007"}'),
    ],
)
def test_the_json_of_an_answer_is_found(wanted, answer, text):
    assert wanted.check(answer) == (text, "")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("", "it is empty"),
        ("I do not know.", "it is not JSON"),
        ('{"name": "Ada"', "it is not JSON"),
        ('{"name": "Ada"} or {"name": "Eve"}', "it has more than one JSON value"),
        ('{"tags": {"name": "Ada"}, oops', "it is not JSON"),
        ('See [1]: {"age": 1}', "$.name is missing"),
        ('{"age": 1}', "$.name is missing"),
        ("[1]", "$ must be object"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(wanted, answer, fault):
    assert wanted.check(answer) == ("", fault)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "truncated"),
        (b"[1]", "a schema must be a JSON object"),
        (b'{"type": "text"}', "type 'text': no such type"),
        (b'{"a": "' + b"x" * (1 << 18) + b'"}', "larger than 256 kB"),
        (b"\xff", "malformed"),
        (b'{"not": ' * 100 + b"{}" + b"}" * 100, "levels deep"),
    ],
)
def test_a_file_that_is_no_schema_is_named(tmp_path, data, told):
    file = tmp_path / "it.json"
    file.write_bytes(data)

    with pytest.raises(ConfigError) as caught:
        AnswerSchema(str(file))

    assert str(caught.value).startswith(f"--schema {file}: ")
    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Any):
    with pytest.raises(ConfigError, match="No such file"):
        AnswerSchema(tmp_path / "none.json")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^(a+)+$"},
        {"type": "string", "anyOf": [{"pattern": "^(a|aa)+$"}]},
        {"type": "object", "patternProperties": {"^(a+)+$": True}},
    ],
)
def test_a_pattern_that_takes_for_ever_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: Any
) -> None:
    monkeypatch.setattr(checked_answer, "PATTERN_SECONDS", 0.5)
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(schema))
    text = "a" * 60 + "!"
    answer = json.dumps(text if schema["type"] == "string" else {text: 1})

    checked = AnswerSchema(str(file)).check(answer)

    assert checked.fault.startswith("a pattern of the schema takes more than 0.5")


def test_a_pattern_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text('{"type": "string", "pattern": "^ü+$"}')

    assert AnswerSchema(str(file)).check('"üü"').text == '"üü"'
    assert "pattern" in AnswerSchema(str(file)).check('"x"').fault or "match" in (
        AnswerSchema(str(file)).check('"x"').fault
    )
