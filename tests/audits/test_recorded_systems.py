"""The order of systems by a judge against the labels', and planted favour for one of them."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.recorded import Verdicts
from whetstone.audits.recorded_systems import system_order


def planted(favour: float, *, noise: float = 0.3, prompts: int = 200, seed: int = 0) -> Verdicts:
    """Five systems of rising strength; each pair on each prompt; the judge errs, and in favour of "s0" by so much."""
    rng = np.random.default_rng(seed)
    a, b = (np.tile(side, prompts) for side in np.triu_indices(5, 1))
    gold = (rng.random(len(a)) < 1 / (1 + np.exp(0.7 * (b - a)))).astype(float)
    said = np.where(rng.random(len(a)) < noise, rng.integers(0, 2, len(a)), gold)
    said = np.where((a == 0) & (rng.random(len(a)) < favour), 1.0, said)
    return Verdicts(
        said,
        gold=gold,
        sources=np.column_stack([a, b]),
        names=tuple(f"s{i}" for i in range(5)),
        group=np.repeat(np.arange(prompts), 10),
    )


def test_finds_the_planted_bias_and_the_order_that_it_spoils() -> None:
    fair = {f.name: f for f in system_order(planted(0.0))}
    assert fair["system_order"].estimate == 1
    assert fair["system_order"].interval[0] > 0.5
    assert fair["decisiveness"].estimate == pytest.approx(0.7, abs=0.06), "errors at random pull shares to 1/2"
    assert fair["decisiveness"].verdict == "shrinks gaps"
    biased = {f.name: f for f in system_order(planted(0.9))}
    assert biased["system_order"].estimate < 0.7
    assert biased["bias s0"].estimate > 0.2
    assert biased["bias s0"].verdict == "favours it"


def test_finds_no_bias_where_there_is_none() -> None:
    """Simultaneous intervals: in at most about one of twenty audits is any system called favoured."""
    wrong = sum(
        any(f.verdict in ("favours it", "disfavours it") for f in system_order(planted(0.0, prompts=60, seed=seed)))
        for seed in range(40)
    )
    assert wrong <= 6


def test_a_judge_that_repeats_the_labels_orders_systems_as_they_do() -> None:
    found = {f.name: f for f in system_order(planted(0.0, noise=0.0))}
    assert found["system_order"].estimate == 1
    assert found["system_order"].interval == (1, 1)
    assert found["decisiveness"].estimate == pytest.approx(1)


def test_two_systems_or_no_labels_have_no_order() -> None:
    whole = planted(0.0)
    assert system_order(Verdicts(whole.chosen, sources=whole.sources, names=whole.names)) == []
    two = (whole.sources < 2).all(axis=1)
    assert (
        system_order(Verdicts(whole.chosen[two], gold=whole.gold[two], sources=whole.sources[two], names=("a", "b")))
        == []
    )
