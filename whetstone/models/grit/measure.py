"""Measure a checkpoint in every role and write its model card: `python -m whetstone.models.grit.measure FOLDER`.

Outcome precision (the answer is right) always stands beside process precision (every step is right): sums commute,
so a model can be right for wrong reasons, and its critic can share the blind spot.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch

from whetstone.core.flow import Flow, drive, sample, score
from whetstone.core.types import Generation, Model, Prompt, Sampling, Token, form, user
from whetstone.models.grit import load_grit
from whetstone.stats import auroc, wilson
from whetstone.worlds import ledger

LEVELS = range(2, 13)
CRITIC_LEVELS = range(3, 10)
SAMPLES = 8
WARM = Sampling(temperature=0.7, max_tokens=110)


@dataclass(frozen=True)
class Row:
    """One measured ability: `value` in [0, 1] with a 95 % interval (Wilson; DeLong for an AUROC) over n trials."""

    role: str
    what: str
    levels: str
    value: float | None
    interval: tuple[float, float] | None
    n: int


@dataclass(frozen=True)
class Trial:
    """Everything that was asked about one question."""

    level: int
    question: str
    greedy: str
    samples: tuple[str, ...]
    reviews: tuple[str, ...]
    repairs: tuple[str | None, ...]
    p_true: tuple[float, ...]
    p_ik: float
    planted: tuple[tuple[str, str], ...]
    versus: tuple[tuple[str, str, str], ...]


def ask(name: str, question: str, **fields: str) -> Prompt:
    """A form of grit's; the English template is never read here."""
    return user(form(name, "", question=question, **fields))


def trial(level: int, question: str, rng: Random) -> Flow[Trial]:
    """Ask the model for one question in every role."""
    solving = ask("solve", question)
    [greedy] = yield from sample(solving, sampling=Sampling(temperature=0.0, max_tokens=110))
    drawn = yield from sample(solving, n=SAMPLES, sampling=WARM)
    samples = tuple(reply.text for reply in drawn)
    reviews = yield from critiques(question, samples)
    repairs: list[str | None] = []
    for answer, review in zip(samples, reviews, strict=True):
        if review.endswith("Y"):
            repairs.append(None)
            continue
        [fixed] = yield from sample(
            ask("refine", question, answer=answer, critique=review),
            sampling=Sampling(temperature=0.0, max_tokens=110),
        )
        repairs.append(fixed.text)
    p_true = []
    for answer in samples:
        p_true.append((yield from yes(ask("p_true", question, answer=answer))))
    p_ik = yield from yes(ask("p_ik", question))
    styles: tuple[ledger.Style, ...] = ("forward", "backward", "shuffled")
    style = rng.choice(styles)
    made = (ledger.solve(rng, question, style=style), ledger.plant_error(rng, question, style))
    planted = tuple(zip(made, (yield from critiques(question, made)), strict=True))
    versus = yield from contests(question, samples, reviews)
    return Trial(
        level, question, greedy.text, samples, tuple(reviews), tuple(repairs), tuple(p_true), p_ik, planted, versus
    )


def critiques(question: str, answers: Sequence[str]) -> Flow[list[str]]:
    """A greedy critique of each answer."""
    texts = []
    for answer in answers:
        [reply] = yield from sample(
            ask("critique", question, answer=answer), sampling=Sampling(temperature=0.0, max_tokens=200)
        )
        texts.append(reply.text)
    return texts


def yes(prompt: Prompt) -> Flow[float]:
    """P(Y) against N."""
    replies = yield from score(prompt, "Y", "N")
    one, other = (first_token(reply).logprob for reply in replies)
    return float(torch.sigmoid(torch.tensor(one - other)))


def first_token(reply: Generation) -> Token:
    assert reply.tokens, "grit always gives log-probabilities"
    return reply.tokens[0]


def contests(question: str, samples: Sequence[str], reviews: Sequence[str]) -> Flow[tuple[tuple[str, str, str], ...]]:
    """Compare a right with a wrong sample, in both orders, with and without critiques.

    Returns:
        (way, verdict with the right one first, verdict with the right one second) for each way that could be asked.
    """
    good = [i for i, text in enumerate(samples) if ledger.first_error(question, text) is None and "=" in text]
    bad = [i for i, text in enumerate(samples) if not right(question, text) and "=" in text]
    if not good or not bad:
        return ()
    pair = ((samples[good[0]], reviews[good[0]]), (samples[bad[0]], reviews[bad[0]]))
    found = []
    for way in ("compare", "compare_critiqued"):
        verdicts = []
        for (first, one), (second, two) in (pair, pair[::-1]):
            fields = {"first": first, "second": second}
            if way == "compare_critiqued":
                fields |= {"first_critique": one, "second_critique": two}
            [reply] = yield from sample(ask(way, question, **fields), sampling=Sampling(temperature=0.0, max_tokens=2))
            verdicts.append(reply.text)
        found.append((way, verdicts[0], verdicts[1]))
    return tuple(found)


def right(question: str, text: str) -> bool:
    return ledger.read_answer(text) == ledger.answer_of(question)


def share(role: str, what: str, levels: str, hits: Iterable[bool]) -> Row:
    """A proportion with its Wilson interval; unknown where there is no trial."""
    values = list(hits)
    if not values:
        return Row(role, what, levels, None, None, 0)
    estimate = wilson(sum(values), len(values))
    return Row(role, what, levels, estimate.value, estimate.interval, len(values))


def measure(model: Model, *, questions: int = 60, seed: int = 0) -> list[Row]:
    """Measure every role on new questions.

    Args:
        questions: per level.
        seed: of questions and samples.
    """
    rng = Random(f"measure {seed}")
    flows = {}
    for level in LEVELS:
        for i in range(questions):
            question = ledger.generate(rng, level)
            flows[f"{level}/{i}"] = trial(level, question, Random(f"{seed}/{level}/{i}"))
    done = drive(flows, {"policy": model}, seed=seed)
    if done.failures:
        raise RuntimeError(next(iter(done.failures.values())).traceback)
    trials = list(done.results.values())
    rows: list[Row] = []
    groups = [(str(level), [t for t in trials if t.level == level]) for level in LEVELS]
    groups += [("2-6", [t for t in trials if t.level <= 6]), ("2-8", [t for t in trials if t.level <= 8])]
    for levels, some in groups:
        rows += solving(levels, some) + criticism(levels, some) + knowing(levels, some)
    everything = [(t, i) for t in trials for i in range(SAMPLES)]
    outcome = [right(t.question, t.samples[i]) for t, i in everything]
    known = auroc([t.p_ik for t in trials], [right(t.question, t.greedy) for t in trials])
    trusted = auroc([t.p_true[i] for t, i in everything], outcome)
    rows.append(Row("p_ik", "AUROC against greedy outcome", "2-12", known.value, known.interval, known.n))
    rows.append(Row("p_true", "AUROC against outcome", "2-12", trusted.value, trusted.interval, trusted.n))
    return rows


def solving(levels: str, trials: Sequence[Trial]) -> list[Row]:
    """Outcome and process, greedy and sampled at temperature 0.7."""
    drawn = [(t.question, text) for t in trials for text in t.samples]
    shown = [(q, text) for q, text in drawn if right(q, text) and "=" in text]
    greedy = [(t.question, t.greedy) for t in trials]
    greedy_shown = [(q, text) for q, text in greedy if right(q, text) and "=" in text]
    return [
        share("solve", "greedy right", levels, (right(q, text) for q, text in greedy)),
        share("solve", "greedy: right answers with every step right", levels, map(steps_right, greedy_shown)),
        share("solve", "sampled right", levels, (right(q, text) for q, text in drawn)),
        share("solve", "sampled: right answers with every step right", levels, map(steps_right, shown)),
        share(
            "solve", "one of 8 samples right", levels, (any(right(t.question, x) for x in t.samples) for t in trials)
        ),
        share("solve", "hasty samples (no steps shown)", levels, ("=" not in text for _, text in drawn)),
    ]


def steps_right(pair: tuple[str, str]) -> bool:
    return ledger.first_error(*pair) is None


def criticism(levels: str, trials: Sequence[Trial]) -> list[Row]:
    """Critique of planted errors and of own samples, refinement, comparison."""
    planted = [(ledger.critique(t.question, x), review) for t in trials for x, review in t.planted]
    wrong = [(reference, review) for reference, review in planted if not reference.right]
    own = [(t, i) for t in trials for i in range(SAMPLES)]
    shown = [(t, i) for t, i in own if "=" in t.samples[i]]
    accepted = [(t.question, t.samples[i]) for t, i in shown if t.reviews[i].endswith("Y")]
    before_after = [
        (right(t.question, t.samples[i]), right(t.question, t.repairs[i] or t.samples[i])) for t, i in shown
    ]
    versus = [v for t in trials for v in t.versus]
    rows = [
        share("critique", "planted errors flagged (recall)", levels, (not y.endswith("Y") for _, y in wrong)),
        share("critique", "first wrong step named exactly", levels, (r.text == y for r, y in wrong)),
        share(
            "critique",
            "right solutions flagged (false alarm)",
            levels,
            (not y.endswith("Y") for r, y in planted if r.right),
        ),
        share(
            "critique",
            "own wrong answers flagged",
            levels,
            (not t.reviews[i].endswith("Y") for t, i in shown if not right(t.question, t.samples[i])),
        ),
        share("critique", "accepted samples: answer right", levels, (right(q, x) for q, x in accepted)),
        share("critique", "accepted samples: every step right", levels, map(steps_right, accepted)),
        share("refine", "wrong to right", levels, (after for before, after in before_after if not before)),
        share("refine", "right to wrong", levels, (not after for before, after in before_after if before)),
    ]
    for way in ("compare_critiqued", "compare"):
        pairs = [(one, two) for name, one, two in versus if name == way]
        rows += [
            share(
                way, "same verdict in both orders", levels, (p in (("A", "B"), ("B", "A"), ("E", "E")) for p in pairs)
            ),
            share(way, "right in both orders", levels, (p == ("A", "B") for p in pairs)),
            share(way, "picks the first", levels, (verdict == "A" for p in pairs for verdict in p)),
        ]
    return rows


def knowing(levels: str, trials: Sequence[Trial]) -> list[Row]:
    """Does a yes in one letter agree with the outcome?"""
    own = [(t, i) for t in trials for i in range(SAMPLES)]
    return [
        share(
            "p_true",
            "yes/no agrees with the outcome",
            levels,
            ((t.p_true[i] > 0.5) == right(t.question, t.samples[i]) for t, i in own),
        ),
        share(
            "p_ik",
            "yes/no agrees with the greedy outcome",
            levels,
            ((t.p_ik > 0.5) == right(t.question, t.greedy) for t in trials),
        ),
    ]


@dataclass(frozen=True)
class Gate:
    """A bar that a release must clear."""

    role: str
    what: str
    levels: str
    least: float | None = None
    most: float | None = None


GATES = (
    Gate("solve", "greedy: right answers with every step right", "2-8", least=0.95),
    Gate("solve", "sampled: right answers with every step right", "2-8", least=0.95),
    Gate("critique", "planted errors flagged (recall)", "2-8", least=0.95),
    Gate("critique", "right solutions flagged (false alarm)", "2-8", most=0.02),
    Gate("refine", "wrong to right", "2-8", least=0.70),
    Gate("refine", "right to wrong", "2-8", most=0.05),
    Gate("compare_critiqued", "same verdict in both orders", "2-6", least=0.90),
)


def passed(gate: Gate, rows: Sequence[Row]) -> tuple[bool, Row]:
    """Whether the measured value clears the gate, and the row that says so."""
    row = next(r for r in rows if (r.role, r.what, r.levels) == (gate.role, gate.what, gate.levels))
    if row.value is None:
        return False, row
    return (gate.least is None or row.value >= gate.least) and (gate.most is None or row.value <= gate.most), row


def cell(row: Row) -> str:
    if row.value is None or row.interval is None:
        return f"unknown (n={row.n})"
    return f"{row.value:.3f} [{row.interval[0]:.3f}, {row.interval[1]:.3f}] (n={row.n})"


def card(rows: Sequence[Row], facts: dict[str, object]) -> str:
    """The model card in Markdown."""
    lines = ["# grit", "", "The embedded model of Whetstone. Every figure below was measured on new questions by "]
    lines[-1] += "`python -m whetstone.models.grit.measure`; brackets are 95 % intervals."
    lines += ["", "| fact | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in facts.items())]
    lines += [
        "",
        "## Release gates",
        "",
        "| gate | levels | bar | measured | passed |",
        "| --- | --- | --- | --- | --- |",
    ]
    for gate in GATES:
        ok, row = passed(gate, rows)
        bar = f"at least {gate.least}" if gate.least is not None else f"at most {gate.most}"
        lines.append(
            f"| {gate.role}: {gate.what} | {gate.levels} | {bar} | {cell(row)} | {'yes' if ok else '**NO**'} |"
        )
    for role in dict.fromkeys(row.role for row in rows):
        lines += ["", f"## {role}", "", "| levels | what | measured |", "| --- | --- | --- |"]
        lines += [f"| {r.levels} | {r.what} | {cell(r)} |" for r in rows if r.role == role]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line: measure FOLDER, print the gates, write `card.md` and `abilities.json` into it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, default=60, help="per level")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    model = load_grit(arguments.folder)
    rows = measure(model, questions=arguments.questions, seed=arguments.seed)
    recipe = json.loads((arguments.folder / "recipe.json").read_text())
    text = card(rows, {"fingerprint": model.fingerprint, **recipe})
    (arguments.folder / "card.md").write_text(text)
    (arguments.folder / "abilities.json").write_text(json.dumps([row.__dict__ for row in rows], indent=0) + "\n")
    print(text.split("\n## solve")[0])


if __name__ == "__main__":
    main()
