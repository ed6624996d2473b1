"""TRL's `SFTTrainer` as it comes, with the settings, rows and order of a job folder."""

import torch
from job_rows import Steps, read_work

work = read_work()
settings, steps = work.settings, Steps()

from datasets import Dataset  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402

SFTTrainer(
    AutoModelForCausalLM.from_pretrained(work.base_folder, dtype=torch.float32),
    SFTConfig(
        output_dir=str(work.folder / "plain"),
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        learning_rate=settings["learning_rate"],
        lr_scheduler_type="linear",
        num_train_epochs=1,
        per_device_train_batch_size=settings["batch_size"],
        train_sampling_strategy="sequential",
        max_grad_norm=1.0,
        weight_decay=settings["weight_decay"],
        optim="adamw_torch",
        seed=settings["seed"],
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        dataloader_pin_memory=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    ),
    train_dataset=Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in work.rows]),
    processing_class=AutoTokenizer.from_pretrained(work.base_folder),
    peft_config=work.adapter(),
    callbacks=[steps.callback()],
).train()
work.write(steps)
