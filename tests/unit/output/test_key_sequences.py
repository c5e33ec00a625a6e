"""Sequences of terminals and keyboards beyond those that Textual's parser reads."""

import re

import pytest
from support.keyboard import User

ENTER_RELEASED = "[13;1:3u"


def did(*parts: str, pause: float = 0.02) -> list[str]:
    user = User()
    for part in parts:
        user.send(part.encode(), pause)
    return user.send(b"", 2).did


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [
        (ENTER_RELEASED, []),  # the Enter that started the program
        ("[97;1:3u", []),
        ("[97;1:1;97u", ["a"]),
        ("[97;5:2u", ["ctrl+a"]),
        ("[1;1:1A", ["up"]),
        ("[1;1:3A", []),
        ("[1;5:1D", ["ctrl+left"]),
        ("[3;1:2~", ["delete"]),
        ("[3;1:3~", []),
    ],
)
def test_presses_are_keys_and_releases_are_not(sequence: str, keys: list[str]):
    assert did(f"\x1b{sequence}x") == [*keys, "x"]


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [
        ("[99:67;6u", ["ctrl+shift+c"]),
        ("[1089::99;5u", ["ctrl+c"]),  # Russian
        ("[1057::99;69u", ["ctrl+c"]),  # with Caps Lock
        ("[1089::99;;1089u", ["с"]),
        ("[1089;5u", ["ctrl+c"]),  # iTerm2 does not say which key it is
        ("[27;5;1084~", ["ctrl+v"]),
        ("[945;5u", ["ctrl+a"]),  # Greek
        ("[1513;5u", ["ctrl+a"]),  # Hebrew
        ("[1111;5u", ["ctrl+right_square_bracket"]),  # Ukrainian
        ("[233;5u", ["ctrl+é"]),  # a Latin layout has its own letters
    ],
)
def test_shortcuts_work_on_layouts_without_latin_letters(
    sequence: str, keys: list[str]
):
    assert did(f"\x1b{sequence}") == keys


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [
        ("[27;2;13~", ["shift+enter"]),
        ("[27;5;13~", ["ctrl+enter"]),
        ("[27;6;67~", ["ctrl+shift+c"]),
        ("[27;5;99~", ["ctrl+c"]),
        ("[27;2;9~", ["shift+tab"]),
        ("[27;133;99~", ["ctrl+c"]),
    ],
)
def test_keys_in_the_form_of_xterm_and_tmux_are_those_keys(
    sequence: str, keys: list[str]
):
    assert did(f"\x1b{sequence}") == keys


@pytest.mark.parametrize(
    ("sequence", "typed"),
    [
        ("[32;2u", " "),
        ("[32;2;32u", " "),
        ("[97u", "a"),
        ("[97;2u", "A"),
        ("[49:33;2u", "!"),
        ("[97;65u", "A"),
        ("[97;66u", "a"),
        ("[57413u", "+"),
        ("[57409;129u", "."),
        ("[57413;129;43u", "+"),
        ("[113;7;64u", "@"),  # AltGr, as Ctrl and Alt
        ("[0;;20013:25991u", "中文"),
        (
            "[0;;" + ":".join(str(ord(c)) for c in "我们今天去北京") + "u",
            "我们今天去北京",
        ),
        ("[57399;129u", "0"),
    ],
)
def test_text_is_typed_in_whatever_form_it_comes(sequence: str, typed: str):
    user = User().send(f"\x1b{sequence}".encode(), 1)

    assert user.typed == typed


@pytest.mark.parametrize("sequence", ["[127;2u", "[127;130u", "[27;2;127~"])
def test_shift_does_not_keep_backspace_from_deleting(sequence: str):
    assert did(f"\x1b{sequence}") == ["backspace"]


@pytest.mark.parametrize("sequence", ["[57441;2u", "[57442;5u", "[57358u", "[57453u"])
def test_a_modifier_alone_is_no_key(sequence: str):
    assert did(f"\x1b{sequence}") == []


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [("[25~", ["f13"]), ("[34~", ["f20"]), ("[34;2~", ["shift+f20"]), ("[99~", [])],
)
def test_function_keys_of_large_keyboards_type_nothing(sequence: str, keys: list[str]):
    user = User().send(f"\x1b{sequence}".encode(), 1)

    assert (user.did, user.typed) == (keys, "")


ANSWERS = [
    "[?62;22c",
    "[>1;10;0c",
    "[2026;2$y",  # Zellij
    "[4;2$y",
    "[?1u",
    "[?997;1n",
    "[0n",
    "[?10;20R",
    "[8;24;80t",
    "]11;rgb:1111/1111/1111\x1b\\",
    "]11;rgb:1111/1111/1111\x07",
    "]4;1;rgb:1111/1111/1111\x1b\\",
    "]52;c;aGVsbG8=\x07",
    "]lTitle\x1b\\",
    "P>|xterm(370)\x1b\\",
    "P!|00000000\x1b\\",
    "P1$r0m\x1b\\",
    "P1+r524742=38\x1b\\",
    "P0+r\x1b\\",
    "_Gi=1;OK\x1b\\",
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_a_terminal_answers_to_another_program_is_not_typed(answer: str):
    assert did(f"a\x1b{answer}b") == ["a", "b"]


@pytest.mark.parametrize("pause", [0.005, 0.3])
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_cut_is_not_typed(answer: str, pause: float):
    data = f"\x1b{answer}"
    if answer.startswith("]l"):
        return  # of a title, no more than a whole one is known
    for cut in range(1, len(data)):
        if pause > 0.1 and re.search(r"\x1b[]P_]?\Z", data[:cut]):
            continue  # Esc, or Alt with a character
        keys = did(data[:cut], data[cut:], "x", pause=pause)
        assert keys == ["x"], cut


@pytest.mark.parametrize(
    "begun", ["[<35;6", "[<35", "[1;5", "[?62;2", "]11;rgb:11", "[27;5;1"]
)
def test_a_sequence_that_breaks_off_types_nothing(begun: str):
    assert did(f"\x1b{begun}", "\x1b[A", pause=0) == ["up"]
    assert did(f"\x1b{begun}", "x", pause=3) == ["x"]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ("\x1b[[A", ["f1"]),  # of the Linux console
        ("\x1b[7~\x1b[8~", ["home", "end"]),
        ("\x1b[a", ["shift+up"]),
    ],
)
def test_keys_that_look_like_the_beginning_of_an_answer_work(
    data: str, keys: list[str]
):
    assert did(data) == keys


def test_a_sequence_that_cannot_be_parsed_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch,
):
    from textual._xterm_parser import XTermParser

    def fails(self: XTermParser, sequence: str) -> None:
        if len(sequence) > 1:
            raise ValueError(sequence)

    monkeypatch.setattr(XTermParser, "_parse_extended_key", fails)

    assert did("a\x1b[97;5ub\x1b[97;5u", "c") == ["a", "b", "c"]
