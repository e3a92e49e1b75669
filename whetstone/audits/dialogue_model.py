"""Sub-metrics of whole dialogues: what a dialogue shows, and networks that rank originals above spoilt copies."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.mismatch_errors import NEGATIONS
from whetstone.audits.spoilt_dialogues import DIMENSIONS, Dialogue, spoil
from whetstone.stats.network import Loss, Network, fit_network, of_pairs, total
from whetstone.stats.text_metrics import words

Floats = NDArray[np.float64]

WARM = frozenset(
    re.findall(r"\w+", "love like great good nice glad happy thanks thank wonderful enjoy fun please lovely welcome")
)
COLD = frozenset(re.findall(r"\w+", "hate stupid boring bad wrong awful terrible never shut alone annoying dumb ugly"))
FUNCTION = frozenset(
    re.findall(
        r"\w+", "a an the i you he she it we they is are was were do does did to of in on at and or but not no so"
    )
)


@dataclass(frozen=True)
class Corpus:
    """What words go together over two turns (pointwise mutual information), and how rare each is (nats)."""

    together: dict[tuple[str, str], float]
    rarity: dict[str, float]
    unseen: float


@dataclass(frozen=True, eq=False)
class Trained:
    """A network, and mean and deviation of its outputs over the dialogues that it was trained on."""

    network: Network
    center: Floats
    spread: Floats

    def __call__(self, x: Floats) -> Floats:
        return np.asarray((self.network(x) - self.center) / self.spread)


def read_corpus(dialogues: Sequence[Dialogue]) -> Corpus:
    """Counts over raw dialogues: words of a turn with words of the next one, and dialogues that hold a word."""
    first, second, both = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    holding = Counter(word for dialogue in dialogues for word in {w for turn in dialogue for w in words(turn)})
    for dialogue in dialogues:
        for a, b in pairwise([set(content(turn)) for turn in dialogue]):
            first.update(a)
            second.update(b)
            both.update((x, y) for x in a for y in b)
    turns = max(1, sum(len(dialogue) - 1 for dialogue in dialogues))
    together = {
        (x, y): math.log((n + 0.1) * turns / ((first[x] + 1) * (second[y] + 1))) for (x, y), n in both.items() if n > 1
    }
    rarity = {word: math.log((len(dialogues) + 1) / (n + 1)) for word, n in holding.items()}
    return Corpus(together, rarity, math.log(len(dialogues) + 1))


def features(dialogues: Sequence[Dialogue], corpus: Corpus) -> Floats:
    """[n, 14] what a dialogue shows: how turns follow, what is taken back, how warm it is, how much it says."""
    return np.array([_features(dialogue, corpus) for dialogue in dialogues])


def train(
    dialogues: Sequence[Dialogue], corpus: Corpus, dimensions: Sequence[str], *, hidden: int, copies: int, seed: int
) -> Trained:
    """One output a dimension; more than one share a layer.

    Each output ranks a dialogue above its copy spoilt in its dimension, and takes a copy that is spoilt otherwise for
    as good (a pair in both orders). Half of the dialogues that are copied are spoilt somewhere already.
    """
    rng, rows, pairs = Random(f"{seed}"), list[Dialogue](), list[tuple[int, int, str]]()
    for dialogue in dialogues:
        for _ in range(copies):
            base = dialogue
            for name in rng.choices(DIMENSIONS, k=rng.randrange(3)) if rng.random() < 0.5 else ():
                base = spoil(base, name, rng, dialogues)
            rows.append(base)
            at = len(rows) - 1
            for name in DIMENSIONS:
                rows.append(spoil(base, name, rng, dialogues))
                pairs.append((at, len(rows) - 1, name))
    better, worse = np.array([a for a, _, _ in pairs]), np.array([b for _, b, _ in pairs])
    losses = list[Loss]()
    for k, dimension in enumerate(dimensions):
        own = np.array([name == dimension for _, _, name in pairs])
        ties = np.concatenate([better[~own], worse[~own]]), np.concatenate([worse[~own], better[~own]])
        losses += [of_pairs(better[own], worse[own], k), of_pairs(*ties, k)]
    x = features(rows, corpus)
    network = fit_network(x, len(dimensions), total(losses), hidden=hidden, decay=3e-3, seed=seed)
    found = network(x)
    return Trained(network, found.mean(axis=0), np.maximum(found.std(axis=0), 1e-9))


def content(turn: str) -> list[str]:
    """The words that are not function words."""
    return [word for word in words(turn) if word not in FUNCTION]


def _features(dialogue: Dialogue, corpus: Corpus) -> list[float]:
    turns = [set(content(turn)) for turn in dialogue]
    said = [words(turn) for turn in dialogue]
    fits = [[corpus.together.get((x, y), 0.0) for x in a for y in b] for a, b in pairwise(turns)]
    links = [max(fit, default=0.0) for fit in fits]
    kept = [len(a & b) / max(1, len(a | b)) for a, b in pairwise(turns)]
    asked = [float("?" in b) for turn in dialogue for b in turn.split()[-1:]]
    every = [word for turn in said for word in turn]
    rare = [corpus.rarity.get(word, corpus.unseen) for word in {w for turn in turns for w in turn}]
    n = len(dialogue)
    return [
        *(float(np.mean(links)), min(links), float(np.mean([sum(fit) / max(1, len(fit)) for fit in fits]))),
        *(float(np.mean(kept)), max(kept), float(len(set(dialogue))) / n, sum(asked) / n),
        sum(_takes_back(a, b) for i, a in enumerate(said) for b in said[i + 2 :: 2]) / n,
        *(sum(word in WARM for word in every) / n, sum(word in COLD for word in every) / n),
        *(len(every) / n, len(set(every)) / max(1, len(every)), sum(rare) / n),
        min(sum(corpus.rarity.get(w, corpus.unseen) for w in turn) for turn in turns),
    ]


def _takes_back(first: Sequence[str], second: Sequence[str]) -> float:
    """Do two turns of one speaker say nearly the same words, one of them with a negation that the other lacks?"""
    a, b = set(first) - set(NEGATIONS), set(second) - set(NEGATIONS)
    negated = sum(word in NEGATIONS for word in first) != sum(word in NEGATIONS for word in second)
    return float(negated and len(a) > 1 and len(a & b) / max(1, len(a | b)) > 0.6)
