"""GGUF in, a folder of safetensors out: `python -m goldsmith.trainers.convert_gguf --source FILE.gguf --target FOLDER`.

Trainers and vLLM want a model folder; some models are only at hand as one GGUF file. The weights are unpacked to
bfloat16. The folder is written beside its place and renamed at the end, so a folder that exists is whole. Needs
torch, transformers and gguf; reads local files only. Exit code 0, or 1 with one sentence on stderr.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from goldsmith.trainers import _gguf
from goldsmith.wire import events
from goldsmith.wire.events import EventKind

os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported; nothing here may ask a network


class CannotConvert(Exception):
    """The file is not one that this program can convert; the text says why and what to do."""


def main() -> int:
    """Convert, and say in one sentence how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="the .gguf file")
    parser.add_argument("--target", type=Path, required=True, help="the folder to write; must not exist")
    parser.add_argument("--events", type=Path, help="where to report to the parent; without it only words are printed")
    arguments = parser.parse_args()
    try:
        convert(arguments.source.resolve(), arguments.target.resolve())
    except (CannotConvert, OSError, ValueError, KeyError) as error:
        summary = f"Could not convert {arguments.source.name}: {error}"
        print(summary, file=sys.stderr)
        hint = "Take another GGUF file, or the model's safetensors folder."
        _report(arguments.events, EventKind.FAILED, kind="not_convertible", summary=summary, hint=hint)
        return 1
    print(f"Wrote {arguments.target}")
    _report(arguments.events, EventKind.SUCCEEDED)
    return 0


def _report(path: Path | None, kind: EventKind, /, **data: str) -> None:
    if path is not None:
        events.Writer(path).append(kind, **data)


def convert(source: Path, target: Path) -> None:
    """Write the model of `source` to `target`, whole or not at all."""
    if not source.is_file():
        raise CannotConvert("the file is not there. Check the path after --source.")
    if target.exists():
        raise CannotConvert(f"{target} exists already. Remove it or choose another folder.")
    partial = target.with_name(target.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)  # left by a conversion that was killed
    partial.mkdir(parents=True)
    header = _gguf.read_header(source)
    write_tokenizer(source, header, partial)
    write_model(source, partial)
    flush_folder(partial)
    partial.rename(target)


def write_tokenizer(source: Path, header: dict[str, Any], folder: Path) -> None:
    """tokenizer.json, tokenizer_config.json and the chat template."""
    tokenizer = _gguf.load_tokenizer(source, header)
    if "context_length" in header:
        tokenizer.model_max_length = int(header["context_length"])
    tokenizer.save_pretrained(folder)


def write_model(source: Path, folder: Path) -> None:
    """config.json, generation_config.json and model.safetensors in bfloat16.

    A model that was loaded from GGUF refuses to be saved, because it calls itself quantised although its weights are
    unpacked. So a fresh model of the same shape takes over the weights.
    """
    import torch
    from transformers import AutoModelForCausalLM

    unpacked = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    config = unpacked.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    fresh = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    fresh.load_state_dict(unpacked.state_dict())
    fresh.tie_weights()
    fresh.save_pretrained(folder)


def flush_folder(folder: Path) -> None:
    """Have every file on disk before the folder gets its name."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


if __name__ == "__main__":
    sys.exit(main())
