"""LoRA fine-tuning with TRL and PEFT: `python -m goldsmith.trainers.trl_sft --order ../job.json --attempt 1`.

Learns exactly the token ids and labels of the job folder; nothing is tokenised again, no template applied, no row left
out. Saves whole checkpoints, goes on from the newest, stops when asked, and ends with an adapter and its probe.
"""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from goldsmith.trainers._report import Failure, Job, Report, run
from goldsmith.trainers._result import write_result
from goldsmith.trainers._rows import DataOrder, read_rows
from goldsmith.trainers._watcher import Pace, Watcher
from goldsmith.wire.rows import Row

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate")
TESTED_TRL = "1.16.0"
Chosen = TypeVar("Chosen", bound="Settings")
AS_THEY_ARE = {"dataset_kwargs": {"skip_prepare_dataset": True}}
"""Rows are tokens already."""
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Settings:
    """Everything that can be set in job.json; a name that is not here is refused."""

    lora_rank: int = 8
    lora_alpha: float = 16
    lora_dropout: float = 0.0
    target_modules: str | list[str] = "all-linear"
    learning_rate: float = 5e-4
    lr_scheduler: str = "linear"  # falls to 0; any name that transformers knows
    warmup_steps: int = 0
    num_epochs: int = 2
    batch_size: int = 8  # rows at once
    gradient_accumulation: int = 1  # batches a step
    max_grad_norm: float = 1.0
    weight_decay: float = 0.0
    optimizer: str = "adamw_torch"
    seed: int = 0
    max_length: int | None = None  # tokens; rows are cut before they come here, a longer one is refused
    save_every_steps: int = 20  # and at the end of each epoch
    evaluate_every_steps: int = 0  # and at the end of each epoch; before the first step where that is cheap
    patience: int = 0  # exam scores in a row without progress that end the training; the best checkpoint is kept
    dtype: str | None = None  # null: float32 on a CPU, bfloat16 on a GPU
    gradient_checkpointing: str = "auto"  # on a GPU, not on a CPU; or: on, off
    num_threads: int | None = None  # null: as the order says, else as torch chooses
    group_by_length: bool = True  # rows of similar length share a batch, so less is padded
    padding_free: bool = False  # sft: a batch is one long row in which each row sees itself alone
    load_in_4bit: bool = False  # the base model as QLoRA has it
    method: str = "sft"  # or dpo, whose program is trl_dpo, or kto, whose program is trl_kto
    beta: float = 0.1  # dpo, kto: how strongly the adapter is held near the base model
    good_answer_weight: float = 1.0  # dpo: of the loss on the good answer, beside that of the pair
    bad_answers_weight: float = 1.0  # kto: of all bad answers together, beside all good ones
    lean_output_layer: bool = True  # on a CPU project only what is learned, as TRL itself does on a GPU


def work(job: Job) -> dict[str, Any]:
    """Train what is left to train and write the result; returns its figures."""
    return train_once(job, Settings, make_trainer)


def train_once(
    job: Job, known: type[Chosen], make: Callable[[Job, Chosen, list[Row], DataOrder], Any]
) -> dict[str, Any]:
    """The result's figures: those that stand there already, else those of what is left to train.

    `known` are the settings that the program knows, `make` puts its trainer around the base model.
    """
    finished = job.finished_figures()
    if finished is not None:
        return finished
    settings = read_settings(job, known)
    return train(job, settings, partial(make, job, settings))


def read_settings(job: Job, known: type[Chosen]) -> Chosen:
    """The order's settings, as the program knows them. A name that is not known is a Failure."""
    try:
        return known(**job.order.settings)
    except TypeError as error:
        raise Failure("bad_settings", f"A setting is not known: {error}", "Remove it and start again.") from error


def train(job: Job, settings: Settings, make: Callable[[list[Row], DataOrder], Any]) -> dict[str, Any]:
    """All steps that are left, with the trainer that `make` puts around the base model; the result's figures."""
    learn, exam = read_rows(job, settings.max_length)
    for left_over in (job.folder / "checkpoints").glob("checkpoint-*"):
        shutil.rmtree(left_over)
    checkpoint, step = job.newest_checkpoint() or (None, 0)
    job.report.phase("loading", "Loading the libraries and the base model", step=step)
    order = order_rows(learn, settings)
    trainer = make(learn, order)
    watcher = watch(job, settings, trainer, order, exam)
    job.report.phase("training", "Training", step=step)
    if checkpoint is not None:
        watcher.go_on_from(checkpoint)
        job.report.log(f"Goes on after step {step} of {order.total_steps}.")
    elif watcher.is_exam_cheap:
        watcher.evaluate(step=0)
    if checkpoint is None or not watcher.ends_early:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    losses = watcher.end()
    return write_result(job, trainer, watcher, {"learn": learn, "exam": exam}, losses)


def order_rows(learn: list[Row], settings: Settings) -> DataOrder:
    """The order of the rows in all epochs."""
    order = DataOrder(
        learn,
        batch_size=settings.batch_size,
        accumulation=settings.gradient_accumulation,
        num_epochs=settings.num_epochs,
        seed=settings.seed,
    )
    order.group_by_length = settings.group_by_length
    return order


def make_trainer(job: Job, settings: Settings, learn: list[Row], order: DataOrder) -> Any:
    """TRL's trainer around the base model, with our rows, our order and a fresh adapter."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    trainer = in_our_order(SFTTrainer, order)
    rows = Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in learn])
    own = {**AS_THEY_ARE, "padding_free": settings.padding_free and settings.batch_size > 1}
    made = with_all_rows(trainer(**parts(job, settings, SFTConfig, own), train_dataset=rows), learn)
    made.score_collator = DataCollatorForLanguageModeling(made.processing_class.pad_token_id)  # row by row
    return made


def in_our_order(trainer: Any, order: DataOrder) -> Any:
    """The class of TRL's trainer, taking the rows in this order and writing no card of its own."""

    class Trainer(trainer):
        def _get_train_sampler(self, *_: Any) -> Any:
            return order

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """Ours comes at the end."""

    return Trainer


def parts(job: Job, settings: Settings, config: Callable[..., Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Base model, tokenizer, adapter and arguments, under the names by which every trainer of TRL takes them.

    `own` are arguments that only this trainer's `config` knows.
    """
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer

    is_cpu = job.order.device == "cpu"
    use_threads(job, settings)
    if is_cpu and settings.lean_output_layer:
        project_learned_positions_only(job.report)
    folder = job.folder / job.order.base_model_folder
    dtype = settings.dtype or ("float32" if is_cpu else "bfloat16")
    lora = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=settings.target_modules,
        task_type="CAUSAL_LM",
    )
    packed = {"quantization_config": in_4bit(dtype)} if settings.load_in_4bit else {}
    return {
        "model": AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, **packed
        ),
        "processing_class": AutoTokenizer.from_pretrained(folder, trust_remote_code=False),
        "peft_config": lora,
        "args": config(**trainer_arguments(job, settings, is_bf16=dtype == "bfloat16"), **own),
    }


def in_4bit(dtype: str) -> Any:
    """How QLoRA packs a base model: NormalFloat numbers whose scales are packed, too (Dettmers et al. 2023)."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, dtype),
    )


def use_threads(job: Job, settings: Settings) -> None:
    """As many as the settings say, else the order, else as torch chooses."""
    import torch

    num_threads = settings.num_threads or job.order.num_threads
    if num_threads:
        torch.set_num_threads(num_threads)


def with_all_rows(trainer: Any, learn: list[Row]) -> Any:
    """The trainer, quiet, and checked to have kept every row."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    if len(trainer.train_dataset) != len(learn):
        said = f"TRL kept {len(trainer.train_dataset)} of {len(learn)} rows."
        raise Failure("rows_dropped", said, "Install the environment again: this is not the TRL that was tested.")
    return trainer


def computes_layers_twice(job: Job, settings: Settings) -> bool:
    """Whether layers are not kept for the way back (gradient checkpointing)."""
    chosen = settings.gradient_checkpointing
    return job.order.device != "cpu" if chosen == "auto" else chosen == "on"


def trainer_arguments(job: Job, settings: Settings, *, is_bf16: bool) -> dict[str, Any]:
    """Our settings under the names of TRL; saving, scoring and logging are the watcher's."""
    is_cpu = job.order.device == "cpu"
    return {
        "output_dir": str(job.folder / "checkpoints"),
        "max_length": None,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.lr_scheduler,
        "warmup_steps": settings.warmup_steps,
        "num_train_epochs": settings.num_epochs,
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.gradient_accumulation,
        "max_grad_norm": settings.max_grad_norm,
        "weight_decay": settings.weight_decay,
        "optim": settings.optimizer,
        "seed": settings.seed,
        "bf16": is_bf16,
        "use_cpu": is_cpu,
        "gradient_checkpointing": computes_layers_twice(job, settings),
        "dataloader_pin_memory": not is_cpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def project_learned_positions_only(report: Report) -> None:
    """Make TRL's output layer skip, on a CPU too, the positions where nothing is learned.

    TRL asks one function whether to do so; it says yes on a GPU only, because other devices may compile for each
    shape. A CPU does not, and the prompt's share of the widest layer is most of the work.
    """
    import trl
    from trl.trainer import utils

    if trl.__version__ != TESTED_TRL or not hasattr(utils, "_use_triton"):
        report.log(f"TRL {trl.__version__} is not {TESTED_TRL}: training works, but slower than it could.", "warning")
        return
    utils._use_triton = lambda _device: True


def watch(job: Job, settings: Settings, trainer: Any, order: DataOrder, exam: list[Row]) -> Watcher:
    """Have a watcher called by the trainer."""
    from transformers import TrainerCallback

    class TrainerWatcher(Watcher, TrainerCallback):
        """The same watcher, with empty answers to the calls that it does not know."""

    pace = Pace(settings.save_every_steps, settings.evaluate_every_steps, settings.batch_size, settings.patience)
    watcher = TrainerWatcher(job, trainer, order, exam, pace)
    trainer.add_callback(watcher)
    return watcher


if __name__ == "__main__":
    os.environ.update(OFFLINE)
    sys.exit(run(work, packages=PACKAGES))
