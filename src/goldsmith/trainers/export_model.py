"""Takes a fine-tuned model out: `python -m goldsmith.trainers.export_model --order ../job.json --attempt 1`.

Copies the adapter, or adds it to the base model's weights (PEFT's `merge_and_unload`), as a folder or one GGUF file,
then opens what it wrote as anybody would and asks it rows that the model never learned. What both answered stands in
`check.json`; whether that is good is for the parent to say. Weights are safetensors or GGUF; nothing is pickled.
"""

import argparse
import gc
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldsmith.trainers import _gguf, _rounding
from goldsmith.trainers._report import Failure, Report, report_end
from goldsmith.wire import export, manifest
from goldsmith.wire.events import EventKind
from goldsmith.wire.export import Check, CheckedRow, ExportForm, ExportOrder
from goldsmith.wire.rows import NOT_LEARNED

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
NOT_COPIED = ("*.safetensors", "*.safetensors.index.json", "config.json", "README.md", "manifest.json")
"""Of the base model's files: the weights and what describes them are written anew, everything else goes along."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Answered:
    """What a model made of one row."""

    logprobs: list[float]
    token_ids: list[int]


class Steps:
    """Says how far it is; a stop that was asked for is heeded between two steps."""

    TOTAL = 5

    def __init__(self, report: Report) -> None:
        self._report = report
        self._step = 0

    def begin(self, name: str, text: str) -> None:
        """The next one."""
        self._report.phase(name, text, step=0)
        self._report.say(EventKind.STEP, step=self._step, total_steps=self.TOTAL)
        self._step += 1


def work(order: ExportOrder, folder: Path, report: Report) -> dict[str, Any]:
    """Write the model's folder and what it answered; returns a few figures."""
    steps = Steps(report)
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that died
    target = folder / export.MODEL_FOLDER
    target.mkdir(mode=0o700, parents=True)
    rows = choose_rows(Path(order.adapter_folder), order.num_rows)
    steps.begin("loading", "Loading the base model and the adapter")
    model = load_tuned(order, Path(order.adapter_folder))
    steps.begin("asking", f"Asking the adapter {len(rows)} rows")
    before = [answer(model, row, order.max_answer_tokens) for row in rows]
    steps.begin("writing", "Writing the weights")
    dtype = WRITERS[order.form](order, model, rows, target)
    manifest.write(target, model_id=order.model_id, form=order.form.value, dtype=dtype)
    del model
    gc.collect()
    steps.begin("opening", "Opening what was written")
    exported, tokenizer = open_written(order, target)
    steps.begin("checking", f"Asking the export the same {len(rows)} rows")
    after = [answer(exported, row, order.max_answer_tokens) for row in rows]
    check = compare(tokenizer, rows, before, after, dtype=dtype, has_own=order.form is not ExportForm.ADAPTER)
    check.write(folder)
    return {"rows": len(check.rows), "same_answers": check.num_same, "largest_nats": check.largest_nats}


def choose_rows(folder: Path, num_rows: int) -> list[dict[str, Any]]:
    """Exam rows of the model's probe, and learn rows where there are too few."""
    text = (folder / "probe.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return sorted(rows, key=lambda row: row["side"] != "exam")[:num_rows]


def load_tuned(order: ExportOrder, adapter: Path) -> Any:
    """The base model with the adapter beside its weights, in float32: rounding comes once, at the end."""
    from peft import PeftModel

    return PeftModel.from_pretrained(load_whole(Path(order.base_folder)), adapter).eval()


def load_whole(folder: Path) -> Any:
    """A model from its folder, in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )
    return model.eval()


def answer(model: Any, row: dict[str, Any], max_tokens: int) -> Answered:
    """The log-probability of each learned token, and what the model writes by itself, greedily."""
    import torch

    ids = torch.tensor([row["input_ids"]])
    learned = [place for place, label in enumerate(row["labels"]) if label != NOT_LEARNED]
    with torch.no_grad():
        scores = torch.log_softmax(model(input_ids=ids, use_cache=False).logits[0].float(), dim=-1)
        logprobs = [float(scores[place - 1, row["input_ids"][place]]) for place in learned]
        prompt = ids[:, : learned[0]]
        written = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=min(len(learned) + 16, max_tokens),
            do_sample=False,
            eos_token_id=row["input_ids"][learned[-1]],
            pad_token_id=row["input_ids"][learned[-1]],
        )
    return Answered(logprobs, written[0, learned[0] :].tolist())


def open_written(order: ExportOrder, target: Path) -> tuple[Any, Any]:
    """The model and the tokenizer that somebody gets who opens the folder."""
    from transformers import AutoTokenizer

    if order.form is ExportForm.GGUF:
        file = target / _gguf.MODEL_FILE
        return _gguf.load_model(file), _gguf.load_tokenizer(file, _gguf.read_header(file))
    is_whole = order.form is ExportForm.MERGED
    tokenizer = AutoTokenizer.from_pretrained(target if is_whole else order.base_folder, trust_remote_code=False)
    return load_whole(target) if is_whole else load_tuned(order, target), tokenizer


def write_adapter(order: ExportOrder, model: Any, rows: list[dict[str, Any]], target: Path) -> str:
    """The adapter as it was trained; rows that stand in its probe stay at home."""
    del model, rows
    for name in ADAPTER_FILES:
        shutil.copyfile(Path(order.adapter_folder) / name, target / name)
    use = (
        f"It needs its base model, {order.base_model_name}, beside it. With vLLM, BASE being that model's folder:\n\n"
        f"    vllm serve BASE --enable-lora --max-lora-rank {read_rank(target)} --lora-modules tuned=.\n"
    )
    write_card(order, target, "A LoRA adapter", use)
    return dtype_of(target / "adapter_model.safetensors")


def write_merged(order: ExportOrder, model: Any, rows: list[dict[str, Any]], target: Path) -> str:
    """The whole model: base and adapter added up in float32, rounded once; tokenizer and template as they were."""
    import torch

    base = Path(order.base_folder)
    merged = model.merge_and_unload(safe_merge=True)
    dtype = order.dtype or _rounding.narrow_dtype(base, _rounding.largest_number(merged, rows))
    merged = merged.to(getattr(torch, dtype))
    merged.save_pretrained(target)
    for path in base.iterdir():
        if path.is_file() and not any(path.match(pattern) for pattern in NOT_COPIED):
            shutil.copyfile(path, target / path.name)
    use = "It stands alone. With vLLM:\n\n    vllm serve . --served-model-name tuned\n"
    write_card(order, target, f"{order.base_model_name} with what was learned added to its weights ({dtype})", use)
    return dtype


def write_gguf(order: ExportOrder, model: Any, rows: list[dict[str, Any]], target: Path) -> str:
    """The whole model as one file, and what Ollama needs beside it."""
    from transformers import AutoTokenizer

    whole = target.with_name("whole")
    whole.mkdir(mode=0o700)
    dtype = write_merged(order, model, rows, whole)
    _gguf.convert(whole, target / _gguf.MODEL_FILE, Path(order.converter or ""), dtype)
    tokenizer = AutoTokenizer.from_pretrained(whole, trust_remote_code=False)
    config = json.loads((whole / "config.json").read_text(encoding="utf-8"))
    last = [token for token, label in zip(rows[0]["input_ids"], rows[0]["labels"], strict=True) if label != NOT_LEARNED]
    written = _gguf.modelfile(tokenizer, tokenizer.decode(last[-1:]), config.get("max_position_embeddings"))
    (target / _gguf.MODELFILE).write_text(written, encoding="utf-8")
    shutil.rmtree(whole)
    use = (
        "It stands alone. With Ollama, and with llama.cpp:\n\n    ollama create tuned -f Modelfile\n"
        f"    llama-server -m {_gguf.MODEL_FILE}\n"
    )
    write_card(order, target, f"{order.base_model_name} with what was learned, as GGUF ({dtype})", use)
    return dtype


WRITERS = {ExportForm.ADAPTER: write_adapter, ExportForm.MERGED: write_merged, ExportForm.GGUF: write_gguf}


def dtype_of(path: Path) -> str:
    """The type of the weights in a file."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return str(file.get_tensor(next(iter(file.keys()))).dtype).removeprefix("torch.")


def read_rank(folder: Path) -> int:
    """The smallest rank limit with which vLLM takes this adapter."""
    rank = int(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["r"])
    return next((limit for limit in (8, 16, 32, 64, 128, 256, 320, 512) if limit >= rank), rank)


def write_card(order: ExportOrder, target: Path, what: str, use: str) -> None:
    """The README: what this is, the one command, and the card that the training wrote."""
    card = Path(order.adapter_folder) / "README.md"
    written = card.read_text(encoding="utf-8") if card.is_file() else ""
    behind_header = written.split("---\n", 2)[-1].strip() if written.startswith("---\n") else written.strip()
    (target / "README.md").write_text(
        f"---\nbase_model: {json.dumps(order.base_model_name)}\n---\n\n# {order.model_name}\n\n{what}, taken out of "
        f"Goldsmith. {use}\nThe licence of {order.base_model_name} holds for it too. `manifest.json` has the hash of "
        f"every file.\n\n## How it was trained\n\n{behind_header}\n",
        encoding="utf-8",
    )


def compare(
    tokenizer: Any,
    rows: list[dict[str, Any]],
    before: list[Answered],
    after: list[Answered],
    *,
    dtype: str,
    has_own: bool,
) -> Check:
    """Both answers of every row, side by side; `has_own` says whether the tokenizer is the export's."""
    checked = []
    for row, one, other in zip(rows, before, after, strict=True):
        pairs = zip(one.logprobs, other.logprobs, strict=True)
        largest = max((abs(a - b) for a, b in pairs), default=0.0)
        texts = [tokenizer.decode(each.token_ids, skip_special_tokens=False) for each in (one, other)]
        checked.append(CheckedRow(str(row["row_id"]), str(row["side"]), round(largest, 6), *texts))
    has_same = not has_own or all(renders_as(tokenizer, row) for row in rows if row.get("messages"))
    return Check(dtype, has_same, tuple(checked))


def renders_as(tokenizer: Any, row: dict[str, Any]) -> bool:
    """Whether the export's template and tokenizer make the prompt that was learned from."""
    learned = [place for place, label in enumerate(row["labels"]) if label != NOT_LEARNED]
    ids = tokenizer.apply_chat_template(row["messages"], add_generation_prompt=True, return_dict=False)
    return list(ids) == row["input_ids"][: learned[0]]


def main() -> int:
    """Read the command line, do the work, report its end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--order", type=Path, required=True, help="job.json; its folder is the job folder")
    parser.add_argument("--attempt", type=int, default=1)
    arguments = parser.parse_args()
    path = arguments.order.resolve()
    report = Report(path.parent / "attempts" / str(arguments.attempt) / "events.jsonl")

    def start() -> dict[str, Any]:
        try:
            order = export.read_order(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            hint = "Ask for the export again; if it fails again, Goldsmith and the job are of different versions."
            raise Failure("bad_order", f"The order cannot be read: {error}", hint) from error
        report.say(EventKind.STARTED, pid=os.getpid())
        if order.num_threads:
            import torch

            torch.set_num_threads(order.num_threads)
        return work(order, path.parent / "result", report)

    return report_end(report, start)


if __name__ == "__main__":
    os.environ.update(OFFLINE)
    sys.exit(main())
