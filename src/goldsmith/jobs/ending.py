"""How a stage ended, read from what its program left behind: pure but for reading files. The supervisor calls it."""

from dataclasses import dataclass
from pathlib import Path

from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure, Stage, StageOutcome
from goldsmith.wire import events
from goldsmith.wire.events import Event, EventKind

LOG_TAIL_BYTES = 4000
_OUTCOMES = {
    EventKind.SUCCEEDED: StageOutcome.DONE,
    EventKind.STOPPED: StageOutcome.STOPPED,
    EventKind.FAILED: StageOutcome.FAILED,
}


@dataclass(frozen=True)
class Ending:
    """How a stage ended. `outcome` None: it died without a word, and may be tried again."""

    outcome: StageOutcome | None
    failure: JobFailure


def read_ending(job: Job, stage: Stage, folder: JobFolder, exit_code: int | None) -> Ending:
    """What the stage's program said in the end; else what its exit code says (None: nobody could ask for it)."""
    log_tail = tail_of(folder.log(job.attempt))
    if not stage.is_heavy and job.stage_outcome is not None:
        said = job.failure or {}
        failure = JobFailure(**{**_died(stage, exit_code, log_tail).to_dict(), **said})
        return Ending(StageOutcome(job.stage_outcome), failure)
    last = _last_word(folder.events(job.attempt)) if stage.is_heavy else None
    if last is not None:
        return Ending(_OUTCOMES[last.kind], _failure_of(last, log_tail))
    if exit_code == 0:
        summary = f"The program of the stage {stage.name} ended as if all were well, but made nothing."
        return Ending(StageOutcome.FAILED, JobFailure("no_result", summary, "Look at its log.", log_tail))
    return Ending(None, _died(stage, exit_code, log_tail))


def cannot_start(error: Exception) -> JobFailure:
    """A stage's program could not even be started."""
    hint = getattr(error, "hint", "Run: goldsmith doctor")
    return JobFailure("cannot_start", str(error), hint)


def tail_of(log: Path, num_bytes: int = LOG_TAIL_BYTES) -> str:
    """The end of a log as text; empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - num_bytes))
        return file.read().decode(errors="replace")


def _last_word(path: Path) -> Event | None:
    said = [event for event in events.read(path) if event.kind.is_last]
    return said[-1] if said else None


def _failure_of(event: Event, log_tail: str) -> JobFailure:
    data = event.data
    return JobFailure(
        kind=str(data.get("kind", event.kind.value)),
        summary=str(data.get("summary", "The program said that it cannot go on.")),
        hint=str(data.get("hint", "Look at its log.")),
        log_tail=log_tail,
    )


def _died(stage: Stage, exit_code: int | None, log_tail: str) -> JobFailure:
    how = "was killed" if exit_code is None else f"ended with exit code {exit_code}"
    if exit_code is not None and exit_code < 0:
        how = f"was killed by signal {-exit_code}"
    hint = "It goes on by itself where it was; after three deaths without progress, look at its log."
    return JobFailure("died", f"The program of the stage {stage.name} {how}.", hint, log_tail)
