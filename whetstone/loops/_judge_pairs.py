"""Preference pairs of judgments beyond the full rationale: the bare verdict, and what a judgment was about."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from whetstone.core.types import Prompt, form, user
from whetstone.loops._judge_course import Course
from whetstone.loops._judge_data import balanced, in_tags
from whetstone.loops._judging import Item, Judged, judge
from whetstone.loops._round import Turn
from whetstone.loops.objectives import Preference
from whetstone.signals import forms
from whetstone.signals.parsing import Reading

COMPARE_AT_ONCE = f"""{forms.PAIR}\
Which solution is better? Reply with one letter, A or B, and nothing else."""

SCORE_AT_ONCE = """Question: {question}

Answer: {answer}

Criterion: {criterion}

Grade the answer by this criterion alone. Reply with one whole number from 1 (worst) to 5 (best), and nothing else."""

DEDUCE = """Question: {question}

A judge wrote this about what was answered:
{judgment}

Write down what the judge had before it, word for word."""


def at_once(item: Item) -> Prompt:
    """The item's question with the verdict alone as reply."""
    question, answer = item.example.question, item.answers[0]
    if len(item.answers) == 2:
        asked = form("compare_at_once", COMPARE_AT_ONCE, question=question, first=answer, second=item.answers[1])
    elif item.scale:
        asked = form("score_at_once", SCORE_AT_ONCE, question=question, answer=answer, criterion=item.kind)
    else:
        return forms.about(item.example, forms.p_true(question, answer))
    return forms.about(item.example, user(asked))


def bare_verdicts(judged: Sequence[Judged], rng: Random) -> list[Preference]:
    """The true verdict against a wrong one that the judge gave, or any other if it gave none; no rationale."""
    pairs = []
    for row in judged:
        given = [j.verdict for j in row.judgments if j.verdict is not None and j.verdict != row.item.truth]
        wrong = rng.choice(given or [value for value in row.item.values if value != row.item.truth])
        pairs.append(Preference(at_once(row.item), row.item.truth, wrong))
    return balanced(pairs, [row.item.truth for row in judged])


def deductions(course: Course, turn: Turn, judged: Sequence[Judged]) -> list[Preference]:
    """What a right judgment was about against what the model takes it to have been about, where that is different."""
    found = []
    for row in judged:
        right = next((j.text for j in row.judgments if j.verdict == row.item.truth), None)
        if right is not None:
            prompt = user(form("deduce", DEDUCE, question=row.item.example.question, judgment=right))
            found.append((prompt, shown(row.item.answers, right), row.item))
    items = [Item(f"{i}", prompt, text, (), anything, item.example) for i, (prompt, text, item) in enumerate(found)]
    replies = judge(turn, "deduce", items, temperature=course.temperature, max_tokens=course.limit)
    return [
        Preference(row.item.prompt, row.item.truth, reply.text)
        for row in replies
        for reply in row.judgments
        if reply.generation.finish == "stop" and reply.text != row.item.truth
    ]


def anything(text: str) -> Reading | None:
    """Deductions hold no verdict."""
    return None


def shown(answers: Sequence[str], judgment: str) -> str:
    """The answers as one text, in the notation of the judgment."""
    if len(answers) == 1:
        return answers[0]
    if in_tags(judgment):
        return "|".join(answers)
    return f"Solution A:\n{answers[0]}\n\nSolution B:\n{answers[1]}"


def mixed(
    kinds: Sequence[Sequence[Preference]], shares: Sequence[float], rng: Random
) -> tuple[list[Preference], list[int]]:
    """All pairs of the first kind, of the others as their shares say and as far as there are; and their numbers."""
    total = len(kinds[0]) / shares[0] if shares[0] and kinds[0] else max(map(len, kinds))
    drawn = [
        rng.sample(list(pairs), min(len(pairs), round(total * share)))
        for pairs, share in zip(kinds, shares, strict=True)
    ]
    return [pair for pairs in drawn for pair in pairs], [len(pairs) for pairs in drawn]
