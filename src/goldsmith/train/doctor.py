"""What a failed training died of, and the smallest change that may cure it. Pure; a person presses the button.

Out of memory: fewer rows at once with as many batches more a step, so that what is learned stays the same; then layers
computed twice instead of kept; on a GPU the base model in 4 bit; then shorter rows; then a smaller adapter. Losses that
are no numbers: smaller steps.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from goldsmith.jobs.types import JobFailure
from goldsmith.serve.types import ALLOWED_RANKS, SMALLEST_LIMIT
from goldsmith.train.backends.methods import FEWEST_AT_ONCE

SHORTEST: Final = 256
"""Rows are not made shorter than this to save memory, in tokens."""
MOST_BATCHES: Final = 512
_OUT_OF_MEMORY: Final = re.compile(r"out of memory|can't allocate memory|by signal 9\b", re.IGNORECASE)
_DRIVER: Final = re.compile(r"driver version is insufficient|no kernel image is available|CUDA driver", re.IGNORECASE)
_NO_SETTING: Final[Mapping[str, str]] = {
    "disk_full": "The disk is full. Make room, then try again: it goes on from its last checkpoint.",
    "environment_broken": "What trains is not whole. Install its environment again under Settings, then try again.",
    "nothing_to_learn": "No row can be learned with this model. Look at the rows: each says why it is left out.",
    "loss_zero": "The answers may be empty or copied from the question. Look at what the model was to learn.",
    "provider_closed": "This provider does not train for you. Train the same rows here: choose the backend trl.",
    "no_fine_tuning": "This provider offers no fine-tuning. Train the same rows here: choose the backend trl.",
    "model-never-stops": "This base model cannot be taught to stop. Choose another one.",
}


@dataclass(frozen=True)
class Cure:
    """What to change. Without `settings` no setting helps, and the sentence says what does."""

    sentence: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def cure_of(failure: JobFailure, config: Mapping[str, Any], *, device: str) -> Cure | None:
    """The smallest change that may help; None where nobody can tell. `device` is what it trained on: cpu or cuda."""
    said = f"{failure.summary}\n{failure.log_tail}"
    if failure.kind in _NO_SETTING:
        return Cure(_NO_SETTING[failure.kind])
    if failure.kind == "loss_not_finite":
        return _smaller_steps(config)
    if failure.kind == "out_of_memory" or (failure.kind in ("died", "crashed") and _OUT_OF_MEMORY.search(said)):
        return _less_memory(config, is_on_gpu=device != "cpu")
    if failure.kind in ("died", "crashed") and _DRIVER.search(said):
        return Cure("The graphics card's driver is too old for what trains. Update it; goldsmith doctor says more.")
    return None


def _smaller_steps(config: Mapping[str, Any]) -> Cure:
    rate = float(config.get("learning_rate", 5e-4)) / 5
    return Cure(f"Steps that are too large: try a learning rate of {rate:g}.", {"learning_rate": rate})


def _less_memory(config: Mapping[str, Any], *, is_on_gpu: bool) -> Cure:
    cures = (_fewer_at_once(config), _kept_less(config, is_on_gpu), _shorter_rows(config), _smaller_adapter(config))
    found = next((cure for cure in cures if cure is not None), None)
    return found or Cure("It is as small as it can be. Choose a smaller base model, or a machine with more memory.")


def _fewer_at_once(config: Mapping[str, Any]) -> Cure | None:
    batch, batches = int(config.get("batch_size", 1)), int(config.get("gradient_accumulation", 1))
    fewest = FEWEST_AT_ONCE if config.get("method") == "kto" else 1
    if batch <= fewest:
        return None
    fewer = max(fewest, batch // 2)
    more = min(-(-batch * batches // fewer), MOST_BATCHES)
    alike = "the same" if fewer * more == batch * batches else "nearly the same"
    words = f"Needs less memory and learns {alike}: {fewer} instead of {batch} rows at once."
    return Cure(words, {"batch_size": fewer, "gradient_accumulation": more})


def _kept_less(config: Mapping[str, Any], is_on_gpu: bool) -> Cure | None:
    """Less of the model in memory; `auto` keeps no layers on a GPU already."""
    if config.get("gradient_checkpointing") in (("off",) if is_on_gpu else ("off", "auto")):
        words = "Needs less memory and learns the same, about a third slower: layers are computed twice."
        return Cure(words, {"gradient_checkpointing": "on"})
    if is_on_gpu and config.get("load_in_4bit") is False:
        return Cure("Needs less memory: the base model in 4 bit while it is trained on.", {"load_in_4bit": True})
    return None


def _shorter_rows(config: Mapping[str, Any]) -> Cure | None:
    length = int(config.get("max_length", SHORTEST))
    if length <= SHORTEST:
        return None
    shorter = max(SHORTEST, length // 2)
    words = f"Needs less memory: rows of up to {shorter:,} instead of {length:,} tokens. Longer ones are left out."
    return Cure(words, {"max_length": shorter})


def _smaller_adapter(config: Mapping[str, Any]) -> Cure | None:
    rank = int(config.get("lora_rank", SMALLEST_LIMIT))
    smaller = max((each for each in ALLOWED_RANKS if SMALLEST_LIMIT <= each < rank), default=None)
    if smaller is None:
        return None
    return Cure(f"Needs less memory: an adapter of rank {smaller} instead of {rank}.", {"lora_rank": smaller})
