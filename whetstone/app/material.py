"""Material for judges and audits, made from graded samples."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.app.grading import Sampled
from whetstone.core.types import Case


def cases(answered: Sequence[Sampled]) -> list[Case]:
    """Every question with all its samples and whether each is right."""
    return [Case(s.example, s.candidates, s.correct) for s in answered]


def pairs(answered: Sequence[Sampled]) -> list[Case]:
    """Two samples of every question: a right and a wrong one where there are both, else the first two that differ.

    Whether the right one comes first alternates, so that a judge which always picks one place is right half the time.
    """
    found: list[Case] = []
    for s in answered:
        right = next((i for i, ok in enumerate(s.correct) if ok), None)
        wrong = next((i for i, ok in enumerate(s.correct) if ok is False), None)
        if right is not None and wrong is not None:
            chosen = [right, wrong] if len(found) % 2 else [wrong, right]
        else:
            texts = list(dict.fromkeys(c.text for c in s.candidates))
            chosen = [[c.text for c in s.candidates].index(text) for text in texts[:2]]
        if len(chosen) == 2:
            found.append(Case(s.example, tuple(s.candidates[i] for i in chosen), tuple(s.correct[i] for i in chosen)))
    return found
