"""Numbers as people read them. Unknown is a dash."""

from __future__ import annotations

from whetstone.app.result import Measure

DASH = "–"
MINUS = "\u2212"
THIN = "\u202f"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number with a true minus sign."""
    return DASH if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def count(value: float | None) -> str:
    """A whole number, thousands apart."""
    return DASH if value is None else f"{value:,.0f}".replace(",", THIN)


def short(value: float) -> str:
    """A large number in thousands or millions: `2.5 M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{THIN}{unit}"
    return f"{value:.3g}"


def percent(value: float | None) -> str:
    """A share as percent."""
    return DASH if value is None else f"{number(100 * value, 1)}{THIN}%"


def share(measure: Measure | None, *, interval: bool = True) -> str:
    """A share with its interval: `63.0 % [53.2, 71.8]`."""
    if measure is None or measure.value is None:
        return DASH
    bounds = (
        f" [{number(100 * measure.interval[0], 1)}, {number(100 * measure.interval[1], 1)}]"
        if measure.interval and interval
        else ""
    )
    return percent(measure.value) + bounds


def plain(measure: Measure | None, digits: int = 3) -> str:
    """A number with its interval: `0.951 [0.933, 0.969]`."""
    if measure is None or measure.value is None:
        return DASH
    bounds = (
        f" [{number(measure.interval[0], digits)}, {number(measure.interval[1], digits)}]" if measure.interval else ""
    )
    return number(measure.value, digits) + bounds


def points(measure: Measure | None) -> str:
    """A difference of shares in percentage points: `+24.0 [+21.0, +27.0]`."""
    if measure is None or measure.value is None:
        return DASH
    bounds = f" [{signed(measure.interval[0])}, {signed(measure.interval[1])}]" if measure.interval else ""
    return signed(measure.value) + bounds


def signed(value: float) -> str:
    """A share as signed percentage points."""
    return f"{100 * value:+.1f}".replace("-", MINUS)


def p_value(p: float | None) -> str:
    """A p-value."""
    return DASH if p is None else f"<{THIN}0.001" if p < 0.001 else number(p, 3)


def seconds(value: float) -> str:
    """A duration: `3 min 7 s`."""
    if value < 60:
        return f"{value:.1f}{THIN}s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{THIN}h {minutes}{THIN}min" if hours else f"{minutes}{THIN}min {rest}{THIN}s"


def size(value: int) -> str:
    """Bytes as MB."""
    return f"{value / 1e6:,.0f}{THIN}MB".replace(",", THIN)
