"""What the program that watches a provider does with refusals and with what it finds there.

What every training at a provider promises, crashes above all, stands in `tests/contract/training_at_provider.py`.
"""

import json
from pathlib import Path

import pytest
from tests.contract.training_at_provider import JOBS

from goldsmith.testing import FakeProvider, Fault
from goldsmith.testing.contracts.job_folder import Trainer, make_folder, run

pytestmark = pytest.mark.enable_socket
CLOSED = {
    "error": {
        "message": "The fine-tuning platform is no longer accessible to new users.",
        "type": "invalid_request_error",
        "param": None,
        "code": "permission_denied",
    }
}


def test_a_provider_that_does_not_train_any_more_is_told_with_what_to_do(
    there: FakeProvider, trainer: Trainer, tmp_path: Path
) -> None:
    there.faults.append(Fault("POST", JOBS, 403, CLOSED))
    last = run(trainer, make_folder(tmp_path / "job", trainer))[-1]
    assert last.data["kind"] == "provider_closed"
    assert "backend trl" in last.data["hint"]
    assert there.begun == []


def test_what_failed_there_fails_here_with_the_providers_words(
    there: FakeProvider, trainer: Trainer, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "job", trainer)
    there.faults.append(Fault("POST", JOBS, 400, {"error": {"message": "no"}}))
    run(trainer, folder)
    there.files["file-9"] = ("x", b"")
    there.answer(
        "POST",
        JOBS,
        {},
        json.dumps({"training_file": "file-9", "model": "m", "metadata": {"goldsmith_job": "job_1"}}).encode(),
    )
    there.begun[0].update(status="failed", error={"message": "The rows break the rules."})
    last = run(trainer, folder, attempt=2)[-1]
    assert last.data["kind"] == "failed_at_provider"
    assert "The rows break the rules." in last.data["summary"]
    assert len(there.begun) == 1


def test_without_exam_rows_no_file_is_sent_for_them(there: FakeProvider, trainer: Trainer, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "job", trainer)
    order = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps({**order, "exam": None}))
    found = run(trainer, folder)
    assert found[-1].data["exam_loss"] is None
    assert len(there.files) == 1
    assert "validation_file" not in there.begun[0]
