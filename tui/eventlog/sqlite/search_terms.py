"""The search tokenizer: splits messages and queries into the same terms.

SQLite's own tokenizers find no Chinese word inside a sentence, or need three
characters. Here scripts that put no spaces between words are cut into single
characters and pairs; words stand whole and, when they are names in code, also in
parts (`getUserName`: getusername, get, user, name); punctuation stands in pairs, for
`::` and `+=`. Case, accents and the width of characters are folded.

The index keeps which messages have a term, not where, which halves it: what must
stand side by side (a phrase, `foo_bar`, three Chinese characters) is looked at in
the text of the messages that have all the terms.

A change of `terms` needs a migration that fills the index anew: to remove a message
from it, what was put in must be told again.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from operator import add
from typing import NamedTuple

LONGEST = 64
"""Characters of a term; what follows (of a key, a hash, a base64 text) is only looked
at in the message itself."""

PREFIX = 3
"""Characters from which the beginning of a word finds it. A prefix of this length is
a term of its own: the shortest are the ones with the most words to go through."""

_BEGINS = "\ue000"
"""Marks a term that is the beginning of longer words."""

_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u3096"
    "\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uff9d\uffa0-\uffdc\U00020000-\U0003ffff"
)
# Marks that stand within words: Python counts them as no part of one.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f"
_MARKS_KEPT = "\u0670\u0900-\u0963\u0966-\u0dff"
_PUNCTUATION = r"!-/:-@\[-^`{-~"
_SYMBOLS = "\u00a2-\u00b1\u20a0-\u20cf\u2100-\u2bff\U0001f000-\U0001faff"

# No two of them have a character in common, so a text may be cut by each in turn.
_KINDS = {
    "run": f"[{_SPACELESS}]+",
    # Possessive: a word of 2 MB would take 240 MB to remember all ways back.
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
    """Folds character by character, each worked out once."""

    def __missing__(self, code: int) -> str:
        character = _quotes.get(chr(code)) or chr(code)
        plain = unicodedata.normalize("NFKD", character).casefold()
        folded = unicodedata.normalize("NFC", _dropped.sub("", plain))
        self[code] = folded
        return folded


_folding = _Folding()


def fold(text: str) -> str:
    """Return `text` without case, accents and width; `text` in the form NFC.

    Character by character: `fold(a + b) == fold(a) + fold(b)`.
    """
    return text.lower() if text.isascii() else text.translate(_folding)


def normal(text: str) -> str:
    """Return `text` in the form that all functions here take (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def terms(text: str) -> set[str]:
    """Return the terms that a message with `text` is found by; 80 us for 100 words."""
    # No term has white space in it, and most words of a long text come again and again.
    text = " ".join(set(normal(text).split()))
    found: set[str] = set()
    for word in set(_words.findall(text)):
        found.update(_of_word(word))
    for punctuation in set(_punctuation.findall(text)):
        found.update(map(_spelled, set(_pairs(punctuation))))
    if not text.isascii():
        # Each once: megabytes of a few signs would take the log, and Esc, seconds.
        for run in map(fold, set(_runs.findall(text))):
            found.update(run)
            found.update(_pairs(run))
        for symbol in set(_symbols.findall(text)):
            found.update(fold(symbol).split())
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
    """Cut where the index would: a folded character may have become several."""
    if folded.isalnum() and (folded.isascii() or folded.isalpha()):
        return [folded]
    return _separator.sub(" ", folded).split()


def _parts(word: str) -> list[str]:
    """Return the parts of a name in code, folded; [] of any other word."""
    if not word.isascii() or (
        word.isalpha() and (word.islower() or word.istitle() or word.isupper())
    ):
        return []
    parts = _part.findall(word)
    return [part.lower() for part in parts] if len(parts) > 1 else []


def _pairs(run: str) -> Iterator[str]:
    return map(add, run, run[1:])


def _spelled(punctuation: str) -> str:
    """Return punctuation in characters that the index takes for letters."""
    return "".join(chr(0xE000 + ord(character)) for character in punctuation)


class Needle(NamedTuple):
    """A word, a phrase or a piece of code that a message must have."""

    expression: str
    """What the index is asked, in the language of FTS5."""
    quick: str
    """The same where the beginning of a word is one of `PREFIX` characters, of which
    the index has a list; of longer ones it has none and gathers it from the lists of
    all the words, which takes long if there are many."""
    pattern: re.Pattern[str]
    """What stands in the folded text of a message that has it."""
    loose: re.Pattern[str]
    """The same within a longer word too: `User` in `getUserName`."""
    certain: bool
    """Whether the index alone, asked `expression`, can tell that a message has it."""

    def stands_in(self, text: str, folded: str) -> bool:
        """Return whether a message has it that the index gave for `quick`."""
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
    """Return what a message must have, all of it, to be found by `query`.

    Words are looked for in any order, what stands in double quotes side by side, a
    piece of code as it is typed. The last word may be the beginning of a longer one
    (from `PREFIX` characters on) unless a space or a quote ends it. Nothing in a
    query is an operator. [] when there is nothing that could be looked for.
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
                    # The index need not be asked for the `b` of `foo_b`.
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
                expressions = map(_quoted, fold(token[0]).split())
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
