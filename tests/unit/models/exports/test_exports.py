"""A fine-tuned model is taken out into one file that was checked, or it is said why not."""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.exporting import EXPORTER, StandInExport, check, make_kept_model
from tests.work import context_of

from goldsmith.environments.errors import EnvironmentMissing
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.models.errors import ExportNotFound, ModelNotWhole, NoRoomForModel
from goldsmith.models.exports import child, queries, service
from goldsmith.models.exports.jobs import ExportKind
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire import export
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.export import ExportForm


class Exporting:
    """A model, an export that was asked for, and its stages, one by one."""

    def __init__(self, database: Database, home: Home, person: Person) -> None:
        self.database, self.home, self.person = database, home, person
        self.is_stopped = False
        with database.transaction() as session:
            self.model = make_kept_model(session, home, by=person)
            self.job_id = service.start(session, self.model, ExportForm.MERGED, by=person).id
        self.folder = JobFolder.of(home, self.job_id)

    def stage(self, kind: ExportKind, name: str) -> dict[str, Any]:
        context = context_of(self.database, self.home, self.job_id, lambda: self.is_stopped)
        return dict(kind.work(name, context))

    def all(self, kind: ExportKind) -> dict[str, Any]:
        return {key: value for each in kind.stages for key, value in self.stage(kind, each.name).items()}


@pytest.fixture
def exporting(database: Database, home: Home, person: Person) -> Exporting:
    return Exporting(database, home, person)


def test_a_good_export_is_one_file_with_its_hash_and_what_it_answered(exporting: Exporting) -> None:
    found = exporting.all(StandInExport())
    path = exporting.home.exports / exporting.job_id / "support-triage-merged.zip"
    assert (found["file"], found["is_good"]) == (path.name, True)
    assert found["size_bytes"] == path.stat().st_size
    assert [row["row_id"] for row in found["check"]["rows"]] == ["row_1", "row_2"]
    with zipfile.ZipFile(path) as archive:
        assert "support-triage-merged/model.safetensors" in archive.namelist()
        assert not [name for name in archive.namelist() if "probe" in name]
    assert not (exporting.folder.result / export.MODEL_FOLDER).exists()  # its room is given back


def test_one_that_answers_otherwise_is_marked_in_its_name_too(exporting: Exporting) -> None:
    found = exporting.all(StandInExport(check(other="shipping")))
    assert (found["file"], found["is_good"]) == ("support-triage-merged-not-good.zip", False)


def test_an_attempt_that_died_behind_the_packing_packs_no_second_time(exporting: Exporting) -> None:
    kind = StandInExport()
    first = exporting.all(kind)
    assert exporting.stage(kind, "pack") == first


def test_a_stop_while_it_packs_leaves_no_file(exporting: Exporting) -> None:
    kind = StandInExport()
    exporting.stage(kind, "prepare")
    exporting.stage(kind, "write")
    exporting.is_stopped = True
    assert exporting.stage(kind, "pack") == {}
    assert list((exporting.home.exports / exporting.job_id).iterdir()) == []


def test_what_the_child_left_half_is_not_packed(exporting: Exporting) -> None:
    kind = StandInExport()
    exporting.stage(kind, "prepare")
    with pytest.raises(JobFailed, match="not whole"):
        exporting.stage(kind, "pack")
    exporting.stage(kind, "write")
    (exporting.folder.result / export.MODEL_FOLDER / "model.safetensors").write_bytes(b"others!")
    with pytest.raises(JobFailed, match="not whole"):
        exporting.stage(kind, "pack")


def test_the_child_is_told_where_the_files_lie_and_started_in_the_trainers_environment(exporting: Exporting) -> None:
    exporting.stage(StandInExport(), "prepare")
    order = export.read_order(exporting.folder.order)
    assert (order.form, order.model_id, order.dtype) == (ExportForm.MERGED, exporting.model.id, None)
    assert Path(order.adapter_folder, "probe.jsonl").is_file()
    with exporting.database.reading() as session:
        launch = StandInExport().launch(jobs.view(jobs.one(session, exporting.job_id)), exporting.folder)
    assert launch.argv[0] == str(EXPORTER.python())
    assert "goldsmith.trainers.export_model" in launch.argv
    assert "--order ../job.json" in exporting.folder.readme.read_text()


def test_too_little_room_is_said_with_numbers_before_anything_is_written(
    exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 150_000_000))
    with pytest.raises(NoRoomForModel, match=r"needs 200 MB on the disk, and 150 MB are free"):
        exporting.stage(StandInExport(), "prepare")
    assert not exporting.folder.order.exists()


@pytest.mark.parametrize("missing", ["base", "adapter"])
def test_a_model_whose_files_are_gone_is_refused(exporting: Exporting, missing: str) -> None:
    if missing == "base":
        shutil.rmtree(exporting.home.models / "base" / "tiny")
    else:
        (exporting.home.root / exporting.model.model_path / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelNotWhole):
        exporting.stage(StandInExport(), "prepare")


def test_the_same_export_is_asked_for_once(exporting: Exporting) -> None:
    with exporting.database.transaction() as session:
        model = session.get_one(FineTunedModel, exporting.model.id)
        assert service.start(session, model, ExportForm.MERGED, by=exporting.person).id == exporting.job_id
        base = session.get_one(BaseModel, model.base_model_id)
        other = service.start(session, model, ExportForm.ADAPTER, by=exporting.person)
        assert [job.id for job in queries.page(session, model)] == [other.id, exporting.job_id]
        with pytest.raises(ExportNotFound):
            queries.one(session, make_kept_model(session, exporting.home, by=exporting.person, base=base), other.id)
        with pytest.raises(ExportNotFound, match="queued"):
            queries.there(exporting.home, other)


def test_merged_weights_need_as_much_room_as_the_base_has_weights(exporting: Exporting) -> None:
    exporting.stage(StandInExport(), "prepare")
    order = export.read_order(exporting.folder.order)
    adapter = child.num_bytes(export.ExportOrder(**{**vars(order), "form": ExportForm.ADAPTER}), 1000)
    assert child.num_bytes(order, 1000) == adapter + 2000
    assert child.num_bytes(export.ExportOrder(**{**vars(order), "dtype": "float32"}), 1000) == adapter + 4000


def test_what_the_child_says_is_what_the_job_says(exporting: Exporting) -> None:
    with exporting.database.transaction() as session:
        job = jobs.one(session, exporting.job_id)
        StandInExport().on_event(session, job, Event(1, 0.0, EventKind.PHASE, {"text": "Writing the weights"}))
        StandInExport().on_event(session, job, Event(2, 0.0, EventKind.STEP, {"step": 1}))
        assert job.message == "Writing the weights"


def test_only_for_gguf_the_converter_is_asked_for(database: Database, home: Home, person: Person) -> None:
    def missing() -> Path:
        raise EnvironmentMissing("The environment gguf is not installed.")

    without = replace(EXPORTER, converter=missing)
    with database.transaction() as session:
        model = make_kept_model(session, home, by=person)
        ids = {form: service.start(session, model, form, by=person).id for form in ExportForm}
    for form, job_id in ids.items():
        context = context_of(database, home, job_id, lambda: False)
        if form is ExportForm.GGUF:
            with pytest.raises(EnvironmentMissing):
                ExportKind(without).work("prepare", context)
            ExportKind(EXPORTER).work("prepare", context)
            assert export.read_order(context.folder.order).converter == "/environments/gguf"
        else:
            ExportKind(without).work("prepare", context)
            assert export.read_order(context.folder.order).converter is None
