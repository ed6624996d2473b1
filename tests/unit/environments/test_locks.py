import re
import sys
from pathlib import Path

import pytest

from goldsmith.environments import locks
from goldsmith.environments.errors import LockUnreadable, NoLockForThisMachine
from goldsmith.environments.types import EnvironmentName, InstallHint, Lock

HASH = "0" * 64
SHIPPED = [(name, target) for name in EnvironmentName for target in locks.targets(name)]


def parse(text: str) -> Lock:
    return locks.parse_lock(text, name=EnvironmentName.TRL, target="cp311-linux-x86_64-cpu")


@pytest.mark.parametrize(("name", "target"), SHIPPED)
def test_every_shipped_lock_pins_each_package_once_with_a_hash(name: EnvironmentName, target: str) -> None:
    lock = locks.read_lock(name, target)
    names = [pin.name for pin in lock.pins]
    assert len(names) == len(set(names))
    assert (len(names) > 20) is (name is not EnvironmentName.GGUF)  # that one has only what trl lacks
    assert all(pin.hashes for pin in lock.pins if pin.is_hash_binding)
    assert all(pin.name == "torch" for pin in lock.pins if not pin.is_hash_binding)
    assert re.fullmatch(r"installed and seen \d{4}-\d\d-\d\d|resolved, not installed", lock.status)
    assert not lock.is_seen or (lock.minutes and lock.size_bytes)


@pytest.mark.parametrize(("name", "target"), SHIPPED)
def test_no_shipped_lock_names_a_registry(name: EnvironmentName, target: str) -> None:
    text = (locks.LOCKS / name / f"{target}.txt").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s)]+", text)) <= {"https://download.pytorch.org/whl/cpu"}


@pytest.mark.parametrize("target", locks.targets(EnvironmentName.VLLM_CPU))
def test_the_engine_for_cpus_has_no_torchvision_and_answers_for_vllm(target: str) -> None:
    lock = locks.read_lock(EnvironmentName.VLLM_CPU, target)
    pins = {pin.name: pin.version for pin in lock.pins}
    assert not pins.keys() & {"torchvision", "torchaudio", "torchcodec"}
    assert lock.metadata_only == (("vllm", f"{pins['vllm-cpu']}+cpu"),)


def test_what_training_needs_is_in_its_lock() -> None:
    lock = locks.read_lock(EnvironmentName.TRL, "cp311-linux-x86_64-cpu")
    needed = {"torch", "trl", "peft", "transformers", "datasets", "accelerate", "gguf", "psutil", "safetensors"}
    assert needed <= {pin.name for pin in lock.pins}


def test_a_remark_does_not_change_the_lock_hash_and_a_version_does() -> None:
    lock = parse(f"# status: resolved, not installed\na==1 --hash=sha256:{HASH}\n")
    remarked = parse(f"# status: installed and seen 2026-11-23\n# minutes: 2\n\na==1 --hash=sha256:{HASH}\n")
    assert lock.lock_hash == remarked.lock_hash
    assert lock.lock_hash != parse(f"a==2 --hash=sha256:{HASH}\n").lock_hash
    assert lock.lock_hash != parse(f"# metadata-only: b==1\na==1 --hash=sha256:{HASH}\n").lock_hash


def test_a_line_without_hash_is_refused_with_its_number() -> None:
    with pytest.raises(LockUnreadable, match=r"line 2: a has no hash"):
        parse("# a lock\na==1\n")


@pytest.mark.parametrize("line", ["a>=1", "-e .", "--index-url http://elsewhere", "a==1 ; python_version < '3.12'"])
def test_a_line_that_is_not_an_exact_version_is_refused(line: str) -> None:
    with pytest.raises(LockUnreadable, match="expected `name==version"):
        parse(line)


def test_a_hash_that_does_not_bind_is_marked() -> None:
    (pin,) = parse(f"torch==2.13.0+cpu --hash=sha256:{HASH}  # hash not binding\n").pins
    assert not pin.is_hash_binding
    assert pin.is_local_build
    assert pin.line == f"torch==2.13.0+cpu --hash=sha256:{HASH}"


def test_a_machine_without_a_lock_is_told_which_there_are(tmp_path: Path) -> None:
    old_python = tmp_path / "python"
    old_python.write_text("#!/bin/sh\necho cp38\n")
    old_python.chmod(0o700)
    with pytest.raises(NoLockForThisMachine, match=r"no lock of trl for cp38-.*There are: .*cp311-linux-x86_64-cpu"):
        locks.find_lock(EnvironmentName.TRL, python=old_python)


def test_a_python_that_does_not_start_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoLockForThisMachine, match="nothing is not a Python that can be started"):
        locks.find_lock(EnvironmentName.TRL, python=tmp_path / "nothing")


def test_the_engines_name_decides_about_the_gpu() -> None:
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert locks.this_target(EnvironmentName.VLLM_CPU, has_gpu=True).endswith("-cpu")
    assert locks.this_target(EnvironmentName.VLLM, has_gpu=False).endswith("-cuda")
    assert locks.this_target(EnvironmentName.TRL, has_gpu=True).endswith("-cuda")
    assert locks.this_target(EnvironmentName.TRL, has_gpu=False).startswith(tag)


@pytest.mark.parametrize(("name", "target"), SHIPPED)
def test_only_what_was_installed_is_called_seen(name: EnvironmentName, target: str) -> None:
    is_first_of_all = target.startswith("cp311-") and target.endswith("-cpu")
    assert locks.read_lock(name, target).is_seen == is_first_of_all


@pytest.mark.parametrize(("name", "target"), [each for each in SHIPPED if each[0] is not EnvironmentName.GGUF])
def test_a_gpu_gets_the_cuda_build_and_a_cpu_the_small_one(name: EnvironmentName, target: str) -> None:
    torch = next(pin for pin in locks.read_lock(name, target).pins if pin.name == "torch")
    assert torch.is_local_build == target.endswith("-cpu")
    assert torch.version.endswith("+cpu") == target.endswith("-cpu")


def test_every_environment_has_a_lock_for_each_python() -> None:
    for name in EnvironmentName:
        assert {target[:5] for target in locks.targets(name)} == {"cp311", "cp312", "cp313"}


@pytest.mark.parametrize(
    ("minutes", "size_bytes", "sentence"),
    [
        (1.4, 1_234_000_000, "1.2 GB on disk, about 1 min, once."),
        (0.3, 5_000_000, "5.0 MB on disk, about 20 s, once."),
        (None, None, "size and time were not measured on a machine like this; once."),
    ],
)
def test_what_an_install_takes_is_written_for_people(
    minutes: float | None, size_bytes: int | None, sentence: str
) -> None:
    assert InstallHint(minutes, size_bytes, "").sentence == sentence
