"""The prediction-powered likelihood of human and judge votes, its maximum and its covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy

from whetstone.core.errors import TaskError
from whetstone.ranking import _davidson as davidson
from whetstone.ranking._covariance import Spread, cluster_sums
from whetstone.ranking._newton import Derivatives, Floats, Maximum, inverse, maximise
from whetstone.ranking._prior import Grounds
from whetstone.ranking._votes import Bools, Items


@dataclass(frozen=True, eq=False)
class Powered:
    """Human votes, plus judge votes where no human voted, minus those where one did, both as means.

    Attributes:
        items: the votes by item.
        tied: is there a tie parameter?
        grounds: what the fit rests on.
        judge: the judge's rows weighted so that each of the two means counts as much as all human votes.
    """

    items: Items
    tied: bool
    grounds: Grounds
    judge: davidson.Rows

    @classmethod
    def of(cls, items: Items, *, tied: bool, grounds: Grounds) -> Powered:
        both, alone = items.with_human & items.with_judge, items.with_judge & ~items.with_human
        labelled = items.with_human.sum()
        weight = alone * labelled / max(alone.sum(), 1) - both * labelled / both.sum()
        return cls(items, tied, grounds, replace(items.judge, weight=weight if alone.any() else np.zeros(len(weight))))

    def maximum(self, power: float, start: Floats) -> Maximum:
        return maximise(lambda theta: self._derivatives(theta, power), start, self.grounds.free)

    def spread(self, fit: Maximum, power: float) -> tuple[Spread, float]:
        """Covariance clustered by group, and the power that would make the strengths most certain."""
        k, groups = self.judge.k, self.items.group
        bread = inverse(fit.information, k, self.grounds.free)
        human = self._influence(fit.parameters, self.items.human, self.items.with_human)
        alone = self._influence(fit.parameters, self.judge, self.items.with_judge & ~self.items.with_human)
        both = self._influence(fit.parameters, self.judge, self.items.with_judge & self.items.with_human)
        judge = (alone + both) @ bread[:, :k]
        human_part = human @ bread[:, :k]
        spread = float((judge**2).sum())
        tuned = float(np.clip(-(human_part * judge).sum() / spread, 0.0, 1.0)) if spread > 0 else 0.0
        units = len(np.unique(groups))
        total = (human + power * (alone + both)) @ bread
        if units < 2:
            raise TaskError("all votes are in one group, which says nothing about how groups differ")
        return Spread(total.T @ total * units / (units - 1), "group", units - 1), tuned

    def _influence(self, theta: Floats, rows: davidson.Rows, which: Bools) -> Floats:
        """[G, p] weighted gradients by group, centred over the rows chosen."""
        columns = np.zeros((len(rows.left), 0))
        scores = davidson.scores(rows, self._terms(rows, theta), 1.0, columns, self._tie_columns(rows))
        weight = rows.weight * which
        if not which.any():
            return np.zeros((len(np.unique(self.items.group)), len(theta)))
        mean = (weight @ scores) / weight.sum()
        ones = scipy.sparse.csr_array(np.ones((len(weight), 1)))
        counts = cluster_sums(ones, weight, self.items.group).toarray()
        return np.asarray(cluster_sums(scores, weight, self.items.group).toarray() - counts * mean)

    def _derivatives(self, theta: Floats, power: float) -> Derivatives:
        k = self.judge.k
        value, slope, curve = self.grounds.anchor(theta[:k])
        gradient, information = np.zeros(len(theta)), np.zeros((len(theta),) * 2)
        gradient[:k], information[:k, :k] = slope, curve
        for rows, share in ((self.items.human, 1.0), (self.judge, power)):
            if share:
                found, columns, ties = self._terms(rows, theta), np.zeros((len(rows.left), 0)), self._tie_columns(rows)
                value += share * float(rows.weight @ found.value)
                gradient = gradient + share * davidson.gradient(rows, found, 1.0, columns, ties)
                information = information + share * davidson.information(rows, found, 1.0, columns, ties)
        return value, gradient, information

    def _terms(self, rows: davidson.Rows, theta: Floats) -> davidson.Terms:
        eta = theta[rows.left] - theta[rows.right]
        return davidson.terms(rows, eta, float(theta[-1]) if self.tied else None)

    def _tie_columns(self, rows: davidson.Rows) -> Floats:
        return np.ones((len(rows.left), int(self.tied)))
