"""Does a judge favour one system's answers beyond their merit?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whetstone.audits.evaluating import Pair, first_source, in_words, is_mixed, pairs, prefer, rise, share_of
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Case, Finding, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.stats import finding

RESTYLE = """Question: {question}

Answer: {answer}

Put this answer into other words and another layout. Keep all of its content, right or wrong, and its final answer."""


@method(
    "audit",
    papers=("Beyond the Surface: Measuring Self-Preference in LLM Judgments",),
    checked="tests/audits/test_self_preference.py::test_finds_the_planted_bias_and_none_in_a_fair_judge_of_a_better_system",
)
def self_preference(
    task: Task,
    cases: Sequence[Case],
    *,
    own: str = "",
    judge: str = "pairwise_judge",
    gold: str = "",
    restyle: bool = False,
    per_case: int = 1,
) -> Flow[list[Finding]]:
    """Win rate that a judge gives to its own answers minus the win rate that the labels give them.

    Args:
        own: the `source` of the judge's own answers; empty takes the first candidate's source.
        judge: name of the judge or of a signal.
        gold: comma-separated names of judges or signals whose majority is the gold standard; empty takes the labels.
        restyle: also let another writer (role "writer") put both answers into other words, and audit again: what is
            left of a preference then is not for a style.
        per_case: pairs of one own and one other answer from each case.

    The labels separate being better from being favoured: a judge that prefers its own answers because they are right
    has a difference of 0.
    """
    mine = own or first_source(cases)
    asked = pairs(cases, per_case, lambda pair: (bool(gold) or None not in pair.correct) and is_mixed(pair, mine))
    if not asked:
        raise Abstain(f"no case has {'' if gold else 'labelled '}answers of {mine!r} and of another source")
    if gold:
        panel = []
        for name in gold.split(","):
            panel.append((yield from prefer(task, asked, name.strip())))
        asked = [by_majority(pair, votes) for pair, *votes in zip(asked, *panel, strict=True)]
    verdicts = yield from prefer(task, asked, judge)
    found = [bias_score(asked, verdicts, mine)]
    if restyle:
        worded = yield from gather(reworded(task, pair) for pair in asked)
        again = yield from prefer(task, worded, judge)
        found.append(replace(bias_score(worded, again, mine), name="self_preference restyled"))
    return found


def by_majority(pair: Pair, votes: Sequence[Verdict]) -> Pair:
    """The pair labelled by most of a panel's verdicts; a tie of votes is a tie of answers."""
    lead = sum((share_of(vote.choice, pair.first.id) or 0.0) - 0.5 for vote in votes if vote.choice is not None)
    return replace(pair, correct=(lead >= 0, lead <= 0))


def reworded(task: Task, pair: Pair) -> Flow[Pair]:
    """The pair with both texts in another writer's words, their content and labels being what they were."""
    sampling = Sampling(0.0, max_tokens=2 * task.sampling.max_tokens)
    texts = []
    for candidate in (pair.first, pair.second):
        prompt = user(form("restyle", RESTYLE, question=pair.example.question, answer=candidate.text))
        (reply,) = yield from sample(forms.about(pair.example, prompt), sampling=sampling, role="writer")
        texts.append(replace(candidate, generation=reply))
    return replace(pair, first=texts[0], second=texts[1])


def bias_score(asked: Sequence[Pair], verdicts: Sequence[Verdict], own: str) -> Finding:
    """`self_preference`: the DBG score, in win rate from -1 to 1, against 0; ties of either side count 1/2."""
    rows: list[tuple[float, float, str]] = []
    for pair, verdict in zip(asked, verdicts, strict=True):
        mine, other = (pair.first, pair.second) if pair.first.source == own else (pair.second, pair.first)
        judged = share_of(verdict.choice, mine.id)
        better = {pair.first.id: pair.correct[0], pair.second.id: pair.correct[1]}
        gold = TIE if better[mine.id] == better[other.id] else mine.id if better[mine.id] else other.id
        if judged is not None:
            rows.append((judged, share_of(gold, mine.id) or 0.0, pair.group))
    judged_rate, gold_rate = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    test = rise(gold_rate, judged_rate, [row[2] for row in rows])
    return finding(
        "self_preference",
        test,
        verdict=in_words(test, ("favours its own answers", "disfavours its own answers", "no self-preference found")),
        own=own,
        judged=float(judged_rate.mean()),
        gold=float(gold_rate.mean()),
        abstained=len(asked) - len(rows),
    )
