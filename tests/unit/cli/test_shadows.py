"""`goldsmith shadows`: have a model answer along, look at both answers, make a dataset of them, stop."""

import time

from tests.unit.cli.conftest import Line

from goldsmith.serve.kept.types import Exchange
from goldsmith.serve.shadow import service
from goldsmith.serve.shadow.tables import ShadowRule
from goldsmith.serve.shadow.types import Pair
from goldsmith.storage import clock


def test_pairs_are_measured_listed_made_into_a_dataset_and_deleted(line: Line) -> None:
    code, problem = line.error("shadows", "set", "support", "better")
    assert (code != 0, problem["type"]) == (True, "alias-not-found")
    assert line.json("shadows", "list") == []
    answer = b'{"choices": [{"index": 0, "text": "Here."}]}'
    own = ("support", "bm_1", "/v1/completions", b'{"prompt": "Where?"}', answer)
    with line.filling() as (session, person):
        session.add(
            ShadowRule(
                domain="local",
                alias="support",
                model_id="ftm_1",
                share=0.5,
                max_at_once=2,
                within_s=60,
                days=14,
                hides=[],
                changed_by=person.id,
                changed_at=clock.now(),
            )
        )
        sent = Exchange("local", person.id, "", *own, is_stream=False, duration_ms=5.0, at_s=time.time())
        service.store(session, (Pair(sent, "ftm_1", is_json_wanted=False, answer=answer, duration_ms=3.0),), {})
    assert line.json("shadows", "list")[0]["share"] == "50 %"
    assert line.json("shadows", "show", "support")["num_same"] == 1
    assert line.json("shadows", "pairs", "support")[0]["shadow_answer"] == "Here."
    assert line.json("shadows", "dataset", "support")["dataset"].startswith("ds_")
    assert line.json("shadows", "stop", "support")["share"] == 0
    assert line.json("shadows", "forget", "support") == {"num_deleted": 1}
