"""Self-consistency preference optimization: the most voted answer against the least voted one, weighted by the votes.

Left out: rejected answers from a hotter second sampling, and questions that the model writes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Alarm, Round, Task
from whetstone.loops._measure import describe, training
from whetstone.loops._rollout import Group, Questions
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule
from whetstone.loops._train import train, with_reference
from whetstone.loops.objectives import Preference, preference
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    papers=("Self-Consistency Preference Optimization",),
    checked="tests/loops/test_scpo.py::test_preferring_the_consistent_answer_improves",
)
def scpo(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 2,
    questions: int = 400,
    k: int = 8,
    temperature: float = 0.7,
    votes: float = 0.5,
    beta: float = 0.5,
    nll: float = 1.0,
    width: int = 4,
    probe: int = 16,
    floor: float = 0.1,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    audited: bool = False,
    seed: int = 0,
) -> Iterator[Round]:
    """Preference training on the model's own votes; the reference is the model at the start of each round.

    Args:
        rounds, questions, k, temperature: rounds, questions a round, samples a question, and at what temperature.
        votes: least share of all samples that the preferred answer needs (tau / k).
        beta: strength of the pull to the reference.
        nll: weight of the likelihood term on the chosen answer (alpha).
        width, probe, floor: as in `expert_iteration`.
        lr: learning rate; None for a quarter of the model's own, since preferences push harder than imitation.
        monitor, audited: as in `expert_iteration`.

    Yields:
        A `Round` after each round of training, with the mean pair weight under `train/pair_weight`.
    """
    sampler, watched = Sampler(task, Rule("majority", votes=votes), k, temperature), held_out(task, monitor, seed)
    pool, rate = Questions(task, seed=seed), model.learning_rate / 4 if lr is None else lr
    objective = preference(beta=beta, nll=nll)
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics = before(sampler.monitor(turn, "before", watched, audited=audited)) if index == 1 else {}
        harvest = sampler.explore(turn, pool, questions, probe=probe, width=width, floor=floor)
        metrics |= {f"train/{name}": finding for name, finding in describe(harvest.groups, harvest.kept).items()}
        able = [group for group in harvest.groups if group.example.level in harvest.levels]
        pairs = consistency_pairs(able, votes=votes, rng=rng)
        if not pairs:
            alarm = Alarm("stop_rule", "no question has a voted answer and another one: nothing to train on", stop=True)
            yield turn.end(model, seen=harvest.seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        order = rng.randrange(2**31)
        pairs = with_reference(model, pairs)
        log = train(model, pairs, objective, lr=rate, epochs=epochs, tokens_per_batch=tokens_per_batch, seed=order)
        metrics |= training(log) | sampler.monitor(turn, "after", watched, audited=audited)
        yield turn.end(model, seen=harvest.seen, kept=len(pairs), metrics=metrics)


def consistency_pairs(groups: Sequence[Group], *, votes: float, rng: Random) -> list[Preference]:
    """One pair a question: a sample of the most voted answer and one of the least voted.

    With V the number of samples that give an answer (0 for a sample that cannot be used), a pair needs V(chosen) >=
    votes * k and V(chosen) > V(rejected); its weight is (V(chosen) - V(rejected)) / k. Which of the samples that are
    alike stands for them is drawn by `rng`.
    """
    pairs = []
    for group in groups:
        k, counts = len(group.candidates), group.votes
        support = [counts.get(answer, 0) if answer is not None else 0 for answer in group.answers]
        most, fewest = max(support), min(support)
        if most < max(1, votes * k) or most == fewest:
            continue
        leading = group.answers[support.index(most)]
        chosen = [c.text for c, answer in zip(group.candidates, group.answers, strict=True) if answer == leading]
        rejected = [c.text for c, n in zip(group.candidates, support, strict=True) if n == fewest]
        pair = Preference(group.example.prompt, rng.choice(chosen), rng.choice(rejected), (most - fewest) / k)
        pairs.append(pair)
    return pairs
