"""Scoring speed against the naive way: `python benchmarks/scoring.py`.

Five continuations of one prompt of 500 tokens. The naive way reads prompt and continuation whole for each of them:
one after the other, or all five as one padded batch. Each way gives the log-probability of every continuation's
tokens; the largest difference between them is shown. On one thread, processor time, medians of rounds in turn.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import torch
from _generation import answered
from rich.console import Console
from rich.table import Table

from whetstone.core.types import Score, user
from whetstone.models.grit import CHECKPOINT
from whetstone.models.grit.dialect import build_tokenizer
from whetstone.models.grit.network import build_network
from whetstone.models.transformers import TransformersModel

LENGTH = 500
CONTINUATIONS = ("Y", "N", "c-7=56", "c-7=56e-3=53", "c-7=56e-3=53b+0=53:!Y")
Scores = list[float]


def prompts(n: int) -> list[str]:
    rng = Random(0)
    return ["Q" + "".join(rng.choice("abcdefghijklmnop0123456789+-") for _ in range(LENGTH - 1)) for _ in range(n)]


def engine(model: TransformersModel, prompt: str) -> Scores:
    """By Whetstone's own engine, from text to log-probabilities of every token."""
    replies = answered(model, [Score(user(prompt), text) for text in CONTINUATIONS])
    return [sum(token.logprob or 0.0 for token in reply.tokens or ()) for reply in replies]


def whole(model: TransformersModel, size: int, prompt: str) -> Scores:
    """Prompt and continuation whole, `size` of them in one pass."""
    start, found = model.codec.prompt(user(prompt)), []
    ends = [model.codec.continuation(text) for text in CONTINUATIONS]
    with torch.inference_mode():
        for first in range(0, len(ends), size):
            batch = ends[first : first + size]
            width = max(map(len, batch))
            ids = torch.tensor([(*start, *end, *[0] * (width - len(end))) for end in batch])
            logits = model.net(input_ids=ids, use_cache=False, logits_to_keep=width + 1).logits
            logprobs = torch.log_softmax(logits.float(), -1)
            for row, end in enumerate(batch):
                found.append(sum(float(logprobs[row, i, token]) for i, token in enumerate(end)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    llama: Any = build_network(seed=0, hidden=256, layers=6, heads=8, inner=768)
    models = [
        TransformersModel(CHECKPOINT, device="cpu", name="grit"),
        TransformersModel.of(llama, build_tokenizer(), name="random Llama, 5 M weights"),
    ]
    table = Table(title=f"{len(CONTINUATIONS)} continuations of {LENGTH} tokens, one thread")
    for column in ("", "engine ms", "one by one ms", "one batch ms", "engine is", "difference"):
        table.add_column(column, justify="right" if column else "left")
    for model in models:
        ways: list[Callable[[str], Scores]] = [
            partial(engine, model),
            partial(whole, model, 1),
            partial(whole, model, len(CONTINUATIONS)),
        ]
        model.open().close()
        times: list[list[float]] = [[], [], []]
        difference = 0.0
        for prompt in prompts(options.rounds):
            answers = []
            for way, spent in zip(ways, times, strict=True):
                began = time.process_time()
                answers.append(way(prompt))
                spent.append(time.process_time() - began)
            difference = max(difference, *(abs(a - b) for a, b in zip(answers[0], answers[1], strict=True)))
        ours, single, batch = (1e3 * statistics.median(spent) for spent in times)
        ratios = f"{single / ours:.1f} and {batch / ours:.1f} times as fast (target 3)"
        table.add_row(model.name, f"{ours:.1f}", f"{single:.1f}", f"{batch:.1f}", ratios, f"{difference:.0e}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
