"""`goldsmith train several`: shown, started, put beside each other and ended."""

import io

import pytest
from tests.factories import make_base_model
from tests.unit.cli.conftest import Line
from tests.unit.train.small_training import add_set

from goldsmith.jobs import queries as jobs
from goldsmith.testing import write_small_model
from goldsmith.train.tables import ENGINES_REST

SEVERAL = ("train", "several", "--base-model", "tiny", "--backend", "fake", "--vary", "learning_rate=0.0002,0.0005")


@pytest.fixture(autouse=True)
def _rows(line: Line) -> None:
    with line.filling() as (session, ada):
        write_small_model(line.home.root / make_base_model(session, by=ada).folder)
        add_set(session, by=ada)


def test_they_are_shown_and_nothing_starts(line: Line) -> None:
    planned = line.json(*SEVERAL, "--vary", "lora_rank=8,16", "--set", "num_epochs=4", "--dry-run")
    assert [one["differs"]["lora_rank"] for one in planned["trainings"]] == ["8", "16", "8", "16"]
    assert {one["settings"]["num_epochs"] for one in planned["trainings"]} == {4}
    _, text, _ = line.run(*SEVERAL, "--dry-run")
    assert "1. learning_rate 0.0002 (nothing tells how long)" in text
    assert line.json("train", "list") == []


def test_they_start_together_are_listed_and_the_rest_is_cancelled(line: Line) -> None:
    made = line.json(*SEVERAL, "--engines-rest", "never", "--yes")
    assert len(made["trainings"]) == 2
    with line.filling() as (session, _):
        assert {jobs.one(session, one).params[ENGINES_REST] for one in made["trainings"]} == {"never"}
    assert line.json("train", "groups")[0]["group"] == made["group"]
    assert [one["learning_rate"] for one in line.json("train", "group", made["group"])] == ["0.0002", "0.0005"]
    assert line.json("train", "cancel-group", made["group"])["num_cancelled"] == 2


def test_without_a_yes_nothing_starts(line: Line) -> None:
    line.monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, _, err = line.run(*SEVERAL)
    assert code != 0
    assert "All 2 trainings: nothing tells how long." in err
    assert line.json("train", "list") == []
