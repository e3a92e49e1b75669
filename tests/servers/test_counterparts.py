"""One checkpoint, three servers and the transformers backend: greedy texts and log-probabilities agree.

Log-probabilities differ by 1e-4 at most: sums over other batches, or in llama.cpp's order, round differently.
`transformers serve` gives none (it ignores the field), so there texts are compared and the backend must say so.
"""

from __future__ import annotations

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
