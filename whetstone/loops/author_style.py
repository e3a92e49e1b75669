"""Fine-tuning with a token that says whose style to write in, and what the token is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from whetstone.core.errors import TaskError
from whetstone.core.flow import Flow, Runner, sample
from whetstone.core.registry import method
from whetstone.core.types import Example, Finding, Prompt, Round, Sampling, Task
from whetstone.loops._author import author_of, authored, closeness, in_style, plain, stranger, tokens_of
from whetstone.loops._round import Turn, before, imitated
from whetstone.loops.objectives import Demonstration
from whetstone.loops.trainable import Trainable
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import clustered_mean
from whetstone.stats.paired import paired_permutation

ARMS = ("own", "other", "none")


@method(
    "loop",
    papers=("Automatic Personalized Impression Generation for PET Reports Using Large Language Models",),
    checked="tests/loops/test_author_style.py::test_the_token_brings_the_author_s_style_where_there_is_one",
)
def author_style(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    template: str = "Author: {author}.",
    metric: str = "rouge_l",
    rounds: int = 1,
    texts: int = 2000,
    monitor: int = 100,
    max_tokens: int = 128,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    seed: int = 0,
) -> Iterator[Round]:
    """Fine-tune on texts with their author's token, and test the token against another author's and against none.

    Args:
        template: the style token; `{author}` is the author's name.
        metric: how close a text is to what the author wrote; the one that `expert_metrics` finds best.
        rounds, texts: rounds, and texts a round.
        monitor: held-out texts.
        max_tokens: length limit of a text.
        lr, tokens_per_batch: learning rate (None for the model's own) and batch size.

    An example's `meta["author"]` wrote its target.

    Yields:
        A round with `METRIC/own`, `METRIC/other` and `METRIC/none`: how close greedy texts are to the author's own with
        the author's token, with another author's, and with none; and `gain/other`, `gain/none`: own minus these,
        paired, against 0.
    """
    rng = Random(seed)
    written, held = authored(task.examples("train", seed=seed)), authored(task.examples("dev", n=monitor, seed=seed))
    authors = sorted({author_of(example) for example in [*written, *held]})
    if len(authors) < 2 or not written or not held:
        raise TaskError(f"{task.name}: {len(authors)} authors; the style token needs two or more, with texts held out")
    tokens = tokens_of(authors, template)
    for index in range(1, rounds + 1):
        turn, metrics = Turn(index, runner), dict[str, Finding]()
        if index == 1:
            metrics = before(compared(turn, "before", held, tokens, metric, max_tokens))
        drawn = [rng.choice(written) for _ in range(texts)]
        # A tenth of the texts has no token, so that the model can also be asked without one.
        prompts = [in_style(plain(e), tokens[author_of(e)] if rng.random() > 0.1 else "") for e in drawn]
        items = [Demonstration(prompt, str(e.target)) for prompt, e in zip(prompts, drawn, strict=True)]
        metrics |= imitated(model, items, turn, rng, rounds=rounds, lr=lr, tokens_per_batch=tokens_per_batch)
        metrics |= compared(turn, "after", held, tokens, metric, max_tokens)
        yield turn.end(model, seen=texts, kept=texts, metrics=metrics)


def compared(
    turn: Turn, phase: str, held: Sequence[Example], tokens: Mapping[str, str], metric: str, max_tokens: int
) -> dict[str, Finding]:
    """Closeness to the author's text under each token, and what the author's own adds."""
    names, targets = list(tokens), [str(example.target) for example in held]
    scores: dict[str, list[float]] = {}
    for arm in ARMS:
        whose = _whose(arm, names)
        prompts = [in_style(plain(example), tokens.get(whose(example), "")) for example in held]
        flows = {f"{i}": _greedy(prompt, max_tokens) for i, prompt in enumerate(prompts)}
        said = turn(f"{phase}/{arm}", flows).results
        scores[arm] = closeness([said.get(f"{i}", "") for i in range(len(held))], targets, metric)
    groups = [example.group or example.id for example in held]
    found = {f"{metric}/{a}": finding(f"{metric}/{a}", clustered_mean(scores[a], groups)) for a in ARMS}
    for arm in ARMS[1:]:
        test = paired_permutation(scores["own"], scores[arm], groups=groups)
        clear = test.p is not None and test.p < 0.05 and (test.effect.value or 0) > 0
        told = "the token brings the author's style" if clear else "the token changes nothing, as far as seen"
        found[f"gain/{arm}"] = finding(f"gain/{arm}", test, verdict=told)
    return found


def _whose(arm: str, names: Sequence[str]) -> Callable[[Example], str]:
    if arm == "own":
        return author_of
    return (lambda example: stranger(author_of(example), names)) if arm == "other" else lambda example: ""


def _greedy(prompt: Prompt, max_tokens: int) -> Flow[str]:
    (reply,) = yield from sample(prompt, sampling=Sampling(0.0, max_tokens=max_tokens))
    return reply.text
