from pathlib import Path

import pytest

from goldsmith.serve import weights
from goldsmith.serve.errors import WeightsUnreadable

from .conftest import adapter_bytes, safetensors


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "adapter_model.safetensors"
    path.write_bytes(content)
    return path


def test_rank_and_names_are_read_from_the_header(tmp_path: Path) -> None:
    tensors = weights.read_header(write(tmp_path, adapter_bytes()))
    assert weights.rank_of(tensors) == 8
    assert weights.strangers(tensors, {"model.layers.0.self_attn.q_proj.weight"}) == []
    assert len(weights.strangers(tensors, {"model.layers.1.self_attn.q_proj.weight"})) == 2


@pytest.mark.parametrize(("number", "is_zero"), [(0.0, True), (-0.0, True), (1e-38, False), (-1.0, False)])
def test_minus_zero_is_zero_and_the_smallest_number_is_not(tmp_path: Path, number: float, is_zero: bool) -> None:
    path = write(tmp_path, adapter_bytes(b=number))
    assert weights.is_all_zero(path, weights.second_halves(weights.read_header(path))) is is_zero


def test_a_tied_output_layer_is_no_stranger(tmp_path: Path) -> None:
    name = "base_model.model.lm_head.lora_A.weight"
    tensors = weights.read_header(write(tmp_path, safetensors({name: ([1, 2], [1.0, 2.0])})))
    assert weights.strangers(tensors, {"model.embed_tokens.weight"}) == []


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnreadable):
        weights.read_header(write(tmp_path, adapter_bytes()[:-3]))
    with pytest.raises(WeightsUnreadable):
        weights.read_header(tmp_path / "not there")
