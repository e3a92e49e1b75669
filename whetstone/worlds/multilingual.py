"""Pairs of a good and a bad answer in eight languages and six categories, for judges of answers in any language.

Everything is generated from number words and short sentences, so that what is right is known and no text is anyone's.

    sum, larger, order   reasoning: the bad answer has another result
    word                 language: the bad answer names another number
    format               following: the bad answer says more than the number that was asked for
    language             the bad answer is right, but in another language
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Language(NamedTuple):
    """How a language says it; `numbers` are the words for 1 to 10."""

    sum: str
    larger: str
    order: str
    word: str
    format: str
    answer: str
    numbers: str


LANGUAGES = {
    "en": Language(
        "What is {a} plus {b}?",
        "Which number is larger, {a} or {b}?",
        "Sort from smallest to largest: {listed}",
        "Write the number {a} as a word.",
        "Reply with the number alone: {a} + {b}",
        "The answer is {x}.",
        "one two three four five six seven eight nine ten",
    ),
    "de": Language(
        "Was ist {a} plus {b}?",
        "Welche Zahl ist größer, {a} oder {b}?",
        "Sortiere von klein nach groß: {listed}",
        "Schreibe die Zahl {a} als Wort.",
        "Antworte nur mit der Zahl: {a} + {b}",
        "Die Antwort ist {x}.",
        "eins zwei drei vier fünf sechs sieben acht neun zehn",
    ),
    "fr": Language(
        "Combien font {a} plus {b} ?",
        "Quel nombre est le plus grand, {a} ou {b} ?",
        "Trie du plus petit au plus grand : {listed}",
        "Écris le nombre {a} en toutes lettres.",
        "Réponds seulement par le nombre : {a} + {b}",
        "La réponse est {x}.",
        "un deux trois quatre cinq six sept huit neuf dix",
    ),
    "es": Language(
        "¿Cuánto es {a} más {b}?",
        "¿Qué número es mayor, {a} o {b}?",
        "Ordena de menor a mayor: {listed}",
        "Escribe el número {a} con letras.",
        "Responde solo con el número: {a} + {b}",
        "La respuesta es {x}.",
        "uno dos tres cuatro cinco seis siete ocho nueve diez",
    ),
    "it": Language(
        "Quanto fa {a} più {b}?",
        "Quale numero è più grande, {a} o {b}?",
        "Ordina dal più piccolo al più grande: {listed}",
        "Scrivi il numero {a} in lettere.",
        "Rispondi solo con il numero: {a} + {b}",
        "La risposta è {x}.",
        "uno due tre quattro cinque sei sette otto nove dieci",
    ),
    "id": Language(
        "Berapa {a} ditambah {b}?",
        "Bilangan mana yang lebih besar, {a} atau {b}?",
        "Urutkan dari yang terkecil ke yang terbesar: {listed}",
        "Tulis angka {a} dengan huruf.",
        "Jawab hanya dengan angkanya: {a} + {b}",
        "Jawabannya adalah {x}.",
        "satu dua tiga empat lima enam tujuh delapan sembilan sepuluh",
    ),
    "sw": Language(
        "{a} jumlisha {b} ni ngapi?",
        "Nambari ipi ni kubwa zaidi, {a} au {b}?",
        "Panga kutoka ndogo hadi kubwa: {listed}",
        "Andika nambari {a} kwa neno.",
        "Jibu kwa nambari tu: {a} + {b}",
        "Jibu ni {x}.",
        "moja mbili tatu nne tano sita saba nane tisa kumi",
    ),
    "tr": Language(
        "{a} artı {b} kaç eder?",
        "Hangi sayı daha büyük: {a} ya da {b}?",
        "Küçükten büyüğe sırala: {listed}",
        "{a} sayısını yazıyla yaz.",
        "Yalnızca sayıyla yanıtla: {a} + {b}",
        "Cevap {x}.",
        "bir iki üç dört beş altı yedi sekiz dokuz on",
    ),
}
CATEGORIES = ("sum", "larger", "order", "word", "format", "language")


@dataclass(frozen=True, slots=True)
class Contrast:
    """A question with a good and a bad answer."""

    language: str
    category: str
    question: str
    good: str
    bad: str


def contrasts(rng: random.Random, n: int, *, languages: Sequence[str] = tuple(LANGUAGES)) -> Iterator[Contrast]:
    """`n` pairs, going through the languages and, for each of them alike, through the categories."""
    for i in range(n):
        language = languages[i % len(languages)]
        yield contrast(rng, language, CATEGORIES[i // len(languages) % len(CATEGORIES)])


def contrast(rng: random.Random, language: str, category: str) -> Contrast:
    """One pair of a language and a category."""
    say, (a, b, c) = LANGUAGES[language], rng.sample(range(1, 11), 3)
    words = say.numbers.split()
    listed = ", ".join(map(str, (a, b, c)))
    asked = say.sum if category == "language" else getattr(say, category)
    question = asked.format(a=a, b=b, listed=listed)
    right, wrong = str(a + b), str(a + b + rng.choice((-2, -1, 1, 2)))
    if category == "larger":
        right, wrong = str(max(a, b)), str(min(a, b))
    elif category == "order":
        rows = [sorted((a, b, c)), *rng.sample([[c, b, a], [b, a, c], [a, c, b]], 3)]
        right, wrong = (", ".join(map(str, row)) for row in (rows[0], next(r for r in rows[1:] if r != rows[0])))
    elif category == "word":
        right, wrong = words[a - 1], words[b - 1]
    good, bad = (say.answer.format(x=x) for x in (right, wrong))
    if category == "format":
        good, bad = right, say.answer.format(x=right)
    elif category == "language":
        other = rng.choice([name for name in LANGUAGES if name != language])
        bad = LANGUAGES[other].answer.format(x=right)
    return Contrast(language, category, question, good, bad)
