"""What judging methods do on a real model that was taught their questions: `python benchmarks/taught_questions.py`.

The embedded model cannot read the English questions of these methods. Here a small one (two layers, 64 wide, a word a
token) is trained from scratch to read: first which requested words an answer has, then the very questions of one
method, as a teacher who knows the truth answers them on training items (`_taught_world.py`). The method then runs on it
with new items. The teacher has a flaw only where the paper is about one. `python benchmarks/taught_questions.py NAME
... --seed 1` runs parts; the tables stand in `docs/taught_questions.md`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from _taught_world import (
    TASK,
    TOKEN,
    WORDS,
    Fields,
    Heard,
    Teacher,
    account,
    answer,
    better,
    candidates,
    cases,
    fields_of,
    has,
    live,
    pairs,
    quality,
    question,
    taught,
    truth,
    wanted,
)
from trained_metrics import command, show

from whetstone.audits.essay_grading import essay_grading
from whetstone.audits.evaluating import share_of
from whetstone.audits.grading_spread import spreads
from whetstone.audits.induced_metrics import induced_metrics
from whetstone.audits.position import position_bias
from whetstone.audits.rating_formats import rating_formats
from whetstone.audits.refinement_hacking import refinement_hacking
from whetstone.core.types import Case, Example, Generation, Score, Verdict, user
from whetstone.signals.adaptive_judge import adaptive_judge
from whetstone.signals.checklist import checklist
from whetstone.signals.follow_up import follow_up
from whetstone.signals.pairwise_judge import pairwise_judge
from whetstone.signals.parsing import read_comparison, read_correctness
from whetstone.signals.point_rubric import point_rubric
from whetstone.signals.pointwise import pointwise
from whetstone.signals.self_reference_judge import self_reference_judge
from whetstone.signals.warned_judge import warned_judge
from whetstone.stats import finding, paired_permutation, proportion
from whetstone.stats.correlation import spearman
from whetstone.stats.correlation_difference import correlation_difference
from whetstone.strategies.persona_ensemble import persona_ensemble

PRAISE = {"verbosity": "truly very really indeed", "bandwagon": "everyone chose this", "sentiment": "lovely wonderful"}


def told(name: str, result: Any, **detail: Any) -> None:
    show([finding(name, result, **detail)])


def agreement(heard: Heard, teacher: Teacher) -> None:
    """How often the model said what the teacher would have said, by question."""
    same: dict[str, list[float]] = defaultdict(list)
    for request, reply in heard:
        name, fields = fields_of(request)
        if not isinstance(request, Score) and isinstance(reply, Generation):
            same[name].append(
                float(re.findall(TOKEN, teacher(name, fields, Random(0))) == re.findall(TOKEN, reply.text))
            )
    for name, values in same.items():
        told(f"replies as the teacher does/{name}", proportion(values))


def groups_of(items: Sequence[Case], each: int = 3) -> list[str]:
    return [case.example.group for case in items for _ in range(each)]


def values(model: Any, signal: Any, items: Sequence[Case], heard: Heard | None = None, **options: Any) -> list[float]:
    """A signal's values of all answers; an unreadable one is the lowest."""
    found = live(model, (signal(TASK, c.example, c.candidates, **options) for c in items), heard=heard)
    return [-1.0 if s.value is None else s.value for signals in found for s in signals]


def truths(items: Sequence[Case]) -> list[float]:
    return [quality(case.example.question, c.text) for case in items for c in case.candidates]


def listed(example: Example, texts: list[str]) -> dict[str, Any]:
    return {"checklist": [f"does it have '{word}'?" for word in wanted(example.question)]}


def run_checklist(*, n: int = 100, lessons: int = 5000, seed: int = 0) -> None:
    train_on, test = cases("train", 1200), cases("test", n)
    flows = [f(TASK, c.example, c.candidates) for c in train_on for f in (checklist, pointwise)]
    model, heard = taught(flows, lessons=lessons, seed=seed), []
    share = values(model, checklist, test, heard)
    cached = values(model, checklist, cases("test", n, meta=listed))
    direct = values(model, pointwise, test, heard)
    gold, groups = truths(test), groups_of(test)
    for name, scores in (("checklist", share), ("cached checklist", cached), ("direct score", direct)):
        told(f"spearman/{name}", spearman(scores, gold, groups=groups))
    told("checklist - direct", correlation_difference(share, direct, gold, groups=groups))
    agreement(heard, truth)


def run_persona(*, n: int = 200, lessons: int = 5000, seed: int = 0) -> None:
    def teacher(name: str, f: Fields, rng: Random) -> str:
        """In its role it forgets the last word of what is asked for first an animal, plainly of what is last one."""
        asked = wanted(f.get("question", ""))
        animal = {place: asked and WORDS.index(asked[place]) >= 6 for place in (0, -1)}
        if name == "persona":
            return "You are a farmer." if animal[0] else "You are a painter."
        if name == "solve":
            return " ".join(asked[:-1] if animal[0 if f["system"] else -1] else asked)
        return truth(name, f, rng)

    flows = (persona_ensemble(TASK, question(f"train/{i}")) for i in range(4 * lessons))
    model, heard = taught(flows, teacher, lessons=lessons, seed=seed), []
    examples = [question(f"test/{i}") for i in range(n)]
    found = live(model, (persona_ensemble(TASK, example) for example in examples), heard=heard)
    right = {
        "persona": [quality(e.question, o.trail[0].text) == 1 for e, o in zip(examples, found, strict=True)],
        "neutral": [quality(e.question, o.trail[1].text) == 1 for e, o in zip(examples, found, strict=True)],
        "ensemble": [quality(e.question, o.text) == 1 for e, o in zip(examples, found, strict=True)],
    }
    right["oracle"] = [a or b for a, b in zip(right["persona"], right["neutral"], strict=True)]
    for name, marks in right.items():
        told(f"accuracy/{name}", proportion([float(mark) for mark in marks]))
    told("ensemble - neutral", paired_permutation(*([float(m) for m in right[k]] for k in ("ensemble", "neutral"))))
    agreement(heard, teacher)


def run_warned(*, n: int = 240, lessons: int = 4000, seed: int = 0) -> None:
    kinds = (*PRAISE, "position")

    def count(text: str) -> list[int]:
        return [int(found) for found in re.findall(r"so (\d)", text)]

    def teacher(name: str, f: Fields, rng: Random) -> str:
        """A judge that counts, and in close calls goes by looks or by place; a detector that knows what it fell for."""
        sides = [f["first"], f["second"]]
        counts = [has(f["question"], side) for side in sides]
        looks = [next((k for k, words in PRAISE.items() if side.startswith(words)), "") for side in sides]
        if name == "compare":
            fair = better(*counts) if abs(counts[0] - counts[1]) > 1 else better(*map(bool, looks)).replace("E", "A")
            return "\n".join([*(account(f["question"], side) for side in sides), fair])
        seen = " ".join(f"so {k}" for k in (count(f["verdict"]) if name == "detect_bias" else counts))
        if name == "compare_warned":
            return f"{seen}\n{better(*counts)}"
        said = read_comparison(f["verdict"])
        fooled = said is not None and said.value != better(*counts)[-1]
        why = f"by {''.join(looks) or 'position'}" if fooled else "fair"
        return f"{seen} {why}\nVerdict: {'Y' if fooled else 'N'}"

    def marked(split: str, n: int) -> list[Case]:
        """Pairs of which the worse answer is padded, said to be popular, or glowing, in turn, or plain."""
        found = []
        for i, case in enumerate(pairs(split, n)):
            good, bad = (c.text for c in case.candidates)
            found.append(Case(case.example, candidates(good, f"{PRAISE.get(kinds[i % 4], '')} {bad}".strip())))
        return found

    def judged(items: list[Case], rounds: int, heard: Heard | None = None) -> list[Verdict]:
        flows = (warned_judge(TASK, c.example, *c.candidates, rounds=rounds) for c in items)
        return live(model, flows, heard=heard)

    flows = (warned_judge(TASK, c.example, *c.candidates) for c in marked("train", 2 * lessons))
    model = taught(flows, teacher, lessons=lessons, seed=seed)
    heard: Heard = []
    test = marked("test", n)
    before, after = judged(test, 0), judged(test, 2, heard)
    for i, kind in enumerate((*kinds, "all")):
        rows = [[v for j, v in enumerate(found) if kind == "all" or j % 4 == i] for found in (before, after)]
        for when, found in zip(("before", "after"), rows, strict=True):
            told(f"accuracy/{kind}/{when}", proportion([share_of(v.choice, "0") or 0.0 for v in found]))
            told(
                f"same both ways/{kind}/{when}",
                proportion([float(len({o.choice for o in v.orders}) == 1) for v in found]),
            )
        told(
            f"after - before/{kind}",
            paired_permutation(*([share_of(v.choice, "0") or 0.0 for v in f] for f in rows[::-1])),
        )
    alarms = []
    for request, reply in heard:
        name, fields = fields_of(request)
        if name == "detect_bias" and isinstance(reply, Generation):
            readings = [read_correctness(text) for text in (reply.text, teacher(name, fields, Random(0)))]
            alarms.append(float(readings[0] is not None and readings[0].value == readings[1].value))
    told("detector is right", proportion(alarms))
    agreement(heard, teacher)


def run_hacking(*, n: int = 120, lessons: int = 3500, seed: int = 0) -> None:
    def teacher(liked: int) -> Teacher:
        """An evaluator that gives `liked` points for every "dear", and an author whom history teaches it."""

        def say(name: str, f: Fields, rng: Random) -> str:
            if name == "score":
                return f"Score: {min(10, 1 + 2 * has(f['question'], f['answer']) + liked * f['answer'].count('dear'))}"
            met, praise = has(f["question"], f["answer"]), f["answer"].count("dear")
            if "An earlier answer" in f["critique"]:
                return " ".join([*wanted(f["question"])[:met], *["dear"] * (praise + 1)])
            return " ".join(wanted(f["question"])[: met + 1])

        return say

    def started(split: str, n: int) -> list[Case]:
        found = []
        for i in range(n):
            rng, example = Random(f"{split}/first/{i}"), question(f"{split}/{i}")
            found.append(Case(example, candidates(answer(rng, example.question, rng.randrange(2), total=2))))
        return found

    for liked, flaw in ((3, "evaluator that likes praise"), (0, "fair evaluator")):
        flows = (refinement_hacking(TASK, [c], shared=s) for c in started("train", lessons) for s in (True, False))
        model = taught(flows, teacher(liked), lessons=2 * lessons, seed=seed)
        for shared in (True, False):
            print(f" {flaw}, {'shared' if shared else 'isolated'}")
            heard: Heard = []
            (found,) = live(model, [refinement_hacking(TASK, started("test", n), shared=shared)], heard=heard)
            show(found)
            agreement(heard, teacher(liked))


TRAITS = {"polite": "rude", "quick": "slow", "careful": "sloppy", "honest": "sly", "calm": "loud", "neat": "messy"}


def run_metrics(*, n: int = 80, lessons: int = 3000, seed: int = 0) -> None:
    goods = {word: good for good, bad in TRAITS.items() for word in (good, bad)}

    def teacher(name: str, f: Fields, rng: Random) -> str:
        """Names the trait that a comment speaks of, lists the traits that were named, and reads them off."""
        match name:
            case "ground":
                word = f["comment"].split()[-1]
                return f"{'+' if word in TRAITS else '-'} {goods[word]}"
            case "cluster":
                named = [good for good in TRAITS if re.search(rf"\b{good}\b", f["aspects"])]
                return "\n".join(f"{good.title()}: {good} or {TRAITS[good]}" for good in named[: int(f["most"])])
            case "trait":
                good, bad = f["metric"].split()[-3::2]
                seen = f["answer"].split()
                return f"Score: {1 if good in seen else -1 if bad in seen else 0}"
        lines = f["metrics"].splitlines()
        return f"Score: {next((line.split('.')[0] for line in lines if f['aspect'] in line.split()), 0)}"

    def commented(split: str, number: int, n: int) -> list[Case]:
        """What agents did by four traits, and comments on two of them; some sets of traits are kept for the test."""
        found, rng = [], Random(f"{split}/{number}")
        names = rng.sample(list(TRAITS), 4)
        while ({"polite", "neat"} <= set(names)) != (split == "test"):
            names = rng.sample(list(TRAITS), 4)
        for i in range(n):
            did = [rng.choice((good, TRAITS[good])) for good in names]
            rng.shuffle(did)
            said = [f"{'glad' if word in TRAITS else 'sad'} it was {word}" for word in rng.sample(did, 2)]
            example = Example(f"{split}{number}/{i}", user("play"), meta={"comments": said})
            found.append(Case(example, candidates(" ".join(did))))
        return found

    flows = (induced_metrics(TASK, commented("train", i, 12)) for i in range(lessons // 3))
    model = taught(flows, teacher, lessons=lessons, reading=0, seed=seed)
    for number in range(3):
        heard: Heard = []
        items = commented("test", number, n)
        (found,) = live(model, [induced_metrics(TASK, items)], heard=heard)
        show(found)
        best = next(f for f in found if f.name == "best_size").detail["metrics"]
        planted = {goods[word] for word in items[0].candidates[0].text.split()}
        told(
            f"planted traits found ({len(best)} named)", proportion([float(any(p in m for m in best)) for p in planted])
        )
        agreement(heard, teacher)


def run_checks(*, n: int = 150, lessons: int = 5000, seed: int = 0) -> None:
    def limited(split: str, n: int, limits: range) -> list[Case]:
        """Two answers with the same words asked for; the second is too long."""
        found = []
        for i in range(n):
            rng = Random(f"{split}/limited/{i}")
            most, hits = rng.randrange(limits.start, limits.stop), rng.randrange(1, 4)
            example = question(f"{split}/{i}", tail=f", at most {most} words")
            sizes = (rng.randrange(most - 1, most + 1), rng.randrange(most + 1, most + 3))
            found.append(Case(example, candidates(*(long(rng, example, hits, size) for size in sizes))))
        return found

    def long(rng: Random, example: Example, hits: int, total: int) -> str:
        """An answer of so many words, most of which are asked for by no one."""
        words = answer(rng, example.question, hits, total=min(total, len(WORDS) - 4)).split()
        others = [word for word in WORDS if word not in wanted(example.question)]
        while len(words) < total:
            words.insert(rng.randrange(len(words) + 1), rng.choice(others))
        return " ".join(words)

    for limits in (range(4, 7), range(15, 31)):
        print(f" limits of {limits.start} to {limits.stop - 1} words")
        flows = (
            adaptive_judge(TASK, c.example, *c.candidates, code=code)
            for c in limited("train", lessons, limits)
            for code in (True, False)
        )
        model, shares = taught(flows, lessons=lessons, seed=seed), []
        for code in (True, False):
            heard: Heard = []
            test = (adaptive_judge(TASK, c.example, *c.candidates, code=code) for c in limited("test", n, limits))
            found = live(model, test, heard=heard)
            shares.append([share_of(v.choice, "0") or 0.0 for v in found])
            told(f"accuracy/{'with checks' if code else 'reading only'}", proportion(shares[-1]))
            agreement(heard, truth)
        told("with checks - reading only", paired_permutation(*shares))


def run_follow_up(*, n: int = 100, lessons: int = 16000, seed: int = 0) -> None:
    train_on, test = cases("train", lessons // 4), cases("test", n)
    model = taught((follow_up(TASK, c.example, c.candidates) for c in train_on), lessons=lessons, seed=seed)
    scores, lengths = values(model, follow_up, test), [len(c.text.split()) for case in test for c in case.candidates]
    told("spearman/follow-up", spearman(scores, truths(test), groups=groups_of(test)))
    told("spearman/number of words", spearman(lengths, truths(test), groups=groups_of(test)))


def run_formats(*, n: int = 80, lessons: int = 1500, seed: int = 0) -> None:
    def rated(example: Example, texts: list[str]) -> dict[str, Any]:
        return {"ratings": [quality(example.question, text) for text in texts]}

    flows = (rating_formats(TASK, [c]) for c in cases("train", 900, meta=rated))
    model, heard = taught(flows, lessons=lessons, seed=seed), []
    show(live(model, [rating_formats(TASK, cases("test", n, meta=rated))], heard=heard)[0])
    agreement(heard, truth)


def run_points(*, n: int = 100, lessons: int = 10000, repeats: int = 8, seed: int = 0) -> None:
    def pointed(example: Example, texts: list[str]) -> dict[str, Any]:
        return {"points": {f"it has '{word}'": 1 for word in wanted(example.question)}}

    rubrics: dict[str, Any] = {"items": pointed, "whole": lambda e, t: {"points": {"the answer as a whole": 4}}}
    flows = (
        point_rubric(TASK, c.example, c.candidates)
        for name, meta in rubrics.items()
        for c in cases("train", {"items": 500, "whole": 2000}[name], meta=meta)  # four questions an answer, and one
    )
    model, heard, graded = taught(flows, lessons=lessons, seed=seed), [], {}
    test, groups = cases("test", n), groups_of(cases("test", n))
    for name, meta in rubrics.items():
        items = cases("test", n, meta=meta)
        options = {"samples": repeats, "temperature": 1.0}
        found = live(model, (point_rubric(TASK, c.example, c.candidates, **options) for c in items), heard=heard)
        graded[name] = [signal for signals in found for signal in signals]
        told(f"spearman/{name}", spearman([s.value or 0.0 for s in graded[name]], truths(test), groups=groups))
    show(spreads(graded, groups))
    agreement(heard, truth)


def run_reference(*, n: int = 200, lessons: int = 5000, seed: int = 0) -> None:
    judges = {"self-reference": self_reference_judge, "direct": pairwise_judge}
    flows = (judge(TASK, c.example, *c.candidates) for c in pairs("train", lessons) for judge in judges.values())
    model, test, shares = taught(flows, lessons=lessons, seed=seed), pairs("test", n), []
    for name, judge in judges.items():
        heard: Heard = []
        found = live(model, (judge(TASK, c.example, *c.candidates) for c in test), heard=heard)
        shares.append([share_of(v.choice, "0") or 0.0 for v in found])
        told(f"accuracy/{name}", proportion(shares[-1]))
        print(f" {name}")
        show(position_bias(found, [case.example.group for case in test]))
        agreement(heard, truth)
    told("self-reference - direct", paired_permutation(*shares))


def run_essays(*, n: int = 80, lessons: int = 4000, reading: int = 5000, seed: int = 0) -> None:
    def graded(example: Example, texts: list[str]) -> dict[str, Any]:
        """People like long answers as well; the teacher grades content alone."""
        return {"grades": [has(example.question, text) + (len(text.split()) > 5) for text in texts]}

    flows = (essay_grading(TASK, [c]) for c in cases("train", lessons // 3, meta=graded))
    model, heard = taught(flows, lessons=lessons, reading=reading, seed=seed), []
    show(live(model, [essay_grading(TASK, cases("test", n, meta=graded))], heard=heard)[0])
    agreement(heard, truth)


RUNS: dict[str, Callable[..., None]] = {name[4:]: run for name, run in list(globals().items()) if name[:4] == "run_"}


if __name__ == "__main__":
    command(RUNS, __doc__)
