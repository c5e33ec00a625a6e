"""The keys of `[keys]`: what works, what does not, and what is said about it."""

import pytest

from tui.app.commands import COMMANDS, NO_KEY, spelled_key
from tui.app.keys import multiplexers, sendable
from tui.app.keys.settling import Settled, settle_keys


def settled(**own: str) -> Settled:
    return settle_keys(own, protocol=False)


def test_without_entries_every_command_has_its_default_key() -> None:
    assert settled() == Settled({}, [])


def test_two_entries_may_swap_keys() -> None:
    swapped = settled(stream="ctrl+l", model="ctrl+t")

    assert swapped == Settled({"stream": "ctrl+l", "model": "ctrl+t"}, [])


def test_a_command_whose_default_key_is_taken_is_named() -> None:
    found = settled(stream="ctrl+l")

    assert found.keys == {"stream": "ctrl+l", "model": ""}
    assert found.problems == [
        '[keys]: stream = "ctrl+l" takes that key from model, which has no other '
        "(/model still works); give model another key"
    ]
    assert found.keymap == {"stream": "ctrl+l", "model": NO_KEY}


def test_a_command_keeps_its_other_default_keys() -> None:
    found = settled(debug="f4")

    assert found.keys == {"debug": "f4", "next": "ctrl+pagedown"}
    assert "next, which keeps Ctrl+PageDown" in found.problems[0]


def test_a_command_that_is_left_without_a_key_on_purpose_is_not_named() -> None:
    assert settled(stream="ctrl+l", model="").problems == []


def test_the_first_of_two_entries_keeps_the_key() -> None:
    found = settled(debug="f8", tools="f8")

    assert found.keys == {"debug": "f8"}
    assert found.problems == [
        '[keys]: tools = "f8": debug has that key already, so debug keeps it; '
        "the default, F2, is used"
    ]


def test_a_command_with_no_slash_command_keeps_its_key() -> None:
    found = settled(stream="escape")

    assert found.keys == {}
    assert "cancel has that key already" in found.problems[0]


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("help", "hyper+x", "few terminals send"),
        ("help", "super+h", "few terminals send"),
        ("help", "ctrl+5", "few terminals send"),
        ("help", "ctrl+shift+h", "few terminals send"),
        ("help", "ctrl+enter", "few terminals send"),
        ("help", "alt+left_square_bracket", "few terminals send"),
    ],
)
def test_a_key_that_few_terminals_send_leaves_the_default(
    name: str, key: str, why: str
) -> None:
    found = settled(**{name: key})

    assert found.keys == {name: f"f1,{key}"}
    assert len(found.problems) == 1
    assert why in found.problems[0]
    assert "the default, F1, is used" in found.problems[0]
    assert settle_keys({name: key}, protocol=True) == Settled({name: key}, [])


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("model", "ctrl+i", "from Tab"),
        ("model", "ctrl+m", "from Enter"),
        ("model", "ctrl+h", "from Backspace"),
        ("model", "ctrl+left_square_bracket", "from Esc"),
        ("model", "m", "for typing"),
        ("model", "é", "for typing"),
        ("model", "space", "for typing"),
        ("model", "enter", "for typing"),
        ("model", "backspace", "for typing"),
        ("model", "shift+m", "capital"),
        ("model", "tab", "next pane"),
        ("model", "ctrl+c", "quits"),
        ("model", "ctrl+z", "suspends"),
        ("model", "ctrl+w", "for editing"),
        ("model", "ctrl+left", "for editing"),
        ("model", "ctrl+j", "for editing"),
        ("revise", "y", "Copy message"),
        ("revise", "down", "Message below"),
        ("revise", "ctrl+t", "stream has that key"),
    ],
)
def test_a_key_that_cannot_work_leaves_the_default(
    name: str, key: str, why: str
) -> None:
    found = settled(**{name: key})

    assert found.keys == {}
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f'[keys]: {name} = "{key}": ')
    assert why in found.problems[0]
    assert "\n" not in found.problems[0]


@pytest.mark.parametrize(
    "key",
    [
        *("f6", "f7", "f12", "ctrl+g", "ctrl+space", "ctrl+right_square_bracket"),
        *("alt+m", "alt+M", "alt+down", "alt+f5", "ctrl+f5", "ctrl+insert"),
    ],
)
def test_a_key_that_works_is_taken_in_silence(key: str) -> None:
    found = settled(model=key)

    assert found.problems == []
    assert found.keys["model"].split(",")[0] == key


def test_one_bad_key_of_several_is_left_out() -> None:
    found = settled(model="ctrl+w, f8")

    assert found.keys == {"model": "f8"}
    assert "F8 still works" in found.problems[0]


def test_the_order_of_modifiers_does_not_matter() -> None:
    assert settled(model="shift+alt+up").keys == {"model": "alt+shift+up"}


def test_keys_of_the_composer_with_a_name_give_way() -> None:
    assert settled(stream="f6").keymap == {"stream": "f6", "select_line": NO_KEY}


def test_the_keys_of_vi_are_kept_from_the_conversation() -> None:
    assert settle_keys({"revise": "j"}, vi=False).problems == []
    assert "pane uses that key" in settle_keys({"revise": "j"}, vi=True).problems[0]


def test_every_default_key_can_be_sent_by_every_terminal() -> None:
    keys = [key for c in COMMANDS for key in c.key.split(",") if key]

    assert keys
    assert [key for key in keys if not sendable.is_sent(key)] == []


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("alt+g", "Alt+G"),
        ("alt+G", "Alt+Shift+G"),
        ("e", "e"),
        ("E", "E"),
        ("ctrl+pagedown", "Ctrl+PageDown"),
        ("ctrl+right_square_bracket", "Ctrl+]"),
        ("question_mark", "?"),
        ("ctrl++", "Ctrl++"),
        ("escape", "Esc"),
        ("space", "Space"),
    ],
)
def test_keys_are_spelled_as_users_write_them(key: str, spelled: str) -> None:
    assert spelled_key(key) == spelled


@pytest.mark.parametrize(
    ("environ", "has"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "foot"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, False),
        ({}, False),
    ],
)
def test_terminals_with_the_keyboard_protocol(
    environ: dict[str, str], has: bool
) -> None:
    assert sendable.has_protocol(environ) is has


@pytest.mark.parametrize(
    ("tmux", "ours"),
    [
        ("C-b", "ctrl+b"),
        ("C-Space", "ctrl+@"),
        ("M-x", "alt+x"),
        ("F12", "f12"),
        ("`", "`"),
        ("C-]", "ctrl+right_square_bracket"),
        ("C-\\", "ctrl+backslash"),
        ("M-Left", "alt+left"),
        ("None", ""),
        ("", ""),
        ("X-y", ""),
    ],
)
def test_the_prefix_of_tmux_is_read(tmux: str, ours: str) -> None:
    assert multiplexers.named_by_tmux(tmux) == ours


def test_screen_and_zellij_take_keys() -> None:
    taken = multiplexers.taken({"STY": "1.pts-0", "ZELLIJ": "0"})

    lines = list(multiplexers.problems({"new": "ctrl+a, f8", "cancel": "f9"}, taken))

    assert lines == [
        '[keys]: new = "ctrl+a": GNU screen takes that key, unless another is its '
        "escape; choose another key, or type /new"
    ]
    assert "ctrl+g" in taken


def test_outside_of_multiplexers_no_key_is_taken() -> None:
    assert multiplexers.taken({}) == {}
