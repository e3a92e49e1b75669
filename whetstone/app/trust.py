"""May this judge be trusted? Rules that turn findings into an answer for each use, with the reasons.

A rule holds when the whole interval of its finding keeps to the limit, fails when the whole interval breaks it, and is
open in between. A use is answered "no" when a rule fails, "unknown" when one is open or when what the use needs was not
measured, else "yes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from whetstone.core.errors import ConfigError
from whetstone.core.types import Finding

Answer = Literal["yes", "no", "unknown"]
State = Literal["holds", "fails", "open", "not measured"]
USES = ("ranking", "training")
DIRECT = ("unreadable", "cycles", "gap", "ece")
"""Findings whose limit is on the value itself, not on its distance from what would mean nothing."""
MOST = 20_000  # items that it makes sense to ask for


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit on findings.

    Attributes:
        name: what the user calls it; `findings` are the names that it reads, the first that was measured; a name with a
            star stands for all that begin so, of which the worst counts.
        words: what the number is.
        least: the number must be at least the limit; else its distance from the null at most.
        limits: for ranking and for training; None: not asked of this use.
        needed: uses that are not answered "yes" without it.
        remedy: what helps where it does not hold.
    """

    name: str
    findings: tuple[str, ...]
    words: str
    least: bool
    limits: tuple[float | None, float | None]
    needed: tuple[str, ...]
    remedy: str


RULES: tuple[Rule, ...] = (
    Rule(
        "agreement",
        ("kappa",),
        "agreement with the labels (Cohen's kappa)",
        True,
        (0.2, 0.6),
        USES,
        "let people label a random part and read the prediction-powered win rate, or choose another judge with "
        "whetstone run judge_benchmark",
    ),
    Rule(
        "separation",
        ("auroc", "rank_correlation"),
        "separation of better and worse answers (AUROC, or (1 + rho) / 2)",
        True,
        (0.6, 0.8),
        USES,
        "choose another signal: whetstone know compares them",
    ),
    Rule(
        "unreadable",
        ("unreadable",),
        "verdicts that cannot be read",
        False,
        (0.1, 0.05),
        USES,
        "give the judge more tokens and ask for its verdict in a line of its own at the end",
    ),
    Rule(
        "orders",
        ("order_consistency",),
        "same verdict in both orders",
        True,
        (0.5, 0.8),
        USES,
        "ask in both orders and count only what they agree on, or average them (--combine average)",
    ),
    Rule(
        "position",
        ("first_position",),
        "preference for a place",
        False,
        (0.15, 0.1),
        (),
        "ask in both orders and count only what they agree on, or average them (--combine average)",
    ),
    Rule(
        "repeats",
        ("repeat_consistency",),
        "same verdict when asked again",
        True,
        (0.7, 0.9),
        (),
        "take several samples and their vote: --judge balanced_judge",
    ),
    Rule(
        "length",
        ("length_errors", "longer_answer"),
        "preference for a length",
        False,
        (0.2, 0.1),
        ("training",),
        "read the length-controlled win rate, which whetstone judge prints",
    ),
    Rule(
        "own",
        ("self_errors", "self_preference"),
        "favour for its own answers",
        False,
        (0.1, 0.05),
        (),
        "let a model judge that wrote none of the answers, or a panel of several",
    ),
    Rule(
        "cycles",
        ("cycles",),
        "circular verdicts (a coin has 0.25)",
        False,
        (0.25, 0.25),
        (),
        "rank with a model of all verdicts (whetstone rank), not by single comparisons",
    ),
    Rule(
        "systems",
        ("system_order",),
        "order of the systems (Kendall's tau-b)",
        True,
        (0.5, None),
        (),
        "let people label more of what the close systems wrote, or rank with prediction-powered rates",
    ),
    Rule(
        "groups",
        ("gap",),
        "gap in accuracy between categories",
        False,
        (0.3, 0.2),
        (),
        "report every category by itself, and let people label the worst one",
    ),
    Rule(
        "probes",
        ("probe *",),
        "rise of wrong answers by a superficial attraction",
        False,
        (0.2, 0.1),
        ("training",),
        "warn the judge of the bias: --judge warned_judge; whetstone run debiasing measures what that gains",
    ),
    Rule(
        "constants",
        ("constant *",),
        "choice of an answer that is the same for every question",
        False,
        (0.2, 0.1),
        (),
        "filter answers by form before they are judged, and give the judge a reference answer",
    ),
    Rule(
        "calibration",
        ("ece",),
        "probabilities that are off (expected calibration error)",
        False,
        (None, 0.15),
        (),
        "recalibrate on labelled verdicts before a threshold is set",
    ),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied for one use.

    Attributes:
        value, low, high: what was compared with `limit`; of a deviation, its size.
        enough: about how many items would settle an open one.
    """

    rule: str
    state: State
    words: str
    least: bool
    finding: str = ""
    limit: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    enough: int | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """Whether a judge may be trusted for a use, and the checks behind the answer."""

    name: str
    answer: Answer
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """The answer for every use, in one sentence, with what would mitigate what stands against it."""

    uses: tuple[Use, ...]
    sentence: str
    remedy: str

    def of(self, use: str) -> Answer:
        """The answer for one use."""
        return next(one.answer for one in self.uses if one.name == use)


def trust(
    findings: Iterable[Finding], rules: Sequence[Rule] = RULES, *, kind: Literal["pairs", "scores"] = "pairs"
) -> Trust:
    """Apply the rules to the findings of an audit.

    Args:
        kind: what was judged; scores of single answers have no order, and are asked for separation, not for agreement.
    """
    known = {f.name: f for f in findings}
    skipped = ("separation",) if kind == "pairs" else ("agreement", "orders")
    uses = []
    for i, use in enumerate(USES):
        checks = tuple(one for rule in rules if rule.name not in skipped and (one := check(rule, i, known)) is not None)
        states = {one.state for one in checks}
        answer: Answer = "no" if "fails" in states else "unknown" if states & {"open", "not measured"} else "yes"
        uses.append(Use(use, answer, checks))
    return Trust(tuple(uses), sentence(uses), remedy(uses, rules))


def check(rule: Rule, i: int, known: Mapping[str, Finding]) -> Check | None:
    """One rule for use number i; None where it asks nothing and was not measured."""
    limit, use = rule.limits[i], USES[i]
    if limit is None:
        return None
    measured = [
        f for name in rule.findings for f in _named(name, known) if f.estimate is not None and _usable(f, known)
    ]
    if not measured:
        if use not in rule.needed:
            return None
        return Check(rule.name, "not measured", rule.words, rule.least, limit=limit)
    if not rule.findings[0].endswith("*"):
        measured = measured[:1]
    checks = [_compared(rule, f, limit) for f in measured]
    order: tuple[State, ...] = ("fails", "open", "holds", "not measured")
    return min(checks, key=lambda one: (order.index(one.state), -(one.high or one.value or 0.0)))


def _named(name: str, known: Mapping[str, Finding]) -> list[Finding]:
    if name.endswith("*"):
        return [f for key, f in known.items() if key.startswith(name[:-1])]
    return [known[name]] if name in known else []


def _usable(found: Finding, known: Mapping[str, Finding]) -> bool:
    """A longer answer that nobody labelled may be the better one: preferring it speaks against no judge."""
    return found.name != "longer_answer" or found.detail.get("unlabelled") == 0


def _compared(rule: Rule, found: Finding, limit: float) -> Check:
    value, low, high = _numbers(rule, found)
    if rule.least:
        state: State = "holds" if low >= limit else "fails" if high < limit else "open"
    else:
        state = "holds" if high <= limit else "fails" if low > limit else "open"
    if found.interval is None and (found.p is None or (state == "fails" and found.p >= 0.05)):
        state = "open"
    words = rule.words if not rule.findings[0].endswith("*") else f"{rule.words}: {found.name.partition(' ')[2]}"
    enough = _enough(value, low, high, limit, found.n) if state == "open" and found.interval else None
    return Check(rule.name, state, words, rule.least, found.name, limit, value, low, high, enough)


def _numbers(rule: Rule, found: Finding) -> tuple[float, float, float]:
    """Value and interval that the limit is compared with: of a deviation, its distance from the null."""
    value = found.estimate or 0.0
    low, high = found.interval or (value, value)
    if found.name == "rank_correlation":
        return (1 + value) / 2, (1 + low) / 2, (1 + high) / 2
    if rule.least or found.name in DIRECT or found.name.startswith(("probe ", "constant ")):
        return value, low, high
    null = found.null or 0.0
    ends = sorted((abs(low - null), abs(high - null)))
    return abs(value - null), 0.0 if low <= null <= high else ends[0], ends[1]


def _enough(value: float, low: float, high: float, limit: float, n: int) -> int | None:
    """Items at which the interval would no longer hold the limit, if the value stayed what it is."""
    gap = abs(value - limit)
    half = value - low if value > limit else high - value
    return round(n * (half / gap) ** 2) if half > gap > 0 else None


def sentence(uses: Sequence[Use]) -> str:
    """Ranking, training, or not at all."""
    answers = {use.name: use.answer for use in uses}
    yes = [name for name, answer in answers.items() if answer == "yes"]
    no = [name for name, answer in answers.items() if answer == "no"]
    open_ = [name for name, answer in answers.items() if answer == "unknown"]
    if len(no) == len(uses):
        return "This judge may not be trusted at all: neither for ranking nor for training."
    if len(yes) == len(uses):
        return "This judge may be trusted for ranking and for training."
    if len(open_) == len(uses):
        return "Whether this judge may be trusted is not known, neither for ranking nor for training."
    parts = []
    if yes:
        parts.append(f"may be trusted for {' and '.join(yes)}")
    if no:
        parts.append(f"may not be trusted for {' and '.join(no)}")
    if open_:
        parts.append(f"is not known to be fit for {' and '.join(open_)}")
    return f"This judge {', and '.join(parts)}."


def remedy(uses: Sequence[Use], rules: Sequence[Rule]) -> str:
    """What would help with the first thing that fails, else with the first that is unknown; "" where all holds."""
    for states in (("fails",), ("open", "not measured")):
        for use in uses:
            for one in use.checks:
                if one.state not in states:
                    continue
                if one.state == "not measured":
                    return MISSING[one.rule]
                if one.state == "open" and one.enough and one.enough <= MOST:
                    return f"more of them: about {one.enough:,} would settle {one.rule}"
                return next(rule.remedy for rule in rules if rule.name == one.rule)
    return ""


MISSING = {
    "agreement": "give labels by people or a verifier (field label), of more than one kind, for a random part",
    "separation": "give labels by people or a verifier (field label), of more than one kind, for a random part",
    "unreadable": "keep the replies that could not be read, with a verdict of null",
    "orders": "put every pair to the judge in both orders",
    "length": "give the lengths of the answers (first_length, second_length) and labels",
    "probes": "audit the judge live (whetstone audit --model ... --judge ...), where wrong answers are made to attract",
}


def with_limits(texts: Sequence[str], rules: Sequence[Rule] = RULES) -> tuple[Rule, ...]:
    """Rules with limits changed as in `position=.1` or `position=.1/.05` (ranking/training); `none` asks nothing.

    Raises:
        ConfigError: an unknown rule, or a limit that is not a number.
    """
    changed = {rule.name: rule for rule in rules}
    asked = {rule.name: rule.needed for rule in rules}
    for text in texts:
        name, equals, value = text.partition("=")
        if name not in changed:
            raise ConfigError(f"--rule {text!r}: no rule is called {name!r}; there are {', '.join(changed)}")
        parts = value.split("/")
        if not equals or len(parts) > 2:
            raise ConfigError(f"--rule {text!r}: write {name}=LIMIT or {name}=RANKING/TRAINING, such as {name}=.2/.1")
        limits = tuple(_limit(text, part) for part in parts)
        both = (limits[0], limits[-1])
        limited = [use for use, limit in zip(USES, both, strict=True) if limit is not None]
        needed = tuple(use for use in asked[name] if use in limited)
        changed[name] = replace(changed[name], limits=both, needed=needed)
    return tuple(changed.values())


def _limit(text: str, part: str) -> float | None:
    if part.strip().lower() == "none":
        return None
    try:
        value = float(part)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ConfigError(f"--rule {text!r}: {part!r} is not a number from 0 to 1, nor none")
    return value
