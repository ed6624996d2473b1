"""Bringing stars in as a job: what is new comes, what was taken back goes, and a kill brings all or nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.unit.connect.stars import FakeSource, bring_first, item
from tests.work import context_of

from goldsmith.connect import queries
from goldsmith.connect.bringing import service as bringing
from goldsmith.connect.bringing.jobs import BringKeeper, BringKind
from goldsmith.connect.errors import SourceNotConnected
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer
from goldsmith.stars.tables import Mark
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

NUM_STARS = 300
PROGRAM = """
import os, signal, sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tests.unit.connect.stars import FakeSource, item
from tests.work import context_of
from goldsmith.connect.bringing.jobs import BringKind
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

url, root, job_id, num, dies = sys.argv[1:]
database, home = Database(url), Home(Path(root))

@contextmanager
def transaction():
    with database.transaction() as session:
        yield session
        if dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    if dies == "after":
        os.kill(os.getpid(), signal.SIGKILL)

context = replace(context_of(database, home, job_id), transaction=transaction)
BringKind(lambda: FakeSource([item(number) for number in range(int(num))])).work("bring", context)
"""


def work(database: Database, home: Home, job_id: str, dies: str) -> int:
    url = database.engine.url.render_as_string(hide_password=False)
    root = Path(__file__).parents[4]
    argv = [sys.executable, "-c", PROGRAM, url, str(home.root), job_id, str(NUM_STARS), dies]
    return subprocess.run(
        argv, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False, timeout=120
    ).returncode


def test_what_is_new_comes_and_what_was_taken_back_goes(database: Database, home: Home, person: Person) -> None:
    scope_id = bring_first(database, home, FakeSource([item(1), item(2)]), person)

    def again(*numbers: int) -> tuple[dict[str, int], int]:
        with database.transaction() as session:
            job_id = bringing.bring(session, scope_id, by=person).id
        source = FakeSource([item(number) for number in numbers])
        result = dict(BringKind(lambda: source).work("bring", context_of(database, home, job_id)))
        with database.reading() as session:
            return result, queries.num_stars(session, scope_id)

    assert again(1, 2, 3) == ({"num_stars": 3, "num_left_out": 0, "num_own": 0}, 3)
    assert again(2)[1] == 1
    assert again() == ({"num_stars": 0, "num_left_out": 0, "num_own": 0}, 0)
    assert again(2, 3)[1] == 2


def test_killed_before_or_after_its_commit_it_brings_everything_once(
    database: Database, home: Home, person: Person
) -> None:
    scope_id = bring_first(database, home, FakeSource([item(0)]), person)
    with database.transaction() as session:
        job_id = bringing.bring(session, scope_id, by=person).id
    assert [work(database, home, job_id, dies) for dies in ("before", "before", "after")] == [-signal.SIGKILL] * 3
    assert work(database, home, job_id, "never") == 0
    with database.reading() as session:
        newest = session.scalar(select(func.max(Answer.run_id)))
        num_answers = session.scalar(select(func.count()).where(Answer.run_id == newest))
        num_marks = session.scalar(select(func.count(Mark.answer_id.distinct())).where(Mark.is_star))
        assert queries.num_stars(session, scope_id) == NUM_STARS
    assert num_answers == NUM_STARS
    assert num_marks == NUM_STARS + 1, "the first star's answer stands in two runs"


def test_a_source_that_nobody_names_any_more_is_said(database: Database, home: Home, person: Person) -> None:
    scope_id = bring_first(database, home, FakeSource([item(1)]), person)
    with database.transaction() as session:
        job_id = bringing.bring(session, scope_id, by=person).id
    with pytest.raises(SourceNotConnected):
        BringKind(lambda: None).work("bring", context_of(database, home, job_id))


def test_the_keeper_begins_what_is_due_once(database: Database, home: Home, person: Person) -> None:
    scope_id = bring_first(database, home, FakeSource([item(1)]), person)
    with database.transaction() as session:
        bringing.schedule(session, scope_id, 30, by=person)
    for _ in range(2):
        BringKeeper(database).tick(clock.now())
    with database.reading() as session:
        (job,) = session.scalars(select(Job).where(Job.kind == bringing.KIND))
    assert (job.subject_id, job.created_by) == (scope_id, person.id)
