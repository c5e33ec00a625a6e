"""The commands of vi on a text; with vim itself as the model where it is installed."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.vi_page import edit, in_vim

from tui.app.vi.signs import last_in_line, line_end, line_start, sign_at

FAMILY = "👨‍👩‍👧"
CASES = [
    ("one two three", "w", 0),
    ("one two three", "2we", 0),
    ("one, two", "ww", 0),
    ("one\n\ntwo", "ww", 0),
    ("one two", "$bx", 0),
    ("  one", "$^x0x", 0),
    ("a\nb\nc", "Gggjx", 0),
    ("long line\nab\nlong line", "$jjx", 0),
    ("a,b,c,d", "2f,;x", 0),
    ("a,b,c,d", "$F,,x", 0),
    ("a,b,c,d", "t,;x", 0),
    ("a,b,c,d", "$T,x", 0),
    ("one two three", "dw", 4),
    ("one two\nthree", "dw", 4),
    ("one two three", "d2w", 0),
    ("one two three", "2dw", 0),
    ("one two three", "cwX\x1b", 4),
    ("a b c d", "cwX\x1bw.w.", 0),
    ("one two", "d$", 4),
    ("one two", "D", 4),
    ("one two", "d0", 4),
    ("a\nb\nc\nd", "2dd", 2),
    ("a\nb\nc", "dG", 2),
    ("a\nb\nc", "dgg", 2),
    ("a\nb\nc", "dj", 0),
    ("a\nb\nc", "ddp", 0),
    ("a\nb\nc", "yyP", 2),
    ("a\nb", "2yyGp", 0),
    ("one two", "ywP", 4),
    ("abc", "xp", 0),
    ("abc", "x3p", 0),
    ("abc def", "ciwX\x1b", 5),
    ("one two three", "daw", 5),
    ("one two", "daw", 5),
    ('say "a b" now', 'ci"X\x1b', 6),
    ('say "a b" now', 'da"', 6),
    ('say "a b" now', 'ci"X\x1b', 0),
    ("f(a, (b), c)", "ci(X\x1b", 2),
    ("f(a, (b), c)", "d2i(", 6),
    ("f(a, (b), c)", "da(", 6),
    ("abc", "3rx", 0),
    ("abc", "5rx", 0),
    ("aBc", "2~", 0),
    ("a\nb\nc", "3J", 0),
    ("abc", "ivX\x1b", 1),
    ("abc", "aX\x1b", 1),
    ("  abc", "IX\x1b", 4),
    ("abc", "AX\x1b", 0),
    ("abc", "3iX\x1b", 0),
    ("a\nb", "oX\x1b", 0),
    ("a\nb", "OX\x1b", 2),
    ("abc", "sX\x1b.", 0),
    ("a\nb\nc", "SX\x1b", 2),
    ("abc", "CX\x1b", 1),
    ("a\nb\nc", "ccX\x1bj.", 0),
    ("abcdef", "3X", 4),
    ("abc", "xx.u", 0),
    ("one two three", "vwd", 0),
    ("one two three", "vbd", 8),
    ("a\nb\nc\nd", "Vjd", 2),
    ("a\nb\nc\nd", "Vkd", 4),
    ("one two", "viwcX\x1b", 5),
    ("one two", "vey$p", 0),
    ("one two", "wyiwbviwp", 0),
    ("one two", "ve~", 0),
    ("one two", "veU", 0),
    ("one two", "verx", 0),
    ("one two", "vod", 4),
    ("a\nb", "v$d", 0),
    ("你好 世界", "wx", 0),
    ("你好 世界", "dw", 0),
    ("日本語テキストabc", "wdw", 0),
    ("e\u0301a", "x", 0),
    ("a\tb", "lx", 0),
    ("", "xddp", 0),
    ("", "iX\x1b", 0),
    ("", "ccX\x1b", 0),
]
KEYS = [
    *"hjklwbeWBE0^$GgfFtT;,iaIAoOxXDCdcyYpPrsSuvVJ~.23\"'()[]{}`<>UB\n世é",
    "ctrl+r",
]


def pressed(keys: str) -> list[str]:
    return ["escape" if key == "\x1b" else key for key in keys]


def test_a_command_does_what_it_does_in_vim(tmp_path: Path) -> None:
    if shutil.which("vim") is None:
        pytest.skip("needs vim")
    cases = [(text, pressed(keys), at) for text, keys, at in CASES]

    wanted = in_vim(cases, tmp_path)

    got: list[tuple[str, int]] = []
    for text, keys, at in cases:
        editor, page = edit(text, keys, at)
        got.append((page.text, editor.cursor))
    differ = [
        (case, ours, vims)
        for case, ours, vims in zip(CASES, got, wanted, strict=True)
        if ours != vims
    ]
    assert differ == []


@pytest.mark.parametrize(
    ("text", "keys", "result"),
    [
        ("one two", "dw", "two"),
        ("one two", "wcwX\x1b", "one X"),
        ("a\nb\nc", "jddp", "a\nc\nb"),
        ('"a b"', 'lci"X\x1b', '"X"'),
        ("f(a)", "lldi(", "f()"),
        ("abc", "x..u", "c"),
        (f"a{FAMILY}b", "lx", "ab"),
        (f"a{FAMILY}b", "$hrx", "axb"),
        ("🇩🇪🇫🇷x", "lx", "🇩🇪x"),
        ("👍🏽a", "x", "a"),
    ],
)
def test_commands_change_the_text(text: str, keys: str, result: str) -> None:
    assert edit(text, pressed(keys))[1].text == result


@given(
    st.text("ab _,.\"'()\n\t你é\u0301👍🏽\u200d👩", max_size=30),
    st.lists(st.sampled_from([*KEYS, "escape"]), max_size=25),
    st.integers(0, 30),
)
@settings(max_examples=400, deadline=None)
def test_any_keys_leave_the_cursor_on_a_whole_sign(
    text: str, keys: list[str], at: int
) -> None:
    editor, page = edit(text, keys, min(at, len(text)))

    place = editor.cursor
    assert 0 <= place <= len(page.text)
    assert sign_at(page.text, place) == place
    if line_end(page.text, place) > line_start(page.text, place):
        assert place <= last_in_line(page.text, place)
    assert page.depth == 0


@given(
    st.text("ab _,.()\n你", max_size=30),
    st.lists(
        st.sampled_from([*"hjklwbe0$xXDdcyYpPrsJ~.23oOiaA", "escape"]), max_size=20
    ),
)
@settings(max_examples=300, deadline=None)
def test_undoing_everything_gives_the_first_text(text: str, keys: list[str]) -> None:
    _, page = edit(text, keys)

    while page.undo() is not None:
        pass

    assert page.text == text


def test_a_count_cannot_make_the_text_endless() -> None:
    _, page = edit("x" * 1000, pressed("yy9999p9999p9999p"))

    assert len(page.text) <= 502_000
