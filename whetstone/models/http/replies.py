"""From a server's JSON to generations: text, tokens that spell it, why it ended, what it used.

Nothing is made up. Log-probabilities that are missing, are not numbers or do not spell the text leave a reply without
tokens, and the reason is counted.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import isfinite
from typing import Any, Literal

from whetstone.core.decode import read_json
from whetstone.core.types import Generation, Token, Usage
from whetstone.models.http.errors import Trouble

Finish = Literal["stop", "length", "filter"]
FINISHES: Mapping[str, Finish] = {"length": "length", "max_tokens": "length", "content_filter": "filter"}


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object of a successful answer. Raises `Trouble` for anything else."""
    try:
        value = read_json(data)
    except UnicodeDecodeError as error:
        raise Trouble("fault", "a reply that is not UTF-8") from error
    except ValueError as error:
        raise Trouble("fault", f"a reply that is not JSON ({len(data)} bytes)") from error
    if not isinstance(value, dict):
        raise Trouble("fault", "a reply that is not a JSON object")
    if value.get("error"):
        raise Trouble("fault", f"an error in place of a reply: {value['error']!s:.200}")
    return value


def generations(
    value: Mapping[str, Any],
    *,
    count: int,
    alternatives: int | None,
    limit: int,
    seen: Counter[str],
    stop: Sequence[str] = (),
) -> list[Generation]:
    """The samples in an answer, at most `count`, fewer when the server gave fewer.

    Args:
        value: the answer, chat or plain.
        count: how many were asked for.
        alternatives: how many alternatives of each token to keep; None: no tokens were asked for.
        limit: the most tokens that were asked for.
        seen: counts what was left out, by reason.
        stop: texts before which a sample ends; some servers keep them, or write on.

    Raises:
        Trouble: the answer holds no sample.
    """
    choices: dict[int, Mapping[str, Any]] = {}
    for position, choice in enumerate(value.get("choices") or ()):
        index = position if choice.get("index") is None else choice["index"]
        if index in choices:
            seen["duplicated choices left out"] += 1
        else:
            choices[index] = choice
    if not choices:
        raise Trouble("fault", "a reply without choices")
    chosen = [choices[index] for index in sorted(choices)]
    seen["choices beyond those asked for left out"] += max(len(chosen) - count, 0)
    chosen = chosen[:count]
    whole = list(map(text_of, chosen))
    texts = [before(text, stop) for text in whole]
    cut = [len(text) < len(all_of_it) for text, all_of_it in zip(texts, whole, strict=True)]
    seen["replies that hold their stop text (cut there)"] += sum(cut)
    tokens = [tokens_of(choice, text, alternatives, seen) for choice, text in zip(chosen, texts, strict=True)]
    usages = shares_of(value.get("usage"), [t if t is None else len(t) for t in tokens], texts, seen)
    return [
        Generation(text, kept, "stop" if ended else finish_of(choice, usage, limit), usage)
        for choice, text, kept, usage, ended in zip(chosen, texts, tokens, usages, cut, strict=True)
    ]


def before(text: str, stop: Sequence[str]) -> str:
    """A text up to the first of these texts that it holds."""
    return text[: min((at for part in stop if part and (at := text.find(part)) >= 0), default=len(text))]


def text_of(choice: Mapping[str, Any]) -> str:
    """A choice's text; an empty one is a reply like any other."""
    message = choice.get("message")
    text = choice.get("text") if message is None else message.get("content")
    if isinstance(text, list):
        text = "".join(part.get("text", "") for part in text if isinstance(part, Mapping))
    if text is not None and not isinstance(text, str):
        raise Trouble("fault", f"a reply whose text is a {type(text).__name__}")
    return text or ""


def finish_of(choice: Mapping[str, Any], usage: Usage, limit: int) -> Finish:
    """Why a choice ended; where the server does not say, whether it used all its tokens."""
    reason = choice.get("finish_reason")
    if reason is None:
        return "length" if usage.completion >= limit else "stop"
    if reason in ("abort", "error"):
        raise Trouble("fault", "a reply that the server broke off")
    if (choice.get("message") or {}).get("refusal"):
        return "filter"
    return FINISHES.get(reason, "stop")


def shares_of(
    usage: Mapping[str, Any] | None, lengths: Sequence[int | None], texts: Sequence[str], seen: Counter[str]
) -> list[Usage]:
    """An answer's usage, divided among its samples so that the sum is the server's.

    The first sample carries the prompt. Where the server does not report, bytes of text bound the tokens from above.
    """
    weights = [len(text.encode("utf-8", "replace")) if n is None else n for n, text in zip(lengths, texts, strict=True)]
    prompt, completion = ((usage or {}).get(name) for name in ("prompt_tokens", "completion_tokens"))
    if not isinstance(completion, int):
        seen["replies without usage (their bytes are counted)"] += len(texts)
        completion = sum(weights)
    if not any(weights):
        weights = [1] * len(texts)
    ends = [completion * part // sum(weights) for part in accumulate(weights)]
    parts = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    first = prompt if isinstance(prompt, int) else 0
    return [Usage(first if i == 0 else 0, part) for i, part in enumerate(parts)]


# ----------------------------------------------------------------------------------------- tokens


def tokens_of(
    choice: Mapping[str, Any], text: str, alternatives: int | None, seen: Counter[str]
) -> tuple[Token, ...] | None:
    """The tokens that spell `text`; None when they were not asked for or cannot be used."""
    if alternatives is None:
        return None
    entries = entries_of(choice.get("logprobs"))
    if entries is None or (text and not entries):
        seen["replies without log-probabilities"] += 1
        return None
    shares = spell(entries, text)
    if shares is None:
        seen["replies whose tokens do not spell their text"] += 1
        return None
    kept = entries[: len(shares)]
    if not all(usable(entry["logprob"]) for entry in kept):
        seen["replies with log-probabilities that are no numbers"] += 1
        return None
    return tuple(
        Token(share, min(float(entry["logprob"]), 0.0), best(entry["top"], alternatives))
        for share, entry in zip(shares, kept, strict=True)
    )


def entries_of(logprobs: Any) -> list[dict[str, Any]] | None:
    """Tokens as `{token, logprob, bytes, top}`, from the layout of chat or from the older one of completions."""
    if not isinstance(logprobs, Mapping):
        return None
    if isinstance(content := logprobs.get("content"), list):
        return [
            {
                "token": entry.get("token") or "",
                "logprob": entry.get("logprob"),
                "bytes": entry.get("bytes"),
                "top": [(other.get("token"), other.get("logprob")) for other in entry.get("top_logprobs") or ()],
            }
            for entry in content
        ]
    tokens = logprobs.get("tokens")
    if not isinstance(tokens, list):
        return None
    nothing = [None] * len(tokens)
    values = logprobs.get("token_logprobs") or nothing
    tops = logprobs.get("top_logprobs") or nothing
    if not len(tokens) == len(values) == len(tops):
        return None
    return [
        {"token": token or "", "logprob": value, "bytes": None, "top": list((top or {}).items())}
        for token, value, top in zip(tokens, values, tops, strict=True)
    ]


def usable(logprob: Any) -> bool:
    """Is it the logarithm of a probability? A little above 0 is rounding."""
    return isinstance(logprob, (int, float)) and isfinite(logprob) and logprob <= 0.01


def best(top: Sequence[tuple[Any, Any]], k: int) -> tuple[tuple[str, float], ...]:
    """The `k` likeliest alternatives, best first."""
    pairs = [(str(text), min(float(logprob), 0.0)) for text, logprob in top if text is not None and usable(logprob)]
    return tuple(sorted(pairs, key=lambda pair: -pair[1])[:k])


def spell(entries: Sequence[Mapping[str, Any]], text: str) -> list[str] | None:
    """The share of each token in `text`, as far as it begins before the text's end; None if they do not spell it.

    White space that the server cut from the start of the text belongs to tokens with a shorter share.
    """
    pieces = [entry["token"] for entry in entries]
    whole = "".join(pieces)
    if not whole.startswith(text) and all(isinstance(entry["bytes"], list) for entry in entries):
        # a character may be spread over several tokens; the last of them gets it
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        pieces = [decoder.decode(bytes(entry["bytes"])) for entry in entries]
        whole = "".join(pieces)
    start = 0 if whole.startswith(text) else len(whole) - len(whole.lstrip())
    if not whole.startswith(text, start):
        return None
    end, at, shares = start + len(text), 0, []
    for piece in pieces:
        if at >= end:
            break
        shares.append(piece[max(start - at, 0) : end - at])
        at += len(piece)
    return shares
