"""Several small reward models, good and bad: does ranking one right answer first foretell what best-of-N gains?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.reward_robustness import reward_robustness
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.flow import Flow, Runner, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Example, Form, Prompt, Round, Sampling, Task, form, user
from whetstone.loops._bias_material import right_answer, wrong_answer
from whetstone.loops._round import Turn, held_out
from whetstone.loops._train import log_likelihoods, train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.trainable import Trainable
from whetstone.signals import forms

P_TRUE_CRITIQUED = """Question: {question}

Proposed answer: {answer}

A critique of it: {critique}

Is the proposed answer right? Reply with one letter, Y for right or N for wrong."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An answer with a critique that the model wrote of it."""

    example: Example
    text: str
    critique: str

    @property
    def prompt(self) -> Prompt:
        return reward_prompt(self.example.question, self.text, self.critique)


@method(
    "loop",
    papers=("Evaluating Robustness of Reward Models for Mathematical Reasoning",),
    checked="tests/loops/test_reward_sweep.py::test_first_places_foretell_best_of_n_over_trained_rewards",
)
def reward_sweep(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    amounts: tuple[int, ...] = (50, 400),
    spoilt: tuple[float, ...] = (0.0, 0.5, 0.8, 1.0),
    wrong: int = 9,
    budgets: tuple[int, ...] = (1, 4, 16),
    temperature: float = 1.6,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    monitor: int = 60,
    seed: int = 0,
) -> Iterator[Round]:
    """Train reward models on labels of rising corruption, and correlate their robustness with best-of-N accuracy.

    Args:
        amounts: answers that a reward model is trained on, half of them right.
        spoilt: probability that the label is whether the answer shows its steps, and not whether it is right.
        wrong: wrong answers against the right one in a set.
        budgets: samples to choose from, for best-of-N.
        temperature: of the policy's samples; a high one, so that some are wrong.
        lr: learning rate; None for the model's own.
        monitor: held-out ledger questions; each gives one set and the policy's samples.

    Yields:
        One `Round` with the findings of `reward_robustness` for each reward model ("400 spoilt 0.5") and for the model
        as it is: `first_place`, `reciprocal_rank`, `best of K`, `over_optimisation`, and `link`, the rank correlation
        of first places with best-of-N accuracy over the reward models. A reward is log P(Y) - log P(N) that an answer
        is right, given a critique that the model wrote before any training. The weights are put back in the end.

    Source: sections 3 and 5 of the paper.
    """
    if min(budgets) < 1 or not all(0 <= share <= 1 for share in spoilt):
        raise ConfigError("budgets are numbers of samples from 1 up, and `spoilt` are probabilities")
    turn, rng, start = Turn(1, runner), Random(f"reward_sweep/{seed}"), model.state()
    asked = held_out(task, monitor, seed)
    texts = [[right_answer(rng, e), *(wrong_answer(rng, e) for _ in range(wrong))] for e in asked]
    drawn = replace(task.sampling, temperature=temperature)
    samples = turn("samples", {e.id: sample(e.prompt, n=max(budgets), sampling=drawn) for e in asked}).results
    tried = [[reply.text for reply in samples[e.id]] for e in asked if e.id in samples]
    answered = [e for e in asked if e.id in samples]
    if not answered:
        raise TaskError(f"{task.name}: no held-out question was answered; monitor must be 1 or more")
    gold = [[float(task.verify(e, t).value or 0.0) for t in row] for e, row in zip(answered, tried, strict=True)]
    sets = reviewed(turn, "sets", task, asked, texts)
    choices = reviewed(turn, "choices", task, answered, tried)
    lessons = list(islice(task.examples("train", n=max(amounts), seed=seed), max(amounts)))
    written = [[right_answer(rng, e) if i % 2 else wrong_answer(rng, e)] for i, e in enumerate(lessons)]
    taught = [row[0] for row in reviewed(turn, "lessons", task, lessons, written)]
    rewards = {"as is": (scores(model, sets), scores(model, choices))}
    rate = model.learning_rate if lr is None else lr
    try:
        for n in amounts:
            for share in spoilt:
                model.load_state(start)
                items = [
                    Demonstration(one.prompt, "Y" if (len(one.text) > 2 if rng.random() < share else i % 2) else "N")
                    for i, one in enumerate(taught[:n])
                ]
                order = rng.randrange(2**31)
                train(model, items, likelihood, lr=rate, epochs=2, tokens_per_batch=tokens_per_batch, seed=order)
                rewards[f"{n} spoilt {share:g}"] = scores(model, sets), scores(model, choices)
    finally:
        model.load_state(start)
    found = reward_robustness(rewards, gold, budgets=budgets, groups=[e.group or e.id for e in answered])
    yield turn.end(model, seen=len(taught), kept=len(taught), metrics={one.name: one for one in found})


def reward_prompt(question: str | Form, answer: str, critique: str) -> Prompt:
    """Is this answer right, given a critique of it? Answered by Y or N."""
    return user(form("p_true_critiqued", P_TRUE_CRITIQUED, question=question, answer=answer, critique=critique))


def reviewed(
    turn: Turn, phase: str, task: Task, examples: Sequence[Example], texts: Sequence[Sequence[str]]
) -> list[list[Reviewed]]:
    """The answers to each question with the model's critiques; one that cannot be criticised gets an empty one."""
    sampling = Sampling(0.0, max_tokens=3 * task.sampling.max_tokens)

    def ask(example: Example, answers: Sequence[str]) -> Flow[list[Reviewed]]:
        distinct = list(dict.fromkeys(answers))
        asked = (sample(forms.critique(example.question, t), sampling=sampling, role="critic") for t in distinct)
        notes = dict(zip(distinct, [reply.text for (reply,) in (yield from gather(asked))], strict=True))
        return [Reviewed(example, text, notes[text]) for text in answers]

    flows = {f"{i}": ask(*pair) for i, pair in enumerate(zip(examples, texts, strict=True))}
    found = turn(phase, flows).results
    empty = [[Reviewed(e, t, "") for t in row] for e, row in zip(examples, texts, strict=True)]
    return [found.get(f"{i}", row) for i, row in enumerate(empty)]


def scores(model: Trainable, rows: Sequence[Sequence[Reviewed]]) -> NDArray[np.float64]:
    """The reward of each answer: log P(Y) - log P(N), nats; [questions, answers]."""
    sequences = [(one.prompt, letter) for row in rows for one in row for letter in "YN"]
    values = np.array([total for total, _ in log_likelihoods(model, sequences)])
    return np.asarray((values[::2] - values[1::2]).reshape(len(rows), -1))
