"""A score of a text against a reference that is trained on people's ratings, with kinds of error as a side task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from random import Random

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.mismatch_errors import CLASSES, KINDS, NEGATIONS, bare, insert_error, names
from whetstone.stats.network import Network, fit_network, hashed, of_targets
from whetstone.stats.text_metrics import METRICS

Floats = NDArray[np.float64]
BUCKETS = 64
FEW = 4  # texts that the names and words of a made error come from


@dataclass(frozen=True, slots=True)
class Rated:
    """A text, its reference, what people gave it (None: unknown) and the kinds of error in it (None: unknown)."""

    text: str
    reference: str
    rating: float | None = None
    errors: frozenset[str] | None = None
    group: str = ""


@dataclass(frozen=True)
class Mismatch:
    """A trained score. `metrics` says whether existing metrics are among its features."""

    network: Network
    center: float
    spread: float
    metrics: bool

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Predicted rating of each (text, reference)."""
        found = self.network(features(pairs, metrics=self.metrics))[:, 0]
        return [float(value) for value in found * self.spread + self.center]

    def errors(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, float]]:
        """Probability of each kind of error in each (text, reference)."""
        odds = self.network(features(pairs, metrics=self.metrics))[:, 1:]
        return [dict(zip(KINDS, (1 / (1 + np.exp(-row))).tolist(), strict=True)) for row in odds]


def train_mismatch(
    rows: Sequence[Rated],
    *,
    synthetic: int = 13,
    auxiliary: float = 1.0,
    metrics: bool = True,
    hidden: int = 16,
    decay: float = 3e-3,
    seed: int = 0,
) -> Mismatch:
    """Fit a network whose hidden layer serves both the rating and the 13 kinds of error.

    Args:
        rows: rated pairs; those with known `errors` teach the side task as well.
        synthetic: corrupted texts made from each different reference, their errors known, their rating not.
        auxiliary: weight of the side task against the rating; 0 leaves it out.
        metrics: whether existing metrics of the pair are features.
        hidden, decay, seed: of the network.
    """
    made = planted([row.reference for row in rows], synthetic, seed) if auxiliary else []
    known = [*rows, *made]
    given = np.array([np.nan if row.rating is None else row.rating for row in known])
    center, spread = float(np.nanmean(given)), float(np.nanstd(given)) or 1.0
    kinds = np.array([[np.nan if r.errors is None else float(k in r.errors) for k in KINDS] for r in known])
    targets = np.column_stack([(given - center) / spread, kinds])
    weights = [1.0, *[auxiliary / len(KINDS)] * len(KINDS)]
    loss = of_targets(targets, [False, *[True] * len(KINDS)], weights)
    x = features([(row.text, row.reference) for row in known], metrics=metrics)
    return Mismatch(
        fit_network(x, 1 + len(KINDS), loss, hidden=hidden, decay=decay, seed=seed), center, spread, metrics
    )


def planted(references: Sequence[str], each: int, seed: int) -> list[Rated]:
    """Each different reference as it is, and `each` times with one to three errors of drawn kinds."""
    different, made = list(dict.fromkeys(references)), list[Rated]()
    for reference in different:
        rng = Random(f"{seed}/{reference}")
        made.append(Rated(reference, reference, None, frozenset(), reference))
        for i in range(each):
            text, put = reference, set[str]()
            for kind in (KINDS[i % len(KINDS)], *rng.sample(KINDS, rng.randrange(3))):
                changed = insert_error(text, kind, rng, others=rng.sample(different, min(FEW, len(different))))
                if changed is not None:
                    text = changed
                    put.add(kind)
            made.append(Rated(text, reference, None, frozenset(put), reference))
    return made


def features(pairs: Sequence[tuple[str, str]], *, metrics: bool = True) -> Floats:
    """What a pair of texts shows: words that came or went by class, order, repetition, spelling; then the metrics."""
    words = [({*map(bare, text.split())}, {*map(bare, reference.split())}) for text, reference in pairs]
    columns = [
        np.array([_shown(*pair) for pair in pairs]),
        hashed([sorted(a - b) for a, b in words], BUCKETS),
        hashed([sorted(b - a) for a, b in words], BUCKETS),
    ]
    return np.hstack([*columns, np.array([_measured(*pair) for pair in pairs])] if metrics else columns)


@lru_cache(maxsize=1 << 15)
def _shown(text: str, reference: str) -> tuple[float, ...]:
    return tuple(_counts(text.split(), reference.split()).values())


@lru_cache(maxsize=1 << 15)
def _measured(text: str, reference: str) -> tuple[float, ...]:
    return tuple(metric(text, reference) for metric in METRICS.values())


def _counts(given: Sequence[str], wanted: Sequence[str]) -> Mapping[str, float]:
    words, others = [bare(token) for token in given], [bare(token) for token in wanted]
    extra, gone = set(words) - set(others), set(others) - set(words)
    found: dict[str, float] = {}
    for name, members in {**CLASSES, "negation": NEGATIONS}.items():
        found[f"{name} came"] = float(len(extra & set(members)))
        found[f"{name} went"] = float(len(gone & set(members)))
    found["digits"] = float(sum(any(c.isdigit() for c in word) for word in extra))
    found["names came"] = float(len({bare(given[i]) for i in names(given)} & extra))
    found["names went"] = float(len({bare(wanted[i]) for i in names(wanted)} & gone))
    letters = {"".join(sorted(word)) for word in gone}
    found["misspelt"] = float(sum("".join(sorted(word)) in letters for word in extra))
    blocks = [b for b in SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks() if b.size]
    common = [word for word in words if word in others]
    found["moved"] = float(len(common) - sum(block.size for block in blocks))
    found["longest run"] = max((block.size for block in blocks), default=0) / max(1, len(others))
    runs = list(pairwise(words))
    found["repeated"] = float(len(runs) - len(set(runs)))
    found["came"], found["went"] = float(len(extra)), float(len(gone))
    found["longer"] = float(len(words) - len(others))
    return found
