"""What only saves memory or time changes nothing that is learned, and what is learned on packed weights is proved on
whole ones: those that an engine has."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.real.homes import BACKENDS

from goldsmith.environments import folders
from goldsmith.environments.types import EnvironmentName
from goldsmith.testing.contracts.job_folder import Trainer, losses, make_folder, run
from goldsmith.wire.events import Event

pytestmark = pytest.mark.real
SEEN_NATS = 0.1
"""The first loss, before anything was learned, was seen to differ by 0.4 where the base model is in 4 bit."""


@pytest.fixture(scope="module")
def trl(trl_python: Path, smollm2_folder: Path) -> Trainer:
    return Trainer(BACKENDS["trl"], trl_python, smollm2_folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, trl: Trainer) -> tuple[Path, list[Event]]:
    folder = make_folder(tmp_path_factory.mktemp("plain"), trl, lora_dropout=0.0)
    return folder, run(trl, folder)


def probe_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "result" / "probe.jsonl").read_text(encoding="utf-8").splitlines()]


def test_without_padding_and_with_layers_computed_twice_all_losses_are_the_same(
    tmp_path: Path, trl: Trainer, plain: tuple[Path, list[Event]]
) -> None:
    folder = make_folder(tmp_path, trl, lora_dropout=0.0, gradient_checkpointing="on", padding_free=True)
    assert losses(run(trl, folder)) == pytest.approx(losses(plain[1]), rel=1e-5)
    for row, other in zip(probe_of(folder), probe_of(plain[0]), strict=True):
        assert row["token_logprobs"] == pytest.approx(other["token_logprobs"], abs=1e-3)


def test_an_adapter_that_learned_on_4_bit_is_proved_on_the_base_model_that_engines_have(
    tmp_path: Path, real_home: Path, smollm2_folder: Path, plain: tuple[Path, list[Event]]
) -> None:
    """Only the environment of Axolotl packs weights without a GPU; a person is refused it there, for it is slow."""
    python = folders.python_of(EnvironmentName.AXOLOTL, home=real_home)
    axolotl = Trainer(BACKENDS["axolotl"], python, smollm2_folder)
    folder = make_folder(tmp_path, axolotl, lora_dropout=0.0, beside_options={"load_in_4bit": True})
    packed = losses(run(axolotl, folder))
    assert abs(packed[1] - losses(plain[1])[1]) > SEEN_NATS
    for row, whole in zip(probe_of(folder), probe_of(plain[0]), strict=True):
        assert row["base_token_logprobs"] == pytest.approx(whole["base_token_logprobs"], abs=1e-2)
        assert row["token_logprobs"] != pytest.approx(row["base_token_logprobs"], abs=1e-2)
