"""Tokenizes messages and queries for search, both into the same terms.

SQLite's own tokenizers either find no Chinese word inside a sentence, or need at least
three characters. Here, scripts without spaces between words are cut into single
characters and pairs. Words are terms as a whole; names in code are also split into
parts (`getUserName`: getusername, get, user, name). Punctuation becomes pairs, for `::`
and `+=`. Case, accents and the width of characters are folded.

The index stores which messages contain a term, but not the positions, which halves its
size. So words that must be adjacent (a phrase, `foo_bar`, three Chinese characters) are
verified in the text of the messages that contain all the terms.

A change to `terms` needs a migration that rebuilds the index: to remove a message from
the index, FTS5 must be given exactly the terms that were inserted.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from operator import add
from typing import NamedTuple

LONGEST = 64
"""The most characters of a term. The rest of a longer word (a key, a hash, base64) is
only compared in the message itself."""

PREFIX = 3
"""The least characters of a prefix that finds a word. Prefixes of exactly this length
are terms of their own, because they match the most words and so would be slowest."""

_BEGINS = "\ue000"
"""Marks a term that is a prefix of longer words."""

_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u3096"
    "\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uff9d\uffa0-\uffdc\U00020000-\U0003ffff"
)
# Combining marks, which Python's \w does not match although they are parts of words.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f"
_MARKS_KEPT = "\u0670\u0900-\u0963\u0966-\u0dff"
_PUNCTUATION = r"!-/:-@\[-^`{-~"
_SYMBOLS = "\u00a2-\u00b1\u20a0-\u20cf\u2100-\u2bff\U0001f000-\U0001faff"

# No two kinds share a character, so each pattern can cut the text independently.
_KINDS = {
    "run": f"[{_SPACELESS}]+",
    # Possessive, because the backtracking stack of a very long word needs a hundred
    # times the memory of the word.
    "word": f"(?:[^\\W_{_SPACELESS}]|[{_MARKS}{_MARKS_KEPT}])++",
    "punctuation": f"[{_PUNCTUATION}]{{2,}}",
    "symbol": f"[{_SYMBOLS}]",
}
_token = re.compile("|".join(f"(?P<{kind}>{cut})" for kind, cut in _KINDS.items()))
_runs, _words, _punctuation, _symbols = map(re.compile, _KINDS.values())
_part = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_dropped = re.compile(f"[{_MARKS}]")
_separator = re.compile(r"[\x00-/:-@\[-`{-\x7f\s]+")
_quotes = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'}


class _Folding(dict[int, str]):
    """Maps characters to their folded forms, and caches the results."""

    def __missing__(self, code: int) -> str:
        character = _quotes.get(chr(code)) or chr(code)
        plain = unicodedata.normalize("NFKD", character).casefold()
        folded = unicodedata.normalize("NFC", _dropped.sub("", plain))
        self[code] = folded
        return folded


_folding = _Folding()


def fold(text: str) -> str:
    """Return `text`, which is in NFC, without differences in case, accents and width.

    Each character is folded by itself: `fold(a + b) == fold(a) + fold(b)`.
    """
    return text.lower() if text.isascii() else text.translate(_folding)


def normal(text: str) -> str:
    """Return `text` in NFC, the form that all functions here expect."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def terms(text: str) -> set[str]:
    """Return the terms by which search finds a message with `text`."""
    # Tokenize each distinct word once: terms contain no white space, and most words of
    # a long text are repeated.
    text = " ".join(set(normal(text).split()))
    found: set[str] = set()
    for word in set(_words.findall(text)):
        found.update(_of_word(word))
    for punctuation in set(_punctuation.findall(text)):
        found.update(map(_spelled, set(_pairs(punctuation))))
    if not text.isascii():
        # Tokenize each distinct run once: megabytes of a few characters would otherwise
        # block the log, and Esc, for seconds.
        for run in map(fold, set(_runs.findall(text))):
            found.update(run)
            found.update(_pairs(run))
        for symbol in set(_symbols.findall(text)):
            # As FTS5 has cut them before: "(1)" for one sign.
            found.update(_pieces(fold(symbol)))
    return found


@lru_cache(8192)
def _of_word(word: str) -> tuple[str, ...]:
    found: list[str] = []
    for piece in (*_pieces(fold(word)), *_parts(word)):
        found.append(piece[:LONGEST])
        if len(piece) > PREFIX:
            found.append(piece[:PREFIX] + _BEGINS)
    return tuple(found)


def _pieces(folded: str) -> list[str]:
    """Split a folded word where FTS5 would: folding may yield separator characters."""
    if folded.isalnum() and (folded.isascii() or folded.isalpha()):
        return [folded]
    return _separator.sub(" ", folded).split()


def _parts(word: str) -> list[str]:
    """Return the folded parts of a name in code; [] for any other word."""
    if not word.isascii() or (
        word.isalpha() and (word.islower() or word.istitle() or word.isupper())
    ):
        return []
    parts = _part.findall(word)
    return [part.lower() for part in parts] if len(parts) > 1 else []


def _pairs(run: str) -> Iterator[str]:
    return map(add, run, run[1:])


def _spelled(punctuation: str) -> str:
    """Return punctuation encoded in characters that FTS5 treats as letters."""
    return "".join(chr(0xE000 + ord(character)) for character in punctuation)


class Needle(NamedTuple):
    """A word, a phrase or a piece of code that a message must contain."""

    expression: str
    """The query for the index, in FTS5's language."""
    quick: str
    """The same query with prefixes shortened to `PREFIX` characters. The index has
    those as terms. For longer prefixes FTS5 must merge the lists of all matching words,
    which is slow if there are many. This query may find too many messages."""
    pattern: re.Pattern[str]
    """Matches the folded text of a message that contains the needle."""
    loose: re.Pattern[str]
    """As `pattern`, but also inside longer words: `User` in `getUserName`."""
    certain: bool
    """Whether the index alone can decide, by `expression`, if a message matches."""

    def stands_in(self, text: str, folded: str) -> bool:
        """Return whether a message that the index found by `quick` really matches.

        `folded` is the result of `fold` for `text`.
        """
        if self.pattern.search(folded):
            return True
        return (
            self.certain
            and bool(self.loose.search(folded))
            and any(map(self.loose.match, terms(text)))
        )


_chunk = re.compile(r'"([^"]*)("?)|[^\s"]+')
_border = re.compile(
    f"(?<=[{_SPACELESS}])(?![{_SPACELESS}])|(?<![{_SPACELESS}])(?=[{_SPACELESS}])"
)
_AROUND = ".,;:!?*^、。，；：！？…"


def needles(query: str) -> list[Needle]:
    """Return the needles that a message must all contain to match `query`.

    Words match in any order, quoted words only side by side, a piece of code only as it
    is typed. The last word also matches as a prefix (from `PREFIX` characters on)
    unless a space or a quote ends it. A query has no operators. Returns [] when the
    query contains nothing to search for.
    """
    found: list[Needle | None] = []
    query = normal(query)
    for match in _chunk.finditer(query):
        last = match.end() == len(query)
        if match[1] is not None:
            words = match[1]
            ended = bool(match[2]) or words[-1:].isspace()
            found.append(_needle(words.strip(), open_end=last and not ended))
            continue
        pieces = _border.split(match[0])
        for number, piece in enumerate(pieces, 1):
            bare = piece.strip(_AROUND) or piece
            found.append(_needle(bare, open_end=last and number == len(pieces)))
    return [needle for needle in found if needle]


def _needle(text: str, *, open_end: bool) -> Needle | None:
    tokens = list(_token.finditer(text))
    only = len(tokens) == 1 and tokens[0].span() == (0, len(text))
    asked: list[str] = []
    quick: list[str] = []
    certain = only
    for token in tokens:
        match token.lastgroup:
            case "word":
                pieces = _pieces(fold(token[0]))
                certain = certain and len(pieces) == 1 and len(pieces[0]) <= LONGEST
                expressions = [_quoted(piece[:LONGEST]) for piece in pieces]
                if open_end and token.end() == len(text) and pieces:
                    del expressions[-1]
                    last = pieces[-1]
                    # The query can do without the `b` of `foo_b`.
                    if len(last) >= PREFIX or not (asked or expressions):
                        asked.append(_beginning(last))
                        quick.append(_beginning(last[:PREFIX]))
            case "run":
                run = fold(token[0])
                certain = certain and len(run) <= 2
                expressions = map(_quoted, _pairs(run) if len(run) > 1 else run)
            case "punctuation":
                certain = certain and len(token[0]) == 2
                pairs = _pairs(token[0]) if only else ()
                expressions = [_quoted(_spelled(pair)) for pair in pairs]
            case _:
                expressions = map(_quoted, _pieces(fold(token[0])))
        expressions = list(expressions)
        asked += expressions
        quick += expressions
    if not asked:
        return None
    pattern, loose = _patterns(fold(text), open_end)
    return Needle(" AND ".join(asked), " AND ".join(quick), pattern, loose, certain)


def _beginning(word: str) -> str:
    if len(word) > LONGEST or len(word) < PREFIX:
        return _quoted(word[:LONGEST])
    if len(word) == PREFIX:
        return f"({_quoted(word)} OR {_quoted(word + _BEGINS)})"
    return f"{_quoted(word)} *"


def _quoted(term: str) -> str:
    return f'"{term}"'


def _patterns(folded: str, open_end: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    inner = r"\s+".join(map(re.escape, folded.split()))
    left = r"(?<![^\W_])" if _ends_word(folded[:1]) else ""
    right = r"(?![^\W_])" if _ends_word(folded[-1:]) and not open_end else ""
    return re.compile(left + inner + right), re.compile(inner)


def _ends_word(character: str) -> bool:
    return character.isalnum() and not re.match(f"[{_SPACELESS}]", character)
