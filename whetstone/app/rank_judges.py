"""Votes of people as the measure of model judges: do their verdicts on the same battles rank and vote alike?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from whetstone.app.leaderboard import Tested
from whetstone.app.rank_files import kind_of
from whetstone.app.verdict_files.ranked import outcome
from whetstone.app.verdict_files.reading import stream_verdicts
from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.judge_correlation import judge_correlation
from whetstone.tasks.readers import records

Key = tuple[str, frozenset[str]]
Vote = tuple[str, str, str, int]
"""Prompt, two systems, and 1 where the first won, -1 where the second did, 0 for a tie."""
SHARES = {1: "first", -1: "second", 0: "tie"}


def judges_tested(votes: Path, verdicts: Path, *, level: float = 0.95, seed: int = 0) -> tuple[Tested, ...]:
    """Every judge of a file of verdicts against people's votes, by prompt and pair.

    A judge that was asked more than once about a pair (in both orders, say) has the mean of its verdicts, of which the
    side of 1/2 counts.

    Raises:
        TaskError: no verdict is on a prompt and pair that people voted on.
    """
    people = list(votes_of(votes))
    asked: dict[str, dict[Key, list[float]]] = defaultdict(lambda: defaultdict(list))
    prompt = ""
    for row in _verdicts(verdicts):
        prompt = str(row["prompt"])
        sign = 1 if row["first"] < row["second"] else -1
        key = prompt, frozenset((str(row["first"]), str(row["second"])))
        asked[str(row.get("judge") or "judge")][key].append(sign * _signed(row["verdict"]))
    found = []
    for judge, said in asked.items():
        shared = [(vote, key) for vote in people if (key := (vote[0], frozenset(vote[1:3]))) in said]
        if not shared:
            continue
        prompts, left, right, won = zip(*(vote for vote, _ in shared), strict=True)
        own = [np.sign(np.mean(said[key])) * (1 if vote[1] < vote[2] else -1) for vote, key in shared]
        pair = (Comparisons.from_labels(left, right, np.array(o, np.int8), group=prompts) for o in (won, own))
        findings = judge_correlation(*pair, level=level, seed=seed)
        found.append(Tested(judge, tuple(findings), len(shared), len(people) - len(shared)))
    if not found:
        like = f"people's prompts look like {people[0][0]!r}, the judge's like {prompt!r}" if people else "no votes"
        raise TaskError(f"{verdicts}: no verdict is on a prompt and a pair that people voted on: {like}")
    return tuple(found)


def labelled(votes: Path, verdicts: Path) -> Iterator[dict[str, Any]]:
    """The verdicts, each with the side that most people chose on its prompt and pair as its label, for an audit.

    A label that is there stays; pairs that nobody voted on get none.
    """
    chosen: dict[Key, int] = defaultdict(int)
    for prompt, first, second, won in votes_of(votes):
        chosen[prompt, frozenset((first, second))] += won if first < second else -won
    for row in _verdicts(verdicts, every=True):
        key = str(row.get("prompt")), frozenset((str(row.get("first")), str(row.get("second"))))
        if row.get("label") is None and key in chosen:
            sign = 1 if str(row["first"]) < str(row["second"]) else -1
            row["label"] = SHARES[int(np.sign(sign * chosen[key]))]
        yield row


def votes_of(path: Path) -> Iterator[Vote]:
    """Votes of people on two outputs, also as rankings of more imply them. Votes without a prompt do not count.

    Raises:
        TaskError: a file that cannot be read.
    """
    if kind_of(path) == "rankings":
        for _, record in records(path):
            yield from _implied(record)
        return
    for vote in _verdicts(path):
        yield str(vote["prompt"]), str(vote["first"]), str(vote["second"]), outcome(vote["verdict"])


def _implied(record: Mapping[str, Any]) -> Iterator[Vote]:
    ranking, prompt = record.get("ranking"), record.get("prompt_id")
    if not isinstance(ranking, list) or prompt is None:
        return
    levels = [(name, i) for i, level in enumerate(ranking) for name in (level if isinstance(level, list) else [level])]
    for (first, one), (second, two) in combinations(levels, 2):
        yield str(prompt), str(first), str(second), (one < two) - (one > two)


def _verdicts(path: Path, *, every: bool = False) -> Iterator[dict[str, Any]]:
    """Rows of verdicts on a prompt and two systems; all of them, or those that can be read."""
    for row in stream_verdicts(path)[1]:
        if every or (row.get("verdict") is not None and {"prompt", "first", "second"} <= row.keys()):
            yield dict(row)


def _signed(verdict: str | float) -> float:
    """1 for the first, -1 for the second; a probability between."""
    return float(outcome(verdict)) if isinstance(verdict, str) else 2 * float(verdict) - 1
