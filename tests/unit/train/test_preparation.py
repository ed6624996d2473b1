"""What is refused before a heavy program is started."""

import json
from pathlib import Path
from typing import Any

import pytest

from goldsmith.jobs.folder import JobFolder
from goldsmith.models.tables import BaseModel
from goldsmith.storage.database import Database
from goldsmith.testing import write_small_model
from goldsmith.train.backends.base import Plan
from goldsmith.train.errors import ModelNeverStops
from goldsmith.train.preparation import Preparation, prepare


def test_a_model_at_whose_end_marker_no_engine_stops_is_refused(database: Database, tmp_path: Path) -> None:
    base = write_small_model(tmp_path / "small")
    (base / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|endoftext|>"}))
    about: dict[str, Any] = {"job_id": "job_1", "name": "t", "base": BaseModel(), "set_folder": tmp_path}
    plan = Plan("goldsmith.trainers.fake", None, {})
    what = Preparation(
        training_set_id="set_1", model_id="m", base_folder=base, plan=plan, device="cpu", num_threads=1, **about
    )
    with pytest.raises(ModelNeverStops, match=r"<\|im_end\|>"):
        prepare(database, what, JobFolder(tmp_path / "job"))
