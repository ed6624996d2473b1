"""When two rows are one, and what a label is."""

import hashlib
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.stars.normalise import ONE_STRATUM, row_key, stratum_of
from goldsmith.storage.text import plain


@pytest.mark.parametrize(
    "same",
    [
        {"text": "CAFÉ  in\tStraße"},
        {"text": " café in strasse\n"},
        {"text": "cafe\u0301 in stra\u00dfe"},
        {"Text": "café\u00a0in strasse"},
    ],
)
def test_capitals_spaces_and_stored_accents_do_not_make_a_row_another(same: dict[str, str]) -> None:
    assert row_key(same) == row_key({"text": "café in straße"})


@pytest.mark.parametrize(
    "other", [{"text": "cafe in straße"}, {"question": "café in straße"}, {"text": "café in straße", "id": "1"}, {}]
)
def test_other_words_and_other_columns_do(other: dict[str, str]) -> None:
    assert row_key(other) != row_key({"text": "café in straße"})


def test_the_order_of_columns_does_not_matter_and_values_do_not_run_into_each_other() -> None:
    assert row_key({"a": "1", "b": "2"}) == row_key({"b": "2", "a": "1"})
    assert row_key({"a": '1","b'}) != row_key({"a": "1", "b": ""})


def test_the_key_is_the_same_on_every_machine() -> None:
    assert row_key({"text": "Hello"}) == hashlib.sha256(b'[["text","hello"]]').hexdigest()


@settings(max_examples=100)
@given(st.text(st.characters(codec=None)))
def test_plain_is_stable_and_blind_to_the_form_of_storage(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert plain(unicodedata.normalize("NFD", text)) == plain(text)
    assert len(row_key({"text": text})) == 64


def test_few_short_answers_are_labels() -> None:
    assert stratum_of(["Card arrival", "card  arrival", "Other"]) == ["card arrival", "card arrival", "other"]
    assert len(set(stratum_of([str(number) for number in range(50)]))) == 50
    assert stratum_of([]) == []


def test_json_answers_are_labels_whatever_the_order_of_their_fields() -> None:
    first, second, broken = stratum_of(
        ['{"topic": "card", "urgent": true}', '{"urgent":true,"topic":"card"}', '{"a": ']
    )
    assert first == second == '{"topic": "card", "urgent": true}'
    assert broken == '{"a":'


def test_many_or_long_answers_are_one_stratum() -> None:
    assert set(stratum_of([str(number) for number in range(51)])) == {ONE_STRATUM}
    assert stratum_of(["yes", "a long explanation " * 20]) == [ONE_STRATUM, ONE_STRATUM]
