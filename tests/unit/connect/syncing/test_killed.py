"""A worker that is killed with signal 9, before or after its commits, and started again: nothing comes twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.syncing import Syncs, make_sqlite

from goldsmith.connect.syncing.tables import RowOrigin, SourceItem
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.run.tables import Answer
from goldsmith.stars.tables import Mark

NUM_ROWS = 1200
PROGRAM = """
import os, signal, sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tests.work import context_of
from goldsmith.connect.sources.types import Surroundings
from goldsmith.connect.syncing.jobs import SyncKind
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

url, root, folder, job_id, dies_at, is_after = sys.argv[1:]
database, home = Database(url), Home(Path(root))
count = 0

@contextmanager
def transaction():
    global count
    count += 1
    with database.transaction() as session:
        yield session
        if count == int(dies_at) and is_after == "0":
            os.kill(os.getpid(), signal.SIGKILL)
    if count == int(dies_at):
        os.kill(os.getpid(), signal.SIGKILL)

context = replace(context_of(database, home, job_id), transaction=transaction)
SyncKind(Surroundings((Path(folder),), home.root), memory_limit_bytes=None).work("read", context)
"""


def work(syncs: Syncs, job_id: str, dies_at: int, *, is_after: bool) -> int:
    url = syncs.database.engine.url.render_as_string(hide_password=False)
    arguments = (url, str(syncs.home.root), str(syncs.folder), job_id, str(dies_at), str(int(is_after)))
    command = [sys.executable, "-c", PROGRAM, *arguments]
    root = Path(__file__).parents[4]
    done = subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False, timeout=120)
    return done.returncode


@pytest.mark.parametrize("is_after", [False, True], ids=["before its commit", "after its commit"])
def test_whenever_it_is_killed_everything_comes_in_once(syncs: Syncs, is_after: bool) -> None:
    tickets = [(number, f"question {number}?", str(number)) for number in range(1, NUM_ROWS + 1)]
    options = {"address": make_sqlite(syncs.folder / "shop.db", tickets), "query": "SELECT * FROM tickets"}
    connection = syncs.connect("sql", {**options, "id_column": "id"}, answer_column="answer")
    job_id = syncs.queue(connection.id)
    # Reading takes 5 transactions, the version 4 and the stars 7: each kind of them dies.
    ends = [work(syncs, job_id, dies_at, is_after=is_after) for dies_at in (2, 4, 7, 9, 11)]
    assert ends == [-signal.SIGKILL] * len(ends)
    assert work(syncs, job_id, 0, is_after=False) == 0
    with syncs.database.reading() as session:
        tables = {
            table: session.scalar(select(func.count()).select_from(table)) for table in (SourceItem, Answer, Mark)
        }
        num_rows = session.scalar(select(func.count()).select_from(Row))
        num_versions = session.scalar(select(func.count()).select_from(DatasetVersion))
        num_origins = session.scalar(select(func.count(RowOrigin.source_id.distinct())))
    assert set(tables.values()) == {NUM_ROWS}
    assert (num_rows, num_origins, num_versions) == (NUM_ROWS, NUM_ROWS, 1)
