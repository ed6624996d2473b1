"""A fine-tuned model is merged, kept for good, put on an engine of its own, proved there and timed, or told why not."""

import re
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.exporting import EXPORTER, check
from tests.unit.serve.keeping import Keeping
from tests.work import context_of

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import JobKind
from goldsmith.jobs.states import JobState
from goldsmith.models import inspection
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import outside, queries, receipt
from goldsmith.serve import service as serving
from goldsmith.serve.engine import Program
from goldsmith.serve.merged import receipt as merged_receipt
from goldsmith.serve.merged import service, speed
from goldsmith.serve.merged.jobs import MergeKind, SpeedKind, written_anew
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine
from goldsmith.testing.fake_answers import read_adapter
from goldsmith.wire import export, manifest
from goldsmith.wire.export import Check

ModelMaker = Callable[..., FineTunedModel]


class Merging:
    """A fine-tuned model, and its merging, stage by stage."""

    def __init__(self, database: Database, home: Home, by: Person, base: BaseModel, model: FineTunedModel) -> None:
        self.database, self.home, self.by, self.base, self.model = database, home, by, base, model

    def start(self) -> str | None:
        with self.database.transaction() as session:
            job = service.start(session, session.get_one(FineTunedModel, self.model.id), by=self.by, home=self.home)
            return job.id if job is not None else None

    def look(self) -> service.Merging:
        with self.database.reading() as session:
            return service.look(session, session.get_one(FineTunedModel, self.model.id))

    def stage(self, kind: JobKind, name: str, job_id: str) -> Mapping[str, Any]:
        context = context_of(self.database, self.home, job_id)
        return kind.work(name, context)

    def write(self, job_id: str, found: Check) -> None:
        """What the child would do: here the merged weights are the base's own files."""
        result = JobFolder.of(self.home, job_id).result
        shutil.copytree(self.home.root / self.base.folder, result / export.MODEL_FOLDER)
        config = '{"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 2048}'
        (result / export.MODEL_FOLDER / "config.json").write_text(config)
        manifest.write(result / export.MODEL_FOLDER)
        found.write(result)

    def merge(self, found: Check | None = None) -> Mapping[str, Any]:
        job_id = self.start()
        assert job_id is not None
        self.stage(MERGE, "prepare", job_id)
        self.write(job_id, found or check(dtype="float32", largest_nats=0.001))
        return self.stage(MERGE, "keep", job_id)

    def merged(self) -> BaseModel:
        found = self.look().model
        assert found is not None
        return found


MERGE = MergeKind(EXPORTER, dtype="float32")


@pytest.fixture
def merging(database: Database, home: Home, by: Person, base: BaseModel, make_model: ModelMaker) -> Merging:
    return Merging(database, home, by, base, make_model("Support triage"))


def test_what_was_merged_is_a_model_of_its_own_and_on_its_way_to_an_engine(merging: Merging) -> None:
    found = merging.merge()
    model = merging.merged()
    assert (found["base_model_id"], found["name"]) == (model.id, "Support triage-merged")
    assert (model.source, model.merged_from) == ("merged", merging.model.id)
    folder = merging.home.root / model.folder
    assert inspection.inspect_folder(folder).content_hash == model.content_hash == folder.name
    with merging.database.reading() as session:
        deployment = queries.deployment_of(session, model.id)
        assert (deployment.is_wanted, deployment.proof) == (True, "unproved")
        assert queries.one(session, deployment.engine_id).base_model_id == model.id


def test_no_engine_is_stopped_for_it(merging: Merging) -> None:
    with merging.database.transaction() as session:
        serving.deploy(session, merging.model.id, by=merging.by)
    merging.merge()
    with merging.database.transaction() as session:
        assert queries.is_wanted(session, merging.model.id)
        assert queries.is_wanted(session, merging.merged().id)
        own = queries.engine_for(session, merging.merged().id)
        assert own is not None
        assert own.wanted_at is None  # it waits for room
        serving.deploy(session, merging.merged().id, by=merging.by)
        assert own.wanted_at is not None  # a person says so


def test_weights_that_answer_otherwise_are_not_kept(merging: Merging) -> None:
    with pytest.raises(JobFailed, match="1 of 2 answers"):
        merging.merge(check(dtype="float32", other="shipping"))
    assert merging.look().model is None
    assert list((merging.home.models / "base").glob("*/model.safetensors")) == []


def test_it_is_merged_once_and_deployed_again(merging: Merging) -> None:
    job_id = merging.start()
    assert job_id is not None
    assert merging.start() == job_id
    merging.stage(MERGE, "prepare", job_id)
    merging.write(job_id, check(dtype="float32", largest_nats=0.001))
    first = merging.stage(MERGE, "keep", job_id)
    assert merging.stage(MERGE, "keep", job_id) == first  # an attempt died behind it
    with merging.database.transaction() as session:
        serving.undeploy(session, merging.merged().id, by=merging.by)
        assert not queries.engine_for(session, merging.merged().id).is_wanted  # type: ignore[union-attr]
    assert merging.start() is None
    with merging.database.reading() as session:
        assert queries.deployment_of(session, merging.merged().id).is_wanted


def test_two_models_of_one_name_give_merged_models_of_two(
    merging: Merging, make_model: ModelMaker, database: Database
) -> None:
    merging.merge()
    with database.transaction() as session:
        other = session.get_one(FineTunedModel, make_model("other").id)
        other.name = "Support triage"
        assert service.free_name(session, other) == "Support triage-merged-tm_other"


@pytest.fixture
def served(merging: Merging, fake_program: Program) -> Any:
    """The merged model, on an engine that answers as it learned."""
    merging.merge()
    model = merging.merged()
    with FakeEngine(model.id, base_folder=merging.home.root / model.folder) as theirs:
        theirs.adapters[model.id] = read_adapter(model.id, merging.home.root / merging.model.model_path)
        with merging.database.transaction() as session:
            queries.engine_for(session, model.id).is_wanted = False  # type: ignore[union-attr]
            outside.attach_engine(session, theirs.url, base_model_id=model.id, by=merging.by, name_in_engine=model.id)
        keeping = Keeping(merging.database, merging.home, fake_program)
        keeping.until(lambda: keeping.is_loaded(model.id), within_s=30, tick_within_s=15)
        yield keeping, theirs


def test_merged_weights_are_proved_as_an_adapter_is_and_then_timed(merging: Merging, served: Any) -> None:
    keeping, _ = served
    model = merging.merged()
    keeping.until(lambda: keeping.deployment(model.id).prove_job_id is not None, within_s=30, tick_within_s=15)
    assert keeping.prove(model.id)["outcome"] == "proved"
    with merging.database.transaction() as session:
        found = queries.receipt(session, model.id)
        assert found.is_green
        assert "with the merged weights the same probabilities" in found.reason
        assert serving.switch(session, model.id, by=merging.by).targets[0]["model_id"] == model.id
    measuring = merging.look().measuring
    assert measuring is not None
    said = merging.stage(SpeedKind(), "measure", measuring.id)
    assert said["adapter_tokens_per_second"] > 0
    assert re.fullmatch(
        r"Merged [\d.]+ tokens/s, with the adapter [\d.]+ tokens/s: [\d.]+ times as fast "
        r"\(8 callers at once, 3 rounds in turn, in the same engine\)\.",
        said["sentence"],
    )
    assert merging.look().speed is None  # not before its job has succeeded
    with merging.database.transaction() as session:
        claimed = [queue.claim(session, machine="here", slot=f"cpu-{number}") for number in range(9)]
        assert measuring.id in {each.id for each in claimed if each is not None}
        job = jobs.one(session, measuring.id)
        queue.move(session, job, JobState.RUNNING, "test")
        queue.finish(session, job, said)
    assert merging.look().speed == said


def test_the_adapter_is_gone_from_the_engine_after_it_was_measured(merging: Merging, served: Any) -> None:
    _, theirs = served
    with merging.database.transaction() as session:
        job_id = service.queue_speed(session, session.get_one(BaseModel, merging.merged().id), by=merging.by).id
    merging.stage(SpeedKind(), "measure", job_id)
    assert set(theirs.adapters) == {merging.merged().id}
    whole = [body for body in theirs.requests if body.get("ignore_eos")]
    assert {body["max_tokens"] for body in whole} == {speed.NUM_TOKENS}
    assert len({body["model"] for body in whole}) == 2


def test_a_red_receipt_stops_the_engine_of_merged_weights(merging: Merging, served: Any) -> None:
    keeping, theirs = served
    theirs.adapters.clear()  # it answers as its base did
    model = merging.merged()
    keeping.until(lambda: keeping.deployment(model.id).prove_job_id is not None, within_s=30, tick_within_s=15)
    assert keeping.prove(model.id)["outcome"] == "refused"
    assert not keeping.engine().is_wanted
    assert merging.look().measuring is None


def test_changed_weights_are_refused(merging: Merging, served: Any) -> None:
    _, theirs = served
    model = merging.merged()
    folder = merging.home.root / model.folder
    subject = receipt.Subject(
        model_id=model.id,
        folder=merging.home.root / merging.model.model_path,
        template_hash=model.template_hash,
        lora_rank=8,
        base_folder=folder,
        base_name=model.id,
        max_lora_rank=8,
        url=theirs.url,
        key=None,
    )
    found = merged_receipt.prove(subject, "f" * 64, lambda _progress, _message: None)
    assert "not those that were written" in found.reason
    (folder / "model.safetensors").unlink()
    found = merged_receipt.prove(subject, model.content_hash, lambda _progress, _message: None)
    assert not found.is_green


def test_nothing_is_measured_while_the_model_is_not_on_its_engine(merging: Merging) -> None:
    merging.merge()
    with merging.database.transaction() as session:
        job_id = service.queue_speed(session, session.get_one(BaseModel, merging.merged().id), by=merging.by).id
    with pytest.raises(JobFailed, match="not on its engine"):
        merging.stage(SpeedKind(), "measure", job_id)


def test_on_a_gpu_weights_are_kept_as_the_base_has_them() -> None:
    names = [kind.name for kind in written_anew(EXPORTER, device="cuda")]
    assert names == ["model_export", "model_merge", "merge_speed"]


def test_others_who_ask_meanwhile_are_said() -> None:
    found = speed.Speed((10.0, 10.0, 10.0), (25.0, 20.0, 30.0), was_idle=False)
    assert found.times == 2.5
    assert found.sentence.endswith("Others were asking meanwhile, so this is rough.")
