"""The official client of OpenAI's interface talks to `whetstone serve-model grit`."""

from __future__ import annotations

import asyncio
import math
from itertools import islice

import openai
import pytest

from whetstone.core.types import Embed, Sample, Sampling, Score, user
from whetstone.models.serve.local import LocalModel
from whetstone.models.serve.requests import raw
from whetstone.tasks.load import load_task

QUESTION = "Q63c-7e-3b+0?"
LOOSE = 1e-4


@pytest.fixture(scope="module")
def client(served):
    return openai.OpenAI(base_url=served.url, api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def local(grit):
    return LocalModel(grit)


def write(client, prompt=QUESTION, **options):
    return client.completions.create(model="grit", prompt=prompt, **{"max_tokens": 60, **options})


def chat(client, text, **options):
    return client.chat.completions.create(model="grit", messages=[{"role": "user", "content": text}], **options)


def test_it_lists_its_model(client):
    assert [model.id for model in client.models.list()] == ["grit"]
    assert client.models.retrieve("grit").owned_by == "whetstone"


def test_raw_text_is_continued_as_it_is(client, local, compare):
    reply = write(client, temperature=0, logprobs=3)
    (wanted,) = compare.ask(local, [Sample(raw(QUESTION), Sampling(0.0, max_tokens=60, logprobs=3))])
    (choice,) = reply.choices
    assert (choice.text, choice.finish_reason) == (wanted.text, wanted.finish)
    assert choice.logprobs.tokens == [token.text for token in wanted.tokens]
    assert choice.logprobs.token_logprobs == pytest.approx([token.logprob for token in wanted.tokens], abs=LOOSE)
    for shown, token in zip(choice.logprobs.top_logprobs, wanted.tokens, strict=True):
        assert shown[token.text] == pytest.approx(token.logprob, abs=LOOSE)
        assert shown.keys() >= {text for text, _ in token.top}
    assert reply.usage.prompt_tokens == wanted.usage.prompt
    assert reply.usage.completion_tokens == wanted.usage.completion
    starts = [len(QUESTION) + choice.text.index(choice.logprobs.tokens[0])]
    assert choice.logprobs.text_offset[:1] == starts


def test_n_samples_have_seeds_of_their_own(client, local, compare):
    first = write(client, n=8, seed=11, temperature=1.5)
    again = write(client, n=8, seed=11, temperature=1.5)
    texts = [choice.text for choice in first.choices]
    assert texts == [choice.text for choice in again.choices]
    assert [choice.index for choice in first.choices] == list(range(8))
    assert len(set(texts)) > 1
    (alone,) = compare.ask(local, [Sample(raw(QUESTION), Sampling(1.5, max_tokens=60, seed=11))])
    assert texts[0] == alone.text


def test_without_a_seed_samples_differ(client):
    texts = {choice.text for _ in range(4) for choice in write(client, n=4, temperature=2.0).choices}
    assert len(texts) > 1


def test_stop_and_max_tokens(client):
    whole = write(client, temperature=0).choices[0].text
    stopped = write(client, temperature=0, stop="=").choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.text == whole[: whole.index("=")]
    short = write(client, temperature=0, max_tokens=2, logprobs=0).choices[0]
    assert short.finish_reason == "length"
    assert len(short.logprobs.tokens) == 2
    assert whole.startswith(short.text)


def test_several_prompts_in_one_call(client):
    prompts = [QUESTION, "Q10a+1?", "Q99d-9?"]
    together = write(client, prompts, temperature=0, n=2)
    alone = [write(client, prompt, temperature=0).choices[0].text for prompt in prompts]
    assert [choice.text for choice in together.choices] == [text for text in alone for _ in range(2)]


def test_echo_scores_the_given_text(client, grit, compare):
    """The last tokens of an echo are what a `Score` of the same continuation gives."""
    continuation = "c-7=56e-3=53b+0=53"
    for limit in (0, 1):
        reply = write(client, QUESTION + continuation, temperature=0, max_tokens=limit, echo=True, logprobs=1)
        given = reply.choices[0].logprobs
        count = reply.usage.prompt_tokens
        assert given.token_logprobs[0] is None
        assert "".join(given.tokens[:count]) == QUESTION + continuation
        (wanted,) = compare.ask(grit, [Score(user(QUESTION), continuation)])
        mine = list(zip(given.tokens, given.token_logprobs, strict=True))[count - len(wanted.tokens) : count]
        assert [text for text, _ in mine] == [token.text for token in wanted.tokens]
        assert [value for _, value in mine] == pytest.approx([t.logprob for t in wanted.tokens], abs=LOOSE)
        assert reply.choices[0].text.startswith(QUESTION + continuation)


def test_echo_without_logprobs(client):
    assert write(client, temperature=0, echo=True).choices[0].text.startswith(QUESTION)


def test_a_question_can_be_put_in_notation_in_short_or_in_english(client, grit, compare):
    (example,) = islice(load_task("ledger:levels=4").examples("dev"), 1)
    question = str(example.meta["question"])
    greedy = {"temperature": 0, "max_tokens": 60, "logprobs": True, "top_logprobs": 2}
    (wanted,) = compare.ask(grit, [Sample(example.prompt, Sampling(0.0, max_tokens=60, logprobs=2))])
    for text in (f"Q{question}?", question, example.prompt[-1].text):
        (choice,) = chat(client, text, **greedy).choices
        assert choice.message.content == wanted.text
        assert [token.token for token in choice.logprobs.content] == [token.text for token in wanted.tokens]
        assert [t.logprob for t in choice.logprobs.content] == pytest.approx(
            [t.logprob for t in wanted.tokens], abs=LOOSE
        )
        for shown, token in zip(choice.logprobs.content, wanted.tokens, strict=True):
            assert [other.token for other in shown.top_logprobs] == [text for text, _ in token.top]
            assert bytes(shown.bytes).decode() == shown.token


def test_a_begun_reply_is_continued(client):
    whole = chat(client, QUESTION, temperature=0).choices[0].message.content
    messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": whole[:6]}]
    options = {"extra_body": {"continue_final_message": True, "add_generation_prompt": False}, "temperature": 0}
    rest = client.chat.completions.create(model="grit", messages=messages, **options)
    assert rest.choices[0].message.content == whole[6:]


def test_streams_end_with_what_was_used(client):
    whole = chat(client, QUESTION, temperature=0)
    events = list(chat(client, QUESTION, temperature=0, stream=True))
    assert "".join(event.choices[0].delta.content or "" for event in events[:-1]) == whole.choices[0].message.content
    assert events[-2].choices[0].finish_reason == "stop"
    assert events[-1].usage == whole.usage
    events = list(write(client, temperature=0, stream=True))
    assert events[0].choices[0].text == write(client, temperature=0).choices[0].text


def test_embeddings(client, grit, compare):
    packed = client.embeddings.create(model="grit", input=[QUESTION, "10a+1"]).data
    listed = client.embeddings.create(model="grit", input=QUESTION, encoding_format="float").data
    (wanted,) = compare.ask(grit, [Embed(user(QUESTION))])
    assert packed[0].embedding == pytest.approx(wanted.vector, abs=LOOSE)
    assert listed[0].embedding == pytest.approx(wanted.vector, abs=LOOSE)
    assert len(packed) == 2


def test_concurrent_clients_share_batches_and_get_their_own_replies(served, client):
    """A request's reply is that of the same request asked alone, whatever runs beside it."""
    prompts = [f"Q{start:02d}{entries}?" for start in range(0, 100, 5) for entries in ("a+1", "a+1b-2", "a+1b-2c+3d-4")]

    async def everything():
        async with openai.AsyncOpenAI(base_url=served.url, api_key="none", max_retries=0) as many:
            calls = [
                many.completions.create(model="grit", prompt=prompt, seed=i, max_tokens=60, logprobs=1)
                for i, prompt in enumerate(prompts)
            ]
            return await asyncio.gather(*calls)

    together = asyncio.run(everything())
    for i, prompt in list(enumerate(prompts))[::12]:
        alone = write(client, prompt, seed=i, logprobs=1).choices[0]
        assert together[i].choices[0].text == alone.text
        assert together[i].choices[0].logprobs.token_logprobs == pytest.approx(alone.logprobs.token_logprobs, abs=LOOSE)
    assert all(math.isfinite(v) for reply in together for v in reply.choices[0].logprobs.token_logprobs)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompt": "Hello"}, "cannot spell 'H' in 'Hello'"),
        ({"prompt": ""}, "empty"),
        ({"prompt": [[1, 2]]}, "token numbers are not offered"),
        ({"prompt": "Q" + "1" * 5000}, "context"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
        ({"temperature": -1}, "temperature must be a number from 0"),
        ({"logprobs": 21}, "from 0 to 20"),
        ({"n": 5000}, "too many"),
        ({"suffix": "x"}, "suffix is not offered"),
        ({"presence_penalty": 0.5}, "presence_penalty is not offered"),
        ({"extra_body": {"min_p": 0.1}}, "does not know the field min_p"),
    ],
)
def test_what_it_cannot_do_it_refuses_by_name(client, options, said):
    with pytest.raises(openai.BadRequestError, match=said):
        write(client, **options)


def test_messages_that_grit_cannot_read(client):
    with pytest.raises(openai.BadRequestError, match="no token for 'H'"):
        chat(client, "Hello")
    image = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    with pytest.raises(openai.BadRequestError, match="reads text only"):
        chat(client, image)
    with pytest.raises(openai.BadRequestError, match="tools is not offered"):
        chat(client, QUESTION, tools=[{"type": "function", "function": {"name": "f"}}])


def test_another_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="there is 'grit'") as caught:
        client.completions.create(model="gpt", prompt=QUESTION)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt")


def test_a_page_in_a_browser_cannot_reach_it(served):
    """A name that leads to this machine from elsewhere is not this machine's name."""
    foreign = openai.OpenAI(
        base_url=served.url, api_key="none", max_retries=0, default_headers={"Host": "elsewhere.example"}
    )
    with pytest.raises(openai.BadRequestError):
        foreign.models.list()
