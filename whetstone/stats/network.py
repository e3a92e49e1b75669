"""A small network with one hidden layer that several outputs share, fitted by L-BFGS; no generator but its seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, eq=False)
class Network:
    """Outputs [n, k] of features [n, d]: tanh(x W + b) V + c on standardised features; linear without hidden units."""

    center: Floats
    spread: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def __call__(self, features: Floats) -> Floats:
        """The outputs [n, k]; those of a label are log-odds."""
        return _forward((features - self.center) / self.spread, self.layers)[-1]


def fit_network(
    features: Floats, outputs: int, loss: Loss, *, hidden: int = 0, decay: float = 1e-3, steps: int = 200, seed: int = 0
) -> Network:
    """Weights that minimise a loss of the outputs plus `decay` times the sum of squared weights (not of biases).

    Args:
        features: [n, d]; standardised by their own mean and deviation.
        outputs: k.
        loss: from outputs [n, k] to a number and its gradient [n, k]: `of_targets`, `of_pairs` or a sum of such.
        hidden: units of the shared layer; 0 fits each output by itself, linearly.
        steps: most iterations.
        seed: of the first weights.
    """
    center, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    x = (features - center) / spread
    widths = [x.shape[1], *([hidden] if hidden else []), outputs]
    rng = np.random.default_rng(seed)
    shapes = list(pairwise(widths))
    first = [rng.normal(size=shape) / np.sqrt(shape[0]) * (1.0 if hidden else 0.0) for shape in shapes]
    start = np.concatenate([np.concatenate([w.ravel(), np.zeros(w.shape[1])]) for w in first])

    def cost(flat: Floats) -> tuple[float, Floats]:
        layers = _layers(flat, shapes)
        values = _forward(x, layers)
        total, below = loss(values[-1])
        gradients: list[Floats] = []
        for i in range(len(layers) - 1, -1, -1):
            weights = layers[i][0]
            total += decay * float((weights**2).sum())
            own = np.concatenate([(values[i].T @ below + 2 * decay * weights).ravel(), below.sum(axis=0)])
            gradients.insert(0, own)
            below = below @ weights.T * (1 - values[i] ** 2)
        return total, np.concatenate(gradients)

    found = scipy.optimize.minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    return Network(center, spread, tuple(_layers(found.x, shapes)))


def of_targets(targets: Floats, labels: Sequence[bool], weights: Sequence[float] | None = None) -> Loss:
    """Mean squared error of numbers, mean cross-entropy of labels, each over its known rows, weighted and summed.

    Args:
        targets: [n, k], NaN where unknown: such an entry says nothing. Labels are 0 or 1.
        labels: [k] which outputs are log-odds of a label.
        weights: [k] of the outputs; 1 by default.
    """
    known, is_label = ~np.isnan(targets), np.array(labels)
    wanted = np.where(known, targets, 0.0)
    share = known * np.array(weights if weights is not None else [1.0] * len(labels)) / np.maximum(known.sum(axis=0), 1)

    def loss(outputs: Floats) -> tuple[float, Floats]:
        errors = np.where(is_label, np.logaddexp(0, outputs) - wanted * outputs, (outputs - wanted) ** 2 / 2)
        slopes = np.where(is_label, scipy.special.expit(outputs), outputs) - wanted
        return float((share * errors).sum()), share * slopes

    return loss


def of_pairs(better: NDArray[np.intp], worse: NDArray[np.intp], output: int) -> Loss:
    """Mean -log sigmoid(better - worse) of one output over pairs of rows."""

    def loss(outputs: Floats) -> tuple[float, Floats]:
        gap = outputs[better, output] - outputs[worse, output]
        slope = -scipy.special.expit(-gap) / max(1, len(gap))
        gradient = np.zeros_like(outputs)
        np.add.at(gradient[:, output], better, slope)
        np.add.at(gradient[:, output], worse, -slope)
        return float(np.logaddexp(0, -gap).mean()), gradient

    return loss


def total(losses: Sequence[Loss]) -> Loss:
    """The sum of losses."""

    def loss(outputs: Floats) -> tuple[float, Floats]:
        parts = [one(outputs) for one in losses]
        return sum(value for value, _ in parts), np.sum([gradient for _, gradient in parts], axis=0)

    return loss


def hashed(tokens: Sequence[Sequence[str]], size: int) -> Floats:
    """Counts [n, size] of each text's tokens, put into columns by their hash."""
    out = np.zeros((len(tokens), size))
    for row, text in enumerate(tokens):
        for token in text:
            out[row, crc32(token.encode()) % size] += 1.0
    return out


def folds(groups: Sequence[str], count: int) -> NDArray[np.intp]:
    """A fold [n] of each row, whole groups together, groups dealt out in the order in which they come."""
    order = {group: i % count for i, group in enumerate(dict.fromkeys(groups))}
    return np.array([order[group] for group in groups], dtype=np.intp)


def _forward(x: Floats, layers: Sequence[tuple[Floats, Floats]]) -> list[Floats]:
    """The input and the values after each layer."""
    values = [x]
    for i, (weights, bias) in enumerate(layers):
        after = values[-1] @ weights + bias
        values.append(after if i == len(layers) - 1 else np.tanh(after))
    return values


def _layers(flat: Floats, shapes: Sequence[tuple[int, int]]) -> list[tuple[Floats, Floats]]:
    found, start = [], 0
    for a, b in shapes:
        found.append((flat[start : start + a * b].reshape(a, b), flat[start + a * b : start + a * b + b]))
        start += (a + 1) * b
    return found
