"""Doctor says of each thing that it is fine, or what to do; a part that does not answer is a finding, not an error."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories import make_base_model, make_person

from goldsmith import app, migrations
from goldsmith.app import Parts
from goldsmith.cli import findings
from goldsmith.cli.findings import Finding
from goldsmith.environments import folders, locks
from goldsmith.environments.folders import Manifest
from goldsmith.environments.types import EnvironmentName
from goldsmith.models import hub_access
from goldsmith.models.types import SMOLLM2
from goldsmith.serve.tables import Engine
from goldsmith.settings import Settings
from goldsmith.storage.files import write_whole

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """An empty home, with two ports that nobody uses."""
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(home=tmp_path / "home", database_url=None, port=free_port(), engine_port=free_port())
    made = app.assemble(settings)
    yield made
    made.database.dispose()


@pytest.fixture
def filled(parts: Parts) -> Parts:
    """With a database that has its tables."""
    app.prepare_database(parts)
    return parts


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def look(parts: Parts) -> dict[str, Finding]:
    found = list(findings.look(parts))
    assert all(one.is_fine or one.cure for one in found), "what is not fine says what to do"
    return {one.name: one for one in found}


def make_environment(parts: Parts, name: EnvironmentName, *, starlette: str | None = None) -> Path:
    """An environment that looks installed, with some version of starlette."""
    path = folders.path_of(name, home=parts.home.root)
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(sys.executable)
    target = locks.targets(name)[0]
    lock_hash = locks.read_lock(name, target).lock_hash
    folders.write_manifest(path, Manifest(name, target, lock_hash, "", "3.11.7", "2026-11-23", 80.0, 1_500_000, {}))
    if starlette:
        (path / "lib" / "python3.11" / "site-packages" / f"starlette-{starlette}.dist-info").mkdir(parents=True)
    return path


def test_an_empty_home_is_told_what_to_install_and_nothing_is_made(parts: Parts) -> None:
    found = look(parts)
    assert found["environment trl"].cure.startswith("goldsmith env install trl")
    assert "once." in found["environment trl"].cure or "no list of versions" in found["environment trl"].sentence
    assert found["database"].sentence == "SQLite, empty; goldsmith up makes its tables"
    assert found["base models"].cure == f"goldsmith models get {SMOLLM2.name}"
    assert migrations.current(parts.database) is None


def test_without_a_model_the_one_command_is_named(filled: Parts) -> None:
    assert look(filled)["base models"].cure == f"goldsmith models get {SMOLLM2.name}"


def test_machine_memory_and_gpu_are_measured(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(parts, machine=replace(parts.machine, memory_bytes=2_000_000_000, gpus=()))
    monkeypatch.setattr(locks, "has_nvidia_gpu", lambda: True)
    found = look(small)
    assert "2.0 GB, of which" in found["memory"].sentence
    assert "more memory" in found["memory"].cure
    assert "no GPU shows" in found["GPU"].sentence
    with_gpu = replace(parts, machine=replace(parts.machine, memory_bytes=64_000_000_000, gpus=("H100",)))
    assert look(with_gpu)["GPU"].sentence == "H100"
    assert look(with_gpu)["memory"].is_fine


def test_the_disk_must_hold_what_is_still_to_be_installed(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(parts.home.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000_000))
    found = look(parts)["disk"]
    assert "1.0 GB free" in found.sentence
    assert "trl" in found.cure


def test_a_home_that_others_may_read_is_named(parts: Parts) -> None:
    assert look(parts)["home"].is_fine
    parts.home.root.chmod(0o755)
    assert look(parts)["home"].cure == f"Make it yours alone: chmod 700 {parts.home.root}"


def test_a_port_that_is_taken_is_said_with_by_whom(parts: Parts) -> None:
    free = look(parts)
    assert free[f"port {parts.settings.port} (pages)"].sentence == "free"
    with socket.socket() as pages, socket.socket() as engine:
        for taken, port in ((pages, parts.settings.port), (engine, parts.settings.engine_port)):
            taken.bind(("127.0.0.1", port))
            taken.listen()
        found = look(parts)
    here = f"(process {os.getpid()})"
    for_pages = found[f"port {parts.settings.port} (pages)"]
    assert not for_pages.is_fine
    assert here in for_pages.sentence
    assert "GOLDSMITH_PORT=" in for_pages.cure
    for_engine = found[f"port {parts.settings.engine_port} (engine)"]
    assert for_engine.is_fine
    assert here in for_engine.sentence
    assert "takes the next free port" in for_engine.cure


def test_goldsmiths_own_web_process_is_known(parts: Parts, tmp_path: Path) -> None:
    program = tmp_path / "goldsmith"
    program.write_text(
        "import socket, sys\ns = socket.socket()\ns.bind(('127.0.0.1', int(sys.argv[2])))\ns.listen()\n"
        "print('listens', flush=True)\nsys.stdin.read()\n"
    )
    argv = [sys.executable, str(program), "web", str(parts.settings.port)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as web:
        try:
            assert web.stdout is not None
            assert web.stdout.readline() == "listens\n"
            found = look(parts)[f"port {parts.settings.port} (pages)"]
        finally:
            web.kill()
    assert (found.is_fine, found.sentence) == (True, f"in use by Goldsmith itself (process {web.pid})")


def test_environments_are_measured_against_their_locks(parts: Parts) -> None:
    path = make_environment(parts, EnvironmentName.TRL)
    make_environment(parts, EnvironmentName.VLLM_CPU)
    assert look(parts)["environment trl"].sentence == "installed, 1.5 MB, Python 3.11.7"
    manifest = path / folders.MANIFEST
    text = manifest.read_text()
    manifest.write_text(text.replace('"lock_hash": "', '"lock_hash": "0'))
    outdated = look(parts)["environment trl"]
    assert (outdated.is_fine, outdated.cure) == (True, "For the newer one: goldsmith env install trl")
    manifest.unlink()
    assert "ended in the middle" in look(parts)["environment trl"].sentence


def test_a_lock_that_nobody_installed_is_said(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_python_tag", lambda python: "cp312")
    found = look(parts)["environment trl"]
    assert "never installed on a machine like this" in found.sentence
    assert "were not measured" in found.cure
    monkeypatch.setattr(locks, "_python_tag", lambda python: "cp39")
    found = look(parts)["environment trl"]
    assert "no list of versions for this machine" in found.sentence
    assert "Python 3.11" in found.cure


def test_an_engine_with_an_unsafe_starlette_is_named(parts: Parts) -> None:
    make_environment(parts, EnvironmentName.VLLM_CPU, starlette="1.0.0")
    found = look(parts)
    assert found["starlette here"].is_fine
    assert not found["starlette in vllm-cpu"].is_fine
    assert "goldsmith env remove vllm-cpu" in found["starlette in vllm-cpu"].cure


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [("1.0.1", True), ("1.10", True), ("2", True), ("1.0.0", False), ("0.49.3", False), ("x", False)],
)
def test_versions_are_compared_as_numbers(version: str, is_safe: bool) -> None:
    assert findings.starlette("here", version, "cure").is_fine is is_safe


def test_the_hub_is_named_and_not_asked(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(parts)["model hub"].sentence.endswith(", without a token")
    write_whole(hub_access.token_path(parts.home), "hf_secret\n")
    assert look(parts)["model hub"].sentence.endswith(", with a token")
    hub_access.token_path(parts.home).chmod(0o644)
    found = look(parts)["model hub"]
    assert "chmod 600" in found.cure
    assert "hf_secret" not in found.sentence + found.cure
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "never asked" in look(parts)["model hub"].sentence
    monkeypatch.setenv("HF_ENDPOINT", "nowhere")
    assert not look(parts)["model hub"].is_fine


def test_a_database_that_does_not_answer_is_a_finding(parts: Parts) -> None:
    settings = parts.settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:9/none"})
    silent = app.assemble(settings)
    found = look(silent)
    silent.database.dispose()
    assert not found["database"].is_fine
    assert found["database"].sentence.startswith("PostgreSQL does not answer")
    assert "GOLDSMITH_DATABASE_URL" in found["database"].cure


def test_models_whose_files_are_gone_are_named_with_the_way_back(filled: Parts) -> None:
    with filled.database.transaction() as session:
        ada = make_person(session)
        make_base_model(session, by=ada, name="there")
        make_base_model(session, by=ada, name="Org/Small", source="hub", hub_id="Org/Small")
    folder = filled.home.models / "base" / "there"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(bytes(1000))
    found = look(filled)
    assert found["base model there"].is_fine
    assert found["base model Org/Small"].cure == "Bring it again: goldsmith models get Org/Small"
    (folder / "model.safetensors").write_bytes(bytes(999))
    assert look(filled)["base model there"].cure == "Bring it again: goldsmith models import PATH --name there"


def test_an_engine_that_failed_leads_to_its_log(filled: Parts) -> None:
    with filled.database.transaction() as session:
        ada = make_person(session)
        owned = {"domain": ada.domain, "created_by": ada.id}
        session.add(Engine(id="eng_1", name="ours", kind="ours", state="failed", message="Out of memory.", **owned))
    found = look(filled)["engine ours"]
    assert (found.is_fine, found.sentence) == (False, "failed. Out of memory.")
    assert str(filled.home.engines / "eng_1") in found.cure
