"""What the user does, from bytes in any pieces: what is pasted is never typed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.keyboard import User
from textual import events

from tui.app.terminal.burst import AFTER, GAP, SPLIT
from tui.app.terminal.paste import LIMIT
from tui.app.terminal.tty_reader import Reader
from tui.app.widgets.input_text import tell_alt_enter_apart

BEGIN, END = b"\x1b[200~", b"\x1b[201~"
LOG = "$ make\r\x1b[31merror:\x1b[0m one\rwarning: two\x1b[A\x7f \x1b \x1bOP 中\rdone"
PAUSE = LIMIT * 0.9


def test_a_paste_is_one_whatever_it_holds():
    user = User().send(BEGIN + LOG.encode() + END + b"x", 1)

    assert user.did == [f"<{LOG}>", "x"]


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.12, 0.3, PAUSE])
def test_a_paste_is_one_however_it_is_cut(pause: float):
    data = BEGIN + LOG.encode() + END
    for cut in range(1, len(data)):
        user = User().send(data[:cut], pause).send(data[cut:]).send(b"x", 2)

        known = ["escape"] if cut == 1 and pause > 0.025 else []
        assert user.did == [*known, f"<{LOG}>", "x"], cut


@pytest.mark.parametrize("first", [0.005, 0.02, 0.03, 0.1, 0.3])
@pytest.mark.parametrize("second", [0.005, 0.03, 0.2])
def test_a_begin_marker_is_one_however_it_is_cut(first: float, second: float):
    for cut in range(1, len(BEGIN)):
        for again in range(cut + 1, len(BEGIN) + 1):
            user = User().send(BEGIN[:cut], first).send(BEGIN[cut:again], second)
            user.send(BEGIN[again:] + b"a\rb" + END).send(b"x", 1)

            # Esc is taken for the key where it must not wait, but for one only.
            known = ["escape"] if cut == 1 and first > 0.025 else []
            assert user.did == [*known, "<a\rb>", "x"], (cut, again)


@pytest.mark.parametrize("rest", [b"[A", b"[22;3R", b"[<0;5;7M", b"[1;5C"])
@pytest.mark.parametrize("cut", [1, 9])
def test_what_follows_a_cut_escape_is_not_typed(rest: bytes, cut: int):
    user = User((3, 22)).send(b"\x1b", 0.1).send(rest[:cut], 0.1).send(rest[cut:], 1)

    assert user.did[0] == "escape"
    assert not {"left_square_bracket", "escape"} & set(user.did[1:])


@pytest.mark.parametrize("typed", ["[", "[2", "[x", "[200~"])
def test_what_is_typed_after_escape_arrives(typed: str):
    user = User().send(b"\x1b", 2 if typed == "[200~" else 0.1)
    for key in typed:
        user.send(key.encode(), 0.35 if key == "[" else 0.03)
    user.send(b"", 1)

    assert len(user.did) == 1 + len(typed)
    assert user.did[:2] == ["escape", "left_square_bracket"]


@given(
    st.lists(st.text(), max_size=4),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([0.0, 0.02, 0.3, PAUSE]))),
)
@example(["\x1b[20", "\x1b"], [(1, 0.02)])
def test_pastes_are_what_was_pasted_in_any_pieces(
    texts: list[str], cuts: list[tuple[int, float]]
):
    texts = [t.encode("utf-8", "replace").decode().replace("\0", "") for t in texts]
    texts = [t for t in texts if t and "\x1b[201~" not in t]
    data = b"".join(BEGIN + text.encode() + END for text in texts)
    user, sent = User(), b""
    for size, pause in cuts:
        sent += data[:size]
        if size == 1:  # a byte at a time, at the pace of keys, is typed
            pause = min(pause, 0.02)
        if sent.endswith(b"\x1b"):  # after a while that would be the key
            pause = 0.02 if size and pause else 0.0
        user.send(data[:size], pause)
        data = data[size:]
    user.send(data, 5)

    assert user.did == [f"<{text}>" for text in texts]


@pytest.mark.parametrize("cut", range(len(END)))
def test_a_paste_without_its_end_ends_by_itself_and_keys_work(cut: int):
    user = User().send(BEGIN + b"hello" + END[:cut], LIMIT + 0.1)
    assert user.did == ["<hello>"]

    user.send(b"\x11", 0.1).send(b"\x1b", 0.1)
    for key in b"again\r":
        user.send(bytes([key]), 0.1)

    assert user.did[1:] == ["ctrl+q", "escape", *"again", "enter"]


@pytest.mark.parametrize("cut", range(len(END)))
def test_an_end_marker_that_comes_too_late_is_not_typed(cut: int):
    user = User().send(BEGIN + b"hello" + END[:cut], 5).send(END[cut:] + b"x", 1)

    assert user.did == ["<hello>", "x"]


def test_the_rest_of_a_paste_that_comes_too_late_is_pasted():
    user = User().send(BEGIN + b"one\rtw", 5).send(b"o\rthree\r" + END + b"x", 1)

    assert user.did == ["<one\rtw>", "<o\rthree\r>", "x"]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"aaa", b"\rbbb\r", b"\rccc" + END],
        [b"aaa\r", b"bbb\r", b"ccc" + END],
        [b"aaa", b"\r\rbbb", b"ccc\rddd\r", END],
    ],
)
@pytest.mark.parametrize("pause", [1.2, 1.5, 4])
def test_no_line_of_a_paste_that_stalls_is_sent(pieces: list[bytes], pause: float):
    user = User().send(BEGIN)
    for piece in pieces:
        user.send(piece, pause)
    user.send(b"x", 1).send(b"\r", 1)

    assert "enter" not in user.did[:-1]
    assert user.did[-2:] == ["x", "enter"]


@pytest.mark.parametrize("key", [b"\x11", b"\x03"])
@pytest.mark.parametrize("before", [0.3, 0.7])
def test_a_way_out_works_in_a_paste_that_has_no_end(key: bytes, before: float):
    user = User().send(BEGIN + b"hello", before).send(key)

    assert user.did[0] == "<hello>"
    assert user.did[1] in ("ctrl+q", "ctrl+c")


def test_who_goes_on_typing_is_not_swallowed_by_a_paste_that_has_no_end():
    user = User().send(BEGIN + b"hello", 0.3)
    for _ in range(20):
        user.send(b"y", 0.3)
    user.send(b"\r")

    assert user.did[0].startswith("<hello")
    assert user.did[-2:] == ["y", "enter"]


@pytest.mark.parametrize("cut", range(1, len(END)))
def test_the_rest_of_a_marker_comes_after_an_answer(cut: int):
    user = User((3, 22)).send(BEGIN + b"hello" + END[:cut], 2.5)
    user.send(b"\x1b[22;3R").send(END[cut:], 1).send(b"x", 1)

    assert [act for act in user.did if act[0] != "("] == ["<hello>", "x"]


def test_an_end_marker_in_the_text_does_not_end_it():
    user = User().send(BEGIN + b"a" + END + b"b\rc\r" + END + b"x", 1)

    assert user.did == ["<a\x1b[201~b\rc\r>", "x"]


def test_answers_that_come_while_a_paste_does_are_none_of_it():
    user = User((3, 22), (4, 23))
    user.send(BEGIN + "中".encode()[:1], 0.4).send(b"\x1b[22;3R", 0.4)
    user.send("中".encode()[1:] + b"b\x1b[23;", 0.4).send(b"4Rc\x1b[5;6R" + END, 1)

    assert user.did == ["(2,21)", "(3,22)", "<中bc\x1b[5;6R>"]


def test_a_report_in_a_pasted_text_stays_while_an_answer_is_due():
    text = "\x1b[7;8R one \x1b[9;9R\r\x1b[22;30R two \x1b[7;8R"
    data = BEGIN + text.encode() + END
    for cut in range(len(BEGIN), len(data)):
        user = User((3, 22), (4, 22))
        user.send(data[:cut], 0.1).send(b"\x1b[22;3R", 0.1).send(data[cut:], 1)
        inside = BEGIN + data[:cut][len(BEGIN) :]
        if not inside.rpartition(b"\x1b")[2].strip(b"[;0123456789"):
            continue  # no terminal writes an answer into what it has not ended

        assert user.did == ["(2,21)", f"<{text}>"], cut


@pytest.mark.parametrize("cut", range(2, len(BEGIN)))
def test_answers_that_come_within_a_cut_marker_do_not_break_it(cut: int):
    user = User((3, 2), (4, 2))
    user.send(BEGIN[:cut], 0.1).send(b"\x1b[2;3R", 0.1).send(BEGIN[cut:] + b"a", 0.1)
    user.send(END[:cut], 0.1).send(b"\x1b[2;4R" + END[cut:], 0.1).send(b"x", 1)

    assert user.did == ["(2,1)", "(3,1)", "<a>", "x"]


def test_answers_do_not_keep_a_paste_open():
    user = User(*[(3, 2)] * 12).send(BEGIN + b"a")
    for _ in range(12):
        user.send(b"\x1b[2;3R", 0.1)

    assert user.did[-1] == "(2,1)"
    assert "<a>" in user.did


def test_a_large_paste_is_handed_on_in_pieces_and_nothing_is_lost():
    text = "中\r\n" * 1_000_000
    data = BEGIN + text.encode() + END
    user = User()
    for at in range(0, len(data), 4096):
        user.send(data[at : at + 4096])

    assert user.pasted == text
    assert max(map(len, user.did)) < 1 << 20
    assert not any(act.startswith("<\n") for act in user.did)


@pytest.mark.parametrize(
    ("data", "did"),
    [
        (b"line one\rline two\rline three", ["<line one\rline two\rline three>"]),
        (b"a\rb\rc\r", ["<a\rb\rc\r>"]),
        (b"a\r\nb", ["<a\r\nb>"]),
        (b"a\r\x1b[31mb\x1b[0m", ["<a\r\x1b[31mb\x1b[0m>"]),
        (b"a\r\x1b[2;3Rb", ["(2,1)", "<a\rb>"]),
        (b"ab\r", ["a", "b", "enter"]),
        (b"\rab", ["enter", "a", "b"]),
        (b"a\r\r", ["a", "enter", "enter"]),
        (b"a\r\x1b[A\rb\r", ["a", "enter", "up", "enter", "b", "enter"]),
        (b"a\r\x11", ["a", "enter", "ctrl+q"]),
        (b"te\x7f\x7fhe\r", ["t", "e", "backspace", "backspace", "h", "e", "enter"]),
        (b"a\x1b\rb", ["a", "ctrl+j", "b"]),
    ],
)
def test_lines_in_one_burst_are_text_and_enter_else_sends(data: bytes, did: list[str]):
    tell_alt_enter_apart()

    assert User().send(data, 1).did == did


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_command_in_a_burst_is_typed(cut: int):
    data = b"/model x\rhi\r"
    user = User().send(data[:cut], GAP / 2).send(data[cut:], 1)

    assert user.did == ["slash", *"model", "space", "x", "enter", *"hi", "enter"]


@pytest.mark.parametrize(
    ("data", "did"),
    [
        ("\x1b/theme", ["escape", "slash", *"theme"]),
        ("\x1b2 x", ["escape", "2", "space", "x"]),
        ("\x1b你好", ["escape", *"你好"]),
        ("\x1b x", ["escape", "space", "x"]),
        ("a\x1b\x13b", ["a", "escape", "ctrl+s", "b"]),
        ("\x1b\x10", ["escape", "ctrl+p"]),
        ("\x1bbx", ["ctrl+left", "x"]),
    ],
)
def test_escape_and_the_key_behind_it_in_one_read_are_two(data: str, did: list[str]):
    assert User().send(data.encode(), 1).did == did


@pytest.mark.parametrize("data", ["\x1bhello", "\x1bhi\r", "a\x1bh\x1b[D"])
def test_alt_with_a_letter_at_the_start_of_a_word_tells_what_was_sent(data: str):
    reader = Reader(lambda: [], 0.025)
    keys = [*reader.feed(data.encode(), 1.0), *reader.tick(2.0)]

    alt = next(k for k in keys if isinstance(k, events.Key) and k.key == "alt+h")

    assert alt.character == ("h" if "[D" in data else "\x1bh")


@pytest.mark.parametrize("slash", ["/save-code", "/docs:fix_2", "/v1.2 x"])
def test_names_of_commands_have_more_than_letters(slash: str):
    user = User().send(f"{slash}\rmore".encode(), 1)

    assert "<" not in "".join(user.did)


def test_a_command_behind_a_line_is_typed():
    assert User().send(b"hi\r/new\r", 1).did == [
        *"hi",
        "enter",
        "slash",
        *"new",
        "enter",
    ]
    assert User().send(b"a\rb\r/quit\r", 1).did == ["<a\rb\r/quit\r>"]
    assert User().send(b"/usr/bin\rb", 1).did == ["</usr/bin\rb>"]


@given(st.lists(st.integers(1, 12)))
def test_lines_in_one_burst_are_text_in_any_pieces(sizes: list[int]):
    data = text = "line one\rline two\rx\rlast\r"
    user = User()
    for size in sizes:
        user.send(data[:size].encode(), GAP / 2)
        data = data[size:]
    user.send(data.encode(), 1)

    assert "enter" not in user.did
    typed = "".join({"space": " "}.get(a, a.strip("<>")) for a in user.did)
    assert typed == text


LINES = "line one\rline two\r\rx\rlast\r"


@pytest.mark.parametrize("pause", [0.0, 0.005, 0.011, 0.02, 0.035, 0.05])
def test_lines_are_text_wherever_a_pause_cuts_them(pause: float):
    for first in range(1, len(LINES)):
        for second in range(first + 1, len(LINES) + 1):
            pieces = LINES[:first], LINES[first:second], LINES[second:]
            if pause > GAP and first == 1 and second == 2:
                continue  # two reads of one character each are two keys
            user = User()
            for piece in pieces:
                user.send(piece.encode(), pause)
            user.send(b"", 1)

            typed = (act.strip("<>") for act in user.did)
            assert "enter" not in user.did, pieces
            assert "".join({"space": " "}.get(a, a) for a in typed) == LINES


@given(st.lists(st.tuples(st.integers(2, 12), st.floats(0, 0.05))))
def test_lines_in_a_burst_that_stalls_are_text_in_any_pieces(
    pieces: list[tuple[int, float]],
):
    user, data = User(), LINES
    for size, pause in pieces:
        user.send(data[:size].encode(), pause)
        data = data[size:]
    user.send(data.encode(), 1)

    assert "enter" not in user.did


def test_answers_of_the_terminal_do_not_part_a_burst_nor_keep_enter_back():
    user = User(*[(3, 22)] * 9)
    for piece in (b"line one", b"\x1b[22;3R", b"\rline", b"\x1b[22;3R", b" two\r"):
        user.send(piece, 0.02)
    user.send(b"", 1)
    assert [act for act in user.did if act[0] == "<"] == ["<\rline>", "< two\r>"]

    user.send(b"hi\r", 0.02)
    for _ in range(4):
        user.send(b"\x1b[22;3R", 0.01)
    assert user.did[-1] == "enter"


def test_enter_waits_only_after_text_that_came_at_once():
    user = User().send(b"h", 0.03).send(b"i", 0.03).send(b"\r")
    assert user.did == ["h", "i", "enter"]

    user = User().send(b"hi\r", SPLIT - 0.001)
    assert user.did == []
    assert user.send(b"", 0.002).did == ["h", "i", "enter"]
    assert SPLIT <= 0.06


def test_what_a_busy_program_reads_late_is_one_burst_still():
    """Nothing has told it of a pause: the second piece may have arrived at once."""
    user = User().send(b"line one")
    user.now += 5
    user.send(b"\rline two")
    user.now += 5
    user.send(b"\r", 1)

    assert "enter" not in user.did


def test_what_is_typed_after_such_a_burst_is_typed():
    user = User().send(b"a\rb", AFTER + 0.1).send(b"ok\r", 1)

    assert user.did == ["<a\rb>", "o", "k", "enter"]


def test_keys_one_by_one_are_keys():
    user = User()
    for key in b"hi\rok\r":
        user.send(bytes([key]), 0.03)

    assert user.did == ["h", "i", "enter", "o", "k", "enter"]


def test_a_lone_escape_is_known_after_its_delay():
    user = User().send(b"\x1b", 0.02)
    assert user.did == []

    user.send(b"", 0.006)
    assert user.did == ["escape"]


def test_a_key_that_is_cut_is_that_key():
    user = User().send(b"\x1b[", 0.3).send(b"A", 0.3).send(b"\x1b[1;2R", 0.1)

    assert user.did[0] == "up"
    assert len(user.did) == 2


@pytest.mark.parametrize("seq", [b"\x1b[97;5u", b"\x1b[13;2u", b"\x1b\x1b[A"])
def test_keys_of_other_keyboard_protocols_pass(seq: bytes):
    did = User().send(seq, 1).did

    assert (
        did
        == {
            b"\x1b[97;5u": ["ctrl+a"],
            b"\x1b[13;2u": ["shift+enter"],
            b"\x1b\x1b[A": ["escape", "up"],
        }[seq]
    )


@pytest.mark.parametrize(
    "sequence",
    [
        "[999999999999999999999~",
        "[1114112u",
        "[97;5:99999999u",
        "[27;5;99999999999~",
        "[99999999999999R",
        "[48;24;80;0;0t\x1b[<0;1;1M",
        "[" + "9" * 30 + "u",
        "[<" + "9" * 29 + "M",
    ],
)
def test_a_sequence_with_impossible_numbers_is_dropped(sequence: str):
    user = User().send(f"\x1b{sequence}x".encode(), 1)

    assert [act for act in user.did if act != "(0,0)"] == ["x"]


@pytest.mark.parametrize("report", ["[5;7R", "[I", "[<35;4;5M", "[1;1R\x1b[2;2R"])
def test_a_report_within_a_character_leaves_the_character_whole(report: str):
    for cut in range(1, 4):
        user = User().send("😀".encode()[:cut], 0.02)
        user.send(f"\x1b{report}".encode(), 0.02).send("😀".encode()[cut:], 1)

        assert [act for act in user.did if not act.startswith("(")] == ["grinning_face"]


@pytest.mark.parametrize("pause", [0, 0.004, 0.02, 0.03, 0.2])
@pytest.mark.parametrize(
    ("typed", "did"),
    [
        ("/x", ["slash", "x"]),
        (" x", ["space", "x"]),
        ("\x05", ["ctrl+e"]),
        ("你", ["你"]),
        ("\x1b", ["escape"]),
    ],
)
def test_what_is_typed_behind_esc_twice_is_typed_once(typed, did, pause):
    user = User((3, 22)).send(b"\x1b\x1b", pause).send(typed.encode(), 0.015)
    user.send(b"\x1b[22;3R", 1)

    assert [act for act in user.did if act != "(2,21)"] == ["escape", "escape", *did]


@pytest.mark.parametrize(
    ("sent", "did"),
    [
        (b"\x1b\x1bab", ["escape", "escape", "a", "b"]),
        (b"\x1bab", ["alt+a", "b"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
    ],
)
def test_a_report_behind_esc_and_text_types_no_circumflex(sent, did):
    user = User((3, 22)).send(sent).send(b"\x1b[22;3R", 1)

    assert user.did == [*did, "(2,21)"]
