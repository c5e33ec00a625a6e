"""Objects that are nearly JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.nearly_json import read_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=5)


@given(OBJECTS)
def test_json_is_read_as_it_is(value):
    assert read_object(json.dumps(value)) == value


@given(OBJECTS)
def test_an_object_within_a_string_is_that_object(value):
    assert read_object(json.dumps(json.dumps(value))) == value


@given(st.dictionaries(st.text("ab '\"\n,}{:"), st.text("ab '\"\n,}{:"), max_size=4))
def test_python_s_notation_is_read(value):
    assert read_object(repr(value)) == value


@given(OBJECTS, st.integers(1, 400))
def test_what_is_cut_off_is_no_object(value, cut):
    text = json.dumps(value)
    assert read_object(text[: max(0, len(text) - cut)]) is None


@given(st.text("{}[]\"':,a1. /*#\\n"))
def test_any_text_gives_an_object_or_none(text):
    assert isinstance(read_object(text), dict | None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "{a: True, b: None, c: [1, .5, 2., +3,],}",
            {"a": True, "b": None, "c": [1, 0.5, 2.0, 3]},
        ),
        (r'{"path": "C:\dir\w"}', {"path": r"C:\dir\w"}),
        ('{"text": "one\ntwo"}', {"text": "one\ntwo"}),
        ("{'it': 'isn\\'t'}", {"it": "isn't"}),
        ('/* so */ {"a": 1, # and\n "b": 2}', {"a": 1, "b": 2}),
        ("{true: 1}", {"true": 1}),
        ("{a: b}", None),
        ("{a: NaN}", None),
        ("[1]", None),
        ('{"a": 1}\n\nI will call it now.', {"a": 1}),
        ("{'a': 1,} That's it", {"a": 1}),
        ('{"a": {"b": 1}}}', {"a": {"b": 1}}),
        ('{"a": "}"} done', {"a": "}"}),
        ('{"a": 1}</tool_call>', {"a": 1}),
        ('{"a": 1} {"a": 2}', None),
        ('{"a": 1}, "b": 2', None),
        ('{"a": 1}, b: 2}', None),
        ("{'a': 'x'}', 'b': 'y'}", None),
        ('{"a": 1} or [2]', None),
        ('{"a": 1} "b"', None),
        ('{"a": 1', None),
        ('{"a": [1}} so', None),
        ("", None),
    ],
)
def test_known_forms(text, value):
    assert read_object(text) == value
