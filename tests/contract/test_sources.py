"""What every source of stars promises: its scope alone, newest first, the same every time, and a reason for nothing.

A new source is set up in `PLACES`, and everything here holds for it too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.aristotle import MakeSynthetic, make_synthetic, url_of

from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.errors import WishNotPossible
from goldsmith.connect.types import MAX_LIMIT, Scope, Source, Wish
from goldsmith.testing.contracts import RAN_ON

__all__ = ["make_synthetic"]
OURS, THEIRS = Scope("ada@acme.example", "acme.example"), Scope("ada@acme.example", "evil.example")
NUM_OURS, NUM_THEIRS = 7, 4

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket]


@dataclass
class Filled:
    """A source with stars of two scopes, which have the person in common."""

    source: Source
    ours: list[str]
    """Ids, the newest star first."""
    theirs: list[str]


def aristotle(generation: str) -> Callable[[MakeSynthetic], Filled]:
    def fill(make: MakeSynthetic) -> Filled:
        synthetic = make(generation)
        ours = synthetic.fill(NUM_OURS, philosopher=OURS.philosopher, domain=OURS.domain)
        theirs = synthetic.fill(NUM_THEIRS, philosopher=THEIRS.philosopher, domain=THEIRS.domain)
        return Filled(Aristotle.at(url_of(synthetic)), ours, theirs)

    return fill


PLACES = {f"aristotle {generation}": aristotle(generation) for generation in ("V1", "V2", "V3")}


@pytest.fixture(params=list(PLACES))
def filled(
    request: pytest.FixtureRequest, make_synthetic: MakeSynthetic, record_property: Callable[[str, object], None]
) -> Filled:
    record_property(RAN_ON, f"source {request.param}")
    return PLACES[request.param](make_synthetic)


def test_a_scope_gets_its_own_the_newest_first(filled: Filled) -> None:
    for scope, ids in ((OURS, filled.ours), (THEIRS, filled.theirs)):
        found = filled.source.fetch(Wish(scope))
        assert [item.external_id for item in found.items] == ids
        assert set(found.starred) == set(ids)
        moments = [item.starred_at for item in found.items if item.starred_at is not None]
        assert moments == sorted(moments, reverse=True)
        assert all(moment.tzinfo is not None for moment in moments)
        assert len(moments) == len(ids)


def test_asked_again_it_says_the_same(filled: Filled) -> None:
    assert filled.source.fetch(Wish(OURS)) == filled.source.fetch(Wish(OURS))


def test_a_limit_takes_the_newest_and_says_of_all_that_they_have_their_star(filled: Filled) -> None:
    found = filled.source.fetch(Wish(OURS, limit=3))
    assert [item.external_id for item in found.items] == filled.ours[:3]
    assert set(found.starred) == set(filled.ours)
    assert len(filled.source.fetch(Wish(OURS, limit=MAX_LIMIT)).items) == NUM_OURS


def test_since_takes_what_came_at_or_after_a_moment(filled: Filled) -> None:
    items = filled.source.fetch(Wish(OURS)).items
    assert list(filled.source.fetch(Wish(OURS, since=items[2].starred_at)).items) == list(items[:3])


def test_every_answer_has_what_was_asked(filled: Filled) -> None:
    for item in filled.source.fetch(Wish(OURS)).items:
        assert item.prompt.strip()
        assert item.answer.strip()


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_a_limit_that_is_none_is_refused(filled: Filled, limit: int) -> None:
    with pytest.raises(WishNotPossible, match=f"from 1 to {MAX_LIMIT:,}"):
        filled.source.fetch(Wish(OURS, limit=limit))


def test_nothing_has_a_reason(filled: Filled) -> None:
    nobody = Wish(Scope("nobody@acme.example", "acme.example"))
    found = filled.source.fetch(nobody)
    assert (list(found.items), set(found.starred)) == ([], set())
    assert "nobody@acme.example" in filled.source.why_none(nobody, found)


def test_it_has_a_name_and_a_title(filled: Filled) -> None:
    assert filled.source.name.isidentifier()
    assert filled.source.title.strip()
