"""The central values. All are frozen; names are the field's own.

A number that is unknown is None, never 0. A result that could not be obtained says why in `abstained`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Kind = Literal["probability", "score", "binary"]


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a sound, by value (`data`) or by reference (`url`)."""

    kind: Literal["image", "audio"]
    mime: str
    data: bytes | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A named question with fields: what is asked, apart from how a model likes to read it.

    `text` is the English rendering. A backend with a dialect of its own (grit) renders by `name` and
    `fields` instead, so that one method serves every model. Field values are never interpreted: braces in
    them stay braces.
    """

    name: str
    template: str
    fields: tuple[tuple[str, str | Form], ...] = ()

    @property
    def text(self) -> str:
        """The template with every `{field}` replaced once, left to right."""
        values = dict(self.fields)
        out, rest = [], self.template
        while True:
            head, brace, tail = rest.partition("{")
            out.append(head)
            if not brace:
                return "".join(out)
            name, close, after = tail.partition("}")
            if close and name in values:
                value = values[name]
                out.append(value.text if isinstance(value, Form) else value)
                rest = after
            else:
                out.append("{")
                rest = tail

    def __getitem__(self, name: str) -> str | Form:
        return dict(self.fields)[name]


def form(name: str, template: str, **fields: str | Form) -> Form:
    """Build a `Form`."""
    return Form(name, template, tuple(fields.items()))


Part = str | Form | Media


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `parts` mix text, forms and media."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All text parts, forms rendered in English, media left out."""
        return "".join(p.text if isinstance(p, Form) else p for p in self.parts if not isinstance(p, Media))


Prompt = tuple[Message, ...]


def user(*parts: Part) -> Prompt:
    """A prompt of one user message."""
    return (Message("user", parts),)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample. `temperature=0` is greedy; `logprobs=None` asks for text only, k for k alternatives."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int = 0
    logprobs: int | None = None


GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """Ask for one generation."""

    prompt: Prompt
    sampling: Sampling = Sampling()
    role: str = "policy"


@dataclass(frozen=True, slots=True)
class Score:
    """Ask for the log-probabilities of a given continuation (teacher forcing)."""

    prompt: Prompt
    continuation: str
    role: str = "policy"


@dataclass(frozen=True, slots=True)
class Embed:
    """Ask for one vector for the prompt: a hidden state (of a layer and position) or an embedding."""

    prompt: Prompt
    layer: int = -1
    role: str = "policy"


Request = Sample | Score | Embed


@dataclass(frozen=True, slots=True)
class Token:
    """One token with its natural-log probability at temperature 1.

    `top` holds the likeliest alternatives, best first. `entropy` (nats) and `certainty` (KL from the uniform
    distribution, nats) are over the whole vocabulary; None where the backend does not see all of it.
    """

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    entropy: float | None = None
    certainty: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written for one request."""

    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """The reply to a `Sample` or a `Score`. `tokens=None`: this backend gave no logprobs."""

    text: str
    tokens: tuple[Token, ...] | None = None
    finish: Literal["stop", "length", "filter"] = "stop"
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Embedding:
    """The reply to an `Embed`."""

    vector: tuple[float, ...]
    usage: Usage = Usage()


Reply = Generation | Embedding


class Session(Protocol):
    """One stream of requests to a model. The driver puts requests in and takes replies as they come.

    `put` queues and returns at once. `poll` works or waits until at least one reply is there (or `timeout` seconds
    have passed) and returns what is done. `close` drops what is still queued.
    """

    def put(self, ticket: int, request: Request) -> None: ...
    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]: ...
    def close(self) -> None: ...


class Model(Protocol):
    """A backend: the only seam through which text is generated.

    `name` is what the user calls it; `fingerprint` the identity of weights and settings: equal fingerprints give
    equal replies. `open` starts a session; sessions are cheap.
    """

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    def open(self) -> Session: ...


@dataclass(frozen=True, slots=True)
class Signal:
    """A measured value of an output: exactly one of `value` and `abstained` is set."""

    value: float | None
    kind: Kind
    n: int = 1
    stderr: float | None = None
    interval: tuple[float, float] | None = None
    abstained: str | None = None
    provenance: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) == (self.abstained is None):
            raise ValueError("exactly one of value and abstained must be set")


@dataclass(frozen=True, slots=True)
class Example:
    """One question. `group` is the cluster for standard errors; `meta["level"]` its difficulty, if known."""

    id: str
    prompt: Prompt
    target: str | None = None
    group: str = ""
    choices: tuple[str, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)

    @property
    def question(self) -> str | Form:
        """What a judge should be shown: the `question` field of the prompt's form, else the prompt's text."""
        parts = self.prompt[-1].parts
        if len(parts) == 1 and isinstance(parts[0], Form):
            return dict(parts[0].fields).get("question", parts[0])
        return self.prompt[-1].text

    @property
    def level(self) -> str:
        """Difficulty as text, or "" when the task grades none."""
        return str(self.meta.get("level", ""))


class Task(Protocol):
    """Examples and an exact check of answers. Only `verify` and `process` may look at the target.

    `name` includes settings (`ledger:levels=5-8`); `sampling` holds sensible defaults for solving. `examples` yields a
    split ("train", "dev", "test"; never overlapping), all of a finite task with `n=None`. `read` gives the final answer
    in canonical form for voting, None if unreadable. `verify`: is the answer right; `process`: are all steps right
    (binary; abstain with a reason when they cannot tell). `complete`: a check of form that needs no gold (every entry
    used once ...), None when the task has none.
    """

    @property
    def name(self) -> str: ...
    @property
    def sampling(self) -> Sampling: ...
    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]: ...
    def read(self, example: Example, text: str) -> str | None: ...
    def verify(self, example: Example, text: str) -> Signal: ...
    def process(self, example: Example, text: str) -> Signal: ...
    def complete(self, example: Example, text: str) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer to a question and where it came from (a system, a strategy, a person)."""

    id: str
    generation: Generation
    source: str = ""

    @property
    def text(self) -> str:
        return self.generation.text


TIE = "TIE"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's choice between candidates.

    `shown` is the order as presented; `choice` is a candidate id, `TIE`, or None with a `reason`: un-shuffling
    happens once, where the verdict is made. `orders` keeps the single verdicts of a combined one. `strength` is by how
    much the choice is better, from 0 (not at all) to 1, where the judge tells degrees.
    """

    shown: tuple[str, ...]
    choice: str | None
    probs: Mapping[str, float] | None = None
    reason: str = ""
    raw: str = ""
    orders: tuple[Verdict, ...] = ()
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a strategy answers. `text` is the full chosen solution; the trail keeps every candidate."""

    answer: str | None
    confidence: Signal
    trail: tuple[Candidate, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Material of an audit: a question, candidates, and per candidate whether it is right (None: unknown)."""

    example: Example
    candidates: tuple[Candidate, ...]
    correct: tuple[bool | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A tested claim: estimate with interval and n, against the value `null` that would mean "nothing there"."""

    name: str
    estimate: float | None
    interval: tuple[float, float] | None
    n: int
    null: float | None = None
    p: float | None = None
    verdict: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A guard's warning; `stop` asks the caller to roll back to the round before."""

    guard: str
    message: str
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a training loop. `metrics` maps names to Findings so that each number has n and interval."""

    index: int
    seen: int
    kept: int
    metrics: Mapping[str, Finding] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    snapshot: str | None = None
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A flow that raised, recorded as data and never scored."""

    key: str
    error: str
    message: str
    traceback: str = ""
