"""Do a model's ratings of answers say the same as its comparisons of them?

python docs/examples/ratings_and_rankings.py --model grit --task ledger:levels=4-9
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from whetstone.audits.ratings_against_rankings import ratings_against_rankings
from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Candidate, Example, Finding, Generation, Model, Task
from whetstone.models.load import load_model
from whetstone.signals.critique import critique
from whetstone.signals.pairwise_judge import pairwise_judge
from whetstone.tasks.load import load_task

Pair = tuple[Example, Candidate, Candidate]


def draw(task: Task, example: Example) -> Flow[list[Generation]]:
    """Answers unlike each other."""
    return (yield from sample(example.prompt, n=6, sampling=replace(task.sampling, temperature=1.6)))


def pairs_of(model: Model, task: Task, questions: int) -> list[Pair]:
    """A right and a wrong answer of the model's own, for every question with both."""
    examples = {example.id: example for example in task.examples("test", n=questions)}
    drawn = drive({name: draw(task, example) for name, example in examples.items()}, {"policy": model}).results
    found = []
    for name, answers in drawn.items():
        by_label = {task.verify(examples[name], answer.text).value: answer for answer in reversed(answers)}
        if {0.0, 1.0} <= by_label.keys():
            found.append((examples[name], *(Candidate(str(label), by_label[label]) for label in (1.0, 0.0))))
    return found


def compared(model: Model, task: Task, pairs: Sequence[Pair], *, critiques: bool) -> Mapping[str, Finding]:
    """The audit, where a rating is whether a critique accepts the answer, and a comparison is asked in both orders."""
    judge = partial(pairwise_judge, critiques=critiques)
    rated = drive({e.id: critique(task, e, (a, b)) for e, a, b in pairs}, {"policy": model}).results
    chosen = drive({e.id: judge(task, e, a, b) for e, a, b in pairs}, {"policy": model}).results
    ratings, rankings, groups = [], [], []
    for example, first, second in pairs:
        values, choice = [signal.value for signal in rated[example.id]], chosen[example.id].choice
        if None not in values and choice is not None:
            ratings.append([float(value > 0.5) for value in values if value is not None])
            rankings.append({first.id: 1, second.id: -1}.get(choice, 0))
            groups.append(example.id)
    return {f.name: f for f in ratings_against_rankings(ratings, rankings, groups=groups)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="grit")
    parser.add_argument("--task", default="ledger:levels=4-9")
    parser.add_argument("--questions", type=int, default=150)
    args = parser.parse_args()
    model, task = load_model(args.model), load_task(args.task)
    pairs = pairs_of(model, task, args.questions)
    for critiques in (False, True):
        print("compared after critiques" if critiques else "compared at once")
        for name, found in compared(model, task, pairs, critiques=critiques).items():
            if found.estimate is not None and found.interval is not None:
                low, high = found.interval
                print(f"  {name:14} {found.estimate:.2f} [{low:.2f}, {high:.2f}] n={found.n}")


if __name__ == "__main__":
    main()
