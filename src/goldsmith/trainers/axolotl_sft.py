"""LoRA fine-tuning with Axolotl: `python -m goldsmith.trainers.axolotl_sft --order ../job.json --attempt 1`.

Writes Axolotl's own recipe (`axolotl.yml`) and its rows into the job's folder, has Axolotl read both and put its
trainer around the base model, and checks that it took every row as it is. It is asked to send no statistics. What else
a training is, is that of `trl_sft`: the same rows, order, checkpoints, scores and result.
"""

import json
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

from goldsmith.trainers import trl_sft
from goldsmith.trainers._logprobs import logprobs_row_by_row
from goldsmith.trainers._report import Failure, Job, run
from goldsmith.trainers._rows import DataOrder
from goldsmith.wire.rows import Row

PACKAGES = ("axolotl", *trl_sft.PACKAGES)
QUIET = {"AXOLOTL_DO_NOT_TRACK": "1", "DO_NOT_TRACK": "1", "AXOLOTL_LOG_LEVEL": "WARNING"}
NOT_ON_A_CPU = ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel", "lora_embedding_kernel")
"""Written in Triton, and on unless somebody says no."""


def work(job: Job) -> dict[str, Any]:
    """Train what is left to train and write the result; returns its figures."""
    return trl_sft.train_once(job, trl_sft.Settings, make_trainer)


def make_trainer(job: Job, settings: trl_sft.Settings, learn: list[Row], order: DataOrder) -> Any:
    """Axolotl's trainer around the base model with a fresh adapter, with our rows in our order."""
    stand_in_for_what_is_left_out()
    from axolotl.cli.config import load_cfg
    from axolotl.common.datasets import load_datasets
    from axolotl.train import setup_model_and_trainer
    from transformers import set_seed

    trl_sft.use_threads(job, settings)
    write_rows(job.folder / "axolotl" / "rows.jsonl", learn)
    path = job.folder / "axolotl.yml"
    asked = recipe(job, settings, longest=max(len(row.input_ids) for row in learn), num_steps=order.total_steps)
    path.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")
    chosen = load_cfg(str(path))
    data = load_datasets(cfg=chosen)
    check_rows(data.train_dataset, learn)
    set_seed(settings.seed)  # a fresh adapter is the same one each time
    trainer = setup_model_and_trainer(chosen, data)[0]
    trainer.args.output_dir = str(job.folder / "checkpoints")  # in its own folder Axolotl keeps a log, too
    trainer._get_train_sampler = lambda *_: order
    trainer.learned_logprobs = logprobs_row_by_row
    return trl_sft.with_all_rows(trainer, learn)


def recipe(job: Job, settings: trl_sft.Settings, *, longest: int, num_steps: int) -> dict[str, Any]:
    """Our settings under Axolotl's names, as `axolotl train` reads them. `longest` is the longest row, in tokens.

    The number of steps is said, because Axolotl takes all rounds as one: it would leave the last step out where the
    last batch of a round is not full.
    """
    is_cpu = job.order.device == "cpu"
    dtype = settings.dtype or ("float32" if is_cpu else "bfloat16")
    folder = job.folder / "axolotl"
    return {
        "base_model": str(job.folder / job.order.base_model_folder),
        "trust_remote_code": False,
        "datasets": [{"path": str(folder / "rows.jsonl"), "ds_type": "json", "type": ""}],
        "dataset_prepared_path": str(folder / "prepared"),
        "shuffle_merged_datasets": False,
        "val_set_size": 0,
        "sequence_len": settings.max_length or longest,
        "sample_packing": False,
        "pad_to_sequence_len": False,
        "adapter": "qlora" if settings.load_in_4bit else "lora",
        "load_in_4bit": settings.load_in_4bit,
        "lora_r": settings.lora_rank,
        "lora_alpha": settings.lora_alpha,
        "lora_dropout": settings.lora_dropout,
        **_targets(settings.target_modules),
        **dict.fromkeys(NOT_ON_A_CPU if is_cpu or settings.lora_dropout else (), False),
        **_pace(settings),
        "max_steps": num_steps,
        "bf16": dtype == "bfloat16",
        "fp16": False,
        "tf32": False,
        "use_cpu": is_cpu,
        "flash_attention": False,
        "attn_implementation": "sdpa",
        "gradient_checkpointing": trl_sft.computes_layers_twice(job, settings),
        "dataloader_pin_memory": not is_cpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "output_dir": str(folder / "output"),
        "telemetry": False,
    }


def _pace(settings: trl_sft.Settings) -> dict[str, Any]:
    """How it is learned."""
    return {
        "learning_rate": settings.learning_rate,
        "lr_scheduler": settings.lr_scheduler,
        "warmup_steps": settings.warmup_steps,
        "num_epochs": settings.num_epochs,
        "micro_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.gradient_accumulation,
        "max_grad_norm": settings.max_grad_norm,
        "weight_decay": settings.weight_decay,
        "optimizer": settings.optimizer,
        "seed": settings.seed,
    }


def _targets(modules: str | list[str]) -> dict[str, Any]:
    """Where the adapter is put."""
    return {"lora_target_linear": True} if modules == "all-linear" else {"lora_target_modules": modules}


def write_rows(path: Path, learn: list[Row]) -> None:
    """The rows as Axolotl takes them without touching them: token ids, labels, and which of them are seen (all)."""
    path.parent.mkdir(exist_ok=True)
    lines = (
        {"input_ids": row.input_ids, "attention_mask": [1] * len(row.input_ids), "labels": row.labels} for row in learn
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def check_rows(taken: Any, learn: list[Row]) -> None:
    """Fail unless Axolotl took every row, in our order, as it is: it may drop, sort and cut."""
    for number, row in enumerate(learn):
        here = taken[number] if number < len(taken) else {"input_ids": [], "labels": []}
        if list(here["input_ids"]) != row.input_ids or list(here["labels"]) != row.labels:
            said = f"Axolotl took {len(taken)} of {len(learn)} rows, and row {row.row_id} not as it is."
            hint = "Install the environment again: this is not the Axolotl that was tested."
            raise Failure("rows_dropped", said, hint)


def stand_in_for_what_is_left_out() -> None:
    """Give Axolotl empty modules where it imports what the environment does not have, and nothing here uses.

    Because two packages of Axolotl 0.19 (`axolotl.contribs`) exist as source only, and nothing is built on a user's
    machine: they mend embeddings of new tokens, which no adapter here has. And because it imports `wandb`, a service
    for keeping figures elsewhere, whether or not somebody wants it.
    """
    for name in ("axolotl.contribs", "axolotl.contribs.lgpl", "wandb"):
        sys.modules[name] = module_from_spec(ModuleSpec(name, None))
    sys.modules["axolotl.contribs.lgpl"].fix_untrained_tokens = None  # type: ignore[attr-defined]


if __name__ == "__main__":
    os.environ.update(trl_sft.OFFLINE | QUIET)
    sys.exit(run(work, packages=PACKAGES))
