"""What a hub says a model holds, and which of its files are brought: weights in safetensors and what belongs to them.

Everything in a listing is the hub's claim: names and sizes are checked before one of them becomes a path. What must be
refused is refused from names and small files alone, before gigabytes are fetched. Pure; `hub.py` does the asking.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldsmith.models import inspection, tokenizer_files
from goldsmith.models.errors import HubDoesNotAnswer, HubModelNotFound, ModelRefused
from goldsmith.models.types import HUB_ID

MAX_LISTING_BYTES = 32 * 1024 * 1024
MAX_FILE_BYTES = 2**50
WEIGHTS = ".safetensors"
INDEX = "model.safetensors.index.json"
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it: large ones have a SHA-256, small ones the hash that git gives them."""

    name: str
    size_bytes: int
    sha256: str | None
    git_hash: str | None


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model at one commit; with `commit` in the address nothing about it can change any more."""

    hub_id: str
    commit: str
    files: tuple[HubFile, ...]


def part_of(target: Path) -> Path:
    """Where a file lies until all of it is there and checked."""
    return target.with_name(target.name + ".part")


def read(hub_id: str, chunks: Iterable[bytes]) -> HubModel:
    """The listing that the hub sent. Raises HubDoesNotAnswer when it is none."""
    raw = b""
    for chunk in chunks:
        raw += chunk
        if len(raw) > MAX_LISTING_BYTES:
            raise HubDoesNotAnswer(f"The hub's list of the files of {hub_id} is larger than is believable.")
    try:
        said = json.loads(raw)
        files = tuple(_file(entry) for entry in said["siblings"])
        commit, own_id = str(said["sha"]), str(said.get("id") or hub_id)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _not_a_hub(hub_id) from None
    if len(commit) != 40 or not _HEX.fullmatch(commit) or not HUB_ID.fullmatch(own_id):
        raise _not_a_hub(hub_id)
    if own_id.lower() != hub_id.lower():
        hint = f"If that is the model you want, ask for it by this name: goldsmith models get {own_id}"
        raise HubModelNotFound(f"{hub_id} is now called {own_id} on the hub.", hint=hint)
    names = [file.name for file in files]
    if len(set(names)) != len(names) or len(names) > inspection.MAX_FILES:
        raise ModelRefused(f"{hub_id} lists a file twice, or more than {inspection.MAX_FILES:,} files.")
    return HubModel(own_id, commit, files)


def text_files(model: HubModel) -> tuple[HubFile, ...]:
    """Everything but the weights, the config first. Raises ModelRefused for what can be refused from names alone."""
    at_top = {file.name: file for file in model.files if "/" not in file.name and not file.name.startswith(".")}
    for file in model.files:
        inspection.refuse_code(file.name)
    _refuse_other_kinds(at_top)
    if "config.json" not in at_top:
        raise ModelRefused(f"{model.hub_id} has no config.json.")
    if "tokenizer.json" not in at_top:
        raise ModelRefused(f"{model.hub_id} has no tokenizer.json, the form of a tokenizer that can be read here.")
    texts = [file for file in at_top.values() if inspection.is_text_that_counts(file.name)]
    for file in texts:
        if file.size_bytes > tokenizer_files.MAX_TOKENIZER_BYTES:
            raise ModelRefused(f"{file.name} has {file.size_bytes:,} bytes, more than is believable.")
    return tuple(sorted(texts, key=lambda file: (not file.name.endswith("config.json"), file.name)))


def weight_files(model: HubModel, folder: Path) -> tuple[HubFile, ...]:
    """The weights that a loader takes, by the index that was fetched into `folder`. Raises ModelRefused."""
    there = {file.name: file for file in model.files if "/" not in file.name and file.name.endswith(WEIGHTS)}
    index = tokenizer_files.read_json(folder / INDEX).get("weight_map")
    if index is None:
        names = {"model.safetensors"} if "model.safetensors" in there else set(there)
        if len(names) != 1:
            raise ModelRefused(f"{model.hub_id} has several weight files and no index that lists them.")
    else:
        names = {str(name)[:255] for name in index.values()} if isinstance(index, dict) else set()
    missing = sorted(names - there.keys())
    if missing or not names:
        raise ModelRefused(f"{INDEX} names {missing[0] if missing else 'nothing'}, which the hub does not list.")
    return tuple(there[name] for name in sorted(names))


def _refuse_other_kinds(at_top: dict[str, HubFile]) -> None:
    """Models that are whole and yet not of the kind that can be taken."""
    if any(name.endswith(WEIGHTS) for name in at_top):
        if "adapter_config.json" in at_top and "config.json" not in at_top:
            raise ModelRefused("This is an adapter, not a base model.", hint="Take the model that it was trained from.")
        return
    if ggufs := sorted(name for name in at_top if name.endswith(".gguf")):
        hint = "Download one of the files and import it with: goldsmith models import FILE --name NAME"
        raise ModelRefused(f"This model has GGUF files only ({ggufs[0]} and {len(ggufs) - 1} more).", hint=hint)
    pickled = sorted(name for name in at_top if Path(name).suffix.lower() in inspection.PICKLED_SUFFIXES)
    if pickled:
        raise ModelRefused(
            f"This model has pickled weights only ({pickled[0]}), and a pickle runs code when it is opened.",
            hint="Look for the same model with safetensors weights.",
        )
    raise ModelRefused("This model has no safetensors weights.")


def _file(entry: Any) -> HubFile:
    name, size = entry["rfilename"], entry["size"]
    large = entry.get("lfs") or {}
    if not isinstance(large, dict):
        raise TypeError("lfs is no object")
    sha256, git_hash = large.get("sha256"), entry.get("blobId")
    parts = name.split("/") if isinstance(name, str) else []
    is_name = bool(parts) and name.isprintable() and not {"", ".", ".."} & set(parts) and "\\" not in name
    is_size = type(size) is int and 0 <= size < MAX_FILE_BYTES
    if not is_name or len(name) > 1024 or not is_size or not (_is_hash(sha256, 64) or _is_hash(git_hash, 40)):
        raise ValueError(f"no file of a model: {str(entry)[:200]}")
    return HubFile(name, size, sha256 if _is_hash(sha256, 64) else None, git_hash if _is_hash(git_hash, 40) else None)


def _is_hash(value: Any, length: int) -> bool:
    return isinstance(value, str) and len(value) == length and _HEX.fullmatch(value) is not None


def _not_a_hub(hub_id: str) -> HubDoesNotAnswer:
    return HubDoesNotAnswer(
        f"What answered for {hub_id} does not speak like a model hub.",
        hint="Check HF_ENDPOINT, and whether a proxy or a sign-in page stands before the network.",
    )
