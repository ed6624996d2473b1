"""A model that was really trained is merged, served by a real engine of its own, proved there, and faster."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.real.homes import Supervised, free_port, supervised
from tokenizers import Tokenizer

from goldsmith import app
from goldsmith.models import queries as models
from goldsmith.models.rendering import Renderer
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.serve import probe, queries
from goldsmith.serve.engine_client import EngineClient, call, make_salt
from goldsmith.serve.merged import service
from goldsmith.settings import Settings
from goldsmith.storage import clock

pytestmark = pytest.mark.real
WITHIN_S = 240.0


class Merged:
    """A home with one base model and one fine-tuned model, watched over."""

    def __init__(self, parts: app.Parts, wait: Supervised, model_id: str) -> None:
        self.parts, self.finish, self.model_id = parts, wait, model_id

    def wait(self, is_so: Callable[[], object]) -> None:
        end = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < end
            time.sleep(0.3)

    def look(self) -> service.Merging:
        with self.parts.database.reading() as session:
            return service.look(session, session.get_one(FineTunedModel, self.model_id))

    def proof(self, base_id: str) -> str:
        with self.parts.database.reading() as session:
            return queries.deployment_of(session, base_id).proof


def add_models(parts: app.Parts, base_folder: Path, adapter: Path) -> tuple[str, Person]:
    """Rows for what is there."""
    folder = parts.home.models / "tuned" / "ftm_learned"
    shutil.copytree(adapter, folder)
    template = Renderer.open(base_folder).template_hash
    weights = {"size_bytes": 269_000_000, "num_parameters": 134_515_008, "context_length": 8192}
    now = clock.now()
    with parts.database.transaction() as session:
        by = people.known_by_name(session, "Ada")
        base = BaseModel(id="bm_small", name="small", source="folder", folder=str(base_folder), content_hash="0" * 64)
        base.template_hash, base.end_marker = template, "<|im_end|>"
        base.domain, base.created_by = by.domain, by.id
        for name, value in weights.items():
            setattr(base, name, value)
        session.add(base)
        session.flush()
        model = FineTunedModel(id="ftm_learned", name="support", base_model="small", base_model_id="bm_small")
        model.philosopher, model.domain, model.created_by = "Ada", by.domain, by.id
        model.training_config, model.measured_at, model.lora_rank = {}, {}, 8
        model.model_path, model.content_hash, model.template_hash = "models/tuned/ftm_learned", "0" * 64, template
        model.created_at = model.updated_at = now
        session.add(model)
    return "ftm_learned", by


@pytest.fixture
def merged(
    real_home: Path, smollm2_folder: Path, trained_adapter: Path, tmp_path: Path
) -> Iterator[tuple[Merged, Person]]:
    parts = app.assemble(Settings(home=tmp_path / "home", port=free_port(), engine_port=free_port()))
    (parts.home.root / "environments").symlink_to(real_home / "environments")
    app.prepare_database(parts)
    model_id, by = add_models(parts, smollm2_folder, trained_adapter)
    with supervised(parts) as wait:
        yield Merged(parts, wait, model_id), by


def test_a_merged_model_answers_the_same_is_proved_and_faster(merged: tuple[Merged, Person]) -> None:
    there, by = merged
    with there.parts.database.transaction() as session:
        model = session.get_one(FineTunedModel, there.model_id)
        job = service.start(session, model, by=by, home=there.parts.home)
    assert job is not None
    said = there.finish(job.id).result or {}
    base_id = str(said["base_model_id"])
    there.wait(lambda: there.proof(base_id) in ("proved", "refused"))
    with there.parts.database.reading() as session:
        receipt = queries.receipt(session, base_id)
    for line in receipt.lines:
        print("ok " if line["is_ok"] else "NOT", line["name"], "|", line["value"])
    assert receipt.is_green, receipt.reason
    there.wait(lambda: there.look().measuring is not None)
    measuring = there.look().measuring
    assert measuring is not None
    there.finish(measuring.id)
    speed = there.look().speed
    assert speed is not None
    print(speed["sentence"])
    assert speed["times"] > 1.3
    assert answers(there, base_id, said["check"]["rows"]) == [row["adapter_answer"] for row in said["check"]["rows"]]


def answers(there: Merged, base_id: str, rows: list[dict[str, Any]]) -> list[str]:
    """What the engine writes for the rows that the adapter was asked before it was merged."""
    known = {row.row_id: row for row in probe.read(there.parts.home.models / "tuned" / there.model_id)}
    with there.parts.database.reading() as session:
        target = queries.target_for(session, base_id)
        folder = models.folder_of(there.parts.home, session.get_one(BaseModel, base_id))

    async def ask(engine: EngineClient) -> list[list[int]]:
        prompts = [known[row["row_id"]].prompt_ids for row in rows]
        found = await engine.complete_all(base_id, prompts, max_tokens=128, salt=make_salt())
        return [answer.token_ids for answer in found]

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found = call(target.url, target.read_key(there.parts.home.root), ask, timeout_s=120)
    return [tokenizer.decode(ids, skip_special_tokens=False) for ids in found]
