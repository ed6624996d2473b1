"""The header of a safetensors file, read with limits and checked before anything else opens the file.

A header is JSON that says for each tensor its type, shape and place. Every number in it is the file's own claim, so
every number is checked against the file. Knows no model; called by `inspection.py`.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldsmith.models.errors import ModelRefused

MAX_HEADER_BYTES = 100 * 1000 * 1000
MAX_PARTS = 5_000_000
"""Braces, brackets and commas in a header; the largest models have a hundredth of it in one file."""
MAX_NAME_CHARACTERS = 512
MAX_DIMENSIONS = 32
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """What a header says once all of it was found to be true."""

    tensor_names: frozenset[str]
    num_parameters: int
    parameters_by_dtype: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    dtype: str
    num_parameters: int
    begin: int
    end: int


def read_header(path: Path) -> SafetensorsHeader:
    """Read and check the header. Raises ModelRefused, with file and tensor."""
    raw, data_bytes = _read_raw(path)
    tensors = [_read_tensor(path, name, entry) for name, entry in _parse(path, raw).items() if name != "__metadata__"]
    if not tensors:
        raise ModelRefused(f"{path.name} holds no tensor.")
    _check_places(path, tensors, data_bytes)
    by_dtype: Counter[str] = Counter()
    for tensor in tensors:
        by_dtype[tensor.dtype] += tensor.num_parameters
    return SafetensorsHeader(frozenset(tensor.name for tensor in tensors), by_dtype.total(), dict(by_dtype))


def _read_raw(path: Path) -> tuple[bytes, int]:
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(9)
        if len(start) < 9 or start[8:9] != b"{":
            raise ModelRefused(f"{path.name} is not a safetensors file: no header at its beginning.")
        header_bytes = int.from_bytes(start[:8], "little")
        if header_bytes > MAX_HEADER_BYTES:
            raise ModelRefused(f"{path.name}: its header claims {header_bytes:,} bytes, more than is allowed.")
        if 8 + header_bytes > size_bytes:
            raise ModelRefused(f"{path.name} ends inside its header; the file is not whole.")
        return start[8:] + file.read(header_bytes - 1), size_bytes - 8 - header_bytes


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    if raw.count(b"{") + raw.count(b"[") + raw.count(b",") > MAX_PARTS:
        raise ModelRefused(f"{path.name}: its header has more entries than any model needs.")
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path.name}: its header cannot be read: {error}.") from None
    if not isinstance(header, dict):
        raise ModelRefused(f"{path.name}: its header is not a JSON object.")
    return header


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _read_tensor(path: Path, name: str, entry: Any) -> _Tensor:
    where = f"{path.name}: tensor {name[:80]!r}"
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise ModelRefused(f"{where} has a name that is empty, too long or not printable.")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ModelRefused(f"{where} must have dtype, shape and data_offsets, and nothing else.")
    bits = BITS.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if bits is None:
        raise ModelRefused(f"{where} has the unknown type {str(entry['dtype'])[:40]!r}.")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _are_counts(shape) or len(shape) > MAX_DIMENSIONS:
        raise ModelRefused(f"{where} has a shape that is not a list of counts.")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise ModelRefused(f"{where} has data_offsets that are not two counts.")
    num_parameters = _product(shape)
    if offsets[0] * 8 % bits or (offsets[1] - offsets[0]) * 8 != num_parameters * bits:
        raise ModelRefused(f"{where} does not fill its place, or does not begin at a multiple of its size.")
    return _Tensor(name, entry["dtype"], num_parameters, offsets[0], offsets[1])


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**53 for item in value)


def _product(shape: list[int]) -> int:
    product = 1
    for length in shape:
        product *= length
    return product


def _check_places(path: Path, tensors: list[_Tensor], data_bytes: int) -> None:
    """Every byte after the header belongs to exactly one tensor."""
    position = 0
    for tensor in sorted(tensors, key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != position:
            fault = "overlaps the one before it" if tensor.begin < position else "leaves a gap before it"
            raise ModelRefused(f"{path.name}: tensor {tensor.name[:80]!r} {fault}.")
        position = tensor.end
    if position != data_bytes:
        raise ModelRefused(
            f"{path.name}: its tensors need {position:,} bytes, the file has {data_bytes:,}; it is not whole."
        )
