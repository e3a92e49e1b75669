"""Run a loop that trains a judge, print its findings after every round, and save what came of it.

python docs/examples/train_judge.py rise --task ledger:levels=2-5 warm_up=1000 lr=0.006 --out runs/judge
python docs/examples/train_judge.py j1 --model grit:runs/judge --plot accuracy.svg
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from whetstone.audits.asking import literal
from whetstone.core.flow import Driven, Flow, drive
from whetstone.core.registry import load
from whetstone.core.types import Finding, Model, Round
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task


class Runner:
    """`drive` bound to one model; results come back under the keys that went in."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __call__(self, name: str, flows: Mapping[str, Flow[Any]]) -> Driven[Any]:
        driven = drive({f"{name}/{key}": flow for key, flow in flows.items()}, {"policy": self.model}, seed=0)
        return replace(driven, results={key[len(name) + 1 :]: value for key, value in driven.results.items()})


def row(name: str, found: Finding) -> str:
    """One finding as a line."""
    number = "unknown" if found.estimate is None else f"{found.estimate:.3f}"
    limits = f"[{found.interval[0]:.3f}, {found.interval[1]:.3f}]" if found.interval else ""
    p = f"p={found.p:.2g}" if found.p is not None else ""
    return f"  {name:34} {number:8} {limits:18} n={found.n:<5} {p}"


def plot(rounds: Sequence[Round]) -> str:
    """Accuracy against the number of looks, before training and after each round, as an SVG drawing."""
    curves = {"untrained": {k[7:]: f for k, f in rounds[0].metrics.items() if k.startswith("before/looks/")}}
    names = ("reflection (SFT)", "reinforcement (RL)")
    curves |= {
        name: {k: f for k, f in done.metrics.items() if k.startswith("looks/")}
        for name, done in zip(names, rounds, strict=False)
    }
    shapes = ['<rect width="460" height="300" fill="white"/>']
    for tick in (0.4, 0.6, 0.8, 1.0):
        y = 250 - 350 * (tick - 0.4)
        shapes.append(f'<path d="M60 {y:.0f}H300" stroke="#ddd"/><text x="30" y="{y + 4:.0f}">{tick:.1f}</text>')
    colours = ("#888", "#c60", "#06c")
    for i, (colour, (name, curve)) in enumerate(zip(colours, curves.items(), strict=False)):
        found = [curve[key] for key in sorted(curve)]
        marks = [(80 + 70 * place + 4 * i, f) for place, f in enumerate(found) if f.estimate is not None]
        path = " ".join(f"{x},{250 - 350 * (f.estimate - 0.4):.1f}" for x, f in marks)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, f in marks:
            low, high = (250 - 350 * (limit - 0.4) for limit in f.interval)
            shapes.append(f'<path d="M{x} {low:.1f}V{high:.1f}" stroke="{colour}" opacity=".5"/>')
        shapes.append(f'<text x="310" y="{60 + 20 * i}" fill="{colour}">{name}</text>')
    shapes += [f'<text x="{80 + 70 * i}" y="270">{i + 1}</text>' for i in range(len(found))]
    shapes.append('<text x="110" y="292">looks at each pair</text>')
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 300" font-family="sans-serif" font-size="12">'
    return f"{head}{''.join(shapes)}</svg>\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loop")
    parser.add_argument("options", nargs="*", help="the loop's options, as name=value")
    parser.add_argument("--task", default="ledger:levels=2-5")
    parser.add_argument("--model", default="grit")
    parser.add_argument("--out", type=Path, help="folder of the trained judge; it is used as grit:FOLDER")
    parser.add_argument("--plot", type=Path, help="an SVG file of accuracy against looks, for j1")
    args = parser.parse_intermixed_args()
    model: Any = load_model(args.model)
    options = {name: literal(text) for name, _, text in (option.partition("=") for option in args.options)}
    rounds: list[Round] = []
    for done in load(args.loop, "loop")(model, load_task(args.task), Runner(model), **options):
        rounds.append(done)
        print(f"round {done.index}: {done.seen} judgments, {done.kept} training items, {done.seconds:.0f} s")
        print("\n".join(row(name, found) for name, found in done.metrics.items()), flush=True)
        for alarm in done.alarms:
            print(f"  {alarm.guard}: {alarm.message}")
    if args.plot and not rounds:
        parser.error(f"--plot: {args.loop} has no round to draw; set rounds above 0")
    if args.plot:
        args.plot.write_text(plot(rounds), encoding="utf-8")
    if args.out:
        model.save(args.out)


if __name__ == "__main__":
    main()
