"""What the backend `axolotl` refuses, and what it runs."""

from dataclasses import replace

from tests.contract.job_folder import CPU

from goldsmith.environments.types import EnvironmentName
from goldsmith.train.backends.axolotl import Axolotl, AxolotlOptions

GPU = replace(CPU, gpus=("NVIDIA H100",))
AS_IT_COMES, IN_4_BIT = (AxolotlOptions.model_validate({"load_in_4bit": is_4bit}) for is_4bit in (False, True))


def test_4_bit_is_refused_without_an_nvidia_gpu_and_with_one_it_is_not() -> None:
    [problem] = Axolotl().check(IN_4_BIT, CPU)
    assert "needs an NVIDIA GPU" in problem.summary
    assert Axolotl().check(IN_4_BIT, GPU) == []
    assert Axolotl().check(AS_IT_COMES, CPU) == []


def test_it_computes_in_float32_on_a_cpu_and_in_bfloat16_on_a_gpu() -> None:
    plan = Axolotl().plan(AS_IT_COMES, CPU)
    assert (plan.program, plan.environment) == ("goldsmith.trainers.axolotl_sft", EnvironmentName.AXOLOTL)
    assert (plan.settings["dtype"], plan.settings["load_in_4bit"], plan.needs_pairs) == ("float32", False, False)
    assert Axolotl().plan(IN_4_BIT, GPU).settings["dtype"] == "bfloat16"
