"""The page of an audit: forests of biases and rates, reliability, agreement, flips, groups and tables in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import whetstone.app.report.figures as f
from whetstone.app.auditing import Audited, Counts, JudgeAudit, Measured
from whetstone.app.auditing_text import agreement, checks, headline, measure_of, ordered, remarks, test_of
from whetstone.app.console import interval, number
from whetstone.app.recorded_verdicts import dropped_text
from whetstone.app.report.drawing import drawing, figure_of
from whetstone.app.report.forest import WIDTH, Cell, Line, forest, matrix
from whetstone.app.report.html import Markup, brief, embed_json, fold, h, join, table
from whetstone.app.report.page import document, save
from whetstone.app.report.plots import Axis, Point, Row, Series, chart, grid, number_axis, percent_axis
from whetstone.app.result import encode
from whetstone.app.trust import USES
from whetstone.core.types import Finding

ALPHA = 0.05
DETAILED = 6  # judges up to which each has its pictures
MOST = 60  # lines of a forest
SHORT = {
    "first_position": "answer shown first",
    "longer_answer": "longer of two alike",
    "length_errors": "errors for the longer",
    "own_win_rate": "own answer wins",
    "self_preference": "own answer favoured",
    "self_errors": "errors for own answer",
    "gap": "gap of categories",
    "unreadable": "unreadable",
    "accuracy": "agrees with label",
    "kappa": "Cohen's kappa",
    "ac1": "Gwet's AC1",
    "order_consistency": "same in both orders",
    "repeat_consistency": "same when repeated",
    "cycles": "circular",
    "ece": "calibration error",
    "brier": "Brier score",
    "auroc": "AUROC",
    "rank_correlation": "Spearman's rho",
    "kendall": "Kendall's tau-b",
    "pearson": "Pearson's r",
    "first_place": "right answer first",
    "reciprocal_rank": "reciprocal rank",
    "system_order": "order of systems, tau",
    "decisiveness": "decisiveness",
}
TILTS = ("first_position", "longer_answer", "length_errors", "own_win_rate", "self_preference", "self_errors", "gap")


def write_audit(found: Audited, path: Path) -> None:
    """Write the audit as one HTML file that opens without network, or its main pictures as SVG, by the name's ending.

    Raises:
        StoreError: the file cannot be written.
    """
    text = picture(found) if path.suffix.lower() == ".svg" else render(found)
    save(text, path, "--picture")


def render(found: Audited) -> str:
    """The page as text."""
    one = found.judges[0] if len(found.judges) == 1 else None
    subject = brief(one.judge, 60) if one else f"{len(found.judges)} judges"
    lead = headline(one) if one else _counted(found)
    top = h(
        "header",
        h("p", f"Whetstone audit · {found.format}", cls="eyebrow"),
        h("h1", subject, h("span", " on ", cls="on"), brief(Path(found.source).name or found.source, 60)),
        _badge(found, one),
        h("p", lead, cls="lead"),
    )
    body = [_judge(one)] if one else [_overview(found), *(_section(judge, found) for judge in ordered(found))]
    main = h("main", *body)
    dropped = f"Not used: {dropped_text(found.dropped)}. " if found.dropped else ""
    said = "Intervals are 95 %; p-values are Holm's over all tests of a judge. This file needs no network."
    return document(
        f"Whetstone audit: {subject}",
        top,
        main,
        h("footer", h("p", f"{dropped}{said}")),
        data=embed_json(encode(found), "result"),
    )


def picture(found: Audited) -> str:
    """The first judge's main pictures, one under the other, as a drawing of its own."""
    judge = found.judges[0]
    drawn = _figures(judge) if len(found.judges) == 1 else [overview(found)]
    parts: list[Markup] = []
    y = 34.0
    for figure in drawn:
        one = figure_of(figure or "")
        if one is None:
            continue
        parts.append(h("text", one.title, x=10, y=y, cls="name", font_weight="600"))
        parts.append(h("g", one.body, transform=f"translate(0 {y + 8:.0f})"))
        y += one.height + 46
    return drawing(parts, WIDTH, y, f"Audit of {judge.judge}")


# ---------------------------------------------------------------------------------------- sections


def _badge(found: Audited, one: JudgeAudit | None) -> Markup | None:
    if found.gate is not None:
        word = "passed" if found.gate.passed else "failed"
        return h("span", f"Gate {word}: {found.gate.use}", cls=f"verdict {'good' if found.gate.passed else 'bad'}")
    if one is None:
        return None
    said = ", ".join(f"{use.name}: {use.answer}" for use in one.trust.uses)
    answers = {use.answer for use in one.trust.uses}
    good = "yes" in answers and "no" not in answers
    return h("span", f"Trusted for {said}", cls=f"verdict {'good' if good else 'bad'}")


def _counted(found: Audited) -> str:
    parts = []
    for use in USES:
        yes = sum(judge.trust.of(use) == "yes" for judge in found.judges)
        parts.append(f"{yes} of {len(found.judges)} may be trusted for {use}")
    return f"{'; '.join(parts)}."


def _judge(judge: JudgeAudit) -> Markup:
    said = remarks(judge)
    return join(
        [
            h("ul", *(h("li", text) for text in said), cls="limits") if said else None,
            h("section", h("h2", "May it be trusted?"), _checks(judge)),
            h("section", h("h2", "What was found"), grid(*_figures(judge)), _findings(judge)),
        ]
    )


def _section(judge: JudgeAudit, found: Audited) -> Markup:
    detailed = len(found.judges) <= DETAILED
    body = [h("p", headline(judge), cls="say"), _judge(judge) if detailed else _findings(judge)]
    title = h("h2", brief(judge.judge, 80))
    return h("section", title, *body) if detailed else fold(brief(judge.judge, 80), *body)


def _overview(found: Audited) -> Markup:
    rows = [
        [
            h("span", judge.judge, cls="keep"),
            f.count(judge.n),
            *(
                _cell(judge, name)
                for name in ("kappa", "auroc", "order_consistency", "first_position", "length_errors")
            ),
            *(judge.trust.of(use) for use in USES),
        ]
        for judge in ordered(found)
    ]
    head = ["judge", "n", "kappa", "AUROC", "same in both orders", "shown first", "errors for longer", *USES]
    keep = [i for i in range(len(head)) if i < 2 or i > 6 or any(row[i] != f.DASH for row in rows)]
    shown = table([head[i] for i in keep], [[row[i] for i in keep] for row in rows], label="Judges", limit=len(rows))
    return h("section", h("h2", "Judges"), grid(overview(found)), shown)


def overview(found: Audited) -> Markup | None:
    """Agreement beyond chance of every judge."""
    lines = []
    for judge in ordered(found)[:MOST]:
        one = agreement(judge)
        if one is None or one.finding.estimate is None:
            continue
        good = judge.trust.of("ranking")
        look = {"yes": "after", "no": "worse", "unknown": "off"}[good]
        tip = f"{judge.judge}\n{_amount(one)}\ntrusted for ranking: {good}, for training: {judge.trust.of('training')}"
        row = Row(judge.judge, one.finding.estimate, f"{tip}\nn = {f.count(one.finding.n)}", look, one.finding.interval)
        lines.append(Line(row))
    if not lines:
        return None
    axis = _axis("kappa, or AUROC", [line.row for line in lines], zero=True)
    note = "Blue: may be trusted for ranking; red: may not; grey: not known."
    return forest("Agreement with the labels", lines, axis, rule=0.0, note=note)


def _cell(judge: JudgeAudit, name: str) -> str:
    one = measure_of(judge, name)
    return f.DASH if one is None else _amount(one)


# ---------------------------------------------------------------------------------------- pictures


def _figures(judge: JudgeAudit) -> list[Markup | None]:
    return [
        tilts(judge),
        rates(judge),
        attractions(judge),
        groups(judge),
        *map(counted, judge.tables),
        reliability(judge),
    ]


def tilts(judge: JudgeAudit) -> Markup | None:
    """Every bias as its distance from what would mean none."""
    lines = []
    for one in judge.measured:
        found = one.finding
        if found.estimate is None or not (found.name in TILTS or found.name.startswith(("probe ", "bias "))):
            continue
        null = found.null or 0.0
        bounds = None if found.interval is None else (found.interval[0] - null, found.interval[1] - null)
        sure = one.adjusted is not None and one.adjusted < ALPHA
        if found.p is None and bounds is not None:
            sure = bounds[0] > 0 or bounds[1] < 0
        tip = f"{one.words}\n{_amount(one)}, if nothing {number(null)}\n{_test(one)}\nn = {f.count(found.n)}"
        name = SHORT.get(found.name, found.name.partition(" ")[2].replace("_", " "))
        lines.append(Line(Row(name, found.estimate - null, tip, "worse" if sure else "off", bounds, hollow=not sure)))
    if not lines:
        return None
    axis = _axis("percentage points from no bias", [line.row for line in lines], zero=True, scale=100)
    note = "Filled: shown, after Holm's correction. The gap of categories has a test and no interval."
    return forest("Biases", lines[:MOST], axis, rule=0.0, note=note)


def rates(judge: JudgeAudit) -> Markup | None:
    """Agreement, consistency and other rates, from 0 to 1."""
    lines = []
    for one in judge.measured:
        found = one.finding
        if found.estimate is None or not (found.name in SHORT or found.name.startswith("constant ")):
            continue
        if found.name in TILTS:
            continue
        name = SHORT.get(found.name, f"prefers {found.name.partition(' ')[2]}")
        tip = f"{one.words}\n{_amount(one)}\nn = {f.count(found.n)}"
        lines.append(Line(Row(name, found.estimate, tip, "after", found.interval)))
    if not lines:
        return None
    return forest("Agreement and consistency", lines[:MOST], _axis("", [line.row for line in lines], zero=True))


def attractions(judge: JudgeAudit) -> Markup | None:
    """Accuracy on pairs of a right and a wrong answer without and with each attraction."""
    probes = [one.finding for one in judge.measured if one.finding.name.startswith("probe ")]
    lines = [
        line
        for one, name, key in (
            *((one, "none", "clean") for one in probes[:1]),
            *((one, one.name.partition(" ")[2].replace("_", " "), "accuracy") for one in probes),
        )
        if (line := _attraction(one, name, key)) is not None
    ]
    if not lines:
        return None
    return forest("Accuracy when the wrong answer attracts", lines[:MOST], percent_axis("right, %"))


def _attraction(found: Finding, name: str, key: str) -> Line | None:
    known = found.detail.get(key)
    if not isinstance(known, Sequence) or isinstance(known, str):
        return None
    value, *bounds = (float(str(part)) for part in known)
    limits = (bounds[0], bounds[1]) if bounds else None
    tip = f"{name}: right verdicts\n{interval(value, limits).replace('-', f.MINUS)}\nn = {f.count(found.n)}"
    return Line(Row(name, value, tip, "after", limits))


def groups(judge: JudgeAudit) -> Markup | None:
    """Accuracy by category."""
    lines = []
    for one in judge.measured:
        kind, _, name = one.finding.name.partition(" ")
        if kind == "accuracy" and name and one.finding.estimate is not None:
            tip = f"{name}\n{_amount(one)}\nn = {f.count(one.finding.n)}"
            lines.append(Line(Row(name, one.finding.estimate, tip, "after", one.finding.interval)))
    return forest("Agreement by category", lines[:MOST], percent_axis("agrees with the label, %")) if lines else None


def counted(counts: Counts) -> Markup:
    """A table of counts, coloured by the share of its row."""
    used = [j for j in range(len(counts.columns)) if any(row[j] for row in counts.counts)]
    filled = [(name, row) for name, row in zip(counts.rows, counts.counts, strict=True) if sum(row)]
    cells = [[_share(name, counts.columns[j], row[j], sum(row)) for j in used] for name, row in filled]
    names = [name for name, _ in filled]
    columns = [counts.columns[j] for j in used]
    return matrix(counts.title, names, cells, columns=columns, note="Colour: share of the row.")


def _share(row: str, column: str, n: int, total: int) -> Cell:
    style = "after" if row == column else "off" if column == "unreadable" else "worse"
    return Cell(
        f.short(n), f"{row}, {column}\n{f.count(n)} of {f.count(total)}: {f.percent(n / total)}", style, n / total
    )


def reliability(judge: JudgeAudit) -> Markup | None:
    """How often the first answer is the better one, against the probability that the judge states."""
    filled = [one for one in judge.bins if one.accuracy.value is not None]
    if not filled:
        return None
    marks = tuple(
        Point(
            one.confidence if one.confidence is not None else (one.low + one.high) / 2,
            one.accuracy.value or 0.0,
            f"stated {f.number(one.low)} to {f.number(one.high)}\n{f.share(one.accuracy)}\n"
            f"n = {f.count(one.accuracy.n)}",
            one.accuracy.interval,
        )
        for one in filled
    )
    axis = Axis("stated probability", 0.0, 1.0, tuple((t / 4, f"{t / 4:g}") for t in range(5)))
    what = "first answer better, %" if judge.kind == "pairs" else "right, %"
    return chart("Reliability", [Series("verdicts", marks, "after")], axis, percent_axis(what), diagonal=True)


def _axis(label: str, rows: Sequence[Row], *, zero: bool = False, scale: float = 1.0) -> Axis:
    values = [value for row in rows for value in (row.value, *(row.interval or ()))]
    return number_axis(label, values, zero=zero, scale=scale)


# ------------------------------------------------------------------------------------------ tables


def _checks(judge: JudgeAudit) -> Markup:
    rows = checks(judge.trust)
    note = "✓ the whole interval keeps to the limit, ✗ the whole interval breaks it, ? neither, or not measured."
    shown = table(["asked of the judge", "measured", *(f"for {use}" for use in USES)], rows, label="Rules of trust")
    return join([shown, h("p", note, cls="note")])


def _findings(judge: JudgeAudit) -> Markup:
    rows = [
        [
            h("span", one.words, cls="keep"),
            f.count(one.finding.n),
            _amount(one),
            number(one.finding.null).replace("-", f.MINUS) if one.finding.null is not None else "",
            test_of(one.finding),
            f.p_value(one.adjusted) if one.finding.p is not None else "",
            one.verdict,
        ]
        for one in judge.measured
    ]
    head = ["finding", "n", "estimate", "if nothing", "test", "p, Holm", "verdict"]
    return table(head, rows, label=f"Findings on {brief(judge.judge, 60)}")


def _amount(one: Measured) -> str:
    return interval(one.finding.estimate, one.finding.interval).replace("-", f.MINUS)


def _test(one: Measured) -> str:
    if one.finding.p is None:
        return "interval simultaneous over systems" if one.finding.name.startswith("bias ") else "no test"
    return f"p {f.p_value(one.finding.p)}, by Holm {f.p_value(one.adjusted)} ({test_of(one.finding)})"
