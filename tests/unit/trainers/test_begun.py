"""One job there for one training here, as far as one crash or one refusal decides it; the rest is in the contract."""

import fcntl
import time
from pathlib import Path

import pytest
from tests.contract.training_at_provider import JOBS, forget

from goldsmith.testing import FakeProvider, Fault
from goldsmith.testing.contracts.job_folder import Trainer, make_folder, run, started, wait_for
from goldsmith.wire.events import EventKind

pytestmark = pytest.mark.enable_socket


def test_after_a_clear_refusal_it_may_be_asked_for_once_more(
    there: FakeProvider, trainer: Trainer, tmp_path: Path
) -> None:
    there.lists_jobs = False
    there.faults.append(Fault("POST", JOBS, 400, {"error": {"message": "at least 10 examples are needed"}}))
    folder = make_folder(tmp_path / "job", trainer)
    assert run(trainer, folder)[-1].data["kind"] == "refused"
    assert run(trainer, folder, attempt=2)[-1].kind is EventKind.SUCCEEDED
    assert len(there.begun) == 1


def test_a_rate_limit_on_the_beginning_is_waited_out(there: FakeProvider, trainer: Trainer, tmp_path: Path) -> None:
    there.faults.append(Fault("POST", JOBS, 429, {"error": {"message": "slow down"}}, {"Retry-After": "1"}))
    assert run(trainer, make_folder(tmp_path / "job", trainer))[-1].kind is EventKind.SUCCEEDED
    first, second = (when for method, path, when in there.asked if (method, path) == ("POST", JOBS))
    assert second - first >= 1
    assert len(there.begun) == 1


def test_files_that_were_sent_before_a_death_are_found_by_their_name(
    there: FakeProvider, trainer: Trainer, tmp_path: Path
) -> None:
    there.faults.append(Fault("POST", JOBS, 400, {"error": {"message": "no"}}))
    folder = make_folder(tmp_path / "job", trainer)
    run(trainer, folder)
    forget(folder, "files")
    run(trainer, folder, attempt=2)
    assert [name for name, _ in there.files.values()] == [
        "goldsmith-job_1-learn.jsonl",
        "goldsmith-job_1-exam.jsonl",
    ]


def test_a_provider_that_keeps_no_metadata_is_known_by_the_file(
    there: FakeProvider, trainer: Trainer, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "job", trainer)
    run(trainer, folder)
    there.begun[0]["metadata"] = None
    forget(folder, "job", "files", is_begun=False)
    assert run(trainer, folder, attempt=2)[-1].kind is EventKind.SUCCEEDED
    assert len(there.begun) == 1


def test_two_programs_of_one_job_do_not_work_at_once(there: FakeProvider, trainer: Trainer, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "job", trainer)
    with (folder / "provider.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with started(trainer, folder) as child:
            wait_for(folder, child, lambda event: event.kind is EventKind.STARTED)
            time.sleep(1)
            assert there.asked == []
            lock.close()
            assert child.wait(timeout=60) == 0
    assert len(there.begun) == 1
