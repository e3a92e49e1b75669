"""What trained metrics and judges reach on generated worlds: `python benchmarks/trained_metrics.py NAME ... --seed 1`.

The worlds are those of the tests, larger; the tables stand in `docs/trained_metrics.md`. Judges are trained from
scratch (two layers, 64 wide, a word a token), but for `critic`, which trains grit.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from whetstone.audits.dialogue_quality import dialogue_quality
from whetstone.audits.mismatch import mismatch
from whetstone.audits.rating_predictors import rating_predictors
from whetstone.core.types import Finding, Round
from whetstone.loops._train import train
from whetstone.loops.answer_graders import answer_graders
from whetstone.loops.aspect_evaluator import aspect_evaluator
from whetstone.loops.author_style import author_style
from whetstone.loops.generalist_critic import generalist_critic
from whetstone.loops.judge_mixture import judge_mixture
from whetstone.loops.judgments import judgments
from whetstone.loops.objectives import likelihood
from whetstone.loops.rollout_judge import rollout_judge
from whetstone.loops.rubric_judge import rubric_judge
from whetstone.models.grit import load_grit
from whetstone.tasks.load import load_task

TESTS = Path(__file__).parents[1] / "tests"


def world(path: str) -> Any:
    """A test file as a module."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), TESTS / f"{path}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def show(findings: Iterable[Finding]) -> None:
    """One line a finding."""
    for f in findings:
        if f.estimate is not None:
            limits = "" if f.interval is None else f"[{f.interval[0]:.2f}, {f.interval[1]:.2f}]"
            print(f"  {f.name:45s} {f.estimate:7.3f}  {limits:16s} n={f.n}  {f.verdict}")


def rounds(found: Iterable[Round]) -> None:
    """The metrics of every round."""
    for r in found:
        print(f" round {r.index}")
        show(replace(metric, name=name) for name, metric in sorted(r.metrics.items()) if name not in ("loss", "sheet"))


def lm(words: Any, seed: int) -> tuple[Any, Any]:
    """A model from scratch and its runner."""
    model = world("loops/conftest").make_reader(words, seed=seed)
    return model, world("conftest").Drive(model)


def run_mismatch(*, seed: int = 0) -> None:
    show(mismatch(world("audits/test_mismatch").rows(240), seed=seed))


def run_dialogue(*, seed: int = 0) -> None:
    w = world("audits/test_dialogue_quality")
    show(dialogue_quality(w.raw(200), w.rated(200), seed=seed))


def run_raters(*, seed: int = 0) -> None:
    w, toy = world("audits/test_rating_predictors"), world("conftest")
    for planted in (True, False):
        show(rating_predictors(w.cases_of(toy, 120, planted=planted), seed=seed))


def run_mixture(*, seed: int = 0) -> None:
    w = world("loops/test_judge_mixture")
    task = judgments(w.material(2000, 1), tasks=w.SAME)
    model, runner = lm(w.WORDS, seed)
    settings = {"target": "pairs", "unseen": "labels", "warm": 5000, "patch": 600, "lessons": 3200, "checks": 8}
    rounds(judge_mixture(model, task, runner, monitor=300, max_tokens=24, **settings, seed=seed))


def run_rubric(*, seed: int = 0) -> None:
    w = world("loops/test_rubric_judge")
    for feedback in (True, False):
        model, runner = lm(w.WORDS, seed)
        settings = {"rounds": 3, "lessons": 2500, "monitor": 200, "max_tokens": 16, "feedback": feedback}
        rounds(rubric_judge(model, w.Rubrics(600), runner, **settings, seed=seed))


def run_rollout(*, seed: int = 0) -> None:
    w = world("loops/test_rollout_judge")
    model, runner = lm(w.WORDS, seed)
    read = [o.demonstration for e in w.Game().examples("train", n=2500, seed=7) for o in w.lessons_of(e)[2::3]]
    train(model, read, likelihood, lr=2e-2, seed=seed)
    rounds(rollout_judge(model, w.Game(), runner, rollouts=2500, monitor=100, lr=1e-2, max_tokens=24, seed=seed))


def run_aspects(*, seed: int = 0) -> None:
    w = world("loops/test_aspect_evaluator")
    model, runner = lm(w.WORDS, seed)
    rounds(aspect_evaluator(model, w.Aspects(), runner, rounds=1, pairs=1000, monitor=100, max_tokens=10, seed=seed))


def run_critic(*, seed: int = 0) -> None:
    model, runner = load_grit(), world("conftest").Drive
    settings = {"questions": 700, "policy": 80, "monitor": 60, "lr": 5e-3}
    rounds(generalist_critic(model, load_task("ledger:levels=3-5"), runner(model), **settings, seed=seed))


def run_style(*, seed: int = 0) -> None:
    w = world("loops/test_author_style")
    for styles in (True, False):
        model, runner = lm(w.WORDS, seed)
        settings = {"texts": 2400, "monitor": 200, "max_tokens": 8, "tokens_per_batch": 256}
        rounds(author_style(model, w.Reports(styles=styles), runner, **settings, seed=seed))


def run_graders(*, seed: int = 0) -> None:
    w = world("loops/test_answer_graders")
    model, _ = lm(w.WORDS, seed)
    settings = {"answers": 3500, "monitor": 60, "max_tokens": 16, "rater": "rater"}
    rounds(answer_graders(model, w.Answers(), w.runner_of(model), **settings, seed=seed))


RUNS: dict[str, Callable[..., None]] = {name[4:]: run for name, run in list(globals().items()) if name[:4] == "run_"}


def command(runs: Mapping[str, Callable[..., None]], told: str | None) -> None:
    """A command line that makes the named runs, or all, with a seed."""
    parser = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(runs))
    parser.add_argument("--seed", type=int, default=0, help="of the models and what they are taught (default 0)")
    args = parser.parse_args()
    for name in args.names or runs:
        began = time.process_time()
        print(name)
        runs[name](seed=args.seed)
        print(f"  ({time.process_time() - began:.0f} s of one core)\n", flush=True)


if __name__ == "__main__":
    command(RUNS, __doc__)
