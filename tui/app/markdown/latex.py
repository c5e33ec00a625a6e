r"""Converts LaTeX mathematics to Unicode where nothing is lost.

A formula is converted as a whole or not at all: a mixture would be hard to read. What
has no Unicode form is written on one line, as in a calculator: `x^{2^n}` as `x^(2ⁿ)`,
`\frac{a+b}{c}d` as `((a+b)/c)d`, a matrix as `(a, b; c, d)`. Brackets keep it
unambiguous. Import it with the first formula; see `symbols` for the tables.

The file is long because it is one grammar, whose functions call each other.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len

from tui.app.markdown.symbols import (
    ACCENTS,
    ALPHABETS,
    BIG,
    BINARY,
    BRACKETS,
    FRACTIONS,
    FUNCTIONS,
    IGNORED,
    ORDINARY,
    RELATIONS,
    SPACES,
    SUBSCRIPT,
    SUPERSCRIPT,
)

_token = re.compile(r"\\operatorname\*|\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
_raw_group = re.compile(r"\{([^{}$\\^_&#]*(?:\\[%_#&{} ][^{}$\\^_&#]*)*)\}")
_environment = re.compile(
    r"\\begin\{((?:align|gather)(?:ed|\*)?)\}(.*)\\end\{\1\}", re.DOTALL
)
_atom = re.compile(r"[0-9]+(?:\.[0-9]+)?|[^\W\d_]|[d∂][^\W\d_]|∞")
# Dividing a product equals dividing its last factor, so it needs no brackets.
_product = re.compile(r"(?:[^\W_]|[∂∞′]|\([^()/]*\))+")
_TEXT = {"text", "textrm", "textnormal", "textit", "textbf", "mbox"}
_NAMES = {"operatorname", "operatorname*"}
_UPRIGHT = {"mathrm", "mathit", "mathsf", "mathnormal"}
_MATRICES = {
    "matrix": ("(", ")"),
    "smallmatrix": ("(", ")"),
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "Bmatrix": ("{", "}"),
    "vmatrix": ("|", "|"),
    "Vmatrix": ("‖", "‖"),
    "cases": ("{ ", " }"),
}
"""Environments that are written on one line, with their brackets."""
_SIZES = {
    size + side
    for size in ("big", "Big", "bigg", "Bigg")
    for side in ("", "l", "r", "m")
}
_LONG_ACCENTS = ("overline", "bar", "underline")  # of several letters, one each
_DEEPEST = 20  # nested groups


class _NotExact(Exception):
    """A part of the formula cannot be written without a loss."""


class _Piece(NamedTuple):
    text: str
    kind: str
    """Its role between its neighbours: `ord`, `op`, `bin`, `rel`, `sign`, `punct`,
    `slash`, `open`, `close`, `^`, `_`, `fraction`, `root` (`rooted` in brackets),
    `space`, `newline` or `cell`."""


@lru_cache(maxsize=512)
def to_unicode(formula: str) -> str | None:
    r"""Return a formula, without its dollars, as text; None if that would lose a part.

    Lines of ``aligned``, and lines separated by ``\\``, are separated by line ends.
    """
    try:
        pieces = _Reader(formula).read()
        text = _join(pieces)
    except (_NotExact, RecursionError):
        return None
    return text if text.strip() else None


class _Reader:
    """Turns source into pieces, group by group."""

    def __init__(self, source: str) -> None:
        environment = _environment.fullmatch(source.strip())
        self._source = environment[2] if environment else source.strip()
        self._at = 0
        self._depth = 0
        self._table = 1 if environment else 0
        """The depth at which `&` parts cells; 0: nowhere."""

    def read(self) -> list[_Piece]:
        """Read all of the source."""
        return self._until("")

    def _next(self) -> str:
        match = _token.match(self._source, self._at)
        if not match:
            return ""
        self._at = match.end()
        return match[0]

    def _take(self, wanted: str) -> bool:
        """Consume the next token if it is `wanted`, with the blanks before it."""
        rest = self._source[self._at :].lstrip()
        if not rest.startswith(wanted):
            return False
        self._at = len(self._source) - len(rest) + len(wanted)
        return True

    def _until(self, closing: str) -> list[_Piece]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NotExact
        pieces: list[_Piece] = []
        while token := self._next():
            if token == closing:
                break
            if token in ("^", "_"):
                pieces.append(self._script(token, pieces))
            elif token == "'":
                pieces.append(self._primes())
            else:
                pieces += self._one(token)
        else:
            if closing:
                raise _NotExact
        self._depth -= 1
        return pieces

    def _one(self, token: str) -> list[_Piece]:
        if token.isspace():
            return [_Piece(" ", "space")]
        if token[0] == "\\":
            return self._command(token[1:])
        if token == "{":
            return self._until("}")
        if token == "~":
            return [_Piece(" ", "space")]
        if token == "&" and self._depth == self._table:
            return [_Piece("", "cell")]
        if token in "}#%^_$&":
            raise _NotExact
        return [_character(token)]

    def _argument(self) -> list[_Piece]:
        """Read the argument of a command or script."""
        token = self._next()
        while token.isspace():
            token = self._next()
        if not token or token in ("^", "_", "&", "}"):
            raise _NotExact
        return self._one(token)

    def _command(self, name: str) -> list[_Piece]:
        for table, kind in (
            (ORDINARY, "ord"),
            (BINARY, "bin"),
            (RELATIONS, "rel"),
            (BIG, "op"),
            (BRACKETS, ""),
        ):
            if name in table:
                symbol = table[name]
                return [_Piece(symbol, kind) if kind else _bracket(symbol)]
        if name in FUNCTIONS:
            return [_Piece(name, "op")]
        if name in SPACES:
            return [_Piece(SPACES[name], "space")]
        if name in IGNORED or name in _SIZES:
            return []
        if name in _TEXT:
            return [_Piece(self._raw(), "ord")]
        if name in _NAMES:
            return [_Piece(self._raw(), "op")]
        if name in _UPRIGHT:
            return [_Piece(_join(self._argument()), "ord")]
        if name in ("left", "right", "middle"):
            return self._delimiter(name)
        ends_row = name == "\\" and self._depth in (1, self._table)
        if ends_row and not self._take("["):
            return [_Piece("\n", "newline")]
        return self._built(name)

    def _built(self, name: str) -> list[_Piece]:
        """Read a command that has arguments or needs more than a table."""
        if name in ("frac", "tfrac", "dfrac"):
            return [_fraction(_join(self._argument()), _join(self._argument()))]
        if name == "sqrt":
            return [self._root()]
        if name in ALPHABETS:
            letters = _join(self._argument())
            return [_Piece("".join(_letter(name, each) for each in letters), "ord")]
        if name in ACCENTS:
            base = _join(self._argument())
            letters = [f"{letter}{ACCENTS[name]}" for letter in base]
            if not base.isalpha() or (len(base) > 1 and name not in _LONG_ACCENTS):
                raise _NotExact
            return [_Piece(unicodedata.normalize("NFC", "".join(letters)), "ord")]
        if name == "begin":
            return [self._matrix()]
        if name in ("binom", "dbinom", "tbinom"):
            above, below = _join(self._argument()), _join(self._argument())
            return [_Piece("binom", "op"), _Piece(f"({above}, {below})", "close")]
        if name == "boxed":
            return self._argument()
        if name == "pmod":
            return [_Piece(f"(mod {_join(self._argument())})", "rel")]
        if name == "not":
            struck = unicodedata.normalize("NFC", _join(self._argument()) + "\u0338")
            if len(struck) != 1:
                raise _NotExact
            return [_Piece(struck, "rel")]
        raise _NotExact

    def _raw(self) -> str:
        self._take("")
        match = _raw_group.match(self._source, self._at)
        if not match:
            raise _NotExact
        self._at = match.end()
        return re.sub(r"\\(.)", r"\1", match[1]).replace("~", " ")

    def _delimiter(self, side: str) -> list[_Piece]:
        self._take("")
        token = self._next()
        if token == ".":
            return []
        name = token[1:]
        if token[:1] == "\\" and name in BRACKETS:
            symbol = BRACKETS[name]
        elif token[:1] == "\\" and name in ("|", "vert", "lvert", "rvert", "Vert"):
            symbol = ORDINARY[name]
        elif token in ("(", ")", "[", "]", "|", "/", "<", ">"):
            symbol = {"<": "⟨", ">": "⟩"}.get(token, token)
        else:
            raise _NotExact
        kinds = {"left": "open", "right": "close", "middle": "rel"}
        return [_Piece(symbol, kinds[side])]

    def _root(self) -> _Piece:
        degree = ""
        if self._take("["):
            degree = _join(self._until("]"))
        inside = _join(self._argument())
        sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree)
        if sign is None:
            sign = _translate(degree, SUPERSCRIPT) + "√"
        if not inside:
            raise _NotExact
        if _atom.fullmatch(inside):
            return _Piece(sign + inside, "root")
        return _Piece(f"{sign}({inside})", "rooted")

    def _matrix(self) -> _Piece:
        """Read an environment of rows and cells, up to its end."""
        name = self._raw()
        if name not in _MATRICES:
            raise _NotExact
        outer, self._table = self._table, self._depth + 1
        pieces = self._until("\\end")
        self._table = outer
        if self._raw() != name:
            raise _NotExact
        rows = [
            ", ".join(_join(cell).rstrip(",") for cell in _parted(row, "cell"))
            for row in _parted(pieces, "newline")
        ]
        opening, closing = _MATRICES[name]
        text = "; ".join(row for row in rows if row)
        if not text or "\n" in text:
            raise _NotExact
        return _Piece(f"{opening}{text}{closing}", "ord")

    def _script(self, token: str, before: list[_Piece]) -> _Piece:
        while before and before[-1].kind == "space":
            before.pop()
        if before and before[-1].kind in ("fraction", "root", "rooted"):
            # √x² would be the root of x².
            before[-1] = _Piece(f"({before[-1].text})", "ord")
        if before and before[-1].kind not in ("ord", "op", "close", "^", "_"):
            raise _NotExact
        if before and before[-1].kind == token:
            raise _NotExact
        table = SUPERSCRIPT if token == "^" else SUBSCRIPT
        pieces = self._argument()
        text = _join([piece for piece in pieces if piece.kind != "space"], tight=True)
        if token == "^" and text in ("∘", "°"):
            return _Piece("°", token)
        if token == "^" and text and not text.strip("′†"):
            return _Piece(text, token)  # already raised
        if text and all(each in table for each in text):
            return _Piece(_translate(text, table), token)
        text = _join(pieces)
        if not text or "\n" in text:
            raise _NotExact
        return _Piece(f"{token}({text})", token)

    def _primes(self) -> _Piece:
        count = 1
        while self._take("'"):
            count += 1
        return _Piece({1: "′", 2: "″", 3: "‴"}.get(count) or "′" * count, "ord")


def _translate(text: str, table: dict[str, str]) -> str:
    if not text or any(each not in table for each in text):
        raise _NotExact
    return "".join(table[each] for each in text)


def _letter(alphabet: str, letter: str) -> str:
    """Return a letter of an alphabet; older ones have different Unicode names."""
    if letter.isascii() and letter.isalpha():
        case = "CAPITAL" if letter.isupper() else "SMALL"
        which = f"{case} {letter.upper()}"
    elif letter.isascii() and letter.isdigit():
        which = unicodedata.name(letter)
    else:
        raise _NotExact
    style, older = ALPHABETS[alphabet]
    for name in (f"MATHEMATICAL {style} {which}", f"{older} {which}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    raise _NotExact


def _character(character: str) -> _Piece:
    if character in "+*":
        return _Piece(character, "sign")
    if character == "-":
        return _Piece("−", "sign")
    if character in "=<>:≤≥≠≈":
        return _Piece(character, "sign")
    if character in ",;":
        return _Piece(character, "punct")
    if character in "([":
        return _Piece(character, "open")
    if character in ")]!":
        return _Piece(character, "close")
    if character == "/":
        return _Piece(character, "slash")
    return _Piece(character, "ord")


def _bracket(symbol: str) -> _Piece:
    return _Piece(symbol, "close" if symbol in "}⌋⌉⟩" else "open")


def _fraction(above: str, below: str) -> _Piece:
    if "\n" in above + below or not above or not below:
        raise _NotExact
    if f"{above}/{below}" in FRACTIONS:
        return _Piece(FRACTIONS[f"{above}/{below}"], "ord")
    if not _product.fullmatch(above):
        above = f"({above})"
    if not _atom.fullmatch(below):
        below = f"({below})"
    return _Piece(f"{above}/{below}", "fraction")


_APART = ("bin", "rel")
_PREFIXES = ("∂", "∇", "Δ", "¬")
_FIRST = ("open", "sign", "punct", *_APART)
_BESIDE_A_FRACTION = ("bin", "rel", "sign", "punct", "newline", "cell")


def _join(pieces: list[_Piece], *, tight: bool = False) -> str:
    r"""Join pieces, with spaces where LaTeX would leave room.

    Spaces of the source stay, though LaTeX ignores them: the author of `a + b` wanted
    them. `tight` is for scripts.
    """
    found = [piece for piece in pieces if piece.kind != "space"]
    found = _bracketed(found)
    if tight:
        return "".join(piece.text for piece in found)
    pieces = _bracketed(pieces)
    if any(piece.kind in ("newline", "cell") for piece in found):
        return _rows(pieces)
    text = ""
    last = _Piece("", "open")
    for piece in pieces:
        if piece.kind == "bin" and last.kind in _FIRST:
            piece = piece._replace(kind="ord")  # a sign, as in `= \pm 2`
        wide = piece.kind in _APART and last.kind != "open"
        follows = last.kind in _APART and piece.kind != "close"
        named = last.kind == "op" and last.text[-1:].isalpha() and piece.kind == "ord"
        naming = (
            piece.kind == "op"
            and piece.text[:1].isalpha()
            and last.kind in ("ord", "close", "fraction")
        )
        if (wide or follows or named or naming) and text and text[-1:] != " ":
            text += " "
        if last.kind == "open" or last.text in _PREFIXES:
            text = text.rstrip(" ")
        if piece.kind == "close":
            text = text.rstrip(" ")
        if piece.kind == "space" and (not text or text[-1:] == " "):
            text += piece.text[1:]
        else:
            text += piece.text
        if piece.kind != "space":
            last = piece
    return text.strip(" ")


def _bracketed(pieces: list[_Piece]) -> list[_Piece]:
    """Put brackets around what would run into its neighbours; take off needless ones.

    Needed are those in `(a/b)c`, `(√2)π` and `x(ⁿ√y)`, and in `x_(b)c`, not `x_b`.
    """
    found = [at for at, piece in enumerate(pieces) if piece.kind != "space"]
    done = list(pieces)
    for index, at in enumerate(found):
        piece = pieces[at]
        before = pieces[found[index - 1]] if index else None
        after = pieces[found[index + 1]] if index + 1 < len(found) else None
        apart = after is None or found[index + 1] > at + 1
        match piece.kind:
            case "fraction":
                alone = _stands_off(before, "open") and _stands_off(after, "close")
            case "root" | "rooted":
                alone = piece.kind == "rooted" or _stands_off(after, "close")
                if piece.text[0] not in "√∛∜":
                    alone = alone and _stands_off(before, "open")
            case "^" | "_" if len(piece.text) == 4 and piece.text[1:2] == "(":
                if apart or after is None or not after.text[:1].isalnum():
                    done[at] = piece._replace(text=piece.text[0] + piece.text[2])
                continue
            case _:
                continue
        if not alone:
            done[at] = _Piece(f"({piece.text})", "ord")
    return done


def _stands_off(piece: _Piece | None, also: str) -> bool:
    return piece is None or piece.kind in (*_BESIDE_A_FRACTION, also)


def _parted(pieces: list[_Piece], kind: str) -> list[list[_Piece]]:
    """Return the pieces between those of a kind."""
    parts: list[list[_Piece]] = [[]]
    for piece in pieces:
        if piece.kind == kind:
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


def _rows(pieces: list[_Piece]) -> str:
    """Lay out rows of alternating right- and left-aligned cells."""
    rows: list[list[list[_Piece]]] = [[[]]]
    for piece in pieces:
        if piece.kind == "newline":
            rows.append([[]])
        elif piece.kind == "cell":
            rows[-1].append([])
        else:
            rows[-1][-1].append(piece)
    texts = [[_join(cell) for cell in row] for row in rows]
    columns = max(map(len, texts))
    widths = [
        max(cell_len(row[column]) if column < len(row) else 0 for row in texts)
        for column in range(columns)
    ]
    lines: list[str] = []
    for row in texts:
        cells = [
            _pad(cell, width, left=column % 2 == 0)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append((" ".join(cells) if columns > 1 else row[0]).rstrip())
    return "\n".join(line for line in lines if line)


def _pad(text: str, width: int, *, left: bool) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if left else text + blanks
