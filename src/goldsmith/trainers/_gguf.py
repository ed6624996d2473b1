"""GGUF, the one file in which llama.cpp and Ollama take a model: made by llama.cpp's converter, opened by transformers.

Used by `convert_gguf` and `export_model`. The converter brings a `gguf` package of its own, so it runs as a program.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from goldsmith.trainers._report import Failure

MODEL_FILE = "model.gguf"
MODELFILE = "Modelfile"
CONVERTER = "convert_hf_to_gguf.py"
OUTTYPES = {"float16": "f16", "bfloat16": "bf16"}
CONVERT_WITHIN_S = 3600.0
PRE_TOKENIZERS_THAT_SPLIT_DIGITS = {"smollm"}
"""Values of `tokenizer.ggml.pre` whose models see every digit as a word; the loader of transformers forgets it."""
CHAT_ML = "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
"""The chat template of many models in the language of Ollama's Modelfile."""


def convert(whole: Path, target: Path, converter: Path, dtype: str) -> None:
    """Write a model's folder as one file of 16-bit numbers. Raises Failure with the converter's last words."""
    script = converter / CONVERTER
    if not script.is_file():
        raise Failure("no_converter", f"{script} is not there.", "Run: goldsmith env install gguf")
    words = [str(script), str(whole), "--outfile", str(target), "--outtype", OUTTYPES[dtype]]
    done = subprocess.run(
        [sys.executable, "-s", *words], capture_output=True, text=True, timeout=CONVERT_WITHIN_S, check=False
    )
    print(done.stderr, file=sys.stderr)
    if done.returncode != 0 or not target.is_file():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        hint = "llama.cpp may not know this kind of model. Take it out as a whole model instead."
        raise Failure("not_convertible", f"llama.cpp's converter: {last[:300]}", hint)


def read_header(source: Path) -> dict[str, Any]:
    """The few values of the file's header that transformers does not carry over."""
    from gguf import GGUFReader

    fields = GGUFReader(source).fields
    architecture = fields["general.architecture"].contents()
    wanted = {"context_length": f"{architecture}.context_length", "pre": "tokenizer.ggml.pre"}
    return {name: fields[key].contents() for name, key in wanted.items() if key in fields}


def load_tokenizer(source: Path, header: dict[str, Any]) -> Any:
    """The tokenizer in the file, with its chat template."""
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    if header.get("pre") in PRE_TOKENIZERS_THAT_SPLIT_DIGITS:
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)]
        )
    return tokenizer


def load_model(source: Path) -> Any:
    """The model in the file, in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32).eval()


def modelfile(tokenizer: Any, end_marker: str, context_length: int | None) -> str:
    """What `ollama create` needs beside the file: the template, where to stop, and answers without chance, as here."""
    lines = [f"FROM ./{MODEL_FILE}"]
    default = chat_ml_default(tokenizer)
    if default is None:
        lines.append("# Ollama takes the chat template from the file where it knows it. See: ollama show --template")
    else:
        lines.append(f'TEMPLATE """{CHAT_ML}"""')
        lines += [f'SYSTEM """{default}"""'] if default else []
    lines += [f'PARAMETER stop "{end_marker}"', "PARAMETER temperature 0"]
    lines += [f"PARAMETER num_ctx {context_length}"] if context_length else []
    return "\n".join(lines) + "\n"


def chat_ml_default(tokenizer: Any) -> str | None:
    """The system text that the template puts where a chat has none, maybe ""; None unless the template is ChatML."""
    chat = [("system", "s"), ("user", "u"), ("assistant", "a"), ("user", "v")]
    start, question = "<|im_start|>assistant\n", "<|im_start|>user\nu<|im_end|>\n"
    whole = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in chat) + start
    if _rendered(tokenizer, chat) != whole:
        return None
    alone = _rendered(tokenizer, chat[1:2])
    found = re.fullmatch(
        r"(?:<\|im_start\|>system\n(.*)<\|im_end\|>\n)?" + re.escape(question + start), alone, re.DOTALL
    )
    default = (found[1] or "") if found else None
    return None if default is None or '"""' in default else default


def _rendered(tokenizer: Any, chat: list[tuple[str, str]]) -> str:
    turns = [{"role": role, "content": content} for role, content in chat]
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
