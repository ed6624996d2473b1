"""What a model folder says about its tokenizer: the chat template, the special tokens, the context length.

Reads small JSON and text files with a limit on their size; loads no tokenizer. Used by rendering and inspection.
"""

import json
from pathlib import Path
from typing import Any

from goldsmith.models.errors import ModelRefused

MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_TOKENIZER_BYTES = 256 * 1024 * 1024
MAX_TEMPLATE_BYTES = 1024 * 1024
NO_LIMIT_TOKENS = 100_000_000
"""Tokenizers without a limit say 10^30; no context is as long as this."""
CONTEXT_LENGTH_KEYS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_sequence_length",
)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; an absent file is an empty one."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(read_bounded(path, MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path.name} is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ModelRefused(f"{path.name} holds a {type(value).__name__} where a JSON object belongs.")
    return value


def read_bounded(path: Path, limit_bytes: int) -> str:
    """The text of a file that is no larger than it should be."""
    size_bytes = path.stat().st_size
    if size_bytes > limit_bytes:
        raise ModelRefused(f"{path.name} has {size_bytes:,} bytes; more than {limit_bytes:,} is not believable.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelRefused(f"{path.name} is not UTF-8 text (byte {error.start:,}).") from None


def chat_template(folder: Path) -> str | None:
    """The model's chat template, its default one where it has several; None without."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return read_bounded(file, MAX_TEMPLATE_BYTES)
    found = read_json(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found if isinstance(entry, dict)}
        found = named.get("default")
    if isinstance(found, str) and len(found) > MAX_TEMPLATE_BYTES:
        raise ModelRefused("tokenizer_config.json: chat_template is larger than is believable.")
    return found if isinstance(found, str) and found else None


def special_tokens(folder: Path) -> dict[str, str]:
    """The tokens with a role (`bos_token`, `eos_token` …) that a chat template may name."""
    settings = {**read_json(folder / "special_tokens_map.json"), **read_json(folder / "tokenizer_config.json")}
    tokens = {}
    for key, value in settings.items():
        text = value.get("content") if isinstance(value, dict) else value
        if key.endswith("_token") and isinstance(text, str):
            tokens[key] = text
    return tokens


def context_length(folder: Path) -> int | None:
    """How many tokens the model can read: the smaller of what its config and its tokenizer say."""
    config = read_json(folder / "config.json")
    nested = config.get("text_config")
    lengths = [_first_length(config) or _first_length(nested if isinstance(nested, dict) else {})]
    lengths.append(_first_length(read_json(folder / "tokenizer_config.json")))
    known = [length for length in lengths if length is not None]
    return min(known) if known else None


def _first_length(settings: dict[str, Any]) -> int | None:
    for key in CONTEXT_LENGTH_KEYS:
        value = settings.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < NO_LIMIT_TOKENS:
            return int(value)
    return None


def stop_token_ids(folder: Path) -> frozenset[int]:
    """The ids at which an engine stops by itself, as the model's configs name them."""
    found: set[int] = set()
    for name in ("config.json", "generation_config.json"):
        value = read_json(folder / name).get("eos_token_id")
        found.update(item for item in (value if isinstance(value, list) else [value]) if isinstance(item, int))
    return frozenset(found)
