"""Learning curves on the pages and in the API: shown before they start, and what they say afterwards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site, walking

from goldsmith.compare import curves, queries
from goldsmith.compare.more_stars import CurvePoint
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.train import queries as train
from goldsmith.web.train import handlers


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


def ready(site: Site) -> dict[str, str]:
    """What the form sends."""
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        return {"training_set": walk.set_id, "base_model": walk.base_id, "name": "mail", "num_epochs": "3"}


def started(site: Site, form: dict[str, str]) -> str:
    answer = site.browser().post("/training/curves", data=form)
    assert answer.status_code == 303
    return answer.headers["location"].rpartition("/")[2]


def conclude(site: Site, curve_id: str, *num_right: int, of: int = 40) -> None:
    """As the job writes it, for exam rows of which so many are right."""
    with site.database.transaction() as session:
        curve = queries.curve(session, curve_id, domain=site.person.domain)
        rows, points = train.of_group(session, curve.group_id), []
        for row in rows:
            queue.move(session, jobs.one(session, row.id), JobState.CANCELLED, "test")
        found: list[dict[str, Any]] = []
        for row, right in zip(rows, num_right, strict=True):
            points.append(CurvePoint(row.sample_count or 0, tuple(place < right for place in range(of))))
            found.append(
                {"training_id": row.id, "num_learn": row.sample_count, "num_right": right, "num_rows": of, "run_id": ""}
            )
        curve.points = found
        curves.conclude(session, curve, points)


def test_its_trainings_are_shown_before_they_start(site: Site) -> None:
    form, browser = ready(site), site.browser()
    assert "Would more gold stars help?" in browser.get("/training/new").text
    text = browser.post("/training/curves/plan", data=form).text
    assert "3 trainings" in text
    assert "12 stars" in text
    assert "25 %" in text
    assert "/training/curves?backend=trl" in text
    assert browser.post("/training/curves/plan", data={**form, "num_epochs": "many"}).status_code == 422
    with site.database.reading() as session:
        assert train.page(session, domain=site.person.domain) == []


def test_its_page_says_what_more_stars_would_add_with_the_curve(site: Site) -> None:
    curve_id = started(site, ready(site))
    browser = site.browser()
    text = browser.get(f"/training/curves/{curve_id}").text
    assert "One training after the other, then each is asked the exam." in text
    assert "not asked yet" in text
    assert "no answer yet" in browser.get("/training").text
    conclude(site, curve_id, 10, 20, 34)
    text = browser.get(f"/training/curves/{curve_id}").text
    assert "More stars are likely to help" in text
    assert "20 more stars ≈ +" in text
    assert "of 40 exam rows right" in text
    assert "Give more gold stars" in text
    assert f'href="/training/curves/{curve_id}"' in browser.get("/training").text
    assert browser.get("/training/curves/crv_nothing").status_code == 404


def test_where_nothing_can_be_told_nothing_is_claimed(site: Site) -> None:
    curve_id = started(site, ready(site))
    conclude(site, curve_id, 1, 5, 12, of=15)
    text = site.browser().get(f"/training/curves/{curve_id}").text
    assert "Too few exam rows to say: there are 15" in text
    assert "Give more gold stars" not in text
