"""How a stage ended is read from what its program left behind, and success is believed only when it was said."""

from pathlib import Path

import pytest

from goldsmith.jobs.ending import cannot_start, read_ending, tail_of
from goldsmith.jobs.errors import JobKindUnknown
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure, Stage, StageOutcome
from goldsmith.wire.events import EventKind, Writer

LIGHT, HEAVY = Stage("answer"), Stage("train", is_heavy=True)


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    found = JobFolder(tmp_path / "job_1")
    found.attempt(1).mkdir(parents=True)
    found.log(1).write_text("Loaded.\nKilled.\n")
    return found


def job(**more: object) -> Job:
    return Job(id="job_1", attempt=1, **more)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (EventKind.SUCCEEDED, StageOutcome.DONE),
        (EventKind.STOPPED, StageOutcome.STOPPED),
        (EventKind.FAILED, StageOutcome.FAILED),
    ],
)
def test_a_heavy_programs_last_word_counts_whatever_its_exit_code(
    folder: JobFolder, kind: EventKind, outcome: StageOutcome
) -> None:
    Writer(folder.events(1)).append(kind)
    assert [read_ending(job(), HEAVY, folder, code).outcome for code in (0, 1, -9, None)] == [outcome] * 4


def test_what_a_heavy_program_says_about_its_failure_is_kept_with_its_log(folder: JobFolder) -> None:
    Writer(folder.events(1)).append(EventKind.FAILED, kind="disk_full", summary="The disk is full.", hint="Make room.")
    failure = read_ending(job(), HEAVY, folder, 1).failure
    assert failure == JobFailure("disk_full", "The disk is full.", "Make room.", "Loaded.\nKilled.\n")


def test_a_light_programs_outcome_stands_in_the_database(folder: JobFolder) -> None:
    said = {"kind": "impossible", "summary": "It cannot be done.", "hint": "Do something else."}
    ending = read_ending(job(stage_outcome="failed", failure=said), LIGHT, folder, 0)
    assert ending.outcome is StageOutcome.FAILED
    assert (ending.failure.kind, ending.failure.hint) == ("impossible", "Do something else.")
    assert ending.failure.log_tail == "Loaded.\nKilled.\n"


@pytest.mark.parametrize("stage", [LIGHT, HEAVY])
@pytest.mark.parametrize(("code", "words"), [(-9, "killed by signal 9"), (3, "exit code 3"), (None, "was killed")])
def test_a_death_without_a_word_may_be_tried_again(
    folder: JobFolder, stage: Stage, code: int | None, words: str
) -> None:
    ending = read_ending(job(), stage, folder, code)
    assert ending.outcome is None
    assert words in ending.failure.summary


@pytest.mark.parametrize("stage", [LIGHT, HEAVY])
def test_exit_code_0_without_a_word_is_a_failure(folder: JobFolder, stage: Stage) -> None:
    ending = read_ending(job(), stage, folder, 0)
    assert (ending.outcome, ending.failure.kind) == (StageOutcome.FAILED, "no_result")


def test_what_cannot_be_started_says_what_to_do() -> None:
    assert cannot_start(JobKindUnknown("What is that?")).hint == JobKindUnknown.default_hint
    assert cannot_start(OSError("no such file")).hint == "Run: goldsmith doctor"


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 10_000 + "ü end".encode())
    assert tail_of(tmp_path / "log", 6) == "ü end"
    assert tail_of(tmp_path / "log", 5) == "� end"
    assert tail_of(tmp_path / "absent") == ""
