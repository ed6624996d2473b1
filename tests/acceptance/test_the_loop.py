"""Data, run, stars, train, serve, compare with the fakes: the quick look at the whole loop, real processes and all.

The supervisor, its workers, the fake trainer and the fake engine are processes as in real life; only the learning and
the language model are pretended. `tests/real/test_the_loop.py` walks the same way with the real ones.
"""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from tests.postgresql import run_sql

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.cli.loop import Loop
from goldsmith.compare import queries as compare
from goldsmith.demo import story
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.types import Launch
from goldsmith.models import queries as model_queries
from goldsmith.models import service as model_service
from goldsmith.models.types import METRICS, SMOLLM2
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.serve import queries as serve
from goldsmith.serve.engine import EnginePlan, Program
from goldsmith.serve.keeper import EngineKeeper, EngineSettings
from goldsmith.settings import Settings
from goldsmith.stars import queries as stars
from goldsmith.testing import write_small_model

pytestmark = [pytest.mark.enable_socket, pytest.mark.xdist_group("acceptance")]

NUM_ROWS = 40


@dataclass(frozen=True)
class Walked:
    """What came of the walk, while everything still runs."""

    parts: app.Parts
    comparison_id: str


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """An empty database of each kind, without tables."""
    if request.param == "sqlite":
        yield None
        return
    server, name = request.getfixturevalue("postgresql_server"), f"goldsmith_loop_{uuid4().hex[:12]}"
    run_sql(server, f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, url: str | None) -> Iterator[Walked]:
    folder = tmp_path_factory.mktemp("loop")
    parts = app.assemble(Settings(home=folder / "home", database_url=url, engine_port=18200))
    app.prepare_database(parts)
    keeper = EngineKeeper(
        parts.database,
        parts.home,
        EngineSettings(fake_program(write_answers(folder / "answers.json")), "cpu", first_port=18200),
    )
    stop = threading.Event()
    supervisor = app.make_supervisor(parts)
    thread = threading.Thread(target=supervisor.run, args=(stop, [keeper]), daemon=True)
    thread.start()
    try:
        cli = Cli(as_name="Ada", is_json=True)
        cli.__dict__["parts"] = parts
        import_base(cli, write_small_model(folder / "base", text=story.SYSTEM_TEXT))
        yield Walked(parts, Loop(cli, NUM_ROWS, backend="fake").walk())
    finally:
        stop.set()
        thread.join(timeout=10)
        keeper.stop_engines(within_s=2)
        parts.database.dispose()


def fake_program(answers: Path) -> Program:
    def program(plan: EnginePlan) -> Launch:
        argv = [sys.executable, "-m", "goldsmith.testing", "--port", str(plan.port)]
        argv += ["--served-model-name", plan.served_name, "--max-lora-rank", str(plan.max_lora_rank)]
        argv += ["--key-file", str(plan.key_file), "--model-folder", str(plan.base_folder), "--answers", str(answers)]
        return Launch(tuple(argv), cwd=plan.base_folder, env={"PATH": "/usr/bin:/bin"})

    return program


def write_answers(path: Path) -> Path:
    """The tuned model knows every answer; the base model says the first thing that fits the schema."""
    path.write_text(json.dumps({"tuned": story.expected()}), encoding="utf-8")
    return path


def import_base(cli: Cli, folder: Path) -> None:
    with cli.transaction() as (session, person):
        job = model_service.start_path(session, folder, name=SMOLLM2.name, roots=(folder.parent,), by=person)
    done = jobs.wait(cli.parts.database, job.id, timeout_s=60)
    assert done.state == "succeeded", done.failure


def test_stars_are_learned_from_and_some_are_held_back(walked: Walked) -> None:
    with walked.parts.database.reading() as session:
        made = stars.training_sets(session, domain=DEFAULT_DOMAIN)[0]
    assert (made.num_learn, made.num_exam) == (30, 10)


def test_the_model_is_loaded_proved_and_the_default(walked: Walked) -> None:
    with walked.parts.database.reading() as session:
        model = model_queries.all_tuned(session, domain=DEFAULT_DOMAIN)[0]
        deployment = serve.deployment_of(session, model.id)
        alias = serve.alias(session, domain=DEFAULT_DOMAIN, name="default")
    assert (deployment.state, deployment.proof) == ("loaded", "proved")
    assert alias is not None
    assert [target["model_id"] for target in alias.targets] == [model.id]


def test_the_comparison_says_by_how_many_rows_it_is_better(walked: Walked) -> None:
    with walked.parts.database.reading() as session:
        comparison = compare.one(session, walked.comparison_id, domain=DEFAULT_DOMAIN)
        figures = {arm.name: arm.figures for arm in compare.arms(session, walked.comparison_id)}
    assert comparison.verdict is not None
    assert comparison.verdict["kind"] == "better"
    assert "10 of 10" in comparison.verdict["sentence"]
    assert figures["tuned"] is not None
    assert figures["tuned"]["num_right"] == 10
    assert comparison.win_rate is not None
    assert comparison.win_rate > 0.5


def test_every_figure_of_the_model_was_measured_and_dated(walked: Walked) -> None:
    with walked.parts.database.reading() as session:
        model = model_queries.all_tuned(session, domain=DEFAULT_DOMAIN)[0]
    nobody_measures = {"avg_rating", "vram_usage_gb"}  # nobody rates, and there is no GPU here
    assert {name for name in METRICS if getattr(model, name) is None} == nobody_measures
    assert set(model.measured_at) == set(METRICS) - nobody_measures
    assert all(measured["at"] and measured["by"] for measured in model.measured_at.values())
    assert model.consistency_score == 1.0


def test_every_job_succeeded_in_its_first_attempt(walked: Walked) -> None:
    with walked.parts.database.reading() as session:
        found = jobs.page(session, domain=DEFAULT_DOMAIN)
    assert {(job.kind, job.state, job.attempt) for job in found} == {(job.kind, "succeeded", 1) for job in found}
