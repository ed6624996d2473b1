import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.serve import receipt
from goldsmith.serve.engine_client import call
from goldsmith.serve.errors import EngineFailed
from goldsmith.serve.receipt import Finding, Subject
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine
from goldsmith.wire import manifest

from .conftest import ModelMaker, adapter_bytes


@pytest.fixture
def engine(home: Home, base: BaseModel) -> Iterator[FakeEngine]:
    with FakeEngine(base.id, base_folder=home.root / base.folder) as running:
        yield running


def prove(home: Home, base: BaseModel, model: FineTunedModel, engine: FakeEngine, **more: Any) -> Finding:
    folder = home.root / model.model_path
    call(engine.url, None, lambda client: client.load_adapter(model.id, folder))
    values: dict[str, Any] = {
        "model_id": model.id,
        "folder": folder,
        "template_hash": model.template_hash,
        "lora_rank": model.lora_rank,
        "base_folder": home.root / base.folder,
        "base_name": base.id,
        "max_lora_rank": engine.max_lora_rank,
        "url": engine.url,
        "key": None,
    }
    return receipt.prove(Subject(**{**values, **more}), lambda progress, message: None)


def wrong(finding: Finding) -> list[str]:
    return [line.name for line in finding.lines if not line.is_ok]


def test_a_good_adapter_is_proved(home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine) -> None:
    finding = prove(home, base, make_model(), engine)
    assert finding.is_green, finding.reason
    assert (finding.num_learn_rows, finding.num_exam_rows) == (4, 2)
    assert finding.latency_ms is not None
    assert finding.tokens_per_second is not None
    assert "Proved on 4 learn rows and 2 exam rows" in finding.reason
    assert not any("prompt_logprobs" in body or "echo" in body for body in engine.requests)
    salts = {body["cache_salt"] for body in engine.requests}
    assert all(salt.startswith("goldsmith: ") for salt in salts)


def test_an_adapter_of_zeros_is_refused(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    finding = prove(home, base, make_model(adapter=adapter_bytes(b=0.0)), engine)
    assert wrong(finding) == ["adapter's B matrices"]
    assert "B matrices are zero" in finding.reason


def test_names_that_the_base_does_not_have_are_refused(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    adapter = adapter_bytes(prefix="base_model.model.language_model.")
    finding = prove(home, base, make_model(adapter=adapter), engine)
    assert wrong(finding) == ["names of the weights"]
    assert "2 of the adapter's 2 weights have names that the base model does not have" in finding.reason


def test_weights_of_other_rows_are_refused(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    finding = prove(home, base, make_model(shift=-0.4), engine)
    assert wrong(finding) == ["tuned model's log-probabilities"]
    assert "trained on other rows" in finding.reason


def test_a_model_that_knows_its_rows_no_better_is_refused(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    finding = prove(home, base, make_model(tuned_factor=1.2), engine)
    assert wrong(finding) == ["learn rows"]


def test_another_template_is_refused(home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine) -> None:
    finding = prove(home, base, make_model(template_hash="f" * 64), engine)
    assert wrong(finding) == ["chat template"]
    assert "another chat template" in finding.reason


def test_an_engine_that_renders_otherwise_is_found(
    home: Home, base: BaseModel, make_model: ModelMaker, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for file in (home.root / base.folder).iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    template = other / "chat_template.jinja"
    template.write_text(template.read_text().replace("message.role ~ '\n'", "message.role ~ '\n\n'"))
    with FakeEngine(base.id, base_folder=other) as engine:
        finding = prove(home, base, make_model(), engine)
    assert wrong(finding)[0] == "prompts as token ids"


def test_a_changed_file_is_found(home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine) -> None:
    model = make_model()
    (home.root / model.model_path / "adapter_model.safetensors").write_bytes(adapter_bytes(b=0.7))
    assert wrong(prove(home, base, model, engine)) == ["files"]


def test_an_engine_that_leaves_the_adapter_out_is_found(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    engine.faults.leave_out_adapters = True
    finding = prove(home, base, make_model(), engine)
    assert wrong(finding)[0] == "effect of the adapter"
    assert "does nothing" in finding.reason


def _subject_of(home: Home, base: BaseModel, model: FineTunedModel, engine: FakeEngine) -> Subject:
    folder = home.root / model.model_path
    return Subject(model.id, folder, model.template_hash, 8, home.root / base.folder, base.id, 8, engine.url, None)


def test_another_rank_than_trained_is_found(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    assert wrong(prove(home, base, make_model(), engine, lora_rank=16)) == ["size of the adapter (rank)"]


def test_a_model_without_probe_is_refused(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    model = make_model()
    folder = home.root / model.model_path
    (folder / "probe.jsonl").unlink()
    (folder / "manifest.json").unlink()
    manifest.write(folder)
    assert "no probe.jsonl" in prove(home, base, model, engine).reason


def test_a_broken_probe_is_named_with_its_line(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    model = make_model()
    folder = home.root / model.model_path
    lines = (folder / "probe.jsonl").read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), "token_logprobs": [1.0]})
    (folder / "probe.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "manifest.json").unlink()
    manifest.write(folder)
    assert "line 2" in prove(home, base, model, engine).reason


def test_a_model_that_never_stops_is_refused(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    engine.faults.truncate = True
    assert wrong(prove(home, base, make_model(), engine)) == ["stops by itself"]


def test_an_engine_that_fails_is_no_verdict(
    home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine
) -> None:
    model = make_model()
    prove(home, base, model, engine)
    engine.faults.answer_500 = True
    with pytest.raises(EngineFailed):
        receipt.prove(_subject_of(home, base, model, engine), lambda progress, message: None)


def test_busy_engines_give_no_speed(home: Home, base: BaseModel, make_model: ModelMaker, engine: FakeEngine) -> None:
    engine.num_running = 1
    finding = prove(home, base, make_model(), engine)
    assert finding.is_green
    assert finding.latency_ms is None
