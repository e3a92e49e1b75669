"""Numbers as people write them: signs, thousands separators, fractions, percent, currency and units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 400

# Sizes of units by what they measure. Other words behind a number are ignored, as is "in", a word more than a unit.
_SIZES: dict[str, dict[str, str]] = {
    "length": {
        "m": "1",
        "mm": "1/1000",
        "cm": "1/100",
        "km": "1000",
        "inch": "0.0254",
        "ft": "0.3048",
        "mi": "1609.344",
    },
    "mass": {"g": "1", "mg": "1/1000", "kg": "1000", "oz": "28.349523125", "lb": "453.59237"},
    "time": {"s": "1", "ms": "1/1000", "min": "60", "h": "3600", "day": "86400", "week": "604800"},
    "volume": {"l": "1", "ml": "1/1000"},
}
UNITS = {unit: (kind, Fraction(size)) for kind, sizes in _SIZES.items() for unit, size in sizes.items()}
SPELLED = {
    **{"meter": "m", "metre": "m", "millimeter": "mm", "centimeter": "cm", "kilometer": "km", "kilometre": "km"},
    **{"inches": "inch", "foot": "ft", "feet": "ft", "mile": "mi", "gram": "g", "milligram": "mg"},
    **{"kilogram": "kg", "ounce": "oz", "pound": "lb", "lbs": "lb", "second": "s", "sec": "s", "millisecond": "ms"},
    **{"minute": "min", "hour": "h", "hr": "h", "liter": "l", "litre": "l", "milliliter": "ml", "L": "l", "mL": "ml"},
}

_START = re.compile(r"(?<![0-9.])[-$€£¥.0-9]")
_FRAC = re.compile(r"\\[dt]?frac\s?\{\s?(-?[0-9]{1,40})\s?\}\s?\{\s?([0-9]{1,40})\s?\}")
_WHOLE = r"(?:[0-9]{1,3}(?:[,'’\u00a0\u2009\u202f][0-9]{3})+|[0-9]{1,40})(?![0-9])"
_QUANTITY = re.compile(
    rf"(?P<sign>-\s?)?(?:[$€£¥]\s?)?(?P<sign2>-)?"
    rf"(?:(?P<mixed>[0-9]{{1,12}})[ ](?P<over>[0-9]{{1,12}})/(?P<under>[0-9]{{1,12}})"
    rf"|(?P<whole>{_WHOLE})?(?P<part>\.[0-9]{{1,40}})?(?:[eE](?P<power>[-+]?[0-9]{{1,3}}))?"
    rf"(?:\s?/\s?(?P<divisor>{_WHOLE}(?:\.[0-9]{{1,40}})?))?)"
    rf"(?:\s{{0,3}}(?P<unit>\\?%|[A-Za-z]{{1,20}}))?"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value, whether it was written with a percent sign, and its unit if that is a known one."""

    value: Fraction
    percent: bool = False
    unit: str | None = None

    def __str__(self) -> str:
        return f"{self.value}{'%' if self.percent else ''}{f' {self.unit}' if self.unit else ''}"


def parse_quantity(text: str) -> Quantity | None:
    """The first quantity in a short text (behind the last "=" if there is one), or None."""
    text = text[:LONGEST].replace("−", "-").replace("–", "-").replace("**", "").rpartition("=")[2]
    text = _FRAC.sub(r"\1/\2", text).replace("\\$", "$").replace("\\,", "").replace("{,}", ",")
    for found in _START.finditer(text):
        match = _QUANTITY.match(text, found.start())
        if match and (match["mixed"] or match["whole"] or match["part"]):
            return _quantity(match)
    return None


def from_canonical(text: str) -> Quantity:
    """The quantity that `str` wrote."""
    value, _, unit = text.partition(" ")
    return Quantity(Fraction(value.removesuffix("%")), value.endswith("%"), unit or None)


def equal(answer: Quantity, target: Quantity, tolerance: float) -> bool:
    """Equal up to `tolerance` times the target's size, after conversion of known units.

    Units count only when both are known. A percent sign on one side alone is read both ways: 50% equals 50 and 0.5.
    """
    value = answer.value
    if answer.unit and target.unit:
        (kind, size), (wanted, other) = UNITS[answer.unit], UNITS[target.unit]
        if kind != wanted:
            return False
        value = value * size / other
    values = {value}
    if answer.percent and not target.percent:
        values.add(value / 100)
    elif target.percent and not answer.percent:
        values.add(value * 100)
    return any(abs(v - target.value) <= Fraction(tolerance) * abs(target.value) for v in values)


def _quantity(match: re.Match[str]) -> Quantity | None:
    negative = bool(match["sign"]) != bool(match["sign2"])
    if match["mixed"]:
        divisor = Fraction(match["under"])
        value = Fraction(match["mixed"]) + Fraction(match["over"]) / divisor if divisor else None
    else:
        value = Fraction((_digits(match["whole"] or "0")) + (match["part"] or ""))
        value *= Fraction(10) ** int(match["power"] or 0)
        divisor = Fraction(_digits(match["divisor"] or "1"))
        value = value / divisor if divisor else None
    if value is None:
        return None
    word = match["unit"] or ""
    singular = word.lower().removesuffix("s") if len(word) > 3 else word
    unit = next((u for u in (word, SPELLED.get(word), SPELLED.get(singular), singular) if u in UNITS), None)
    return Quantity(-value if negative else value, word.endswith("%") or singular in ("percent", "pct"), unit)


def _digits(text: str) -> str:
    return "".join(c for c in text if c in "0123456789.")
