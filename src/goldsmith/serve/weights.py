"""Reads safetensors files with care and without torch: names, shapes, and whether anything in them is not zero.

Knows the file format and PEFT's names, and nothing of engines. Called by the receipt, and by the fake engine.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldsmith.models import safetensors_header
from goldsmith.models.errors import ModelRefused
from goldsmith.serve.errors import WeightsUnreadable

_PEFT_PREFIX = "base_model.model."
_SUFFIXES = (".lora_A.weight", ".lora_B.weight", ".lora_embedding_A", ".lora_embedding_B")
# Widths by dtype; only floating-point weights are ours to judge.
_WIDTH_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}


@dataclass(frozen=True)
class Tensor:
    """One entry of a safetensors header: where its bytes lie, counted from the beginning of the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_header(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name. Raises WeightsUnreadable when it is not a whole safetensors file."""
    try:
        safetensors_header.read_header(path)
    except (OSError, ModelRefused) as error:
        raise WeightsUnreadable(f"The adapter's weights cannot be read: {error}") from error
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return {name: _tensor(name, entry, 8 + length) for name, entry in header.items() if name != "__metadata__"}


def _tensor(name: str, entry: Mapping[str, Any], start: int) -> Tensor:
    begin, end = entry["data_offsets"]
    return Tensor(name, str(entry["dtype"]), tuple(entry["shape"]), start + int(begin), start + int(end))


def is_all_zero(path: Path, tensors: Iterable[Tensor]) -> bool:
    """Whether every number of these tensors is zero (minus zero counts as zero)."""
    import numpy as np

    with path.open("rb") as file:
        for tensor in tensors:
            file.seek(tensor.begin)
            content = np.frombuffer(file.read(tensor.end - tensor.begin), dtype=np.uint8)
            width = _WIDTH_BYTES.get(tensor.dtype, 1)
            numbers = content[: len(content) // width * width].reshape(-1, width)
            if numbers[:, :-1].any() or (numbers[:, -1] & 0x7F).any():  # little-endian: the sign is in the last byte
                return False
    return True


def second_halves(tensors: Mapping[str, Tensor]) -> list[Tensor]:
    """The B matrices of an adapter: zero before the training, and the adapter does nothing while they are."""
    return [tensor for name, tensor in tensors.items() if ".lora_B" in name or ".lora_embedding_B" in name]


def rank_of(tensors: Mapping[str, Tensor]) -> int | None:
    """The largest rank of an adapter's A matrices."""
    return max((tensor.shape[0] for name, tensor in tensors.items() if ".lora_A" in name), default=None)


def module_of(name: str) -> str | None:
    """The base model's weight that an adapter's weight changes; None when the name does not follow PEFT's rule."""
    for suffix in _SUFFIXES:
        if name.startswith(_PEFT_PREFIX) and name.endswith(suffix):
            return f"{name.removeprefix(_PEFT_PREFIX).removesuffix(suffix)}.weight"
    return None


def names_of_folder(folder: Path) -> set[str]:
    """The names of all weights in a model's folder."""
    names: set[str] = set()
    for path in sorted(folder.glob("*.safetensors")):
        names.update(safetensors_header.read_header(path).tensor_names)
    return names


def strangers(tensors: Mapping[str, Tensor], base_names: set[str]) -> list[str]:
    """The adapter's weights that change nothing in this base model, because it has no weight of that name."""
    found = []
    for name in tensors:
        module = module_of(name)
        if module is None or (module not in base_names and not _is_tied_head(module, base_names)):
            found.append(name)
    return sorted(found)


def _is_tied_head(module: str, base_names: set[str]) -> bool:
    return module == "lm_head.weight" and "model.embed_tokens.weight" in base_names
