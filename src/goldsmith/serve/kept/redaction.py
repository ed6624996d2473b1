"""Takes e-mail addresses, phone numbers, IBANs and card numbers out of texts. Pure, and linear in the text's length.

It finds what is written as such things usually are. What people write otherwise stays: this is a help, no promise.
"""

import re
from collections.abc import Callable, Collection

from goldsmith.serve.kept.types import Hidden

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
_CARD = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
_PHONE = re.compile(r"(?<![\w.])(?:\+|00|0|\()[0-9](?:[ ()./-]{0,2}[0-9]){6,14}(?![0-9])")
MIN_PHONE_DIGITS = 8


def hide(text: str, hides: Collection[Hidden]) -> tuple[str, int]:
    """The text without them, and how many were taken out."""
    num_hidden = 0

    def put(word: str, is_one: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
        def replaced(found: re.Match[str]) -> str:
            nonlocal num_hidden
            if not is_one(found[0]):
                return found[0]
            num_hidden += 1
            return word

        return replaced

    for kind, pattern, word, is_one in _ORDER:
        if kind in hides:
            text = pattern.sub(put(word, is_one), text)
    return text, num_hidden


def is_iban(text: str) -> bool:
    """Whether its check digits are right."""
    letters = text.replace(" ", "").upper()
    if not 15 <= len(letters) <= 34:
        return False
    turned = letters[4:] + letters[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % 97 == 1


def is_card(text: str) -> bool:
    """Whether its last digit fits the others."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_phone(text: str) -> bool:
    """Whether it has as many digits as a phone number."""
    return sum(each.isdigit() for each in text) >= MIN_PHONE_DIGITS


_ORDER = (
    (Hidden.EMAIL, _EMAIL, "[e-mail]", lambda _: True),
    (Hidden.IBAN, _IBAN, "[IBAN]", is_iban),
    (Hidden.CARD, _CARD, "[card]", is_card),
    (Hidden.PHONE, _PHONE, "[phone]", is_phone),
)
