"""A home with a tiny base model, fine-tuned models of every health, and fakes in place of vLLM."""

import json
import struct
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

import goldsmith.jobs.tables
import goldsmith.models.tables
import goldsmith.serve.tables  # noqa: F401
from goldsmith.jobs.types import Launch
from goldsmith.models.rendering import Renderer
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.serve import queries
from goldsmith.serve.engine import EnginePlan, Program
from goldsmith.serve.tables import Deployment
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire import manifest

from .keeping import attached, keeping, without_waiting  # noqa: F401 - fixtures

TEMPLATE = (
    "{%- for message in messages %}\n"
    "    {{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}\n"
)
MODULE = "model.layers.0.self_attn.q_proj"
RANK = 8


def safetensors(tensors: dict[str, tuple[list[int], list[float]]]) -> bytes:
    header: dict[str, Any] = {}
    data = b""
    for name, (shape, numbers) in tensors.items():
        content = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def adapter_bytes(*, prefix: str = "base_model.model.", b: float = 0.5, rank: int = RANK) -> bytes:
    return safetensors(
        {
            f"{prefix}{MODULE}.lora_A.weight": ([rank, 2], [0.1] * 2 * rank),
            f"{prefix}{MODULE}.lora_B.weight": ([2, rank], [b] * 2 * rank),
        }
    )


@pytest.fixture(scope="session")
def tokenizer_text() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    words = [AddedToken(w, normalized=False, special=True) for w in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, show_progress=False, initial_alphabet=alphabet, special_tokens=words)
    tokenizer.train_from_iterator(["user assistant question"], trainer)
    return str(tokenizer.to_str())


@pytest.fixture
def by(database: Database) -> Person:
    with database.transaction() as session:
        return people.known_by_name(session, "Ada")


@pytest.fixture
def base(database: Database, home: Home, by: Person, tokenizer_text: str) -> BaseModel:
    folder = home.models / "base"
    folder.mkdir()
    (folder / "tokenizer.json").write_text(tokenizer_text)
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 2048}))
    weights = {f"{MODULE}.weight": ([2, 2], [1.0] * 4), "model.embed_tokens.weight": ([2, 2], [1.0] * 4)}
    (folder / "model.safetensors").write_bytes(safetensors(weights))
    return add_base(database, by, "bm_1", "tiny", Renderer.open(folder).template_hash)


def add_base(database: Database, by: Person, model_id: str, name: str, template_hash: str = "t") -> BaseModel:
    model = BaseModel(
        id=model_id,
        name=name,
        source="folder",
        hub_id=f"somebody/{name}",
        folder="models/base",
        content_hash="0" * 64,
        size_bytes=1,
        num_parameters=4,
        context_length=2048,
        template_hash=template_hash,
        end_marker="<|im_end|>",
        domain=by.domain,
        created_by=by.id,
    )
    with database.transaction() as session:
        session.add(model)
    return model


ModelMaker = Callable[..., FineTunedModel]


@pytest.fixture
def make_model(database: Database, home: Home, by: Person, base: BaseModel) -> ModelMaker:
    """A fine-tuned model whose folder is as a training leaves it, or broken as the arguments say."""

    def make(
        name: str = "tuned",
        *,
        adapter: bytes | None = None,
        template_hash: str | None = None,
        rank: int = RANK,
        tuned_factor: float = 0.05,
        shift: float = 0.0,
    ) -> FineTunedModel:
        model_id = f"ftm_{name.replace(' ', '_')}"
        folder = home.models / model_id
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(adapter or adapter_bytes(rank=rank))
        config = {"peft_type": "LORA", "r": rank, "target_modules": ["q_proj"]}
        (folder / "adapter_config.json").write_text(json.dumps(config))
        lines = probe_lines(Renderer.open(home.root / base.folder), tuned_factor)
        (folder / "probe.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        if shift:
            (folder / "fake_engine.json").write_text(json.dumps({"shift": shift}))
        manifest.write(folder)
        return add_model(database, by, base, model_id, name, template_hash or base.template_hash, rank)

    return make


def probe_lines(renderer: Renderer, tuned_factor: float) -> list[dict[str, Any]]:
    lines = []
    for number in range(6):
        messages = [
            {"role": "user", "content": f"question {number}"},
            {"role": "assistant", "content": f"an answer, number {number}"},
        ]
        example = renderer.render_example(messages)
        base = [-1.0 - (token % 5) for token in example.labels if token != -100]
        lines.append(
            {
                "row_id": f"row_{number}",
                "side": "learn" if number < 4 else "exam",
                "input_ids": example.token_ids,
                "labels": example.labels,
                "token_logprobs": [value * tuned_factor for value in base],
                "base_token_logprobs": base,
            }
        )
    return lines


def add_model(
    database: Database, by: Person, base: BaseModel, model_id: str, name: str, template_hash: str, rank: int
) -> FineTunedModel:
    now = clock.now()
    model = FineTunedModel(
        id=model_id,
        name=name,
        base_model=base.name,
        base_model_id=base.id,
        version=1,
        philosopher=by.name,
        domain=by.domain,
        training_config={},
        model_path=f"models/{model_id}",
        content_hash="0" * 64,
        template_hash=template_hash,
        lora_rank=rank,
        measured_at={},
        status="trained",
        created_by=by.id,
        created_at=now,
        updated_at=now,
    )
    with database.transaction() as session:
        session.add(model)
    return model


@pytest.fixture
def fake_program() -> Program:
    return make_fake_program()


def make_fake_program(*more: str) -> Program:
    def program(plan: EnginePlan) -> Launch:
        argv = [sys.executable, "-m", "goldsmith.testing", "--port", str(plan.port)]
        argv += ["--served-model-name", plan.served_name, "--max-lora-rank", str(plan.max_lora_rank)]
        argv += ["--key-file", str(plan.key_file), "--model-folder", str(plan.base_folder), *more]
        return Launch(tuple(argv), cwd=plan.base_folder, env={"PATH": "/usr/bin:/bin"})

    return program


def reading(database: Database, ask: Callable[[Session], Any]) -> Any:
    with database.reading() as session:
        return ask(session)


def make_live(session: Session, model_id: str, *, proof: str = "proved") -> Deployment:
    """What the keeper and a receipt would write."""
    deployment = queries.deployment_of(session, model_id)
    engine = queries.one(session, deployment.engine_id)
    engine.state, engine.url = "ready", "http://127.0.0.1:8000"
    deployment.state, deployment.generation = "loaded", engine.generation
    if deployment.proof != "not_needed":
        deployment.proof = proof
    session.flush()
    return deployment
