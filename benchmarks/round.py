"""One round of `improve` on grit, part by part: sample 3,000 solutions, keep the agreed ones, train, evaluate."""

from __future__ import annotations

import time
from collections.abc import Mapping

import whetstone as ws
from whetstone.core.flow import Driven, Flow, drive
from whetstone.core.registry import load
from whetstone.models.grit import load_grit

TARGET = "target: under 30 s for a round of 3,000 generations"
QUESTIONS, SAMPLES, HELD_OUT = 375, 8, 200


def main() -> None:
    """Print the seconds of sampling, training and evaluation."""
    task, model = ws.load_task("ledger:levels=8-15"), load_grit()
    greedy = load("greedy", "strategy")
    spent: dict[str, float] = {}
    generations = 0

    def runner(name: str, flows: Mapping[str, Flow[object]]) -> Driven[object]:
        nonlocal generations
        began = time.perf_counter()
        done = drive(flows, {"policy": model}, seed=0)
        spent["sample"] = spent.get("sample", 0.0) + time.perf_counter() - began
        generations += done.ledger.requests
        return done

    loop = load("expert_iteration", "loop")
    began = time.perf_counter()
    (done,) = loop(model, task, runner, rounds=1, questions=QUESTIONS, k=SAMPLES, retries=0, seed=0)
    spent["train"] = time.perf_counter() - began - spent["sample"]
    began = time.perf_counter()
    held_out = list(task.examples("test", n=HELD_OUT))
    answered = drive({example.id: greedy(task, example) for example in held_out}, {"policy": model})
    spent["evaluate"] = time.perf_counter() - began
    assert len(answered.results) == HELD_OUT
    print(f"{generations} generations, {done.kept} kept; {TARGET}\n\n| part | seconds |\n| --- | --- |")
    for part, seconds in {**spent, "whole round": sum(spent.values())}.items():
        print(f"| {part} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
