"""What every backend promises whose training is done by a provider: ONE suite, over a stand-in for the provider.

Above all: one training here is one job there, whatever dies between, because each job has its price.
"""

import json
import signal
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goldsmith.testing import FakeProvider, Fault
from goldsmith.testing.contracts.job_folder import (
    NUM_EXAM,
    NUM_LEARN,
    NUM_STEPS,
    Trainer,
    losses,
    make_folder,
    read,
    run,
    started,
    wait_for,
)
from goldsmith.testing.contracts.trainings import EveryTraining, Unbroken
from goldsmith.train.backends.base import Backend
from goldsmith.wire.events import Event, EventKind

KEY = "sk-a-secret-that-is-written-nowhere"
JOBS = "/fine_tuning/jobs"


def trainer_at(provider: FakeProvider, backend: Backend, folder: Path) -> Trainer:
    """The backend's program, told of the provider as the preparation does."""
    key_file = folder / "engine-eng_1.key"
    key_file.write_text(provider.key + "\n")
    key_file.chmod(0o600)
    door = {"url": provider.url, "model": "small-1", "poll_s": 0.05, "patience_s": 5.0}
    env = {"GOLDSMITH_PROVIDER_KEY_FILE": str(key_file)}
    return Trainer(backend, Path(sys.executable), folder, beside_options=door, env=env)


class ProviderContract(EveryTraining):
    """The promises. A subclass gives the fixture `backend`."""

    @pytest.fixture(scope="class")
    @classmethod
    def there(cls) -> Iterator[FakeProvider]:
        with FakeProvider(key=KEY, num_steps=NUM_STEPS) as provider:
            yield provider

    @pytest.fixture(scope="class")
    @classmethod
    def trainer(cls, backend: Backend, there: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Trainer:
        return trainer_at(there, backend, tmp_path_factory.mktemp("secrets"))

    @pytest.fixture
    def slow(self, backend: Backend, tmp_path: Path) -> Iterator[tuple[FakeProvider, Trainer]]:
        """A provider of one test alone, at which there is time to disturb."""
        (tmp_path / "secrets").mkdir()
        with FakeProvider(key=KEY, num_steps=NUM_STEPS, step_s=0.2) as provider:
            yield provider, trainer_at(provider, backend, tmp_path / "secrets")

    # What it says and leaves

    def test_it_tells_every_step_with_its_loss(self, unbroken: Unbroken) -> None:
        assert losses(unbroken.events) == {step: round(3.0 / step, 4) for step in range(1, NUM_STEPS + 1)}
        steps = [event.data for event in unbroken.events if event.kind is EventKind.STEP]
        assert {step["total_steps"] for step in steps} == {NUM_STEPS}

    def test_both_sides_are_sent_as_they_are_and_one_job_is_begun(
        self, unbroken: Unbroken, there: FakeProvider
    ) -> None:
        job = there.begun[0]
        sent = [there.files[job[name]][1] for name in ("training_file", "validation_file")]
        assert sent == [(unbroken.folder / "data" / f"{side}.jsonl").read_bytes() for side in ("learn", "exam")]
        assert [len(content.splitlines()) for content in sent] == [NUM_LEARN, NUM_EXAM]
        assert job["metadata"]["goldsmith_job"] == "job_1"
        assert job["model"] == "small-1"
        assert job["method"]["supervised"]["hyperparameters"] == {"n_epochs": 1, "batch_size": 2}

    def test_the_result_names_the_model_there_and_how_to_find_it_again(
        self, unbroken: Unbroken, there: FakeProvider
    ) -> None:
        body, made = unbroken.body, json.loads((unbroken.folder / "result" / "model.json").read_text())
        assert set(body["files"]) == {"model.json", "README.md"}
        assert made["model"] == there.begun[0]["fine_tuned_model"]
        assert made["job"] == there.begun[0]["id"]
        assert made["checkpoints"]
        assert body["figures"] == dict(unbroken.events[-1].data)
        assert body["figures"]["steps"] == NUM_STEPS
        assert body["figures"]["trained_tokens"] == 1234

    def test_the_key_stands_in_no_file_of_the_folder(self, unbroken: Unbroken, trainer: Trainer) -> None:
        for path in filter(Path.is_file, unbroken.folder.rglob("*")):
            assert KEY.encode() not in path.read_bytes(), path
        key_file = Path(trainer.env["GOLDSMITH_PROVIDER_KEY_FILE"])
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    # How it goes on

    @pytest.mark.parametrize("at", [EventKind.PHASE, EventKind.STEP])
    def test_killed_in_the_midst_it_finds_its_job_again_and_pays_once(
        self, tmp_path: Path, slow: tuple[FakeProvider, Trainer], unbroken: Unbroken, at: EventKind
    ) -> None:
        provider, trainer = slow
        folder = make_folder(tmp_path, trainer)
        with started(trainer, folder) as child:
            wait_for(folder, child, lambda event: event.kind is at)
            child.kill()
        found = run(trainer, folder, attempt=2)
        assert {**losses(read(folder)), **losses(found)} == losses(unbroken.events)
        assert len(provider.begun) == 1
        assert len(provider.files) == 2

    def test_killed_between_asking_and_writing_it_down_it_pays_once(
        self, tmp_path: Path, slow: tuple[FakeProvider, Trainer]
    ) -> None:
        provider, trainer = slow
        folder = make_folder(tmp_path, trainer)
        run(trainer, folder)
        forget(folder, "job", "files", is_begun=False)
        assert run(trainer, folder, attempt=2)[-1].kind is EventKind.SUCCEEDED
        assert len(provider.begun) == 1

    @pytest.mark.parametrize("breaks_off", [True, False])
    def test_a_beginning_without_an_answer_is_looked_for_before_it_is_asked_for_again(
        self, tmp_path: Path, slow: tuple[FakeProvider, Trainer], *, breaks_off: bool
    ) -> None:
        provider, trainer = slow
        provider.faults.append(Fault("POST", JOBS, status=502, is_done=True, breaks_off=breaks_off))
        assert run(trainer, make_folder(tmp_path, trainer))[-1].kind is EventKind.SUCCEEDED
        assert len(provider.begun) == 1

    def test_a_provider_that_lists_no_jobs_is_not_asked_twice(
        self, tmp_path: Path, slow: tuple[FakeProvider, Trainer]
    ) -> None:
        provider, trainer = slow
        provider.lists_jobs = False
        provider.faults.append(Fault("POST", JOBS, status=502, is_done=True))
        last = run(trainer, make_folder(tmp_path, trainer))[-1]
        assert last.data["kind"] == "not_known_whether_begun"
        assert run(trainer, tmp_path, attempt=2)[-1].data["kind"] == "not_known_whether_begun"
        assert len(provider.begun) == 1

    def test_cancelled_it_is_cancelled_there(self, tmp_path: Path, slow: tuple[FakeProvider, Trainer]) -> None:
        provider, trainer = slow
        found = self._stopped(tmp_path, trainer, is_cancelled=True)
        assert found[-1].kind is EventKind.STOPPED
        assert provider.begun[0]["status"] == "cancelled"
        assert json.loads((tmp_path / "provider.json").read_text())["is_over"]

    def test_cancelled_after_its_program_died_it_is_cancelled_there(
        self, tmp_path: Path, slow: tuple[FakeProvider, Trainer]
    ) -> None:
        provider, trainer = slow
        folder = make_folder(tmp_path, trainer)
        with started(trainer, folder) as child:
            wait_for(folder, child, lambda event: event.kind is EventKind.STEP)
            child.kill()
        forget(folder, "job")
        only_cancel = replace(trainer, env={**trainer.env, "GOLDSMITH_ONLY_CANCEL": "1"})
        assert run(only_cancel, folder, attempt=2)[-1].kind is EventKind.STOPPED
        assert [job["status"] for job in provider.begun] == ["cancelled"]

    def test_paused_it_is_paused_there_and_goes_on_there(
        self, tmp_path: Path, slow: tuple[FakeProvider, Trainer], unbroken: Unbroken
    ) -> None:
        provider, trainer = slow
        self._stopped(tmp_path, trainer, is_cancelled=False)
        assert provider.begun[0]["is_paused"]
        found = run(trainer, tmp_path, attempt=2)
        assert {**losses(read(tmp_path)), **losses(found)} == losses(unbroken.events)
        assert len(provider.begun) == 1

    def test_where_nobody_can_pause_it_says_that_it_goes_on(
        self, tmp_path: Path, slow: tuple[FakeProvider, Trainer]
    ) -> None:
        provider, trainer = slow
        provider.can_pause = False
        found = self._stopped(tmp_path, trainer, is_cancelled=False)
        assert any("goes on there" in str(event.data.get("text")) for event in found)
        assert run(trainer, tmp_path, attempt=2)[-1].kind is EventKind.SUCCEEDED

    def test_what_is_over_there_is_not_begun_again(self, tmp_path: Path, slow: tuple[FakeProvider, Trainer]) -> None:
        provider, trainer = slow
        self._stopped(tmp_path, trainer, is_cancelled=True)
        (tmp_path / "cancel").unlink()
        assert run(trainer, tmp_path, attempt=2)[-1].data["kind"] == "cancelled_at_provider"
        assert len(provider.begun) == 1

    def _stopped(self, folder: Path, trainer: Trainer, *, is_cancelled: bool) -> list[Event]:
        make_folder(folder, trainer)
        with started(trainer, folder) as child:
            wait_for(folder, child, lambda event: event.kind is EventKind.STEP)
            if is_cancelled:
                (folder / "cancel").touch()
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=60) == 0
        return read(folder)


def forget(folder: Path, *names: str, **values: Any) -> None:
    """Make the folder as if its program had died before it wrote these down."""
    path = folder / "provider.json"
    known = json.loads(path.read_text())
    known |= {name: {} if name == "files" else None for name in names} | values
    path.write_text(json.dumps(known))
    for made in ("result",):
        for file in (folder / made).glob("*"):
            file.unlink()
