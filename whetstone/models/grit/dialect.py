"""How grit reads: a character or a signed amount per token, one suffix letter per role.

    solve               Q63c-7e-3?                       -> c-7=56e-3=53$
    p_true              Q63c-7e-3?c-7=56e-3=53T          -> Y or N
    p_ik                Q63c-7e-3?I                      -> Y or N
    critique            Q63c-7e-3?c-7=56e-3=53C          -> c-7-7=5566:e-3-3=5533:#c:e:!Y$
    refine              Q63c-7e-3?<answer>C<critique>R   -> c-7=56e-3=53$
    compare             Q63c-7e-3?<first>|<second>P      -> A, B or E
    compare_critiqued   Q...?<first>C<critique>|<second>C<critique>P -> A, B or E

The shipped checkpoint was not taught these; training a judge gives them a meaning. A criterion is `#` (progress) or
`!` (strict).

    score               Q63c-7e-3?c-7=56e-3=53#C         -> a critique that ends in a grade, `!5`
    score_at_once       Q63c-7e-3?c-7=56e-3=53#T         -> 1 to 5
    compare_at_once     Q63c-7e-3?<first>|<second>T      -> A or B
    p_true_critiqued    Q63c-7e-3?c-7=56e-3=53C<critique>T -> Y or N
    compare_authorship  Q63c-7e-3?<first>|<second>I      -> A or B
    deduce              Q63c-7e-3?C<judgment>R           -> what was judged

A message by the assistant after the question is the beginning of the reply, which is continued.

A critique sets each given token of a step beside the true one; `:` and `;` say that they agree or differ, and `#`
opens the coverage list. `L` and `@` open two kinds of
training documents (looking entries up, comparing steps) that no role uses. A signed amount such as `-7` is one token,
so that looking an entry up is one step from its label.
"""

from __future__ import annotations

import re

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from whetstone.core.errors import Unsupported
from whetstone.core.types import Form, Media, Part, Prompt
from whetstone.worlds import ledger

PAD, END = "_", "$"
LABELS = "abcdefghijklmnop"
CHARACTERS = PAD + END + "Q?=+-0123456789" + LABELS + "TICRP|!;:#@LABEYN"
VOCABULARY = (*CHARACTERS, *(sign + digit for sign in "+-" for digit in "0123456789"))
IDS = {token: i for i, token in enumerate(VOCABULARY)}
TOKEN = "[+-][0-9]|."
CRITERIA = {"progress": "#", "strict": "!"}


def encode_text(text: str) -> list[int]:
    """Token ids of a text in grit's characters; KeyError on any other."""
    return [IDS[token] for token in re.findall(TOKEN, text)]


def build_tokenizer() -> Tokenizer:
    """The `tokenizers` tokenizer of the checkpoint."""
    tokenizer = Tokenizer(models.WordLevel(IDS, unk_token=PAD))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([PAD, END])
    return tokenizer


class GritDialect:
    """Renders forms in grit's notation; anything it was not taught is `Unsupported`."""

    def encode(self, prompt: Prompt) -> str:
        """The text after which grit writes its reply.

        Raises:
            Unsupported: several questions, media, an unknown form, or characters grit has no token for.
        """
        if len(prompt[0].parts) != 1 or [message.role for message in prompt[1:]] not in ([], ["assistant"]):
            raise Unsupported("grit reads one user message with one part, and the beginning of one reply")
        return "".join(written(part) for message in prompt for part in message.parts)


def written(part: Part) -> str:
    """One part of a message in grit's notation."""
    if isinstance(part, Media):
        raise Unsupported("grit reads no images and no sound")
    return notation(part) if isinstance(part, str) else render(part)


def render(form: Form) -> str:
    """A form in grit's notation."""
    fields = {name: FIELDS.get(name, notation)(value) for name, value in form.fields}
    match form.name, fields:
        case "solve", {"question": q}:
            return f"Q{q}?"
        case "p_true", {"question": q, "answer": answer}:
            return f"Q{q}?{answer}T"
        case "p_ik", {"question": q}:
            return f"Q{q}?I"
        case "critique", {"question": q, "answer": answer}:
            return f"Q{q}?{answer}C"
        case "refine", {"question": q, "answer": answer, "critique": critique}:
            return f"Q{q}?{answer}C{critique}R"
        case "compare", {"question": q, "first": first, "second": second}:
            return f"Q{q}?{first}|{second}P"
        case "compare_critiqued", {
            "question": q,
            "first": first,
            "first_critique": one,
            "second": second,
            "second_critique": two,
        }:
            return f"Q{q}?{first}C{one}|{second}C{two}P"
        case "score", {"question": q, "answer": answer, "criterion": criterion}:
            return f"Q{q}?{answer}{criterion}C"
        case "score_at_once", {"question": q, "answer": answer, "criterion": criterion}:
            return f"Q{q}?{answer}{criterion}T"
        case "compare_at_once", {"question": q, "first": first, "second": second}:
            return f"Q{q}?{first}|{second}T"
        case "p_true_critiqued", {"question": q, "answer": answer, "critique": critique}:
            return f"Q{q}?{answer}C{critique}T"
        case "compare_authorship", {"question": q, "first": first, "second": second}:
            return f"Q{q}?{first}|{second}I"
        case "deduce", {"question": q, "judgment": judgment}:
            return f"Q{q}?C{judgment}R"
    raise Unsupported(f"grit was not taught the form {form.name!r}")


def question(value: str | Form) -> str:
    """The notation of a ledger question, from its form or from its text."""
    text = value["ledger"] if isinstance(value, Form) and value.name == "ledger" else value
    if isinstance(text, Form) or not ledger.QUESTION.fullmatch(text):
        raise Unsupported("grit reads ledger questions only, such as 63c-7e-3b+0")
    return text


def notation(value: str | Form) -> str:
    """Text that consists of grit's own characters, without the end mark."""
    text = value.text if isinstance(value, Form) else value
    text = text.strip().rstrip(END)
    strange = next((character for character in text if character not in CHARACTERS or character in PAD + END), None)
    if strange is not None:
        raise Unsupported(f"grit has no token for {strange!r}")
    return text


def criterion(value: str | Form) -> str:
    """The mark of a criterion by which answers are graded."""
    if value not in CRITERIA:
        raise Unsupported(f"grit grades by {' or '.join(CRITERIA)} only")
    return CRITERIA[value]


FIELDS = {"question": question, "criterion": criterion}
