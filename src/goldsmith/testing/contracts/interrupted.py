"""One training that is disturbed on its way, again and again, and goes on: stopped, killed, a checkpoint spoilt.

The kills come at moments drawn at random. Everything happens to ONE training, because what costs most is each start.
"""

import random
import secrets
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import sleep

import pytest

from goldsmith.testing.contracts.job_folder import Trainer, losses, read, run, started, wait_for
from goldsmith.wire import manifest
from goldsmith.wire.events import Event, EventKind

SEED: int | None = None
"""The moments of the kills. None: others each time, and their seed is printed; with it they come again."""
NUM_KILLS = 3


@dataclass(frozen=True)
class Moment:
    """When a kill comes: so long after this step was told."""

    step: int
    delay_s: float


@dataclass
class Interrupted:
    """A training, and what became of each of its attempts."""

    trainer: Trainer
    folder: Path
    said: list[list[Event]] = field(default_factory=list)
    began_after: list[int] = field(default_factory=list)
    """The step of the newest whole checkpoint when each attempt began; 0 is none."""
    spoilt: int = 0
    """The step of the checkpoint that was changed; 0 is none."""

    @property
    def last(self) -> list[Event]:
        """What the last attempt said."""
        return self.said[-1]

    def stop(self) -> None:
        """Begin, and ask to stop after the first step."""
        with self._begin() as child:
            wait_for(self.folder, child, _is_step(1), len(self.said) + 1)
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=60) == 0
        self._read()

    def kill(self, moment: Moment) -> None:
        """Begin or go on, until it is killed."""
        with self._begin() as child:
            wait_for(self.folder, child, _is_step(moment.step), len(self.said) + 1)
            sleep(moment.delay_s)
            child.kill()
            assert child.wait() == -signal.SIGKILL, "it was over before it was killed"
        self._read()

    def spoil_newest(self) -> None:
        """Change a file of the newest checkpoint."""
        self.spoilt = self.newest()
        folder = self.folder / "checkpoints" / f"step-{self.spoilt}"
        next(path for path in folder.rglob("*") if path.suffix == ".json").write_text("{}")

    def finish(self) -> None:
        """Go on to the end."""
        self.began_after.append(self.newest())
        self.said.append(run(self.trainer, self.folder, len(self.said) + 1))

    def newest(self) -> int:
        """The step of the newest checkpoint that is whole."""
        found = (self.folder / "checkpoints").glob("step-*")
        return max((int(path.name[5:]) for path in found if manifest.read_whole(path) is not None), default=0)

    def assert_as_unbroken(self, unbroken: Sequence[Event], *, abs: float) -> None:  # noqa: A002 - as pytest has it
        """Every step of every attempt has the loss that it has in the unbroken training, and none is left out."""
        whole, told = losses(list(unbroken)), set[int]()
        for number, (said, after) in enumerate(zip(self.said, self.began_after, strict=True), 1):
            found = losses(said)
            assert list(found) == list(range(after + 1, after + 1 + len(found))), f"attempt {number}"
            assert found == pytest.approx({step: whole[step] for step in found}, abs=abs), f"attempt {number}"
            told |= set(found)
        assert told == set(whole)
        assert self.last[-1].kind is EventKind.SUCCEEDED
        for figure in ("steps", "exam_loss"):
            assert self.last[-1].data[figure] == pytest.approx(unbroken[-1].data[figure], abs=abs)

    def _begin(self) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        self.began_after.append(self.newest())
        return started(self.trainer, self.folder, len(self.said) + 1)

    def _read(self) -> None:
        self.said.append(read(self.folder, len(self.said) + 1))


def draw_moments(unbroken: Sequence[Event], steps: Sequence[int]) -> list[Moment]:
    """Moments in the order of their steps, each anywhere in the time that a step of the unbroken training took."""
    seed = secrets.randbits(32) if SEED is None else SEED
    print(f"the moments of the kills have the seed {seed}")  # noqa: T201 - pytest shows it where a test fails
    chance = random.Random(seed)  # noqa: S311 - not a secret
    told_at = [event.at for event in unbroken if event.kind is EventKind.STEP]
    step_s = median(after - before for before, after in pairwise(told_at))
    return [Moment(step, chance.random() * step_s) for step in sorted(chance.sample(steps, NUM_KILLS))]


def _is_step(least: int) -> Callable[[Event], bool]:
    return lambda event: event.kind is EventKind.STEP and event.data["step"] >= least
