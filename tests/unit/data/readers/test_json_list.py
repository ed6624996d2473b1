"""Splitting one large JSON list, in whatever pieces it comes."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.data.readers.json_list import BrokenEnd, Element, ElementSplitter

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def split(text: str, piece_chars: int = 7, max_chars: int = 1000) -> list[Element | BrokenEnd]:
    def pieces() -> Iterator[str]:
        for start in range(0, len(text), piece_chars):
            yield text[start : start + piece_chars]

    return list(ElementSplitter(max_chars).split(pieces()))


@given(
    elements=st.lists(json_values, max_size=6),
    piece_chars=st.integers(1, 40),
    indent=st.none() | st.integers(0, 3),
    is_ascii=st.booleans(),
)
def test_any_list_in_any_pieces_gives_its_elements(
    elements: list[object], piece_chars: int, indent: int | None, is_ascii: bool
) -> None:
    text = "\n " + json.dumps(elements, indent=indent, ensure_ascii=is_ascii) + "\n"
    found = split(text, piece_chars, max_chars=100_000)
    assert [json.loads(e.text or "") for e in found if isinstance(e, Element)] == elements
    assert [e.number for e in found] == list(range(1, len(elements) + 1))


@given(text=st.text('[]{},"\\ \n1a', max_size=60), piece_chars=st.integers(1, 10))
def test_any_text_at_all_comes_to_an_end(text: str, piece_chars: int) -> None:
    assert split("[" + text, piece_chars) == split("[" + text, 1000)


def test_elements_know_their_line() -> None:
    assert [e.line for e in split('\n[{"a": "x\\n"},\n\n  {"b":\n1}, 3]')] == [2, 4, 5]


@pytest.mark.parametrize("text", ["[1, 2", '[1, "2', "[1, {"])
def test_an_open_end_is_reported_with_its_element(text: str) -> None:
    assert split(text)[-1] == BrokenEnd(2, 1, split(text)[-1].reason)  # type: ignore[union-attr]


def test_text_after_the_list_is_reported() -> None:
    first, end = split('[1]\n[{"a": 1}]')
    assert isinstance(first, Element)
    assert isinstance(end, BrokenEnd)
    assert "after the end" in end.reason


def test_an_element_over_the_limit_has_no_text_and_the_next_one_has() -> None:
    found = split("[" + json.dumps("x" * 200) + ', "y"]', max_chars=100)
    assert [e.text for e in found if isinstance(e, Element)] == [None, '"y"']
