"""`goldsmith models`: what a model is, what was measured of it, and what is live."""

import pytest
from tests.factories import make_base_model
from tests.unit.cli.conftest import Line

from goldsmith.models.tables import FineTunedModel
from goldsmith.serve import service
from goldsmith.storage import clock


@pytest.fixture
def tuned(line: Line) -> str:
    with line.filling() as (session, ada):
        base = make_base_model(session, by=ada)
        owned = {"domain": ada.domain, "created_by": ada.id, "created_at": clock.now(), "updated_at": clock.now()}
        model = FineTunedModel(
            id="ftm_1", name="support", base_model="tiny", base_model_id=base.id, philosopher="Ada",
            training_config={}, model_path="models/tuned/ftm_1", content_hash="0", template_hash="0", lora_rank=8,
            win_rate=0.75, measured_at={"win_rate": {"at": "2026-01-01", "by": "cmp_1"}}, **owned,
        )  # fmt: skip
        session.add(model)
    return "ftm_1"


def test_a_fine_tuned_model_shows_what_was_measured_and_when(line: Line, tuned: str) -> None:
    said = line.json("models", "show", "support")
    assert (said["id"], said["base_model"], said["live_on"]) == (tuned, "tiny", [])
    assert said["metrics"] == {"win_rate": {"value": 0.75, "measured": {"at": "2026-01-01", "by": "cmp_1"}}}


def test_a_base_model_shows_its_size_and_template(line: Line, tuned: str) -> None:
    said = line.json("models", "show", "tiny")
    assert (said["num_parameters"], said["end_marker"]) == (100, "<|im_end|>")


def test_what_is_live_is_listed_and_measured_again(line: Line, tuned: str) -> None:
    assert line.json("models", "active") == []
    assert line.error("models", "measure", tuned)[0] == 4
    with line.filling() as (session, ada):
        service.deploy(session, tuned, by=ada).proof = "proved"
    assert {row["name"]: row["proof"] for row in line.json("models", "active")} == {
        "tiny": "not_needed",
        "support": "proved",
    }
    assert line.json("models", "measure", tuned)["proof"] == "unproved"
