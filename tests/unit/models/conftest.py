"""Small model folders: a byte-level tokenizer trained on a few sentences, and chat templates of every sort."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from goldsmith.models.rendering import Renderer

CONTROL_WORDS = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<filename>", "<|begin_of_text|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>", "<s>", "</s>", "[INST]", "[/INST]",
]  # fmt: skip
SENTENCES = [
    "My card has not arrived yet, and I need it before Monday.",
    "How do I change the PIN of my card? Where is the exchange rate?",
    "system user assistant answer question topic card_arrival change_pin exchange_rate",
]
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHATML = (
    "{%- for message in messages %}\n"
    "    {{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '<|im_start|>assistant\n' }}\n"
    "{%- endif %}\n"
)
LLAMA = (
    "{{- bos_token }}\n"
    "{%- for message in messages %}\n"
    "    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] + '<|eot_id|>' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}\n"
)
TRIMMED = CHATML.replace("message.content ~", "message.content | trim ~")
SPACED = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}[INST] {{ message.content }} [/INST]"
    "{% elif message.role == 'assistant' %} {{ message.content }}{{ eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
WITHOUT_THOUGHTS = CHATML.replace("message.content", "message.content.split('</think>')[-1]")
THINKING_PROMPT = CHATML.replace("assistant\n' }}", "assistant\n<think>\n' }}")
THINKING_ANSWER = CHATML.replace(
    "message.content", "('<think>\n\n</think>\n\n' if message.role == 'assistant' else '') ~ message.content"
)
UNENDED = CHATML.replace(
    "message.content ~ '<|im_end|>\n'",
    "message.content ~ ('' if loop.last and message.role == 'assistant' else '<|im_end|>\n')",
)
LAST_UNENDED = UNENDED.replace(" and message.role == 'assistant'", "")
DATED = "{{- '<|im_start|>system\nToday is ' ~ strftime_now('%d %B %Y') ~ '<|im_end|>\n' }}" + CHATML
MARKED = CHATML.replace(
    "    {{- '<|im_start|>' ~ message.role",
    "    {% generation %}{{- '<|im_start|>' ~ message.role",
).replace("'<|im_end|>\n' }}", "'<|im_end|>\n' }}{% endgeneration %}")

TEMPLATES = {
    "smollm2": SMOLLM2,
    "chatml": CHATML,
    "llama": LLAMA,
    "trimmed": TRIMMED,
    "spaced": SPACED,
    "marked": MARKED,
    "dated": DATED,
    "without_thoughts": WITHOUT_THOUGHTS,
    "thinking_prompt": THINKING_PROMPT,
    "thinking_answer": THINKING_ANSWER,
    "unended": UNENDED,
    "last_unended": LAST_UNENDED,
}
CHATML_END = "<|im_end|>"
USABLE = ("smollm2", "chatml", "llama", "trimmed", "spaced", "marked", "dated", "without_thoughts")
END_MARKERS = {"llama": "<|eot_id|>", "spaced": "</s>"}

FolderMaker = Callable[..., Path]


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    return TEMPLATES


@pytest.fixture(scope="session")
def tokenizer_json() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(word, normalized=False, special=True) for word in CONTROL_WORDS],
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return str(tokenizer.to_str())


@pytest.fixture(scope="session")
def safetensors_bytes() -> Callable[..., bytes]:
    return make_safetensors


def make_safetensors(tensors: dict[str, tuple[str, list[int], bytes]], header: bytes | None = None) -> bytes:
    """A safetensors file; `header` replaces the right one."""
    entries: dict[str, Any] = {}
    data = b""
    for name, (dtype, shape, content) in tensors.items():
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    raw = json.dumps(entries).encode() if header is None else header
    return struct.pack("<Q", len(raw)) + raw + data


@pytest.fixture(scope="session")
def gguf_bytes() -> Callable[..., bytes]:
    return make_gguf


def gguf_text(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(value: Any) -> bytes:
    """A value with its type, as GGUF writes it."""
    if isinstance(value, str):
        return struct.pack("<I", 8) + gguf_text(value)
    if isinstance(value, bool):
        return struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(gguf_text(item) for item in value)
    return struct.pack("<IIQ", 9, 5, len(value)) + b"".join(struct.pack("<i", item) for item in value)


GGUF_KEYS = {
    "general.architecture": "llama",
    "general.license": "apache-2.0",
    "llama.context_length": 2048,
    "llama.rope.scale": 0.5,
    "tokenizer.ggml.add_bos_token": False,
    "tokenizer.ggml.tokens": ["<|im_start|>", "<|im_end|>", "a"],
    "tokenizer.ggml.token_type": [3, 3, 1],
    "tokenizer.chat_template": CHATML,
}
GGUF_TENSORS = [("token_embd.weight", [32, 3], 0, 384), ("blk.0.weight", [32, 2], 3, 40), ("norm.weight", [5], 0, 20)]
"""Name, shape, type and bytes."""


def make_gguf(
    keys: dict[str, Any] | None = None,
    tensors: list[tuple[str, list[int], int, int]] | None = None,
    *,
    alignment: int = 32,
    offsets: dict[str, int] | None = None,
) -> bytes:
    """A whole GGUF file; `offsets` replaces where tensors are said to begin."""
    keys = GGUF_KEYS if keys is None else keys
    tensors = GGUF_TENSORS if tensors is None else tensors
    raw = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    raw += b"".join(gguf_text(key) + gguf_value(value) for key, value in keys.items())
    position = 0
    for name, shape, kind, num_bytes in tensors:
        begin = (offsets or {}).get(name, position)
        raw += gguf_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, begin)
        position += -(-num_bytes // alignment) * alignment
    raw += bytes(-len(raw) % alignment)
    return raw + bytes(position)


@pytest.fixture(scope="session")
def make_folder(tokenizer_json: str) -> FolderMaker:
    """Fills a folder with a whole model; without a template, there is none."""

    def make(folder: Path, template: str | None = CHATML, *, eos_token: str = CHATML_END) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"bos_token": "<s>", "eos_token": eos_token, "model_max_length": 4096}
        config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 2048, "model_type": "llama"}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        (folder / "tokenizer.json").write_text(tokenizer_json)
        weights = {"embed": ("BF16", [3, 2], bytes(12)), "norm": ("F32", [2], bytes(8))}
        (folder / "model.safetensors").write_bytes(make_safetensors(weights))
        if template is not None:
            (folder / "chat_template.jinja").write_text(template)
        return folder

    return make


@pytest.fixture(scope="session")
def renderers(make_folder: FolderMaker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Renderer]:
    """A renderer for each template that can be used."""
    root = tmp_path_factory.mktemp("renderers")
    return {
        name: Renderer.open(make_folder(root / name, TEMPLATES[name], eos_token=END_MARKERS.get(name, "<|im_end|>")))
        for name in USABLE
    }
