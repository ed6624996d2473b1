"""How the rows of a comparison came out: as the measures say, ten at a time in the order that is asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site, walking

from goldsmith.compare import asked, queries
from goldsmith.compare.standing import standings
from goldsmith.run.tables import Answer


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_loop_site(tmp_path)
    yield made
    made.database.dispose()


def compared(site: Site) -> str:
    with walking(site) as walk:
        walk.to_model()
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right={"base": 4, "examples": 5, "tuned": 14})
    return walk.comparison_id


def test_there_is_none_before_the_verdict_and_then_it_counts_as_the_figures_do(site: Site) -> None:
    comparison_id = compared(site)
    with site.database.reading() as session:
        assert standings(session, queries.one(session, comparison_id, domain=site.person.domain)) == ()
    with walking(site, comparison_id=comparison_id) as walk:
        walk.finish_comparison()
    with site.database.reading() as session:
        found = standings(session, queries.one(session, comparison_id, domain=site.person.domain))
        right = {arm.name: (arm.figures or {})["num_right"] for arm in queries.arms(session, comparison_id)}
    assert {name: sum(name in each.right for each in found) for name in right} == right


def test_a_new_verdict_is_worked_out_anew(site: Site) -> None:
    comparison_id = compared(site)
    with walking(site, comparison_id=comparison_id) as walk:
        walk.finish_comparison()
    with site.database.reading() as session:
        before = standings(session, queries.one(session, comparison_id, domain=site.person.domain))
    with site.database.transaction() as session:
        comparison = queries.one(session, comparison_id, domain=site.person.domain)
        arm = queries.arms(session, comparison_id)[0]
        for answer in session.query(Answer).where(Answer.run_id == arm.run_id):
            answer.text = "nothing of the kind"
        comparison.verdict = {**(comparison.verdict or {}), "sentence": "another"}
    with site.database.reading() as session:
        after = standings(session, queries.one(session, comparison_id, domain=site.person.domain))
    assert any("base" in each.right for each in before)
    assert not any("base" in each.right for each in after)


def test_some_rows_come_in_the_order_in_which_they_are_named(site: Site) -> None:
    comparison_id = compared(site)
    with site.database.reading() as session:
        comparison = queries.one(session, comparison_id, domain=site.person.domain)
        whole = asked.of_comparison(session, comparison)
        named = [whole[2].row_id, whole[0].row_id]
        assert asked.some_of_comparison(session, comparison, [*named, "row_x"]) == [whole[2], whole[0]]
