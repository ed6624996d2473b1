"""What is taken out of texts before they are kept, and what is not."""

import time

import pytest

from goldsmith.serve.kept.redaction import hide
from goldsmith.serve.kept.types import ALL_HIDDEN, Hidden


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Write to ada.l+tag@example.co.uk, soon.", "Write to [e-mail], soon."),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"),
        ("gb82west12345698765432", "[IBAN]"),
        ("Card 4111 1111 1111 1111, 4111-1111-1111-1111", "Card [card], [card]"),
        ("Call +49 (30) 1234-5678 or 0171 2345678.", "Call [phone] or [phone]."),
    ],
)
def test_what_is_written_as_usual_is_taken_out(text: str, hidden: str) -> None:
    assert hide(text, ALL_HIDDEN)[0] == hidden


@pytest.mark.parametrize(
    "text",
    [
        "Order 1234567890123456 of 2026-11-26 10:30, version 1.2.3.4",
        "GB00WEST12345698765432",
        "I have 3 000 000 problems, 12 of them at 10:15.",
        "see a@b and @home",
        "",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert hide(text, ALL_HIDDEN) == (text, 0)


def test_only_what_was_chosen_is_taken_out_and_it_is_counted() -> None:
    text = "a@b.com and c@d.org, 4111111111111111"
    assert hide(text, [Hidden.EMAIL]) == ("[e-mail] and [e-mail], 4111111111111111", 2)


@pytest.mark.parametrize(
    "text", ["a" * 60_000, "1 " * 30_000, "a@" * 30_000, "DE89 " * 12_000, "+1-" * 20_000, "." * 60_000]
)
def test_a_text_that_is_made_to_be_slow_is_not(text: str) -> None:
    began = time.monotonic()
    hide(text, ALL_HIDDEN)
    assert time.monotonic() - began < 2
