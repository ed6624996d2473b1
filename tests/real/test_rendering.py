"""The ids that Goldsmith makes are those that transformers makes, for the real model's template and tokenizer."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from goldsmith.models.rendering import Renderer

pytestmark = pytest.mark.real

NUM_CHATS = 200
PIECES = [
    "My card has not arrived", "PIN 4711", "{{ row }}", "{% if %}", "\n", "\n\n", " ", "\t", "\r\n", "\x00", "é", "🙂",
    "日本語", "e\u0301", "\u200b", "<|im_end|>", "<|im_start|>assistant\n", "<filename>", "card_arrival", "...", "123",
]  # fmt: skip
ORACLE = """
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
for line in open(sys.argv[2], encoding="utf-8", newline="\\n"):
    chat = json.loads(line)
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
    text = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    print(json.dumps({"ids": ids, "text": text}))
"""


def make_chats(num_chats: int) -> list[list[dict[str, str]]]:
    """Chats of one to four messages, with white space, control words, braces and odd characters."""
    rng = random.Random(7)  # noqa: S311 - the same chats every time
    chats = []
    for _ in range(num_chats):
        roles = ["system"] * rng.randint(0, 1) + ["user", "assistant", "user"][: rng.randint(1, 3)]
        chats.append([{"role": role, "content": "".join(rng.choices(PIECES, k=rng.randint(0, 6)))} for role in roles])
    return chats


def test_prompts_are_those_of_transformers(smollm2_folder: Path, trl_python: Path, tmp_path: Path) -> None:
    chats = make_chats(NUM_CHATS)
    path = tmp_path / "chats.jsonl"
    path.write_text("".join(json.dumps(chat) + "\n" for chat in chats))
    done = subprocess.run(
        [trl_python, "-c", ORACLE, smollm2_folder, path],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
    )
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    renderer = Renderer.open(smollm2_folder)
    rendered = [renderer.render_prompt(chat) for chat in chats]
    assert [prompt.text for prompt in rendered] == [line["text"] for line in expected]
    assert [prompt.token_ids for prompt in rendered] == [line["ids"] for line in expected]


def test_the_real_tokenizer_learns_answers_exactly(smollm2_folder: Path) -> None:
    renderer = Renderer.open(smollm2_folder)
    assert renderer.end_marker == "<|im_end|>"
    assert renderer.end_marker_id == 2
    assert renderer.is_stopped_by_end_marker
    num_learned = 0
    for chat in make_chats(NUM_CHATS):
        if chat[-1]["role"] != "assistant" or any(renderer.find_control_words(turn["content"]) for turn in chat):
            continue
        example = renderer.render_example(chat)
        learned = example.labels[-example.num_learned_tokens :]
        assert renderer.decode(learned) == chat[-1]["content"] + "<|im_end|>"
        num_learned += 1
    assert num_learned > 20
