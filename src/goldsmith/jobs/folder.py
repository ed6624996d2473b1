"""The layout of a job folder; nobody else joins these paths.

job.json              what the heavy child is told
program/goldsmith/    copies of wire/ and trainers/, so that the folder can be rerun by hand
data/                 what it reads
checkpoints/          step-N/, each counts only with its manifest.json
attempts/N/           events.jsonl, log, and STAGE.pid of every process that was started
scores.json           how well the models of its steps did on the exam
keep                  there when the program is to end now and keep the best
cancel                there when what is stopped is stopped for good
provider.json         what was begun at a provider, and whether it is over there; provider.lock: one program at a time
result/               what it made, complete only with manifest.json
README.md             the one command
"""

from dataclasses import dataclass
from pathlib import Path

from goldsmith.storage.files import Home


@dataclass(frozen=True)
class JobFolder:
    """The folder of one job."""

    root: Path

    @classmethod
    def of(cls, home: Home, job_id: str) -> "JobFolder":
        """Where the job with this id has its files."""
        return cls(home.jobs / job_id)

    @property
    def home_root(self) -> Path:
        """The home folder that it lies in."""
        return self.root.parents[1]

    @property
    def order(self) -> Path:
        """What the child is told."""
        return self.root / "job.json"

    @property
    def program(self) -> Path:
        """Where the child is started: its imports are those of the copy."""
        return self.root / "program"

    @property
    def data(self) -> Path:
        """What the child reads."""
        return self.root / "data"

    @property
    def checkpoints(self) -> Path:
        """Where a stopped training goes on from."""
        return self.root / "checkpoints"

    @property
    def result(self) -> Path:
        """What the child made."""
        return self.root / "result"

    @property
    def keep(self) -> Path:
        """There when the child is to end now and keep the best of what it has."""
        return self.root / "keep"

    @property
    def cancel(self) -> Path:
        """There when the child is stopped for good, so that it ends what it has begun elsewhere too."""
        return self.root / "cancel"

    @property
    def provider(self) -> Path:
        """What the child has begun at a provider."""
        return self.root / "provider.json"

    @property
    def readme(self) -> Path:
        """How to run it by hand."""
        return self.root / "README.md"

    def attempt(self, number: int) -> Path:
        """The files of one attempt."""
        return self.root / "attempts" / str(number)

    def events(self, attempt: int) -> Path:
        """What the child reported."""
        return self.attempt(attempt) / "events.jsonl"

    def log(self, attempt: int) -> Path:
        """Everything that the attempt's programs printed."""
        return self.attempt(attempt) / "log"

    def pid_file(self, attempt: int, stage: str) -> Path:
        """Written by the started process itself, before its program begins."""
        return self.attempt(attempt) / f"{stage}.pid"
