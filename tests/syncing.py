"""A connection that a test reads, in this process, as a worker would."""

import csv
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.work import context_of

from goldsmith.connect.sources.types import Surroundings
from goldsmith.connect.syncing import queries, service
from goldsmith.connect.syncing.jobs import SyncKind
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.connect.syncing.types import ConnectionDraft
from goldsmith.data import queries as data
from goldsmith.data.tables import Row
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

Tickets = Sequence[tuple[int, str, str]]
TICKETS: Tickets = ((1, "one?", "1"), (2, "two?", "2"), (3, "three?", "3"))


class Syncs:
    """Adds connections and reads them."""

    def __init__(self, database: Database, home: Home, person: Person, folder: Path) -> None:
        self.database, self.home, self.person, self.folder = database, home, person, folder
        self.surroundings = Surroundings((folder,), home.root, ("127.0.0.1",))
        folder.mkdir(exist_ok=True)

    def connect(self, kind: str, options: Mapping[str, Any], **more: Any) -> SourceConnection:
        draft = ConnectionDraft(more.pop("name", "tickets"), kind, options, **more)
        with self.database.transaction() as session:
            return service.add(session, self.home, draft, by=self.person)

    def connect_folder(self, tickets: Tickets = TICKETS, **more: Any) -> SourceConnection:
        """A folder with a file of tickets, known by their id."""
        self.write(tickets)
        return self.connect("folder", {"path": str(self.folder), "id_column": "id"}, **more)

    def write(self, tickets: Tickets, name: str = "tickets.csv") -> None:
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([("id", "question", "answer"), *tickets])

    def queue(self, connection_id: str) -> str:
        with self.database.transaction() as session:
            return service.sync(session, connection_id, by=self.person).id

    def work(self, job_id: str, should_stop: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        kind = SyncKind(self.surroundings, memory_limit_bytes=None)
        result = dict(kind.work("read", context_of(self.database, self.home, job_id, should_stop)))
        if not should_stop():
            with self.database.transaction() as session:
                queue.claim(session, machine="here", slot=None)
                job = jobs.one(session, job_id)
                queue.move(session, job, JobState.RUNNING, "at work")
                queue.finish(session, job, result)
        return result

    def sync(self, connection_id: str) -> dict[str, Any]:
        return self.work(self.queue(connection_id))

    def rows(self, connection_id: str) -> list[Row]:
        """Of the newest version."""
        with self.database.reading() as session:
            connection = queries.one(session, connection_id, domain=self.person.domain)
            version_id = queries.newest_version(session, connection.dataset_id)
            return data.rows(session, version_id) if version_id else []

    def contents(self, connection_id: str) -> list[dict[str, Any]]:
        return [row.content for row in self.rows(connection_id)]


def make_sqlite(path: Path, tickets: Tickets = TICKETS) -> str:
    """A database file with a table of tickets; its address."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE tickets (id INTEGER PRIMARY KEY, question TEXT, answer TEXT, changed_at TEXT)")
        connection.executemany(
            "INSERT INTO tickets VALUES (?, ?, ?, '2026-01-01T00:00:' || printf('%02d', ?))",
            [(*ticket, ticket[0] % 60) for ticket in tickets],
        )
    connection.close()
    return f"sqlite:///{path}"
