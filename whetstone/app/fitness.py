"""Which methods will abstain on a model, told without running them on it.

Every method runs on two stand-ins that give readable replies at once: one that can do everything, and one that can do
what the model has shown. The model itself is asked one short request of each shape that the methods made. What is
measured on the first stand-in and not on the second is what the model will have to do without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from whetstone.app.own_words import in_own_words
from whetstone.core.errors import WhetstoneError
from whetstone.core.flow import Flow, drive
from whetstone.core.registry import Method, load, methods
from whetstone.core.types import (
    Candidate,
    Case,
    Embed,
    Embedding,
    Example,
    Form,
    Generation,
    Model,
    Reply,
    Request,
    Sample,
    Score,
    Task,
    Token,
    Usage,
)

FLOWS = ("signal", "judge", "strategy", "audit")
ROUNDS, PROBE_TOKENS = 3, 4
Shape = tuple[str, ...]


@dataclass(frozen=True)
class Fitness:
    """What is known of one method on a model.

    `abstains` is the reason, "" where it works; `part`: only some of what it measures is missing. `tried` is False
    where the stand-in's replies gave it nothing to measure either way.
    """

    method: str
    kind: str
    abstains: str = ""
    part: bool = False
    tried: bool = True


def fitness(model: Model, task: Task, answered: Sequence[tuple[Example, Sequence[Generation]]]) -> list[Fitness]:
    """Try every signal, judge, strategy and audit.

    Args:
        answered: questions with several of the model's own replies each, as they came with log-probabilities.
    """
    known = [m for m in methods() if m.kind in FLOWS]
    texts = readable(task, answered)
    gives = next((token for _, replies in answered for reply in replies for token in reply.tokens or ()), None)
    able = StandIn(texts, refused={}, gives=FULL)
    best = run(known, task, answered, able)
    shapes, made_up = dict(able.asked), dict(able.made_up)
    refused: dict[Shape, Exception] = {}
    seen: set[Shape] = set()
    real: dict[str, list[tuple[bool, str]]] = {}
    for _ in range(ROUNDS):
        new = {shape: request for shape, request in shapes.items() if shape not in seen}
        if real and not new:
            break
        refused |= refusals(model, new, made_up)
        seen |= set(new)
        limited = StandIn(texts, refused=refused, gives=gives)
        real = run(known, task, answered, limited)
        shapes |= limited.asked
        made_up |= limited.made_up
    return [compared(m, best[m.name], real[m.name]) for m in known]


def compared(method: Method, best: Sequence[tuple[bool, str]], real: Sequence[tuple[bool, str]]) -> Fitness:
    """What a method measures when all can be asked, and what is left of it."""
    wanted, got = sum(measured for measured, _ in best), sum(measured for measured, _ in real)
    silent = {reason for measured, reason in best if not measured}
    reasons = [plain(reason) for measured, reason in real if not measured and reason not in silent]
    if not wanted:
        # Its replies could not be made up; it still abstains if what it asks is refused.
        return Fitness(method.name, method.kind, reasons[0] if reasons else "", tried=bool(reasons))
    if got >= wanted:
        return Fitness(method.name, method.kind)
    return Fitness(method.name, method.kind, reasons[0] if reasons else "less can be measured", part=got > 0)


def plain(reason: str) -> str:
    """A reason without the names of the methods that pass it on, and without a server's address."""
    reason = reason.removeprefix("not measured: ")
    first, colon, rest = reason.partition(": ")
    if colon and first.isidentifier():
        return plain(rest)
    return re.sub(r"https?://\S+ answers", "the server answers", reason) or "less can be measured"


# ------------------------------------------------------------------------------------- the model, asked


def shape_of(request: Request) -> Shape:
    """What a backend may tell apart: kind of request, messages, forms, and whether log-probabilities are wanted."""
    parts = [
        f"{message.role}:{part.name if isinstance(part, Form) else type(part).__name__}"
        for message in request.prompt
        for part in message.parts
    ]
    wants = "logprobs" if isinstance(request, Sample) and request.sampling.logprobs is not None else ""
    layer = str(request.layer) if isinstance(request, Embed) else ""
    return (type(request).__name__, wants, layer, *parts)


def refusals(model: Model, shapes: Mapping[Shape, Request], made_up: Mapping[str, Sample]) -> dict[Shape, Exception]:
    """The shapes that a model refuses, and still refuses where its own texts stand in place of made-up ones."""
    refused = probe(model, shapes)
    named = {str(i): shape for i, shape in enumerate(refused)}
    again = in_own_words(model, {i: shapes[shape] for i, shape in named.items()}, made_up)
    still = probe(model, {named[i]: request for i, request in again.items()})
    taken = {named[i] for i in again} - set(still)
    return {shape: still.get(shape, error) for shape, error in refused.items() if shape not in taken}


def probe(model: Model, shapes: Mapping[Shape, Request]) -> dict[Shape, Exception]:
    """Ask the model one short request of each shape; return the errors of those that it refused."""

    def ask(request: Request) -> Flow[Exception | None]:
        try:
            yield [request]
        except WhetstoneError as error:
            return error
        return None

    named = {str(i): shape for i, shape in enumerate(shapes)}
    driven = drive({i: ask(cut(shapes[shape])) for i, shape in named.items()}, {"policy": model})
    return {named[i]: error for i, error in driven.results.items() if error is not None}


def cut(request: Request) -> Request:
    """The same request with a short reply."""
    if not isinstance(request, Sample):
        return request
    return replace(request, sampling=replace(request.sampling, max_tokens=PROBE_TOKENS))


# ------------------------------------------------------------------------------------- the stand-ins

FULL = Token("", -0.1, (("", -0.1),), entropy=0.3, certainty=2.0)


class StandIn:
    """A model that answers every form readably, by luck that depends on the request alone.

    Args:
        texts: answers to questions.
        refused: shapes that are refused, with the model's own errors.
        gives: a token with all that the replies' tokens carry; None for no log-probabilities.

    `asked` holds a request of each shape that was seen, `made_up` every reply that is no answer to a question.
    """

    name = fingerprint = "stand-in"

    def __init__(self, texts: Sequence[str], *, refused: Mapping[Shape, Exception], gives: Token | None) -> None:
        self.texts, self.refused, self.gives = texts, refused, gives
        self.asked: dict[Shape, Request] = {}
        self.made_up: dict[str, Sample] = {}

    def open(self) -> StandInSession:
        """Start a session."""
        return StandInSession(self)

    def answer(self, request: Request) -> Reply | Exception:
        """A reply or a refusal."""
        shape = shape_of(request)
        self.asked.setdefault(shape, request)
        if shape in self.refused:
            return self.refused[shape]
        luck = Random(f"{request!r}")
        if isinstance(request, Embed):
            return Embedding((luck.random(), luck.random()), Usage(10, 0))
        if isinstance(request, Score):
            return Generation(request.continuation, tokens_of(request.continuation, FULL, luck), usage=Usage(10, 1))
        text = self.written(request, luck)
        if text not in self.texts:
            self.made_up[text] = request
        wanted = request.sampling.logprobs is not None
        return Generation(text, tokens_of(text, self.gives, luck) if wanted else None, usage=Usage(10, 5))

    def written(self, request: Sample, luck: Random) -> str:
        """What the form asks for, in all the notations that methods read."""
        form = next((part for part in request.prompt[-1].parts if isinstance(part, Form)), None)
        if form is None or form.name in ("solve", "refine", "demonstrated"):
            return luck.choice(list(self.texts))
        shown = "ABCDEFGH"[: form.text.count("[Answer ")]
        points = dict(form.fields).get("points", "9")
        score = luck.randrange(1, int(points) + 1) if isinstance(points, str) and points.isdecimal() else 1
        verdicts = "ABE" if form.name.startswith("compare") else "YN"
        return (
            f"1. Is it right?\n2. Is it short?\nRead: Is it right?\nQuestion: 1+1\nAnswer: 2\n"
            f"Ranking: {' > '.join(luck.sample(shown, len(shown)))}\n"
            f"Score of A: {luck.randrange(1, 10)}\nScore of B: {luck.randrange(1, 10)}\n"
            f"Confidence: {luck.randrange(10, 99)}\nScore: {score}\n"
            f"Verdict: {'A+' if form.name == 'compare_degrees' else luck.choice(verdicts)}"
        )


class StandInSession:
    """Answers everything at the next poll."""

    def __init__(self, model: StandIn) -> None:
        self.model = model
        self.queue: list[tuple[int, Request]] = []

    def put(self, ticket: int, request: Request) -> None:
        self.queue.append((ticket, request))

    def poll(self, timeout: float | None = None) -> list[tuple[int, Reply | Exception]]:
        queue, self.queue = self.queue, []
        return [(ticket, self.model.answer(request)) for ticket, request in queue]

    def close(self) -> None:
        self.queue.clear()


def tokens_of(text: str, gives: Token | None, luck: Random) -> tuple[Token, ...] | None:
    """A token a word, each carrying as much as `gives` does."""
    if gives is None:
        return None
    found = []
    for word in text.replace("\n", "\n ").split(" "):
        logprob = -luck.random()
        found.append(
            Token(
                word,
                logprob,
                ((word, logprob), ("?", logprob - 1.0)) if gives.top else (),
                None if gives.entropy is None else luck.random(),
                None if gives.certainty is None else luck.random(),
            )
        )
    return tuple(found)


# ------------------------------------------------------------------------------------- the methods, run


def readable(task: Task, answered: Sequence[tuple[Example, Sequence[Generation]]]) -> list[str]:
    """The model's own answers that the task can read; where they are all alike, others that it can."""
    own = {reply.text: None for example, replies in answered for reply in replies if task.read(example, reply.text)}
    plain = [f"The answer is {example.target}" for example, _ in answered]
    return list(own) if len(own) > 1 else [*own, *plain]


def run(
    known: Sequence[Method], task: Task, answered: Sequence[tuple[Example, Sequence[Generation]]], stand_in: StandIn
) -> dict[str, list[tuple[bool, str]]]:
    """Every method's parts: measured or not, and why not."""
    cases = [case(example, replies, stand_in, task) for example, replies in answered]
    flows = {m.name: build(m, task, cases) for m in known}
    driven = drive(flows, {"policy": stand_in})
    failed = {name: [(False, f"fails, {f.error}: {f.message}")] for name, f in driven.failures.items()}
    return failed | {m.name: parts(m.kind, driven.results[m.name]) for m in known if m.name in driven.results}


def case(example: Example, replies: Sequence[Generation], stand_in: StandIn, task: Task) -> Case:
    """A question's candidates, of two sources, as the stand-in would have written them."""
    texts = [reply.text if task.read(example, reply.text) else stand_in.texts[0] for reply in replies]
    if len(set(texts)) == 1:
        texts = [stand_in.texts[i % len(stand_in.texts)] for i in range(len(replies))]
    # Some are longer than others, which is what an audit of length looks at.
    texts = [text + "\n" * (i // 2) for i, text in enumerate(texts)]
    made = [
        Candidate(f"{example.id}/{i}", Generation(text, tokens_of(text, stand_in.gives, Random(i))), "ab"[i % 2])
        for i, text in enumerate(texts)
    ]
    # Every case needs a right and a wrong answer that differ, whatever the model wrote.
    right = tuple(i % 2 == 0 for i in range(len(made)))
    return Case(example, tuple(made), right)


def build(method: Method, task: Task, cases: Sequence[Case]) -> Flow[Any]:
    """A method on the first case, an audit on all."""
    function, first = load(method.name, method.kind), cases[0]
    if method.kind == "audit":
        return function(task, cases)  # type: ignore[no-any-return]
    if method.kind == "strategy":
        return function(task, first.example)  # type: ignore[no-any-return]
    if method.kind == "judge":
        return function(task, first.example, *first.candidates[:2])  # type: ignore[no-any-return]
    return function(task, first.example, first.candidates)  # type: ignore[no-any-return]


def parts(kind: str, result: Any) -> list[tuple[bool, str]]:
    """Of each part of a result: was it measured, and the reason if not."""
    if kind == "signal":
        return [(s.value is not None, s.abstained or "") for s in result]
    if kind == "judge":
        return [(result.choice is not None, result.reason)]
    if kind == "strategy":
        return [(result.answer is not None, result.confidence.abstained or "")]
    return [(f.estimate is not None, f.verdict) for f in result]
