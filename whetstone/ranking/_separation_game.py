"""The game of a prompt, a king and a rebel, and its coarse correlated equilibrium of greatest affinity entropy.

Source: "Re-evaluating Open-ended Evaluation of Large Language Models".

Payoffs at (prompt p, king a, rebel b), with q[p, a, b] the preference for a over b: king q, rebel -q, prompt |q|. King
and rebel choose from the same models, also the same one (q = 0): were that forbidden, a clone of the king would be a
choice that the king's copy is not. The equilibrium is a distribution x over (p, a, b) from which no player gains by
leaving for one fixed action; of all such x the one with the least x'Kx is taken, K the product of the players'
similarity kernels. King and rebel have mirrored roles, so that x is symmetric in a and b.

Solved by the alternating direction method of multipliers: the kernel is diagonal in the basis of the kernels' own
eigenvectors, and the few constraints come in by the Woodbury identity.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from whetstone.core.errors import TaskError

Floats = NDArray[np.float64]


def affinity_entropy(x: Floats, similarity: Floats, *, order: float = 1.0) -> float:
    """(1 - sum_i x_i (Kx)_i^order) / order: mass that is split among clones (similarity 1) counts as not split.

    Args:
        x: [n] distribution.
        similarity: [n, n] within [0, 1], 1 on the diagonal. The identity gives Tsallis entropy.
    """
    return float((1 - x @ (similarity @ x) ** order) / order)


def similarity(profiles: Floats, *, bandwidth: float = 1.0) -> Floats:
    """[n, n] exp(-distance / bandwidth) between payoff profiles [n, ...]; distance is the root mean square difference.

    Positive definite for distinct profiles, whatever they are.
    """
    flat = profiles.reshape(len(profiles), -1)
    squares = (flat**2).mean(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * flat @ flat.T / flat.shape[1], 0.0))
    np.fill_diagonal(distance, 0.0)
    # Below the accuracy of the subtraction above, profiles are the same.
    affinity: Floats = np.exp(-np.where(distance < 1e-7, 0.0, distance) / bandwidth)
    return affinity


def gains(preference: Floats, x: Floats) -> tuple[Floats, Floats]:
    """What each prompt [n] and each model [k] would gain, for its player, over what the player has from `x`."""
    separation = np.abs(preference)
    prompts = np.einsum("pab,ab->p", separation, x.sum(axis=0)) - float((separation * x).sum())
    models = np.einsum("pab,pb->a", preference, x.sum(axis=1)) - float((preference * x).sum())
    return prompts, models


def equilibrium(
    preference: Floats,
    prompt_similarity: Floats,
    model_similarity: Floats,
    *,
    tolerance: float = 1e-6,
    steps: int = 20_000,
) -> Floats:
    """The coarse correlated equilibrium of greatest affinity entropy.

    Args:
        preference: [n, k, k] within [-1, 1], antisymmetric in the models.
        prompt_similarity, model_similarity: [n, n] and [k, k] kernels, positive semi-definite.
        tolerance: largest residual, in units of the mean entry of x.
        steps: after so many without convergence, TaskError.

    Returns:
        [n, k, k] distribution over prompt, king and rebel.
    """
    game = _Game(preference, prompt_similarity, model_similarity)
    inside, inside_price = np.ones(preference.shape), np.zeros(preference.shape)
    held, price = game.clip(game.rows(game.turn(inside))), np.zeros(game.count)
    penalty = 0.1
    factor = game.factor(penalty)
    for step in range(1, steps + 1):
        right = game.turn(penalty * inside - inside_price) + game.back(penalty * held - price)
        turned = right / (game.values + penalty)
        turned -= game.back(cho_solve(factor, game.rows(turned))) / (game.values + penalty)
        x, rows = game.turn_back(turned), game.rows(turned)
        last, last_held = inside, held
        inside = np.maximum(x + inside_price / penalty, 0.0)
        held = game.clip(rows + price / penalty)
        inside_price = inside_price + penalty * (x - inside)
        price = price + penalty * (rows - held)
        if step % 20:
            continue
        off = max(np.abs(x - inside).max(), np.abs(rows - held).max())
        drift = penalty * np.abs(inside - last + game.turn_back(game.back(held - last_held))).max()
        if max(off, drift) < tolerance:
            found: Floats = inside / inside.sum()
            return found
        if step % 100 == 0 and not 0.2 < off / max(drift, 1e-300) < 5:
            penalty *= float(np.clip(np.sqrt(off / max(drift, 1e-300)), 0.2, 5.0))
            factor = game.factor(penalty)
    raise TaskError(
        f"the equilibrium did not settle within {steps} steps (residual {max(off, drift):.1e}); rate fewer prompts at "
        "a time, or put a larger bandwidth"
    )


class _Game:
    """The constraints A x, in the basis of the kernels' eigenvectors, in which K is the diagonal `values`.

    x is scaled to a mean entry of 1 and symmetric in the models. Rows of A: what every prompt gains, what every model
    gains (as king and, mirrored, as rebel), the sum of x; each scaled to unit length.
    """

    def __init__(self, preference: Floats, prompts: Floats, models: Floats) -> None:
        n, k, _ = preference.shape
        self.size, self.count = preference.size, n + k + 1
        p_values, self.p_vectors = np.linalg.eigh(prompts)
        m_values, self.m_vectors = np.linalg.eigh(models)
        p_values, m_values = np.maximum(p_values, 0.0), np.maximum(m_values, 0.0)
        self.values = p_values[:, None, None] * m_values[None, :, None] * m_values[None, None, :]
        separation = np.abs(preference)
        pairs = separation.reshape(n, -1)
        self.pairs = (self.m_vectors.T @ separation @ self.m_vectors).reshape(n, -1)
        self.separation = self.turn(separation)
        self.meetings = np.einsum("pq,pab,bc->aqc", self.p_vectors, preference, self.m_vectors)
        self.all_prompts, self.all_models = self.p_vectors.sum(axis=0), self.m_vectors.sum(axis=0)
        whole = float((separation**2).sum())
        self.scale = np.ones(self.count)
        lengths = np.empty(self.count)
        lengths[:n] = np.sqrt(np.maximum(n * (pairs**2).sum(axis=1) - 2 * pairs @ pairs.sum(axis=0) + whole, 0.0))
        for row in range(n, self.count):
            lengths[row] = np.linalg.norm(self.back(np.eye(self.count)[row]))
        self.scale = np.divide(1, lengths, out=np.zeros(self.count), where=lengths > 1e-9)

    def turn(self, x: Floats) -> Floats:
        """Into the basis of eigenvectors."""
        turned: Floats = self.m_vectors.T @ np.tensordot(self.p_vectors.T, x, 1) @ self.m_vectors
        return turned

    def turn_back(self, turned: Floats) -> Floats:
        """Out of the basis of eigenvectors."""
        x: Floats = self.m_vectors @ np.tensordot(self.p_vectors, turned, 1) @ self.m_vectors.T
        return x

    def rows(self, turned: Floats) -> Floats:
        """A x."""
        over_prompts = np.tensordot(self.all_prompts, turned, 1)
        prompts = self.pairs @ over_prompts.ravel() - np.vdot(self.separation, turned)
        models = np.tensordot(self.meetings, np.einsum("b,qbc->qc", self.all_models, turned), 2)
        total = self.all_models @ over_prompts @ self.all_models
        return np.concatenate([prompts, models, [total]]) * self.scale

    def back(self, price: Floats) -> Floats:
        """The transpose of `rows`."""
        n, k = len(self.pairs), len(self.meetings)
        price = price * self.scale
        over_prompts = (price[:n] @ self.pairs).reshape(k, k) + price[-1] * np.outer(self.all_models, self.all_models)
        by_meeting = np.tensordot(price[n:-1], self.meetings, 1)[:, None, :] * self.all_models[None, :, None] / 2
        turned = self.all_prompts[:, None, None] * over_prompts - price[:n].sum() * self.separation
        mirrored: Floats = turned + by_meeting + by_meeting.transpose(0, 2, 1)
        return mirrored

    def clip(self, rows: Floats) -> Floats:
        """The nearest rows that are allowed: no gain, and the sum that makes the mean entry 1."""
        held = np.minimum(rows, 0.0)
        held[-1] = self.size * self.scale[-1]
        return held

    def factor(self, penalty: float) -> Any:
        """The small matrix of the Woodbury identity for K + penalty (1 + A'A), factored."""
        n = len(self.pairs)
        weight = 1 / (self.values + penalty)
        inner = np.empty((self.count, self.count))
        for row in range(n, self.count):
            inner[row] = inner[:, row] = self.rows(weight * self.back(np.eye(self.count)[row]))
        own = np.tensordot(self.all_prompts**2, weight, 1).ravel()
        shared = self.pairs @ np.tensordot(self.all_prompts, weight * self.separation, 1).ravel()
        rest = float((weight * self.separation**2).sum())
        block = (self.pairs * own) @ self.pairs.T - shared[:, None] - shared[None, :] + rest
        inner[:n, :n] = block * self.scale[:n, None] * self.scale[None, :n]
        return cho_factor(inner + np.eye(self.count) / penalty)
