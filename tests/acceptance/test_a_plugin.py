"""The template of a plugin, installed as its README says: found, tested by its own tests, and used."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.unit.train.small_training import ADA, add_training
from tests.work import context_of

from goldsmith import app
from goldsmith.compare.measures import others
from goldsmith.compare.types import MeasuredAnswer
from goldsmith.connect.sources import kinds
from goldsmith.environments import machine
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.folder import JobFolder
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import service
from goldsmith.train.jobs import TrainingKind
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.workshop import Workshop
from goldsmith.wire import manifest

TEMPLATE = Path(__file__).parents[2] / "examples" / "plugin"
INSTALL = (
    "pip",
    "install",
    "--quiet",
    "--no-deps",
    "--no-build-isolation",
    "--no-index",
    "--disable-pip-version-check",
)
pytestmark = pytest.mark.xdist_group("plugin")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the plugin was installed, beside nothing else."""
    copy = tmp_path_factory.mktemp("plugin") / "theirs"
    shutil.copytree(TEMPLATE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    installed = copy.parent / "installed"
    run(*INSTALL, "--target", str(installed), str(copy), place=installed)
    return installed


def run(*argv: str, place: Path, folder: Path | None = None, home: Path | None = None) -> str:
    """A module of Python that has the plugin; it has to end well."""
    env = {**os.environ, "PYTHONPATH": str(place), **({"GOLDSMITH_HOME": str(home)} if home else {})}
    done = subprocess.run(
        (sys.executable, "-m", *argv), cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def plugged(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This very process has it, and forgets it again."""
    found: Sequence[object] = (kinds.installed, others.installed, app.find_backends)
    monkeypatch.syspath_prepend(place)
    for each in found:
        each.cache_clear()  # type: ignore[attr-defined]
    yield
    for each in found:
        each.cache_clear()  # type: ignore[attr-defined]


@pytest.mark.enable_socket
def test_its_own_tests_run_what_everything_of_its_kind_promises(place: Path) -> None:
    theirs = place.parent / "theirs"
    said = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests", place=place, folder=theirs)
    assert "passed" in said
    assert "failed" not in said


def test_what_it_brings_is_listed_and_the_doctor_names_it(place: Path, tmp_path: Path) -> None:
    listed = run("goldsmith", "--json", "sources", "kinds", place=place, home=tmp_path)
    assert "faq" in [each["kind"] for each in json.loads(listed)]
    env = {**os.environ, "PYTHONPATH": str(place), "GOLDSMITH_HOME": str(tmp_path)}
    argv = (sys.executable, "-m", "goldsmith", "doctor")
    told = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False).stdout
    for name in ("faq", "words_kept", "counting"):
        assert f"plugin {name}" in told
    assert "goldsmith-example 0.1.0" in told


@pytest.mark.usefixtures("plugged")
def test_its_measure_stands_in_a_comparison() -> None:
    found = others.measured([(MeasuredAnswer("on its way"), "it is on its way"), (MeasuredAnswer(None), "no")])
    assert found == {"words_kept": {"unit": "of the words", "mean": pytest.approx(0.6), "num": 1}}


@pytest.mark.usefixtures("plugged")
def test_its_backend_trains_a_model_with_its_own_program(database: Database, home: Home) -> None:
    workshop = Workshop(home, app.make_backends(), machine.look())
    kind = TrainingKind(
        backends=workshop.backends,
        machine=workshop.machine,
        python_of=lambda _: Path(sys.executable),
        parent_env={"PATH": os.environ["PATH"]},
    )
    with database.transaction() as session:
        set_id = add_training(session, home, said=()).training_set_id
        request = TrainRequest("tiny", "counting", set_id, options={"batch_size": 4})
        job_id = service.start(session, request, workshop=workshop, by=ADA).id
    kind.work("prepare", context_of(database, home, job_id))
    folder = JobFolder.of(home, job_id)
    with database.reading() as session:
        launch = kind.launch(jobs.view(jobs.one(session, job_id)), folder)
    subprocess.run(launch.argv, cwd=launch.cwd, env=dict(launch.env), check=True, timeout=60)
    body = manifest.read_whole(folder.result)
    assert body is not None
    assert body["figures"]["steps"] >= 1
