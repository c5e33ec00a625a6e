import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.safe import safe, spelled_out

anything = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x9b2J", "\N{REPLACEMENT CHARACTER}2J"),
        ("a\x7fb\x00c\x08", "a␡b␀c␈"),
        ("a\r\nb\rc", "a\nbc"),
        ("a\tb", "a    b"),
        ("if access \u202e} \u2066# admin", "if access } # admin"),
        ("a\u200eb\u200fc\u061cd", "abcd"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("half \ud83d pair", "half \N{REPLACEMENT CHARACTER} pair"),
        ("\U000e0041hidden\U000e007f", "hidden"),
        ("\ufeffbom\u200b\u2060\u00ad", "bom"),
        ("\ufffe\U0010ffff", "\N{REPLACEMENT CHARACTER}" * 2),
    ],
)
def test_what_acts_on_a_terminal_is_shown_or_dropped(raw: str, shown: str):
    assert safe(raw) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain text\nof two lines",
        "👩‍👩‍👧 ❤️ 🇩🇪 👍🏽",
        "e\u0301 und नमस्ते",
        "می‌خواهم",
        "中文、日本語、한국어",
        "┌─┐ ␛ 𝄞 \ue0b0",
    ],
)
def test_what_people_write_stays(text: str):
    assert safe(text) == text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\u2029"])
def test_without_newlines_all_is_one_line(end: str):
    assert safe(f"a{end}b", newlines=False) == "a b"


def test_every_control_surrogate_and_bidi_character_is_gone():
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    everything = "".join(map(chr, range(sys.maxunicode + 1)))

    left = set(safe(everything)) - {"\n"}

    assert len(left) > 1_000_000
    assert [
        hex(ord(c))
        for c in sorted(left)
        if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(c) in turning
    ] == []


@given(anything, anything, st.booleans())
@example("\r", "\n", True)
@example("\x1b", "[2J", True)
@example("\ud83d", "\ude00", True)
def test_pieces_are_cleaned_like_the_whole(a: str, b: str, newlines: bool):
    joined = safe(a, newlines=newlines) + safe(b, newlines=newlines)

    assert joined == safe(a + b, newlines=newlines)


@given(anything)
def test_cleaning_twice_changes_nothing(text: str):
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("ls\u00a0-l", "ls\\u00a0-l"),
        ("a\u3000b\u2003c", "a\\u3000b\\u2003c"),
        ("a\u3164b\uffa0\u2800", "a\\u3164b\\uffa0\\u2800"),
        ("e\u0301\ufe0f\u200d", "e\\u0301\\ufe0f\\u200d"),
        ("\x1b[2J\u202e\r\x9b", "\\u001b[2J\\u202e\\u000d\\u009b"),
        ("a\u2028b\x0bc\x85", "a\\u2028b\\u000bc\\u0085"),
        ("天气 café ✓\tx\ny", "天气 café ✓    x\ny"),
        ("rm \u0430dmin", "rm \\u0430dmin"),
        ("p\u0430ypal привет Wi-Fi-сеть", "p\\u0430ypal привет Wi-Fi-сеть"),
        ("g\u03bfogle μm Δt πr² kız straße", "g\\u03bfogle μm Δt πr² kız straße"),
        ("su\uff44o ｇｉｔ nº 1º", "su\\uff44o ｇｉｔ nº 1º"),
        (f"ls{' ' * 300}; rm x", "ls \\u0020×300 ; rm x"),
        (f"x{' ' * 40}y", f"x{' ' * 40}y"),
    ],
)
def test_what_could_deceive_is_spelled_out(raw: str, shown: str) -> None:
    assert spelled_out(raw) == shown


@given(anything)
def test_nothing_that_is_spelled_out_controls_the_terminal(text: str) -> None:
    spelled = spelled_out(text)

    assert safe(spelled) == spelled
    assert len(spelled) >= len(text)
