"""What the programs beside this file share: rows of a job folder in our trainer's order, its adapter, its threads.

With `--as-they-come` in the order of the file, as somebody without our order would take them. Run in the environment
`trl`; reads the same `job.json` and rows as our trainer does, through the folder's own copies.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AS_THEY_COME = "--as-they-come"
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

    def callback(self) -> Any:
        """For a trainer of transformers: notes each step when its loss is known."""
        from transformers import TrainerCallback

        steps = self

        class Clock(TrainerCallback):  # type: ignore[misc]
            """Notes when each step's loss is known."""

            def on_log(self, *_: Any, logs: dict[str, Any], **__: Any) -> None:
                """One step is over."""
                if "loss" in logs:
                    steps.add(float(logs["loss"]))

        return Clock()


@dataclass(frozen=True)
class Work:
    """A job folder as a program sees it."""

    folder: Path
    base_folder: Path
    settings: dict[str, Any]
    device: str
    rows: list[Any]
    options: argparse.Namespace

    def adapter(self) -> Any:
        """PEFT's configuration of the adapter that our trainer makes."""
        from peft import LoraConfig

        return LoraConfig(
            r=self.settings["lora_rank"],
            lora_alpha=self.settings["lora_alpha"],
            lora_dropout=self.settings["lora_dropout"],
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )

    def write(self, steps: Steps) -> None:
        """Tell the benchmark."""
        told = {"ends": steps.ends, "losses": steps.losses, "memory_mb": self._peak_memory_mb()}
        (self.folder / "steps.json").write_text(json.dumps(told), encoding="utf-8")

    def _peak_memory_mb(self) -> float:
        """As our trainers measure it: of this process on a CPU, of the device on a GPU."""
        from goldsmith.trainers._watcher import peak_memory_mb

        return peak_memory_mb(self.device)


def read_work(*flags: str) -> Work:
    """From the command line: the job folder, and flags of the program. Sets torch's threads first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for flag in (AS_THEY_COME, *flags):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    sys.path.insert(0, str(folder / "program"))
    from goldsmith.trainers._rows import DataOrder
    from goldsmith.wire import order, rows

    told = order.read(folder / "job.json")
    if told.num_threads:
        import torch

        torch.set_num_threads(told.num_threads)
    learn = rows.read(folder, told.learn)
    placed = DataOrder(
        learn,
        batch_size=told.settings["batch_size"],
        accumulation=told.settings["gradient_accumulation"],
        num_epochs=1,
        seed=told.settings["seed"],
    )
    in_order = learn if options.as_they_come else [learn[place] for place in placed.of_epoch(0)]
    return Work(folder, Path(told.base_model_folder), told.settings, told.device, in_order, options)
