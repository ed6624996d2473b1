from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.environments import folders, installer
from goldsmith.environments.errors import EnvironmentInstallFailed, InstallUnderWay, NotEnoughDisk
from goldsmith.environments.installer import Build
from goldsmith.environments.types import EnvironmentName, EnvironmentStatus, Lock, Pin

if TYPE_CHECKING:
    from tests.unit.environments.conftest import FakeIndex

    from goldsmith.environments.pip import Sources

pytestmark = [pytest.mark.enable_socket, pytest.mark.xdist_group("environments")]


def make_build(home: Path, sources: Sources, *pins: Pin, size_bytes: int | None = None) -> Build:
    lock = Lock(
        name=EnvironmentName.TRL,
        target="cp311-linux-x86_64-cpu",
        status="resolved, not installed",
        pins=pins,
        metadata_only=(("fakeasked", "0.1+cpu"),),
        size_bytes=size_bytes,
    )
    return Build(lock, home, sources, lambda line, share: None, Path(sys.executable))


def make_old_environment(place: Path) -> None:
    """An environment that was built from another lock."""
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python").touch()
    facts = {"name": "trl", "target": "t", "lock_hash": "old", "lock_status": "", "python_version": "3.11.0"}
    counted = {"installed_at": "", "install_s": 1.0, "size_bytes": 7, "packages": {}}
    (place / folders.MANIFEST).write_text(json.dumps(facts | counted))


def test_an_install_is_whole_and_the_second_time_returns_at_once(
    index: FakeIndex, sources: Sources, quick_python: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    build = make_build(tmp_path, sources, index.add("fakewhole", "3.1+cpu"))
    build = replace(build, python=quick_python, report=lambda line, share: said.append(line))
    make_old_environment(build.place)
    environment = installer.install_lock(build)
    assert said[-1] == "The environment trl is ready."
    assert not [line for line in said if sources.torch_index_url in line], "pip offers it: nobody else is asked"
    assert environment.is_installed
    assert environment.lock_hash == build.lock.lock_hash
    assert (environment.size_bytes or 0) > 1_000_000
    asked = "import fakewhole, importlib.metadata as m; print(fakewhole.version, m.version('fakeasked'))"
    python = folders.python_of(EnvironmentName.TRL, home=tmp_path)
    answered = subprocess.run([python, "-E", "-s", "-c", asked], capture_output=True, text=True, check=True)
    assert answered.stdout == "3.1+cpu 0.1+cpu\n"
    assert sorted(path.name for path in build.place.parent.iterdir()) == [".trl.lock", "trl"]

    said.clear()
    unreachable = replace(sources, env={"PIP_INDEX_URL": "http://127.0.0.1:9/simple"})
    assert installer.install_lock(replace(build, sources=unreachable)) == environment
    assert said == ["The environment trl is already there."]


def test_a_failing_install_leaves_nothing_that_looks_whole_and_keeps_the_old_one(
    sources: Sources, tmp_path: Path
) -> None:
    broken = replace(make_build(tmp_path, sources), python=Path("/bin/false"))
    with pytest.raises(EnvironmentInstallFailed, match="could not make a virtual environment"):
        installer.install_lock(broken)
    assert not broken.place.exists()
    make_old_environment(broken.place)
    with pytest.raises(EnvironmentInstallFailed):
        installer.install_lock(broken)
    kept = folders.find(EnvironmentName.TRL, home=tmp_path)
    assert (kept.lock_hash, kept.status) == ("old", EnvironmentStatus.OUTDATED)
    assert sorted(path.name for path in broken.place.parent.iterdir()) == [".trl.lock", "trl"]


def test_what_a_killed_install_left_is_cleared_and_the_environment_before_it_comes_back(
    sources: Sources, tmp_path: Path
) -> None:
    broken = replace(make_build(tmp_path, sources), python=Path("/bin/false"))
    make_old_environment(broken.place.with_name(".trl.old"))
    (broken.place / "lib").mkdir(parents=True)
    assert folders.find(EnvironmentName.TRL, home=tmp_path).status is EnvironmentStatus.BROKEN
    with pytest.raises(EnvironmentInstallFailed):
        installer.install_lock(broken)
    assert folders.find(EnvironmentName.TRL, home=tmp_path).lock_hash == "old"


def test_two_installs_at_once_are_refused_with_a_sentence(sources: Sources, tmp_path: Path) -> None:
    build = make_build(tmp_path, sources)
    with (
        folders.only_one(EnvironmentName.TRL, home=tmp_path),
        pytest.raises(InstallUnderWay, match="trl is being installed or removed by another process"),
    ):
        installer.install_lock(build)


def test_too_little_room_is_refused_before_anything_is_fetched(sources: Sources, tmp_path: Path) -> None:
    build = make_build(tmp_path, sources, size_bytes=10**18)
    with pytest.raises(NotEnoughDisk, match=r"needs about 1500000000\.0 GB"):
        installer.install_lock(build)
    assert not build.place.exists()


def test_an_install_that_is_killed_leaves_nothing_that_looks_whole_and_the_next_one_is(
    index: FakeIndex, sources: Sources, quick_python: Path, tmp_path: Path
) -> None:
    pin = index.add("fakekilled", "1.0")
    build = replace(make_build(tmp_path, sources, pin), python=quick_python)
    program = (
        "import json, sys, time\n"
        "from pathlib import Path\n"
        "from goldsmith.environments import installer, pip\n"
        "from goldsmith.environments.types import EnvironmentName, Lock, Pin\n"
        "said = json.loads(sys.argv[1])\n"
        "def report(text, share):\n"
        "    print(text, flush=True)\n"
        "    if text.startswith('Looking'):\n"
        "        time.sleep(60)\n"
        "pin = Pin(said['name'], said['version'], (said['hash'],))\n"
        "lock = Lock(EnvironmentName.TRL, 'cp311-linux-x86_64-cpu', 'resolved, not installed', (pin,))\n"
        "sources = pip.Sources(said['url'], said['env'])\n"
        "installer.install_lock(installer.Build(lock, Path(said['home']), sources, report, Path(said['python'])))\n"
    )
    said = {"name": pin.name, "version": pin.version, "hash": pin.hashes[0], "url": sources.torch_index_url}
    said |= {"home": str(tmp_path), "python": str(quick_python)}
    argv = [sys.executable, "-c", program, json.dumps({**said, "env": dict(sources.env or {})})]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        lines = iter(killed.stdout.readline, "")
        assert any(line.startswith("Looking at what was installed") for line in lines)
        with pytest.raises(InstallUnderWay):
            installer.install_lock(build)
        killed.kill()
    assert folders.find(EnvironmentName.TRL, home=tmp_path).status is EnvironmentStatus.BROKEN
    assert installer.install_lock(build).status is not EnvironmentStatus.BROKEN
    assert sorted(path.name for path in build.place.parent.iterdir()) == [".trl.lock", "trl"]
