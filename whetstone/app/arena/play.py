"""Matches handed out and votes taken: the arena without its pages."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whetstone.app.arena.log import Log
from whetstone.app.arena.outputs import Outputs, Parts
from whetstone.core.errors import ConfigError, StoreError
from whetstone.ranking.schedules.matchmaker import Choice, Match, Matchmaker

WINNERS: Mapping[str, str | None] = {
    "first": "model_a",
    "second": "model_b",
    "tie": "tie",
    "both_bad": "tie (bothbad)",
    "skip": None,
}
"""What a voter of two can say, and how it is written down."""
PATIENCE = 600.0
"""Seconds for which a match that is not answered keeps its pair from others."""
PLACES = {"first": (0, 1), "second": (1, 0), "tie": (0, 0), "both_bad": (0, 0)}


class Refused(Exception):
    """A vote that cannot be taken; the message says why. `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Shown:
    """A match before a voter, by number."""

    number: int
    voter: str
    match: Match
    since: float


class Arena:
    """Hands out matches, one at a time to each voter, and writes down every vote before it is confirmed.

    Args:
        outputs: what can be shown.
        votes: the file of votes, which `whetstone rank` reads. Beside it `NAME.matches.jsonl` keeps who was shown
            what, so that a voter finds the same match again after a restart, and orders stay balanced.
        size, choice, level, seed: as in `Matchmaker`.

    Raises:
        ConfigError: a size or a choice that cannot be, or a file of votes of another size.
        StoreError: a file that cannot be used.
    """

    def __init__(
        self,
        outputs: Outputs,
        votes: Path,
        *,
        size: int = 2,
        choice: Choice = "information",
        level: float = 0.95,
        seed: int = 0,
    ) -> None:
        self.outputs, self.size = outputs, size
        self.maker = Matchmaker(outputs.have, size=size, choice=choice, level=level, seed=seed)
        self.votes = Log(votes)
        self.answered: dict[int, dict[str, Any]] = {}
        try:
            self._check_votes()
            self.matches = Log(votes.with_name(f"{votes.name.removesuffix('.jsonl')}.matches.jsonl"))
        except (ConfigError, StoreError):
            self.votes.close()
            raise
        self.lock = threading.Lock()
        self.shown: dict[int, Shown] = {}
        self.waiting: dict[str, Shown] = {}
        self.had: defaultdict[str, set[tuple[frozenset[int], int]]] = defaultdict(set)
        self.voted: Counter[str] = Counter()
        self.last = self.unknown = 0
        self._replay()

    def close(self) -> None:
        """Let others write the files."""
        self.votes.close()
        self.matches.close()

    def match(self, voter: str) -> Shown:
        """The match that a voter has to answer: the one before them, or the next."""
        with self.lock:
            if voter in self.waiting:
                return self.waiting[voter]
            now = time.monotonic()
            waiting = [shown.match for shown in self.waiting.values() if now - shown.since < PATIENCE]
            match = self.maker.next(waiting=waiting, seen=self.had[voter])
            shown = Shown(self.last + 1, voter, match, now)
            names = [self.outputs.systems[system] for system in match.systems]
            self.matches.add(
                {
                    "match": shown.number,
                    "prompt_id": self.outputs.items[match.item],
                    "shown": names,
                    "judge": voter,
                    "time": _now(),
                }
            )
            self._hand_out(shown)
            return shown

    def parts(self, shown: Shown, slot: int) -> Parts:
        """What stands in a place: 0 is the prompt, from 1 on the outputs in the order shown.

        Raises:
            Refused: no such place.
        """
        if slot == 0:
            return self.outputs.prompts[shown.match.item]
        if not 0 < slot <= len(shown.match.systems):
            raise Refused(f"there is no place {slot}", 404)
        return self.outputs.given[shown.match.systems[slot - 1], shown.match.item]

    def vote(self, voter: str, number: int, answer: Mapping[str, Any]) -> list[str]:
        """Write down an answer and tell the names of the systems, in the order shown.

        Args:
            answer: `choice`, of two one of `WINNERS`, of more "all_bad" or "skip"; or `ranking`, a list, best first, of
                lists of places from 1 that are tied.

        Raises:
            Refused: no such match, someone else's, or an answer that means nothing or differs from the one given.
            StoreError: it could not be written, and is not taken.
        """
        with self.lock:
            shown = self.shown.get(number)
            if shown is None or shown.voter != voter:
                raise Refused(f"match {number} is not yours", 404)
            names = [self.outputs.systems[system] for system in shown.match.systems]
            said, places = self._read(answer, names)
            before = self.answered.get(number)
            if before is not None:
                if any(before.get(key) != value for key, value in said.items()):
                    raise Refused("this match has another answer already; the first one counts", 409)
                return names
            record = {"match": number, "prompt_id": self.outputs.items[shown.match.item], **said, "judge": voter}
            self.votes.add({**record, "time": _now(), "seconds": round(time.monotonic() - shown.since, 1)})
            self._take(shown, self.votes.records[-1], places)
            return names

    def tally(self, voter: str = "") -> dict[str, int]:
        """How many votes there are: in all, and by one voter."""
        return {"votes": len(self.answered), "yours": self.voted[voter]}

    def _read(self, answer: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], Sequence[int] | None]:
        """What is written down, and the places by which is learnt: None where nothing is."""
        choice, ranking = answer.get("choice"), answer.get("ranking")
        if self.size == 2 and ranking is None:
            if not isinstance(choice, str) or choice not in WINNERS:
                raise Refused(f"choice is {choice!r}; it can be {', '.join(WINNERS)}, or give a ranking")
            said = {"model_a": names[0], "model_b": names[1], "winner": WINNERS[choice]}
            return said, PLACES.get(choice)
        if ranking is None and choice in ("skip", "all_bad"):
            levels = [list(range(1, self.size + 1))] if choice == "all_bad" else None
        else:
            levels = _levels(ranking, self.size)
        if self.size == 2:
            assert levels is not None
            return self._read({"choice": "tie" if len(levels) == 1 else ("first", "second")[levels[0][0] - 1]}, names)
        if levels is None:
            return {"shown": list(names), "ranking": None, "all_bad": False}, None
        places = [next(i for i, level in enumerate(levels) if slot in level) for slot in range(1, self.size + 1)]
        written = [[names[slot - 1] for slot in level] for level in levels]
        return {"shown": list(names), "ranking": written, "all_bad": choice == "all_bad"}, places

    def _check_votes(self) -> None:
        """Are the votes of the file on as many outputs?"""
        for number, record in enumerate(self.votes.records, 1):
            if not ("winner" in record if self.size == 2 else _ranks(record, self.size)):
                raise ConfigError(
                    f"{self.votes.path}: line {number} is no vote on {self.size}; name another file with --votes"
                )
            match = record.get("match")
            self.answered[match if isinstance(match, int) else -number] = record

    def _replay(self) -> None:
        """Take in what the files hold. Rows of systems or prompts that are not here any more are counted."""
        for number, record in enumerate(self.matches.records, 1):
            if not {"shown", "prompt_id", "judge"} <= set(record) or not isinstance(record.get("match"), int):
                raise ConfigError(f"{self.matches.path}: line {number} is no match; name other files with --votes")
        shown = self.answered | {int(record["match"]): record for record in self.matches.records}
        self.last = max((0, *shown))
        systems = {name: i for i, name in enumerate(self.outputs.systems)}
        items = {name: i for i, name in enumerate(self.outputs.items)}
        for number, record in sorted(shown.items()):
            names, item = _names(record), items.get(str(record.get("prompt_id")))
            codes = tuple(systems.get(name, -1) for name in names)
            if item is None or -1 in codes or len(codes) != self.size:
                self.unknown += 1
                continue
            found = Shown(number, str(record.get("judge", "")), Match(codes, item), time.monotonic())
            self._hand_out(found)
            vote = self.answered.get(number)
            if vote is not None:
                self._take(found, vote, self._places(vote, names))

    def _places(self, vote: Mapping[str, Any], names: Sequence[str]) -> Sequence[int] | None:
        if self.size == 2:
            said = next((said for said, winner in WINNERS.items() if winner == vote.get("winner")), "skip")
            return PLACES.get(said)
        ranking = vote.get("ranking")
        if ranking is None:
            return None
        return [next(i for i, level in enumerate(_tied(ranking)) if name in level) for name in names]

    def _hand_out(self, shown: Shown) -> None:
        self.maker.hand_out(shown.match)
        self.last = max(self.last, shown.number)
        self.shown[shown.number] = shown
        self.waiting[shown.voter] = shown
        self.had[shown.voter].add((frozenset(shown.match.systems), shown.match.item))

    def _take(self, shown: Shown, record: dict[str, Any], places: Sequence[int] | None) -> None:
        self.answered[shown.number] = record
        self.voted[shown.voter] += 1
        if self.waiting.get(shown.voter) == shown:
            del self.waiting[shown.voter]
        if places is not None:
            self.maker.learn(shown.match, places)


def _levels(ranking: Any, size: int) -> list[list[int]]:
    """A ranking of places 1 to `size`, best first. Raises Refused."""
    levels = _tied(ranking)
    flat = [slot for level in levels for slot in level]
    if any(type(slot) is not int for slot in flat) or sorted(flat) != list(range(1, size + 1)):
        raise Refused(f"ranking is {ranking!r}; it must hold 1 to {size} once each, best first, tied ones in a list")
    return [level for level in levels if level]


def _tied(ranking: Any) -> list[list[Any]]:
    """A ranking as lists of what is tied; none for what is no ranking."""
    return [level if isinstance(level, list) else [level] for level in ranking] if isinstance(ranking, list) else []


def _names(record: Mapping[str, Any]) -> list[str]:
    """Who was shown, in order; none where a record does not say."""
    names = [record["model_a"], record.get("model_b")] if "model_a" in record else record.get("shown")
    return [str(name) for name in names] if isinstance(names, list) else []


def _ranks(vote: Mapping[str, Any], size: int) -> bool:
    """Does a vote rank each of `size` systems once, or none?"""
    names = _names(vote)
    ranked = [name for level in _tied(vote.get("ranking")) for name in level]
    known = vote.get("ranking", ranked) is None or sorted(map(str, ranked)) == sorted(names)
    return len(names) == size and known


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
