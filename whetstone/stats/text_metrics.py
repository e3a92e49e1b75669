"""Metrics of a text against a reference text, by name: overlap of words, of characters and of order.

All take (text, reference) and return a number, for most between 0 and 1, higher being closer. Words are runs of
letters and digits in lower case; an empty text has nothing in common with any other.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

Metric = Callable[[str, str], float]


def words(text: str) -> list[str]:
    """Runs of letters and digits, in lower case."""
    return re.findall(r"\w+", text.lower())


def grams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """How often each run of `n` tokens occurs."""
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def common(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence.

    A row of the usual table is one whole number, a bit for each step up, so that tens of thousands of characters take
    a second. Source: Hyyrö, "Bit-parallel LCS-length computation revisited" (2004).
    """
    places: dict[Hashable, int] = {}
    for i, item in enumerate(first):
        places[item] = places.get(item, 0) | 1 << i
    every = (1 << len(first)) - 1
    row = every
    for item in second:
        here = row & places.get(item, 0)
        row = ((row + here) | (row - here)) & every
    return len(first) - row.bit_count()


def bleu(text: str, reference: str, *, longest: int = 4) -> float:
    """Sentence BLEU: geometric mean of n-gram precisions up to `longest`, with the penalty for being short.

    Counts from bigrams on have 1 added above and below, without which most sentences would have 0. Source: Papineni et
    al., "BLEU: a method for automatic evaluation of machine translation" (2002), eq. 3; smoothing of Lin and Och,
    "ORANGE" (2004).
    """
    given, wanted = words(text), words(reference)
    shared = (grams(given, 1) & grams(wanted, 1)).total()
    if not shared:
        return 0.0
    logs = [math.log(shared / len(given))]
    for n in range(2, longest + 1):
        own = grams(given, n)
        logs.append(math.log(((own & grams(wanted, n)).total() + 1) / (own.total() + 1)))
    return math.exp(sum(logs) / longest + min(0.0, 1 - len(wanted) / len(given)))


def rouge_1(text: str, reference: str) -> float:
    """F1 of shared words. Source: Lin, "ROUGE: a package for automatic evaluation of summaries" (2004)."""
    return _shared(words(text), words(reference), 1)


def rouge_2(text: str, reference: str) -> float:
    """F1 of shared pairs of words. Source: as `rouge_1`."""
    return _shared(words(text), words(reference), 2)


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words. Source: as `rouge_1`, section 3."""
    given, wanted = words(text), words(reference)
    return _f(common(given, wanted), len(given), len(wanted))


def chrf(text: str, reference: str, *, longest: int = 6, beta: float = 2.0) -> float:
    """F score of character n-grams, averaged over lengths 1 to `longest`; recall counts `beta` times as much.

    Source: Popovic, "chrF: character n-gram F-score for automatic MT evaluation" (2015).
    """
    given, wanted = "".join(text.split()), "".join(reference.split())
    lengths = range(1, min(longest, len(given), len(wanted)) + 1)
    if not lengths:
        return 0.0
    hits = [(grams(given, n) & grams(wanted, n)).total() for n in lengths]
    precision = sum(h / (len(given) - n + 1) for h, n in zip(hits, lengths, strict=True)) / len(lengths)
    recall = sum(h / (len(wanted) - n + 1) for h, n in zip(hits, lengths, strict=True)) / len(lengths)
    both = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / both if both else 0.0


def content_recall(text: str, reference: str) -> float:
    """Share of the reference's different words of four letters or more that occur in the text."""
    wanted = {word for word in words(reference) if len(word) > 3}
    return len(wanted & set(words(text))) / len(wanted) if wanted else 0.0


def jaccard(text: str, reference: str) -> float:
    """Different words in common among all different words."""
    given, wanted = set(words(text)), set(words(reference))
    return len(given & wanted) / len(given | wanted) if given | wanted else 0.0


def edit_similarity(text: str, reference: str) -> float:
    """1 minus the share of characters to be inserted or deleted until one text is the other."""
    return _f(common(text, reference), len(text), len(reference))


def length_ratio(text: str, reference: str) -> float:
    """The shorter number of words over the longer one."""
    sizes = sorted((len(words(text)), len(words(reference))))
    return sizes[0] / sizes[1] if sizes[1] else 0.0


def length(text: str, reference: str) -> float:
    """Number of words of the text; the reference is not looked at."""
    return float(len(words(text)))


def distinct(text: str, reference: str) -> float:
    """Different words over all words of the text; the reference is not looked at."""
    given = words(text)
    return len(set(given)) / len(given) if given else 0.0


METRICS: dict[str, Metric] = {
    metric.__name__: metric
    for metric in (
        *(bleu, rouge_1, rouge_2, rouge_l, chrf, content_recall, jaccard, edit_similarity),
        *(length_ratio, length, distinct),
    )
}
REFERENCE_FREE = ("length", "distinct")


def _shared(given: Sequence[str], wanted: Sequence[str], n: int) -> float:
    own, others = grams(given, n), grams(wanted, n)
    return _f((own & others).total(), own.total(), others.total())


def _f(shared: int, given: int, wanted: int) -> float:
    return 2 * shared / (given + wanted) if shared else 0.0
