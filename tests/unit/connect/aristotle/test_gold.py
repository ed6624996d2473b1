"""Which conquests are gold, on a real PostgreSQL in all three generations."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text

from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.errors import ConquestTypeUnknown, SchemaNotKnown, WishNotPossible
from goldsmith.connect.types import Scope, Wish
from goldsmith.testing.aristotle import FIRST_AT, SyntheticAristotle, SyntheticConquest

ADA = Scope("ada@acme.example", "acme.example")
ASKED, ANSWERED = {"prompt": "Right for us?"}, {"response": "Yes."}
INJECTIONS = ("' OR '1'='1", "x'; DROP TABLE conquests; --", '" OR 1=1 --', "%", "\\'", "$1", ":p", "{}")

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket]


def gold(**changed: Any) -> SyntheticConquest:
    return SyntheticConquest(**{"prompt": ASKED, "answer": ANSWERED, **changed})


def test_all_three_shapes_come_newest_first(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    ids = synthetic.fill(6, philosopher=ADA.philosopher, domain=ADA.domain)
    found = aristotle.fetch(Wish(ADA))
    assert [item.external_id for item in found.items] == ids
    assert found.left_out == []
    prompts, answers = [item.prompt for item in found.items], [item.answer for item in found.items]
    assert sum(prompt.startswith('{"name": "Candidate') for prompt in prompts) == 2
    assert sum(answer.startswith('{"evaluation": {"recommendation":') for answer in answers) == 4
    assert {item.kind for item in found.items} == {"CANDIDATE"}
    assert found.items[0].subject_id is not None


def test_only_what_the_rules_name_is_gold(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    wanted = synthetic.add(1, gold())
    synthetic.add(2, gold(is_gold_star=False))
    synthetic.add(3, gold(use_as_sample_response=False))
    synthetic.add(4, gold(analysis_type="something_else"))
    synthetic.add(5, gold(is_rated=False))
    synthetic.add(6, gold(philosopher="eve@acme.example"))
    synthetic.add(7, gold(domain="evil.example"))
    assert [item.external_id for item in aristotle.fetch(Wish(ADA)).items] == [wanted]


def test_another_tenants_conquest_never_leaves_whoever_rated_it(
    synthetic: SyntheticAristotle, aristotle: Aristotle
) -> None:
    synthetic.add(1, gold(philosopher="eve@acme.example", rated_by=ADA.philosopher))
    found = aristotle.fetch(Wish(ADA))
    assert found.items == []
    assert found.counts == {"other_scope": 1}


def test_what_cannot_be_used_is_counted_and_the_limit_counts_the_rest(
    synthetic: SyntheticAristotle, aristotle: Aristotle
) -> None:
    blanks: list[dict[str, Any]] = [{"prompt": None}, {"answer": None}]
    blanks += [{"prompt": {"prompt": "  "}}, {"answer": {"response": None}}]
    for number, blank in enumerate(blanks):
        synthetic.add(100 + number, gold(rated_at=FIRST_AT + timedelta(days=1), **blank))
    usable = {synthetic.add(number, gold()) for number in range(3)}
    found = aristotle.fetch(Wish(ADA, limit=2))
    assert len(found.items) == 2
    assert {item.external_id for item in found.items} < usable
    assert found.counts == {"no_prompt": 2, "no_answer": 2}


def test_a_least_rating_keeps_stars_without_points(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    synthetic.add(1, gold(rating=3))
    kept = {synthetic.add(2, gold(rating=4)), synthetic.add(3, gold(rating=None))}
    assert {item.external_id for item in aristotle.fetch(Wish(ADA, min_rating=4)).items} == kept
    assert len(aristotle.fetch(Wish(ADA, min_rating=1)).items) == 3


def test_types_have_two_spellings(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    synthetic.add(1, gold(kind="CUSTOM"))
    candidate = synthetic.add(2, gold(kind="CANDIDATE" if synthetic.generation == "V2" else "candidate_evaluation"))
    for spelling in ("candidate_evaluation", "CANDIDATE", "candidate"):
        assert [item.external_id for item in aristotle.fetch(Wish(ADA, spelling)).items] == [candidate]
    with pytest.raises(ConquestTypeUnknown, match="There are: CANDIDATE"):
        aristotle.fetch(Wish(ADA, "poetry"))


@pytest.mark.parametrize("evil", INJECTIONS)
def test_no_parameter_is_ever_sql(make_synthetic: Callable[[str], SyntheticAristotle], evil: str) -> None:
    synthetic = make_synthetic("V3")
    aristotle = Aristotle.at(synthetic.url.render_as_string(hide_password=False))
    synthetic.add(1, gold())
    for scope in (Scope(evil, ADA.domain), Scope(ADA.philosopher, evil), Scope(evil, evil)):
        assert aristotle.fetch(Wish(scope)).items == []
        assert aristotle.fetch(Wish(scope)).starred == frozenset()
        assert evil in aristotle.why_none(Wish(scope), aristotle.fetch(Wish(scope))) or evil != scope.philosopher
    with pytest.raises(ConquestTypeUnknown):
        aristotle.fetch(Wish(ADA, evil))
    assert len(aristotle.fetch(Wish(ADA)).items) == 1


@pytest.mark.parametrize(
    "scope", [Scope("", "acme.example"), Scope("a\x00b", "x"), Scope("a", "  "), Scope("\ud800", "x")]
)
def test_a_scope_that_is_none_is_refused_before_anybody_is_asked(scope: Scope) -> None:
    with pytest.raises(WishNotPossible):
        Aristotle.at("postgresql://nobody@127.0.0.1:1/nothing").fetch(Wish(scope))


def test_moments_are_the_same_in_every_time_zone(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    with synthetic.engine.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET timezone TO 'Asia/Kolkata'")
    tokyo = datetime(2026, 3, 1, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    synthetic.add(1, gold(rated_at=tokyo))
    [item] = aristotle.fetch(Wish(ADA)).items
    assert item.starred_at == tokyo
    assert item.starred_at.astimezone(UTC).isoformat() == "2026-02-28T23:30:00+00:00"
    assert len(aristotle.fetch(Wish(ADA, since=tokyo)).items) == 1
    assert aristotle.fetch(Wish(ADA, since=tokyo + timedelta(seconds=1))).items == []


def test_an_answer_of_a_megabyte_comes_whole(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    long = "é" * 500_000 + " the end"
    synthetic.add(1, gold(answer={"response": long}))
    assert [item.answer for item in aristotle.fetch(Wish(ADA)).items] == [long]


def test_a_lost_column_is_named(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    synthetic.add(1, gold())
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {synthetic.names.rating} DROP COLUMN use_as_sample_response")
    with pytest.raises(SchemaNotKnown, match=f"use_as_sample_response.* in {synthetic.names.rating}"):
        aristotle.fetch(Wish(ADA))


def test_why_nothing_came(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    def why(scope: Scope = ADA, **asked: Any) -> str:
        wish = Wish(scope, **asked)
        return aristotle.why_none(wish, aristotle.fetch(wish))

    assert why().startswith("There is no rating of ada@acme.example at acme.example.")
    synthetic.add(1, gold(use_as_sample_response=False))
    assert "None of the 1 ratings" in why()
    assert "1 have a gold star, but are not marked as a sample response" in why()
    assert "under another domain" in why(Scope(ADA.philosopher, "else.example"))
    synthetic.add(2, gold(rating=2, answer=None))
    assert "1 gold stars, and none of them can be used" in why()
    assert "none of the type, rating or time" in why(min_rating=5)


def test_no_table_is_read_from_end_to_end_where_an_index_helps(
    synthetic: SyntheticAristotle, aristotle: Aristotle
) -> None:
    synthetic.fill_many(20_000)
    synthetic.fill(42, philosopher=ADA.philosopher, domain=ADA.domain)
    synthetic.analyze()
    plans = aristotle.plans(Wish(ADA))
    assert len(plans) == 5
    assert [plan for plan in plans if "Seq Scan" in plan] == []
