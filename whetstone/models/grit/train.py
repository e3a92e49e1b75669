"""Train grit from nothing: `python -m whetstone.models.grit.train --out FOLDER`.

One thread, one seed, a fixed number of steps: the same command gives the same checkpoint on the same machine. The
schedule has five phases. First the primitives (looking entries up, comparing steps) beside short ledgers; then
critiques; then every role; for the last fifth also P(IK), whose labels are the outcomes of the model's own samples;
and at last a few longer ledgers, so that what grit can do ends gradually and not at a cliff.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Sampling, form, user
from whetstone.models.grit.dialect import GritDialect, build_tokenizer
from whetstone.models.grit.documents import Document, Mixture, draw, p_ik, tokens
from whetstone.models.grit.network import build_network, optimizer
from whetstone.models.transformers import TransformersModel, save_checkpoint
from whetstone.worlds import ledger

SHORT = {2: 1.0, 3: 1.0, 4: 1.0, 5: 0.5, 6: 0.3}
SOLVE = {2: 0.6, 3: 0.9, 4: 1.0, 5: 0.9, 6: 0.5, 7: 0.2, 8: 0.1, 9: 0.04, 10: 0.01}
ROLES = {2: 0.4, 3: 0.8, 4: 1.0, 5: 1.0, 6: 1.0, 7: 0.6, 8: 0.45, 9: 0.15}

PRIMITIVES = Mixture({"lookup": 0.08, "arithmetic": 0.10, "equality": 0.25, "checking": 0.20}, SHORT, ROLES, slips=0.0)
TAGS = Mixture(
    {"lookup": 0.02, "arithmetic": 0.02, "equality": 0.06, "checking": 0.25, "critique": 0.33, "p_true": 0.02},
    SOLVE,
    ROLES,
    wrong=0.7,
)
ALL_ROLES = Mixture(
    {
        "lookup": 0.01,
        "arithmetic": 0.01,
        "equality": 0.01,
        "checking": 0.06,
        "critique": 0.22,
        "refine": 0.13,
        "compare_critiqued": 0.07,
        "p_true": 0.045,
        "compare": 0.035,
    },
    SOLVE,
    ROLES,
)
PHASES = ((0.0, PRIMITIVES), (0.13, TAGS), (0.32, ALL_ROLES))
LONG = SOLVE | {11: 0.010, 12: 0.003, 13: 0.001}
P_IK_SHARE, P_IK_LEVELS, P_IK_QUESTIONS, P_IK_SAMPLES = 0.07, range(2, 13), 80, 8


@dataclass(frozen=True)
class Recipe:
    """What determines a checkpoint, beside this file.

    `steps` of about `tokens_per_step` tokens; the rate rises over `warmup` steps and falls linearly to 0. P(IK)
    documents join at the share `p_ik_from` of the steps (1: never). At `long_from` (1: never) the optimizer starts
    afresh and a few longer ledgers join.
    """

    steps: int = 18_000
    seed: int = 0
    tokens_per_step: int = 2048
    lr: float = 1e-2
    weight_decay: float = 0.05
    warmup: int = 60
    hidden: int = 64
    layers: int = 4
    heads: int = 4
    head_size: int = 32
    inner: int = 128
    p_ik_from: float = 0.8
    long_from: float = 8 / 9


def train(
    recipe: Recipe,
    folder: Path,
    *,
    phases: Sequence[tuple[float, Mixture]] = PHASES,
    log_every: int = 200,
) -> list[dict[str, float]]:
    """Train a checkpoint into `folder` (config, weights, tokenizer, `log.jsonl`, `recipe.json`).

    Args:
        phases: (share of the steps at which it begins, mixture), in order.
        log_every: steps between two rows of the log.

    Returns:
        The log: step, tokens, seconds, loss (a running mean, nats per weighted token).
    """
    network = build_network(
        seed=recipe.seed,
        hidden=recipe.hidden,
        layers=recipe.layers,
        heads=recipe.heads,
        head_size=recipe.head_size,
        inner=recipe.inner,
    )
    log: list[dict[str, float]] = []
    last = round(recipe.long_from * recipe.steps)
    stage(network, recipe, phases, range(last), Random(recipe.seed), log, log_every)
    if last < recipe.steps:
        long = ((0.0, replace(phases[-1][1], solve_levels=LONG)),)
        stage(network, recipe, long, range(last, recipe.steps), Random(f"{recipe.seed}/long"), log, log_every)
    save_checkpoint(network, build_tokenizer(), folder)
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
    (folder / "recipe.json").write_text(json.dumps(recipe.__dict__, indent=1) + "\n")
    return log


def stage(
    network: Any,
    recipe: Recipe,
    phases: Sequence[tuple[float, Mixture]],
    steps: range,
    rng: Random,
    log: list[dict[str, float]],
    log_every: int,
) -> None:
    """The given steps of the recipe's schedule, with a fresh optimizer; rows are added to the log."""
    descent = optimizer(network, lr=recipe.lr, weight_decay=recipe.weight_decay)
    began, running, known = time.monotonic(), 0.0, list[Document]()
    before = log[-1] if log else {"tokens": 0.0, "seconds": 0.0}
    seen = 0
    boundaries = {math.ceil(start * recipe.steps) for start in (*(start for start, _ in phases), recipe.p_ik_from)}
    step = steps.start
    while step < steps.stop:
        share = step / recipe.steps
        if share >= recipe.p_ik_from and not known:
            known = outcomes(network, recipe.seed)
        mixture = [mixture for start, mixture in phases if start <= share][-1]
        documents = [
            rng.choice(known) if known and rng.random() < P_IK_SHARE else draw(rng, mixture) for _ in range(1500)
        ]
        for ids, weights in batches(documents, recipe.tokens_per_step, rng):
            if step == steps.stop:
                break
            rate = recipe.lr * min(1.0, (step - steps.start + 1) / recipe.warmup) * (1 - step / recipe.steps)
            for group in descent.param_groups:
                group["lr"] = rate
            loss = weighted_loss(network, ids, weights)
            descent.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            descent.step()
            seen += ids.numel()
            running = loss.item() if step == steps.start else 0.98 * running + 0.02 * loss.item()
            step += 1
            if step % log_every == 0 or step == steps.stop:
                spent = before["seconds"] + time.monotonic() - began
                log.append({"step": step, "tokens": before["tokens"] + seen, "seconds": spent, "loss": running})
                print(json.dumps(log[-1]), flush=True)
            if step in boundaries:
                break


def batches(documents: list[Document], size: int, rng: Random) -> Iterator[tuple[Tensor, Tensor]]:
    """Right-padded batches [B, T] of ids and loss weights, documents of like length together, in random order."""
    rows = sorted((tokens(document) for document in documents), key=lambda row: (len(row[0]), rng.random()))
    groups: list[list[tuple[list[int], list[float]]]] = [[]]
    for row in rows:
        if (len(groups[-1]) + 1) * len(row[0]) > size and groups[-1]:
            groups.append([])
        groups[-1].append(row)
    rng.shuffle(groups)
    for group in groups:
        width = max(len(ids) for ids, _ in group)
        yield (
            torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in group]),
            torch.tensor([weights + [0.0] * (width - len(weights)) for _, weights in group]),
        )


def weighted_loss(network: Any, ids: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean next-token loss. Padding is on the right, so causal attention needs no mask."""
    hidden = network.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    logits = network.lm_head(hidden).flatten(0, 1)
    losses = cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
    weight = weights[:, 1:].flatten()
    return (losses * weight).sum() / weight.sum().clamp_min(1e-6)


def outcomes(network: Any, seed: int) -> list[Document]:
    """P(IK) documents from the model's own samples at temperature 0.7, as many for each level."""
    rng = Random(seed + 1)
    questions = [ledger.generate(rng, level) for level in P_IK_LEVELS for _ in range(P_IK_QUESTIONS)]
    model = TransformersModel.of(network, build_tokenizer(), dialect=GritDialect())
    done = drive({question: attempts(question) for question in questions}, {"policy": model}, seed=seed)
    return [document for documents in done.results.values() for document in documents]


def attempts(question: str) -> Flow[list[Document]]:
    """A few samples of one question, each turned into a P(IK) document."""
    prompt = user(form("solve", "{question}", question=question))
    sampling = Sampling(temperature=0.7, max_tokens=100)
    replies = yield from sample(prompt, n=P_IK_SAMPLES, sampling=sampling)
    right = ledger.answer_of(question)
    return [p_ik(question, ledger.read_answer(reply.text) == right) for reply in replies]


def main() -> None:
    """Command line of the training script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train(replace(Recipe(), seed=arguments.seed, steps=arguments.steps), arguments.out)


if __name__ == "__main__":
    main()
