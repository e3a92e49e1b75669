"""Log-probabilities of given continuations, in the three ways that servers offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from whetstone.core.errors import Unsupported
from whetstone.core.types import Generation, Score, Token, Usage
from whetstone.models.http.prompts import messages, plain
from whetstone.models.http.replies import best, entries_of, usable

ALTERNATIVES = 20
WRITTEN = 8
"""Tokens that a server writes to show that its echo puts every log-probability at its own token."""


class NotOffered(Exception):
    """The server answered without doing what this way of scoring needs."""


def body(way: str, api: str, request: Score, alternatives: int) -> dict[str, Any]:
    """What to send for one continuation, model and extras apart. One token is generated and thrown away."""
    settings: dict[str, Any] = {"max_tokens": 1, "temperature": 0.0}
    if way == "first_token":
        turns = messages(request.prompt)
        return {"messages": turns, **settings, "logprobs": True, "top_logprobs": alternatives}
    if way == "prompt_logprobs":
        settings["prompt_logprobs"] = 0
    else:
        settings |= {"echo": True, "logprobs": 1}
    if api == "completions":
        return {"prompt": plain(request.prompt) + request.continuation, **settings}
    turns = [*messages(request.prompt), {"role": "assistant", "content": request.continuation}]
    return {"messages": turns, **settings, "continue_final_message": True, "add_generation_prompt": False}


def trial(request: Score) -> dict[str, Any]:
    """What to send to learn whether a server's echo can be believed; `in_place` reads the answer."""
    return {"prompt": plain(request.prompt), "max_tokens": WRITTEN, "temperature": 0.0, "echo": True, "logprobs": 1}


def in_place(value: Mapping[str, Any], request: Score) -> bool | None:
    """Does an echo give every token its own log-probability? Some servers give each that of the next one.

    A token that was written at temperature 0 is the likeliest at its place. Where written tokens are the likeliest at
    the places before theirs instead, the log-probabilities are off by one.

    Returns:
        None where it cannot be told: nothing was written, or one token again and again.

    Raises:
        NotOffered: there is no echo, or it has no log-probabilities.
    """
    choice = (value.get("choices") or [{}])[0]
    entries, starts, written = _echo(choice, plain(request.prompt))
    pairs = [
        (entry["token"], _likeliest(earlier), _likeliest(entry))
        for earlier, entry, at in zip(entries, entries[1:], starts[1:], strict=False)
        if at >= written and earlier["top"] and entry["top"]
    ]
    here = sum(token == own for token, _, own in pairs)
    before = sum(token == earlier for token, earlier, _ in pairs)
    return None if here == before else here > before and 2 * here >= len(pairs)


def read(way: str, value: Mapping[str, Any], requests: Sequence[Score]) -> list[Generation | Unsupported]:
    """The scores in an answer, one for each request; only `first_token` answers several at once.

    Raises:
        NotOffered: the server ignored what was asked.
    """
    choice = (value.get("choices") or [{}])[0]
    if way == "first_token":
        return _first_token(value, choice, requests)
    (request,) = requests
    wanted = request.continuation
    if way == "echo":
        tokens = _echoed(choice, plain(request.prompt), wanted)
    else:
        tokens = _of_prompt(value.get("prompt_logprobs") or choice.get("prompt_logprobs"), wanted)
    if tokens is None:
        why = "falls inside a token of the prompt, or the server's tokens do not spell the prompt"
        return [Unsupported(f"the start of {wanted[:40]!r} {why}; it cannot be scored")]
    prompt = (value.get("usage") or {}).get("prompt_tokens")
    read_tokens = max(prompt - len(tokens), 0) if isinstance(prompt, int) else 0
    return [Generation(wanted, tokens, "stop", Usage(read_tokens, len(tokens)))]


def _echoed(choice: Mapping[str, Any], prompt: str, wanted: str) -> tuple[Token, ...] | None:
    """Tokens of the continuation in an echo of the prompt; None when it does not start with a token."""
    entries, starts, start = _echo(choice, prompt)
    kept = [entry for entry, at in zip(entries, starts, strict=False) if start <= at < start + len(wanted)]
    if start not in starts or "".join(entry["token"] for entry in kept) != wanted:
        return None
    return _tokens([(entry["token"], entry["logprob"]) for entry in kept])


def _echo(choice: Mapping[str, Any], prompt: str) -> tuple[list[dict[str, Any]], list[int], int]:
    """Tokens of an echo, where each starts in the text that they spell, and where the prompt ends in it.

    No tokens where they do not spell the text, as when the bytes of one character are spread over several.
    """
    entries = entries_of(choice.get("logprobs"))
    if not entries:
        raise NotOffered("no log-probabilities of the prompt")
    start = "".join(entry["token"] for entry in entries).find(prompt)
    if start < 0 and str(choice.get("text") or "").startswith(prompt):
        return [], [], 0
    if start < 0:
        raise NotOffered("the prompt is not echoed")
    starts = list(accumulate((len(entry["token"]) for entry in entries), initial=0))
    return entries, starts, start + len(prompt)


def _likeliest(entry: Mapping[str, Any]) -> str:
    """The token that an entry's alternatives put first."""
    return next((text for text, _ in best(entry["top"], 1)), "")


def _of_prompt(places: Any, wanted: str) -> tuple[Token, ...] | None:
    """The last tokens of the prompt, as many as spell the continuation."""
    if not isinstance(places, list) or not places:
        raise NotOffered("no log-probabilities of the prompt")
    kept: list[tuple[str, Any]] = []
    length = 0
    for place in reversed(places):
        if length >= len(wanted):
            break
        if not place:
            return None
        # the prompt's own token comes first, likelier ones after it
        token = next(iter(place.values()))
        kept.append((str(token.get("decoded_token") or ""), token.get("logprob")))
        length += len(kept[-1][0])
    kept.reverse()
    return _tokens(kept) if "".join(text for text, _ in kept) == wanted else None


def _tokens(kept: Sequence[tuple[str, Any]]) -> tuple[Token, ...]:
    if not all(usable(logprob) for _, logprob in kept):
        raise NotOffered("log-probabilities of the prompt that are no numbers")
    return tuple(Token(text, min(float(logprob), 0.0)) for text, logprob in kept)


def _first_token(
    value: Mapping[str, Any], choice: Mapping[str, Any], requests: Sequence[Score]
) -> list[Generation | Unsupported]:
    """Continuations of one token, read off the distribution of a reply's first token."""
    entries = entries_of(choice.get("logprobs"))
    if not entries:
        raise NotOffered("no log-probabilities")
    known = dict(best([*entries[0]["top"], (entries[0]["token"], entries[0]["logprob"])], ALTERNATIVES + 1))
    prompt = (value.get("usage") or {}).get("prompt_tokens")
    read_tokens = prompt if isinstance(prompt, int) else 0
    replies: list[Generation | Unsupported] = []
    for request in requests:
        text = request.continuation
        if text in known:
            replies.append(Generation(text, (Token(text, known[text]),), "stop", Usage(read_tokens, 1)))
            read_tokens = 0
        else:
            replies.append(
                Unsupported(
                    f"{text[:40]!r} is not among the likeliest first tokens, and this server scores nothing else"
                )
            )
    return replies
