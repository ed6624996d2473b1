"""The same kills as in `tests/real`, with stand-ins for trainer and engine, on PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.browser import place
from tests.browser.place import write_environment
from tests.faults.kills import Watched, kill_all_in_a_run, kill_all_in_a_training
from tests.postgresql import run_sql
from tests.real.homes import supervised
from tests.unit.cli.test_processes import free_port

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.cli.loop import Loop
from goldsmith.demo import story
from goldsmith.environments import folders
from goldsmith.environments.types import EnvironmentName
from goldsmith.models import queries, service
from goldsmith.models.types import SMOLLM2
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.settings import Settings
from goldsmith.testing import write_small_model

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket, pytest.mark.xdist_group("kills")]

SLOW_ENGINE = Path(__file__).with_name("slow_engine.py")
PRETEND_ENGINE = Path(place.__file__).with_name("pretend_engine.py")


@pytest.fixture
def parts(tmp_path: Path, postgresql_server: str) -> Iterator[app.Parts]:
    """A home with stand-ins in the places of the heavy programs, and an empty database."""
    name = f"goldsmith_kills_{uuid4().hex[:12]}"
    run_sql(postgresql_server, f"CREATE DATABASE {name}")
    home = tmp_path / "home"
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"tuned": story.expected()}), encoding="utf-8")
    for each in EnvironmentName:
        write_environment(home, each, answers)
        if each is not EnvironmentName.TRL:
            python = folders.path_of(each, home=home) / "bin" / "python"
            python.write_text(python.read_text().replace(str(PRETEND_ENGINE), str(SLOW_ENGINE)))
    url = f"{postgresql_server}/{name}"
    found = app.assemble(Settings(home=home, database_url=url, port=free_port(), engine_port=free_port()))
    app.prepare_database(found)
    yield found
    found.database.dispose()
    run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def watched(parts: app.Parts, tmp_path: Path) -> Iterator[Watched]:
    """After one walk around the loop."""
    cli = Cli(as_name="tests", is_json=True)
    cli.__dict__["parts"] = parts
    with supervised(parts) as wait:
        model = write_small_model(tmp_path / "base", text=story.SYSTEM_TEXT)
        with cli.transaction() as (session, person):
            job = service.start_path(session, model, name=SMOLLM2.name, roots=(tmp_path,), by=person)
        wait(job.id)
        Loop(cli, 40).walk()
        with parts.database.reading() as session:
            tuned = queries.all_tuned(session, domain=DEFAULT_DOMAIN)[0].id
        found = Watched(parts, tuned)
        with wait.handed_over():
            try:
                found.start()
                yield found
            finally:
                found.stop()


def test_training_and_run_go_on_whoever_is_killed(watched: Watched) -> None:
    kill_all_in_a_training(watched)
    kill_all_in_a_run(watched, num_rows=300, concurrency=10)
