"""What a comparison comes to, in words and numbers that fit its precision."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whetstone.app.comparison import Comparison, Paired
from whetstone.app.console import number, p_value
from whetstone.stats.estimate import Estimate

CORRECTIONS = {"holm": "Holm", "benjamini-hochberg": "Benjamini-Hochberg", "none": "uncorrected"}
FEW = 3  # pairs up to which each one's note is said


def digits(estimates: Sequence[Estimate]) -> int:
    """Decimals that show the narrowest interval with two digits: 2 to 6."""
    widths = [e.interval[1] - e.interval[0] for e in estimates if e.interval and e.interval[1] > e.interval[0]]
    return min(6, max(2, math.ceil(-math.log10(min(widths) / 2)) + 1)) if widths else 2


def amount(estimate: Estimate, decimals: int, *, signed: bool = False) -> str:
    """An estimate with its interval: `.63 [.55, .70]`, or with signs `+.02 [-.01, +.05]`."""
    if estimate.value is None:
        return number(None)
    shown = [estimate.value, *(estimate.interval or ())]
    texts = ["+" * (signed and value > 0) + number(value, decimals) for value in shown]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]" if estimate.interval else texts[0]


def headline(found: Comparison) -> str:
    """The comparison in one sentence."""
    if len(found.systems) == 2:
        return pair_sentence(found, found.pairs[0])
    apart = sum(pair.separated for pair in found.pairs)
    how = f"{apart} of {len(found.pairs)} pairs are told apart ({CORRECTIONS[found.correction]}, {alpha(found)})"
    if not found.ties:
        return f"{len(found.systems)} systems on the same {items(found)}, each against {found.systems[0].name}: {how}."
    best = listed(found.ties[0])
    word = "is best" if len(found.ties[0]) == 1 else "cannot be told apart at the top"
    return f"Of {len(found.systems)} systems on the same {items(found)}, {best} {word}; {how}."


def pair_sentence(found: Comparison, pair: Paired) -> str:
    """One pair in a sentence."""
    word = {1: "is better than", -1: "is worse than", 0: "is not shown to differ from"}[pair.direction]
    gap = amount(pair.difference, digits([pair.difference]), signed=True)
    moved = f"better on {pair.wins}, worse on {pair.losses}, the same on {pair.ties}"
    p = "" if pair.adjusted is None else f", p {equals(pair.adjusted)}"
    return f"{pair.treatment} {word} {pair.baseline}: {gap} on {items(found)}{p} ({pair.method}); {moved}."


def remarks(found: Comparison) -> list[str]:
    """What else to know: ties, what could have been detected, equivalence, what was left out, the gate."""
    said = []
    if len(found.systems) > 2 and any(len(group) > 1 for group in found.ties):
        groups = [f"{letter(i)}: {listed(group)}" for i, group in enumerate(found.ties, 1)]
        said.append(f"Tie groups (systems in one group are not told apart): {'; '.join(groups)}.")
    open_pairs = [pair for pair in found.pairs if not pair.separated and pair.detectable]
    if open_pairs:
        widest = max(pair.detectable or 0.0 for pair in open_pairs)
        size = number(widest, digits([pair.difference for pair in open_pairs]))
        text = f"These items find a true difference of {size} with 80 % power"
        if len(open_pairs) == 1 and open_pairs[0].needed:
            text += f"; if the one seen is true, about {open_pairs[0].needed:,} items would tell the two apart"
        said.append(text + ".")
    for pair in found.pairs:
        if pair.effect.note and len(found.pairs) <= FEW:
            said.append(f"{pair.treatment} and {pair.baseline}: {pair.effect.note}.")
        if pair.equivalence is not None and (pair.equivalence.equivalent or not pair.separated):
            said.append(equivalence_sentence(pair))
    for system in found.systems:
        for reason, n in system.left_out.items():
            said.append(f"{system.name}: {n:,} {reason} left out.")
    if found.gate is not None:
        verdict = "passed" if found.gate.passed else f"failed: {'; '.join(found.gate.failed)}"
        said.append(f"Gate {found.gate.rule} {verdict}.")
    return said


def equivalence_sentence(pair: Paired) -> str:
    """Whether a pair is shown to be equivalent."""
    tested = pair.equivalence
    assert tested is not None
    margin = f"{tested.margins[1]:g}"
    if tested.p is None or tested.p_below is None:
        same = "no item differs" if pair.wins + pair.losses == 0 else "all items differ by the same"
        return f"{pair.treatment} and {pair.baseline}: {same}, so equivalence within {margin} is not tested."
    if tested.equivalent:
        return f"{pair.treatment} is equivalent to {pair.baseline} within {margin} (TOST, p {equals(tested.p)})."
    if tested.not_worse:
        return (
            f"{pair.treatment} is not worse than {pair.baseline} by {margin} or more (p {equals(tested.p_below)}), but "
            "not shown to be equivalent."
        )
    return f"{pair.treatment} is not shown to be within {margin} of {pair.baseline} (TOST, p {equals(tested.p)})."


def items(found: Comparison) -> str:
    """How many items, and clusters where there are any."""
    noun = "item" if found.items == 1 else "items"
    return f"{found.items:,} {noun}" + (f" in {found.units:,} clusters" if found.units < found.items else "")


def alpha(found: Comparison) -> str:
    """The level as an error rate: `5 %`."""
    return f"{100 * (1 - found.level):.3g} %"


def equals(p: float) -> str:
    """`= .012` or `< .001`."""
    text = p_value(p)
    return f"< {text[1:]}" if text.startswith("<") else f"= {text}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def letter(i: int) -> str:
    """The name of the i-th tie group: a, b, ... z, aa."""
    text = ""
    while i:
        i, rest = divmod(i - 1, 26)
        text = chr(97 + rest) + text
    return text
