"""A base model arrives whole, from one commit and with what is known of it, or it is refused with the reason."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import JobKind
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.worker import Worker
from goldsmith.models import jobs as model_jobs
from goldsmith.models import queries, service
from goldsmith.models.errors import ModelNameTaken, ModelNotFound
from goldsmith.models.hub_access import HubAccess
from goldsmith.models.jobs import FolderKind, GgufKind, HubKind
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import FromHub
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing.fake_hub import FakeHub

pytestmark = pytest.mark.enable_socket
FolderMaker = Callable[..., Path]
HUB_ID = "Org/Small-Chat"


class Failure(NamedTuple):
    """What a person reads of a job that failed."""

    kind: str
    summary: str
    hint: str


class Bringer:
    """Asks for models and does the jobs in this process, as supervisor and workers would."""

    def __init__(self, database: Database, home: Home, person: Person, fake: FakeHub) -> None:
        self.database, self.home, self.person, self.fake = database, home, person, fake
        self.env: dict[str, str] = {"HF_ENDPOINT": fake.url}

    def ask(self, hub_id: str = HUB_ID, **more: Any) -> Job | None:
        with self.database.transaction() as session:
            return service.start_hub(session, FromHub(hub_id, **more), by=self.person, home=self.home)

    def kinds(self) -> dict[str, JobKind]:
        def access(home: Home) -> HubAccess:
            return HubAccess.of(home, self.env, is_offline=False)

        kinds: tuple[JobKind, ...] = (
            HubKind(access=access),
            FolderKind(),
            GgufKind(python=lambda: Path("python"), parent_env={}),
        )
        return {kind.name: kind for kind in kinds}

    def attempt(self, job_id: str, *, num_stages: int = 9) -> Failure | None:
        """One attempt, light stages only; what was said when it failed."""
        worker = Worker(self.database, self.home, self.kinds())
        with self.database.transaction() as session:
            if jobs.one(session, job_id).state in ("failed", "paused"):
                queue.again(session, jobs.one(session, job_id), "tried again")
            claimed = queue.claim(session, machine="here", slot=None) or queue.claim(
                session, machine="here", slot="cpu"
            )
            assert claimed is not None
            kind, lease = self.kinds()[claimed.kind], claimed.lease_number
        for stage in [stage for stage in kind.stages if not stage.is_heavy][:num_stages]:
            with self.database.transaction() as session:
                queue.begin_stage(session, jobs.one(session, job_id), stage.name)
                queue.to_running(session, jobs.one(session, job_id))
            worker.work(job_id, stage.name, lease)
            with self.database.transaction() as session:
                job = jobs.one(session, job_id)
                if job.stage_outcome == "failed":
                    failure = dict(job.failure or {})
                    queue.move(session, job, JobState.FAILED, "test")
                    return Failure(failure["kind"], failure["summary"], failure["hint"])
        with self.database.transaction() as session:
            queue.move(session, jobs.one(session, job_id), JobState.SUCCEEDED, "test")
        return None

    def bring(self, hub_id: str = HUB_ID, **more: Any) -> BaseModel:
        job = self.ask(hub_id, **more)
        assert job is not None
        assert self.attempt(job.id) is None
        return self.model(more.get("name") or hub_id)

    def fail(self, hub_id: str = HUB_ID, **more: Any) -> Failure:
        job = self.ask(hub_id, **more)
        assert job is not None
        failure = self.attempt(job.id)
        assert failure is not None
        return failure

    def model(self, name: str) -> BaseModel:
        with self.database.reading() as session:
            return queries.base(session, name, domain=self.person.domain)


@pytest.fixture
def files(make_folder: FolderMaker, tmp_path: Path) -> dict[str, bytes]:
    """A whole small model, and what else lies beside it on a hub."""
    folder = make_folder(tmp_path / "source")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Small\n")
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    return found | {"pytorch_model.bin": b"\x80\x02pickle", ".gitattributes": b"x", "onnx/model.onnx": b"x"}


@pytest.fixture
def bringer(database: Database, home: Home, person: Person, files: dict[str, bytes]) -> Iterator[Bringer]:
    with FakeHub() as fake:
        fake.add(HUB_ID, files)
        yield Bringer(database, home, person, fake)


def test_a_model_from_a_hub_is_recorded_with_its_commit(bringer: Bringer, files: dict[str, bytes]) -> None:
    model = bringer.bring()
    assert (model.name, model.source, model.hub_id) == (HUB_ID, "hub", HUB_ID)
    assert model.hub_commit == bringer.fake.models[HUB_ID].commit
    assert (model.licence, model.context_length, model.end_marker) == ("apache-2.0", 2048, "<|im_end|>")
    assert model.template_hash
    folder = queries.folder_of(bringer.home, model)
    kept = {path.name for path in folder.iterdir()}
    assert kept == set(files) - {"pytorch_model.bin", ".gitattributes", "onnx/model.onnx"}
    assert model.size_bytes == sum((folder / name).stat().st_size for name in kept)
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}
    assert not bringer.fake.asked_for("pytorch_model.bin")


def test_the_same_content_from_a_folder_and_from_a_hub_lies_there_once(bringer: Bringer, tmp_path: Path) -> None:
    from_hub = bringer.bring()
    with bringer.database.transaction() as session:
        path = tmp_path / "source"
        job = service.start_path(session, path, name="mine", roots=(tmp_path,), by=bringer.person)
    assert bringer.attempt(job.id) is None
    mine = bringer.model("mine")
    assert (mine.folder, mine.source, mine.hub_id) == (from_hub.folder, "folder", None)


def test_a_model_that_is_there_is_not_fetched_again_and_a_lost_one_is(bringer: Bringer) -> None:
    model = bringer.bring()
    assert bringer.ask() is None
    assert bringer.ask(HUB_ID.lower()) is None
    assert bringer.ask(f"https://hub.example.org/{HUB_ID}/tree/main") is None
    shutil.rmtree(queries.folder_of(bringer.home, model))
    bringer.fake.add(HUB_ID, {"config.json": b"{}"})
    job = bringer.ask()
    assert job is not None
    assert bringer.attempt(job.id) is None
    assert bringer.model(HUB_ID).id == model.id
    assert queries.folder_of(bringer.home, model).exists()


def test_two_who_ask_at_once_get_the_same_job(bringer: Bringer) -> None:
    first, second = bringer.ask(), bringer.ask(HUB_ID.upper())
    assert first is not None
    assert second is not None
    assert first.id == second.id


def test_who_asks_again_after_a_failure_goes_on_with_what_is_there(bringer: Bringer, files: dict[str, bytes]) -> None:
    job = bringer.ask()
    assert job is not None
    bringer.fake.faults.wrong_content["model.safetensors"] = bytes(len(files["model.safetensors"]))
    failure = bringer.attempt(job.id)
    assert failure is not None
    assert failure.kind == "hub-file-damaged"
    bringer.fake.faults.wrong_content.clear()
    again = bringer.ask()
    assert again is not None
    assert (again.id, again.attempt, again.state) == (job.id, 2, "queued")
    assert bringer.attempt(job.id) is None
    assert len(bringer.fake.asked_for("tokenizer.json")) == 2, "once, and its second address"
    assert bringer.model(HUB_ID).hub_id == HUB_ID


def test_what_was_refused_is_looked_at_anew(bringer: Bringer, files: dict[str, bytes]) -> None:
    bringer.fake.add("Org/Mended", {**files, "evil.py": b""})
    job = bringer.ask("Org/Mended")
    assert job is not None
    assert bringer.attempt(job.id) is not None
    mended = bringer.fake.add("Org/Mended", files)
    assert bringer.bring("Org/Mended").hub_commit == mended


def test_another_commit_needs_another_name(bringer: Bringer, files: dict[str, bytes]) -> None:
    old = bringer.bring()
    commit = bringer.fake.add(HUB_ID, files | {"generation_config.json": b"{}"})
    with pytest.raises(ModelNameTaken) as caught:
        bringer.ask(revision=commit)
    assert "--name" in caught.value.hint
    newer = bringer.bring(revision=commit, name="small newer")
    assert (newer.hub_commit, newer.hub_id) == (commit, HUB_ID)
    assert bringer.model(HUB_ID).id == old.id


def test_a_resumed_job_stays_with_the_commit_that_it_began_with(bringer: Bringer, files: dict[str, bytes]) -> None:
    first = bringer.fake.models[HUB_ID].commit
    job = bringer.ask()
    assert job is not None
    bringer.fake.faults.wrong_content["tokenizer_config.json"] = b"x" * len(files["tokenizer_config.json"])
    failure = bringer.attempt(job.id)
    assert failure is not None
    assert (failure.kind, "git hash is another" in failure.summary) == ("hub-file-damaged", True)
    bringer.fake.faults.wrong_content.clear()
    bringer.fake.add(HUB_ID, {**files, "config.json": b"{}"})
    assert bringer.attempt(job.id) is None
    assert bringer.model(HUB_ID).hub_commit == first
    asked = [one.path for one in bringer.fake.asked_for("config.json")]
    assert asked == [f"/{HUB_ID}/resolve/{first}/config.json"]


def test_an_attempt_that_died_behind_its_registration_ends_well(bringer: Bringer) -> None:
    model = bringer.bring()
    job_id = newest_job(bringer)
    folder = JobFolder.of(bringer.home, job_id).data
    assert not (folder / "model").exists()
    worker = Worker(bringer.database, bringer.home, bringer.kinds())
    with bringer.database.reading() as session:
        view = jobs.view(jobs.one(session, job_id))
    context = replace(worker._context(view, view.lease_number), transaction=bringer.database.transaction)
    again = HubKind(access=lambda _: HubAccess()).work("register", context)
    assert again == {"base_model_id": model.id}


def newest_job(bringer: Bringer) -> str:
    with bringer.database.reading() as session:
        return jobs.page(session, domain=bringer.person.domain, kind=service.KIND_HUB)[0].id


def test_progress_is_told_in_bytes_and_as_a_share(bringer: Bringer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goldsmith.jobs.worker.REPORT_EVERY_S", 0.0)
    job = bringer.ask()
    assert job is not None
    seen: list[tuple[float, str]] = []
    report = queue.report

    def spy(session: Any, row: Job, **said: Any) -> None:
        report(session, row, **said)
        seen.append((row.progress, row.message))

    monkeypatch.setattr(queue, "report", spy)
    assert bringer.attempt(job.id) is None
    size = len(bringer.fake.models[HUB_ID].commits[bringer.fake.models[HUB_ID].commit]["model.safetensors"])
    assert pytest.approx(0.95) == {words: share for share, words in seen}[f"{size} bytes of {size} bytes fetched"]
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"modeling_small.py": b"import os"}, r"modeling_small\.py is program code"),
        ({"deep/in/it.py": b""}, r"deep/in/it\.py is program code"),
        ({"custom_generate/generate.txt": b""}, "custom_generate/generate.txt is program code"),
        ({"config.json": b'{"auto_map": {"AutoModel": "x.Y"}}'}, r"config\.json: the key auto_map"),
        ({"tokenizer_config.json": b'{"auto_map": {}}'}, r"tokenizer_config\.json: the key auto_map"),
        ({"generation_config.json": b'{"custom_pipelines": {}}'}, "custom_pipelines"),
        ({"notes.txt": b"\x80\x04pickle"}, r"notes\.txt is a pickle"),
        ({"model.safetensors": None}, r"pickled weights only \(pytorch_model\.bin\)"),
        ({"model.safetensors": None, "pytorch_model.bin": None}, "no safetensors weights"),
        ({"model.safetensors": None, "small.Q4_0.gguf": b"GGUF"}, "GGUF files only"),
        ({"config.json": None, "adapter_config.json": b"{}"}, "an adapter, not a base model"),
        ({"config.json": None}, r"has no config\.json"),
        ({"tokenizer.json": None}, r"has no tokenizer\.json"),
        ({"chat_template.jinja": None}, "has no chat template"),
        ({"chat_template.jinja": b"no answer in it"}, "leaves the assistant's answer out"),
        ({"model.safetensors": None, "a.safetensors": b"a", "b.safetensors": b"b"}, "several weight files"),
        ({"model.safetensors.index.json": b'{"weight_map": {"a": "../x.safetensors"}}'}, "which the hub does not list"),
        ({"model.safetensors.index.json": b'{"weight_map": []}'}, "names nothing"),
    ],
)
def test_what_must_be_refused_is_refused_before_the_weights_are_fetched(
    bringer: Bringer, files: dict[str, bytes], changes: dict[str, bytes | None], sentence: str
) -> None:
    changed = {name: data for name, data in {**files, **changes}.items() if data is not None}
    bringer.fake.add("Org/Refused", changed)
    failure = bringer.fail("Org/Refused")
    assert failure.kind == "model-refused"
    assert re.search(sentence, failure.summary), failure.summary
    assert failure.hint
    assert not [one for one in bringer.fake.requests if one.path.endswith((".safetensors", ".bin", ".gguf"))]


@pytest.mark.parametrize(
    ("hub_id", "kind", "words"),
    [
        ("Org/None", "hub-model-not-found", "goldsmith models token"),
        ("Org/Gated", "hub-access-denied", "accept its conditions"),
        ("Org/Private", "hub-model-not-found", "goldsmith models token"),
    ],
)
def test_what_the_hub_does_not_give_is_said_with_what_to_do(
    bringer: Bringer, files: dict[str, bytes], hub_id: str, kind: str, words: str
) -> None:
    bringer.fake.add("Org/Gated", files, is_gated=True)
    bringer.fake.add("Org/Private", files, is_private=True)
    failure = bringer.fail(hub_id)
    assert failure.kind == kind
    assert words in failure.hint


def test_with_a_token_a_gated_model_comes_and_the_token_stays_out_of_the_job(
    bringer: Bringer, files: dict[str, bytes]
) -> None:
    bringer.fake.add("Org/Gated", files, is_gated=True)
    bringer.env["HF_TOKEN"] = bringer.fake.token
    assert bringer.bring("Org/Gated").hub_id == "Org/Gated"
    with bringer.database.reading() as session:
        job = jobs.page(session, domain=bringer.person.domain, kind=service.KIND_HUB)[0]
        said = [job.params, job.message, job.result, [event.data for event in jobs.events(session, job.id)]]
    assert bringer.fake.token not in json.dumps(said)


def test_offline_a_job_fails_at_once_and_asks_nobody(bringer: Bringer) -> None:
    bringer.env["HF_HUB_OFFLINE"] = "1"
    failure = bringer.fail()
    assert failure.kind == "hub-offline"
    assert "goldsmith models import" in failure.hint
    assert bringer.fake.requests == []


def test_a_disk_without_room_is_said_before_the_weights_are_fetched(
    bringer: Bringer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_jobs, "SPARE_BYTES", 10**18)
    failure = bringer.fail()
    assert failure.kind == "no-room-for-model"
    assert "needs 1000000 TB" in failure.summary
    assert not bringer.fake.asked_for("model.safetensors")


def test_a_job_that_is_told_to_stop_keeps_what_came(
    bringer: Bringer, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bringer.ask()
    assert job is not None
    worker = Worker(bringer.database, bringer.home, bringer.kinds())
    with bringer.database.transaction() as session:
        claimed = queue.claim(session, machine="here", slot=None)
        assert claimed is not None
        queue.begin_stage(session, claimed, "fetch")
        queue.to_running(session, claimed)
    worker.ask_to_stop()
    assert worker.work(job.id, "fetch", claimed.lease_number) == 0
    with bringer.database.transaction() as session:
        found = jobs.one(session, job.id)
        assert found.stage_outcome == "stopped"
        queue.move(session, found, JobState.PAUSED, "test")
    kept = JobFolder.of(bringer.home, job.id).data / "model" / "config.json.part"
    assert kept.read_bytes() == files["config.json"]
    assert bringer.attempt(job.id) is None
    assert len(bringer.fake.asked_for("config.json")) == 1


def test_a_hubs_own_model_is_meant_before_a_copy_that_carries_its_id(bringer: Bringer, files: dict[str, bytes]) -> None:
    with bringer.database.transaction() as session:
        copy = BaseModel(name="built-in", source="builtin", hub_id=HUB_ID, folder="x", content_hash="0" * 64)
        copy.id, copy.domain, copy.created_by = "bm_copy", bringer.person.domain, bringer.person.id
        copy.size_bytes = copy.num_parameters = copy.context_length = 1
        copy.template_hash = copy.end_marker = ""
        session.add(copy)
    assert bringer.model(HUB_ID.lower()).id == "bm_copy"
    fetched = bringer.bring(name="fetched")
    assert bringer.model(HUB_ID).id == fetched.id
    assert bringer.model("built-in").id == "bm_copy"


def test_another_folder_under_a_name_that_is_taken_is_refused(
    bringer: Bringer, make_folder: FolderMaker, tmp_path: Path
) -> None:
    first = make_folder(tmp_path / "first")
    (make_folder(tmp_path / "second") / "generation_config.json").write_text("{}")
    failures = []
    for folder in (first, tmp_path / "second", first):
        with bringer.database.transaction() as session:
            job = service.start_path(session, folder, name="mine", roots=(tmp_path,), by=bringer.person)
        failures.append(bringer.attempt(job.id))
    assert failures[0] is None
    assert failures[1] is not None
    assert failures[1].kind == "model-name-taken"
    assert failures[2] is None


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [({"general.architecture": "llama"}, "no chat template"), ({"general.license": "mit"}, "names no architecture")],
)
def test_a_gguf_file_that_cannot_chat_is_refused_before_it_is_converted(
    bringer: Bringer, gguf_bytes: Callable[..., bytes], tmp_path: Path, keys: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes(keys))
    with bringer.database.transaction() as session:
        job = service.start_path(session, path, name="mine", roots=(tmp_path,), by=bringer.person)
    failure = bringer.attempt(job.id)
    assert failure is not None
    assert (failure.kind, sentence in failure.summary) == ("model-refused", True)


def test_a_converted_gguf_file_keeps_its_licence(
    bringer: Bringer, gguf_bytes: Callable[..., bytes], make_folder: FolderMaker, tmp_path: Path
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes())
    with bringer.database.transaction() as session:
        job = service.start_path(session, path, name="mine", roots=(tmp_path,), by=bringer.person)
    make_folder(JobFolder.of(bringer.home, job.id).result / "model")  # what the converter would write
    assert bringer.attempt(job.id) is None
    model = bringer.model("mine")
    assert (model.source, model.licence, model.context_length) == ("gguf", "apache-2.0", 2048)


def test_a_model_that_nobody_has_is_not_found(bringer: Bringer) -> None:
    with pytest.raises(ModelNotFound):
        bringer.model(HUB_ID)
