"""A header is believed only where the file bears it out."""

import json
import struct
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldsmith.models.errors import ModelRefused
from goldsmith.models.safetensors_header import read_header

Maker = Callable[..., bytes]
TENSORS = {"a": ("BF16", [2, 3], bytes(12)), "b": ("F32", [1], bytes(4)), "scalar": ("F32", [], bytes(4))}


def test_a_right_header_is_read(tmp_path: Path, safetensors_bytes: Maker) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors_bytes(TENSORS))
    header = read_header(path)
    assert header.num_parameters == 8
    assert header.parameters_by_dtype == {"BF16": 6, "F32": 2}
    assert header.tensor_names == {"a", "b", "scalar"}


def entry(**changes: Any) -> bytes:
    return json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changes}}).encode()


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (b"[]", "no header"),
        (b"{", "cannot be read"),
        (b"{}", "no tensor"),
        (b'{"__metadata__": {"format": "pt"}}', "no tensor"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b'{"a": ' + b"[" * 5000, "cannot be read"),
        (b'{"a": ' + b"{" * 5_000_001, "more entries"),
        (b'{"a": 1}', "must have dtype"),
        (b'{"": 1}', "name that is empty"),
        (entry(extra=1), "must have dtype"),
        (entry(dtype="PICKLE"), "unknown type"),
        (entry(dtype=["F32"]), "unknown type"),
        (entry(shape=[-1]), "shape"),
        (entry(shape=[True]), "shape"),
        (entry(shape=[1] * 33), "shape"),
        (entry(shape=[2**40, 2**40]), "does not fill"),
        (entry(data_offsets=[0]), "two counts"),
        (entry(data_offsets=[4, 0]), "does not fill"),
        (entry(data_offsets=[4, 8]), "leaves a gap"),
        (entry(data_offsets=[2, 6]), "multiple of its size"),
        (entry(shape=[2], data_offsets=[0, 8]), "not whole"),
        (entry(shape=[0], data_offsets=[0, 0]), "not whole"),
        (
            b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},'
            b' "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
            "overlaps",
        ),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, safetensors_bytes: Maker, header: bytes, sentence: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors_bytes({"a": ("F32", [1], bytes(4))}, header))
    with pytest.raises(ModelRefused, match=sentence) as caught:
        read_header(path)
    assert "model.safetensors" in caught.value.message


@pytest.mark.parametrize("claimed", [2**63, 100_000_001, 1_000_000])
def test_a_claimed_length_is_not_believed(tmp_path: Path, claimed: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", claimed) + b"{}")
    with pytest.raises(ModelRefused, match=r"claims|ends inside"):
        read_header(path)


@settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=200), cut=st.integers(0, 400))
def test_any_bytes_are_read_or_refused(tmp_path: Path, safetensors_bytes: Maker, content: bytes, cut: int) -> None:
    path = tmp_path / "model.safetensors"
    for data in (content, safetensors_bytes(TENSORS)[:cut], safetensors_bytes(TENSORS, content)):
        path.write_bytes(data)
        with suppress(ModelRefused):  # anything else would be a crash
            assert read_header(path).num_parameters >= 0


NUMBERS: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1, 4, 2**31, 2**53 - 1, 2**53, 2**64, 10**400, -1, 1.5, True, None, "4", [4], {}]
)


@settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    shape=st.lists(NUMBERS, max_size=4),
    offsets=st.lists(NUMBERS, max_size=3),
    length=st.none() | st.integers(0, 2**64 - 1),
    more=st.dictionaries(st.text(max_size=3), NUMBERS, max_size=2),
)
def test_numbers_that_lie_are_refused_at_once_and_in_little_memory(
    tmp_path: Path,
    safetensors_bytes: Maker,
    shape: list[Any],
    offsets: list[Any],
    length: int | None,
    more: dict[str, Any],
) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": offsets}, **more}).encode()
    whole = safetensors_bytes({"a": ("F32", [1], bytes(4))}, header)
    path = tmp_path / "model.safetensors"
    path.write_bytes(whole if length is None else struct.pack("<Q", length) + whole[8:])
    tracemalloc.start()
    try:
        with suppress(ModelRefused):  # anything else would be a crash
            assert read_header(path).num_parameters == 1
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
