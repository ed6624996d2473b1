"""Whose a conquest is was said, or was not."""

from goldsmith.connect.conquests import Question, Wanted
from goldsmith.connect.types import Scope


def test_half_a_scope_is_none() -> None:
    assert Wanted("e", ["c"], "ada", "acme").scope == Scope("ada", "acme")
    assert Wanted("e", ["c"], "ada").scope is None
    assert Wanted("e", ["c"], domain="acme").scope is None


def test_both_texts_take_room() -> None:
    assert (Question("abc").num_characters, Question("abc", "de").num_characters) == (3, 5)
