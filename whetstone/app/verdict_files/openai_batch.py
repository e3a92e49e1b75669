"""The output file of a batch of chat completions or responses, in which a judge was asked; the last marker counts.

The output holds replies and no prompts. What was compared is told, by `custom_id`, from the request file: its prompt,
and the fields of `metadata` in a request's body (first, second, prompt, pair, swapped, label, system ...).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files import own
from whetstone.app.verdict_files.options import Options, Reply
from whetstone.app.verdict_files.prompts import answers, content, last_user
from whetstone.app.verdict_files.rows import Dropped, Item, Record, Row, digest, row, size
from whetstone.app.verdict_files.sources import read_records
from whetstone.core.errors import TaskError
from whetstone.signals.parsing import read_comparison, read_correctness, read_degree, read_score

NAME = "openai_batch"
PLACES = {"A": "first", "B": "second", "E": "tie"}


def reads(head: Mapping[str, Any]) -> bool:
    return "custom_id" in head and ("response" in head or "error" in head)


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    asked = _requests(options)
    for record in records:
        name = record.text("custom_id")
        body = _body(record)
        if body is None:
            yield Dropped("a request that failed")
            continue
        if asked and name not in asked:
            raise record.fault("custom_id", f"{name!r} is not among the requests of {options.requests}")
        reply = _reply(body)
        used = body.get("usage")
        model = body.get("model")
        yield row(
            id=name,
            judge=options.judge or (model if isinstance(model, str) else None),
            tokens=used.get("total_tokens") if isinstance(used, Mapping) else None,
        ) | {**asked.get(name, {}), **_read(reply or "", options), **row(raw=reply)}


def _body(record: Record) -> Mapping[str, Any] | None:
    response = record.values.get("response")
    if not isinstance(response, Mapping) or record.values.get("error") or response.get("status_code", 200) != 200:
        return None
    body = response.get("body")
    return body if isinstance(body, Mapping) else None


def _reply(body: Mapping[str, Any]) -> str | None:
    """The text of a chat completion or of a response."""
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        message = choices[0].get("message")
        return content(message.get("content")) if isinstance(message, Mapping) else content(choices[0].get("text"))
    output = body.get("output")
    parts = output if isinstance(output, list) else ()
    found = [part.get("content") for part in parts if isinstance(part, Mapping)]
    texts = [content(part) for part in found if part is not None]
    return "".join(text for text in texts if text) or None


def _read(reply: str, options: Options) -> Row:
    """The verdict or the score that a reply states; None where it states none."""
    return READERS[options.reply](reply, options)


def _comparison(reply: str, options: Options) -> Row:
    found = read_comparison(reply)
    return {"verdict": PLACES[found.value] if found else None}


def _degree(reply: str, options: Options) -> Row:
    found = read_degree(reply)
    if found is None:
        return {"verdict": None}
    return {"verdict": "tie" if not found else "first" if found > 0 else "second", "strength": abs(found) / 2}


def _score(reply: str, options: Options) -> Row:
    found = read_score(reply, *options.scale)
    return {"score": float(found.value) if found else None}


def _correctness(reply: str, options: Options) -> Row:
    found = read_correctness(reply)
    return {"score": float(found.value == "Y") if found else None}


READERS: Mapping[Reply, Callable[[str, Options], Row]] = {
    "comparison": _comparison,
    "degree": _degree,
    "score": _score,
    "correctness": _correctness,
}


def _requests(options: Options) -> dict[str, Row]:
    """What each request says of its pair or its answer."""
    if options.requests is None:
        return {}
    found: dict[str, Row] = {}
    for record in read_records(options.requests):
        name = record.text("custom_id")
        if name in found:
            raise record.fault("custom_id", f"{name!r} stands there twice")
        body = record.part(record.values.get("body"), "body")
        prompt = last_user(body.values.get("messages", body.values.get("input")))
        first_text, second_text = answers(prompt)
        lengths = row(first_length=size(first_text), second_length=size(second_text))
        texts = row(question=prompt, first_text=first_text, second_text=second_text) if options.texts else {}
        known = {"prompt": digest(prompt)} if prompt else {}
        found[name] = known | lengths | texts | _stated(body, options)
    if not found:
        raise TaskError(f"{options.requests}: no requests in it")
    return found


def _stated(body: Record, options: Options) -> Row:
    """The fields of a row that a request's metadata holds."""
    stated = body.values.get("metadata")
    scored = options.reply in ("score", "correctness")
    return own.known_fields(body.part(stated, "metadata"), scored=scored) if stated else {}
