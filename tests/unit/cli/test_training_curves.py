"""`goldsmith train curve`: started, and listed with what it says."""

import pytest
from sqlalchemy import func
from tests.factories import make_base_model
from tests.unit.cli.conftest import Line
from tests.unit.train.small_training import add_set

from goldsmith.compare import curves, queries
from goldsmith.compare.more_stars import CurvePoint
from goldsmith.stars.tables import TrainingSet
from goldsmith.testing import write_small_model
from goldsmith.train.tables import TrainingJob

CURVE = ("train", "curve", "--base-model", "tiny", "--backend", "fake", "--more", "50")


@pytest.fixture(autouse=True)
def _rows(line: Line) -> None:
    with line.filling() as (session, ada):
        write_small_model(line.home.root / make_base_model(session, by=ada).folder)
        add_set(session, by=ada)


def test_too_few_stars_are_refused(line: Line) -> None:
    assert line.error(*CURVE)[1]["type"] == "too-few-stars"


def test_it_starts_and_says_what_it_found(line: Line) -> None:
    with line.filling() as (session, _):
        session.get_one(TrainingSet, "set_1").num_learn = 100
    assert line.json("train", "curves") == []
    made = line.json(*CURVE, "--no-wait")
    assert (made["answer"], made["says"], len(made["trainings"])) == (None, "no answer yet", 3)
    with line.filling() as (session, ada):
        assert session.query(func.count(TrainingJob.id)).scalar() == 3
        found = queries.curve(session, made["curve"], domain=ada.domain)
        rights = ((25, 20), (50, 35), (100, 50))
        points = [CurvePoint(each, tuple(row < right for row in range(60))) for each, right in rights]
        curves.conclude(session, found, points)
    (shown,) = line.json("train", "curves")
    assert shown["answer"] == "help"
    assert shown["says"].startswith("50 more stars ≈ +")
