"""What a trainer says when it cannot go on, whatever went wrong inside."""

import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldsmith import app
from goldsmith.testing.contracts.job_folder import Trainer, make_folder, read, run, started
from goldsmith.trainers._report import Job, Report
from goldsmith.wire import order
from goldsmith.wire.events import EventKind

FAKE = Trainer(
    app.make_backends()["fake"], Path(sys.executable), Path("/models/base"), {"batch_size": 2, "step_s": 0.0}
)
NO_ROOM = "OSError(28, 'No space left on device')"


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (NO_ROOM, "disk_full"),
        ("OSError(27, 'File too large')", "disk_full"),
        ("OSError(122, 'Disk quota exceeded')", "disk_full"),
        ("RuntimeError('I/O error: No space left on device (os error 28)')", "disk_full"),
        (
            "RuntimeError('[enforce fail] . PytorchStreamWriter failed writing file data/0: file write failed')",
            "disk_full",
        ),
        (f"ValueError('cannot save') from {NO_ROOM}", "disk_full"),
        ("RuntimeError('CUDA out of memory. Tried to allocate')", "out_of_memory"),
        ("ImportError('no module called x')", "environment_broken"),
        ("OSError(13, 'Permission denied')", "crashed"),
        ("ValueError('something else')", "crashed"),
    ],
)
def test_what_went_wrong_is_told_by_its_kind(tmp_path: Path, raised: str, kind: str) -> None:
    folder = make_folder(tmp_path, FAKE)
    program = folder / "program" / "goldsmith" / "trainers" / "fake.py"
    text = program.read_text(encoding="utf-8")
    start = "    finished = job.finished_figures()\n"
    assert start in text
    program.write_text(text.replace(start, f"    raise {raised}\n", 1), encoding="utf-8")
    last = run(FAKE, folder)[-1]
    assert last.kind is EventKind.FAILED
    assert last.data["kind"] == kind
    assert last.data["hint"]


def test_a_model_that_does_not_fit_on_the_disk_is_said_to(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, FAKE, lora_rank=256, step_s=0.1)
    with started(FAKE, folder) as child:
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (12_000, 12_000))
        assert child.wait(timeout=60) == 1
    assert read(folder)[-1].data["kind"] == "disk_full"


@pytest.fixture
def _own_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)  # a report listens for it
    yield
    signal.signal(signal.SIGTERM, before)


def job_of(folder: Path) -> Job:
    return Job(order.read(folder / "job.json"), folder, "ab", Report(folder / "attempts" / "1" / "events.jsonl"))


def publish(job: Job, step: int) -> None:
    written = job.folder / "checkpoints" / "written"
    written.mkdir(parents=True)
    (written / "weights").write_text(str(step))
    job.publish_checkpoint(written, step)


@pytest.mark.usefixtures("_own_signals")
def test_the_best_checkpoint_stays_beside_the_newest_two(tmp_path: Path) -> None:
    job = job_of(make_folder(tmp_path, FAKE))
    assert job.best_checkpoint() is None
    for step, exam_loss in ((0, 0.1), (1, 2.0), (2, 1.0), (3, 1.5), (4, float("nan")), (5, 1.2)):
        if step:  # before the first step there is no checkpoint
            publish(job, step)
        job.keep_score(step, exam_loss)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-2", "step-4", "step-5"]
    assert job.best_checkpoint() == (tmp_path / "checkpoints" / "step-2", 2)
    assert (job.best_step, job.score_of(2), job.num_scores_since_best) == (2, 1.0, 2)
    (tmp_path / "checkpoints" / "step-2" / "weights").write_text("spoilt")
    assert job.best_checkpoint() == (tmp_path / "checkpoints" / "step-5", 5)


@pytest.mark.usefixtures("_own_signals")
def test_without_an_exam_the_newest_is_the_best(tmp_path: Path) -> None:
    job = job_of(make_folder(tmp_path, FAKE))
    publish(job, 1)
    publish(job, 2)
    assert job.best_checkpoint() == (tmp_path / "checkpoints" / "step-2", 2)
    assert (job.best_step, job.num_scores_since_best, job.report.keep_asked) == (None, 0, False)


@pytest.mark.usefixtures("_own_signals")
def test_a_checkpoint_that_goes_loses_its_name_before_its_files(tmp_path: Path) -> None:
    job = job_of(make_folder(tmp_path, FAKE))
    left = job.folder / "checkpoints" / "gone-step-0"  # a kill left it
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    for step in (1, 2, 3, 4):
        publish(job, step)
    assert sorted(path.name for path in (job.folder / "checkpoints").iterdir()) == ["step-3", "step-4"]
