"""A fine-tuned model, and the files of a base model, for tests of pages and API."""

import json
import struct
from pathlib import Path

from sqlalchemy.orm import Session
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id


def make_tuned_model(session: Session, base: BaseModel, *, by: Person, name: str = "support-1") -> FineTunedModel:
    """A model with a win rate, trained from `base`."""
    model = FineTunedModel(
        id=new_id(Prefix.FINE_TUNED_MODEL),
        name=name,
        base_model=base.name,
        base_model_id=base.id,
        philosopher=by.name,
        domain=by.domain,
        training_job_id="job_1",
        training_config={"lora_rank": 8},
        model_path=f"models/{name}",
        content_hash="0" * 64,
        template_hash="0" * 64,
        lora_rank=8,
        win_rate=0.8,
        measured_at={"win_rate": {"by": "job_1", "at": "2026-01-02"}},
        created_by=by.id,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    session.add(model)
    session.flush()
    return model


def make_model_folder(folder: Path) -> Path:
    """A base model of four numbers, with a tokenizer and a chat template."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    words = [AddedToken(word, normalized=False, special=True) for word in ("<|im_start|>", "<|im_end|>")]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, show_progress=False, initial_alphabet=alphabet, special_tokens=words)
    tokenizer.train_from_iterator(["a question and an answer"], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 4096}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}))
    (folder / "chat_template.jinja").write_text(
        "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    header = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    return folder
