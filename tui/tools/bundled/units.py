"""Converts units: `5 km to miles`, `72 F in C`, `5 ft 11 in to cm`."""

import re
from decimal import Decimal
from typing import NamedTuple

from tui.errors import ToolError
from tui.tools.bundled.expression import evaluate, written

_TABLE = """
length: m meter metre meters metres = 1; km kilometer kilometre kilometers kilometres
  = 1000; cm centimeter centimetre centimeters centimetres = 0.01; mm millimeter
  millimetre millimeters millimetres = 0.001; um micrometer micrometers micron microns
  = 0.000001; nm nanometer nanometers = 0.000000001; in inch inches = 0.0254; ft foot
  feet = 0.3048; yd yard yards = 0.9144; mi mile miles = 1609.344; nmi nauticalmile
  nauticalmiles = 1852
mass: g gram grams gramme grammes = 1; kg kilo kilos kilogram kilograms = 1000; mg
  milligram milligrams = 0.001; t ton tons tonne tonnes = 1000000; oz ounce ounces =
  28.349523125; lb lbs pound pounds = 453.59237; st stone stones = 6350.29318
time: s sec second seconds = 1; ms millisecond milliseconds = 0.001; min minute minutes
  = 60; h hr hrs hour hours = 3600; d day days = 86400; week weeks = 604800; year years
  = 31557600
data: bit bits = 0.125; b byte bytes = 1; kb kilobyte kilobytes = 1000; mb megabyte
  megabytes = 1000000; gb gigabyte gigabytes = 1000000000; tb terabyte terabytes =
  1000000000000; pb petabyte petabytes = 1000000000000000; kib kibibyte = 1024; mib
  mebibyte = 1048576; gib gibibyte = 1073741824; tib tebibyte = 1099511627776; kbit =
  125; mbit megabit megabits = 125000; gbit gigabit gigabits = 125000000
volume: l liter litre liters litres = 1; ml milliliter millilitre milliliters
  millilitres = 0.001; gal gallon gallons = 3.785411784; qt quart quarts = 0.946352946;
  pt pint pints = 0.473176473; cup cups = 0.2365882365
speed: m/s mps = 1; km/h kmh kph = 0.2777777777777777777777777777777777777777777778; mph
  = 0.44704; kn knot knots = 0.5144444444444444444444444444444444444444444444
area: m2 sqm = 1; km2 sqkm = 1000000; ha hectare hectares = 10000; acre acres =
  4046.8564224; ft2 sqft = 0.09290304
"""
"""Each quantity: the names of a unit, and how many of the first one it is. Gallons and
what is smaller are those of the US; a year is 365.25 days."""
_SCALES = {
    **dict.fromkeys(("c", "celsius", "centigrade"), "celsius"),
    **dict.fromkeys(("f", "fahrenheit"), "fahrenheit"),
    **dict.fromkeys(("k", "kelvin"), "kelvin"),
}
_ZERO_CELSIUS = Decimal("273.15")
_UNIT = r"(?:°|degrees?\s)?\s*[a-z]+(?:\s?/\s?[a-z])?[23]?"
_CONVERSION = re.compile(
    rf"\s*(?:convert\s+|what is\s+)?(?P<what>.+?)\s*\b(?:in|to|as|into)\s+"
    rf"(?P<unit>{_UNIT})\s*\??\s*",
    re.IGNORECASE | re.DOTALL,
)
_AMOUNT = re.compile(rf"(?P<number>.*[\d)!%])\s*(?P<unit>{_UNIT})\s*", re.I | re.DOTALL)
_PAIRS = re.compile(rf"([\d.,]+)\s*({_UNIT})(?:\s*,?\s*(?:and\s)?\s*)", re.I)


class _Unit(NamedTuple):
    quantity: str
    factor: Decimal
    name: str


def _read() -> dict[str, _Unit]:
    found: dict[str, _Unit] = {}
    for quantity, units in re.findall(
        r"^(\w+): (.+?)(?=^\w+:|\Z)", _TABLE, re.M | re.S
    ):
        for unit in units.split(";"):
            names, _, factor = unit.partition("=")
            for name in names.split():
                found[name] = _Unit(quantity, Decimal(factor.strip()), names.split()[0])
    return found


UNITS = _read()


def convert(text: str) -> str | None:
    """Return the converted value, with its unit; None if `text` is not a conversion.

    Raises `ToolError` for units that are not of one kind.
    """
    asked = _CONVERSION.fullmatch(text)
    if asked is None or not re.search(r"\d", asked["what"]):
        return None
    to = _plain(asked["unit"])
    if to in _SCALES:
        return _temperature(asked["what"], to)
    amount = _amount(asked["what"])
    if amount is None:
        return None
    quantity, value, name = amount
    unit = _find(to)
    if unit.quantity != quantity:
        raise ToolError(f"{name} is a unit of {quantity}, {to} one of {unit.quantity}")
    return f"{_digits(value / unit.factor)} {asked['unit'].strip()}"


def _amount(text: str) -> tuple[str, Decimal, str] | None:
    """Return what an amount measures, its value in the first unit, and its unit."""
    pairs = _PAIRS.findall(text)
    if len(pairs) > 1 and not _PAIRS.sub("", text).strip():  # 5 ft 11 in
        units = [_find(_plain(unit)) for _, unit in pairs]
        if len({unit.quantity for unit in units}) == 1:
            values = (
                evaluate(n) * u.factor for (n, _), u in zip(pairs, units, strict=True)
            )
            return units[0].quantity, sum(values, Decimal(0)), units[0].name
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    unit = _find(_plain(found["unit"]))
    return unit.quantity, evaluate(found["number"]) * unit.factor, unit.name


def _temperature(text: str, to: str) -> str:
    found = _AMOUNT.fullmatch(text)
    given = _plain(found["unit"]) if found else ""
    if found is None or given not in _SCALES:
        raise ToolError(
            f'"{text.strip()[:40]}" is not a temperature; write 72 fahrenheit'
        )
    value = evaluate(found["number"])
    source, target = _SCALES[given], _SCALES[to]
    kelvin = {
        "celsius": value + _ZERO_CELSIUS,
        "fahrenheit": (value + Decimal("459.67")) * 5 / 9,
        "kelvin": value,
    }[source]
    if kelvin < 0:
        raise ToolError("this is below absolute zero")
    result = {
        "celsius": kelvin - _ZERO_CELSIUS,
        "fahrenheit": kelvin * 9 / 5 - Decimal("459.67"),
        "kelvin": kelvin,
    }[target]
    return f"{_digits(result)} {target}"


def _find(name: str) -> _Unit:
    unit = UNITS.get(name)
    if unit is None and name in _SCALES:
        raise ToolError(f"{name} is a unit of temperature, which the other is not")
    if unit is None:
        raise ToolError(f"{name[:20]} is not a unit that is known here")
    return unit


def _plain(unit: str) -> str:
    return re.sub(r"[°\s]|^degrees?", "", unit.lower())


def _digits(value: Decimal) -> str:
    """Return a number with at most 10 digits: a factor may have no end."""
    import decimal

    return written(decimal.Context(prec=10).plus(value))
