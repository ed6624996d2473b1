"""LoRA fine-tuning with Unsloth: `python -m goldsmith.trainers.unsloth_sft --order ../job.json --attempt 1`.

Unsloth replaces parts of transformers and TRL when it is imported, so it is imported before them, and writes the code
that it makes for them into the job's folder. It is asked to send no statistics. What else a training is, is that of
`trl_sft`: the same rows, order, checkpoints, scores and result.
"""

import os
import sys
from typing import Any

from goldsmith.trainers import trl_sft
from goldsmith.trainers._report import Job, run
from goldsmith.trainers._rows import DataOrder
from goldsmith.wire.rows import Row

PACKAGES = ("unsloth", "unsloth_zoo", *trl_sft.PACKAGES)
QUIET = {"UNSLOTH_DISABLE_STATISTICS": "1", "DO_NOT_TRACK": "1"}


def work(job: Job) -> dict[str, Any]:
    """Train what is left to train and write the result; returns its figures."""
    os.environ["UNSLOTH_COMPILE_LOCATION"] = str(job.folder / "unsloth")
    if job.order.device == "cpu":
        os.environ["UNSLOTH_FORCE_CPU"] = "1"
    return trl_sft.train_once(job, trl_sft.Settings, make_trainer)


def make_trainer(job: Job, settings: trl_sft.Settings, learn: list[Row], order: DataOrder) -> Any:
    """TRL's trainer, as Unsloth changes it, around the base model, with our rows, our order and a fresh adapter."""
    from unsloth import FastLanguageModel  # isort: skip - before what it changes
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    trl_sft.use_threads(job, settings)
    is_cpu = job.order.device == "cpu"
    dtype = settings.dtype or ("float32" if is_cpu else "bfloat16")
    model, tokenizer = load(job, settings, FastLanguageModel, dtype, longest=max(len(row.input_ids) for row in learn))
    arguments = trl_sft.trainer_arguments(job, settings, is_bf16=dtype == "bfloat16")
    arguments["gradient_checkpointing"] = False  # Unsloth's own is part of the model
    trainer = trl_sft.in_our_order(SFTTrainer, order)(
        model=model,
        processing_class=tokenizer,
        args=SFTConfig(**arguments, **trl_sft.AS_THEY_ARE),
        train_dataset=Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in learn]),
    )
    return trl_sft.with_all_rows(trainer, learn)


def load(job: Job, settings: trl_sft.Settings, fast: Any, dtype: str, *, longest: int) -> tuple[Any, Any]:
    """The base model with a fresh adapter, and its tokenizer. `longest` is the longest row, in tokens."""
    import torch

    model, tokenizer = fast.from_pretrained(
        str(job.folder / job.order.base_model_folder),
        max_seq_length=settings.max_length or longest,
        dtype=getattr(torch, dtype),
        load_in_4bit=settings.load_in_4bit,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
    )
    adapted = fast.get_peft_model(
        model,
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=settings.target_modules,
        use_gradient_checkpointing="unsloth" if trl_sft.computes_layers_twice(job, settings) else False,
        random_state=settings.seed,
    )
    return adapted, tokenizer


if __name__ == "__main__":
    os.environ.update(trl_sft.OFFLINE | QUIET)
    sys.exit(run(work, packages=PACKAGES))
