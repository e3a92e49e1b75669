"""How different the sampled answers to one question are. None (unreadable) is left out of a question's answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from whetstone.stats._arrays import Groups
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import clustered_mean, proportion

Answers = Sequence[Hashable | None]


def distinct_share(answers: Answers) -> float | None:
    """Number of distinct answers divided by the number of readable ones; None when none is readable.

    It falls as more answers are sampled, so compare only equal numbers of samples.

    Source: Li et al., "A diversity-promoting objective function for neural conversation models" (2016), distinct-n
    with whole answers as units.
    """
    known = [answer for answer in answers if answer is not None]
    return len(set(known)) / len(known) if known else None


def entropy(answers: Answers, *, corrected: bool = False) -> float | None:
    """Shannon entropy (nats) of the answers' empirical distribution; None when none is readable.

    Args:
        answers: sampled answers in canonical form.
        corrected: add Miller's (distinct - 1) / 2n, since few samples understate entropy.

    Source: Shannon (1948); Miller, "Note on the bias of information estimates" (1955).
    """
    known = Counter(answer for answer in answers if answer is not None)
    n = known.total()
    if not n:
        return None
    value = max(0.0, -sum(count / n * math.log(count / n) for count in known.values()))
    return value + (len(known) - 1) / (2 * n) if corrected else value


def mean_distinct_share(questions: Sequence[Answers], *, groups: Groups | None = None, level: float = 0.95) -> Estimate:
    """`distinct_share` averaged over questions, with the interval of `proportion`.

    Args:
        questions: [questions] sampled answers of each; those without a readable answer are counted in the note.
        groups: [questions] cluster of each question.
        level: confidence level.
    """
    values, kept, note = _per_question(questions, groups, distinct_share)
    return _noted(proportion(values, groups=kept, level=level), note)


def mean_entropy(
    questions: Sequence[Answers], *, groups: Groups | None = None, corrected: bool = False, level: float = 0.95
) -> Estimate:
    """`entropy` (nats) averaged over questions, with a t interval. Other arguments as in `mean_distinct_share`."""
    values, kept, note = _per_question(questions, groups, lambda answers: entropy(answers, corrected=corrected))
    return _noted(clustered_mean(values, kept, level=level), note)


def _per_question(
    questions: Sequence[Answers], groups: Groups | None, statistic: Callable[[Answers], float | None]
) -> tuple[list[float], Groups | None, str]:
    pairs = [(i, value) for i, answers in enumerate(questions) if (value := statistic(answers)) is not None]
    missing = len(questions) - len(pairs)
    kept = None if groups is None else [groups[i] for i, _ in pairs]
    return [value for _, value in pairs], kept, f"{missing} questions without a readable answer" if missing else ""


def _noted(estimate: Estimate, note: str) -> Estimate:
    both = "; ".join(filter(None, (estimate.note, note)))
    return Estimate(estimate.value, estimate.interval, estimate.n, estimate.stderr, estimate.method, both)
