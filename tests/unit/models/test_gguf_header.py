"""A header is believed only where the file bears it out, whatever it says and however it is damaged."""

import struct
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gguf.constants
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldsmith.models import gguf_header
from goldsmith.models.errors import ModelRefused
from goldsmith.models.gguf_header import read_header

Maker = Callable[..., bytes]
KEYS = {"general.architecture": "llama", "tokenizer.ggml.tokens": ["a", "b"]}
START = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
HUGE = 2**60


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def key(name: bytes, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def test_a_right_header_is_read(tmp_path: Path, gguf_bytes: Maker) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes())
    header = read_header(path)
    assert (header.version, header.num_keys, header.num_tensors, header.num_parameters) == (3, 8, 3, 165)
    assert (header.architecture, header.context_length, header.licence) == ("llama", 2048, "apache-2.0")
    assert "im_start" in (header.chat_template or "")


def test_types_and_their_blocks_are_those_of_the_format() -> None:
    known = {int(kind): block for kind, block in gguf.constants.GGML_QUANT_SIZES.items()}
    assert known == gguf_header.BLOCKS
    scalars = {int(kind) for kind in gguf.constants.GGUFValueType}
    assert scalars == {*gguf_header.SCALARS, gguf_header.STRING, gguf_header.ARRAY}


def test_the_formats_own_writer_is_understood(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    path = tmp_path / "written.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_chat_template("{{ messages }}")
    writer.add_custom_alignment(64)
    writer.add_token_list(["a", "b"])
    writer.add_tensor("token_embd.weight", numpy.zeros((3, 5), dtype=numpy.float32))
    writer.add_tensor("norm.weight", numpy.zeros(7, dtype=numpy.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_header(path)
    assert (header.num_tensors, header.num_parameters, header.context_length) == (2, 22, 512)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "is not a GGUF file"),
        (b"GGUF\x03", "is not a GGUF file"),
        (b"GGUF" + struct.pack("<IQQ", 9, 1, 1), "version 9"),
        (b"GGUF" + struct.pack(">IQQ", 3, 1, 1), "another byte order"),
        (b"GGUF" + struct.pack("<IQQ", 3, HUGE, 1), "not believable"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1), "not believable"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, HUGE), "not believable"),
        (START, "ends inside its header"),
        (START + struct.pack("<Q", HUGE), "the name of a key claims"),
        (START + key(b"a", 8, struct.pack("<Q", HUGE)), "the value of 'a' claims"),
        (START + key(b"", 4, b"\0\0\0\0"), "a name that is empty"),
        (START + key(b"a\n", 4, b"\0\0\0\0"), "not printable"),
        (START + key(b"\xff", 4, b"\0\0\0\0"), "is not UTF-8"),
        (START + key(b"a", 13, b""), "unknown type 13"),
        (START + key(b"a", 9, struct.pack("<IQ", 4, HUGE)), "'a' claims 1,152"),
        (START + key(b"a", 9, struct.pack("<IQ", 4, 1_000_000)), "ends inside its header"),
        (START + key(b"a", 9, struct.pack("<IQ", 9, 1)), "items of the type 9"),
        (START + key(b"a", 9, struct.pack("<IQ", 8, 1) + struct.pack("<Q", HUGE)), "a text in 'a' claims"),
        (START + key(b"a", 4, b"\0\0\0\0"), "names no architecture"),
        (START + key(b"general.architecture", 4, b"\0\0\0\0"), "a number where a text belongs"),
    ],
)
def test_a_beginning_that_lies_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelRefused, match=sentence) as caught:
        read_header(path)
    assert "model.gguf" in caught.value.message


@pytest.mark.parametrize(
    ("tensors", "more", "sentence"),
    [
        ([("a", [32], 0, 128), ("a", [32], 0, 128)], {}, "'a' occurs twice"),
        ([("a", [32], 33, 128)], {}, "unknown type 33"),
        ([("a", [31], 3, 20)], {}, "does not fill its blocks"),
        ([("a", [0], 0, 0)], {}, "a shape that no model has"),
        ([("a", [2**40, 2**40], 0, 0)], {}, "a shape that no model has"),
        ([("a", [], 0, 4)], {}, "claims 0 dimensions"),
        ([("a", [1] * 5, 0, 4)], {}, "claims 5 dimensions"),
        ([("", [32], 0, 128)], {}, "a name that is empty"),
        ([("a", [32], 0, 128)], {"offsets": {"a": 32}}, "leaves a gap"),
        ([("a", [32], 0, 128), ("b", [32], 0, 128)], {"offsets": {"b": 0}}, "overlaps"),
        ([("a", [32], 0, 128), ("b", [32], 0, 128)], {"offsets": {"b": 2**63}}, "leaves a gap"),
        ([("a", [320], 0, 128)], {}, "it is not whole"),
        ([("a", [32], 0, 1280)], {}, "it is not whole"),
    ],
)
def test_a_table_of_tensors_that_lies_is_refused(
    tmp_path: Path, gguf_bytes: Maker, tensors: list[Any], more: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes(KEYS, tensors, **more))
    with pytest.raises(ModelRefused, match=sentence):
        read_header(path)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"general.alignment": 0}, "alignment is 0"),
        ({"general.alignment": 24}, "alignment is 24"),
        ({"general.alignment": 2**31}, "alignment is 2147483648"),
        ({"general.alignment": "x" * 99}, "no usable power of two"),
        ({"split.count": 3}, "one part of 3"),
    ],
)
def test_keys_that_no_whole_model_has_are_refused(
    tmp_path: Path, gguf_bytes: Maker, keys: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes({**KEYS, **keys}))
    with pytest.raises(ModelRefused, match=sentence):
        read_header(path)


def test_a_key_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    twice = key(b"a", 4, b"\0\0\0\0") * 2
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, 2) + twice)
    with pytest.raises(ModelRefused, match="'a' occurs twice"):
        read_header(path)


def test_more_items_than_any_model_has_are_refused_however_they_are_spread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gguf_bytes: Maker
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes({**KEYS, "b": [1] * 60, "c": [1] * 60}))
    assert read_header(path)
    monkeypatch.setattr(gguf_header, "MAX_ITEMS", 100)
    with pytest.raises(ModelRefused, match="'c' claims 60 items"):
        read_header(path)


def test_a_header_beyond_the_limit_is_refused_without_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gguf_bytes: Maker
) -> None:
    monkeypatch.setattr(gguf_header, "MAX_HEADER_BYTES", 200)
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes())
    with pytest.raises(ModelRefused, match="more than 200 bytes"):
        read_header(path)


def look_at(path: Path, content: bytes) -> None:
    """A header or ModelRefused with a sentence, at once, and in little memory whatever the numbers claim."""
    path.write_bytes(content)
    began = time.monotonic()
    tracemalloc.start()
    try:
        with suppress(ModelRefused):  # anything else would be a crash
            assert read_header(path).num_parameters > 0
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 5


@settings(database=None, deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
@given(at=st.integers(0, 700), patch=st.binary(min_size=1, max_size=16), cut=st.none() | st.integers(0, 1300))
def test_a_damaged_header_is_read_or_refused(
    tmp_path: Path, gguf_bytes: Maker, at: int, patch: bytes, cut: int | None
) -> None:
    whole = gguf_bytes()
    look_at(tmp_path / "model.gguf", (whole[:at] + patch + whole[at + len(patch) :])[:cut])


@settings(database=None, deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
@given(at=st.integers(4, 700), number=st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**53, 2**62, 2**63, 2**64 - 1]))
def test_a_count_a_length_or_an_offset_that_lies_is_read_or_refused(
    tmp_path: Path, gguf_bytes: Maker, at: int, number: int
) -> None:
    whole = gguf_bytes()
    look_at(tmp_path / "model.gguf", whole[:at] + struct.pack("<Q", number) + whole[at + 8 :])


@settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=300))
def test_any_bytes_behind_a_right_beginning_are_refused(tmp_path: Path, content: bytes) -> None:
    look_at(tmp_path / "model.gguf", START + content)
