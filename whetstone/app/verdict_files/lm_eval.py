"""The harness's samples_*.jsonl: every metric of every sample is a score of the answer.

The file does not name the model; `system` does. A metric that is no number for one sample (a pair that is pooled later,
as for F1 or perplexity) is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.rows import Dropped, Item, Record, row, size

NAME = "lm_eval"
KNOWN = {
    *("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"),
    *("doc_hash", "prompt_hash", "target_hash", "task_name", "schema_version"),
}


def reads(head: Mapping[str, Any]) -> bool:
    return {"doc_id", "doc", "target", "resps"} <= head.keys()


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        values = record.values
        metrics = values.get("metrics")
        if not isinstance(metrics, list):
            metrics = [name for name in values if name not in KNOWN]
        if not metrics:
            yield Dropped("a sample without metrics")
        chosen = record.optional("filter")
        for metric in (record.name(name, "metrics") for name in metrics):
            score = values.get(metric)
            if isinstance(score, list | dict | str):
                yield Dropped("a metric that is no number for one sample")
                continue
            scored = Record(record.place, {metric: float(score) if isinstance(score, bool) else score})
            answer = _answer(values)
            yield row(
                judge=metric if chosen in (None, "none") else f"{metric} ({chosen})",
                metric=metric,
                prompt=record.text("doc_id"),
                system=options.system or "model",
                score=scored.number(metric),
                length=size(answer),
                question=_asked(values),
                answer=answer,
                raw=answer,
            )


def _answer(values: Mapping[str, Any]) -> str | None:
    """The first text generated for the first request; None for scored choices, whose replies are lists."""
    found = values.get("resps")
    for _ in range(2):
        found = found[0] if isinstance(found, list) and found else found
    return found if isinstance(found, str) else None


def _asked(values: Mapping[str, Any]) -> str | None:
    arguments = values.get("arguments")
    if isinstance(arguments, Mapping):
        first = next(iter(arguments.values()), None)
        found = first.get("arg_0") if isinstance(first, Mapping) else None
    else:
        found = arguments
        while isinstance(found, list) and found:
            found = found[0]
    return found if isinstance(found, str) else None
