"""A base model of four numbers, with a real tokenizer and chat template: it can be imported, rendered and trained on
by the fakes, and a fake engine can stand for it. It says nothing itself.
"""

import json
import struct
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

CHAT_TEMPLATE = (
    "{%- for message in messages %}\n"
    "    {{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}\n"
)
CONTEXT_TOKENS = 4096
_CONTROL_WORDS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TENSOR = "model.layers.0.self_attn.q_proj.weight"


def write_small_model(folder: Path, *, text: str = "") -> Path:
    """Write the model to a new folder; frequent words of `text` become tokens of their own. Returns the folder."""
    folder.mkdir(parents=True)
    _tokenizer(text).save(str(folder / "tokenizer.json"))
    config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": CONTEXT_TOKENS}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    header = json.dumps({_TENSOR: {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    header += b" " * (-len(header) % 8)
    numbers = struct.pack("<4f", 1, 1, 1, 1)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + numbers)
    return folder


def _tokenizer(text: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    words = [AddedToken(word, normalized=False, special=True) for word in _CONTROL_WORDS]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, show_progress=False, initial_alphabet=alphabet, special_tokens=words)
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer
