"""The sections of the page, in reading order: the answer first, then the evidence, then how to make it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import whetstone.app.report.card as card
import whetstone.app.report.figures as f
import whetstone.app.report.graphs as graphs
import whetstone.app.report.training as training
from whetstone.app.console import money_text
from whetstone.app.report.changes import changes
from whetstone.app.report.html import Child, Markup, fold, h, table
from whetstone.app.report.plots import grid
from whetstone.app.result import Arm, Paired, Result, SignalRow
from whetstone.core.types import Finding, Json

NAMES = {
    "baseline": "1 Baseline",
    "know": "2 Know",
    "audit": "3 Audit",
    "gap": "4 Can it improve?",
    "sharpen": "5 Sharpen",
    "train": "6 Train",
    "verdict": "7 Verdict",
}
MOST_ARMS = 8


def section(result: Result, name: str, title: str, *parts: Child) -> Markup:
    """A section with the sentence of its step."""
    step = next((s for s in result.steps if s.name == name), None)
    said = h("p", step.sentence, cls="say") if step and step.sentence and name != "verdict" else None
    lost = {**step.failures, **step.abstentions} if step else {}
    why = [h("li", f"{f.count(n)} × {reason}") for reason, n in list(lost.items())[:40]]
    note = fold(f"Left out: {f.count(sum(lost.values()))}", h("ul", *why, cls="limits")) if lost else None
    return h("section", h("h2", title), said, *parts, note, id=name)


# ---------------------------------------------------------------------------------------- the answer


def top(result: Result) -> Markup:
    """Title, verdict in one word, summary sentence, key figures, the seven steps."""
    end = result.conclusion
    if not result.complete:
        word, good = f"Stopped early{': ' + result.stopped if result.stopped else ''}", False
    elif end is None:
        word, good = "No verdict", False
    else:
        word, good = ("Improved", True) if end.improved else ("Not improved", False)
    return h(
        "header",
        h("p", "Whetstone report", cls="eyebrow"),
        h("h1", result.model.name, h("span", " on ", cls="on"), result.task.name),
        h("span", word, cls=f"verdict {'good' if good else 'bad'}"),
        h("p", card.headline(result), cls="lead"),
        _tiles(result),
        _alarms(result.arms),
        _steps(result),
    )


def _tiles(result: Result) -> Markup | None:
    tiles: list[Markup] = []
    end = result.conclusion
    if end is not None:
        both = f"{f.percent(end.overall.before.value).rstrip(f'{f.THIN}%')} → {f.percent(end.overall.after.value)}"
        tiles.append(
            _tile("Held-out accuracy", both, f"same {f.count(end.overall.difference.n)} questions, {end.subject}")
        )
        change = f.signed(end.overall.difference.value) if end.overall.difference.value is not None else f.DASH
        bounds = end.overall.difference.interval
        said = f"95 %: {f.signed(bounds[0])} to {f.signed(bounds[1])}, " if bounds else ""
        tiles.append(_tile("Change, points", change, f"{said}p{f.THIN}{_equals(end.overall.p)}"))
        tiles.append(
            _tile("Fixed / broken", f"{f.count(end.overall.fixed)} / {f.count(end.overall.broken)}", "answers")
        )
        if end.process_after is not None:
            before = f"before: {f.share(end.process_before)}" if end.process_before else ""
            tiles.append(_tile("Right answers with every step right", f.percent(end.process_after.value), before))
    if result.cost is not None:
        seeds = len(result.run.seeds) or 1
        tokens = f"{f.short(result.cost.tokens)} tokens, {seeds} seed{'s' if seeds > 1 else ''}"
        tiles.append(_tile("Cost", f.seconds(result.cost.seconds), tokens))
    return h("dl", *tiles, cls="tiles") if tiles else None


def _tile(name: str, value: str, under: str) -> Markup:
    return h("div", h("dt", name), h("dd", h("div", value, cls="big"), h("div", under, cls="under")))


def _equals(p: float | None) -> str:
    text = f.p_value(p)
    return text if text.startswith("<") else f"={f.THIN}{text}"


def _alarms(arms: Sequence[Arm]) -> Markup | None:
    lines = []
    for arm in arms[:MOST_ARMS]:
        rung = [(run, alarm) for run in arm.runs for alarm in run.alarms]
        if not rung:
            continue
        back = sum(run.rolled_back for run in arm.runs)
        many = f" with {back} of {len(arm.runs)} seeds" if len(arm.runs) > 1 else ""
        did = f" was rolled back{many}" if back else ": alarm"
        told = dict.fromkeys(f"{alarm.guard}: {alarm.message}" for _, alarm in rung)
        lines.append(h("p", h("b", arm.name), f"{did}. {'; '.join(list(told)[:3])}."))
    return h("div", *lines, cls="callout", role="note") if lines else None


def _steps(result: Result) -> Markup | None:
    if not result.steps:
        return None
    return h(
        "ol",
        *(
            h(
                "li",
                h("a", NAMES.get(s.name, s.name), href=f"#{s.name}", cls="what")
                if s.name in NAMES
                else h("span", s.name, cls="what"),
                h("span", s.sentence, cls="say-it"),
                h("span", f"{f.seconds(s.seconds)} · {f.short(s.tokens)} tokens", cls="cost"),
            )
            for s in result.steps
        ),
        cls="steps",
    )


def verdict(result: Result) -> Markup | None:
    """Step 7: before and after, seed by seed, and what it cannot do."""
    end = result.conclusion
    if end is None:
        return None
    pairs = [*end.levels, end.overall]
    numbers = fold("Numbers by difficulty", _paired_table(pairs, "Held-out accuracy by difficulty", "difficulty"))
    seeds = None
    if len(end.seeds) > 1:
        ids: Sequence[int] = result.run.seeds
        rows = [[f"seed {ids[i] if i < len(ids) else i}", *_paired_cells(p)] for i, p in enumerate(end.seeds)]
        seeds = fold("Numbers by seed", table(["", *PAIRED], rows, label="Held-out accuracy by seed"))
    process = None
    if end.process_after is not None:
        process = h(
            "p",
            "Outcome and process: ",
            f"{f.share(end.outcome_before)} of the answers were right before and {f.share(end.outcome_after)} after; ",
            f"of the right ones {f.share(end.process_before)} had every step right before and "
            f"{f.share(end.process_after)} after.",
        )
    return section(
        result,
        "verdict",
        "Did it improve?",
        grid(graphs.before_after(end), graphs.differences(end)),
        numbers,
        seeds,
        process,
        _limits(result),
    )


PAIRED = ("before", "after", "difference, points", "p", "fixed", "broken", "n")


def _paired_cells(p: Paired) -> list[Child]:
    return [
        f.share(p.before),
        f.share(p.after),
        f.points(p.difference),
        f.p_value(p.p),
        f.count(p.fixed),
        f.count(p.broken),
        f.count(p.difference.n),
    ]


def _paired_table(pairs: Sequence[Paired], label: str, first: str) -> Markup:
    tests = ", ".join(dict.fromkeys(p.test for p in pairs if p.test))
    rows: list[list[Child]] = [[p.level or "all", *_paired_cells(p)] for p in pairs]
    return h(
        "div", table([first, *PAIRED], rows, label=label), h("p", f"Test: {tests}.", cls="note") if tests else None
    )


def _limits(result: Result) -> Markup | None:
    if not result.limits:
        return None
    return h(
        "div", h("h3", "What it still cannot do"), h("ul", *(h("li", s) for s in result.limits[:20]), cls="limits")
    )


def answers(result: Result) -> Markup | None:
    """Fixed and broken answers."""
    shown = changes(result.conclusion) if result.conclusion else None
    return h("section", h("h2", "Fixed and broken answers"), shown, id="answers") if shown else None


# -------------------------------------------------------------------------------------- the evidence


def baseline(result: Result) -> Markup | None:
    """Step 1."""
    if not result.baseline:
        return None
    rows = [
        [
            r.level or "all",
            f.share(r.greedy),
            f.share(r.sampled),
            f.share(r.majority),
            f.share(r.pass_at_k),
            f.plain(r.distinct, 2),
            f.share(r.process),
            f.share(r.unreadable),
            f.count(r.greedy.n),
        ]
        for r in result.baseline
    ]
    k = result.k
    heat = f" at temperature {result.temperature:g}" if result.temperature is not None else ""
    head = ["difficulty", "greedy", "one sample", f"majority of {k}", f"pass@{k}", "distinct answers"]
    head += ["right with right steps", "unreadable", "n"]
    return section(
        result,
        "baseline",
        "1 · Baseline",
        grid(
            graphs.baseline(result.baseline, k), graphs.process(result.baseline) or graphs.distinct(result.baseline, k)
        ),
        h("p", f"{k} samples a question{heat}.", cls="note") if k else None,
        fold("Numbers", table(head, rows, label="Baseline by difficulty")),
    )


def know(result: Result) -> Markup | None:
    """Step 2."""
    if not result.signals:
        return None
    kept = [s for s in result.signals if s.kept and s.reliability]
    small = [graphs.reliability(s) for s in sorted(kept, key=lambda s: not s.trusted)[:6]]
    return section(
        result,
        "know",
        "2 · What the model knows about its own answers",
        grid(graphs.separation(result.signals), graphs.risk_coverage(result.signals)),
        h("h3", "Reliability: is the calibrated confidence right?") if any(small) else None,
        grid(*small),
        fold("Numbers", _signal_table(result.signals)),
    )


def _signal_table(signals: Sequence[SignalRow]) -> Markup:
    head = ["signal", "", "AUROC", "p", "ECE", "Brier", "extra tokens", "abstained", "n", "why"]
    rows: list[list[Child]] = [
        [
            s.name,
            "trusted" if s.trusted else "kept" if s.kept else "dropped",
            f.plain(s.auroc),
            f.p_value(s.p),
            f.plain(s.ece),
            f.plain(s.brier),
            f.count(s.tokens),
            f.count(s.abstained),
            f.count(s.n),
            s.reason,
        ]
        for s in signals
    ]
    return table(head, rows, label="Signals")


def audit(result: Result) -> Markup | None:
    """Step 3."""
    if not result.audits:
        return None
    parts: list[Child] = []
    said = next((s.sentence for s in result.steps if s.name == "audit"), "")
    for row in result.audits[:20]:
        mark = h("span", "passes" if row.passed else "fails", cls="good" if row.passed else "bad")
        parts.append(h("h3", row.subject, ": ", mark))
        parts.append(h("p", row.sentence) if row.sentence and row.sentence not in said else None)
        parts.append(findings(row.findings, f"Audit of {row.subject}") if row.findings else None)
    return section(result, "audit", "3 · Can the judge be trusted?", *parts)


def findings(found: Sequence[Finding], label: str) -> Markup:
    """Tested claims as a table."""
    rows: list[list[Child]] = []
    for x in found:
        bounds = f" [{f.number(x.interval[0], 3)}, {f.number(x.interval[1], 3)}]" if x.interval else ""
        null = f.DASH if x.null is None else f"{x.null:g}"
        rows.append([x.name, x.verdict, f.number(x.estimate, 3) + bounds, null, f.p_value(x.p), f.count(x.n)])
    return table(["finding", "verdict", "estimate", "if no effect", "p", "n"], rows, label=label)


def gap(result: Result) -> Markup | None:
    """Step 4."""
    said = result.prediction
    if said is None:
        return None
    word = {True: "worth trying", False: "not worth the compute", None: "cannot be told"}[said.worthwhile]
    shown = findings(said.findings, "Generation-verification gap and pass@k band") if said.findings else None
    already = any(s.name == "gap" and s.sentence == said.sentence for s in result.steps)
    return section(
        result,
        "gap",
        "4 · Can it improve?",
        h("p", "Prediction before compute is spent: ", h("b", word), ". ", None if already else said.sentence),
        shown,
    )


def sharpen(result: Result) -> Markup | None:
    """Step 5."""
    if not result.strategies:
        return None
    rows: list[list[Child]] = [
        [
            s.name,
            "recommended" if s.recommended else "best for its tokens" if s.pareto else "",
            f.share(s.accuracy),
            f.count(s.tokens.value),
            f.count(s.accuracy.n),
            f"{f.count(s.failures)} / {f.count(s.abstained)}",
            settings(s.options),
        ]
        for s in result.strategies
    ]
    head = ["strategy", "", "right", "tokens a question", "n", "failed / abstained", "settings"]
    return section(
        result,
        "sharpen",
        "5 · Sharpen at inference",
        grid(graphs.pareto(result.strategies), graphs.strategies(result.strategies)),
        fold("Numbers", table(head, rows, label="Strategies")),
    )


def settings(options: Mapping[str, Json]) -> str:
    """Settings as `name=value`."""
    return ", ".join(f"{name}={v if isinstance(v, str) else json.dumps(v, default=str)}" for name, v in options.items())


def train(result: Result) -> Markup | None:
    """Step 6."""
    arms = result.arms[:MOST_ARMS]
    if not arms:
        return None
    proxy, explored = training.proxy_gold(arms), training.exploration(arms)
    return section(
        result,
        "train",
        "6 · Sharpen by training",
        h("dl", *(part for arm in arms for part in (h("dt", arm.name), h("dd", _arm_says(arm)))), cls="facts"),
        grid(training.arms_by_round(arms), training.arms_by_level(arms)),
        h("h3", "Proxy against the exact check") if any(proxy) else None,
        h(
            "p",
            "The dashed line is what the filter accepts, the solid one what is right. ",
            "Where they part, training pleases the filter and not the truth.",
            cls="note",
        )
        if any(proxy)
        else None,
        grid(*proxy),
        h("h3", "Exploration and exploitation by round") if any(explored) else None,
        grid(*explored),
        fold("Numbers by round", _round_table(arms)),
    )


def _arm_says(arm: Arm) -> str:
    role = {
        "label_free": "no gold labels",
        "gold": "gold labels: the limit",
        "naive": "expected to fail",
        "control": "control",
    }[arm.role]
    return f"{arm.description or arm.loop} ({role})"


def _round_table(arms: Sequence[Arm]) -> Markup:
    head = ["arm", "seed", "round", "held-out", "kept", "kept and right", "proxy", "exact check", "exploration"]
    head += ["exploitation", "distinct", "length", "seconds", "tokens", "alarms"]
    rows: list[list[Child]] = [
        [
            arm.name,
            run.seed,
            r.index,
            f.share(training.held_out(r)),
            f"{f.count(r.kept)} of {f.count(r.seen)}" if r.seen else f.DASH,
            f.share(r.precision),
            f.share(r.proxy),
            f.share(r.gold),
            f.plain(r.exploration, 2),
            f.plain(r.exploitation, 2),
            f.plain(r.distinct, 2),
            f.plain(r.length, 1),
            f.number(r.seconds, 1),
            f.count(r.tokens),
            "; ".join([*(["rolled back"] if r.rolled_back else []), *(a.guard for a in r.alarms)]),
        ]
        for arm in arms
        for run in arm.runs
        for r in run.rounds
    ]
    return table(head, rows, label="Training rounds")


# ------------------------------------------------------------------------- cost, card, reproduction


def cost(result: Result) -> Markup | None:
    """Time and tokens."""
    if not result.steps and result.cost is None:
        return None
    rows: list[list[Child]] = []
    facts: list[tuple[str, str]] = []
    if result.cost is not None:
        c = result.cost
        roles = dict.fromkeys([*c.prompt, *c.completion])
        rows = [[role, f.count(c.prompt.get(role, 0)), f.count(c.completion.get(role, 0))] for role in roles]
        facts = [
            ("Wall clock", f.seconds(c.seconds)),
            ("Tokens", f.count(c.tokens) + (f" of a budget of {f.count(c.budget)}" if c.budget is not None else "")),
            *([("Tokens trained on", f.count(c.trained))] if c.trained is not None else []),
            *([("Tokens paid for", f.count(c.paid))] if c.paid is not None else []),
            *([("Money", money_text(c.money, c.currency))] if c.money is not None else []),
            ("Requests", f"{f.count(c.requests)}, of them {f.count(c.replayed)} answered from the store"),
            ("Peak memory", f.size(c.peak_memory) if c.peak_memory is not None else "not measured"),
        ]
    return h(
        "section",
        h("h2", "Cost"),
        grid(*graphs.cost(result)),
        _facts(facts),
        fold("Tokens by role", table(["role", "prompt", "completion"], rows, label="Tokens by role")) if rows else None,
        id="cost",
    )


def _facts(facts: Sequence[tuple[str, Child]]) -> Markup | None:
    return (
        h("dl", *(part for name, value in facts for part in (h("dt", name), h("dd", value))), cls="facts")
        if facts
        else None
    )


def model_card(result: Result) -> Markup:
    """The model card."""
    head = ["difficulty", "before", "after", "difference, points", "p"]
    known = card.abilities(result)
    return h(
        "section",
        h("h2", "Model card"),
        _facts([(n, h("span", v, cls="mono") if n.startswith("Fingerprint") else v) for n, v in card.identity(result)]),
        h("h3", "Training"),
        _facts(card.training(result)),
        h("h3", "Held-out accuracy") if known else None,
        table(head, known, label="Held-out accuracy") if known else None,
        h("h3", "Limits"),
        h("ul", *(h("li", line) for line in card.caveats(result)[:20]), cls="limits"),
        id="card",
    )


def reproduce(result: Result) -> Markup:
    """The exact command, versions, seeds and hashes."""
    run = result.run
    facts: list[tuple[str, Child]] = [
        ("Run", run.id),
        ("Started", run.started or f.DASH),
        ("Machine", run.machine or f.DASH),
        ("Seeds", ", ".join(map(str, run.seeds)) or f.DASH),
        ("Versions", ", ".join(f"{name} {v}" for name, v in {"whetstone": run.version, **run.versions}.items())),
        ("Model fingerprint", h("span", result.model.fingerprint, cls="mono")),
        *((name, h("span", digest, cls="mono")) for name, digest in list(run.hashes.items())[:40]),
        ("Questions", ", ".join(f"{f.count(n)} {name}" for name, n in result.task.splits.items()) or f.DASH),
        ("Settings", settings(run.settings) or "defaults"),
    ]
    return h(
        "section",
        h("h2", "Make it again"),
        h(
            "div",
            h("pre", h("code", run.command, id="command")),
            h("button", "Copy", type="button", data_copy="command", hidden=True),
            cls="command",
        ),
        _facts(facts),
        h("p", h("button", "Save result.json", type="button", id="save", hidden=True)),
        id="reproduce",
    )


PARTS: tuple[Callable[[Result], Markup | None], ...] = (
    verdict,
    answers,
    baseline,
    know,
    audit,
    gap,
    sharpen,
    train,
    cost,
    model_card,
    reproduce,
)
