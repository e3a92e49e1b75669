"""Predictors of people's ratings, trained on a table of ratings: one a metric for the average rater, one a rater."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.evaluating import cluster
from whetstone.audits.rater_prediction import predicted
from whetstone.audits.rater_tables import Rated, tables_of
from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.core.types import Case, Example, Finding
from whetstone.stats.network import Network, fit_network, folds, hashed, of_targets
from whetstone.stats.text_metrics import grams, words

Floats = NDArray[np.float64]
CLASSES = (1, 2, 3)
BUCKETS = 256


@dataclass(frozen=True)
class Predictor:
    """Predicts the class (1, 2, 3) of an answer for one metric as one rater would."""

    network: Network

    def __call__(self, items: Sequence[tuple[Example, str]]) -> list[int]:
        """The likeliest class of each (example, answer)."""
        return [CLASSES[i] for i in self.network(features(items)).argmax(axis=1)]


@method(
    "table",
    papers=(
        "Towards Unifying Evaluation of Counterfactual Explanations: Leveraging Large Language Models for "
        "Human-Centric Assessments",
    ),
    checked="tests/audits/test_rating_predictors.py::test_beats_the_majority_on_planted_preferences_and_not_on_dice",
)
def rating_predictors(
    cases: Sequence[Case], *, low: float = 1.0, high: float = 6.0, parts: int = 5, decay: float = 0.1, seed: int = 0
) -> list[Finding]:
    """Train predictors of ratings in three classes, per metric and per rater, and test them on questions held out.

    Args:
        cases: ratings of a case's first candidate are its example's `meta["rated"]`: {metric: {rater: number}}.
        low, high: ends of the rating scale, which is cut into thirds.
        parts: folds of cross-validation, by question.
        decay: weight decay of the predictors.
        seed: of the folds.

    Returns:
        `accuracy/METRIC/average` and `accuracy/METRIC/raters`, and in `gain/...` the difference from always saying a
        rater's commonest class, paired by item.

    Raises TaskError when nothing is rated, or there are fewer questions than parts.
    """
    tables = tables_of(cases, low, high)
    groups = sorted({cluster(item.example) for items in tables.values() for item in items})
    if len(groups) < parts:
        raise TaskError(f'{len(groups)} questions with meta["rated"] cannot be cut into {parts} parts')
    Random(seed).shuffle(groups)
    fold = dict(zip(groups, folds(groups, parts).tolist(), strict=True))
    predictions: dict[tuple[str, str], list[int | None]] = {}
    for key, items in tables.items():
        where = np.array([fold[cluster(item.example)] for item in items])
        said: list[int | None] = [None] * len(items)
        for part in range(parts):
            train, test = np.flatnonzero(where != part), np.flatnonzero(where == part)
            if len(train) and len(test):
                fitted = train_predictor([items[i] for i in train], decay=decay)
                for i, value in zip(test, fitted([(items[i].example, items[i].answer) for i in test]), strict=True):
                    said[i] = value
        predictions[key] = said
    return predicted(tables, predictions)


def train_predictor(items: Sequence[Rated], *, decay: float = 0.1) -> Predictor:
    """Fit one predictor: a logistic model of each class on the words of question and answer."""
    ratings = np.array([item.rating for item in items])
    targets = (ratings[:, None] == np.array(CLASSES)).astype(float)
    x = features([(item.example, item.answer) for item in items])
    return Predictor(fit_network(x, len(CLASSES), of_targets(targets, [True] * len(CLASSES)), decay=decay))


def features(items: Sequence[tuple[Example, str]]) -> Floats:
    """Words and pairs of words of the answer, words of the question, and the answer's length."""
    answers = [words(answer) for _, answer in items]
    tokens = [
        [*(" ".join(gram) for n in (1, 2) for gram in grams(answer, n)), *(f"?{w}" for w in words(e.prompt[-1].text))]
        for answer, (e, _) in zip(answers, items, strict=True)
    ]
    lengths = np.array([[np.log1p(len(answer))] for answer in answers])
    return np.hstack([np.minimum(hashed(tokens, BUCKETS), 1.0), lengths])
