"""The page of a ranking: forest with tiers, who beat whom, rules, gates and tables in one self-contained file."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist

import numpy as np

import whetstone.app.report.figures as f
from whetstone.app.console import number
from whetstone.app.leaderboard import Leaderboard, Pairwise, Standing
from whetstone.app.leaderboard_text import (
    NOUNS,
    amount,
    digits,
    effects,
    gate_sentence,
    headline,
    judge_table,
    ranks,
    remarks,
    settings,
    whole,
)
from whetstone.app.report.forest import MANY, Cell, Line, forest, matrix
from whetstone.app.report.html import Markup, brief, embed_json, h, table
from whetstone.app.report.page import document, save
from whetstone.app.report.plots import Marker, Row, grid, number_axis
from whetstone.app.result import encode
from whetstone.stats.intervals import score_limits

FEW = 4  # rules up to which a dispute names them


def write_leaderboard(board: Leaderboard, pairwise: Pairwise, path: Path, *, top: int = 0) -> None:
    """Write the ranking as one HTML file that opens without network.

    Args:
        top: systems drawn, the best first; 0 for all. The tables and the data in the page hold every system.

    Raises:
        StoreError: the file cannot be written.
    """
    save(render(board, pairwise, top=top), path, "--picture")


def render(board: Leaderboard, pairwise: Pairwise, *, top: int = 0, link: Markup | None = None) -> str:
    """The page as text; `link` leads back to where it is served from."""
    name = Path(board.source).name or "ranking"
    passed = all(gate.holds for gate in board.gates)
    verdict = h("span", f"Gate {'passed' if passed else 'failed'}", cls=f"verdict {'good' if passed else 'bad'}")
    head = h(
        "header",
        h("p", f"Whetstone ranking · {board.method}", cls="eyebrow"),
        h("h1", f"{len(board.systems)} systems", h("span", " in ", cls="on"), brief(name, 60)),
        verdict if board.gates else None,
        h("p", headline(board), cls="lead"),
        link,
    )
    said = [*map(gate_sentence, board.gates), *remarks(board)]
    main = h(
        "main",
        h("ul", *(h("li", text) for text in said), cls="limits") if said else None,
        grid(scores(board, top), wins(board, pairwise, top), rules(board, top), agreement(board)),
        h("section", h("h2", "Systems"), _systems(board)),
        h("section", h("h2", "What else was fitted"), _effects(board)) if effects(board) else None,
        h("section", h("h2", "Model judges against these votes"), _judges(board)) if board.judges else None,
        h("section", h("h2", "Where the rules differ"), _disputes(board)) if board.rules else None,
        h("section", h("h2", "How it was made"), _facts(board)),
    )
    level = (
        "" if board.level is None else f"Intervals are {100 * board.level:g} %; rank intervals and tiers hold at once. "
    )
    foot = h("footer", h("p", f"{level}This file needs no network."))
    return document(f"Whetstone: {brief(name, 60)}", head, main, foot, data=embed_json(encode(board), "result"))


# ------------------------------------------------------------------------------------------ pictures


def scores(board: Leaderboard, top: int = 0) -> Markup:
    """Scores with intervals, rank intervals and tiers."""
    shown = [system for system in board.systems[: top or None] if system.score is not None]
    decimals, known = digits(board), board.level is not None
    axis = number_axis(_scale(board), [x for s in shown for x in (s.score, s.low, s.high) if x is not None])
    marker: Marker = "bar" if known and len(shown) > MANY else "circle"
    lines = [
        Line(
            Row(s.name, s.score or 0.0, _tip(board, s, decimals), "after", _interval(s), marker=marker),
            right=(ranks(s), str(s.tier or f.DASH)) if known else (str(s.rank),),
        )
        for s in shown
    ]
    note = "Bands: systems of one tier are not told apart." if known else ""
    title = "Scores with intervals, ranks and tiers" if known else "Scores and ranks"
    return forest(
        title,
        lines,
        axis,
        columns=("ranks", "tier") if known else ("rank",),
        bands=[s.tier or 0 for s in shown] if known else (),
        note=f"{note} {_cut(board, len(shown))}".strip(),
    )


def wins(board: Leaderboard, pairwise: Pairwise, top: int = 0) -> Markup:
    """What share of its meetings the row's system won against the column's."""
    shown = board.systems[: top or None]
    noun = "task" if board.kind == "scores" else "meeting"
    normal = NormalDist().inv_cdf((1 + (board.level or 0.95)) / 2)

    def cell(i: int, j: int) -> Cell | None:
        won, lost, tied = float(pairwise.won[i, j]), float(pairwise.won[j, i]), float(pairwise.tied[i, j])
        n = won + lost + tied
        if i == j or not n:
            return None
        share = (won + tied / 2) / n
        low, high = score_limits(share, n, normal)
        text = (
            f"{shown[i].name} against {shown[j].name}\n"
            f"{f.percent(share)} [{f.number(100 * low, 1)}, {f.number(100 * high, 1)}]\n"
            f"n = {amount(n, noun)}: {whole(won)} won, {whole(tied)} tied, {whole(lost)} lost"
        )
        style = "after" if share > 0.5 else "worse" if share < 0.5 else "off"
        return Cell(f"{100 * share:.0f}", text, style, min(1.0, 2 * abs(share - 0.5)))

    cells = [[cell(i, j) for j in range(len(shown))] for i in range(len(shown))]
    met = int((np.triu(pairwise.won + pairwise.won.T + pairwise.tied, 1) > 0).sum())
    every = len(board.systems) * (len(board.systems) - 1) // 2
    note = f"Percent of {noun}s that the row won against the column, ties half. "
    note += "" if met == every else f"Empty: never met ({every - met:,} of {every:,} pairs). "
    return matrix("Row against column", [s.name for s in shown], cells, note=note + _cut(board, len(shown)))


def rules(board: Leaderboard, top: int = 0) -> Markup | None:
    """Rank of every system by every rule."""
    if board.rules is None:
        return None
    shown, k = board.systems[: top or None], len(board.systems)

    def cell(system: Standing, name: str, rank: int) -> Cell:
        strength = 0.7 * (1 - (rank - 1) / max(1, k - 1))
        return Cell(str(rank), f"{system.name}\n{name}: rank {rank} of {k}", "after", strength)

    cells = [[cell(s, rule.name, rule.ranks[s.name]) for rule in board.rules.rules] for s in shown]
    names = [rule.name.replace("_", " ") for rule in board.rules.rules]
    title = "Rank by rule of social choice"
    return matrix(title, [s.name for s in shown], cells, columns=names, note=_cut(board, len(shown)))


def agreement(board: Leaderboard) -> Markup | None:
    """Kendall's tau between rules."""
    if board.rules is None:
        return None
    names = [rule.name.replace("_", " ") for rule in board.rules.rules]
    cells = [
        [_tau(names[i], names[j], value) if i != j else None for j, value in enumerate(row)]
        for i, row in enumerate(board.rules.agreement)
    ]
    note = "Kendall's tau-b. Empty: a rule ties all systems."
    return matrix("How far the rules agree", names, cells, columns=names, note=note)


def _tau(first: str, second: str, value: float | None) -> Cell | None:
    if value is None:
        return None
    text = f"{first} and {second}\ntau {f.number(value, 3)}"
    short = number(value, 1).removesuffix(".0").replace("-", f.MINUS)
    return Cell(short, text, "after" if value >= 0 else "worse", 0.7 * abs(value))


# ------------------------------------------------------------------------------------------ tables


def _systems(board: Leaderboard) -> Markup:
    decimals, known = digits(board), board.level is not None
    head = ["system", "rank", "score"]
    head += [f"{100 * (board.level or 0):g} %", "ranks", "tier"] if known else []
    rows = [
        [
            h("span", s.name, cls="keep"),
            str(s.rank),
            f.number(s.score, decimals),
            *([_limits(s, decimals), ranks(s), str(s.tier or f.DASH)] if known else []),
            whole(s.n),
            f"{whole(s.won)} / {whole(s.tied)} / {whole(s.lost)}",
        ]
        for s in board.systems
    ]
    return table([*head, board.kind, "won / tied / lost"], rows, label="Systems", limit=len(rows))


def _effects(board: Leaderboard) -> Markup:
    return table(["", "value", "interval", "p or votes"], effects(board), label="Fitted besides the scores")


def _judges(board: Leaderboard) -> Markup:
    head, rows = judge_table(board)
    return table(head, rows, label="Judges", limit=len(rows))


def _disputes(board: Leaderboard) -> Markup:
    assert board.rules is not None
    rows = [
        [
            f"{brief(d.first, 40)} above {brief(d.second, 40)}",
            _some(d.above),
            _some(d.below),
            f"{d.margin:+g}".replace("-", f.MINUS),
            d.cause,
        ]
        for d in board.rules.disputes
    ]
    if not rows:
        return h("p", "No two rules put two systems in different orders.")
    return table(["pair", "say so", "say the contrary", "majority", "because of"], rows, label="Disputed pairs")


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= FEW else f"{len(names)} rules"


def _facts(board: Leaderboard) -> Markup:
    facts = {
        "file": board.source,
        "holds": amount(board.n, NOUNS[board.kind]),
        "method": board.method,
        **settings(board),
    }
    return h("dl", *(part for key, value in facts.items() for part in (h("dt", key), h("dd", value))), cls="facts")


def _scale(board: Leaderboard) -> str:
    return brief(str(board.settings.get("scale") or f"score by {board.settings.get('rule', board.method)}"), 60)


def _interval(system: Standing) -> tuple[float, float] | None:
    return None if system.low is None or system.high is None else (system.low, system.high)


def _tip(board: Leaderboard, system: Standing, decimals: int) -> str:
    interval = f" {_limits(system, decimals)}" if system.low is not None else "\nno interval"
    place = f"rank {system.rank}" + (f" ({ranks(system)}), tier {system.tier}" if system.tier else "")
    record = f"{whole(system.won)} won, {whole(system.tied)} tied, {whole(system.lost)} lost"
    text = f"{system.name}\n{f.number(system.score, decimals)}{interval}\n{place}\n"
    return f"{text}n = {amount(system.n, NOUNS[board.kind])}\n{record}"


def _limits(system: Standing, decimals: int) -> str:
    return f"[{f.number(system.low, decimals)}, {f.number(system.high, decimals)}]"


def _cut(board: Leaderboard, shown: int) -> str:
    return f"The {shown} best of {len(board.systems)}." if shown < len(board.systems) else ""
