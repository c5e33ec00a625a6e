"""Rewrites control sequences of the terminal as Textual's parser can read them.

Terminals and multiplexers send more than Textual knows: releases of keys, alternate key
codes, xterm's modifyOtherKeys, answers to what another program has asked. Textual fails
at some of these and types others as text. Here each sequence becomes one that Textual
reads as what was meant, or nothing.

https://sw.kovidgoyal.net/kitty/keyboard-protocol/
"""

import re
import sys
from typing import NamedTuple

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS

ALTERNATES = 4
"""The flag of the keyboard protocol that reports the key of the base layout too."""

_SEQUENCE = re.compile(r"\x1b\[([<-?]?)([\d;:]*)([ -/]*)([@-~])")
# A sequence that breaks off, because another one begins or no more has arrived.
_BROKEN = re.compile(r"\x1b\[[<-?]?\d[\d;:]*(?=\x1b|\Z)")
_LONGEST = 32  # characters; Textual's parser takes a longer sequence for typed text
_LARGEST = 99999  # no terminal has more columns, rows or pixels
_KEY_ENDS = "u~ABCDEFHPQRS"
_REPORT = re.compile(r"\x1b\[(?:\d+;\d+R|48;.*t|\?\d+;\d\$y|[IO]|<[\d;]+[Mm])")

_SHIFT, _ALT, _CTRL = 1, 2, 4
_CAPS_LOCK = 64
_NO_TEXT = 0x3E  # Alt, Ctrl, Super, Hyper, Meta: with these, a key types nothing
_PRESSED = ("", "1", "2")  # the last one while a key is held; 3 is a release
_MODIFY_OTHER_KEYS = "27"
_BACKSPACE = 127
_KEYPAD = dict(zip(range(57399, 57417), "0123456789./*-+\r=,", strict=True))
_LOCKS_AND_MODIFIERS = {*range(57358, 57361), *range(57441, 57455)}
# F13 to F20 of xterm and PuTTY, of which Textual makes characters.
_LATER_KEYS = dict(
    zip((25, 26, 28, 29, 31, 32, 33, 34), range(57376, 57384), strict=True)
)


def _layout(theirs: str, latin: str) -> dict[int, int]:
    return dict(zip(map(ord, theirs), map(ord, latin), strict=True))


# For terminals that do not tell the base key: it is where QWERTY has it.
_LATIN = (
    _layout("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.")
    | _layout("іїє", "s]'")  # Ukrainian
    | _layout("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm")
    | _layout("קראטוןםפשדגכעיחלךזסבהנמצ", "ertyuiopasdfghjklzxcvbnm")
)


class _Key(NamedTuple):
    code: int
    shifted: int | None
    base: int | None
    modifiers: int
    """Bits: 1 Shift, 2 Alt, 4 Ctrl, 8 Super, 16 Hyper, 32 Meta, 64 Caps Lock."""
    text: str
    end: str


def rewritten(text: str) -> str:
    """Return input with each control sequence as Textual can read it, or without."""
    if "\x1b[" not in text:
        return text
    return _SEQUENCE.sub(_known, _BROKEN.sub("", text))


def _known(found: re.Match[str]) -> str:
    private, parameters, between, end = found.groups()
    sequence = found[0]
    if not private and not between and end in _KEY_ENDS and parameters:
        # `CSI 5 ; 7 R` is a report; F3 with modifiers is `CSI 1 ; 2 R`.
        report = end == "R" and re.fullmatch(r"\d+;\d+", parameters)
        if not report:
            key = _parsed(parameters, end)
            return _written(key) if key else ""
    if between and sequence[:-1] in ANSI_SEQUENCES_KEYS:  # of rxvt: CSI 23 $
        return sequence
    if end in "m[M" and not private and len(sequence) <= _LONGEST:
        # Colours of a pasted log, a key of the Linux console, an old mouse report.
        return sequence
    if sequence in ANSI_SEQUENCES_KEYS:
        return sequence
    numbers = [int(number) for number in re.findall(r"\d+", parameters)]
    fits = len(sequence) <= _LONGEST and all(n <= _LARGEST for n in numbers)
    # Textual divides by the size of a window.
    whole = fits and not (end == "t" and 0 in numbers)
    return sequence if whole and _REPORT.fullmatch(sequence) else ""


def _parsed(parameters: str, end: str) -> _Key | None:
    """Return the key of a sequence, or None if it is not a press of one."""
    fields = [*parameters.split(";"), "", ""]
    if fields[0] == _MODIFY_OTHER_KEYS and end == "~" and fields[2]:
        fields[0], fields[2], end = fields[2], "", "u"
    codes = [*_numbers(fields[0]), None, None]
    modifiers, _colon, kind = fields[1].partition(":")
    if kind not in _PRESSED or len(modifiers) > 5 or (fields[0] and codes[0] is None):
        return None
    text = "".join(chr(n) for n in _numbers(fields[2]) if n and _is_text(n))
    bits = max(int(modifiers or 1) - 1, 0)
    code = 1 if codes[0] is None else codes[0]
    key = _Key(code, codes[1], codes[2], bits, text, end)
    if code > sys.maxunicode or 0xD800 <= code < 0xE000:
        return None
    return None if code in _LOCKS_AND_MODIFIERS and end == "u" else key


def _numbers(field: str) -> list[int | None]:
    return [int(n) if 0 < len(n) < 8 else None for n in field.split(":")]


def _is_text(number: int | None) -> bool:
    return (
        number is not None
        and (32 <= number < 127 or 160 <= number <= sys.maxunicode)
        and not 0xD800 <= number < 0xE000
    )


def _written(key: _Key) -> str:
    """Return a key as sequences of Textual's: one for each character that it types."""
    code, end, text = key.code, key.end, key.text
    if end == "~" and code in _LATER_KEYS:
        key = key._replace(code=_LATER_KEYS[code], end="u", text="")
        code, end, text = key.code, key.end, ""
    if end != "u":
        text = ""
        if f"{code}{end}" not in FUNCTIONAL_KEYS:
            return ""
    elif not key.modifiers & _NO_TEXT:
        text = text or _typed(key)
    elif not text:
        code = _shortcut(key)
    shift = key.modifiers & _SHIFT and not (end == "u" and code == _BACKSPACE)
    bits = key.modifiers & _NO_TEXT | bool(shift)
    if text:
        # AltGr may be told as Ctrl and Alt: what it types is text.
        both = bits & (_ALT | _CTRL) == _ALT | _CTRL
        bits = bits & ~(_ALT | _CTRL) if both else bits
        return "".join(f"\x1b[{code};{bits + 1};{ord(each)}u" for each in text)
    return f"\x1b[{code};{bits + 1}{end}" if bits else f"\x1b[{code}{end}"


def _typed(key: _Key) -> str:
    """Return what a key types whose terminal does not tell its text."""
    if key.code in _KEYPAD:
        return _KEYPAD[key.code].strip()
    if not _is_text(key.code) or 0xE000 <= key.code < 0xF900:
        return ""
    character = chr(key.code)
    shift = bool(key.modifiers & _SHIFT)
    if shift and _is_text(key.shifted):
        return chr(key.shifted or 0)
    upper = character.upper()
    # Caps Lock changes letters only.
    capital = shift != bool(key.modifiers & _CAPS_LOCK)
    return upper if capital and len(upper) == 1 else character


def _shortcut(key: _Key) -> int:
    """Return the code that names a shortcut: a Latin letter where there is one."""
    code = key.code
    if code > 127 and code not in _KEYPAD and f"{code}u" not in FUNCTIONAL_KEYS:
        small = ord(chr(code).lower()[0])
        code = key.base if key.base and key.base < 128 else _LATIN.get(small, code)
    # modifyOtherKeys tells the capital with Shift, the protocol of kitty the small one.
    return ord(chr(code).lower()[0]) if code < 128 else code
