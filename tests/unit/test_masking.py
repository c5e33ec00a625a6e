"""What is masked in texts from outside, and that it takes its time in proportion."""

import base64
import html
import json
import subprocess
import sys
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from tui import masking

KEY = "sk-proj-9fK/2+x_Qz&T4=ab"


@pytest.fixture(autouse=True)
def only_this_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_secrets", set())
    masking.remember_key(KEY)


def hexed(text: str, code: str) -> str:
    """Return `text` with all but letters and digits as hexadecimal numbers."""
    return "".join(c if c.isalnum() else code.format(ord(c)) for c in text)


FORMS = {
    "plain": KEY,
    "capitals": KEY.upper(),
    "percent": quote(KEY, safe=""),
    "percent, path": quote(KEY),
    "percent, small": quote(KEY, safe="").lower(),
    "percent, all that is no letter": hexed(KEY, "%{:02X}"),
    "percent, twice": quote(quote(KEY, safe=""), safe=""),
    "percent, all": "".join(f"%{ord(c):02x}" for c in KEY),
    "JSON of PHP": KEY.replace("/", "\\/"),
    "JSON of Go": KEY.replace("&", "\\u0026").replace("+", "\\u002b"),
    "JSON of .NET": hexed(KEY, "\\u{:04X}"),
    "JSON in JSON": json.dumps(json.dumps(hexed(KEY, "\\u{:04x}"))),
    "JSON, all": "".join(f"\\u{ord(c):04x}" for c in KEY),
    "repr": hexed(KEY, "\\x{:02x}"),
    "web page": html.escape(KEY),
    "web page, numbers": hexed(KEY, "&#{};"),
    "web page, all": "".join(f"&#x{ord(c):x};" for c in KEY),
    "line end": f"{KEY[:7]}\n{KEY[7:]}",
    "two line ends": f"{KEY[:7]}\r\n  {KEY[7:15]}\n\t{KEY[15:]}",
    "line end in JSON": json.dumps(f"{KEY[:10]}\n{KEY[10:]}"),
    "line end in repr": repr(f"{KEY[:10]}\r\n{KEY[10:]}".encode()),
    "line end, percent": f"{quote(KEY[:9], safe='')}\n{quote(KEY[9:], safe='')}",
    "single quotes": f"'{KEY}'",
    "double quotes": f'"{KEY}"',
    "back quotes": f"`{KEY}`",
    "escaped quotes": f'\\"{KEY}\\"',
    "base64": base64.b64encode(KEY.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize(
    "around", ["{}", "key={}&x=1", "a" * 40_000 + " {} " + "b" * 99]
)
def test_a_key_is_masked_however_it_is_written(form: str, around: str) -> None:
    said = masking.mask(around.format(form))

    left = said.replace("a" * 40_000, "").strip("b\"'`\\ ")
    assert "***" in left
    assert len(left) <= len(around.replace("a" * 40_000, "").strip("b ")) + 12


@given(
    st.lists(st.sampled_from(["\n", "\r\n    ", "\\n", "\\r\\n"]), max_size=4),
    st.lists(st.integers(1, len(KEY) - 1), max_size=4),
)
def test_a_key_is_masked_wherever_its_line_is_broken(
    ends: list[str], places: list[int]
) -> None:
    written = KEY
    for end, place in zip(ends, sorted(set(places), reverse=True), strict=False):
        written = written[:place] + end + written[place:]

    assert masking.mask(f"said {written}.") == "said ***."


@given(st.text(max_size=200))
def test_what_holds_no_secret_is_as_it_was(text: str) -> None:
    said = text.replace("@", "").replace("asic", "").replace("earer", "")

    assert masking.mask(said) == said


@pytest.mark.parametrize("at", [0, 7, (1 << 15) - 9, 1 << 15, (1 << 16) - 1])
def test_a_key_is_masked_at_any_place_of_a_long_text(at: int) -> None:
    text = "x, " * 30_000
    text = f"{text[:at]} {KEY} {text[at:]} {quote(KEY, safe='')}."

    assert masking.mask(text) == text.replace(KEY, "***").replace(
        quote(KEY, safe=""), "***"
    )


def test_a_long_key_is_masked_to_its_end() -> None:
    token = "eyJhbGciOi." + "Ab3-_/" * 2000
    masking.remember_key(token)

    assert masking.mask(f"at {token} end") == "at *** end"
    assert masking.mask(f"{'x ' * 16_380}{token} end").endswith("x *** end")
    assert masking.mask(f"at {token[:5000]}") == "at ***"


@pytest.mark.parametrize("beginning", ["n", "r", "rn"])
def test_a_key_that_follows_a_backslash_is_masked(beginning: str) -> None:
    masking.remember_key(f"{beginning}ext-0123456789")

    assert "0123" not in masking.mask(f"C:\\{beginning}ext-0123456789")


@pytest.mark.parametrize(
    ("login", "left"),
    [
        ("see http://me:pw@host/v1", "see http://***@host/v1"),
        ("HTTP://me@host", "HTTP://***@host"),
        ('"http:\\/\\/me:pw@host"', '"http:\\/\\/***@host"'),
        ("http://host/@me", "http://host/@me"),
    ],
)
def test_logins_in_addresses_are_masked(login: str, left: str) -> None:
    assert masking.mask(login) == left


HOSTILE = (
    "a", "a.", "a://", "://", "://a", ":\\/", "http://u:", "basic ", "basic%20", "b",
    "bearer\n", "bearer 1", KEY[:-1], KEY[:8], "s\n", "s\\n", "\\", "%41", "%25", "%2",
    "\\u0073", "&#115;", "s\n" + " " * 40, "\n", " ", "@", "<title", "<title>", "<h1>x",
    "model", "prompt", "input exceed", "request ", "context size ",
)  # fmt: skip


def test_a_megabyte_of_anything_takes_no_longer_than_it_must() -> None:
    """Where the time grew with the square of the size, one of them would take hours."""
    program = (
        "from unit.test_masking import HOSTILE, KEY\n"
        "from tui import masking\n"
        "from tui.models.openai import errors, limits\n"
        "masking.remember_key(KEY)\n"
        "where = errors.Where('m', 'http://127.0.0.1')\n"
        "for piece in HOSTILE:\n"
        "    text = (piece * 1_000_000)[:1_000_000]\n"
        "    masking.mask(text)\n"
        "    body = text[: limits.ERROR_BYTES]\n"
        "    errors.provider_message('<html>' + body, where)\n"
        "    errors.status_error(400, body, where, body=body)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        timeout=300,
        check=True,
    )
