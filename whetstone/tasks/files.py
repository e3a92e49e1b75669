"""Tasks from data files: one row an example, checked by a verifier."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from whetstone.core.errors import Abstain, ConfigError, TaskError
from whetstone.core.types import Example, Json, Message, Sampling, Signal
from whetstone.tasks.columns import Fields, read_fields
from whetstone.tasks.grades import graded, undecided, unreadable
from whetstone.tasks.prompts import solve
from whetstone.tasks.readers import records
from whetstone.tasks.verifiers import LETTERS, VERIFIERS, Verifier, choose_verifier, load_verifier
from whetstone.worlds.splits import SPLITS, split_of


@dataclass(frozen=True)
class FileTask:
    """A task over a JSONL, CSV, TSV or Parquet file, read anew for each call of `examples`.

    Attributes:
        verifier: its name, or "auto": choice for rows with choices, numeric for numbers, else normalised.
        loaded: verifiers by name, with their options.
    """

    name: str
    path: Path
    verifier: str
    loaded: dict[str, Verifier]
    sampling: Sampling

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        """The examples of a split in the file's order; with `n`, a random n of them (which ones depends on `seed`).

        Rows without a split are put into one by the hash of their question.

        Raises:
            ConfigError: no such split.
            TaskError: a row that cannot be used, by file and line.
        """
        if split not in SPLITS:
            raise ConfigError(f"no split is called {split!r}; there are {', '.join(SPLITS)}")
        if n is None:
            yield from (example for _, example in self._split(split))
            return
        ranked = ((_hash(f"{seed}/{example.id}"), line, example) for line, example in self._split(split))
        chosen = heapq.nsmallest(n, ranked, key=lambda item: item[:2])
        yield from (example for _, _, example in sorted(chosen, key=lambda item: item[1]))

    def read(self, example: Example, text: str) -> str | None:
        """The final answer in canonical form."""
        return self._verifier(example).read(example, text)

    def verify(self, example: Example, text: str) -> Signal:
        """Is the answer right? An unreadable one is wrong and says so in its provenance."""
        answer = self.read(example, text)
        if answer is None:
            return unreadable()
        try:
            return graded(self._verifier(example).right(example, answer, _targets(example)))
        except Abstain as reason:
            return undecided(str(reason))

    def process(self, example: Example, text: str) -> Signal:
        """Abstains: a file says nothing about steps."""
        return undecided("a file has no process verifier")

    def complete(self, example: Example, text: str) -> bool | None:
        """None: a file says nothing about form."""
        return None

    def _verifier(self, example: Example) -> Verifier:
        return self.loaded[str(example.meta["verifier"])]

    def _split(self, split: str) -> Iterator[tuple[int, Example]]:
        seen: set[int] = set()
        for line, record in records(self.path):
            fields = read_fields(record)
            if fields.faults:
                raise TaskError(f"{self.path}:{line}: {fields.faults[0].field}: {fields.faults[0].message}")
            if (fields.split or split_of(fields.question)) != split:
                continue
            example = self._example(fields, line)
            if _hash(example.id) in seen:
                raise TaskError(f"{self.path}:{line}: id: {example.id!r} stands there twice")
            seen.add(_hash(example.id))
            yield line, example

    def _example(self, fields: Fields, line: int) -> Example:
        name = choose_verifier(fields.choices, fields.targets) if self.verifier == "auto" else self.verifier
        verifier = self.loaded[name]
        for target in fields.targets:
            if fault := verifier.fault(target):
                raise TaskError(f"{self.path}:{line}: target: {fault}")
        options = "".join(f"\n({LETTERS[i]}) {choice}" for i, choice in enumerate(fields.choices))
        before = tuple(Message(role, (text,)) for role, text in fields.turns)
        meta: dict[str, Json] = {**fields.meta, "verifier": name, "line": line}
        if len(fields.targets) > 1:
            meta["targets"] = fields.targets
        return Example(
            fields.id if fields.id is not None else f"line-{line}",
            before + solve(fields.question + options, verifier.instructions),
            fields.targets[0] if len(fields.targets) == 1 else " | ".join(fields.targets),
            fields.group,
            fields.choices,
            meta,
        )


def load_file(
    path: Path, *, name: str = "", verifier: str = "auto", sampling: Sampling = Sampling(), **options: float
) -> FileTask:
    """A task over a file.

    Args:
        name: what the user calls it; the path by default.
        verifier: a name of `VERIFIERS`, or "auto".
        options: settings of that verifier, such as `tolerance`.

    Raises:
        ConfigError: an unknown verifier or option.
        TaskError: no such file.
    """
    if not path.is_file():
        raise TaskError(f"{path}: no such file")
    if verifier == "auto":
        automatic = {known: load_verifier(known) for known in ("choice", "numeric", "normalised")}
        if options:
            automatic["numeric"] = load_verifier("numeric", **options)
        return FileTask(name or str(path), path, verifier, automatic, sampling)
    if verifier not in VERIFIERS:
        raise ConfigError(f"no verifier is called {verifier!r}; there are auto, {', '.join(VERIFIERS)}")
    return FileTask(name or str(path), path, verifier, {verifier: load_verifier(verifier, **options)}, sampling)


def _targets(example: Example) -> tuple[str, ...]:
    several = example.meta.get("targets")
    return tuple(map(str, several)) if isinstance(several, tuple) else (example.target or "",)


def _hash(text: str) -> int:
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
