from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
import torch

from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.types import Embed, Generation, Media, Message, Sample, Sampling, Score, Token, user
from whetstone.models.transformers import TransformersModel

LONG = "abcdefghijklmnop"


def crowd(seed: int, n: int = 60) -> list[Sample]:
    """Requests of many lengths and settings, some of them with a prompt in common."""
    rng = random.Random(seed)
    requests = []
    for i in range(n):
        prompt = user("Q" + LONG[: rng.randrange(1, 16)] + "?")
        sampling = Sampling(
            temperature=rng.choice([0.0, 0.7, 1.0, 1.0]),
            top_p=rng.choice([1.0, 1.0, 0.9]),
            top_k=rng.choice([0, 0, 5]),
            max_tokens=rng.choice([1, 4, 20, 40]),
            seed=i,
            logprobs=rng.choice([None, 0, 3]),
        )
        requests.append(Sample(prompt, sampling))
    return requests


def same(first: Generation, second: Generation) -> bool:
    def close(a: Token, b: Token) -> bool:
        tops = zip(a.top, b.top, strict=True)
        numbers = [(a.logprob, b.logprob), (a.entropy, b.entropy), (a.certainty, b.certainty)]
        numbers += [(p, q) for (_, p), (_, q) in tops]
        return a.text == b.text and all(abs(p - q) < 1e-5 for p, q in numbers)

    if replace(first, tokens=None) != replace(second, tokens=None) or (first.tokens is None) != (second.tokens is None):
        return False
    return all(close(a, b) for a, b in zip(first.tokens or (), second.tokens or (), strict=True))


@pytest.mark.parametrize("make", ["llama", "gpt2"])
@pytest.mark.parametrize("slots", [1, 7, 64])
def test_a_reply_does_not_depend_on_its_neighbours(tiny, make, slots):
    tokenizer = tiny.character_tokenizer() if make == "llama" else tiny.byte_tokenizer()
    net = getattr(tiny, make)()
    requests = crowd(0, 30)
    alone = [tiny.ask(TransformersModel.of(net, tokenizer), [request])[0] for request in requests]
    together = tiny.ask(TransformersModel.of(net, tokenizer, slots=slots), requests)
    backwards = tiny.ask(TransformersModel.of(net, tokenizer, slots=slots), requests[::-1])[::-1]
    for reply, second, third in zip(alone, together, backwards, strict=True):
        assert same(reply, second)
        assert same(reply, third)


@pytest.mark.parametrize("make", ["llama", "gpt2", "qwen2"])
def test_greedy_is_what_generate_gives(tiny, make):
    tokenizer = tiny.character_tokenizer() if make == "llama" else tiny.byte_tokenizer()
    net = getattr(tiny, make)()
    model = TransformersModel.of(net, tokenizer)
    prompts = [user("Q" + LONG[i : 3 * i + 3]) for i in range(5)]
    replies = tiny.ask(model, [Sample(prompt, Sampling(temperature=0.0, max_tokens=24)) for prompt in prompts])
    for prompt, reply in zip(prompts, replies, strict=True):
        ids = torch.tensor([model.codec.prompt(prompt)])
        wanted = net.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24, pad_token_id=0
        )
        assert reply.text == tokenizer.decode(wanted[0, ids.shape[1] :], skip_special_tokens=True)


def test_logprobs_are_those_of_the_network(tiny, model):
    prompt = user("Q63c-7?")
    (reply,) = tiny.ask(model, [Sample(prompt, Sampling(temperature=0.5, seed=3, max_tokens=10, logprobs=2))])
    ids = [*model.codec.prompt(prompt), *model.codec.continuation(reply.text)]
    with torch.inference_mode():
        logprobs = torch.log_softmax(model.net(input_ids=torch.tensor([ids])).logits[0], -1)
    start = len(model.codec.prompt(prompt)) - 1
    for step, token in enumerate(reply.tokens):
        row = logprobs[start + step]
        assert abs(token.logprob - float(row[ids[start + 1 + step]])) < 1e-5
        assert abs(token.entropy + float((row.exp() * row).sum())) < 1e-5
        assert abs(token.top[0][1] - float(row.max())) < 1e-5
        assert len(token.top) == 2
    assert "".join(token.text for token in reply.tokens) == reply.text


def test_text_alone_unless_asked(tiny, model):
    (reply,) = tiny.ask(model, [Sample(user("Q"), Sampling(max_tokens=3))])
    assert reply.tokens is None


def test_prompt_of_many_samples_is_read_once(tiny, model):
    session = model.open()
    read = []
    prefill = session.prompts.network.prefill
    session.prompts.network.prefill = lambda ids, lengths: read.append(len(ids)) or prefill(ids, lengths)
    prompts = [user("Q" + letter) for letter in "abc"]
    for i in range(48):
        session.put(i, Sample(prompts[i // 16], Sampling(seed=i, max_tokens=8)))
    done = []
    while len(done) < 48:
        done += session.poll()
    assert read == [3]
    assert not session.prompts.known


def test_short_rows_leave_early_and_waiting_rows_take_their_place(tiny):
    model = TransformersModel.of(tiny.llama(), tiny.character_tokenizer(), slots=4)
    model.codec.ends = (47,)
    session = model.open()
    steps = []
    step = session.decoder.network.step
    session.decoder.network.step = lambda cache, ids: steps.append(len(ids)) or step(cache, ids)
    lengths = [40, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]
    for i, most in enumerate(lengths):
        session.put(i, Sample(user("Q" + LONG[:i]), Sampling(temperature=0.7, seed=i, max_tokens=most)))
    done = {}
    while len(done) < len(lengths):
        done.update(session.poll())
    assert sum(reply.usage.completion for reply in done.values()) == sum(lengths)
    assert len(steps) <= 40
    assert steps[-1] == 1


def test_stop_strings(tiny, model):
    prompt, sampling = user("Q1"), Sampling(seed=5, max_tokens=60, logprobs=0)
    (whole,) = tiny.ask(model, [Sample(prompt, sampling)])
    stop = whole.text[6:8]
    cut = whole.text.index(stop)
    (reply,) = tiny.ask(model, [Sample(prompt, replace(sampling, stop=("never", stop)))])
    assert reply.text == whole.text[:cut]
    assert reply.finish == "stop"
    assert same(
        replace(reply, text=""), replace(whole, text="", tokens=whole.tokens[:cut], finish="stop", usage=reply.usage)
    )
    assert len(reply.tokens) == cut
    assert reply.usage.completion == cut + 2


def test_stop_string_inside_a_token(tiny):
    model = TransformersModel.of(tiny.gpt2(), tiny.byte_tokenizer())
    prompt, sampling = user("the cat"), Sampling(seed=1, max_tokens=60, logprobs=0)
    (whole,) = tiny.ask(model, [Sample(prompt, sampling)])
    token = next(token.text for token in whole.tokens if len(token.text) > 2 and token.text.isascii())
    cut = whole.text.index(token[1:])
    (reply,) = tiny.ask(model, [Sample(prompt, replace(sampling, stop=(token[1:],)))])
    assert reply.text == whole.text[:cut] == "".join(token.text for token in reply.tokens)
    assert reply.finish == "stop"


def test_max_tokens_and_end(tiny, model):
    replies = tiny.ask(model, [Sample(user("Q"), Sampling(seed=i, max_tokens=30)) for i in range(40)])
    assert {reply.finish for reply in replies} == {"stop", "length"}
    for reply in replies:
        assert reply.usage.completion == 30 or reply.finish == "stop"
        assert "$" not in reply.text


def test_context_ends_a_reply(tiny):
    model = TransformersModel.of(tiny.llama(positions=24), tiny.character_tokenizer())
    model.codec.ends = (47,)
    short, full, over = tiny.ask(model, [Sample(user("Q" * n), Sampling(max_tokens=100, seed=2)) for n in (20, 23, 24)])
    assert (short.usage.completion, short.finish) == (4, "length")
    assert full.usage.completion == 1
    assert isinstance(over, Unsupported)
    assert re.fullmatch("24 tokens of prompt and 1 more exceed .* context of 24: shorten the prompt .*", str(over))
    score, embed = tiny.ask(model, [Score(user("Q" * 22), "abc"), Embed(user("Q" * 25))])
    assert isinstance(score, Unsupported)
    assert isinstance(embed, Unsupported)


def test_scores_are_those_of_the_network(tiny, model):
    prompts = [user("Q63?"), user("Q9c-7e+3?"), user("Q")]
    requests = [Score(prompt, text) for prompt in prompts for text in ("Y", "N", "c-7=56", "c-7=5", "")]
    for request, reply in zip(requests, tiny.ask(model, requests), strict=True):
        prompt, more = model.codec.prompt(request.prompt), model.codec.continuation(request.continuation)
        with torch.inference_mode():
            logprobs = torch.log_softmax(model.net(input_ids=torch.tensor([[*prompt, *more]])).logits[0], -1)
        wanted = [float(logprobs[len(prompt) - 1 + i, token]) for i, token in enumerate(more)]
        assert reply.text == request.continuation == "".join(token.text for token in reply.tokens)
        assert [token.logprob for token in reply.tokens] == pytest.approx(wanted, abs=1e-5)
        assert (reply.usage.prompt, reply.usage.completion) == (len(prompt), len(more))


def test_score_agrees_with_sample(tiny, model):
    (reply,) = tiny.ask(model, [Sample(user("Q63?"), Sampling(seed=1, max_tokens=20, logprobs=0))])
    (again,) = tiny.ask(model, [Score(user("Q63?"), reply.text)])
    assert same(replace(again, usage=reply.usage, finish=reply.finish), reply)


def test_single_tokens_need_one_pass_for_each_prompt(tiny, model):
    session = model.open()
    network = session.prompts.network
    calls = []
    prefill, extend = network.prefill, network.extend
    network.prefill = lambda ids, lengths: calls.append("prefill") or prefill(ids, lengths)
    network.extend = lambda *inputs: calls.append("extend") or extend(*inputs)
    for i, letter in enumerate("YNABE"):
        session.put(i, Score(user("Q63?"), letter))
    assert len(session.poll()) == 5
    assert calls == ["prefill"]


def test_embeddings(tiny, model):
    prompts = [user("Q63?"), user("Q9c-7e+3?")]
    last, first, beyond = tiny.ask(model, [Embed(prompts[0]), Embed(prompts[1], layer=1), Embed(prompts[0], layer=3)])
    for reply, prompt, layer in ((last, prompts[0], -1), (first, prompts[1], 1)):
        ids = torch.tensor([model.codec.prompt(prompt)])
        states = model.net(input_ids=ids, output_hidden_states=True).hidden_states
        assert reply.vector == pytest.approx(states[layer][0, -1].tolist(), abs=1e-5)
    assert isinstance(beyond, ModelError)
    assert "layers -3 to 2" in str(beyond)


def test_errors_stay_with_their_request(tiny, model):
    replies = tiny.ask(
        model,
        [
            Sample((Message("user", (Media("image", "image/png", b""),)),)),
            Sample(user("Q"), Sampling(max_tokens=0)),
            Score(user("Q"), "é"),
            Sample(user("Q"), Sampling(max_tokens=2)),
        ],
    )
    assert [type(reply) for reply in replies] == [Unsupported, ModelError, Unsupported, Generation]


def test_diverged_weights_are_an_error(tiny, model):
    model.open().close()
    with torch.no_grad():
        model.net.model.embed_tokens.weight.fill_(float("nan"))
    model.changed()
    replies = tiny.ask(model, [Sample(user("Q"), Sampling(max_tokens=2)), Score(user("Q"), "Y")])
    assert all(isinstance(reply, ModelError) and "diverged" in str(reply) for reply in replies)


def test_little_memory_runs_fewer_rows(tiny, model):
    requests = crowd(1)
    wanted = tiny.ask(model, requests)
    session = model.open()
    session.decoder.memory = 3 * 60 * 2 * 2 * 2 * 16 * 4
    for ticket, request in enumerate(requests):
        session.put(ticket, request)
    done, most = {}, 0
    while len(done) < len(requests):
        done.update(session.poll())
        most = max(most, session.decoder.cache.tokens)
    assert most < 1000
    assert all(same(done[i], reply) for i, reply in enumerate(wanted))


def test_poll_returns_before_everything_is_done(model):
    session = model.open()
    for i in range(3):
        session.put(i, Sample(user("Q"), Sampling(seed=i, max_tokens=(2, 60, 60)[i])))
    assert [ticket for ticket, _ in session.poll()] == [0]
    session.put(3, Sample(user("Qa"), Sampling(max_tokens=1)))
    assert [ticket for ticket, _ in session.poll()] == [3]


def test_poll_honours_its_timeout(model):
    session = model.open()
    session.put(0, Sample(user("Q"), Sampling(seed=1, max_tokens=100)))
    assert session.poll(0.0) == []
    while not session.poll(0.001):
        pass


def test_close_drops_everything(model):
    session = model.open()
    session.put(0, Sample(user("Q")))
    session.put(1, Score(user("Q"), "Y"))
    session.close()
    assert session.poll() == []


def test_small_networks_use_one_thread_and_give_the_setting_back(model):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        session = model.open()
        used = []
        step = session.decoder.step
        session.decoder.step = lambda: used.append(torch.get_num_threads()) or step()
        session.put(0, Sample(user("Q"), Sampling(max_tokens=2)))
        session.poll()
        assert set(used) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
