"""From judgments to training data: which are imitated, which are preferred to which, and how they are balanced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Literal, TypeVar

from whetstone.loops._judging import Item, Judged, Judgment
from whetstone.loops.objectives import Demonstration, Preference

T = TypeVar("T", Demonstration, Preference)
Labels = Literal["truth", "majority"]


def label(row: Judged, labels: Labels) -> str | None:
    """The verdict that counts as right: the true one, or what most judgments of the item say."""
    return row.item.truth if labels == "truth" else row.verdict


def kept(judged: Sequence[Judged]) -> list[tuple[Item, str]]:
    """The most frequent judgment of each item that reaches the true verdict."""
    out = []
    for row in judged:
        texts = Counter(j.text for j in row.judgments if j.verdict == row.item.truth)
        out += [(row.item, text) for text, _ in texts.most_common(1)]
    return out


def agreed_in_both_orders(judged: Sequence[Judged]) -> list[Judged]:
    """Of pairs shown in both orders, those with a right judgment in each."""
    found = Counter(
        row.item.pair for row in judged if any(judgment.verdict == row.item.truth for judgment in row.judgments)
    )
    return [row for row in judged if not row.item.pair or found[row.item.pair] == 2]


def demonstrations(chosen: Sequence[tuple[Item, str]]) -> list[Demonstration]:
    """Judgments to imitate; each true verdict has the same weight in all."""
    items = [Demonstration(item.prompt, text) for item, text in chosen]
    return balanced(items, [item.truth for item, _ in chosen])


def verdicts(items: Sequence[Item]) -> list[Demonstration]:
    """The bare true verdicts to imitate."""
    return demonstrations([(item, item.truth) for item in items])


def preferences(
    judged: Sequence[Judged], rng: Random, *, labels: Labels = "truth", short: Callable[[str], str] | None = None
) -> list[Preference]:
    """One judgment of each item against a worse one: on a scale closer to the label against farther from it.

    Items whose judgments are all as good are left out. Of the best and of the worst one is drawn. `short` maps both
    texts (to the bare verdict, say); pairs of equal texts are left out. Each of two true verdicts has the same weight
    in all; grades weigh by how frequent they are.
    """
    pairs, truths = [], []
    for row in judged:
        right = label(row, labels)
        if right is None:
            continue
        ranked: dict[float, list[Judgment]] = {}
        for judgment in row.judgments:
            if judgment.verdict is not None:
                ranked.setdefault(distance(row.item, judgment.verdict, right), []).append(judgment)
        if len(ranked) > 1:
            texts = [rng.choice(ranked[place]).text for place in (min(ranked), max(ranked))]
            chosen, rejected = map(short, texts) if short else texts
            if chosen != rejected:
                pairs.append(Preference(row.item.prompt, chosen, rejected))
                truths.append(right)
    return pairs if judged and judged[0].item.scale else balanced(pairs, truths)


def distance(item: Item, verdict: str, right: str) -> float:
    """How far a verdict is from the right one: in grades on a scale, else 0 or 1."""
    return abs(float(verdict) - float(right)) if item.scale else float(verdict != right)


def balanced(items: Sequence[T], names: Sequence[str]) -> list[T]:
    """The items with weights that give each name the same weight in all, and a mean of 1."""
    counts = Counter(names)
    return [
        replace(item, weight=item.weight * len(items) / (len(counts) * counts[name]))
        for item, name in zip(items, names, strict=True)
    ]


def joined(first: str, second: str, verdict: str) -> str:
    """Two critiques and the verdict on a pair as one judgment, in the notation that the critiques are written in."""
    if in_tags(first) and in_tags(second):
        return f"{first}|{second}!{verdict}"
    return f"Review of solution A:\n{first}\n\nReview of solution B:\n{second}\n\nVerdict: {verdict}"


def with_grade(critique: str, grade: str) -> str:
    """A critique that ends in a grade instead of Y or N."""
    if in_tags(critique):
        return f"{critique.rstrip().removesuffix('Y').removesuffix('N').removesuffix('!')}!{grade}"
    return f"{critique}\n\nScore: {grade}"


def in_tags(text: str) -> bool:
    """Is it in tag notation (one word with tags), even if it is not quite well-formed?"""
    return not any(map(str.isspace, text.strip())) and any(tag in text for tag in ":;!")
