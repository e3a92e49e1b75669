"""Judgments that go on: a word that makes the judge look again, traces of several looks, accuracy against their number.

A look is one judgment. After it the reply is continued behind "wait", as the beginning of the assistant's message, and
the last verdict counts. In tag notation the mark of a critique (`C`) is the word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean

from whetstone.core.errors import Unsupported
from whetstone.core.flow import Flow, Runner, sample
from whetstone.core.types import Finding, Generation, Message, Prompt, Sampling
from whetstone.loops._judge_data import balanced, in_tags
from whetstone.loops._judging import Item, Judgment, read
from whetstone.loops.objectives import Demonstration
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import clustered_mean, proportion
from whetstone.stats.paired import paired_permutation

WAIT = "\nWait, let me check that again.\n"


@dataclass(frozen=True, slots=True)
class Looks:
    """An item and the judgments of it one after the other, each from the prompt that it was given."""

    item: Item
    prompts: tuple[Prompt, ...]
    judgments: tuple[Judgment, ...]

    def right(self, i: int) -> float:
        """1 if the verdict after look i is right; an unreadable look leaves the verdict before it."""
        known = [j.verdict for j in self.judgments[: i + 1] if j.verdict is not None]
        return float(bool(known) and known[-1] == self.item.truth)

    @property
    def trace(self) -> str:
        """All looks as one reply."""
        return after(self.prompts[-1]) + self.judgments[-1].text


def again(prompt: Prompt, text: str) -> Prompt:
    """The prompt for another look after a reply that began behind `prompt`."""
    return (*prompt[:1], Message("assistant", (after(prompt) + text + ("C" if in_tags(text) else WAIT),)))


def after(prompt: Prompt) -> str:
    """The beginning of the reply that a prompt holds."""
    return prompt[-1].text if prompt[-1].role == "assistant" else ""


def look(
    runner: Runner, phase: str, items: Sequence[Item], *, looks: int, k: int = 1, temperature: float, max_tokens: int
) -> list[Looks]:
    """`k` times `looks` judgments one after the other of each item.

    A look that was cut off, or that the model cannot go on from, is the last.
    """
    sampling = Sampling(temperature, max_tokens=max_tokens)

    def ask(item: Item) -> Flow[Looks]:
        prompt, prompts, judgments = item.prompt, list[Prompt](), list[Judgment]()
        for _ in range(looks):
            try:
                reply: Generation = (yield from sample(prompt, sampling=sampling, role="judge"))[0]
            except Unsupported:
                if not judgments:
                    raise
                break
            prompts.append(prompt)
            judgments.append(read(item, reply))
            if reply.finish != "stop":
                break
            prompt = again(prompt, reply.text)
        return Looks(item, tuple(prompts), tuple(judgments))

    found = runner(phase, {f"{item.id}/{i}": ask(item) for item in items for i in range(k)}).results
    return list(found.values())


def reflections(traces: Sequence[Looks], rng: Random, share: float) -> list[Demonstration]:
    """One right trace an item: one that mends a wrong first look before others, one that stays right before the rest.

    A trace that leaves a right first look for a wrong one is cut off behind it, and so are `share` of those that stay
    right, drawn at random, so that the judge does not learn that a first look is always wrong. Each true verdict has
    the same weight.
    """
    by_item: dict[str, list[Looks]] = {}
    for trace in traces:
        if trace.item.truth in (trace.judgments[0].verdict, trace.judgments[-1].verdict):
            by_item.setdefault(trace.item.id, []).append(trace)
    items, truths = [], []
    for rows in by_item.values():
        best = min(rows, key=lambda row: (row.judgments[-1].verdict != row.item.truth, row.right(0)))
        stays = best.judgments[-1].verdict == best.item.truth
        short = not stays or (rng.random() < share and best.right(0) == 1)
        items.append(Demonstration(best.item.prompt, best.judgments[0].text if short else best.trace))
        truths.append(best.item.truth)
    return balanced(items, truths)


def advantages(traces: Sequence[Looks]) -> list[Demonstration]:
    """Every look with its advantage: 1 for a right verdict, less the mean over the item's looks of the same place.

    The advantage's size is the weight and its sign the label, as `policy_gradient` reads them. Looks without advantage
    are left out.
    """
    rewards: dict[tuple[str, int], list[float]] = {}
    for trace in traces:
        for i, judgment in enumerate(trace.judgments):
            rewards.setdefault((trace.item.id, i), []).append(float(judgment.verdict == trace.item.truth))
    items = []
    for trace in traces:
        for i, (prompt, judgment) in enumerate(zip(trace.prompts, trace.judgments, strict=True)):
            advantage = float(judgment.verdict == trace.item.truth) - fmean(rewards[trace.item.id, i])
            if advantage and judgment.generation.finish == "stop":
                items.append(Demonstration(prompt, judgment.text, abs(advantage), float(advantage > 0)))
    return items


def curve(looked: Sequence[Looks], looks: int) -> dict[str, Finding]:
    """Accuracy after each look, with the mean tokens written so far, and the slope of accuracy per further look."""
    groups, out = [row.item.group for row in looked], {}
    for i in range(looks):
        tokens = fmean(sum(j.generation.usage.completion for j in row.judgments[: i + 1]) for row in looked)
        accuracy = finding("accuracy", proportion([row.right(i) for row in looked], groups=groups), tokens=tokens)
        out[f"looks/{i + 1}"] = accuracy
    values = slopes(looked, looks)
    slope = finding("slope", clustered_mean(list(values.values()), groups))
    out["slope"] = replace(slope, null=0.0)
    return out


def slopes(looked: Sequence[Looks], looks: int) -> dict[str, float]:
    """Least-squares slope of an item's being right against the number of looks."""
    places = [i - (looks - 1) / 2 for i in range(looks)]
    total = sum(place * place for place in places)
    return {row.item.id: sum(p * row.right(i) for i, p in enumerate(places)) / total for row in looked}


def slope_gain(now: Sequence[Looks], then: Mapping[str, float], looks: int) -> Finding:
    """Difference of slopes on the same items."""
    mine, groups = slopes(now, looks), {row.item.id: row.item.group for row in now}
    both = [key for key in mine if key in then]
    test = paired_permutation(
        [mine[key] for key in both], [then[key] for key in both], groups=[groups[key] for key in both]
    )
    return finding("slope", test)
