"""What a training leaves: the adapter, the rows that prove it (the probe), a card, and last the manifest."""

import json
import shutil
from collections.abc import Sequence
from typing import Any

from goldsmith.trainers import _whole
from goldsmith.trainers._logprobs import logprobs_row_by_row
from goldsmith.trainers._report import Failure, Job
from goldsmith.trainers._watcher import Watcher
from goldsmith.wire.rows import Row

NUM_PROBE_ROWS = 16
NUM_FINAL_LOSSES = 10


def write_result(
    job: Job, trainer: Any, watcher: Watcher, sides: dict[str, list[Row]], losses: list[float]
) -> dict[str, Any]:
    """Adapter, probe, card, and last the manifest that makes them count."""
    model, totals = trainer.model, watcher.totals
    if not any(bool(weight.any()) for name, weight in model.named_parameters() if "lora_B" in name):
        hint = "Raise the learning rate, or train more steps."
        raise Failure("adapter_changes_nothing", "The trained weights are all zero: the model is as before.", hint)
    shutil.rmtree(job.result, ignore_errors=True)
    good = {side: [row for row in all_rows if not row.is_bad] for side, all_rows in sides.items()}
    probe = [(side, row) for side, all_rows in good.items() for row in all_rows[:NUM_PROBE_ROWS]]
    model.peft_config["default"].base_model_name_or_path = job.order.base_model_name
    model.save_pretrained(job.result, save_embedding_layers=False)
    if _whole.is_packed(job):
        model = _whole.load(job, trainer)
        watcher.score_instead(model, logprobs_row_by_row)
    (job.result / "probe.jsonl").write_text("".join(probe_lines(model, watcher, probe)), encoding="utf-8")
    last = losses[-NUM_FINAL_LOSSES:]
    size_bytes = (job.result / "adapter_model.safetensors").stat().st_size
    figures = {
        "final_loss": sum(last) / len(last),
        "exam_loss": totals.exam_loss,
        "steps": watcher.kept_step,
        "tokens_per_s": round(watcher.tokens_per_s, 1),
        "peak_memory_mb": round(totals.peak_memory_mb, 1),
        "size_mb": round(size_bytes / 1e6, 3),
        "duration_s": round(watcher.duration_s, 1),
    }
    (job.result / "README.md").write_text(model_card(job, figures, sides["learn"]), encoding="utf-8")
    job.finish_result(figures)
    return figures


def probe_lines(model: Any, watcher: Watcher, probe: list[tuple[str, Row]]) -> list[str]:
    """Log-probabilities of the learned tokens, with the adapter and without it: what an engine must show again."""
    chosen = [row for _, row in probe]
    tuned = watcher.score(chosen)
    with model.disable_adapter():
        base = watcher.score(chosen)
    lines = []
    for place, (side, row) in enumerate(probe):
        known = {"row_id": row.row_id, "side": side, "input_ids": row.input_ids, "labels": row.labels}
        scores = {"token_logprobs": tuned[place], "base_token_logprobs": base[place]}
        lines.append(json.dumps({**known, **scores}, allow_nan=False) + "\n")
    return lines


def model_card(job: Job, figures: dict[str, Any], learn: Sequence[Row] = ()) -> str:
    """What this model is, for whoever finds its folder. Of `learn` the bad answers are told apart."""
    order = job.order
    num_bad = sum(row.is_bad for row in learn)
    learned = f"{order.learn.num_rows} rows learned"
    if num_bad:
        learned = f"{len(learn) - num_bad} good and {num_bad} bad answers learned from"
    rows = f"{learned}, {order.exam.num_rows if order.exam else 0} rows held back as an exam"
    numbers = "".join(f"| {name} | {value} |\n" for name, value in figures.items())
    chosen = "".join(f"| {name} | {value} |\n" for name, value in sorted(order.settings.items()))
    return (
        f"---\nbase_model: {json.dumps(order.base_model_name)}\nlibrary_name: peft\n---\n\n# {order.model_name}\n\n"
        f"A LoRA adapter for {order.base_model_name}, made by Goldsmith. {rows}.\n\n"
        f"Id `{order.model_id}`, base `{order.base_model_hash}`, chat template `{order.template_hash}`.\n\n"
        f"| figure | value |\n|---|---|\n{numbers}\n"
        "`final_loss` is the mean of the last ten steps; `exam_loss` is that of rows the model never saw.\n\n"
        f"| setting | value |\n|---|---|\n{chosen}"
    )
