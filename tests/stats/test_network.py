"""The small network: gradients, planted targets, missing targets, pairs."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.stats.network import fit_network, folds, hashed, of_pairs, of_targets, total


def data(n: int = 300):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 5))
    return x, np.column_stack([x[:, 0] * x[:, 1], (x[:, 0] * x[:, 1] > 0).astype(float)])


def test_losses_have_their_own_gradients() -> None:
    rng = np.random.default_rng(1)
    outputs, targets = rng.normal(size=(6, 2)), np.column_stack([rng.normal(size=6), rng.integers(0, 2, size=6)])
    targets[0, 0] = np.nan
    loss = total([of_targets(targets, [False, True], [1, 3]), of_pairs(np.array([0, 1]), np.array([2, 3]), 1)])
    _, gradient = loss(outputs)
    for i, j in np.ndindex(outputs.shape):
        up, down = outputs.copy(), outputs.copy()
        up[i, j], down[i, j] = up[i, j] + 1e-6, down[i, j] - 1e-6
        assert gradient[i, j] == pytest.approx((loss(up)[0] - loss(down)[0]) / 2e-6, abs=1e-6)
    assert gradient[0, 0] == 0, "an unknown target says nothing"


def test_a_hidden_layer_learns_what_a_line_cannot() -> None:
    x, y = data()
    loss = of_targets(y[:200], [False, True])
    bent = fit_network(x[:200], 2, loss, hidden=12, decay=1e-4, steps=400)
    line = fit_network(x[:200], 2, loss)
    assert np.corrcoef(bent(x[200:])[:, 0], y[200:, 0])[0, 1] > 0.9
    assert abs(np.corrcoef(line(x[200:])[:, 0], y[200:, 0])[0, 1]) < 0.4
    again = fit_network(x[:200], 2, loss, hidden=12, decay=1e-4, steps=400)
    assert (again(x) == bent(x)).all()


def test_pairs_order_the_rows() -> None:
    x = np.random.default_rng(2).normal(size=(200, 3))
    order = np.argsort(x @ [1.0, -2.0, 0.0])
    found = fit_network(x, 1, of_pairs(order[100:], order[:100], 0), decay=1e-2)
    weights = found.layers[0][0][:, 0]
    assert weights[1] < 0 < weights[0]
    assert abs(weights[2]) < abs(weights[0])


def test_hashing_and_folds() -> None:
    table = hashed([["a", "b", "a"], []], 8)
    assert table.sum(axis=1).tolist() == [3, 0]
    assert table.max() == 2
    assert folds(["x", "y", "x", "z"], 2).tolist() == [0, 1, 0, 0]
