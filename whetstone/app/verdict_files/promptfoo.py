"""promptfoo's JSON results: every assertion on every output is a score of it; select-best is a comparison.

The judge is the kind of the assertion, since the file does not say which model graded. A grader that failed left no
assertion beside its score of 0: such a score is unreadable. `select-best` names the best of
all outputs of a test: a verdict for it against each of the others, in the order of the prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.rows import Dropped, Item, Record, digest, row, size

NAME = "promptfoo"
BEST = "select-best"
FAILED = "failed"


def reads(head: Mapping[str, Any]) -> bool:
    results = head.get("results")
    if isinstance(results, Mapping):
        return isinstance(results.get("results"), list)
    return {"gradingResult", "provider", "testCase"} <= head.keys()


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    rivals: dict[str, list[tuple[Record, Record, str]]] = {}
    for record in records:
        several = _several_prompts(record)
        for result in _results(record):
            system = _system(result, several)
            told = list(_components(result))
            if not told:
                yield Dropped("an output without grades")
            for part in told:
                if _kind(part) == BEST:
                    rivals.setdefault(_test(result), []).append((result, part, system))
                else:
                    yield _score(result, part, system, options)
    for prompt, outputs in rivals.items():
        yield from _best(prompt, outputs, options)


def _results(record: Record) -> Iterator[Record]:
    if not isinstance(record.values.get("results"), Mapping):
        yield record
        return
    for number, result in enumerate(record.part(record.values["results"], "results").listed("results")):
        yield record.part(result, f"results[{number}]")


def _several_prompts(record: Record) -> bool:
    """Were several prompts tried? Only the whole document says so."""
    results = record.values.get("results")
    prompts = results.get("prompts") if isinstance(results, Mapping) else None
    listed = prompts if isinstance(prompts, list) else ()
    labels = [prompt.get("label") for prompt in listed if isinstance(prompt, Mapping)]
    return any(label != labels[0] for label in labels)


def _components(result: Record) -> Iterator[Record]:
    """The grades of an output, each with its assertion: a grade that failed leaves it out, the test case has it."""
    graded = result.values.get("gradingResult")
    if not isinstance(graded, Mapping):
        return
    parts = graded.get("componentResults")
    if not isinstance(parts, list) or not parts:
        yield result.part(graded, "gradingResult")
        return
    case = result.values.get("testCase")
    asserted = case.get("assert") if isinstance(case, Mapping) else None
    for number, part in enumerate(parts):
        if part is None:
            continue
        told = result.part(part, f"componentResults[{number}]")
        if told.values.get("assertion") is None and isinstance(asserted, list) and len(asserted) == len(parts):
            told = Record(told.place, {**told.values, "assertion": asserted[number], FAILED: True})
        yield told


def _score(result: Record, told: Record, system: str, options: Options) -> Item:
    kept = told.values.get("metadata")
    failed = told.values.get(FAILED) or (isinstance(kept, Mapping) and kept.get("graderError"))
    answer = _answer(result)
    value = told.values.get("score")
    if value is None and isinstance(told.values.get("pass"), bool):
        value = float(told.values["pass"])
    tokens = told.values.get("tokensUsed")
    return row(
        judge=options.judge or _kind(told),
        metric=_criterion(told),
        prompt=_test(result),
        system=system,
        score=None if failed else Record(told.place, {"score": value}).number("score"),
        tokens=tokens.get("total") if isinstance(tokens, Mapping) else None,
        length=size(answer),
        raw=told.values.get("reason") if isinstance(told.values.get("reason"), str) else None,
        question=_asked(result),
        answer=answer,
    )


def _best(prompt: str, outputs: Sequence[tuple[Record, Record, str]], options: Options) -> Iterator[Item]:
    ordered = sorted(outputs, key=lambda output: output[0].number("promptIdx") or 0)
    won = [place for place, (_, told, _) in enumerate(ordered) if told.values.get("pass") is True]
    if len(won) != 1 or len(ordered) < 2:
        yield Dropped("a choice of the best without one winner")
        return
    names = [system for _, _, system in ordered]
    for place in range(len(ordered)):
        if place == won[0]:
            continue
        first, second = min(place, won[0]), max(place, won[0])
        if names[first] == names[second]:
            yield Dropped("a system compared with itself")
            continue
        answers = [_answer(ordered[at][0]) for at in (first, second)]
        yield row(
            judge=options.judge or BEST,
            metric=_criterion(ordered[place][1]),
            prompt=prompt,
            first=names[first],
            second=names[second],
            verdict="first" if first == won[0] else "second",
            first_length=size(answers[0]),
            second_length=size(answers[1]),
            question=_asked(ordered[place][0]),
            first_text=answers[0],
            second_text=answers[1],
        )


def _kind(told: Record) -> str:
    assertion = told.values.get("assertion")
    kind = assertion.get("type") if isinstance(assertion, Mapping) else None
    return kind if isinstance(kind, str) and kind else "all assertions"


def _criterion(told: Record) -> str:
    """The assertion's metric, or its kind and what it asks for."""
    assertion = told.values.get("assertion")
    if not isinstance(assertion, Mapping):
        return "all assertions"
    if isinstance(assertion.get("metric"), str) and assertion["metric"]:
        return str(assertion["metric"])
    asked = assertion.get("value")
    return f"{_kind(told)}: {asked}" if isinstance(asked, str | int | float) else _kind(told)


def _system(result: Record, several: bool) -> str:
    """The provider's label or id, and the prompt's where several were tried."""
    provider = result.values.get("provider")
    if isinstance(provider, Mapping):
        provider = provider.get("label") or provider.get("id")
    name = result.name(provider, "provider")
    prompt = result.values.get("prompt")
    label = prompt.get("label") if isinstance(prompt, Mapping) else None
    return f"{name}: {label}" if several and isinstance(label, str) else name


def _test(result: Record) -> str:
    variables = result.values.get("vars")
    test = result.values.get("testIdx")
    return str(test) if isinstance(test, int) else digest(repr(variables))


def _asked(result: Record) -> str | None:
    prompt = result.values.get("prompt")
    asked = prompt.get("raw") if isinstance(prompt, Mapping) else prompt
    return asked if isinstance(asked, str) else None


def _answer(result: Record) -> str | None:
    response = result.values.get("response")
    output = response.get("output") if isinstance(response, Mapping) else None
    return output if isinstance(output, str) else None
