"""What is likely to be personal data: a model may say to anybody what it has learned.

Found are e-mail addresses, telephone numbers, and IBANs and card numbers whose check digits are right. What was found
is never repeated in the finding, because findings are kept.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from goldsmith.stars.types import Example, Finding

TITLE: Final = "Texts that seem to hold personal data"
CANNOT_SEE: Final = (
    "Names, postal addresses, dates of birth and numbers of customers are not looked for. Telephone numbers are found "
    "only when they begin with + or 0, IBANs only of Europe. Some numbers of other things look the same."
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_CARD = re.compile(r"(?<![\d.,-])[3-6]\d(?:[ -]?\d){11,17}(?![\d-])")
_PHONE = re.compile(
    r"(?<![\w.,/+-])(?<!\d )(?!\d\d([./-])\d\d\1\d{4})(?:\+[1-9]|0\d)(?:[ ()/.-]{0,2}\d){7,13}(?![\w-])"
)
# Without the lengths every fifth text of capitals and digits would have a beginning with right check digits.
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL"), 18),
    **dict.fromkeys(("SI",), 19),
    **dict.fromkeys(("AT", "EE", "LT", "LU"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "DE", "GB", "IE"), 22),
    **dict.fromkeys(("CZ", "ES", "RO", "SE", "SK"), 24),
    **dict.fromkeys(("PT",), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "SM"), 27),
    **dict.fromkeys(("CY", "HU", "PL"), 28),
    **dict.fromkeys(("MT",), 31),
}


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each example with some, and of which kinds."""
    for example in examples:
        texts = [*(turn["content"] for turn in example.asked), example.expected]
        kinds = dict.fromkeys(kind for text in texts for kind in kinds_in(text))
        if kinds:
            words = f"It seems to hold {' and '.join(kinds)}."
            yield Finding(example.run_id, example.position, example.answer_id, words)


def kinds_in(text: str) -> Iterator[str]:
    """Which kinds of personal data a text seems to hold.

    >>> list(kinds_in("Write to ada@example.org, or pay to DE89 3704 0044 0532 0130 00."))
    ['an e-mail address', 'an IBAN']
    """
    if "@" in text and _EMAIL.search(text):
        yield "an e-mail address"
    if any(_is_iban(match[0].replace(" ", "")) for match in _IBAN.finditer(text)):
        yield "an IBAN"
    if any(_is_card(re.sub(r"\D", "", match[0])) for match in _CARD.finditer(text)):
        yield "a card number"
    if _PHONE.search(text):
        yield "a telephone number"


def _is_iban(text: str) -> bool:
    """Whether its check digits are right; words behind it may have been taken with it."""
    iban = text[: _IBAN_LENGTHS.get(text[:2], 0)]
    is_long_enough = 0 < len(iban) == _IBAN_LENGTHS.get(text[:2], 0)
    return is_long_enough and int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 == 1


def _is_card(digits: str) -> bool:
    """Whether the last digit is the check digit of the others, and they are not all the same."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0
