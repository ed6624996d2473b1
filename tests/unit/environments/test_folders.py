import json
import subprocess
import sys
from pathlib import Path

import pytest

from goldsmith.environments import folders, locks
from goldsmith.environments.errors import EnvironmentInUse, EnvironmentMissing
from goldsmith.environments.folders import Manifest
from goldsmith.environments.types import EnvironmentName, EnvironmentStatus

TRL, TARGET = EnvironmentName.TRL, "cp311-linux-x86_64-cpu"


def make_environment(home: Path) -> Path:
    path = folders.path_of(TRL, home=home)
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(sys.executable)
    lock_hash = locks.read_lock(TRL, TARGET).lock_hash
    folders.write_manifest(path, Manifest("trl", TARGET, lock_hash, "", "3.11.7", "2026-11-23", 80.0, 1_500, {}))
    return path


def test_nothing_is_installed_in_an_empty_home(tmp_path: Path) -> None:
    assert [(env.name, env.status) for env in folders.page(home=tmp_path)] == [
        (name, EnvironmentStatus.MISSING) for name in EnvironmentName
    ]
    with pytest.raises(EnvironmentMissing, match="trl is not installed") as caught:
        folders.python_of(TRL, home=tmp_path)
    assert caught.value.hint == "Run: goldsmith env install trl"


def test_an_installed_environment_tells_what_it_is(tmp_path: Path) -> None:
    path = make_environment(tmp_path)
    environment = folders.find(TRL, home=tmp_path)
    assert environment.status is EnvironmentStatus.INSTALLED
    assert (environment.size_bytes, environment.python_version) == (1_500, "3.11.7")
    assert folders.python_of(TRL, home=tmp_path) == path / "bin" / "python"


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"name": "trl"}'])
def test_a_folder_without_a_whole_manifest_does_not_count(tmp_path: Path, manifest: str) -> None:
    path = make_environment(tmp_path)
    (path / folders.MANIFEST).write_text(manifest)
    assert folders.find(TRL, home=tmp_path).status is EnvironmentStatus.BROKEN
    with pytest.raises(EnvironmentMissing, match="only half there"):
        folders.python_of(TRL, home=tmp_path)


def test_an_environment_from_another_lock_is_usable_and_outdated(tmp_path: Path) -> None:
    path = make_environment(tmp_path)
    facts = json.loads((path / folders.MANIFEST).read_text())
    (path / folders.MANIFEST).write_text(json.dumps(facts | {"lock_hash": "0", "target": "../../etc"}))
    assert folders.find(TRL, home=tmp_path).status is EnvironmentStatus.OUTDATED
    assert folders.python_of(TRL, home=tmp_path).exists()


def test_removing_takes_it_away_and_removing_nothing_is_said(tmp_path: Path) -> None:
    path = make_environment(tmp_path)
    folders.remove(TRL, home=tmp_path)
    assert not path.exists()
    with pytest.raises(EnvironmentMissing):
        folders.remove(TRL, home=tmp_path)


def test_an_environment_in_use_is_not_removed(tmp_path: Path) -> None:
    path = make_environment(tmp_path)
    with subprocess.Popen([path / "bin" / "python", "-c", "input()"], stdin=subprocess.PIPE) as running:
        try:
            with pytest.raises(EnvironmentInUse, match=f"Process {running.pid} runs in the environment trl"):
                folders.remove(TRL, home=tmp_path)
        finally:
            running.kill()
    assert folders.find(TRL, home=tmp_path).is_installed


def test_the_packages_of_an_environment_lie_beside_its_interpreter(tmp_path: Path) -> None:
    path = make_environment(tmp_path)
    packages = path / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    assert folders.packages_of(TRL, home=tmp_path) == packages
    with pytest.raises(EnvironmentMissing, match="gguf is not installed"):
        folders.packages_of(EnvironmentName.GGUF, home=tmp_path)
