"""What the backend `axolotl` runs."""

from dataclasses import replace

from goldsmith.environments.types import EnvironmentName
from goldsmith.models.types import Learns
from goldsmith.testing.contracts.job_folder import CPU
from goldsmith.train.backends.axolotl import Axolotl, AxolotlOptions

GPU = replace(CPU, gpus=("NVIDIA H100",))
IN_4_BIT = AxolotlOptions.model_validate({"load_in_4bit": True})


def test_it_runs_its_program_in_its_own_environment() -> None:
    plan = Axolotl().plan(AxolotlOptions.model_validate({}), CPU)
    assert (plan.program, plan.environment) == ("goldsmith.trainers.axolotl_sft", EnvironmentName.AXOLOTL)
    assert (plan.settings["dtype"], plan.settings["load_in_4bit"], plan.learns) == ("float32", False, Learns.answers)


def test_4_bit_is_for_a_gpu() -> None:
    assert len(Axolotl().check(IN_4_BIT, CPU)) == 1
    assert Axolotl().check(IN_4_BIT, GPU) == []
    assert Axolotl().plan(IN_4_BIT, GPU).settings["load_in_4bit"]
