"""The pages of comparisons, through HTTP, over a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.factories import make_dataset_version
from tests.web.conftest import Site
from tests.web.loop_rows import Walk, make_loop_site, walking

from goldsmith.compare import queries as compare
from goldsmith.run.tables import Answer
from goldsmith.web.compare import handlers

CLEAR = {"base": 4, "examples": 5, "tuned": 14}


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


def compared(site: Site, *, right: dict[str, int] | None = None) -> Walk:
    """A comparison on 15 exam rows with its verdict."""
    with walking(site) as walk:
        walk.to_model()
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right=right or CLEAR)
        walk.finish_comparison()
        return walk


def test_without_a_model_the_page_leads_to_training(site: Site) -> None:
    text = site.browser().get("/model-comparison").text
    assert "Nothing to compare yet" in text
    assert 'href="/training/new"' in text


def test_a_comparison_is_started_by_a_plain_form(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
    browser = site.browser()
    assert "15 exam rows" in browser.get("/model-comparison").text
    answer = browser.post("/model-comparison", data={"model": walk.model_id})
    assert answer.status_code == 303
    text = browser.get(answer.headers["location"]).text
    assert "0</b> of 60 answers" in text
    assert "No verdict before the end" in text


def test_rows_of_a_dataset_can_be_asked_instead_and_are_linked(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
    with site.database.transaction() as session:
        rows = [{"message": f"message {number}", "expected": "{}"} for number in range(6)]
        version = make_dataset_version(session, rows, by=site.person, name="new questions")
        version.answer_column = "expected"
    browser = site.browser()
    assert "new questions, 6 rows" in browser.get("/model-comparison").text
    answer = browser.post("/model-comparison", data={"model": walk.model_id, "rows": version.id})
    text = browser.get(answer.headers["location"]).text
    assert "0</b> of 24 answers" in text
    assert f'href="/data/{version.dataset_id}"' in text
    assert "6 rows, each asked three times" in text
    assert "exam row" not in text.lower()
    assert "6 rows, no verdict yet" in browser.get("/model-comparison").text


def test_without_a_chosen_model_the_form_says_what_is_needed(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
    assert site.browser().post("/model-comparison", data={}).status_code == 422


def test_while_it_runs_there_are_counts_and_no_verdict(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right={"base": 2, "examples": 2, "tuned": 5}, num_rows=5)
    browser = site.browser()
    text = browser.get(f"/model-comparison/{walk.comparison_id}").text
    assert "15</b> of 60 answers" in text
    assert "15 rows go to" in text
    assert "Side by side" not in text
    page = f"/model-comparison/{walk.comparison_id}"
    assert browser.post(f"{page}/pause").headers["location"] == page


def test_the_verdict_comes_first_then_the_rows_worse_first(site: Site) -> None:
    walk = compared(site)
    text = site.browser().get(f"/model-comparison/{walk.comparison_id}").text
    assert text.index("14 of 15 exam rows right") < text.index("Every measure") < text.index("Side by side")
    assert "mid-p" in text
    assert f'action="/models/{walk.model_id}/default"' in text
    assert text.index("got worse") < text.index("got better")
    assert text.count("button primary") == 1


def test_it_says_when_an_answer_is_right_and_which_missed_it_by_capitals_alone(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right=CLEAR)
        arm = compare.arms(walk.session, walk.comparison_id)[0]
        row = compare.one(walk.session, walk.comparison_id, domain=site.person.domain)
        first = compare.exam_rows(walk.session, row.training_set_id or "")[0]
        query = select(Answer).where(Answer.run_id == arm.run_id, Answer.row_id == first.row_id)
        walk.session.scalars(query).one().text = first.expected.upper()
        walk.finish_comparison()
    text = site.browser().get(f"/model-comparison/{walk.comparison_id}?show=wrong").text
    assert "capitals do" in text or "capitals count" in text
    assert '<th scope="row">Wrong only by capitals or spaces</th><td class="end">1</td>' in text
    assert "wrong only by capitals or spaces</span>" in text


@pytest.mark.parametrize(("show", "num"), [("worse", 1), ("right", 3), ("changed", 10), ("all", 10)])
def test_rows_are_filtered_by_what_became_of_them_and_paged(site: Site, show: str, num: int) -> None:
    walk = compared(site)
    text = site.browser().get(f"/model-comparison/{walk.comparison_id}?show={show}").text
    assert text.count('class="pair"') == num


def test_rows_can_be_held_against_the_base_with_examples(site: Site) -> None:
    walk = compared(site)
    text = site.browser().get(f"/model-comparison/{walk.comparison_id}?against=examples&show=worse").text
    assert text.count('class="pair"') == 1
    assert "against <b>base with examples</b>" in text


def test_a_model_that_got_worse_is_not_offered_as_the_default(site: Site) -> None:
    walk = compared(site, right={"base": 15, "examples": 15, "tuned": 2})
    text = site.browser().get(f"/model-comparison/{walk.comparison_id}").text
    assert "/default" not in text
    assert "See what got worse" in text


def test_the_list_says_each_verdict_in_words(site: Site) -> None:
    compared(site)
    assert "Better, 15 exam rows" in site.browser().get("/model-comparison").text


def test_another_organisations_comparison_does_not_exist(site: Site) -> None:
    assert site.browser().get("/model-comparison/cmp_x").status_code == 404
