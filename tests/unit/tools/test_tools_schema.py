"""Schemas from signatures, and arguments checked by them."""

import dataclasses
import datetime
import decimal
import enum
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict, Union

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.errors import ConfigError, ToolError
from tui.tools import Tool, tool


def parameters(function) -> dict[str, Any]:
    return Tool(function, description="x").schema.parameters


def prop(hint: Any, **default: Any) -> dict[str, Any]:
    """The schema of one parameter with this hint."""

    def f(x): ...

    f.__annotations__["x"] = hint
    if default:
        f.__defaults__ = (default["default"],)
    return parameters(f)["properties"]["x"]


def bind(hint: Any, value: Any) -> Any:
    def f(x): ...

    f.__annotations__["x"] = hint
    return Tool(f, description="x").bind({"x": value})["x"]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@dataclasses.dataclass
class Tree:
    value: int
    children: list["Tree"]


class Box(msgspec.Struct):
    corner: Point
    title: str = ""


class Person(TypedDict):
    name: str


class Pair(NamedTuple):
    left: int
    right: int


class Address(pydantic.BaseModel):
    street: str
    number: int = pydantic.Field(description="House number")


@dataclasses.dataclass
class Named:
    x: str


class Options(pydantic.BaseModel):
    values: dict[str, str] = {"title": "kept"}


class Customer(pydantic.BaseModel):
    name: str
    address: Address


POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "integer", "default": 0}},
    "required": ["x"],
}
ADDRESS = {
    "type": "object",
    "properties": {
        "street": {"type": "string"},
        "number": {"type": "integer", "description": "House number"},
    },
    "required": ["street", "number"],
}


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (Path, {"type": "string", "format": "path"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (Color, {"type": "string", "enum": ["blue", "red"]}),
        (
            Optional[int],
            {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        ),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (list[Color], {"type": "array", "items": prop(Color)}),
        (
            dict[str, float],
            {"type": "object", "additionalProperties": {"type": "number"}},
        ),
        (
            set[str],
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        ),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (
            Pair,
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "integer"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (Point, POINT),
        (list[Point], {"type": "array", "items": POINT}),
        (
            Person,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            },
        ),
        (
            Box,
            {
                "type": "object",
                "properties": {
                    "corner": POINT,
                    "title": {"type": "string", "default": ""},
                },
                "required": ["corner"],
            },
        ),
        (Address, ADDRESS),
        (
            Customer,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "address": ADDRESS},
                "required": ["name", "address"],
            },
        ),
        (
            Union[Point, Address],
            {"anyOf": [POINT, ADDRESS]},
        ),
        (Annotated[int, "How many"], {"type": "integer", "description": "How many"}),
        (
            Annotated[int, pydantic.Field(description="How many", ge=1, le=9)],
            {
                "type": "integer",
                "description": "How many",
                "minimum": 1,
                "maximum": 9,
            },
        ),
        (
            Annotated[int, msgspec.Meta(description="How many", gt=0)],
            {"type": "integer", "description": "How many", "exclusiveMinimum": 0},
        ),
        (
            Optional[Annotated[Point, "Where"]],
            {"anyOf": [POINT, {"type": "null"}], "description": "Where"},
        ),
    ],
)
def test_a_hint_becomes_a_plain_schema(hint, schema):
    assert prop(hint) == schema


@pytest.mark.parametrize(
    ("hint", "default", "shown"),
    [
        (int, 3, 3),
        (Color, Color.RED, "red"),
        (Point, Point(1), {"x": 1, "y": 0}),
        (Path, Path("a"), "a"),
        (Address, Address(street="Oak", number=1), {"street": "Oak", "number": 1}),
        (Customer | None, None, None),
        (list[int], [1, 2], [1, 2]),
    ],
)
def test_a_default_stands_in_the_schema(hint, default, shown):
    assert prop(hint, default=default)["default"] == shown


def test_a_default_of_none_makes_a_parameter_optional():
    schema = prop(int, default=None)

    assert schema == {
        "anyOf": [{"type": "integer"}, {"type": "null"}],
        "default": None,
    }


def test_a_default_that_no_json_can_show_is_left_out():
    assert prop(Any, default=object()) == {}


def test_only_parameters_without_default_are_required_in_their_order():
    def f(b: int, a: int, c: int = 1): ...

    schema = parameters(f)

    assert schema["required"] == ["b", "a"]
    assert list(schema["properties"]) == ["b", "a", "c"]


def test_a_function_without_parameters_takes_an_empty_object():
    def f(): ...

    assert parameters(f) == {"type": "object", "properties": {}}


def test_a_parameter_may_be_named_title():
    def f(title: str, default: int, properties: Box): ...

    assert list(parameters(f)["properties"]) == ["title", "default", "properties"]
    assert "title" in parameters(f)["properties"]["properties"]["properties"]


def test_a_default_keeps_its_title():
    schema = prop(Options)

    assert schema["properties"]["values"]["default"] == {"title": "kept"}


def test_a_type_that_contains_itself_is_kept_as_definition():
    def f(tree: Tree): ...

    schema = parameters(f)

    node = schema["$defs"]["Tree"]
    assert node["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema["properties"]["tree"]["properties"]["value"] == {"type": "integer"}


def test_a_pydantic_type_that_contains_itself_is_kept_as_definition():
    class Node(pydantic.BaseModel):
        children: "list[Node]" = []

    def f(node): ...

    f.__annotations__["node"] = Node
    schema = parameters(f)

    children = schema["$defs"]["Node"]["properties"]["children"]
    assert children["items"] == {"$ref": "#/$defs/Node"}


@pytest.mark.parametrize("hint", [complex, subprocess.Popen])
def test_a_hint_that_no_json_can_fill_names_the_parameter(hint):
    with pytest.raises(ConfigError, match=r"Tool f .*line \d+.* parameter x"):
        prop(hint)


def test_a_hint_that_does_not_resolve_is_a_clear_error():
    def f(x: "Litteral['a']"): ...  # noqa: F821 # pyright: ignore[reportUndefinedVariable]

    with pytest.raises(ConfigError, match="name 'Litteral' is not defined"):
        parameters(f)


GOOGLE = """Look something up.

    It takes its time.

    Args:
        place (bytes): Where to look,
            on a map.
        days: How long.

    Returns:
        What was found.
    """
NUMPY = """Look something up.

    It takes its time.

    Parameters
    ----------
    place : bytes
        Where to look,
        on a map.
    days
        How long.

    Returns
    -------
    str
        What was found.
    """
REST = """Look something up.

    It takes its time.

    :param bytes place: Where to look,
        on a map.
    :param days: How long.
    :returns: What was found.
    """


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, REST])
def test_a_docstring_describes_and_the_hints_are_the_truth(docstring):
    def look(place: str, days: int): ...

    look.__doc__ = docstring
    schema = Tool(look).schema

    assert schema.description == "Look something up.\n\nIt takes its time."
    assert Tool(look).summary == "Look something up."
    assert schema.parameters["properties"] == {
        "place": {"type": "string", "description": "Where to look, on a map."},
        "days": {"type": "integer", "description": "How long."},
    }


def test_a_summary_is_docstring_enough():
    @tool
    def look(place: str):
        """Look something up."""

    assert look.schema.description == "Look something up."
    assert look.schema.parameters["properties"]["place"] == {"type": "string"}


def test_a_hint_describes_better_than_the_docstring():
    def look(place: Annotated[str, "A city"]):
        """Look.

        Args:
            place: A place.
        """

    assert parameters(look)["properties"]["place"]["description"] == "A city"


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, "3", 3),
        (int, 3.0, 3),
        (float, 3, 3.0),
        (bool, "true", True),
        (int | str, "3", "3"),
        (str | int, 3, 3),
        (int | None, "null", None),
        (str | None, "null", "null"),
        (Literal[1, 2], "1", 1),
        (Color, "red", Color.RED),
        (list[int], "[1, 2]", [1, 2]),
        (Point, '{"x": 1}', Point(1)),
        (Point, {"x": 1, "y": 2}, Point(1, 2)),
        (list[Point], [{"x": "1"}], [Point(1)]),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (set[int], [1, 1], {1}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Pair, [1, 2], Pair(1, 2)),
        (Person, {"name": "Ada"}, {"name": "Ada"}),
        (Path, "a/b", Path("a/b")),
        (
            Address,
            {"street": "Oak", "number": 1},
            Address(street="Oak", number=1),
        ),
        (Point | Address, {"x": 1}, Point(1)),
        (
            Point | Address,
            {"street": "Oak", "number": 1},
            Address(street="Oak", number=1),
        ),
        (str, "[1]", "[1]"),
        (Any, "3", "3"),
        (Point | Named, {"x": "3"}, Named("3")),
    ],
)
def test_an_argument_that_stands_for_the_right_thing_is_taken(hint, value, expected):
    result = bind(hint, value)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("hint", "value", "complaint"),
    [
        (int, True, "x: expected int, got bool"),
        (int, "soon", "x: expected int, got str"),
        (int, 3.5, "x: expected int, got float"),
        (list[int], "[1, 2", "x: expected array, got str"),
        (str, 3.0, "x: expected str, got float"),
        (str, True, "x: expected str, got bool"),
        (str, 1e300, "x: expected str, got float"),
        (list[str], "a, b", "x: expected array, got str"),
        (list[str], "New York", "x: expected array, got str"),
        (list[int], "1,2", "x: expected array, got str"),
        (list[str], "", "x: expected array, got str"),
        (list[str], None, "x: expected array, got null"),
        (list[list[int]], [1, 2], r"x\[0\]: expected array, got int"),
        (list[list[int]], 1, "x: expected array, got int"),
        (dict[str, int], [1], "x: expected object, got array"),
        (Literal["A", "a"], "Â", "x: must be one of A, a"),
        (Literal["AB", "ab"], "Ab", "x: must be one of AB, ab"),
        (datetime.datetime, "2024-01-01", "x: invalid RFC3339 encoded datetime"),
        (bool, "yes", "x: expected bool, got str"),
        (float, "nan", "x: expected float, got str"),
        (int, None, "x: expected int, got null"),
        (Literal["a", "b"], "c", "x: must be one of a, b"),
        (Color, "green", "x: must be one of blue, red"),
        (list[Point], [{"x": 1}, {"y": 1}], r"x\[1\]: object missing .* field x"),
        (Annotated[int, pydantic.Field(le=9)], 10, "x: expected int <= 9"),
        (Path, [3], "x: expected str, got list"),
        (Address, {"street": "Oak"}, "x: number: Field required"),
    ],
)
def test_an_ill_typed_argument_is_named(hint, value, complaint):
    with pytest.raises(ToolError, match=complaint):
        bind(hint, value)


def test_all_that_is_wrong_is_said_at_once():
    def f(a: int, b: int, c: int): ...

    with pytest.raises(ToolError) as caught:
        Tool(f, description="x").bind({"b": "soon", "d": 1, "c": 2})

    assert str(caught.value) == (
        "d is unknown (the parameters are a, b, c); a is missing; "
        "b: expected int, got str"
    )


def test_an_argument_where_there_are_none_is_unknown():
    def f(): ...

    with pytest.raises(ToolError, match=r"^a is unknown \(there are no parameters\)$"):
        Tool(f, description="x").bind({"a": 1})


def test_null_for_an_argument_with_a_default_means_the_default():
    def f(unit: Literal["c", "f"] = "f"): ...

    assert Tool(f, description="x").bind({"unit": None}) == {}


def test_arguments_left_out_are_left_to_the_function():
    def f(a: int, b: list[int] = []): ...  # noqa: B006 - it stays the function's own

    assert Tool(f, description="x").bind({"a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("hint", "value", "expected", "told"),
    [
        (str, 3, "3", 'x: 3 → "3"'),
        (str, 3.5, "3.5", 'x: 3.5 → "3.5"'),
        (int, "3", 3, 'x: "3" → 3'),
        (float, " 2.5 ", 2.5, 'x: " 2.5 " → 2.5'),
        (bool, "True", True, 'x: "True" → true'),
        (bool, 1, True, "x: 1 → true"),
        (list[str], "a", ["a"], 'x: "a" → ["a"]'),
        (list, 3, [3], "x: 3 → [3]"),
        (list[int], "3", [3], 'x: "3" → [3]'),
        (list[str], [1, "b"], ["1", "b"], 'x: [1,"b"] → ["1","b"]'),
        (list[int] | None, 3, [3], "x: 3 → [3]"),
        (list[Point], {"x": 1}, [Point(1)], 'x: {"x":1} → [{"x":1}]'),
        (dict, "{'a': 1,}", {"a": 1}, """x: "{'a': 1,}" → {"a":1}"""),
        (list[str], "['a',]", ["a"], """x: "['a',]" → ["a"]"""),
        (Point, "{x: 1}", Point(1), 'x: "{x: 1}" → {"x":1}'),
        (Box, {"corner": "{'x': '1'}"}, Box(Point(1)), None),
        (Color, "RED", Color.RED, 'x: "RED" → "red"'),
        (Literal["a", "b"] | None, "A", "a", 'x: "A" → "a"'),
        (datetime.time, "10:30", datetime.time(10, 30), 'x: "10:30" → "10:30:00"'),
        (
            datetime.datetime,
            "2024-01-02 10:30",
            datetime.datetime(2024, 1, 2, 10, 30),
            'x: "2024-01-02 10:30" → "2024-01-02T10:30:00"',
        ),
    ],
)
def test_what_is_plainly_meant_is_taken_and_told(hint, value, expected, told):
    def f(x): ...

    f.__annotations__["x"] = hint
    repairs: list[str] = []

    assert Tool(f, description="x").bind({"x": value}, repairs) == {"x": expected}
    assert len(repairs) == 1
    assert told in (None, repairs[0])


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, 3),
        (float, 3),
        (str, "3"),
        (list[int], [1]),
        (dict[str, int], {"a": 1}),
        (Path, "a"),
        (Point, {"x": 1}),
        (Color, "red"),
        (decimal.Decimal, "1.10"),
        (uuid.UUID, "12345678-1234-5678-1234-567812345678"),
        (datetime.date, "2024-01-02"),
        (bytes, "aGk="),
        (Any, "3"),
        (object, "3"),
        (Address, {"street": "Oak", "number": 1}),
    ],
)
def test_what_fits_is_no_repair(hint, value):
    def f(x): ...

    f.__annotations__["x"] = hint
    repairs: list[str] = []

    Tool(f, description="x").bind({"x": value}, repairs)

    assert repairs == []


def test_the_schema_tells_the_format_of_a_time():
    assert prop(datetime.datetime) == {"type": "string", "format": "date-time"}
    assert prop(datetime.time | None)["anyOf"][0] == {
        "type": "string",
        "format": "time",
    }
    assert prop(list[datetime.datetime])["items"]["format"] == "date-time"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=8,
)
HINTS = st.sampled_from(
    [str, int, float, bool, list[int], dict[str, int], Point, Color, int | str | None]
)


@settings(deadline=None)  # the first example builds the schema
@given(HINTS, JSON)
def test_any_json_is_either_taken_or_refused_in_one_line(hint, value):
    try:
        result = bind(hint, value)
    except ToolError as error:
        said = str(error)
    else:
        said = "x"
        # What has been taken is taken again as it is.
        assert bind(hint, msgspec.to_builtins(result, str_keys=True)) == result

    assert said.startswith("x")
    assert "\n" not in said


@settings(deadline=None)
@given(JSON)
def test_what_fits_as_it_is_is_not_turned_into_something_else(value):
    hint = str | int | float | bool | list[Any] | dict[str, Any] | None

    result = bind(hint, value)

    assert result == value
    assert type(result) is type(value)


def test_tools_of_plain_types_import_no_pydantic():
    code = (
        "import sys\n"
        "from tui.tools import ToolBox\n"
        "ToolBox(['get_current_weather']).schemas()\n"
        "print([m for m in ('pydantic', 'asyncio', 'textual') if m in sys.modules])"
    )

    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("named", "schema"),
    [
        ("int", {"type": "integer"}),
        ("number", {"type": "number"}),
        ("List[int]", {"type": "array", "items": {"type": "integer"}}),
        ("list of str", {"type": "array", "items": {"type": "string"}}),
        ("Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}),
        ("str or None", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (
            "Dict[str, int]",
            {"type": "object", "additionalProperties": {"type": "integer"}},
        ),
        ("int, optional", {"type": "integer"}),
        ("datetime.date", {"type": "string", "format": "date"}),
        ("datetime", {"type": "string", "format": "date-time"}),
        ("pathlib.Path", {"type": "string", "format": "path"}),
        ("Decimal", {"type": "string", "format": "decimal"}),
        ("uuid.UUID", {"type": "string", "format": "uuid"}),
        (
            "set of int",
            {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        ),
        (
            "list[dict[str, int]] | None",
            {
                "anyOf": [
                    {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": {"type": "integer"},
                        },
                    },
                    {"type": "null"},
                ]
            },
        ),
        ("any", {}),
        ("Planet", {}),
        ("List[Planet]", {"type": "array"}),
        ("__import__('os').system('x')", {}),
        ("[" * 300, {}),
    ],
)
def test_without_a_hint_the_type_in_the_docstring_is_one(named, schema):
    def f(number): ...

    f.__doc__ = f"Do it.\n\nArgs:\n    number ({named}): Which.\n"

    found = parameters(f)["properties"]["number"]
    found.pop("description", None)
    assert found == schema


def test_a_hint_wins_over_the_docstring():
    def f(number: str):
        """Do it.

        Args:
            number (int): Which.
        """

    assert parameters(f)["properties"]["number"]["type"] == "string"
    assert Tool(f).bind({"number": "4"}) == {"number": "4"}


def test_the_type_in_the_docstring_converts():
    def even(number):
        """Tell.

        Args:
            number (int): Which.
        """

    assert Tool(even).bind({"number": "4"}) == {"number": 4}


@pytest.mark.parametrize(
    ("hint", "value", "told"),
    [
        (dict[str, int], {"a": "3", "limit": "many"}, "x.limit: expected int, got str"),
        (dict[str, dict[str, int]], {"a": {"b": 1, "c": "x"}}, "x.a.c: "),
        (dict[str, list[int]], {"a": [1], "b": [1, "x"]}, "x.b[1]: "),
        (list[dict[str, int]], [{"a": 1}, {"b": "x"}], "x[1].b: "),
        (dict[str, Point], {"here": {"x": "far"}}, "x.here.x: "),
        (dict[str, int], {"odd key!": "many"}, "x['odd key!']: "),
    ],
)
def test_a_wrong_value_within_is_named_by_its_key(hint, value, told):
    with pytest.raises(ToolError) as caught:
        bind(hint, value)
    assert str(caught.value).startswith(told)
