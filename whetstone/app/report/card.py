"""The model card: what the improved model is, what it can do, what it cannot, and how that was found out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import whetstone.app.report.figures as f
from whetstone.app.report.html import visible
from whetstone.app.result import Result

MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~&])")
Facts = list[tuple[str, str]]


def identity(result: Result) -> Facts:
    """Name, weights and origin of the model."""
    model = result.model
    facts = [
        ("Base model", model.name),
        ("Description", model.description),
        ("Parameters", f.count(model.parameters) if model.parameters is not None else ""),
        ("License", model.license),
        ("Fingerprint before", model.fingerprint),
        ("Fingerprint after", model.after or ""),
        ("Saved in", model.saved or ""),
        ("Task", result.task.name),
        ("Task description", result.task.description),
    ]
    return [(name, text) for name, text in facts if text]


def training(result: Result) -> Facts:
    """How the weights were changed."""
    arm = result.main_arm
    if arm is None or not arm.runs:
        return [("Training", "None: the weights are unchanged.")]
    rounds = [run.kept_round for run in arm.runs]
    kept = sum(r.kept for run in arm.runs for r in run.rounds)
    facts = [
        ("Arm", arm.name),
        ("What it keeps", arm.description),
        ("Loop", arm.loop),
        ("Signal", arm.signal),
        (
            "Gold labels in training",
            "no" if arm.role in ("label_free", "naive") else "yes" if arm.role == "gold" else "none",
        ),
        ("Seeds", ", ".join(str(run.seed) for run in arm.runs)),
        ("Rounds kept, by seed", ", ".join(map(str, rounds))),
        ("Generations trained on", f.count(kept)),
    ]
    return [(name, text) for name, text in facts if text]


def abilities(result: Result) -> list[tuple[str, str, str, str, str]]:
    """Level, accuracy before, after, difference in points, p: the last row over all levels."""
    if result.conclusion is None:
        return [(row.level or "all", f.share(row.greedy), f.DASH, f.DASH, f.DASH) for row in result.baseline]
    return [
        (p.level or "all", f.share(p.before), f.share(p.after), f.points(p.difference), f.p_value(p.p))
        for p in (*result.conclusion.levels, result.conclusion.overall)
    ]


def caveats(result: Result) -> list[str]:
    """What the model cannot do, and what this evidence does not show."""
    splits = ", ".join(f"{n:,} {name}" for name, n in result.task.splits.items())
    found = list(result.limits)
    if result.conclusion is not None and result.conclusion.process_after is not None:
        process = f.share(result.conclusion.process_after)
        found.append(
            f"Of the right answers after training, {process} have every step right; the rest pass through a wrong step."
        )
    for audit in result.audits:
        if not audit.passed and audit.sentence:
            named = audit.sentence.startswith(audit.subject)
            found.append(audit.sentence if named else f"{audit.subject}: {audit.sentence}")
    if not result.complete:
        found.append(f"The run is not complete: {result.stopped or 'it was stopped'}.")
    found.append(
        f"Measured on {result.task.name} alone{f' ({splits} questions)' if splits else ''}; other tasks are untested."
    )
    return found


def headline(result: Result) -> str:
    """The plain sentence that sums the result up."""
    if result.summary:
        return result.summary
    if result.conclusion is not None:
        return result.conclusion.sentence
    if result.steps:
        return result.steps[-1].sentence or "The run ended before its verdict."
    return "Nothing was measured yet."


def write_model_card(result: Result) -> str:
    """The model card as Markdown. Text from the model or the user is escaped, one line each.

    Args:
        result: what `improve` found.
    """
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    yield f"# Model card: {_text(result.model.name)}, improved on {_text(result.task.name)}"
    yield f"\n{_text(headline(result))}"
    yield "\n## Model\n"
    yield from (f"- {name}: {_text(text)}" for name, text in identity(result))
    yield "\n## Training\n"
    yield from (f"- {name}: {_text(text)}" for name, text in training(result))
    yield "\n## Held-out accuracy by difficulty (95 % intervals)\n"
    yield "| difficulty | before | after | difference, points | p |"
    yield "| --- | --- | --- | --- | --- |"
    yield from (f"| {_text(level)} | {' | '.join(cells)} |" for level, *cells in abilities(result))
    yield "\n## Limits\n"
    yield from (f"- {_text(line)}" for line in caveats(result))
    yield "\n## How to make it again\n"
    yield f"    {visible(result.run.command, 4000)}".replace("\n", " ")
    versions = {"whetstone": result.run.version, **result.run.versions}
    yield f"\nVersions: {', '.join(f'{_text(name)} {_text(v)}' for name, v in versions.items())}."
    yield f"Seeds: {', '.join(map(str, result.run.seeds)) or 'none'}. Run: {_text(result.run.id)}."


def _text(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", visible(text)).replace("\n", " ")
