"""The likelihood of votes of which some are another vote, misread: strengths, tie parameter and confusions at once.

A human's vote on a pair is an outcome of Davidson's model. A judge's vote is drawn from that row of its confusion
matrix which belongs to the vote that a human gave; where no human voted, the human's vote is summed over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.ranking import _davidson as davidson
from whetstone.ranking._davidson import Codes, Rows
from whetstone.ranking._newton import Derivatives, Floats
from whetstone.ranking._prior import Grounds


@dataclass(frozen=True, eq=False)
class Misread:
    """Votes as the likelihood reads them. Sides are as shown, so that confusions hold what a judge does to the first.

    Attributes:
        rows: [n] votes; outcome and tie are not used.
        truths: the U values that a human's vote has.
        outcomes: the V values that a judge's vote has, those of humans among them.
        said: [n] index in `truths` of the human's vote, -1 where no human voted.
        judge: [n] code, -1 for the row of a human's vote.
        voted: [n] index in `outcomes` of the judge's vote, 0 on the rows of human votes.
        judges: number of judges.
        smoothing: votes added to each cell of each confusion matrix.

    Parameters are k strengths, a log tie parameter where there is a 0 in `truths`, and for each judge and human vote
    V - 1 log-odds of the other votes against the right one.
    """

    rows: Rows
    truths: tuple[int, ...]
    outcomes: tuple[int, ...]
    said: Codes
    judge: Codes
    voted: Codes
    judges: int
    smoothing: float

    @property
    def head(self) -> int:
        return self.rows.k + len(self.truths) - 2

    @cached_property
    def _places(self) -> Codes:
        """[judges, U, V] parameter of each confusion; -1 where the judge votes as the human did."""
        wrong = np.asarray(self.truths)[:, None] != np.asarray(self.outcomes)
        places = np.full((self.judges, *wrong.shape), -1)
        places[:, wrong] = self.head + np.arange(self.judges * int(wrong.sum())).reshape(self.judges, -1)
        return places

    @property
    def start(self) -> Floats:
        """Equal strengths, and judges that are right two times in three or so."""
        theta = np.zeros(self.head + int((self._places >= 0).sum()))
        theta[self.head :] = -1.0
        return theta

    def confusions(self, theta: Floats) -> Floats:
        """[judges, U, V] chance of each judge's vote (last) given a human's (middle)."""
        logits = np.where(self._places >= 0, theta[self._places], 0.0)
        return np.asarray(scipy.special.softmax(logits, axis=2))

    def derivatives(self, theta: Floats, grounds: Grounds) -> Derivatives:
        """Log-likelihood, its gradient and the observed information.

        Source of the information: Louis, "Finding the observed information matrix when using the EM algorithm" (1982).
        """
        k, weight, confusion = self.rows.k, self.rows.weight, self.confusions(theta)
        value, gradient, information = 0.0, np.zeros(len(theta)), np.zeros((len(theta),) * 2)
        value, gradient[:k], information[:k, :k] = grounds.anchor(theta[:k])
        chance, states, share = self._states(theta, confusion)
        mean = _mix(share, states)
        value += float(weight @ np.log(chance))
        gradient += weight @ mean
        spread = sum(s.T @ (s * (weight * q)[:, None]) for s, q in zip(states, share.T, strict=True))
        information -= (spread - mean.T @ (mean * weight[:, None])).toarray()
        drawn = replace(self.rows, weight=weight * self._drawn)
        ties, none = np.ones((len(weight), self.head - k)), np.zeros((len(weight), 0))
        terms = davidson.terms(drawn, *self._odds(theta))
        information[: self.head, : self.head] += davidson.information(drawn, terms, 1.0, none, ties)
        held = np.full(confusion.shape[:2], self.smoothing * confusion.shape[2])
        np.add.at(held, self.judge[self._read], (share * weight[:, None])[self._read])
        for j, u in np.ndindex(*held.shape):
            at = self._places[j, u][self._places[j, u] >= 0]
            row = confusion[j, u][self._places[j, u] >= 0]
            information[np.ix_(at, at)] += held[j, u] * (np.diag(row) - np.outer(row, row))
        value += self.smoothing * float(np.log(confusion).sum())
        slope = self.smoothing * (1 - confusion.shape[2] * confusion)
        gradient[self._places[self._places >= 0]] += slope[self._places >= 0]
        return value, gradient, information

    def scores(self, theta: Floats) -> Any:
        """[n, p] sparse: the gradient of each vote, without its weight."""
        _, states, share = self._states(theta, self.confusions(theta))
        return _mix(share, states)

    @property
    def _drawn(self) -> NDArray[np.bool_]:
        """Is the row one of Davidson's model: a human's vote, or a judge's where no human voted?"""
        return (self.judge < 0) | (self.said < 0)

    @property
    def _read(self) -> NDArray[np.bool_]:
        return self.judge >= 0

    def _odds(self, theta: Floats) -> tuple[Floats, float | None]:
        tied = self.head > self.rows.k
        return theta[self.rows.left] - theta[self.rows.right], float(theta[self.rows.k]) if tied else None

    def _states(self, theta: Floats, confusion: Floats) -> tuple[Floats, list[Any], Floats]:
        """[n] likelihoods; for each of U human votes the gradients [n, p] if it were that; [n, U] chance that it is."""
        left, tie, right = davidson.probabilities(*self._odds(theta))
        by_vote = {1: left, 0: tie, -1: right}
        n, at = len(left), np.arange(len(left))
        read = np.where(self._read[:, None], confusion[self.judge, :, self.voted], 1.0)
        joint = np.where(self._drawn[:, None], np.stack([by_vote[o] for o in self.truths], axis=1), 1.0) * read
        joint *= (self.said[:, None] < 0) | (self.said[:, None] == np.arange(len(self.truths)))
        chance = joint.sum(axis=1)
        states = []
        for u, outcome in enumerate(self.truths):
            slope = self._drawn * (outcome - (left - right)) / 2
            columns, values = [self.rows.left, self.rows.right], [slope, -slope]
            if self.head > self.rows.k:
                columns.append(np.full(n, self.rows.k))
                values.append(self._drawn * ((outcome == 0) - tie))
            for v, other in enumerate(self.outcomes):
                if other != outcome:
                    columns.append(np.maximum(self._places[self.judge, u, v], 0))
                    values.append(self._read * ((self.voted == v) - confusion[self.judge, u, v]))
            index = (np.tile(at, len(values)), np.concatenate(columns))
            states.append(scipy.sparse.csr_array((np.concatenate(values), index), shape=(n, len(theta))))
        return chance, states, joint / chance[:, None]


def _mix(share: Floats, states: list[Any]) -> Any:
    return sum(state * q[:, None] for state, q in zip(states, share.T, strict=True)).tocsr()
