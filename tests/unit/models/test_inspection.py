"""A model is told by what its files hold; whatever could run code is refused by file and key."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from goldsmith.models import inspection
from goldsmith.models.errors import ModelRefused
from goldsmith.models.inspection import ModelKind, inspect_folder, inspect_gguf, kind_of
from goldsmith.models.rendering import Renderer

FolderMaker = Callable[..., Path]


def test_the_facts_of_a_whole_model(make_folder: FolderMaker, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model")
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n")
    facts = inspect_folder(folder)
    assert facts.architecture == "LlamaForCausalLM"
    assert facts.num_parameters == 8
    assert facts.dtype == "bfloat16"
    assert facts.context_length == 2048
    assert facts.has_chat_template
    assert facts.template_hash == Renderer.open(folder).template_hash
    assert facts.end_marker == "<|im_end|>"
    assert facts.template_problem is None
    assert facts.licence == "apache-2.0"
    assert facts.size_bytes == sum(path.stat().st_size for path in folder.iterdir())
    assert [file.name for file in facts.files] == sorted(path.name for path in folder.iterdir())


def test_the_hash_counts_what_changes_the_model_and_nothing_else(make_folder: FolderMaker, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model")
    before = inspect_folder(folder).content_hash
    (folder / "README.md").write_text("A readme without front matter")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.py").write_text("hidden files are neither read nor kept")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    assert inspect_folder(folder).content_hash == before
    assert "photo.png" not in {file.name for file in inspect_folder(folder).files}
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert inspect_folder(tmp_path / "elsewhere").content_hash == before
    (folder / "chat_template.jinja").write_text("another")
    assert inspect_folder(folder).content_hash != before


def test_a_model_without_a_usable_template_says_why(make_folder: FolderMaker, tmp_path: Path) -> None:
    facts = inspect_folder(make_folder(tmp_path / "none", None))
    assert (facts.has_chat_template, facts.template_hash, facts.end_marker) == (False, None, None)
    assert facts.template_problem == "The model has no chat template, so it cannot chat."
    facts = inspect_folder(make_folder(tmp_path / "bad", "no answer in it"))
    assert facts.has_chat_template
    assert "leaves the assistant's answer out" in str(facts.template_problem)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("pytorch_model.bin", b"x", r"pytorch_model\.bin is a pickle"),
        ("training_args.bin", b"", r"training_args\.bin is a pickle"),
        ("original/consolidated.00.PTH", b"x", r"original/consolidated\.00\.PTH"),
        ("notes.txt", b"PK\x03\x04rest", r"notes\.txt is a pickle"),
        ("optimizer.json", b"\x80\x04\x95abc", r"optimizer\.json is a pickle"),
        ("modeling_x.py", b"", r"modeling_x\.py is program code"),
        ("nested/deep/evil.so", b"", "program code"),
        ("custom_generate/generate.txt", b"", "custom_generate"),
        (
            "tokenizer_config.json",
            b'{"auto_map": {"AutoTokenizer": "x.Y"}}',
            r"tokenizer_config\.json: the key auto_map",
        ),
        ("config.json", b'{"text_config": [{"auto_map": {}}]}', r"config\.json: the key auto_map"),
        ("generation_config.json", b'{"custom_pipelines": {}}', "custom_pipelines"),
        ("config.json", b"{}", r"without config\.json"),
        ("config.json", b'{"a": 1}', "names no architecture"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": "../x.safetensors"}}', "not a weight file"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": "model.safetensors"}}', "'a' is not in"),
        ("model.safetensors.index.json", b'{"weight_map": {}}', "does not say"),
        ("model.safetensors", b"PK\x03\x04restofthezip", "not a safetensors file"),
    ],
)
def test_what_must_not_be_loaded_is_refused(
    make_folder: FolderMaker, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    folder = make_folder(tmp_path / "model")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    with pytest.raises(ModelRefused, match=sentence):
        inspect_folder(folder)


def test_shards_are_added_up(make_folder: FolderMaker, tmp_path: Path, safetensors_bytes: Callable[..., bytes]) -> None:
    folder = make_folder(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelRefused, match="no safetensors weights"):
        inspect_folder(folder)
    for name in ("a", "b"):
        (folder / f"{name}.safetensors").write_bytes(safetensors_bytes({name: ("F32", [5], bytes(20))}))
    with pytest.raises(ModelRefused, match="several weight files"):
        inspect_folder(folder)
    index = {"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    facts = inspect_folder(folder)
    assert (facts.num_parameters, facts.dtype) == (10, "float32")


def test_links_and_adapters_and_files_are_refused(make_folder: FolderMaker, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model")
    with pytest.raises(ModelRefused, match="not a folder"):
        inspect_folder(folder / "config.json")
    (folder / "link.json").symlink_to(folder / "config.json")
    with pytest.raises(ModelRefused, match=r"link\.json is a link"):
        inspect_folder(folder)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelRefused, match="an adapter, not a base model"):
        inspect_folder(tmp_path / "adapter")


def test_gguf_is_told_by_its_first_bytes(tmp_path: Path, gguf_bytes: Callable[..., bytes]) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(gguf_bytes())
    assert kind_of(path) is ModelKind.GGUF
    assert kind_of(tmp_path) is ModelKind.FOLDER


def test_the_facts_of_a_gguf_file(tmp_path: Path, gguf_bytes: Callable[..., bytes]) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes())
    facts = inspect_gguf(path)
    assert (facts.version, facts.num_tensors, facts.num_parameters) == (3, 3, 165)
    assert (facts.architecture, facts.context_length, facts.licence) == ("llama", 2048, "apache-2.0")
    assert facts.template_problem is None
    assert facts.size_bytes == path.stat().st_size
    path.write_bytes(gguf_bytes({"general.architecture": "llama"}))
    assert inspect_gguf(path).template_problem == "The model has no chat template, so it cannot chat."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04", "is a pickle"),
        (b"\x80\x04\x95", "is a pickle"),
        (b"hello", "neither a model folder nor a GGUF file"),
        (b"", "neither"),
    ],
)
def test_other_files_are_no_models(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelRefused, match=sentence):
        kind_of(path)
    with pytest.raises(ModelRefused, match="not there"):
        kind_of(tmp_path / "absent")


@pytest.mark.parametrize("suffix", sorted(inspection.PICKLED_SUFFIXES))
def test_every_kind_of_pickle_is_refused_by_name_whatever_it_holds(
    make_folder: FolderMaker, tmp_path: Path, suffix: str
) -> None:
    (make_folder(tmp_path / "model") / f"weights{suffix.upper()}").write_bytes(b"harmless")
    with pytest.raises(ModelRefused, match="is a pickle or may be one") as caught:
        inspect_folder(tmp_path / "model")
    assert "safetensors" in caught.value.hint


@pytest.mark.parametrize("suffix", sorted(inspection.CODE_SUFFIXES))
def test_every_kind_of_program_is_refused(make_folder: FolderMaker, tmp_path: Path, suffix: str) -> None:
    (make_folder(tmp_path / "model") / f"code{suffix}").write_bytes(b"")
    with pytest.raises(ModelRefused, match="is program code") as caught:
        inspect_folder(tmp_path / "model")
    assert f"code{suffix}" in caught.value.message


def test_what_is_neither_file_nor_folder_and_a_flood_of_files_are_refused(
    make_folder: FolderMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(make_folder(tmp_path / "pipe") / "pipe")
    with pytest.raises(ModelRefused, match="pipe does not belong in a model folder"):
        inspect_folder(tmp_path / "pipe")
    (make_folder(tmp_path / "code") / "custom_generate").mkdir()
    with pytest.raises(ModelRefused, match="custom_generate does not belong"):
        inspect_folder(tmp_path / "code")
    monkeypatch.setattr(inspection, "MAX_FILES", 3)
    with pytest.raises(ModelRefused, match="more than 3 files"):
        inspect_folder(make_folder(tmp_path / "many"))


def test_a_template_is_judged_without_the_weights(make_folder: FolderMaker, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "good")
    (folder / "model.safetensors").unlink()
    assert inspection.template_problem(folder) is None
    assert inspection.template_problem(make_folder(tmp_path / "none", None)) == inspection.NO_TEMPLATE
