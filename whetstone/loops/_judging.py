"""Things to judge whose truth is known, the judgments that a model gives on them, and how good a judge it is.

An `Item` asks for one verdict. Where a pair is shown in both orders there are two items that share `pair`. A judge that
could not be read is wrong and counted apart; it never gets a default verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from whetstone.core.flow import Flow, Runner, sample
from whetstone.core.types import Example, Finding, Generation, Json, Prompt, Sampling
from whetstone.signals.parsing import Reading, letter_probabilities
from whetstone.stats.correlation import spearman
from whetstone.stats.discrimination import auroc
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import clustered_mean, proportion
from whetstone.stats.paired import paired_permutation

Reader = Callable[[str], Reading | None]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to judge.

    Attributes:
        id: unlike that of any other item of the set.
        prompt: what the judge is asked.
        truth: the right verdict, one of `values`.
        values: the possible verdicts, worst first where they are a scale ("N", "Y"; "1" to "5").
        read: finds the verdict in a reply; None if there is none.
        example: the question that the answers belong to.
        answers: the texts that are judged, in the order shown.
        kind: what is wrong with them ("calculation", "dropped" ...), "right", or "".
        pair: the pair shown, whatever the order; "" for items that show one answer.
    """

    id: str
    prompt: Prompt
    truth: str
    values: tuple[str, ...]
    read: Reader
    example: Example
    answers: tuple[str, ...] = ()
    kind: str = ""
    pair: str = ""

    @property
    def group(self) -> str:
        """The cluster of standard errors: the question's group, or the question."""
        return self.example.group or self.example.id

    @property
    def scale(self) -> bool:
        """Are the verdicts grades?"""
        return all(value.isdigit() for value in self.values)


@dataclass(frozen=True, slots=True)
class Judgment:
    """One reply and its verdict; None if it was cut off or has none."""

    generation: Generation
    verdict: str | None
    probabilities: Mapping[str, float] | None = None

    @property
    def text(self) -> str:
        return self.generation.text


@dataclass(frozen=True, slots=True)
class Judged:
    """An item and the judgments on it."""

    item: Item
    judgments: tuple[Judgment, ...]

    @property
    def verdict(self) -> str | None:
        """What most readable judgments say, the earlier one of two that are as frequent; None without any."""
        votes = Counter(j.verdict for j in self.judgments if j.verdict is not None)
        return votes.most_common(1)[0][0] if votes else None

    @property
    def right(self) -> float:
        """1 if the verdict is the true one, else 0; also where it could not be read."""
        return float(self.verdict == self.item.truth)

    @property
    def score(self) -> float | None:
        """Mean place of the verdicts along the item's values: the grade on a scale, P(last value) of two.

        Where token probabilities of the verdict are known, the expected place counts instead of the one drawn.
        """
        places = {value: float(value) if self.item.scale else float(i) for i, value in enumerate(self.item.values)}
        expected = [
            sum(places[value] * p for value, p in j.probabilities.items()) if j.probabilities else places[j.verdict]
            for j in self.judgments
            if j.verdict is not None
        ]
        return fmean(expected) if expected else None


def judge(
    runner: Runner,
    phase: str,
    items: Sequence[Item],
    *,
    k: int = 1,
    temperature: float = 0.0,
    top_p: float = 1.0,
    max_tokens: int = 512,
) -> list[Judged]:
    """`k` judgments of each item; an item whose flow failed has none."""
    sampling = Sampling(temperature, top_p, max_tokens=max_tokens, logprobs=5)

    def ask(item: Item) -> Flow[Judged]:
        replies = yield from sample(item.prompt, n=k, sampling=sampling, role="judge")
        return Judged(item, tuple(read(item, reply) for reply in replies))

    found = runner(phase, {item.id: ask(item) for item in items}).results
    return [found.get(item.id, Judged(item, ())) for item in items]


def read(item: Item, reply: Generation) -> Judgment:
    """A reply as a judgment on an item."""
    reading = item.read(reply.text) if reply.finish == "stop" else None
    if reading is None or reading.value not in item.values:
        return Judgment(reply, None)
    return Judgment(reply, reading.value, letter_probabilities(reply, reading, item.values))


def measure(judged: Sequence[Judged]) -> dict[str, Finding]:
    """How good a judge is on items that it was not trained on.

    accuracy (its detail has `marks`, item id -> 0 or 1, and `groups`, item id -> question, by which two judges are
    paired; and the share by true verdict, level and kind); unreadable; for yes or no auroc of the score; on a scale
    spearman of score and truth and mean_error (how far off the score is); for pairs swap_consistency (both orders name
    the same answer) and both_orders (both name the right one).
    """
    if not judged:
        return {}
    groups = [row.item.group for row in judged]
    marks = {row.item.id: row.right for row in judged}
    accuracy = proportion(list(marks.values()), groups=groups)
    parts: dict[str, Json] = {
        "by_truth": shares(judged, lambda row: row.item.truth),
        "by_level": shares(judged, lambda row: row.item.example.level),
        "by_kind": shares(judged, lambda row: row.item.kind),
        "marks": marks,
        "groups": {row.item.id: row.item.group for row in judged},
    }
    lost = proportion([float(row.verdict is None) for row in judged], groups=groups)
    overall = finding("accuracy", accuracy)
    out = {
        "accuracy": replace(overall, detail={**overall.detail, **parts}),
        "unreadable": finding("unreadable", lost),
    }
    scored = [(row, row.score) for row in judged]
    known = [(row, score) for row, score in scored if score is not None]
    if judged[0].item.scale:
        out |= on_scale(known)
    elif not judged[0].item.pair and len({row.item.truth for row, _ in known}) == 2:
        truths = [float(row.item.truth == row.item.values[-1]) for row, _ in known]
        clusters = [row.item.group for row, _ in known]
        out["auroc"] = finding("auroc", auroc([score for _, score in known], truths, groups=clusters))
    return out | in_orders(judged)


def shares(judged: Sequence[Judged], name: Callable[[Judged], str]) -> Json:
    """Share of right verdicts and number of items, by a name that each item has; {} where all have the same."""
    found: dict[str, list[float]] = {}
    for row in judged:
        found.setdefault(name(row), []).append(row.right)
    return {key: [fmean(found[key]), len(found[key])] for key in sorted(found)} if len(found) > 1 else {}


def on_scale(known: Sequence[tuple[Judged, float]]) -> dict[str, Finding]:
    """Findings on grades."""
    if not known:
        return {}
    truths, scores = [float(row.item.truth) for row, _ in known], [score for _, score in known]
    groups = [row.item.group for row, _ in known]
    errors = [abs(score - truth) for score, truth in zip(scores, truths, strict=True)]
    return {
        "spearman": finding("spearman", spearman(scores, truths, groups=groups)),
        "mean_error": finding("mean_error", clustered_mean(errors, groups)),
    }


def in_orders(judged: Sequence[Judged]) -> dict[str, Finding]:
    """Findings on pairs that were shown in both orders. A pair with an unreadable verdict is not consistent."""
    pairs: dict[str, list[Judged]] = {}
    for row in judged:
        if row.item.pair:
            pairs.setdefault(row.item.pair, []).append(row)
    both = [rows for rows in pairs.values() if len(rows) == 2]
    if not both:
        return {}
    groups = [rows[0].item.group for rows in both]
    agree = [float(rows[0].right == rows[1].right and None not in (r.verdict for r in rows)) for rows in both]
    right = [rows[0].right * rows[1].right for rows in both]
    return {
        "swap_consistency": finding("swap_consistency", proportion(agree, groups=groups)),
        "both_orders": finding("both_orders", proportion(right, groups=groups)),
    }


def gain(name: str, after: Sequence[Judged], before: Sequence[Judged]) -> Finding:
    """Difference in accuracy of two judges on the same items, tested by flipping signs of whole questions."""
    base = {row.item.id: row.right for row in before}
    groups = [row.item.group for row in after]
    test = paired_permutation([row.right for row in after], [base[row.item.id] for row in after], groups=groups)
    return finding(name, test)
