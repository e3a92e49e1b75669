"""What the training phase costs beyond a bare PyTorch loop: `python benchmarks/training.py [--items 1500]`.

Both train the same network (grit's, untrained) on the same solutions of the ledger world, in batches of the same size,
with the same optimizer and clipping, on one thread. The bare loop gets its batches as tensors, made beforehand.
"""

from __future__ import annotations

import argparse
import time
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from whetstone.core.types import form, user
from whetstone.loops._train import batches, train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.models.grit.dialect import GritDialect, build_tokenizer
from whetstone.models.grit.network import build_network, optimizer
from whetstone.models.transformers import TransformersModel
from whetstone.worlds import ledger

TARGET = "target: at least 70 % of the bare loop's tokens per second"
TOKENS = 2048


def solutions(n: int) -> list[Demonstration]:
    """Right solutions of random questions."""
    rng, items = Random(0), []
    for _ in range(n):
        question = ledger.generate(rng, rng.randrange(4, 11))
        prompt = user(form("solve", "{question}", question=form("ledger", "{ledger}", ledger=question)))
        items.append(Demonstration(prompt, "".join(ledger.work(question[:2], ledger.entries(question)))))
    return items


def bare(model: TransformersModel, prepared: list[tuple[Tensor, Tensor]], lr: float) -> float:
    """Seconds of a loop with nothing in it but forward, backward, clipping and step."""
    descent, net, began = model.optimizer(lr=lr), model.net, time.perf_counter()
    for step, (ids, targets) in enumerate(prepared):
        for group in descent.param_groups:
            group["lr"] = lr * (1 - step / len(prepared))
        logits = net(input_ids=ids, use_cache=False).logits
        loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
        descent.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        descent.step()
    return time.perf_counter() - began


def prepare(model: TransformersModel, items: list[Demonstration]) -> list[tuple[Tensor, Tensor]]:
    """Batches as tensors: input ids, and targets with -100 on prompt and padding."""
    lengths, out = [[model.encode_length(item.prompt, item.completion)] for item in items], []
    for batch in batches(items, lengths, TOKENS, Random(0)):
        codec = model.codec
        rows = [(codec.prompt(i.prompt), (*codec.continuation(i.completion), codec.end)) for i in batch]
        width = max(len(p) + len(c) for p, c in rows)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        targets = torch.full((len(rows), width), -100)
        for i, (prompt, completion) in enumerate(rows):
            ids[i, : len(prompt) + len(completion)] = torch.tensor([*prompt, *completion])
            targets[i, len(prompt) : len(prompt) + len(completion)] = torch.tensor(completion)
        out.append((ids[:, :-1], targets[:, 1:]))
    return out


def main() -> None:
    """Alternate both, take the best of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = TransformersModel.of(
        build_network(seed=0), build_tokenizer(), dialect=GritDialect(), optimizer=optimizer, name="grit"
    )
    items = solutions(arguments.items)
    prepared = prepare(model, items)
    tokens = sum(model.encode_length(item.prompt, item.completion) for item in items)
    seconds: dict[str, list[float]] = {"bare": [], "whetstone": []}
    for _ in range(arguments.rounds):
        seconds["bare"].append(bare(model, prepared, 1e-3))
        seconds["whetstone"].append(train(model, items, likelihood, lr=1e-3, tokens_per_batch=TOKENS).seconds)
    rates = {name: tokens / min(values) for name, values in seconds.items()}
    print(f"{len(items)} items, {tokens} tokens, {len(prepared)} steps, {torch.get_num_threads()} threads")
    for name, rate in rates.items():
        print(f"{name:10} {rate:9.0f} tokens/s")
    print(f"ratio      {rates['whetstone'] / rates['bare']:9.0%}   ({TARGET})")


if __name__ == "__main__":
    main()
