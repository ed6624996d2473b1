"""GGUF: what Ollama is told, and a converter that fails. What is really written: tests/real/test_export_model.py."""

import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from goldsmith.trainers import _gguf
from goldsmith.trainers._report import Failure

CHAT_ML = (
    "{% for m in messages %}{% if loop.first and m.role != 'system' and default %}<|im_start|>system\n{{ default }}"
    "<|im_end|>\n{% endif %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Tokenizer:
    """Renders as a tokenizer of transformers does."""

    def __init__(self, template: str, default: str = "") -> None:
        self._template = Environment().from_string(template)  # noqa: S701 - renders no page
        self._default = default

    def apply_chat_template(
        self, messages: list[dict[str, str]], *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        assert not tokenize
        return self._template.render(
            messages=messages, add_generation_prompt=add_generation_prompt, default=self._default
        )


@pytest.mark.parametrize("default", ["", "You are kind.\nAnd brief."])
def test_chat_ml_is_known_by_what_it_renders(default: str) -> None:
    assert _gguf.chat_ml_default(Tokenizer(CHAT_ML, default)) == default


@pytest.mark.parametrize(
    "tokenizer",
    [
        Tokenizer("{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"),
        Tokenizer(CHAT_ML.replace("<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n")),
        Tokenizer(CHAT_ML, 'It says """.'),
    ],
)
def test_another_template_is_not_taken_for_it(tokenizer: Any) -> None:
    assert _gguf.chat_ml_default(tokenizer) is None


def test_ollama_is_told_the_template_the_stop_and_the_length() -> None:
    lines = _gguf.modelfile(Tokenizer(CHAT_ML, "You are kind."), "<|im_end|>", 8192)
    assert lines == (
        'FROM ./model.gguf\nTEMPLATE """{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n'
        '{{ end }}<|im_start|>assistant\n"""\nSYSTEM """You are kind."""\nPARAMETER stop "<|im_end|>"\n'
        "PARAMETER temperature 0\nPARAMETER num_ctx 8192\n"
    )


def test_of_a_template_that_is_not_known_nothing_is_made_up() -> None:
    lines = _gguf.modelfile(Tokenizer("{{ messages }}"), "</s>", None)
    assert "TEMPLATE" not in lines
    assert "SYSTEM" not in lines
    assert "num_ctx" not in lines
    assert "ollama show --template" in lines


def converter(folder: Path, program: str) -> Path:
    (folder / "converter").mkdir()
    (folder / "converter" / _gguf.CONVERTER).write_text(program)
    return folder / "converter"


def test_the_converter_is_run_as_a_program_with_its_own_packages_first(tmp_path: Path) -> None:
    program = "import gguf, pathlib, sys\npathlib.Path(sys.argv[3]).write_text(gguf.NAME + str(sys.argv[1:]))\n"
    where = converter(tmp_path, program)
    (where / "gguf.py").write_text("NAME = 'its own '\n")
    target = tmp_path / "model.gguf"
    _gguf.convert(tmp_path / "whole", target, where, "bfloat16")
    said = target.read_text()
    assert said.startswith("its own ")
    assert f"'{tmp_path / 'whole'}', '--outfile', '{target}', '--outtype', 'bf16'" in said
    assert "gguf" not in sys.modules or "its own" not in getattr(sys.modules["gguf"], "NAME", "")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise SystemExit('Model Foo is not supported')", "Model Foo is not supported"),
        ("pass", "it said nothing"),
    ],
)
def test_a_converter_that_fails_is_told_with_its_last_words(tmp_path: Path, program: str, words: str) -> None:
    with pytest.raises(Failure, match=words) as failed:
        _gguf.convert(tmp_path, tmp_path / "model.gguf", converter(tmp_path, program), "float16")
    assert "whole model" in failed.value.hint


def test_a_converter_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is not there") as failed:
        _gguf.convert(tmp_path, tmp_path / "model.gguf", tmp_path, "float16")
    assert failed.value.hint == "Run: goldsmith env install gguf"
