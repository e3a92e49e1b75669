"""Metrics of whole dialogues that learn from raw dialogues alone, and how well they follow people's ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.dialogue_model import Corpus, Trained, features, read_corpus, train
from whetstone.audits.spoilt_dialogues import DIMENSIONS, Dialogue, spoil
from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.core.types import Finding, Json
from whetstone.stats.correlation import spearman
from whetstone.stats.correlation_difference import correlation_difference
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion
from whetstone.stats.paired import paired_permutation

Floats = NDArray[np.float64]
SHORTEST = 4


@dataclass(frozen=True)
class DialogueQuality:
    """Trained sub-metrics. "ensemble": one network each; "multitask": one network for all."""

    corpus: Corpus
    networks: Mapping[str, tuple[Trained, ...]]

    def scores(self, dialogues: Sequence[Dialogue], kind: str) -> Floats:
        """[n, 3] of coherence, likability and informativeness, in deviations of the dialogues trained on."""
        x = features(dialogues, self.corpus)
        return np.hstack([network(x) for network in self.networks[kind]])


@method(
    "table",
    papers=("FineD-Eval: Fine-grained Automatic Dialogue-Level Evaluation",),
    checked="tests/audits/test_dialogue_quality.py::test_each_metric_detects_what_was_planted_and_the_sum_follows_people",
)
def dialogue_quality(
    dialogues: Sequence[Sequence[str]],
    rated: Sequence[Mapping[str, Any]] = (),
    *,
    hidden: int = 8,
    copies: int = 3,
    rounds: int = 1000,
    seed: int = 0,
) -> list[Finding]:
    """Train three dialogue metrics on raw dialogues and test them on spoilt copies and on people's ratings.

    Args:
        dialogues: raw dialogues, each a list of turns by two speakers in turn; those of fewer than 4 turns are left out
            and counted. The last fifth is held out.
        rated: rows with `dialogue` (a list of turns) and `rating`, and if known ratings by dimension under their names.
        hidden: units of the multitask network's shared layer; the ensemble's networks have as many each.
        copies: spoilt copies of each dialogue in each dimension.
        rounds: resamples of the gain.
        seed: of copies and weights.

    Returns:
        `detects/METRIC`: how often a held-out dialogue is scored above its spoilt copy (ties half), against 1/2; in
        its detail `by` the share for copies spoilt in each dimension; then, where there are ratings, `spearman/...` of
        the two combinations, of each sub-metric, and of the number of words, and `gain/COMBINATION`: its correlation
        minus that of its best sub-metric.

    Raises TaskError for fewer than 20 dialogues or a row without dialogue or rating.
    """
    long = [tuple(map(str, dialogue)) for dialogue in dialogues if len(dialogue) >= SHORTEST]
    if len(long) < 20:
        raise TaskError(f"{len(long)} dialogues of {SHORTEST} turns or more are too few to learn from; give 20 or more")
    cut = len(long) - len(long) // 5
    quality = train_quality(long[:cut], hidden=hidden, copies=copies, seed=seed)
    found = detection(quality, long[cut:], dropped=len(dialogues) - len(long), seed=seed)
    return found + (correlations(quality, rated, rounds, seed) if rated else [])


def train_quality(dialogues: Sequence[Dialogue], *, hidden: int = 8, copies: int = 3, seed: int = 0) -> DialogueQuality:
    """Both combinations, trained on the same raw dialogues."""
    corpus = read_corpus(dialogues)
    arms: dict[str, list[tuple[str, ...]]] = {"ensemble": [(name,) for name in DIMENSIONS], "multitask": [DIMENSIONS]}
    networks = {
        kind: tuple(train(dialogues, corpus, names, hidden=hidden, copies=copies, seed=seed) for names in each)
        for kind, each in arms.items()
    }
    return DialogueQuality(corpus, networks)


def detection(quality: DialogueQuality, held: Sequence[Dialogue], *, dropped: int, seed: int) -> list[Finding]:
    """Each metric of each combination against spoilt copies of held-out dialogues."""
    rng, found = Random(f"{seed}/held"), []
    spoilt = {name: [spoil(dialogue, name, rng, held) for dialogue in held] for name in DIMENSIONS}
    told = ("detects what was spoilt", "does not detect what was spoilt, as far as seen")
    for kind in quality.networks:
        whole = quality.scores(held, kind)
        worse = {name: quality.scores(copies, kind) for name, copies in spoilt.items()}
        for k, name in enumerate(DIMENSIONS):
            wins = {other: (np.sign(whole[:, k] - scores[:, k]) + 1) / 2 for other, scores in worse.items()}
            test = paired_permutation(wins[name], np.full(len(held), 0.5), seed=seed)
            clear = test.p is not None and test.p < 0.05 and (test.effect.value or 0) > 0
            share = proportion(wins[name])
            by = {other: float(values.mean()) for other, values in wins.items()}
            detail: dict[str, Json] = {"by": by, "left_out": dropped}
            title = f"detects/{kind}/{name}"
            found.append(Finding(title, share.value, share.interval, len(held), 0.5, test.p, told[not clear], detail))
    return found


def correlations(quality: DialogueQuality, rated: Sequence[Mapping[str, Any]], rounds: int, seed: int) -> list[Finding]:
    """Both combinations and their sub-metrics against ratings."""
    for line, row in enumerate(rated, 1):
        turns = row.get("dialogue")
        listed = isinstance(turns, Sequence) and not isinstance(turns, str) and len(turns) > 1
        if not listed or not isinstance(row.get("rating"), (int, float)):
            raise TaskError(f"row {line}: needs dialogue, a list of two turns or more, and rating, a number")
    talks, truth = [tuple(map(str, row["dialogue"])) for row in rated], [float(row["rating"]) for row in rated]
    found, sizes = [], [float(sum(len(turn.split()) for turn in talk)) for talk in talks]
    for kind in quality.networks:
        scores = quality.scores(talks, kind)
        mean = scores.mean(axis=1)
        found.append(finding(f"spearman/{kind}", spearman(mean, truth, seed=seed)))
        single = [spearman(column, truth, seed=seed) for column in scores.T]
        for name, column, rho in zip(DIMENSIONS, scores.T, single, strict=True):
            found.append(finding(f"spearman/{kind}/{name}", rho))
            if all(isinstance(row.get(name), (int, float)) for row in rated):
                own = spearman(column, [float(row[name]) for row in rated], seed=seed)
                found.append(finding(f"spearman/{kind}/{name} with its own ratings", own))
        best = int(np.argmax([-2.0 if rho.value is None else rho.value for rho in single]))
        test = correlation_difference(mean, scores[:, best], truth, rounds=rounds, seed=seed)
        found.append(finding(f"gain/{kind}", test, verdict=f"over {DIMENSIONS[best]}, its best sub-metric"))
    return [*found, finding("spearman/number of words", spearman(sizes, truth, seed=seed))]
