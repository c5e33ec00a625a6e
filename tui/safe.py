"""Makes text safe to print: nothing in it can control the terminal.

Text from a model, a tool or a file is shown through `safe`, so that it cannot move the
cursor, set a title, write to the clipboard or reverse a line. The log keeps the
original text. Each character is judged by itself, so a stream may be cleaned in any
pieces: ``safe(a) + safe(b) == safe(a + b)``.
"""

import re
import unicodedata
from functools import cache

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Invisible and useless in a grid of cells: bidirectional marks, embeddings and
# isolates, invisible operators, joiners other than ZWJ and ZWNJ (emoji and Persian need
# those two), soft hyphens (terminals disagree on their width), annotation and shorthand
# marks, tags.
_DROPPED = (
    "\r\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f"
)
# C1 controls, surrogates and noncharacters have no control picture.
_REPLACED = "\x80-\x9f\ud800-\udfff\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17)
)
_SEPARATORS = "\u2028\u2029"
_SPECIAL = f"\\x00-\\x09\\x0b-\\x1f\\x7f{_REPLACED}{_SEPARATORS}{_DROPPED}"

_unsafe = re.compile(f"[{_SPECIAL}]")
_no_byte = re.compile("[\ud800-\udc7f\udd00-\udfff]")


@cache
def _dropped() -> re.Pattern[str]:  # rarely needed
    return re.compile(f"[{_DROPPED}]")


def _substitute(match: re.Match[str]) -> str:
    character = match[0]
    if character == "\t":
        return "    "
    if character in _SEPARATORS:
        return "\n"
    if _dropped().match(character):
        return ""
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "\N{SYMBOL FOR DELETE}"
    return _REPLACEMENT


def safe(text: str, *, newlines: bool = True) -> str:
    r"""Return `text` without anything that controls a terminal.

    C0 controls and DEL become their control pictures (ESC becomes ``␛``), C1 controls,
    surrogates and noncharacters become U+FFFD, a tab becomes four spaces, the line and
    paragraph separators ``\n``. Bidirectional controls, tags, other invisible format
    characters and ``\r`` are dropped. Combining marks, variation selectors and the
    joiners of emoji stay. Safe text is returned unchanged.

    With `newlines` False each line end becomes a space: for titles, tables, notices.
    """
    text = _unsafe.sub(_substitute, text)
    return text if newlines else text.replace("\n", " ")


_driving = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    """Return `text` for a program, which may print it: as `safe`, but documents stay.

    Only characters that drive a terminal are replaced. Tabs, carriage returns and
    invisible characters, which `safe` changes, may be meant. Pieces of a stream may be
    cleaned one by one.
    """
    return _driving.sub(lambda m: m[0] if m[0] == "\r" else _substitute(m), text)


_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols of which terminals draw nothing."""
_plain = re.compile(r"[\n\t -~]*")


def spelled_out(text: str) -> str:
    r"""Return `text` for a user to judge, with nothing in it hidden or disguised.

    Unlike `safe` it drops nothing: what is invisible, takes no cell or looks like a
    space is written as ``\u....``, and so is a letter of another script among Latin
    ones, as in an "admin" with a Cyrillic "a". Only line ends stay, and a tab becomes
    four spaces. A run of spaces that would fill a row is counted: ``\u0020×200``.
    """
    if not _plain.fullmatch(text):
        text = _word.sub(_unmixed, text)
        text = "".join(map(_spelled, text))
    return _blanks.sub(_counted, text.replace("\t", "    "))


_word = re.compile(r"\w*[A-Za-z]\w*")
_blanks = re.compile(" {60,}")
_GREEK_ALIKE = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγικνορυχϲϳ")
_OTHER_SCRIPTS = ("CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU")


def _unmixed(word: re.Match[str]) -> str:
    """Spell out the letters of a word with Latin ones that only look like those."""
    if word[0].isascii():
        return word[0]
    return "".join(
        f"\\u{ord(each):04x}" if _passes_for_latin(each) else each for each in word[0]
    )


def _passes_for_latin(letter: str) -> bool:
    if letter < "\u0250" or not letter.isalpha():
        return False
    if letter in "ɑɡ" or letter in _GREEK_ALIKE:
        return True
    compatible = unicodedata.normalize("NFKC", letter)
    if len(compatible) == 1 and compatible.isascii():  # full-width, mathematical
        return True
    return unicodedata.name(letter, "").startswith(_OTHER_SCRIPTS)


def _counted(spaces: re.Match[str]) -> str:
    return f" \\u0020×{len(spaces[0])} "


def _spelled(character: str) -> str:
    if character == "\t":
        return "    "
    if " " <= character <= "~" or character == "\n":
        return character
    hidden = unicodedata.category(character) in ("Mn", "Me", "Cf", "Zs")
    if hidden or character in _BLANK or safe(character) != character:
        return f"\\u{ord(character):04x}"
    return character


def one_line(text: str) -> str:
    """Return a name, id or title that fits one row of a table, also in a pipe.

    Each run of white space and line ends of any kind becomes one space, so that no part
    can look like another row. Everything else stays, as a pipe gets the original text.
    """
    return " ".join(text.split())


def safe_json(document: str) -> str:
    r"""Return a JSON `document` without anything that controls a terminal.

    Characters that `safe` would drop or replace are written as ``\uXXXX``. The JSON
    stays equivalent, as they can occur in strings only.
    """
    return _unsafe.sub(_escape, document)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in "\t\r":  # white space between values; in strings it is escaped
        return " "
    units = character.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(f"\\u{pair.hex()}" for pair in pairs)


def decoded(text: str) -> str:
    """Return text from outside as valid UTF-8; invalid parts become U+FFFD.

    Python represents undecodable bytes of arguments, variables and file names as lone
    surrogates, which no file, store or server accepts. Use this for text to show or
    store; opening a file needs its original name.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        # A surrogate that encodes no byte cannot be turned back into one.
        text = _no_byte.sub(_REPLACEMENT, text)
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text
