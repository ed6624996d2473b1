"""What every backend that trains an adapter refuses, and what it computes in."""

from dataclasses import replace

from goldsmith.testing.contracts.job_folder import CPU
from goldsmith.train.backends.lora import LoraOptions, QloraOptions, problems_of_4bit, settings_on

GPU = replace(CPU, gpus=("NVIDIA H100",))
AS_IT_COMES, IN_4_BIT = (QloraOptions.model_validate({"load_in_4bit": is_4bit}) for is_4bit in (False, True))


def test_4_bit_is_refused_without_an_nvidia_gpu_and_with_one_it_is_not() -> None:
    [problem] = problems_of_4bit(IN_4_BIT, CPU)
    assert "needs an NVIDIA GPU" in problem.summary
    assert problems_of_4bit(IN_4_BIT, GPU) == []
    assert problems_of_4bit(AS_IT_COMES, CPU) == []


def test_it_computes_in_float32_on_a_cpu_and_in_bfloat16_on_a_gpu() -> None:
    chosen = LoraOptions.model_validate({})
    assert settings_on(CPU, chosen) == {**chosen.model_dump(), "dtype": "float32"}
    assert settings_on(GPU, chosen)["dtype"] == "bfloat16"
