"""Reading verdicts out of replies, in one place.

The last unambiguous marker counts, since models change their minds while they write. A reply without one is
unreadable: None, never a default. Letters are read in the markers of the field: `[[A]]`, `Verdict: B`, `\\boxed{A}`,
`{"verdict": "A"}`, a letter alone on the last line, and the closing `!Y`, `!N` or `;N` of tag notation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from whetstone.core.types import Generation, Token

MARK = r"[\s*_`\"'(\[{]{0,40}"  # bounded, so that a reply of marks alone is read in linear time
CLOSE = r"[\])}*_`\"'\s]{0,40}"
JOIN = r"(?:or|and|/|\||vs\.?)\s{0,40}"
LEAD = rf"{MARK}(?:(?i:solution|option|response|answer|assistant)\s{{1,40}}{MARK})?"
BULLET = r"[ \t]{0,20}(?:\d{1,3}[.)]|[-*•])"
KEYWORD = r"(?:verdict|winner|choice|preference|preferred|decision|judge?ment|conclusion)"
STEP_TAGS = re.compile(
    r"(?:(?:[a-z](?:[+-]\d[+-]\d=\d{4})?[:;])*(?:#(?:[a-z][:;])*)?|(?:[a-z][+-]\d=\d\d)+#\d{4}[:;])!?[YN]"
)
NUMBER = r"(-?(?:\d++(?:\.\d++)?|\.\d++))"
HALF = 100  # characters before a verdict in which "A or" would make it ambiguous


@dataclass(frozen=True, slots=True)
class Reading:
    """A verdict and where in the reply it stands (characters `start` to `end`)."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Grammar:
    """Names of verdicts, the markers that may hold one, and the pattern of "A or", which makes one ambiguous."""

    names: Mapping[str, str]
    markers: tuple[re.Pattern[str], ...]
    half: re.Pattern[str]


def _grammar(names: Mapping[str, str], *extra: str) -> _Grammar:
    letters = "|".join(n for n in names if len(n) == 1)
    words = "|".join(n for n in sorted(names, key=len, reverse=True) if len(n) > 1)
    name = rf"(?:{letters})(?![A-Za-z])|(?i:{words})(?!\s*[A-Za-z])"
    single = rf"(?!{CLOSE}{JOIN}{LEAD}(?:{letters}|(?i:{words}))(?![A-Za-z]))"
    markers = (
        rf"\[\[\s*({name})\s*\]\]{single}",
        rf"\\boxed\{{\s{{0,20}}(?:\\text\{{\s{{0,20}})?({name})",
        rf"(?i:{KEYWORD})[\"'*_`\s]*(?::|=|\bis\b:?){LEAD}({name}){single}",
        rf"(?:^|\n){LEAD}({name})[\s*_`\"'.)\]}}]*$",
        *extra,
    )
    return _Grammar(names, tuple(map(re.compile, markers)), re.compile(rf"(?:{name}){CLOSE}{JOIN}$"))


COMPARISON = _grammar(
    {"A": "A", "B": "B", "E": "E", "C": "E", "tie": "E", "equal": "E", "equally good": "E", "both": "E"},
    r"(?i:output|answer|response|solution|option|assistant)\s+\(([abAB])\)(?:\s+is\s+better\b|[\s.*_]*$)",
    r"(?i:output|answer|response|solution|option|assistant)\s+([AB])\s+is\s+better\b",
    r"[!;]([ABE])\s*$",
)
CORRECTNESS = _grammar(
    {"Y": "Y", "N": "N"}
    | dict.fromkeys(("yes", "right", "correct", "true"), "Y")
    | dict.fromkeys(("no", "wrong", "incorrect", "false"), "N"),
    r"[!;]([YN])\s*$",
    r"\"(?:is_)?(?:correct|right)\"\s*:\s*((?i:true|false))",
)


DEGREES = {"A++": 2, "A>>B": 2, "A+": 1, "A>B": 1, "A=B": 0, "B=A": 0, "B+": -1, "B>A": -1, "B++": -2, "B>>A": -2}
_DEGREE = r"(A\s*>>\s*B|B\s*>>\s*A|A\s*>\s*B|B\s*>\s*A|A\s*=\s*B|B\s*=\s*A|[AB]\+\+(?!\+)|[AB]\+(?!\+))"
_DEGREE_END = rf"(?!{CLOSE}{JOIN}{MARK}[AB]\s*[+=>])"
DEGREE_MARKERS = (
    re.compile(rf"\[\[\s*{_DEGREE}\s*\]\]{_DEGREE_END}"),
    re.compile(rf"(?i:{KEYWORD})[\"'*_`\s]*(?::|=|\bis\b:?){MARK}{_DEGREE}{_DEGREE_END}"),
    re.compile(rf"(?:^|\n){MARK}{_DEGREE}[\s*_`\"'.)\]}}]*$"),
)


def read_comparison(text: str) -> Reading | None:
    """A, B or E (equally good; also written C, tie, equal)."""
    return _last_verdict(text, COMPARISON)


def read_correctness(text: str) -> Reading | None:
    """Y (right) or N (wrong)."""
    return _last_verdict(text, CORRECTNESS)


def read_degree(text: str) -> int | None:
    """A verdict in five degrees: 2 and 1 for A (much, slightly better), 0 for equal, -1 and -2 for B.

    Written `A++`, `A+`, `A=B`, `B+`, `B++` or `A>>B`, `A>B`, `A=B`, `B>A`, `B>>A`.
    """
    matches = [match for marker in DEGREE_MARKERS for match in marker.finditer(text)]
    last = max(matches, key=lambda match: match.start(1), default=None)
    return None if last is None else DEGREES[re.sub(r"\s", "", last[1])]


def read_order(text: str, names: Sequence[str]) -> tuple[str, ...] | None:
    """The last ranking of all the names, best first, as in `Ranking: C > A > B`; None unless it names each once."""
    name = "|".join(map(re.escape, names))
    found = re.findall(rf"(?<![A-Za-z])((?:{name})(?:\s*[>,]\s*(?:{name}))+)(?![A-Za-z])", text)
    order = tuple(re.split(r"\s*[>,]\s*", found[-1])) if found else ()
    return order if sorted(order) == sorted(names) else None


def read_confidence(text: str) -> float | None:
    """A stated confidence as a probability: `85`, `85%`, `85/100`, and `0.85` all say 0.85."""
    for reading, percent in reversed(list(_numbers(text, r"(?:confidence|probability|likelihood)", 100))):
        value = float(reading.value)
        if not percent and "." in reading.value and value <= 1:
            return value if value >= 0 else None
        return value / 100 if 0 <= value <= 100 else None
    return None


def read_score(text: str, low: int = 1, high: int = 10) -> Reading | None:
    """A stated score from `low` to `high`; one outside is unreadable."""
    for reading, _ in reversed(list(_numbers(text, r"(?:score|rating|grade)", high))):
        return reading if low <= float(reading.value) <= high else None
    return None


def read_feedback(text: str, low: int, high: int) -> tuple[float | None, str]:
    """The score that ends a reply, and what is written before it; None and nothing without a readable one."""
    reading = read_score(text, low, high)
    if reading is None:
        return None, ""
    return float(reading.value), re.sub(r"(?i)score\W*$", "", text[: reading.start]).rstrip("*_ \t\r\n")


def tag_positions(text: str) -> list[int]:
    """Places of the step tags `:` and `;` and of the closing letter; empty unless the text is in tag notation."""
    text = text.rstrip()
    if not STEP_TAGS.fullmatch(text):
        return []
    return [i for i, character in enumerate(text) if character in ":;"] + [len(text) - 1]


def token_at(generation: Generation, position: int) -> Token | None:
    """The token that holds the character at `position`; None without tokens or when they do not spell the text."""
    end = 0
    for token in generation.tokens or ():
        start, end = end, end + len(token.text)
        if start <= position < end:
            return token if generation.text[start:end] == token.text else None
    return None


def alternatives(token: Token) -> dict[str, float]:
    """Probabilities of the likeliest texts at a token's place; white space around them is not told apart."""
    found: dict[str, float] = {}
    for text, logprob in dict(((token.text, token.logprob), *token.top)).items():
        found[text.strip()] = found.get(text.strip(), 0.0) + math.exp(logprob)
    return found


def letter_probabilities(generation: Generation, reading: Reading, letters: Iterable[str]) -> dict[str, float] | None:
    """Probabilities of the letters where the verdict was written, normalised among those seen; None if unknown."""
    token = token_at(generation, reading.start)
    if token is None or token.text.strip() not in letters:
        return None
    seen = alternatives(token)
    total = sum(seen.get(letter, 0.0) for letter in letters)
    return {letter: seen.get(letter, 0.0) / total for letter in letters} if total > 0 else None


def _last_verdict(text: str, grammar: _Grammar) -> Reading | None:
    """The last marker that names one verdict. "A or B", "no error" and the like name none."""
    readings = [
        Reading(_named(grammar, match[1]), match.start(1), match.end(1))
        for marker in grammar.markers
        for match in marker.finditer(text)
        if not grammar.half.search(text, max(0, match.start() - HALF), match.start())
    ]
    return max(readings, key=lambda reading: reading.start, default=None)


def _named(grammar: _Grammar, word: str) -> str:
    """The verdict that a word stands for, in whichever case the grammar knows it."""
    return next(grammar.names[form] for form in (word, word.lower(), word.upper()) if form in grammar.names)


def _numbers(text: str, keyword: str, high: int) -> Iterator[tuple[Reading, bool]]:
    """Marked numbers in order, and whether a percent sign follows. Ranges ("7-8", "7 to 8") are ambiguous."""
    tail = rf"(\s*%)?(?:\s*/\s*{high}(?!\d))?(?!\s*(?:-|–|to|or)\s*\d)(?![\d/]|\.\d)"
    markers = [
        rf"\[\[\s*{NUMBER}{tail}\s*\]\]",
        rf"\\boxed\{{\s*{NUMBER}{tail}",
        rf"\[(?i:result)\]{MARK}{NUMBER}{tail}",
        rf"(?i:{keyword})[\"'*_`\s]*(?::|=|\bis\b|\bof\b){MARK}{NUMBER}{tail}",
        rf"(?:^|\n){MARK}{NUMBER}{tail}[\s*_`\"'.)\]}}]*$",
    ]
    found = {
        match.start(1): (Reading(match[1], match.start(1), match.end(1)), match[2] is not None)
        for marker in markers
        for match in re.finditer(marker, text)
    }
    yield from (found[start] for start in sorted(found))
