"""The walk's training once more, by others than TRL: they learn what TRL learned, and make an adapter of its shape."""

import json
import shutil
from pathlib import Path

import pytest
from tests.real.homes import BACKENDS
from tests.real.walk import Walk

from goldsmith.environments import folders
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import program
from goldsmith.jobs.folder import JobFolder
from goldsmith.models.tables import FineTunedModel
from goldsmith.testing.contracts.job_folder import Trainer, losses, read, run
from goldsmith.wire.events import Event, EventKind

pytestmark = pytest.mark.real


@pytest.fixture(scope="module", params=[EnvironmentName.UNSLOTH, EnvironmentName.AXOLOTL])
def trainer(request: pytest.FixtureRequest, real_home: Path, smollm2_folder: Path) -> Trainer:
    """A backend that has the name of its environment."""
    python = folders.python_of(request.param, home=real_home)
    return Trainer(BACKENDS[request.param], python, smollm2_folder)


@pytest.fixture(scope="module")
def theirs(walk: Walk) -> Path:
    """The job folder of the training with TRL."""
    with walk.parts.database.reading() as session:
        job_id = session.get_one(FineTunedModel, walk.model_id).training_job_id
    assert job_id is not None
    return JobFolder.of(walk.parts.home, job_id).root


@pytest.fixture(scope="module")
def folder(theirs: Path, trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same order, rows and settings, for the other program."""
    made = tmp_path_factory.mktemp(trainer.backend.name) / "job"
    shutil.copytree(theirs, made, ignore=shutil.ignore_patterns("result", "checkpoints", "attempts", "program"))
    program.copy_program(JobFolder(made))
    return made


@pytest.fixture(scope="module")
def told(folder: Path, trainer: Trainer) -> list[Event]:
    return run(trainer, folder, timeout_s=900)  # a whole training, not the few steps of the contract


def test_it_learns_the_same_from_the_same_rows(theirs: Path, told: list[Event]) -> None:
    assert told[-1].kind is EventKind.SUCCEEDED
    ours, trl = losses(told), losses(read(theirs))
    assert list(ours) == list(trl)
    assert ours == pytest.approx(trl, abs=1e-3)
    assert sum(list(ours.values())[-4:]) < sum(list(ours.values())[:4]) / 2


def test_its_proof_has_the_base_model_s_own_log_probabilities(walk: Walk, folder: Path, told: list[Event]) -> None:
    del told

    def proof(place: Path) -> dict[str, list[float]]:
        lines = (place / "probe.jsonl").read_text(encoding="utf-8").splitlines()
        return {line["row_id"]: line["base_token_logprobs"] for line in map(json.loads, lines)}

    ours, trl = proof(folder / "result"), proof(walk.model_folder)
    assert ours.keys() == trl.keys()
    for row_id, found in ours.items():
        assert found == pytest.approx(trl[row_id], abs=1e-3)


def test_its_adapter_has_the_same_weights_by_name_and_rank(walk: Walk, folder: Path, told: list[Event]) -> None:
    from goldsmith.serve import weights

    del told
    found = [
        weights.read_header(place / "adapter_model.safetensors") for place in (folder / "result", walk.model_folder)
    ]
    assert found[0].keys() == found[1].keys()
    assert {name: tensor.shape for name, tensor in found[0].items()} == {n: t.shape for n, t in found[1].items()}
    config = json.loads((folder / "result" / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA"
    assert config["base_model_name_or_path"] == "smollm2-135m-instruct"
    assert not config.get("use_dora")


def test_what_it_writes_beside_the_result_stays_in_the_job_s_folder(folder: Path, told: list[Event]) -> None:
    del told
    assert not (folder / "program" / "unsloth_compiled_cache").exists()
    assert {path.name for path in (folder / "result").iterdir()} == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "manifest.json", "probe.jsonl",
    }  # fmt: skip
