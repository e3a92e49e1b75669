"""Objectives: closed forms, finite differences, and what weights and soft labels mean."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from whetstone.core.errors import ConfigError
from whetstone.core.types import user
from whetstone.loops._train import with_reference
from whetstone.loops.objectives import Demonstration, Preference, likelihood, preference

ASK = user("4+7")


class Given:
    """Two answers with free log-probabilities: `theta[i]` for each of the tokens of text i."""

    def __init__(self, *theta: float) -> None:
        self.theta = torch.tensor(theta, dtype=torch.float64, requires_grad=True)

    def logprobs(self, items: list[tuple[object, str]]) -> tuple[Tensor, Tensor]:
        mask = torch.zeros(len(items), 4, dtype=torch.float64)
        for row, (_, text) in enumerate(items):
            mask[row, : len(text)] = 1
        chosen = self.theta[[int(text[0]) for _, text in items]]
        return chosen[:, None] * mask, mask

    def encode_length(self, prompt: object, completion: str) -> int:
        return len(completion)


def gradient(model, objective, batch) -> Tensor:
    (grad,) = torch.autograd.grad(objective(model, batch), model.theta)
    return grad


def pair(**options) -> Preference:
    return Preference(ASK, "00", "111", **{"reference": (-1.0, -2.1), **options})


def test_likelihood_is_the_weighted_mean_over_tokens():
    model = Given(-0.5, -0.7)
    batch = [Demonstration(ASK, "00", weight=3.0), Demonstration(ASK, "111", weight=0.5)]
    expected = (3.0 * 2 * 0.5 + 0.5 * 3 * 0.7) / (3.0 * 2 + 0.5 * 3)
    assert likelihood(model, batch).item() == pytest.approx(expected)


def test_likelihood_with_a_soft_label_adds_unlikelihood():
    model = Given(-0.5, -0.7)
    loss = likelihood(model, [Demonstration(ASK, "00", label=0.25)]).item()
    assert loss == pytest.approx(0.25 * 0.5 - 0.75 * math.log(1 - math.exp(-0.5)))
    towards = gradient(model, likelihood, [Demonstration(ASK, "00", label=0.0)])
    assert towards[0] > 0, "descending must lower the probability of a text known to be wrong"


def test_unlikelihood_is_finite_at_certainty():
    model = Given(0.0, -30.0)
    for text in ("00", "111"):
        grad = gradient(model, likelihood, [Demonstration(ASK, text, label=0.0)])
        assert torch.isfinite(grad).all()


@pytest.mark.parametrize("label", [1.0, 0.8, 0.3])
@pytest.mark.parametrize("nll", [0.0, 1.0])
@pytest.mark.parametrize("loss", ["dpo", "ipo"])
def test_preference_equals_its_closed_form(label, nll, loss):
    model, beta = Given(-0.5, -0.7), 0.4
    difference = (2 * -0.5 - -1.0) - (3 * -0.7 - -1.5)
    if loss == "dpo":
        sigmoid = 1 / (1 + math.exp(-beta * difference))
        expected = -label * math.log(sigmoid) - (1 - label) * math.log(1 - sigmoid)
    else:
        expected = label * (difference - 1 / (2 * beta)) ** 2 + (1 - label) * (difference + 1 / (2 * beta)) ** 2
    expected += nll * 0.5
    batch = [pair(label=label, reference=(-1.0, -1.5))]
    assert preference(beta=beta, nll=nll, loss=loss)(model, batch).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["dpo", "ipo"])
@pytest.mark.parametrize("label", [1.0, 0.6])
def test_gradients_match_finite_differences(loss, label):
    objective = preference(beta=0.3, nll=0.5, loss=loss)
    batch = [pair(label=label, weight=2.0, reference=(-1.3, -1.5)), pair(weight=0.5)]
    found, step = gradient(Given(-0.5, -0.7), objective, batch), 1e-6
    for i in range(2):
        theta = [-0.5, -0.7]
        theta[i] += step
        above = objective(Given(*theta), batch).item()
        theta[i] -= 2 * step
        below = objective(Given(*theta), batch).item()
        assert found[i].item() == pytest.approx((above - below) / (2 * step), rel=1e-5)


def test_label_of_one_half_has_no_gradient_at_the_reference():
    grad = gradient(Given(-0.5, -0.7), preference(beta=0.3), [pair(label=0.5)])
    assert grad.abs().max() < 1e-12
    assert gradient(Given(-0.5, -0.7), preference(beta=0.3), [pair(label=0.9)]).abs().max() > 0.01


def test_soft_label_is_recovered_as_the_preference_probability():
    model, target, objective = Given(-0.5, -0.7), 0.8, preference(beta=0.5)
    descent = torch.optim.SGD([model.theta], lr=0.5)
    for _ in range(2000):
        descent.zero_grad()
        objective(model, [pair(label=target)]).backward()
        descent.step()
    logprobs, mask = model.logprobs([(ASK, "00"), (ASK, "111")])
    ratio = (logprobs * mask).sum(1) - torch.tensor([-1.0, -2.1])
    assert torch.sigmoid(0.5 * (ratio[0] - ratio[1])).item() == pytest.approx(target, abs=1e-3)


@pytest.mark.parametrize("kind", ["likelihood", "dpo", "ipo"])
def test_weight_two_is_the_item_twice(kind):
    if kind == "likelihood":
        objective, one = likelihood, Demonstration(ASK, "00")
        double, other = Demonstration(ASK, "00", weight=2.0), Demonstration(ASK, "111")
    else:
        objective, one = preference(beta=0.3, nll=1.0, loss=kind), pair()
        double, other = pair(weight=2.0), Preference(ASK, "111", "00", reference=(-2.0, -1.0))
    model = Given(-0.5, -0.7)
    assert objective(model, [double, other]).item() == pytest.approx(objective(model, [one, one, other]).item())
    assert torch.allclose(gradient(model, objective, [double, other]), gradient(model, objective, [one, one, other]))


def test_a_pair_without_reference_is_refused():
    with pytest.raises(ConfigError, match="with_reference"):
        preference()(Given(-0.5, -0.7), [pair(reference=None)])


def test_reference_is_the_model_as_it_is(tiny):
    pairs = with_reference(tiny, [Preference(ASK, "=7", "=4"), Preference(ASK, "=11", "=3")])
    for item in pairs:
        logprobs, mask = tiny.logprobs(list(item.sequences))
        assert item.reference == pytest.approx((logprobs * mask).sum(1).tolist(), abs=1e-5)
    assert preference(beta=0.3)(tiny, pairs).item() == pytest.approx(math.log(2), abs=1e-5)


def test_reward_regression_has_the_kl_optimal_ratio_as_its_optimum():
    model, beta, gap = Given(-0.5, -0.7), 0.4, 1.2
    descent, objective = torch.optim.SGD([model.theta], lr=0.1), preference(beta=beta, loss="reward")
    for _ in range(500):
        descent.zero_grad()
        objective(model, [pair(gap=gap)]).backward()
        descent.step()
    logprobs, mask = model.logprobs([(ASK, "00"), (ASK, "111")])
    ratio = (logprobs * mask).sum(1) - torch.tensor([-1.0, -2.1])
    assert (ratio[0] - ratio[1]).item() == pytest.approx(gap / beta, abs=1e-4)


def test_hard_labels_run_away_where_soft_ones_settle():
    margins = {}
    for label in (1.0, 0.8):
        model, objective = Given(-0.5, -0.7), preference(beta=0.5)
        descent, seen = torch.optim.SGD([model.theta], lr=0.5), []
        for _ in range(600):
            descent.zero_grad()
            objective(model, [pair(label=label)]).backward()
            descent.step()
            logprobs, mask = model.logprobs([(ASK, "00"), (ASK, "111")])
            totals = (logprobs * mask).sum(1)
            seen.append((totals[0] - totals[1]).item())
        margins[label] = (seen[299], seen[599])
    assert margins[0.8][1] == pytest.approx(margins[0.8][0], abs=1e-3)
    assert margins[1.0][1] > margins[1.0][0] + 0.5
