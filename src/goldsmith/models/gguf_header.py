"""The header of a GGUF file, walked from end to end with limits before a converter sees the file.

A header is a list of keys with values and a table of tensors. Every count, length, offset and type in it is the file's
own claim: each is held against a limit and against the file's size before anything is read, and nothing is ever
allocated because a number says so. Only the few values that Goldsmith needs are kept. Knows no model and loads no
weights; called by `inspection.py`.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from goldsmith.models.errors import ModelRefused

VERSIONS = (2, 3)
MAX_HEADER_BYTES = 100 * 1000 * 1000
MAX_KEYS = 10_000
MAX_TENSORS = 100_000
MAX_ITEMS = 5_000_000
"""Items of all arrays together; a vocabulary of 260,000 words with its merges has 1.3 million."""
MAX_STRING_BYTES = 1024 * 1024
MAX_NAME_BYTES = 512
MAX_DIMENSIONS = 4
MAX_ALIGNMENT_BYTES = 65_536
DEFAULT_ALIGNMENT_BYTES = 32
STRING, ARRAY = 8, 9
SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
"""Number of a value's type → how it is written."""
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip
"""Number of a tensor's type → how many weights stand in a block, and how many bytes the block has."""
KEPT = ("general.architecture", "general.alignment", "general.license", "tokenizer.chat_template", "split.count")

Value = str | int | float


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a header says once all of it was found to be true."""

    version: int
    num_keys: int
    num_tensors: int
    num_parameters: int
    architecture: str
    context_length: int | None
    chat_template: str | None
    licence: str | None


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    num_parameters: int
    begin: int
    end: int


def read_header(path: Path) -> GgufHeader:
    """Walk the header. Raises ModelRefused, with file and key or tensor."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        walk = _Walk(path.name, file, size_bytes)
        version, num_tensors, num_keys = _read_start(walk)
        values = _read_keys(walk, num_keys)
        architecture = _text(walk, values, "general.architecture")
        if architecture is None:
            raise ModelRefused(f"{path.name} names no architecture.")
        _refuse_parts(walk, values)
        tensors = _read_tensors(walk, num_tensors)
        _check_places(walk, tensors, _alignment(walk, values))
    context_length = values.get(f"{architecture}.context_length")
    return GgufHeader(
        version=version,
        num_keys=num_keys,
        num_tensors=num_tensors,
        num_parameters=sum(tensor.num_parameters for tensor in tensors),
        architecture=architecture,
        context_length=context_length if isinstance(context_length, int) else None,
        chat_template=_text(walk, values, "tokenizer.chat_template"),
        licence=_text(walk, values, "general.license"),
    )


class _Walk:
    """A place in the file that only moves forward, and never past what the file or the limit has."""

    def __init__(self, name: str, file: BinaryIO, size_bytes: int) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self.position = 0
        self.num_items = 0
        self._file = file

    def take(self, num_bytes: int) -> bytes:
        """The next bytes; their number is small or was checked."""
        self._advance(num_bytes)
        found = self._file.read(num_bytes)
        if len(found) != num_bytes:
            raise ModelRefused(f"{self.name} ends inside its header; the file is not whole.")
        return found

    def skip(self, num_bytes: int) -> None:
        """Go over bytes that nobody needs."""
        self._advance(num_bytes)
        self._file.seek(self.position)

    def number(self, form: str) -> int:
        """A whole number."""
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def text(self, max_bytes: int, what: str) -> str:
        """A string that is no longer than it should be."""
        num_bytes = self.number("<Q")
        if num_bytes > max_bytes:
            raise ModelRefused(f"{self.name}: {what} claims {num_bytes:,} bytes, more than is allowed.")
        try:
            return self.take(num_bytes).decode("utf-8")
        except UnicodeDecodeError:
            raise ModelRefused(f"{self.name}: {what} is not UTF-8 text.") from None

    def name_of(self, what: str) -> str:
        """The name of a key or a tensor."""
        name = self.text(MAX_NAME_BYTES, f"the name of a {what}")
        if not name or not name.isprintable():
            raise ModelRefused(f"{self.name}: a {what} has a name that is empty or not printable.")
        return name

    def _advance(self, num_bytes: int) -> None:
        self.position += num_bytes
        if self.position > self.size_bytes:
            raise ModelRefused(f"{self.name} ends inside its header; the file is not whole.")
        if self.position > MAX_HEADER_BYTES:
            raise ModelRefused(f"{self.name}: its header has more than {MAX_HEADER_BYTES:,} bytes.")


def _read_start(walk: _Walk) -> tuple[int, int, int]:
    if walk.size_bytes < 24 or walk.take(4) != b"GGUF":
        raise ModelRefused(f"{walk.name} is not a GGUF file.")
    version = walk.number("<I")
    if version & 0xFFFF == 0:
        raise ModelRefused(f"{walk.name} is written for machines with another byte order.")
    if version not in VERSIONS:
        raise ModelRefused(f"{walk.name} is GGUF version {version}; 2 and 3 can be read.")
    num_tensors, num_keys = walk.number("<Q"), walk.number("<Q")
    if not 0 < num_tensors <= MAX_TENSORS or num_keys > MAX_KEYS:
        raise ModelRefused(
            f"{walk.name} claims {num_tensors:,} tensors and {num_keys:,} keys, which is not believable."
        )
    return version, num_tensors, num_keys


def _read_keys(walk: _Walk, num_keys: int) -> dict[str, Value]:
    """The few values that are kept, of all keys."""
    seen: set[str] = set()
    values: dict[str, Value] = {}
    for _ in range(num_keys):
        key = walk.name_of("key")
        if key in seen:
            raise ModelRefused(f"{walk.name}: the key {key[:80]!r} occurs twice.")
        seen.add(key)
        value = _read_value(walk, key)
        if value is not None and (key in KEPT or key.endswith(".context_length")):
            values[key] = value
    return values


def _read_value(walk: _Walk, key: str) -> Value | None:
    """A text or a number; of an array nothing is kept."""
    kind = walk.number("<I")
    if kind == ARRAY:
        _skip_array(walk, key)
        return None
    if kind == STRING:
        return walk.text(MAX_STRING_BYTES, f"the value of {key[:80]!r}")
    if kind not in SCALARS:
        raise ModelRefused(f"{walk.name}: the key {key[:80]!r} has the unknown type {kind}.")
    found: int | float = struct.unpack(SCALARS[kind], walk.take(struct.calcsize(SCALARS[kind])))[0]
    return found


def _skip_array(walk: _Walk, key: str) -> None:
    kind, num_items = walk.number("<I"), walk.number("<Q")
    walk.num_items += num_items
    if walk.num_items > MAX_ITEMS:
        raise ModelRefused(f"{walk.name}: the array {key[:80]!r} claims {num_items:,} items, more than is allowed.")
    if kind in SCALARS:
        walk.skip(num_items * struct.calcsize(SCALARS[kind]))
        return
    if kind != STRING:
        raise ModelRefused(f"{walk.name}: the array {key[:80]!r} holds items of the type {kind}, which cannot be read.")
    for _ in range(num_items):
        num_bytes = walk.number("<Q")
        if num_bytes > MAX_STRING_BYTES:
            raise ModelRefused(f"{walk.name}: a text in {key[:80]!r} claims {num_bytes:,} bytes, more than is allowed.")
        walk.skip(num_bytes)


def _text(walk: _Walk, values: dict[str, Value], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not isinstance(value, str):
        raise ModelRefused(f"{walk.name}: the key {key!r} holds a number where a text belongs.")
    return value or None


def _refuse_parts(walk: _Walk, values: dict[str, Value]) -> None:
    num_parts = values.get("split.count", 1)
    if not isinstance(num_parts, int) or num_parts > 1:
        raise ModelRefused(
            f"{walk.name} is one part of {num_parts}.", hint="Join the parts into one file first, or take another file."
        )


def _alignment(walk: _Walk, values: dict[str, Value]) -> int:
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT_BYTES)
    is_power_of_two = isinstance(alignment, int) and alignment > 0 and alignment & (alignment - 1) == 0
    if not isinstance(alignment, int) or not is_power_of_two or alignment > MAX_ALIGNMENT_BYTES:
        raise ModelRefused(f"{walk.name}: its alignment is {str(alignment)[:40]}, which is no usable power of two.")
    return alignment


def _read_tensors(walk: _Walk, num_tensors: int) -> list[_Tensor]:
    tensors: list[_Tensor] = []
    seen: set[str] = set()
    for _ in range(num_tensors):
        tensor = _read_tensor(walk)
        if tensor.name in seen:
            raise ModelRefused(f"{walk.name}: the tensor {tensor.name[:80]!r} occurs twice.")
        seen.add(tensor.name)
        tensors.append(tensor)
    return tensors


def _read_tensor(walk: _Walk) -> _Tensor:
    name = walk.name_of("tensor")
    where = f"{walk.name}: the tensor {name[:80]!r}"
    num_dimensions = walk.number("<I")
    if not 0 < num_dimensions <= MAX_DIMENSIONS:
        raise ModelRefused(f"{where} claims {num_dimensions:,} dimensions.")
    shape = [walk.number("<Q") for _ in range(num_dimensions)]
    num_parameters = 1
    for length in shape:
        num_parameters *= length
    if not 0 < num_parameters < 2**53:
        raise ModelRefused(f"{where} has a shape that no model has.")
    kind, begin = walk.number("<I"), walk.number("<Q")
    if kind not in BLOCKS:
        raise ModelRefused(f"{where} has the unknown type {kind}.")
    in_block, block_bytes = BLOCKS[kind]
    if shape[0] % in_block:
        raise ModelRefused(f"{where} does not fill its blocks: rows of {shape[0]:,}, blocks of {in_block}.")
    return _Tensor(name, num_parameters, begin, begin + num_parameters // in_block * block_bytes)


def _check_places(walk: _Walk, tensors: list[_Tensor], alignment: int) -> None:
    """One tensor after the other, each beginning at the next multiple of the alignment, and nothing behind the last."""
    data_begin = _next_multiple(walk.position, alignment)
    position = 0
    for tensor in tensors:
        if tensor.begin != position:
            fault = "overlaps the one before it" if tensor.begin < position else "leaves a gap before it"
            raise ModelRefused(f"{walk.name}: the tensor {tensor.name[:80]!r} {fault}.")
        position = _next_multiple(tensor.end, alignment)
    last_end = data_begin + tensors[-1].end
    if not last_end <= walk.size_bytes <= data_begin + position:
        raise ModelRefused(
            f"{walk.name}: its tensors end at byte {last_end:,}, the file has {walk.size_bytes:,}; it is not whole."
        )


def _next_multiple(number: int, of: int) -> int:
    return -(-number // of) * of
