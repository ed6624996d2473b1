"""To which 16 bits the weights of a whole model are rounded. Used by `export_model`."""

import json
import math
from pathlib import Path
from typing import Any

LARGEST_FLOAT16 = 65_504.0
ROOM_IN_FLOAT16 = 2
"""Some models carry one huge number along, nearly the same for every text: 25,088 in SmolLM2-135M's middle layers."""


def narrow_dtype(base: Path, largest: float) -> str:
    """The 16 bits that lose least: float16 rounds eight times finer, and bfloat16 holds every number.

    `largest` is of a few rows and no bound for others, so float16 must have room for twice as much, unless the base
    model's weights are of that type themselves.
    """
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    is_own = str(config.get("dtype") or config.get("torch_dtype")) == "float16"
    return "float16" if is_own or largest * ROOM_IN_FLOAT16 <= LARGEST_FLOAT16 else "bfloat16"


def largest_number(model: Any, rows: list[dict[str, Any]]) -> float:
    """The largest absolute value of the weights and of what goes in and out of each layer; infinite if one is none."""
    import torch

    found = [float(weight.abs().max()) for weight in model.parameters()]

    def note(_layer: Any, given: Any, made: Any) -> None:
        parts = (*given, *(made if isinstance(made, tuple) else (made,)))
        numbers = [part for part in parts if torch.is_tensor(part) and part.is_floating_point()]
        found.extend(float(part.abs().max()) for part in numbers)

    hooks = [layer.register_forward_hook(note) for layer in model.modules()]
    with torch.no_grad():
        for row in rows:
            model(input_ids=torch.tensor([row["input_ids"]]), use_cache=False)
    for hook in hooks:
        hook.remove()
    return max(value if math.isfinite(value) else math.inf for value in found)
