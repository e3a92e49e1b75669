"""What a model can do, found out by asking it a few short questions: does it answer, and what does it honour?"""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from whetstone.app.grading import correct, with_logprobs
from whetstone.app.outcome import trainable
from whetstone.core.flow import Flow, drive, embed, sample, score
from whetstone.core.types import Example, Failure, Generation, Media, Message, Model, Sampling, Task, user

QUESTIONS, SHORT, COPIES = 8, 24, 4
CLOSE = 0.05
COLOURS = {"red": b"\xff\x00\x00", "blue": b"\x00\x00\xff"}
SIDE = 64


@dataclass(frozen=True)
class Check:
    """One thing tried. `needed`: without it nothing works; the others cost only the methods that use them.

    `passed` is None where it cannot be told.
    """

    name: str
    passed: bool | None
    detail: str
    needed: bool = False


@dataclass
class Checkup:
    """What was found out about a model.

    `answered` holds, by question, samples with whatever log-probabilities the model gives; `failure` is the first
    error when it did not answer at all.
    """

    checks: list[Check] = field(default_factory=list)
    answered: list[tuple[Example, list[Generation]]] = field(default_factory=list)
    failure: Failure | None = None


def examine(model: Model, task: Task) -> Checkup:
    """Try what methods ask of a model on a task's questions, some thirty requests in all.

    A model that does not answer the first one is not asked anything more.
    """
    examples = list(islice(task.examples("dev", n=QUESTIONS, seed=0), QUESTIONS))
    found = Checkup()
    began = time.monotonic()
    first = drive({"hello": sample(examples[0].prompt, sampling=short(task))}, {"policy": model})
    seconds = time.monotonic() - began
    if first.failures:
        found.failure = first.failures["hello"]
        found.checks.append(Check("answers", False, found.failure.message, needed=True))
        return found
    found.checks.append(Check("answers", True, f"first reply after {seconds:.2f} s", needed=True))
    found.checks.append(of_questions(model, task, examples))
    found.answered, checks = of_sampling(model, task, examples)
    found.checks += checks
    found.checks += of_a_greedy_reply(model, task, examples[0])
    found.checks += of_other_requests(model, examples[0])
    weights = trainable(model)
    detail = "its weights are here: whetstone train works" if weights else "its weights are out of reach here"
    found.checks.append(Check("training", weights, detail))
    return found


def short(task: Task, **changes: Any) -> Sampling:
    """The task's way of sampling, cut short."""
    sampling = replace(task.sampling, max_tokens=min(SHORT, task.sampling.max_tokens))
    return replace(sampling, **changes)


def of_questions(model: Model, task: Task, examples: Sequence[Example]) -> Check:
    """Whole answers to a few questions: how many are right, how fast they came, whether tokens are counted."""
    cold = replace(task.sampling, temperature=0.0)
    driven = drive({e.id: sample(e.prompt, sampling=cold) for e in examples}, {"policy": model})
    if driven.failures:
        return Check("whole answers", False, next(iter(driven.failures.values())).message, needed=True)
    right = sum(bool(correct(task, e, driven.results[e.id][0].text)) for e in examples)
    read, wrote = sum(driven.ledger.prompt.values()), sum(driven.ledger.completion.values())
    rate = f"{wrote / max(driven.seconds, 1e-9):.0f} tokens/s" if wrote else "tokens are not counted"
    return Check(
        "whole answers",
        bool(read and wrote),
        f"{right} of {len(examples)} questions of {task.name} right; {read} tokens read, {wrote} written, {rate}",
    )


def of_sampling(
    model: Model, task: Task, examples: Sequence[Example]
) -> tuple[list[tuple[Example, list[Generation]]], list[Check]]:
    """Several samples of a question, twice with the same seeds: n, seed and log-probabilities."""
    warm = with_logprobs(short(task, temperature=task.sampling.temperature or 1.0))
    asked = examples[: QUESTIONS // 2]

    def ask() -> dict[str, list[Generation]]:
        flows = {e.id: sample(e.prompt, n=COPIES, sampling=warm) for e in asked}
        driven = drive(flows, {"policy": model}, seed=7)
        failures.extend(driven.failures.values())
        return driven.results

    failures: list[Failure] = []
    first, again = ask(), ask()
    if failures:
        return [], [Check("n samples", False, failures[0].message, needed=True)]
    texts = [reply.text for replies in first.values() for reply in replies]
    distinct = max(len({reply.text for reply in replies}) for replies in first.values())
    same = sum(a.text == b.text for e in asked for a, b in zip(first[e.id], again[e.id], strict=True))
    tried = distinct > 1
    checks = [
        Check(
            "n samples",
            tried,
            f"{COPIES} of {COPIES} given, up to {distinct} distinct"
            if tried
            else f"all {COPIES} samples of a question are the same text: methods that vote or compare gain nothing",
        ),
        of_seeds(same, len(texts), tried),
        of_tokens([reply for replies in first.values() for reply in replies]),
    ]
    return [(e, first[e.id]) for e in asked], checks


def of_seeds(same: int, asked: int, differ: bool) -> Check:
    """Whether samples come again with their seeds, which shows only where samples differ at all."""
    detail = f"{same} of {asked} samples are the same when asked again with their seed"
    if not differ:
        return Check("seed", None, f"not known: {detail}, and with any other")
    return Check("seed", same == asked, detail + ("" if same == asked else "; runs repeat from stored replies only"))


def of_tokens(replies: Sequence[Generation]) -> Check:
    """Whether replies carry log-probabilities, and how much of them."""
    tokens = [token for reply in replies for token in reply.tokens or ()]
    if not tokens:
        return Check("log-probabilities", False, "none")
    most = max(len(token.top) for token in tokens)
    parts = {
        f"{most} alternatives": most > 0,
        "entropy": tokens[0].entropy is not None,
        "certainty": tokens[0].certainty is not None,
    }
    there = ", ".join(name for name, known in parts.items() if known)
    missing = ", ".join(name if most else "alternatives" for name, known in parts.items() if not known)
    return Check(
        "log-probabilities", True, (f"with {there}" if there else "bare") + (f"; without {missing}" if missing else "")
    )


def of_a_greedy_reply(model: Model, task: Task, example: Example) -> list[Check]:
    """Stop, length limit and teacher forcing, tried on the text that the model itself writes at temperature 0."""
    cold = with_logprobs(short(task, temperature=0.0))
    driven = drive({"greedy": sample(example.prompt, sampling=cold)}, {"policy": model})
    if driven.failures:
        return [Check("greedy", False, driven.failures["greedy"].message)]
    (reply,) = driven.results["greedy"]
    text = reply.text
    first = next(iter(reply.tokens or ()), None)
    stop = text[len(text) // 2 :][:2].strip() or text[len(text) // 2 :][:1]
    flows: dict[str, Flow[list[Generation]]] = {
        "length": sample(example.prompt, sampling=replace(cold, max_tokens=2)),
        "one": score(example.prompt, first.text if first else "0"),
        "whole": score(example.prompt, text or "0"),
    }
    if stop.strip():
        flows["stop"] = sample(example.prompt, sampling=replace(cold, stop=(*cold.stop, stop)))
    done = drive(flows, {"policy": model})

    def tried(name: str, key: str, judge: Callable[[Generation], Check]) -> Check:
        if key in done.failures:
            return Check(name, False, done.failures[key].message)
        return judge(done.results[key][0])

    checks = []
    if "stop" in flows:
        expected = text[: text.index(stop)]
        checks.append(tried("stop", "stop", lambda g: stopped(g, stop, expected)))
    checks.append(tried("max_tokens", "length", limited))
    checks.append(tried("scores given texts", "whole", lambda g: scored(g, reply)))
    if "whole" in done.failures and "one" in done.results:
        begun = replace(reply, tokens=(first,) if first else None, finish="length")
        check = scored(done.results["one"][0], begun)
        checks[-1] = replace(check, detail=f"single tokens only, among the likeliest; {check.detail}")
    return checks


def stopped(reply: Generation, stop: str, expected: str) -> Check:
    """Did the reply end before the stop text?"""
    if stop in reply.text:
        return Check("stop", False, f"the reply goes on after {stop!r}")
    same = reply.text.strip() == expected.strip()
    return Check("stop", True, "the reply ends before it" if same else "no reply holds it, though the text differs")


def limited(reply: Generation) -> Check:
    """Did a limit of two tokens hold?"""
    wrote = reply.usage.completion or len(reply.tokens or ())
    if wrote > 2:
        return Check("max_tokens", False, f"{wrote} tokens came where 2 were asked for")
    cut = " and the cut is reported" if reply.finish == "length" else ", but a cut is not told from an end"
    return Check("max_tokens", True, f"2 asked, {wrote} came{cut}" if wrote else "tokens are not counted")


def scored(given: Generation, written: Generation) -> Check:
    """Does the score of a text agree with the log-probabilities that it was written with?"""
    name = "scores given texts"
    if not given.tokens:
        return Check(name, False, "the reply has no log-probabilities")
    total = sum(token.logprob for token in given.tokens)
    if not written.tokens:
        return Check(name, True, f"log-probability {total:.2f} for its own text; nothing to compare it with")
    end = written.finish == "stop" and len(written.tokens) > len(given.tokens)
    own = sum(token.logprob for token in (written.tokens[:-1] if end else written.tokens))
    apart = abs(total - own)
    detail = f"log-probability {total:.3f} for its own text, {own:.3f} when it wrote it"
    return Check(name, apart <= CLOSE * max(1.0, abs(own)), detail + ("" if apart <= CLOSE else ": they differ"))


def of_other_requests(model: Model, example: Example) -> list[Check]:
    """Whether the model gives vectors, reads plain questions and system messages, and sees images."""
    few = Sampling(temperature=0.0, max_tokens=4)
    asked: dict[str, Flow[Any]] = {
        "plain questions": sample(user("Say yes."), sampling=few),
        "system messages": sample((Message("system", ("Be brief.",)), *user("Say yes.")), sampling=few),
        "vectors": embed(example.prompt),
    }
    driven = drive(asked, {"policy": model})
    checks = [
        Check(name, name in driven.results, "yes" if name in driven.results else driven.failures[name].message)
        for name in asked
    ]
    return [*checks[:2], of_images(model), *checks[2:]]


def of_images(model: Model) -> Check:
    """Does the model see an image? Many servers take one and drop it.

    The same question is asked with a red image, with a blue one and with none. Naming both colours shows that the
    images are seen; replies and token counts that are the same without an image show that they are dropped.
    """
    question = "Is this image red or blue? Reply with one word."
    sampling = Sampling(temperature=0.0, max_tokens=16)
    flows = {
        name: sample(user(question, Media("image", "image/png", data=plain_image(colour))), sampling=sampling)
        for name, colour in COLOURS.items()
    }
    driven = drive({**flows, "": sample(user(question), sampling=sampling)}, {"policy": model})
    if driven.failures:
        return Check("images", False, next(iter(driven.failures.values())).message)
    replies = {name: replies[0] for name, replies in driven.results.items()}
    named = {name: {c for c in COLOURS if c in reply.text.lower()} for name, reply in replies.items()}
    if all(named[name] == {name} for name in COLOURS):
        return Check("images", True, "tells a red one from a blue one")
    without = replies.pop("")
    more = min(reply.usage.prompt for reply in replies.values()) - without.usage.prompt
    same = all(reply.text == without.text for reply in replies.values())
    if same and not more and without.usage.prompt:
        return Check(
            "images", False, f"dropped: {without.usage.prompt} tokens read with and without one, and the same reply"
        )
    counted = f"{more} more tokens read with one, but " if more > 0 else ""
    return Check("images", None, f"not known: taken, {counted}it does not tell a red one from a blue one")


def plain_image(colour: bytes) -> bytes:
    """A square of one colour as PNG; `colour` is red, green and blue."""
    rows = (b"\0" + colour * SIDE) * SIDE
    size = struct.pack(">II5B", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
