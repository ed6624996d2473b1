import dataclasses
import json
from pathlib import Path

import pytest

from goldsmith.wire import order
from goldsmith.wire.order import DataFile, Order

FILE = DataFile("data/learn.jsonl", "ab", 3, 30, 9)
ORDER = Order(
    job_id="job_1",
    program="goldsmith.trainers.fake",
    model_id="ftm_1",
    model_name="Grüße",
    base_model_id="bm_1",
    base_model_name="base",
    base_model_folder="/models/base",
    base_model_hash="cd",
    template_hash="ef",
    learn=FILE,
    exam=None,
    settings={"num_epochs": 2},
    device="cpu",
)


@pytest.mark.parametrize("exam", [None, FILE])
def test_an_order_is_read_as_it_was_written(tmp_path: Path, exam: DataFile | None) -> None:
    path = tmp_path / "job.json"
    written = dataclasses.replace(ORDER, exam=exam)
    path.write_text(written.to_json(), encoding="utf-8")
    assert order.read(path) == written


def test_the_same_order_is_the_same_text() -> None:
    assert ORDER.to_json() == order.from_json(ORDER.to_json()).to_json()
    assert '"num_threads": null' in ORDER.to_json()


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 99"):
        order.from_json(dataclasses.replace(ORDER, order_version=99).to_json())


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        order.from_json("[]")


def test_a_missing_and_a_foreign_key_are_refused() -> None:
    body = json.loads(ORDER.to_json())
    with pytest.raises(TypeError):
        order.from_json(json.dumps({**body, "surprise": 1}))
    with pytest.raises(KeyError):
        order.from_json(json.dumps({key: value for key, value in body.items() if key != "learn"}))
