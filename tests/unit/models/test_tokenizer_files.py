"""What a model folder says is read in every form in which models say it."""

import json
from pathlib import Path

import pytest

from goldsmith.models.errors import ModelRefused
from goldsmith.models.tokenizer_files import chat_template, context_length, read_json, special_tokens, stop_token_ids


def write(folder: Path, name: str, value: object) -> None:
    (folder / name).write_text(json.dumps(value))


def test_the_template_file_wins_over_the_config(tmp_path: Path) -> None:
    assert chat_template(tmp_path) is None
    write(tmp_path, "tokenizer_config.json", {"chat_template": [{"name": "tool_use", "template": "t"}]})
    assert chat_template(tmp_path) is None
    write(tmp_path, "tokenizer_config.json", {"chat_template": [{"name": "default", "template": "several"}]})
    assert chat_template(tmp_path) == "several"
    write(tmp_path, "tokenizer_config.json", {"chat_template": "one"})
    assert chat_template(tmp_path) == "one"
    (tmp_path / "chat_template.jinja").write_text("file")
    assert chat_template(tmp_path) == "file"


def test_special_tokens_are_texts_or_objects(tmp_path: Path) -> None:
    write(tmp_path, "special_tokens_map.json", {"pad_token": "<pad>", "eos_token": "old"})
    write(tmp_path, "tokenizer_config.json", {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "unk_token": None})
    assert special_tokens(tmp_path) == {"pad_token": "<pad>", "eos_token": "</s>", "bos_token": "<s>"}


def test_the_context_is_the_smaller_of_config_and_tokenizer(tmp_path: Path) -> None:
    assert context_length(tmp_path) is None
    write(tmp_path, "config.json", {"text_config": {"max_position_embeddings": 8192}})
    write(tmp_path, "tokenizer_config.json", {"model_max_length": 10**30})
    assert context_length(tmp_path) == 8192
    write(tmp_path, "tokenizer_config.json", {"model_max_length": 2048})
    assert context_length(tmp_path) == 2048


def test_stop_tokens_are_one_or_many(tmp_path: Path) -> None:
    write(tmp_path, "config.json", {"eos_token_id": 2})
    write(tmp_path, "generation_config.json", {"eos_token_id": [2, 7]})
    assert stop_token_ids(tmp_path) == {2, 7}


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelRefused, match=r"config\.json"):
        read_json(tmp_path / "config.json")
