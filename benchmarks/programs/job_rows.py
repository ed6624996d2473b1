"""What the programs beside this file share: the rows of a job folder in the order in which our trainer takes them.

Run in the environment `trl`; reads the same `job.json` and rows as our trainer does, through the folder's own copies.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass
class Steps:
    """When each step ended, and its loss."""

    ends: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def add(self, loss: float) -> None:
        """A step has ended now."""
        self.ends.append(time.time())
        self.losses.append(loss)


@dataclass(frozen=True)
class Work:
    """A job folder as a program sees it."""

    folder: Path
    base_folder: Path
    settings: dict[str, Any]
    num_threads: int | None
    rows: list[Any]
    options: argparse.Namespace

    def write(self, steps: Steps) -> None:
        """Tell the benchmark."""
        told = {"ends": steps.ends, "losses": steps.losses}
        (self.folder / "steps.json").write_text(json.dumps(told), encoding="utf-8")


def read_work(*flags: str) -> Work:
    """From the command line: the job folder, and flags of the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    sys.path.insert(0, str(folder / "program"))
    from goldsmith.trainers._rows import DataOrder
    from goldsmith.wire import order, rows

    told = order.read(folder / "job.json")
    learn = rows.read(folder, told.learn)
    placed = DataOrder(
        learn,
        batch_size=told.settings["batch_size"],
        accumulation=told.settings["gradient_accumulation"],
        num_epochs=1,
        seed=told.settings["seed"],
    )
    in_order = [learn[place] for place in placed.of_epoch(0)]
    return Work(folder, Path(told.base_model_folder), told.settings, told.num_threads, in_order, options)
