"""A judge that compares two answers in one aspect at a time, trained on labels by aspect along a tree of aspects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from whetstone.audits.evaluating import named
from whetstone.core.errors import TaskError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Example, Finding, Round, Task, form, user
from whetstone.loops._judging import Judged, gain, measure
from whetstone.loops._lessons import LETTERS, Lesson, by_name, examined, made
from whetstone.loops._round import Turn, before, imitated
from whetstone.loops.trainable import Trainable
from whetstone.signals import forms
from whetstone.signals.aspect_judge import COMPARE, read_tree
from whetstone.signals.parsing import read_comparison

SHOWN = {"first": ("A", "B"), "second": ("B", "A"), "tie": ("E", "E")}


@method(
    "loop",
    papers=("FRABench and GenEval: Scaling Fine-Grained Aspect Evaluation across Tasks, Modalities",),
    checked="tests/loops/test_aspect_evaluator.py::test_agreement_rises_aspect_by_aspect_and_drives_the_judge",
)
def aspect_evaluator(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    unseen: str = "",
    rounds: int = 2,
    pairs: int = 600,
    monitor: int = 60,
    max_tokens: int = 256,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    seed: int = 0,
) -> Iterator[Round]:
    """Train a judge on pairwise labels by aspect, and watch its agreement with held-out labels in every aspect.

    Args:
        unseen: aspects (paths, by commas) that are judged but never trained on.
        rounds, pairs: rounds, and pairs of answers a round, each asked in every labelled aspect and in both orders.
        monitor: held-out pairs.
        max_tokens: length limit of a judgment.
        lr, tokens_per_batch: learning rate (None for the model's own) and batch size.

    An example has two `candidates`, `aspects` (a tree of names and definitions) and `aspect_labels` (path to "first",
    "second" or "tie"), and may have `aspect_reasons` (path to what a judge should say before its verdict, in the order
    given; such a pair is asked in that order alone). Images of the question are shown. The prompts are those of the
    judge `aspect_judge`, which can be run with the trained model, and audited by `aspect_agreement`.

    Yields:
        A round with `agreement/ASPECT` for every aspect and for every inner node of the tree that holds several,
        `accuracy`, `swap_consistency`, and `gain` over the untrained judge.
    """
    rng = Random(seed)
    every = [(e.id, lesson) for e in task.examples("train", seed=seed) for lesson in lessons_of(e)]
    watched = [lesson for e in task.examples("dev", n=monitor, seed=seed) for lesson in lessons_of(e)]
    paths = sorted({lesson.dataset for lesson in [*watched, *(lesson for _, lesson in every)]})
    hidden = named(unseen.lower(), paths, "aspect")
    taught = [(name, lesson) for name, lesson in every if lesson.dataset not in hidden]
    if not taught or not watched:
        raise TaskError(f"{task.name}: no pairs with aspect_labels to train on, or none held out")
    by_pair: dict[str, list[Lesson]] = {}
    for name, lesson in taught:
        by_pair.setdefault(name, []).append(lesson)
    names = [lesson.dataset for lesson in watched]
    untrained: list[Judged] = []
    for index in range(1, rounds + 1):
        turn, metrics = Turn(index, runner), dict[str, Finding]()
        if index == 1:
            untrained = examined(turn, "before", watched, max_tokens=max_tokens)
            metrics = before({**measure(untrained), **by_aspect(untrained, names)})
        drawn = [row.demonstration for name in rng.choices(sorted(by_pair), k=pairs) for row in by_pair[name]]
        metrics |= imitated(model, drawn, turn, rng, rounds=rounds, lr=lr, tokens_per_batch=tokens_per_batch)
        now = examined(turn, "after", watched, max_tokens=max_tokens)
        metrics |= {**measure(now), **by_aspect(now, names), "gain": gain("gain", now, untrained)}
        yield turn.end(model, seen=pairs, kept=len(drawn), metrics=metrics)


def by_aspect(judged: Sequence[Judged], names: Sequence[str]) -> dict[str, Finding]:
    """Agreement in each aspect and in each inner node that holds more than one."""
    found = by_name(judged, names, "agreement")
    nodes = sorted({name.rpartition("/")[0] for name in names if "/" in name})
    for node in nodes:
        inside = [i for i, name in enumerate(names) if name.startswith(f"{node}/")]
        if len({names[i] for i in inside}) > 1:
            found |= by_name([judged[i] for i in inside], [node] * len(inside), "agreement")
    return found


def lessons_of(example: Example) -> list[Lesson]:
    """A pair of answers as lessons, one a labelled aspect and order; the data set of a lesson is the aspect's path.

    Raises TaskError that names the example, for a label without its aspect, or one that is not a label.
    """
    texts, labels = example.meta.get("candidates"), example.meta.get("aspect_labels")
    if not isinstance(texts, Sequence) or len(texts) < 2 or not isinstance(labels, Mapping):
        raise TaskError(f"{example.id}: needs two `candidates` and `aspect_labels`, a mapping of aspects to labels")
    reasons = example.meta.get("aspect_reasons")
    said = {str(path).lower(): str(text) for path, text in reasons.items()} if isinstance(reasons, Mapping) else {}
    known = {leaf.path.lower(): leaf for leaf in read_tree(example.meta.get("aspects"))}
    found = []
    for path, label in labels.items():
        leaf = known.get(str(path).lower())
        if leaf is None or label not in SHOWN:
            raise TaskError(
                f"{example.id}: {path}: {label!r} is no label (first, second, tie) of an aspect of the tree"
            )
        orders = [(0, 1)] if leaf.path.lower() in said else [(0, 1), (1, 0)]
        for place, (one, two) in enumerate(orders):
            fields = {
                "first": str(texts[one]),
                "second": str(texts[two]),
                "aspect": leaf.path.replace("/", ", "),
                "definition": leaf.definition,
            }
            prompt = forms.about(example, user(form("compare_aspect", COMPARE, question=example.question, **fields)))
            verdict, pair = SHOWN[str(label)][place], f"{example.id}/{leaf.path}" if len(orders) > 1 else ""
            name = f"{leaf.path}/{place}"
            item = made(example, prompt, verdict, LETTERS, read_comparison, kind=leaf.path, pair=pair, name=name)
            reply = f"{said.get(leaf.path.lower(), '')}\nVerdict: {verdict}".lstrip()
            found.append(Lesson(item, reply, leaf.path.lower()))
    return found
