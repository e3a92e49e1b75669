"""The world of `taught_questions.py`: requests for words, a teacher who knows the truth, and a model that it teaches.

A request names words ("use 'red' 'owl'"); an answer is as good as the share of them that it has. The teacher answers
every question that a method asks on training items, and a small model learns those replies. Sets of words that are
tested are never taught.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import torch
from tokenizers import Regex, pre_tokenizers
from trained_metrics import world

from whetstone.core.flow import Flow, drive
from whetstone.core.types import (
    Candidate,
    Case,
    Example,
    Form,
    Generation,
    Reply,
    Request,
    Sampling,
    Score,
    Signal,
    form,
    user,
)
from whetstone.loops._train import train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.models.grit.network import optimizer
from whetstone.models.scripted import ScriptedModel, generation
from whetstone.models.transformers import TransformersModel
from whetstone.signals.follow_up import DISLIKED, LIKED

T = TypeVar("T")
Fields = Mapping[str, str]
Teacher = Callable[[str, Fields, Random], str]

TOKEN = r"'\w+'|=>|<=|-\d|\w+|\n|[^\w\s]"
"""A quoted word is one token, so that a request names words in a way that no answer does."""
WORDS = ["red", "tan", "blue", "pink", "gold", "teal", "cat", "dog", "owl", "bee", "fox", "hen"]
READING = {
    "reading": "Question: {question}\n\nAnswer: {answer}\n\nWhich of the words does it have?",
    "copying": "Question: {question}\n\nWhich words does it ask for?",
    "repeating": "Answer: {answer}\n\nRepeat the answer.",
}


@dataclass(frozen=True, slots=True)
class Requests:
    """Questions that ask for words, some with a limit; an answer is as good as the share of them that it has."""

    name: str = "requests"
    sampling: Sampling = Sampling(max_tokens=24)

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        return iter(())

    def read(self, example: Example, text: str) -> str | None:
        return " ".join(sorted(text.split())) or None

    def verify(self, example: Example, text: str) -> Signal:
        return Signal(quality(example.question, text), "score")

    process = verify

    def complete(self, example: Example, text: str) -> bool | None:
        return None


TASK = Requests()


def wanted(question: str | Form) -> list[str]:
    """The words that a question asks for."""
    return re.findall(r"'(\w+)'", str(question))


def holds(requirement: str, answer: str) -> bool:
    """Does an answer meet one requirement: to have a quoted word, or at most so many?"""
    words, limit = wanted(requirement), re.search(r"at most (\d+)", requirement)
    return len(answer.split()) <= int(limit[1]) if limit else words[0] in answer.split()


def has(question: str | Form, answer: str) -> int:
    return sum(word in answer.split() for word in wanted(question))


def quality(question: str | Form, answer: str) -> float:
    return has(question, answer) / len(wanted(question))


def question(key: str, *, tail: str = "", **meta: Any) -> Example:
    """A request for four words; equal keys give equal requests. No set of words is both taught and tested."""
    rng, tested = Random(key), key.startswith("test")
    words = rng.sample(WORDS, 4)
    while (sum(map(WORDS.index, words)) % 4 == 0) != tested:
        words = rng.sample(WORDS, 4)
    words = " ".join(f"'{word}'" for word in words)
    return Example(key, user(form("solve", "{question}", question=f"use {words}{tail}")), group=key, meta=meta)


def answer(rng: Random, asked: str | Form, hits: int, *, total: int = 0) -> str:
    """An answer with `hits` of the requested words among others; its length says nothing about how good it is."""
    words = wanted(asked)
    others = rng.sample([word for word in WORDS if word not in words], (total or rng.randrange(4, 8)) - hits)
    chosen = rng.sample(words, hits) + others
    rng.shuffle(chosen)
    return " ".join(chosen)


def candidates(*texts: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(str(i), Generation(text)) for i, text in enumerate(texts))


def cases(
    split: str, n: int, *, each: int = 3, meta: Callable[[Example, list[str]], Any] = lambda e, t: {}
) -> list[Case]:
    """Questions with `each` answers of any quality; `meta` makes what they bring along."""
    found = []
    for i in range(n):
        rng, example = Random(f"{split}/answers/{i}"), question(f"{split}/{i}")
        texts = [answer(rng, example.question, rng.randrange(5)) for _ in range(each)]
        found.append(Case(question(f"{split}/{i}", **meta(example, texts)), candidates(*texts)))
    return found


def pairs(split: str, n: int) -> list[Case]:
    """Pairs of answers of which the first is the better one."""
    found = []
    for i in range(n):
        rng, example = Random(f"{split}/pairs/{i}"), question(f"{split}/{i}")
        low, high = sorted(rng.sample(range(5), 2))
        found.append(Case(example, candidates(*(answer(rng, example.question, k) for k in (high, low)))))
    return found


def account(asked: str, text: str) -> str:
    """Which requested words an answer has, and how many."""
    return (
        " ".join(f"{w} {'yes' if holds(w, text) else 'no'}" for w in re.findall(r"'\w+'", asked))
        + f" so {has(asked, text)}"
    )


def better(a: float, b: float) -> str:
    return f"Verdict: {'A' if a > b else 'B' if b > a else 'E'}"


def truth(name: str, f: Fields, rng: Random) -> str:
    """What one who knows the truth replies to the form `name` with these fields."""
    asked, text = f.get("question", ""), f.get("answer", "")
    items = [f"does it have {word}?" for word in re.findall(r"'\w+'", asked)]
    match name:
        case "reading":
            return account(asked, text)
        case "repeating":
            return text
        case "solve" | "copying":
            return " ".join(wanted(asked))
        case "checklist":
            return "\n".join(f"- {item}" for item in items)
        case "check":
            return f"Verdict: {'Y' if holds(f['item'], text) else 'N'}"
        case "evaluation_steps":
            return "\n".join(f"{i}. {item}" for i, item in enumerate(items, 1))
        case "score":
            said = f"Score: {(1, 3, 5, 8, 10)[has(asked, text)]}"
            before, after = "First analyze" in f[""], "then explain" in f[""]
            return f"{account(asked, text)}\n{said}" if before else f"{said}\n{account(asked, text)}" if after else said
        case "award":
            return f"Score: {int(holds(f['criterion'], text)) if wanted(f['criterion']) else has(asked, text)}"
        case "grade_essay":
            return f"{account(asked, text)}\nScore: {has(asked, text)}"
        case "compare":
            return better(has(asked, f["first"]), has(asked, f["second"]))
        case "criticise":
            return account(asked, text)
        case "compare_criticised":
            return better(has(asked, f["first"]), has(asked, f["second"]))
        case "plan_checks":
            (limit,) = re.findall(r"at most \d+", asked)
            run = f"Run: {limit} words? => len(words(answer)) <= {limit.split()[-1]}"
            return "\n".join([*(f"Read: {item}" for item in items), run])
        case "read_item":
            return "yes" if holds(f["item"], text) else "no"
        case "compare_critiqued":
            met = [len(re.findall(r"\byes\b", f[note])) for note in ("first_critique", "second_critique")]
            return f"A {met[0]} B {met[1]}\n{better(*met)}"
        case "follow_up":
            content = has(asked, text) > 2 or (has(asked, text) == 2 and rng.random() < 0.5)
            return " " + rng.choice((LIKED if content else DISLIKED).split("|"))
    raise ValueError(f"the teacher does not know {name!r}")


def fields_of(request: Request) -> tuple[str, dict[str, str]]:
    """Name and fields of a request's form; the field "" is its template, "system" what stands before it."""
    part = request.prompt[-1].parts[0]
    assert isinstance(part, Form)
    told = {key: value.text if isinstance(value, Form) else value for key, value in part.fields}
    return part.name, {**told, "": part.template, "system": "".join(m.text for m in request.prompt[:-1])}


Heard = list[tuple[Request, Reply]]


def overheard(flow: Flow[T], heard: Heard) -> Flow[T]:
    """The flow itself; what is asked and replied goes to `heard`."""
    try:
        batch = next(flow)
        while True:
            replies = yield batch
            heard += zip(batch, replies, strict=True)
            batch = flow.send(replies)
    except StopIteration as stop:
        return stop.value


def taught(
    flows: Iterable[Flow[Any]], teacher: Teacher = truth, *, lessons: int = 5000, reading: int = 5000, seed: int = 0
) -> Any:
    """A model from scratch that learned to read and then what a teacher replied in these flows.

    Every kind of question gets the same number of `lessons`, so that a method's baseline is taught as much. The seed is
    that of the first weights, of the lessons drawn and their order, and of what the teacher leaves to chance.
    """
    torch.set_num_threads(1)  # the order of sums, and so the figures, depend on it
    heard: Heard = []
    rng = Random(seed)

    def reply(request: Request) -> Reply:
        return generation(
            request, request.continuation if isinstance(request, Score) else teacher(*fields_of(request), rng), -1.0
        )

    live(ScriptedModel(reply), flows, heard=heard)
    kinds: dict[str, list[Demonstration]] = defaultdict(list)
    for request, _ in heard:
        name, fields = fields_of(request)
        kinds[fields[""]].append(Demonstration(request.prompt, teacher(name, fields, rng)))
    chosen = [lesson for found in kinds.values() for lesson in drawn(found, lessons, rng)]
    first = []
    for case in cases("reading", reading, each=1):
        fields = {"question": str(case.example.question), "answer": case.candidates[0].text}
        for name, template in READING.items():
            first.append(Demonstration(user(form(name, template, **fields)), truth(name, fields, rng)))
    texts = ("\n".join([*(m.text for m in d.prompt), d.completion]) for d in (*first, *chosen))
    words = sorted({word for text in texts for word in re.findall(TOKEN, text)})
    untaught = world("loops/conftest").make_reader(words, seed=seed)
    untaught.tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN), "removed", invert=True)
    model = TransformersModel.of(untaught.net, untaught.tokenizer, optimizer=optimizer, name="taught")
    train(model, first, likelihood, lr=2e-2, seed=seed)
    train(model, chosen, likelihood, lr=5e-3, tokens_per_batch=1024, seed=seed)
    return model


def drawn(lessons: Sequence[Demonstration], n: int, rng: Random) -> list[Demonstration]:
    """`n` lessons; all of them before any comes again."""
    found: list[Demonstration] = []
    while len(found) < n:
        found += rng.sample(lessons, min(len(lessons), n - len(found)))
    return found


def live(model: Any, flows: Iterable[Flow[T]], *, heard: Heard | None = None) -> list[T]:
    """Results of flows on a model, in order."""
    named = {f"{i}": overheard(flow, [] if heard is None else heard) for i, flow in enumerate(flows)}
    done = drive(named, {"policy": model})
    for failure in done.failures.values():
        raise RuntimeError(failure.traceback)
    return list(done.results.values())
