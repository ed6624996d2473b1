"""A server in a folder keeps what is lasting, on the port that was asked for, and says where it cannot run."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.browser.place import free_ports

from goldsmith.testing.postgresql import NoPostgresql, Server, run_sql

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because a socket lies in it, and open to the user as whom the server runs."""
    with tempfile.TemporaryDirectory(prefix="goldsmith-") as found:
        Path(found).chmod(0o711)
        (Path(found) / "postgresql").mkdir()
        yield Path(found) / "postgresql"


def test_what_is_lasting_is_there_the_next_time_on_the_same_port(folder: Path) -> None:
    [port] = free_ports(1)
    for is_first in (True, False):
        server = Server(folder, port, is_lasting=True)
        server.start()
        try:
            if is_first:
                run_sql(server.url, "CREATE TABLE kept AS SELECT 7 AS number")
            engine = create_engine(f"{server.url}/postgres")
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT number FROM kept")) == 7
                assert connection.scalar(text("SHOW fsync")) == "on"
            engine.dispose()
        finally:
            server.stop()
    assert server.url.endswith(f":{port}")


@pytest.mark.skipif(os.geteuid() != 0, reason="it runs as whoever asks, unless that is root")
def test_a_folder_that_the_server_cannot_reach_is_named(folder: Path) -> None:
    folder.parent.chmod(0o700)
    with pytest.raises(NoPostgresql, match=str(folder.parent)):
        Server(folder)
