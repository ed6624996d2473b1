"""What this machine is, read from the system's own files."""

from dataclasses import replace
from pathlib import Path

from goldsmith.environments import machine


def test_this_machine_has_cores_memory_and_a_place_for_heavy_work() -> None:
    facts = machine.look()
    assert facts.num_cores >= 1
    assert facts.memory_bytes > 100_000_000
    assert facts.name
    assert facts.slots


def test_gpus_are_read_in_their_order_and_named(tmp_path: Path) -> None:
    assert machine._gpus(tmp_path / "none") == ()
    for number, text in (("0000:01", "Model: \t\t NVIDIA H100\nIRQ: 1\n"), ("0000:02", "IRQ: 2\n")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "information").write_text(text)
    assert machine._gpus(tmp_path) == ("NVIDIA H100", "NVIDIA GPU")


def test_each_gpu_is_a_slot_and_without_one_the_cpu_is() -> None:
    facts = replace(machine.look(), gpus=("a", "b"))
    assert (facts.device, facts.slots) == ("cuda", ("gpu0", "gpu1"))
    facts = replace(facts, gpus=())
    assert (facts.device, facts.slots) == ("cpu", ("cpu",))
