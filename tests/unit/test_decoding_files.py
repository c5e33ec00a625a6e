"""What stands in a file never ends a program: it is read, or is no good."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import bounds, config, paths
from tui.app import state, themes
from tui.conversation import read_state
from tui.errors import ConfigError
from tui.eventlog import EventLog
from tui.models.local import crashes
from tui.models.scripted import ScriptedModel
from tui.runtime import worker_registry

DEEP = "[" * 100_000 + "]" * 100_000
JSON = {
    "deep": DEEP.encode(),
    "deep in a field": ('{"x": ' + DEEP + "}").encode(),
    "deep and cut off": b"[" * 100_000,
    "objects": b'{"a":' * 100_000,
    "a huge number": b"9" * 100_000,
    "a huge exponent": b"1e" + b"9" * 1000,
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "no UTF-8 at all": bytes(range(256)),
    "half a pair": rb'{"a": "\ud800"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "nothing": b"",
    "NUL": b"\0" * 100,
}
TOML = {
    "deep": f"x = {DEEP}",
    "deep tables": "x = " + "{a = " * 100_000,
    "a key of many parts": "a." * 400_000 + "a = 1",
    "a table of many parts": "[" + "a." * 400_000 + "a]",
    "a key that is a little too deep": ".".join("a" * 100) + " = 1",
    "a huge number": "x = " + "9" * 100_000,
    "a number of 400 digits": "max_rounds = " + "9" * 400,
    "a float of 400 digits": "[models.x]\nprovider = 'openai'\ntimeout = " + "9" * 400,
    "no date": "x = 2026-13-45",
    "nothing that is TOML": "\0\x01",
}


@pytest.mark.parametrize("name", JSON)
def test_json_in_a_file_is_read_or_is_none(name, home, tmp_path):
    data = JSON[name]
    worker_registry.file().parent.mkdir(parents=True, exist_ok=True)
    worker_registry.file().write_bytes(data)
    assert worker_registry.find() is None
    paths.crashes_file().parent.mkdir(parents=True, exist_ok=True)
    paths.crashes_file().write_bytes(data)
    assert crashes.recall("x") is None
    script = tmp_path / "script.json"
    script.write_bytes(data)
    with pytest.raises(ConfigError, match=r"script\.json cannot be used: "):
        ScriptedModel.from_file(script)


@pytest.mark.parametrize("name", JSON)
def test_whose_a_draft_is_may_be_anything(name, home):
    owner = JSON[name].decode("utf-8", "replace")
    keys = [f"new c {owner}", f'new c {{"pid": {owner}}}', f"new c {{{owner}"]
    with EventLog(paths.log_file()) as log:
        for key in keys:
            read_state.save_draft(log, key, "a thought").result(30)
        assert read_state.opened(log, "another", adopt=True).draft in ("", "a thought")


@pytest.mark.parametrize("name", TOML)
def test_toml_in_a_file_is_read_or_is_none(name, tmp_path):
    file = tmp_path / "it.toml"
    file.write_text(TOML[name], "utf-8")
    with pytest.raises(ConfigError, match=r"it\.toml") as error:
        config.load(file)
    assert len(str(error.value)) < 500
    with pytest.raises(ConfigError, match=r"it\.toml"):
        themes.parse(TOML[name], "it", str(file))
    assert state.load(file) == state.State()
    with pytest.raises(ConfigError, match=r"it\.toml"):
        ScriptedModel.from_file(file)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x = '\xff'", "x = 1".encode("utf-16")])
def test_toml_that_is_no_utf8_is_none(data, tmp_path):
    file = tmp_path / "it.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=r"it\.toml"):
        config.load(file)
    assert state.load(file) == state.State()
    with pytest.raises(ConfigError, match=r"it\.toml"):
        ScriptedModel.from_file(file)


def test_a_byte_order_mark_is_no_part_of_a_script(tmp_path):
    for name, text in (
        ("it.json", '{"reply": [{"text": "Hi."}]}'),
        ("it.toml", '[[reply]]\ntext = "Hi."'),
    ):
        file = tmp_path / name
        file.write_text(text, "utf-8-sig")
        assert ScriptedModel.from_file(file).name == "scripted"


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_is_decoded_is_a_value_or_a_value_error(data):
    for type in (dict, list, int, str):
        with suppress(ValueError):
            bounds.decode_as(data, type)
    with suppress(ValueError):
        bounds.decode_toml(data if isinstance(data, str) else data.decode("latin-1"))


@given(
    st.recursive(
        st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_what_is_fair_is_decoded_as_it_is(value):
    assert bounds.decode_as(json.dumps({"v": value}), dict) == {"v": value}
