"""B-STaR: before each round choose temperature and reward threshold by the balance score on a few labelled questions.

Left out: the growing cap on samples a question, and gold solutions among the training data.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Alarm, Finding, Round, Task
from whetstone.loops._balance import N_STAR, balance
from whetstone.loops._measure import as_queries, describe, training, verified
from whetstone.loops._rollout import Questions
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule, demonstrations
from whetstone.loops._train import train
from whetstone.loops.objectives import likelihood
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    papers=("B-STaR: Monitoring and Balancing Exploration and Exploitation in Self-Taught Reasoners",),
    checked="tests/loops/test_bstar.py::test_chosen_settings_maximise_the_balance_score_over_the_grid",
)
def balanced_iteration(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 3,
    questions: int = 400,
    k: int = 8,
    signal: str = "vote_share",
    temperatures: tuple[float, ...] = (0.5, 0.7, 1.0),
    thresholds: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 0.9),
    n_star: int = N_STAR,
    labelled: int = 48,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    audited: bool = True,
    seed: int = 0,
) -> Iterator[Round]:
    """Expert iteration by a reward, whose temperature and threshold are chosen anew for each round.

    Args:
        rounds, questions, k: rounds, training questions a round, samples a question.
        signal: the reward.
        temperatures, thresholds: the grid.
        n_star: right answers a question that are enough.
        labelled: questions with gold labels on which the grid is scored; they come from the dev split.
        lr, epochs, tokens_per_batch, monitor, audited: as in `expert_iteration`.

    Yields:
        A `Round` after each round of training, with `chosen/temperature`, `chosen/threshold` and `chosen/balance`, the
        last with the whole grid [temperature, threshold, score] in its detail.
    """
    rate, pool = model.learning_rate if lr is None else lr, Questions(task, seed=seed)
    dev = held_out(task, monitor + labelled, seed)
    watched, known = dev[:monitor], dev[monitor:]
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        grid: list[tuple[float, float, float]] = []
        for temperature in temperatures:
            groups = Sampler(task, Rule("signal", signal), k, temperature).sample(turn, f"grid {temperature:g}", known)
            queries = as_queries(groups, verified(groups, task))
            grid += [(temperature, t, balance(queries, t, n_star=n_star).value or 0.0) for t in thresholds]
        temperature, threshold, score = max(grid, key=lambda point: point[2])
        sampler = Sampler(task, Rule("signal", signal, accept=threshold), k, temperature)
        metrics = {
            "chosen/temperature": Finding("temperature", temperature, None, len(known)),
            "chosen/threshold": Finding("threshold", threshold, None, len(known)),
            "chosen/balance": Finding("balance", score, None, len(known), detail={"grid": [list(p) for p in grid]}),
        }
        if index == 1:
            metrics |= before(sampler.monitor(turn, "before", watched, audited=audited))
        harvest = sampler.explore(turn, pool, questions, probe=questions, width=len(pool.levels), floor=0.0)
        metrics |= {f"train/{name}": finding for name, finding in describe(harvest.groups, harvest.kept).items()}
        items = demonstrations(harvest.groups, harvest.kept)
        if not items:
            alarm = Alarm("stop_rule", "no sample is above any threshold of the grid: nothing to train on", stop=True)
            yield turn.end(model, seen=harvest.seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        order = rng.randrange(2**31)
        log = train(model, items, likelihood, lr=rate, epochs=epochs, tokens_per_batch=tokens_per_batch, seed=order)
        metrics |= training(log) | sampler.monitor(turn, "after", watched, audited=audited)
        yield turn.end(model, seen=harvest.seen, kept=sum(map(len, harvest.kept)), metrics=metrics)
