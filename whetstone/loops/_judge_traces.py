"""Judgments put together from the model's own critiques, for a protocol in which it does not explain itself yet."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow, Runner, gather, sample
from whetstone.core.types import Example, Generation, Sampling
from whetstone.loops._judge_data import joined, with_grade
from whetstone.loops._judging import Item, Judged, Judgment
from whetstone.signals import forms
from whetstone.signals.parsing import read_correctness


def from_critiques(runner: Runner, phase: str, items: Sequence[Item], *, max_tokens: int) -> list[Judged]:
    """One judgment of each item, made of greedy critiques of its answers.

    A pair's judgment is both critiques and the verdict that follows from them (the one called right against the one
    called wrong; none where both are called the same). A grade's is the critique and the true grade, where the critique
    agrees that the answer is right or is not; else none. An item of one answer's is the critique itself. Each answer is
    criticised once for all the items that show it; an item whose critiques failed has no judgment.
    """
    sampling = Sampling(0.0, max_tokens=max_tokens, logprobs=None)

    def ask(example: Example, answers: Sequence[str]) -> Flow[list[Generation]]:
        prompts = [forms.about(example, forms.critique(example.question, answer)) for answer in answers]
        replies = yield from gather(sample(prompt, sampling=sampling, role="critic") for prompt in prompts)
        return [reply for (reply,) in replies]

    shown: dict[tuple[str, tuple[str, ...]], list[Item]] = {}
    for item in items:
        shown.setdefault((item.example.id, tuple(sorted(item.answers))), []).append(item)
    asked = {rows[0].id: ask(rows[0].example, answers) for (_, answers), rows in shown.items()}
    found = runner(phase, asked).results
    out: dict[str, Judged] = {}
    for (_, answers), rows in shown.items():
        written = dict(zip(answers, found.get(rows[0].id, ()), strict=False))
        for item in rows:
            critiques = [written[answer] for answer in item.answers if answer in written]
            out[item.id] = Judged(item, (assembled(item, critiques),) if critiques else ())
    return [out[item.id] for item in items]


def assembled(item: Item, critiques: Sequence[Generation]) -> Judgment:
    """One judgment of an item from one critique of each of its answers."""
    readings = [read_correctness(c.text) if c.finish == "stop" else None for c in critiques]
    calls = [reading.value if reading else None for reading in readings]
    texts = [critique.text for critique in critiques]
    if len(texts) == 2:
        verdict = {("Y", "N"): "A", ("N", "Y"): "B"}.get((str(calls[0]), str(calls[1])))
        return Judgment(Generation(joined(texts[0], texts[1], verdict) if verdict else " ".join(texts)), verdict)
    if item.scale:
        agrees = calls[0] is not None and (calls[0] == "Y") == (item.truth == item.values[-1])
        verdict = item.truth if agrees else None
        return Judgment(Generation(with_grade(texts[0], item.truth)), verdict)
    return Judgment(critiques[0], calls[0])
