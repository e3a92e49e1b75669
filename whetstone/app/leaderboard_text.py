"""What a leaderboard comes to, in words and in numbers that fit its precision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from whetstone.app.console import interval, number, p_value
from whetstone.app.leaderboard import Leaderboard, Needed, Standing
from whetstone.app.rank_gates import Gate
from whetstone.core.types import Json

MOST = 5
"""Names and cycles that are written out; the rest is counted."""
NOUNS = {"battles": "battle", "rankings": "ranking", "scores": "score"}
JUDGED = {
    "rank_spearman": "rank correlation",
    "rank_kendall": "Kendall",
    "vote_pearson": "vote correlation",
    "vote_agreement": "equal votes",
}
"""What a judge is held against, and its column."""
LONGEST = 300  # characters of a note in a terminal


def digits(board: Leaderboard) -> int:
    """Decimals that show the narrowest interval, or else the range of the scores, with two or three digits."""
    scores = [s.score for s in board.systems if s.score is not None]
    widths = [s.high - s.low for s in board.systems if s.high is not None and s.low is not None and s.high > s.low]
    if widths:
        least = 2 if max(map(abs, scores)) < 100 else 0
        return min(6, max(least, math.ceil(-math.log10(min(widths) / 2)) + 1))
    if all(score == int(score) for score in scores):
        return 0
    span = max(scores) - min(scores)
    return min(6, max(0, 3 - math.floor(math.log10(span)))) if span > 0 else 2


def shown(value: float | None, decimals: int) -> str:
    """A score; what rounds to 0 has no sign."""
    return number(value if value is None else round(value, decimals) + 0.0, decimals)


def row(board: Leaderboard, system: Standing, decimals: int) -> list[str]:
    """A line of the table."""
    cells = [str(system.rank), system.name, shown(system.score, decimals)]
    if board.level is not None:
        cells += [limits(system, decimals), ranks(system), str(system.tier or "–")]
    return [*cells, whole(system.n)]


def limits(system: Standing, decimals: int) -> str:
    """`[.55, .70]`."""
    return f"[{shown(system.low, decimals)}, {shown(system.high, decimals)}]"


def ranks(system: Standing) -> str:
    """`2–5`, or `2` where no other rank is open."""
    if system.rank_interval is None:
        return "–"
    low, high = system.rank_interval
    return str(low) if low == high else f"{low}–{high}"


def whole(value: float) -> str:
    """A count, thousands apart; a weight with a fraction keeps it."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def amount(n: float, noun: str) -> str:
    """`1 battle`, `1,234 battles`."""
    return f"{whole(n)} {noun}{'' if n == 1 else 's'}"


def headline(board: Leaderboard) -> str:
    """The ranking in one sentence."""
    k = len(board.systems)
    start = f"{k} systems, {amount(board.n, NOUNS[board.kind])}, {named(board)}"
    if board.level is None:
        best = [s.name for s in board.systems if s.rank == 1]
        return f"{start}: {listed(best)} {'stands' if len(best) == 1 else 'stand'} first; no intervals by this method."
    first = [s.name for s in board.systems if s.rank_interval and s.rank_interval[0] == 1]
    tiers = f"{board.tiers} tier{'s' * (board.tiers != 1)}"
    if len(first) == k:
        return f"{start}: {tiers}; no system can be ruled out as the best."
    word = "is the best" if len(first) == 1 else "can each be the best"
    who = listed(first) if len(first) <= MOST else f"{len(first)} systems, {listed(first, most=2)},"
    return f"{start}: {tiers}; with {100 * board.level:g} % confidence {who} {word}."


def named(board: Leaderboard) -> str:
    """The method, with its rule where it has one."""
    rule = board.settings.get("rule")
    return f"{board.method} ({rule})" if rule else board.method


def remarks(board: Leaderboard) -> list[str]:
    """Dropped rows, diagnoses, what would separate the first two that are tied, and where rules differ."""
    said = [f"Not used: {amount(n, 'row')}, {reason}." for reason, n in board.dropped.items()]
    names = tuple(system.name for system in board.systems)
    said += [sentence(note, names) for note in board.notes]
    if board.asked:
        said += map(needed_sentence, board.asked)
    elif board.needed:
        said.append(needed_sentence(board.needed[0]))
    if board.rules:
        *cycles, differ = board.rules.notes
        said += [sentence(note, names) for note in (*cycles[:MOST], differ)]
        if len(cycles) > MOST:
            said.append(f"{len(cycles) - MOST} more cycles are in --json.")
    return said


def needed_sentence(needed: Needed) -> str:
    """How many battles would tell two neighbours apart."""
    pair = f"{needed.first} and {needed.second} are not told apart"
    if needed.battles == 0:
        return f"{needed.first} and {needed.second} are told apart; no more comparisons are needed for that."
    if needed.battles is None:
        return f"{pair}, and their scores are equal: no number of comparisons would do it."
    least = f"; {needed.low:,} at the least" if needed.low else ""
    return f"{pair}: about {needed.battles:,} more direct comparisons would do it{least} (80 % power)."


def gate_sentence(gate: Gate) -> str:
    """Whether a demand holds."""
    verdict = "holds" if gate.holds else "does not hold"
    if gate.adjusted is None:
        return f"Gate {gate.text} {verdict}: nothing connects the two."
    low, high = number(gate.low), number(gate.high)
    p = p_value(gate.adjusted)
    p = f"< {p[1:]}" if p.startswith("<") else f"= {p}"
    return f"Gate {gate.text} {verdict}: difference {number(gate.difference)} [{low}, {high}], p {p}."


def judge_table(board: Leaderboard) -> tuple[list[str], list[list[str]]]:
    """Model judges against the file's votes."""
    rows = []
    for one in board.judges:
        found = {finding.name: interval(finding.estimate, finding.interval) for finding in one.findings}
        rows.append([one.judge, *(found.get(name, "–") for name in JUDGED), whole(one.used)])
    return ["judge", *JUDGED.values(), "votes"], rows


def rule_table(board: Leaderboard, *, most: int = 6) -> tuple[list[str], list[list[str]]]:
    """What each rule says: winners, and the order of the main table's lines."""
    assert board.rules is not None
    rows = []
    for rule in board.rules.rules:
        order = sorted((rule.ranks[s.name], line) for line, s in enumerate(board.systems, 1))[: 2 * most]
        text = str(order[0][1])
        for (before, _), (rank, line) in pairwise(order):
            text += f" {'=' if rank == before else '>'} {line}"
        rows.append([rule.name, listed(rule.winners, most=2), text + " ..." * (len(order) < len(board.systems))])
    return ["rule", "first", "order (lines of the table above)"], rows


def effects(board: Leaderboard) -> list[list[str]]:
    """What a method fitted besides the scores: effects of covariates, reliability of judges."""
    rows = []
    for key, noun in (("effects", ""), ("judges", "judge ")):
        found = board.settings.get(key)
        for name, one in found.items() if isinstance(found, Mapping) else ():
            if not isinstance(one, Mapping):
                continue
            value = number(_number(one.get("value", one.get("reliability"))))
            interval = f"[{number(_number(one.get('low')))}, {number(_number(one.get('high')))}]"
            last = whole(_number(one["votes"]) or 0) if "votes" in one else p_value(_number(one.get("p")))
            rows.append([f"{noun}{name}", value, interval, last])
    return rows


def settings(board: Leaderboard) -> dict[str, str]:
    """Settings as texts, those that are lists or tables left out."""
    plain = {key: value for key, value in board.settings.items() if not isinstance(value, Mapping | list | tuple)}
    return {key.replace("_", " "): f"{v:g}" if isinstance(v, float) else str(v) for key, v in plain.items()}


def sentence(note: str, names: Sequence[str]) -> str:
    """A note with a capital, unless a name stands first, and a full stop."""
    text = note if note.startswith(tuple(names)) else note[:1].upper() + note[1:]
    return text if text.endswith(".") else f"{text}."


def listed(names: Sequence[str], *, most: int = 6) -> str:
    """`a, b and c`, and how many more."""
    some = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return " and ".join(filter(None, (", ".join(some[:-1]), some[-1])))


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None
