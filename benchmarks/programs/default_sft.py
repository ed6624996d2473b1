"""TRL's `SFTTrainer` with its own defaults, on the rows of a job folder as they come.

What is compared is set as in the job folder: model, adapter, rows, rows at once, learning rate and seed. All else is
TRL's: gradient checkpointing, padding, loading, float32 weights under bfloat16 autocast. Only on a CPU autocast is off,
because it takes several times as long there, and rows are not shuffled, so that it is known which step had how many
tokens.
"""

from typing import Any

import torch
from job_rows import Steps, read_work

work = read_work()
settings, steps = work.settings, Steps()
if work.num_threads:
    torch.set_num_threads(work.num_threads)

from datasets import Dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from transformers import TrainerCallback  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402


class Clock(TrainerCallback):
    """Notes when each step's loss is known."""

    def on_log(self, *_: Any, logs: dict[str, Any], **__: Any) -> None:
        """One step is over."""
        if "loss" in logs:
            steps.add(float(logs["loss"]))


on_cpu = {"use_cpu": True, "bf16": False} if work.device == "cpu" else {}
SFTTrainer(
    str(work.base_folder),
    SFTConfig(
        output_dir=str(work.folder / "default"),
        max_length=None,
        learning_rate=settings["learning_rate"],
        num_train_epochs=1,
        per_device_train_batch_size=settings["batch_size"],
        train_sampling_strategy="sequential",
        seed=settings["seed"],
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **on_cpu,
    ),
    train_dataset=Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in work.rows]),
    peft_config=LoraConfig(
        r=settings["lora_rank"],
        lora_alpha=settings["lora_alpha"],
        lora_dropout=settings["lora_dropout"],
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    ),
    callbacks=[Clock()],
).train()
work.write(steps)
