"""A PostgreSQL server for tests: made in a folder, gone afterwards. See `goldsmith.testing.postgresql`."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goldsmith.testing.postgresql import NoPostgresql, Server, find_programs, run_sql

__all__ = ["NoPostgresql", "Server", "find_programs", "run_sql", "running"]


@contextmanager
def running() -> Iterator[Server]:
    """A server that runs and is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="goldsmith-postgresql-"))
    try:
        server = Server(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
