"""The doctor finds what was planted: a model that lacks or ignores one thing fails that check, and no other."""

from __future__ import annotations

import struct
import time
import zlib
from dataclasses import replace
from hashlib import sha256

import pytest

from whetstone.app.checkup import COLOURS, examine, of_images, plain_image
from whetstone.app.fitness import Fitness, build, compared, fitness, parts
from whetstone.app.verbs.doctor import doctor
from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.flow import drive
from whetstone.core.registry import find
from whetstone.core.types import (
    Candidate,
    Case,
    Embed,
    Embedding,
    Generation,
    Media,
    Reply,
    Request,
    Score,
    Token,
    Usage,
    user,
)
from whetstone.models.load import load_model
from whetstone.models.scripted import ScriptedModel
from whetstone.tasks.load import load_task

WORDS = ["so", "the", "sum", "is", "near", "to", "that", "much"]
TOKEN_SIGNALS = {"entropy", "mean_logprob", "min_logprob", "self_certainty", "sum_logprob", "token_margin"}


class Writer:
    """Writes words by luck, honestly, but for what it `lacks`."""

    def __init__(self, *lacks: str) -> None:
        self.lacks, self.calls = set(lacks), 0
        self.forms: set[str] = set()

    def __call__(self, request: Request) -> Reply:
        self.calls += 1
        media = [part for message in request.prompt for part in message.parts if isinstance(part, Media)]
        if media and "images" in self.lacks:
            raise Unsupported("no images here")
        if media and "eyes" not in self.lacks:
            blurred = "good eyes" in self.lacks
            seen = "purple" if blurred else next(name for name, c in COLOURS.items() if media[0].data == plain_image(c))
            return Generation(f"It is {seen}.", usage=Usage(84, 3))
        if media:
            request = replace(request, prompt=user(request.prompt[0].text))
        if isinstance(request, Embed):
            if "vectors" in self.lacks:
                raise Unsupported("no vectors here")
            return Embedding((1.0, 0.0), Usage(5, 0))
        if isinstance(request, Score):
            if "scores" in self.lacks or ("whole scores" in self.lacks and len(request.continuation) > 3):
                raise Unsupported("no scores here")
            off = 0.5 if "honest scores" in self.lacks else 0.0
            return Generation(request.continuation, self.tokens(request.continuation, off), usage=Usage(5, 1))
        sampling = request.sampling
        seed = sampling.seed if sampling.temperature else 0
        seed = self.calls if "seed" in self.lacks and sampling.temperature else seed
        seed = 0 if "n" in self.lacks else seed
        digest = sha256(f"{[message.text for message in request.prompt]}/{seed}".encode()).digest()
        words = [WORDS[byte % len(WORDS)] for byte in digest[:6]] + [f"the answer is {digest[6] % 100}"]
        pieces = [word if i == 0 else f" {word}" for i, word in enumerate(words)]
        most = 99 if "max_tokens" in self.lacks else sampling.max_tokens
        text, finish = "".join(pieces[:most]), "length" if len(pieces) > most else "stop"
        for stop in () if "stop" in self.lacks else sampling.stop:
            if stop in text:
                text, finish = text[: text.index(stop)], "stop"
        tokens = None if "logprobs" in self.lacks or sampling.logprobs is None else self.tokens(text)
        return Generation(text, tokens, finish, Usage(20, len(text.split()[:most])))  # type: ignore[arg-type]

    def tokens(self, text: str, off: float = 0.0) -> tuple[Token, ...]:
        """A token for every three characters, all equally likely."""
        pieces = [text[i : i + 3] for i in range(0, len(text), 3)]
        return tuple(Token(piece, -0.25 - off, ((piece, -0.25), ("?", -2.0)), 0.3, 1.0) for piece in pieces)


def looked_at(*lacks: str) -> tuple[dict[str, str], dict[str, str]]:
    """Failed checks, and abstaining methods (loops apart), each with the reason."""
    checks, fit = doctor(ScriptedModel(Writer(*lacks)), load_task("ledger:levels=3-4"))
    assert sum(one.tried for one in fit) > 0.9 * len(fit)
    failed = {check.name: check.detail for check in checks if not check.passed}
    return failed, {one.method: one.abstains for one in fit if one.abstains and one.kind != "loop"}


def test_an_able_model_fails_nothing_but_training() -> None:
    began = time.process_time()
    failed, abstaining = looked_at()
    assert set(failed) == {"training"}
    assert not abstaining
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize(
    ("lack", "check"),
    [
        ("seed", "seed"),
        ("stop", "stop"),
        ("max_tokens", "max_tokens"),
        ("images", "images"),
        ("eyes", "images"),
        ("vectors", "vectors"),
        ("honest scores", "scores given texts"),
        ("n", "n samples"),
    ],
)
def test_finds_the_one_thing_that_is_missing(lack: str, check: str) -> None:
    failed, abstaining = looked_at(lack)
    assert set(failed) == {check, "training"} | ({"seed"} if lack == "n" else set())
    assert set(abstaining) == ({"answer_grading"} if lack == "vectors" else set())


@pytest.mark.parametrize(
    ("lack", "passed", "detail"),
    [
        ("", True, "tells a red one from a blue one"),
        ("images", False, "no images here"),
        ("eyes", False, "dropped: 20 tokens read with and without one, and the same reply"),
        ("good eyes", None, "not known: taken, 64 more tokens read with one, but it does not tell a red one from"),
    ],
)
def test_images_that_are_taken_but_not_seen(lack: str, passed: bool | None, detail: str) -> None:
    check = of_images(ScriptedModel(Writer(lack)))
    assert check.passed is passed
    assert check.detail.startswith(detail)


def test_an_image_of_one_colour() -> None:
    """The parts of a PNG file, as its specification has them."""
    data = plain_image(COLOURS["red"])
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    start = data.index(b"IDAT") + 4
    (size,) = struct.unpack(">I", data[start - 8 : start - 4])
    rows = zlib.decompress(data[start : start + size])
    assert rows == (b"\0" + b"\xff\0\0" * 64) * 64
    assert struct.unpack(">II", data[16:24]) == (64, 64)


def test_what_it_says_of_the_embedded_model_is_what_happens() -> None:
    """Every signal, judge and strategy, run on it: those that were said to abstain do, and no others."""
    model, task = load_model("grit"), load_task("ledger:levels=3-4")
    found = examine(model, task)
    example, replies = found.answered[0]
    candidates = tuple(Candidate(f"{i}", reply, "ab"[i % 2]) for i, reply in enumerate(replies))
    whole = Case(example, candidates, (True,) * len(candidates))
    tried = [one for one in fitness(model, task, found.answered) if one.kind != "audit"]
    flows = {one.method: build(find(one.method, one.kind), task, [whole]) for one in tried}
    driven = drive(flows, {"policy": model})
    assert not driven.failures
    does = {one.method: any(measured for measured, _ in parts(one.kind, driven.results[one.method])) for one in tried}
    assert {one.method: not one.abstains for one in tried} == does
    assert {"self_refine", "if_or_else", "crowd_judge"} <= {name for name, works in does.items() if works}


def test_without_log_probabilities_the_signals_that_read_them_abstain() -> None:
    failed, abstaining = looked_at("logprobs")
    assert set(failed) == {"log-probabilities", "training"}
    assert set(abstaining) >= TOKEN_SIGNALS | {"best_of_n", "perplexity_consistency"}
    assert not {"vote_share", "self_consistency", "p_true", "pairwise_judge", "greedy"} & set(abstaining)
    assert "no token log-probabilities" in abstaining["mean_logprob"]


def test_seeds_that_make_no_difference_are_not_said_to_be_honoured() -> None:
    found = examine(ScriptedModel(Writer("n")), load_task("ledger:levels=3-4"))
    (check,) = [check for check in found.checks if check.name == "seed"]
    assert (check.passed, check.detail[:10]) == (None, "not known:")


@pytest.mark.parametrize("lacks", [("whole scores",), ("whole scores", "honest scores")])
def test_a_model_that_scores_single_tokens_only(lacks: tuple[str, ...]) -> None:
    found = examine(ScriptedModel(Writer(*lacks)), load_task("ledger:levels=3-4"))
    (check,) = [check for check in found.checks if check.name == "scores given texts"]
    assert check.detail.startswith("single tokens only, among the likeliest; log-probability -0.")
    assert check.passed == (len(lacks) == 1)


def test_without_teacher_forcing_the_methods_that_score_texts_abstain() -> None:
    failed, abstaining = looked_at("scores")
    assert set(failed) == {"scores given texts", "training"}
    assert {"p_true", "p_ik", "calibration"} <= set(abstaining)
    assert set(abstaining.values()) == {"no scores here"}
    assert not (TOKEN_SIGNALS | {"self_consistency", "best_of_n"}) & set(abstaining)


def test_what_a_server_refuses_outright_is_said_to_fail() -> None:
    class Refusing(Writer):
        def __call__(self, request: Request) -> Reply:
            if isinstance(request, Score):
                raise ModelError("http://127.0.0.1:1/v1 answers 400: no echo; the server refuses this request")
            return super().__call__(request)

    _, fit = doctor(ScriptedModel(Refusing()), load_task("ledger:levels=3-4"))
    reasons = {one.method: one.abstains for one in fit}
    assert reasons["p_true"] == "fails, ModelError: the server answers 400: no echo; the server refuses this request"


def test_a_method_whose_replies_cannot_be_made_up_is_tried_by_what_it_asks() -> None:
    known = find("p_true")
    assert compared(known, [(False, "unreadable")], [(False, "unreadable")]) == Fitness("p_true", "signal", tried=False)
    refused = compared(known, [(False, "unreadable")], [(False, "inner: no scores here")])
    assert refused == Fitness("p_true", "signal", "no scores here")
    part = compared(known, [(True, ""), (True, "")], [(True, ""), (False, "not measured: no vectors")])
    assert part == Fitness("p_true", "signal", "no vectors", part=True)


def test_a_model_that_does_not_answer_is_asked_once() -> None:
    asked = []

    def broken(request: Request) -> Reply:
        asked.append(request)
        raise ModelError("nobody is there; start the server")

    checks, fit = doctor(ScriptedModel(broken), load_task("ledger:levels=3-4"))
    assert [(c.name, c.passed, c.detail, c.needed) for c in checks] == [
        ("answers", False, "nobody is there; start the server", True)
    ]
    assert fit == []
    assert len(asked) == 1
