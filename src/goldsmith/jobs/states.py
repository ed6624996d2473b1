"""The states of a job and the moves between them. `queue.move` is the only place that makes one."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands. Only `succeeded` is for ever; back to `queued` means a new attempt of the same job."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def meaning(self) -> str:
        """One line for people."""
        return MEANINGS[self]

    @property
    def is_final(self) -> bool:
        """Whether it can never change again."""
        return not TRANSITIONS[self]

    @property
    def is_active(self) -> bool:
        """Whether a child may be at work, and a slot held."""
        return self in (JobState.STARTING, JobState.RUNNING)

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more unless somebody asks for it."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.PAUSED)


MEANINGS: dict[JobState, str] = {
    JobState.QUEUED: "waits for its turn",
    JobState.STARTING: "was claimed; its first program is being started",
    JobState.RUNNING: "a program is at work on it",
    JobState.PAUSED: "stopped by a person; goes on where it was",
    JobState.SUCCEEDED: "finished, and what it made is complete",
    JobState.FAILED: "cannot go on; says why and what to do",
    JobState.CANCELLED: "stopped for good by a person; can be queued again",
}

TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.STARTING, JobState.CANCELLED}),
    JobState.STARTING: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED}),
    JobState.RUNNING: frozenset(
        {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.PAUSED, JobState.QUEUED}
    ),
    JobState.PAUSED: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
    JobState.SUCCEEDED: frozenset(),
}

ACTIVE = (JobState.STARTING, JobState.RUNNING)
