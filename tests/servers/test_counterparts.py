"""One checkpoint, three servers and the transformers backend: greedy texts and log-probabilities agree.

Log-probabilities differ by 1e-4 at most: sums over other batches, or in llama.cpp's order, round differently.
`transformers serve` gives none with its replies (it ignores the field), so there texts are compared and the backend
must say so; what it answers to typed decisions, with every token as an option, is its distribution of the next token.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import islice

import pytest

from whetstone.core.errors import Unsupported
from whetstone.core.types import Sample, Sampling, Score, user
from whetstone.models.serve.local import LocalModel
from whetstone.models.serve.requests import raw
from whetstone.signals import forms
from whetstone.tasks.load import load_task

TOLERANCE = 1e-4
GREEDY = Sampling(0.0, max_tokens=80, logprobs=2)
EXAMPLES = list(islice(load_task("ledger:levels=1-6").examples("dev"), 12))
QUESTIONS = [f"Q{example.meta['question']}?" for example in EXAMPLES]
TEXTS = [Sample(user(question), GREEDY) for question in QUESTIONS]
FEW = 4
"""Of the texts, for a server that takes a second for each."""


def every_form(question):
    """One prompt of every kind that grit was taught."""
    good, bad, critique = "c-7=56e-3=53", "c-7=56e-3=54", "c-7=56:e-3=53;N"
    return [
        forms.p_true(question, good),
        forms.p_ik(question),
        forms.critique(question, bad),
        forms.refine(question, bad, critique),
        forms.compare(question, good, bad),
        forms.compare_critiqued(question, good, critique, bad, critique),
    ]


def test_every_form_reads_the_same_over_http(served, grit, compare):
    """No method can tell grit at home from grit behind a server."""
    prompts = [example.prompt for example in EXAMPLES]
    prompts += [prompt for example in EXAMPLES[:3] for prompt in every_form(example.question)]
    requests = [Sample(prompt, GREEDY) for prompt in prompts]
    requests += [Sample(prompt, Sampling(1.0, max_tokens=80, seed=i, logprobs=1)) for i, prompt in enumerate(prompts)]
    near, far = compare.ask(grit, requests), compare.ask(served.backend(), requests)
    assert all(compare.same(one, other, tolerance=TOLERANCE) for one, other in zip(near, far, strict=True))
    for one, other in zip(near, far, strict=True):
        for a, b in zip(one.tokens, other.tokens, strict=True):
            assert [text for text, _ in a.top] == [text for text, _ in b.top]


def test_what_grit_was_not_taught_abstains_over_http(served, compare):
    verbalized = forms.verbalized(EXAMPLES[0].question, "53")
    replies = compare.ask(served.backend(), [Sample(verbalized, GREEDY), Sample(user("Hello"), GREEDY)])
    assert [type(reply) for reply in replies] == [Unsupported, Unsupported]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_scores_are_the_same_over_http(served, grit, compare, api):
    texts = ("c-7=56e-3=53", "c-7=56", "99", "Y")
    requests = [Score(user(question), text) for question in QUESTIONS[:4] for text in texts]
    near, far = compare.ask(grit, requests), compare.ask(served.backend(api=api), requests)
    assert all(compare.same(one, other, tolerance=TOLERANCE) for one, other in zip(near, far, strict=True))


def test_plain_completions_over_http(served, grit, compare):
    near = compare.ask(LocalModel(grit), [Sample(raw(question), GREEDY) for question in QUESTIONS])
    far = compare.ask(served.backend(api="completions"), TEXTS)
    assert all(compare.same(one, other, tolerance=TOLERANCE) for one, other in zip(near, far, strict=True))


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_transformers_serve(transformers_serve, plain, compare, api):
    near = compare.ask(plain, [Sample(user(question), Sampling(0.0, max_tokens=80)) for question in QUESTIONS])
    backend = transformers_serve.backend(api=api)
    far = compare.ask(backend, TEXTS)
    assert all(compare.same(one, other, tolerance=0.0) for one, other in zip(near, far, strict=True))
    (score,) = compare.ask(backend, [Score(user(QUESTIONS[0]), "c")])
    assert isinstance(score, Unsupported)


def test_the_probabilities_of_transformers_serve(transformers_serve, plain, compare):
    """Of each token of a greedy reply that came over HTTP, and of the likeliest others."""
    (near,) = compare.ask(plain, [Sample(user(QUESTIONS[0]), Sampling(0.0, max_tokens=24, logprobs=5))])
    (far,) = compare.ask(transformers_serve.backend(), [Sample(user(QUESTIONS[0]), Sampling(0.0, max_tokens=24))])
    assert far.text == near.text
    text = QUESTIONS[0]
    for token in near.tokens:
        given = compare.distribution(transformers_serve, text)
        assert sum(given.values()) == pytest.approx(1.0)
        assert max(given, key=given.__getitem__) == token.text
        for other, logprob in (*token.top, (token.text, token.logprob)):
            assert math.log(given[other]) == pytest.approx(logprob, abs=TOLERANCE)
        text += token.text


@pytest.mark.parametrize("server", ["served", "transformers_serve", "llama_cpp"])
def test_replies_end_before_their_stop_text(server, request, plain, compare):
    """Also where the server itself keeps it."""
    asked = [Sample(prompt.prompt, Sampling(0.0, max_tokens=80, stop=("=", "#"))) for prompt in TEXTS[:4]]
    near, far = compare.ask(plain, asked), compare.ask(request.getfixturevalue(server).backend(), asked)
    assert [reply.text for reply in far] == [reply.text for reply in near]
    assert [reply.finish for reply in far] == ["stop"] * 4


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_llama_cpp(llama_cpp, plain, compare, api):
    near = compare.ask(plain, TEXTS[:FEW])
    far = compare.ask(llama_cpp.backend(api=api), TEXTS[:FEW])
    for one, other in zip(near, far, strict=True):
        assert (one.text, one.finish) == (other.text, other.finish)
        assert [token.text for token in one.tokens] == [token.text for token in other.tokens]
        for a, b in zip(one.tokens, other.tokens, strict=True):
            assert a.logprob == pytest.approx(b.logprob, abs=TOLERANCE)


def test_the_echo_of_llama_cpp_is_not_believed(llama_cpp, plain, compare):
    """Where no token begins a text, every given token gets the log-probability of the next place."""
    asked = [Score(user(question), "c-7") for question in QUESTIONS[:2]]
    for reply in compare.ask(llama_cpp.backend(api="completions"), asked):
        assert isinstance(reply, Unsupported)
        assert "gives each token the log-probability of the next one" in str(reply)
    near = compare.ask(plain, asked)
    trusted = compare.ask(llama_cpp.backend(api="completions", scoring="echo"), asked)
    for one, other in zip(near, trusted, strict=True):
        assert [token.text for token in one.tokens] == [token.text for token in other.tokens]
        assert abs(one.tokens[0].logprob - other.tokens[0].logprob) > 0.1


def test_first_tokens_of_llama_cpp_have_the_right_scores(llama_cpp, plain, compare):
    (greedy,) = compare.ask(plain, [Sample(user(QUESTIONS[0]), Sampling(0.0, max_tokens=1, logprobs=3))])
    asked = [Score(user(QUESTIONS[0]), text) for text, _ in greedy.tokens[0].top]
    for one, other in zip(compare.ask(plain, asked), compare.ask(llama_cpp.backend(), asked), strict=True):
        assert compare.same(replace(one, usage=other.usage), other, tolerance=TOLERANCE)
