"""Computes arithmetic, without ever running it as code.

A parser of its own, for what people write: `2 + 3*4`, `17% of 2340`, `sqrt(2)`,
`12 times 8`, `5!`. The numbers are decimals, so 0.1 + 0.2 is 0.3. Every step takes a
bounded time, since numbers have 50 digits and a limited exponent, however large their
power would be.
"""

import decimal
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from tui.errors import ToolError

_LONGEST, _DEEPEST = 500, 40
_DIGITS = 50
_ROUNDED = 15
"""Digits of a result that is not exact, as most people's calculators show."""
_PLAIN = 30
"""Digits before and after the point that are written without an exponent."""
_LARGEST_FACTORIAL = 1000

_WORDS = (
    (r"×|\btimes\b|\bmultiplied by\b|(?<=\d)\s*\bx\b(?=\s*\d)", "*"),
    (r"÷|\bdivided by\b|\bover\b", "/"),
    (r"\bplus\b", "+"),
    (r"−|–|\bminus\b", "-"),
    (r"\bmod(?:ulo)?\b", " mod "),
    (r"\bto the power of\b|\^", "**"),
    (r"\bsquared\b|²", "**2"),
    (r"\bcubed\b|³", "**3"),
    (r"\bper\s?cent\b", "%"),
    (r"\b(?:the )?(?:square root|root) of\b|√", " sqrt "),
    (r"\b(?:the )?cube root of\b", " cbrt "),
    (r"π", " pi "),
)
_REST = r"(?:e[+-]?\d{1,5})?)|(?P<name>[a-z]+\d*|°)|(?P<sign>\*\*|//|[-+*/%(),!]))"
_TOKEN, _ARGUMENT = (
    re.compile(rf"\s*(?:(?P<number>(?:{digits}\.?\d*|\.\d+){_REST}", re.IGNORECASE)
    for digits in (r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d[\d_]*)", r"\d[\d_]*")
)
"""The next token; between the parentheses of a function, a comma separates."""


def bounded(text: str) -> str:
    """Return an expression with single spaces; raises `ToolError` if it is too long."""
    if len(text) <= 10 * _LONGEST:
        text = " ".join(text.split())
    if len(text) > _LONGEST:
        raise ToolError(f"the expression is longer than {_LONGEST} characters")
    return text


def evaluate(text: str) -> Decimal:
    """Return the value of an expression; raises `ToolError` with the place."""
    text = bounded(text)
    context = decimal.Context(
        prec=_DIGITS,
        Emax=99_999,
        Emin=-99_999,
        traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
    )
    with decimal.localcontext(context) as now:
        try:
            value = _Parser(_tokens(text)).whole()
            if not value.is_finite():  # ln(0), 0**-1
                raise decimal.InvalidOperation
        except decimal.DivisionByZero:
            raise ToolError("division by zero") from None
        except decimal.Overflow:
            raise ToolError("the result is too large") from None
        except (decimal.InvalidOperation, ValueError, OverflowError):
            raise ToolError("this has no result among the real numbers") from None
        return _rounded(value, exact=not now.flags[decimal.Inexact])


def written(value: Decimal) -> str:
    """Return a number in digits, with an exponent only if it is very long."""
    if value == 0:
        return "0"
    value = value.normalize(decimal.Context(prec=_DIGITS))
    if -_PLAIN <= value.adjusted() <= _PLAIN + _DIGITS - 31:
        return f"{value:f}"
    return f"{value:e}".replace("e+", "e")


def _rounded(value: Decimal, *, exact: bool) -> Decimal:
    if exact:
        return value
    return decimal.Context(prec=_ROUNDED).plus(value)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    text = text.strip().rstrip("=?").removeprefix("=").strip()
    for words, sign in _WORDS:
        text = re.sub(words, sign, text, flags=re.IGNORECASE)
    found: list[_Token] = []
    calls: list[bool] = []  # for each open parenthesis: whether it is in a call
    at = 0
    while at < len(text):
        in_call = bool(calls) and calls[-1]
        token = (_ARGUMENT if in_call else _TOKEN).match(text, at)
        if token is None:
            if not text[at:].strip():
                break
            raise ToolError(f'"{text[at:].strip()[:20]}" is not arithmetic')
        kind = token.lastgroup or ""
        if token[kind] == "(":
            calls.append(in_call or (bool(found) and found[-1].kind == "name"))
        elif token[kind] == ")" and calls:
            calls.pop()
        found.append(_Token(kind, token[kind].lower(), token.start(kind)))
        at = token.end()
    return found


class _Percent(Decimal):
    """A number with a % behind it, as a part of 1; `200 + 10%` needs to know."""


class _Parser:
    """A recursive descent over the tokens, the weakest operators first."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Decimal:
        """Return the value of all tokens."""
        if not self._tokens:
            raise ToolError("the expression is empty")
        value = self._sum()
        if self._at < len(self._tokens):
            raise ToolError(
                f'"{self._tokens[self._at].text[:20]}" is not expected here'
            )
        return +Decimal(value)

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].text if at < len(self._tokens) else ""

    def _kind(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].kind if at < len(self._tokens) else ""

    def _take(self, *texts: str) -> str:
        text = self._peek()
        if text in texts:
            self._at += 1
            return text
        return ""

    def _sum(self) -> Decimal:
        value = self._product()
        while sign := self._take("+", "-"):
            right = self._product()
            if isinstance(right, _Percent):
                right = value * right  # 200 + 10% is 220
            value = value + right if sign == "+" else value - right
        return value

    def _product(self) -> Decimal:
        value = self._signed()
        while sign := self._take("*", "/", "//", "%", "mod", "of"):
            right = self._signed()
            match sign:
                case "*" | "of":
                    value = value * right
                case "/":
                    value = value / right
                case "//":
                    value = (value / right).to_integral_value(decimal.ROUND_FLOOR)
                case _:  # with the sign of the right one, as in Python
                    floor = (value / right).to_integral_value(decimal.ROUND_FLOOR)
                    value = value - right * floor
        return value

    def _signed(self) -> Decimal:
        sign = self._take("+", "-")
        if not sign:
            return self._power()
        with _Deeper(self):
            value = self._signed()
        return -value if sign == "-" else +value

    def _power(self) -> Decimal:
        value = self._marked()
        if self._take("**"):
            with _Deeper(self):
                return value ** self._signed()
        return value

    def _marked(self) -> Decimal:
        """Return a value with what may stand behind it: `5!`, `17%`, `30°`."""
        value = self._value()
        while True:
            if self._take("!"):
                value = _factorial(value)
            elif self._peek() == "%" and not self._begins_value(1):
                self._at += 1
                value = _Percent(value / 100)
            elif self._take("°", "deg", "degrees"):
                value = value * _PI / 180
            else:
                return value

    def _begins_value(self, ahead: int) -> bool:
        """Whether a value comes, so that a % before it is the rest of a division."""
        text, kind = self._peek(ahead), self._kind(ahead)
        return kind == "number" or text == "(" or text in _FUNCTIONS or text in _NAMES

    def _value(self) -> Decimal:
        text, kind = self._peek(), self._kind()
        self._at += 1
        if kind == "number":
            return Decimal(text.replace(",", "").replace("_", ""))
        if text == "(":
            with _Deeper(self):
                value = self._sum()
            self._close()
            return value
        if text in _NAMES:
            decimal.getcontext().flags[decimal.Inexact] = True
            return _NAMES[text]
        if text in _FUNCTIONS:
            with _Deeper(self):
                return _FUNCTIONS[text](self._arguments())
        if kind == "name":
            raise ToolError(f"{text[:20]} is not known here")
        raise ToolError(
            f"a number is missing {f'before {text}' if text else 'at the end'}"
        )

    def _arguments(self) -> list[Decimal]:
        if not self._take("("):
            return [self._power()]  # sqrt 16
        found = [self._sum()]
        while self._take(","):
            found.append(self._sum())
        self._close()
        return found

    def _close(self) -> None:
        if not self._take(")"):
            raise ToolError("a closing parenthesis is missing")

    def deeper(self, by: int) -> None:
        """Count the open parentheses and the like."""
        self._depth += by
        if self._depth > _DEEPEST:
            raise ToolError(f"more than {_DEEPEST} levels of parentheses and signs")


class _Deeper:
    def __init__(self, parser: _Parser) -> None:
        self._parser = parser

    def __enter__(self) -> None:
        self._parser.deeper(1)

    def __exit__(self, *_: object) -> None:
        self._parser.deeper(-1)


_PI = Decimal("3.1415926535897932384626433832795028841971693993751")
_NAMES = {
    "pi": _PI,
    "e": Decimal("2.7182818284590452353602874713526624977572470936999"),
    "tau": 2 * _PI,
}


def _factorial(value: Decimal) -> Decimal:
    if not 0 <= value <= _LARGEST_FACTORIAL or value != int(value):
        raise ToolError(f"a factorial is of a whole number, 0 to {_LARGEST_FACTORIAL}")
    return +Decimal(math.factorial(int(value)))


def _inexact(function: Callable[..., float]) -> Callable[[list[Decimal]], Decimal]:
    """Return a function of floats for decimals; what it returns counts as rounded."""

    def call(values: list[Decimal]) -> Decimal:
        found = function(*map(float, values))
        decimal.getcontext().flags[decimal.Inexact] = True
        # The 17th digit is noise: sin(pi) is 0.
        return Decimal(0 if abs(found) < 1e-15 else repr(found))

    return call


def _one(function: Callable[[Decimal], Decimal]) -> Callable[[list[Decimal]], Decimal]:
    def call(values: list[Decimal]) -> Decimal:
        if len(values) != 1:
            raise ToolError("this function takes one number")
        return function(values[0])

    return call


def _round(values: list[Decimal]) -> Decimal:
    if len(values) > 2 or (len(values) == 2 and abs(values[1]) > _DIGITS):
        raise ToolError("round takes a number and how many digits")
    digits = int(values[1]) if len(values) == 2 else 0
    return values[0].quantize(Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP)


def _log(values: list[Decimal]) -> Decimal:
    if len(values) > 2:
        raise ToolError("log takes a number and a base")
    return values[0].log10() if len(values) == 1 else values[0].ln() / values[1].ln()


def _cbrt(value: Decimal) -> Decimal:
    root = abs(value) ** (Decimal(1) / 3)
    whole = root.to_integral_value()
    return (whole if whole**3 == abs(value) else root).copy_sign(value)


_FUNCTIONS: dict[str, Callable[[list[Decimal]], Decimal]] = {
    "sqrt": _one(lambda x: x.sqrt()),
    "cbrt": _one(_cbrt),
    "abs": _one(abs),
    "exp": _one(lambda x: x.exp()),
    "ln": _one(lambda x: x.ln()),
    "log": _log,
    "log2": _one(lambda x: x.ln() / Decimal(2).ln()),
    "floor": _one(lambda x: x.to_integral_value(decimal.ROUND_FLOOR)),
    "ceil": _one(lambda x: x.to_integral_value(decimal.ROUND_CEILING)),
    "round": _round,
    "min": min,
    "max": max,
    **{
        name: _inexact(function)
        for name, function in {
            **{"sin": math.sin, "cos": math.cos, "tan": math.tan},
            **{"asin": math.asin, "acos": math.acos, "atan": math.atan},
            **{"sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh},
        }.items()
    },
}
