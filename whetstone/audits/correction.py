"""Does a model correct texts as teachers do: the same places, the same words?"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np

from whetstone.audits.evaluating import cluster, labels
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Sampling, Task, form, user
from whetstone.stats import bootstrap, finding

CORRECT = """Correct the spelling and grammar of this text. Change no more than is needed, and reply with the \
corrected text alone.

Text: {answer}"""

Edit = tuple[int, int, tuple[str, ...]]


@method(
    "audit",
    papers=("On the application of Large Language Models for language teaching and assessment technology",),
    checked="tests/audits/test_correction.py::test_finds_the_planted_share_of_corrections",
)
def correction(
    task: Task, cases: Sequence[Case], *, beta: float = 0.5, role: str = "judge", max_tokens: int = 512
) -> Flow[list[Finding]]:
    """Precision, recall and F0.5 of a model's corrections against a person's, by the spans of words that change.

    Args:
        beta: weight of recall against precision; 0.5 holds a wrong change for worse than a missed one.
        role: who corrects.
        max_tokens: length limit of a reply.

    Corrected texts are the example's `meta["corrected"]`, one a candidate; without them a right candidate's text is the
    correction of the first wrong one.
    """
    texts = [(cluster(case.example), before, after) for case in cases for before, after in corrected_in(case)]
    if not texts:
        raise Abstain("no text has a correction to compare with")
    sampling = Sampling(0.0, max_tokens=max_tokens)

    def ask(text: str) -> Flow[str | None]:
        try:
            (reply,) = yield from sample(user(form("correct", CORRECT, answer=text)), sampling=sampling, role=role)
        except Abstain:
            return None
        return reply.text.strip().removeprefix("Text:").strip()

    replies = yield from gather(ask(before) for _, before, _ in texts)
    rows = [(*row, reply) for row, reply in zip(texts, replies, strict=True) if reply]
    if not any(set(before.split()) & set(reply.split()) for _, before, _, reply in rows):
        raise Abstain("no reply is a version of its text")
    found = span_scores(
        [(edits(before, reply), edits(before, after)) for _, before, after, reply in rows],
        [group for group, *_ in rows],
        beta=beta,
    )
    return [*found, Finding("texts", float(len(rows)), None, len(rows), detail={"left_out": len(texts) - len(rows)})]


def corrected_in(case: Case) -> list[tuple[str, str]]:
    """Texts of a case with their corrections."""
    given = case.example.meta.get("corrected")
    texts = [candidate.text for candidate in case.candidates]
    if isinstance(given, Sequence) and not isinstance(given, str):
        return [(before, str(after)) for before, after in zip(texts, given, strict=False)]
    marked = list(zip(texts, labels(case), strict=True))
    right, wrong = ([text for text, label in marked if label is wanted] for wanted in (True, False))
    return [(wrong[0], right[0])] if right and wrong else []


def edits(before: str, after: str) -> set[Edit]:
    """Changed spans of words: where each begins and ends in the text before, and the words that stand there after.

    Neighbouring words that are replaced one by one are an edit each.
    """
    old, new = before.split(), after.split()
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    found: set[Edit] = set()
    for kind, i, j, k, end in codes:
        if kind == "replace" and j - i == end - k:
            found |= {(i + n, i + n + 1, (new[k + n],)) for n in range(j - i)}
        elif kind != "equal":
            found.add((i, j, tuple(new[k:end])))
    return found


def span_scores(
    pairs: Sequence[tuple[set[Edit], set[Edit]]], groups: Sequence[str], *, beta: float = 0.5, seed: int = 0
) -> list[Finding]:
    """Scores of edits (a model's, a person's) of texts, over all texts together; intervals resample whole clusters.

    F = (1 + beta^2) P R / (beta^2 P + R). Precision is unknown when nothing was changed, recall when nothing should be.
    """
    counts = np.array([(len(ours & theirs), len(ours), len(theirs)) for ours, theirs in pairs], dtype=float)
    weight = beta**2
    parts = {
        "precision": lambda hit, ours, theirs: (hit, ours),
        "recall": lambda hit, ours, theirs: (hit, theirs),
        f"f{beta:g}": lambda hit, ours, theirs: ((1 + weight) * hit, weight * theirs + ours),
    }
    found = []
    for name, part in parts.items():

        def share(weights: np.ndarray[tuple[int, int], np.dtype[np.float64]], part=part):  # type: ignore[no-untyped-def]
            above, below = part(*(weights @ counts).T)
            return np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)

        estimate = bootstrap(share, len(counts), groups=groups, seed=seed)
        told = "" if estimate.value is not None else "not measured: there is nothing to count"
        found.append(finding(name, estimate, verdict=told))
    return found
