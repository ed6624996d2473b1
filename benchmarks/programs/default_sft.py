"""TRL's `SFTTrainer` with its own defaults, on the rows of a job folder as they come.

What is compared is set as in the job folder: model, adapter, rows, rows at once, learning rate and seed. All else is
TRL's: gradient checkpointing, padding, loading, float32 weights under bfloat16 autocast. Only on a CPU autocast is off,
because it takes several times as long there, and rows are not shuffled, so that it is known which step had how many
tokens.
"""

from job_rows import Steps, read_work

work = read_work()
settings, steps = work.settings, Steps()

from datasets import Dataset  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402

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
    peft_config=work.adapter(),
    callbacks=[steps.callback()],
).train()
work.write(steps)
