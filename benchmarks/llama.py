"""Sampling and scoring on a Llama with random weights: `python benchmarks/llama.py --device cuda --size 1b`.

`--size 1b` has the shape of a Llama of 1.2 billion weights (bfloat16 on an accelerator), `tiny` runs anywhere in
seconds. Random weights never choose to end, so every fiftieth token of the vocabulary ends a reply: lengths vary as
those of real replies do. The rows are those of `sampling.py`: sixteen samples of each question by the engine, by
`generate` a question at a time and over batches of rows; and five continuations of each prompt of 500 tokens, scored
by the engine, by a forward pass for each, and by one for all five.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import torch
from _generation import answered, generate
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from whetstone.core.errors import ModelError
from whetstone.core.types import Prompt, Request, Sample, Sampling, Score, user
from whetstone.models.pretrained import find_device
from whetstone.models.transformers import TransformersModel

SIZES: dict[str, dict[str, int]] = {
    "tiny": {
        "vocab_size": 512,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
    "1b": {
        "vocab_size": 128256,
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
}
SAMPLES, LONGEST, EVERY = 16, 128, 50
PROMPT, CONTINUATIONS = 500, 5
TARGETS = "targets: 3 times a question at a time, 1.5 times the best static batch; scoring 3 times one pass for each"


def build(size: str, device: torch.device, slots: int) -> TransformersModel:
    """A network with random weights and a tokenizer of made-up words, `w1 w2 ...`."""
    shape = SIZES[size]
    config = LlamaConfig(
        **shape,  # type: ignore[arg-type]
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=list(range(1, shape["vocab_size"], EVERY)),
    )
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if device.type == "cpu" else torch.bfloat16)
    try:
        with device:
            net: Any = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    vocabulary = {"<pad>": 0, **{f"w{i}": i for i in range(1, shape["vocab_size"])}}
    tokenizer: Any = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return TransformersModel.of(net, tokenizer, slots=slots, name=f"Llama {size} with random weights")


def words(model: TransformersModel, rng: Random, count: int) -> str:
    """A text of so many tokens, none of which ends it."""
    size = model.net.config.vocab_size
    numbers = [rng.randrange(size // EVERY) * EVERY + rng.randrange(2, EVERY) for _ in range(count)]
    return " ".join(f"w{min(number, size - 2)}" for number in numbers)


def ask(model: TransformersModel, requests: Sequence[Request]) -> tuple[int, list[float]]:
    """Tokens generated or scored, and the log-probability of each reply, by the engine."""
    replies = answered(model, requests)
    totals = [sum(token.logprob or 0.0 for token in reply.tokens or ()) for reply in replies]
    return sum(reply.usage.completion for reply in replies), totals


def sampled(model: TransformersModel, prompts: Sequence[Prompt]) -> int:
    """Sixteen samples of each prompt by the engine."""
    rng = Random(1)
    sampling = [Sampling(max_tokens=LONGEST, seed=rng.getrandbits(31)) for _ in range(len(prompts) * SAMPLES)]
    return ask(model, [Sample(prompts[i // SAMPLES], each) for i, each in enumerate(sampling)])[0]


def static(model: TransformersModel, prompts: Sequence[Prompt], size: int) -> int:
    """The same by `generate` over batches of rows, padded on the left."""
    ids = [model.codec.prompt(prompt) for prompt in prompts for _ in range(SAMPLES)]
    return sum(generate(model, ids[i : i + size], 1, LONGEST) for i in range(0, len(ids), size))


def forward(model: TransformersModel, scores: Sequence[Score], together: int) -> tuple[int, list[float]]:
    """Scores by plain forward passes over prompt and continuation, `together` rows in each."""
    totals: list[float] = []
    tokens = 0
    for i in range(0, len(scores), together):
        rows = [
            (model.codec.prompt(s.prompt), model.codec.continuation(s.continuation)) for s in scores[i : i + together]
        ]
        ids = torch.tensor([(*prompt, *rest) for prompt, rest in rows], device=model.device)
        with torch.inference_mode():
            logprobs = model.net(ids[:, :-1], use_cache=False).logits.float().log_softmax(-1)
        picked = logprobs.gather(-1, ids[:, 1:, None])[..., 0]
        totals += [float(row[len(prompt) - 1 :].sum()) for row, (prompt, _) in zip(picked, rows, strict=True)]
        tokens += sum(len(rest) for _, rest in rows)
    return tokens, totals


def rate(work: Callable[[], int], device: torch.device, repeats: int) -> float:
    """The best tokens a second of some runs."""
    best = 0.0
    for _ in range(repeats):
        began = time.perf_counter()
        tokens = work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, tokens / (time.perf_counter() - began))
    return best


def show(title: str, rows: dict[str, float]) -> None:
    """Print rates beside the first one."""
    table = Table(title=title)
    for column in ("", "tokens/s", "engine is"):
        table.add_column(column, justify="right" if column else "left")
    first = next(iter(rows.values()))
    for name, each in rows.items():
        table.add_row(name, f"{each:,.0f}", f"{first / each:.1f}x")
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps, or auto (default %(default)s)")
    parser.add_argument("--size", choices=tuple(SIZES), default="tiny")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--prompts", type=int, default=8, help="prompts of 500 tokens to score continuations of")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--slots", type=int, default=256)
    options = parser.parse_args()
    try:
        device = find_device(options.device)
    except ModelError as error:
        sys.exit(f"--device: {error}")
    model = build(options.size, device, options.slots)
    rng = Random(0)
    prompts = [user(words(model, rng, rng.randint(8, 120))) for _ in range(options.questions)]
    few = prompts[:: max(1, len(prompts) // 10)]
    work: dict[str, Callable[[], int]] = {
        "engine": partial(sampled, model, prompts),
        "generate, a question at a time": lambda: sum(
            generate(model, [model.codec.prompt(prompt)], SAMPLES, LONGEST) for prompt in few
        ),
    }
    for size in sorted({min(size, len(prompts) * SAMPLES) for size in (64, 256)}):
        work[f"generate, static batches of {size}"] = partial(static, model, prompts, size)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    weights = sum(parameter.numel() for parameter in model.parameters())
    title = f"{model.name} ({weights:,} weights, {model.net.dtype}) on {where}"
    sampled(model, few[:1])
    show(f"{title}: sampling", {name: rate(each, device, options.repeats) for name, each in work.items()})

    long = [user(words(model, rng, PROMPT)) for _ in range(options.prompts)]
    scores = [Score(prompt, words(model, rng, 8)) for prompt in long for _ in range(CONTINUATIONS)]
    scored: dict[str, Callable[[], tuple[int, list[float]]]] = {
        "engine": partial(ask, model, scores),
        "one forward pass for each": partial(forward, model, scores, 1),
        "one for the five of a prompt": partial(forward, model, scores, CONTINUATIONS),
    }
    apart = max(abs(a - b) for a, b in zip(scored["engine"]()[1], forward(model, scores, 1)[1], strict=True))
    rates = {name: rate(lambda each=each: each()[0], device, options.repeats) for name, each in scored.items()}
    show(f"{title}: scoring 5 continuations of {PROMPT} tokens", rates)
    print(f"scores of 8 tokens differ by {apart:.2g} at most between engine and forward pass")
    print(TARGETS)


if __name__ == "__main__":
    main()
