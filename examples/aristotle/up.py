"""`make aristotle`: the stand-in for Aristotle with everything that it needs, from nothing. Ctrl-C ends all of it.

    .venv/bin/python examples/aristotle/up.py --help

What it keeps lies in `.goldsmith/aristotle`, so the next time goes on where this one was. Without that folder it
begins anew.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made_up

from goldsmith.cli.env import names_needed
from goldsmith.environments import folders, machine
from goldsmith.models.types import SMOLLM2
from goldsmith.testing import write_small_model
from goldsmith.testing.aristotle import SyntheticAristotle
from goldsmith.testing.aristotle_role import ROLE, give_role
from goldsmith.testing.postgresql import NoPostgresql, Server

HERE = Path(__file__).parent
EMBED = HERE.parents[1] / "embed"
KEPT = HERE.parents[1] / ".goldsmith" / "aristotle"
OLDEST_NODE = (20, 9)
START_WITHIN_S = 120
STOP_WITHIN_S = 60
STAND_IN_MODEL = "small-base"
SAID_TO_NPM = ("--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")


class CannotStart(Exception):
    """Something is missing or in the way. Its text says what to do."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for."""

    generation: str
    is_stand_in: bool
    stars: int
    folder: Path
    environments: Path
    base_model: Path | None
    port: int
    database_port: int
    goldsmith_port: int
    engine_port: int

    @property
    def address(self) -> str:
        """The application's, as a browser calls it."""
        return f"http://localhost:{self.port}"

    @property
    def goldsmith(self) -> str:
        """Goldsmith's address."""
        return f"http://127.0.0.1:{self.goldsmith_port}"

    @property
    def home(self) -> Path:
        """Goldsmith's home folder."""
        return self.folder / "goldsmith"

    def settings(self, database_url: str) -> dict[str, str]:
        """The environment of Goldsmith's processes."""
        found = {
            "GOLDSMITH_HOME": str(self.home),
            "GOLDSMITH_PORT": str(self.goldsmith_port),
            "GOLDSMITH_ENGINE_PORT": str(self.engine_port),
            "GOLDSMITH_EMBED_ORIGINS": self.address,
            "ARISTOTLE_DATABASE_URL": database_url,
            "ARISTOTLE_WRITE_BACK": "true",
        }
        pretended = {"GOLDSMITH_FINE_TUNING_BACKEND": "fake", "GOLDSMITH_HUB_OFFLINE": "true"}
        return {**os.environ, **found, **(pretended if self.is_stand_in else {})}


def main() -> int:
    """Bring everything up, and stay until somebody asks to stop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    wanted = _wanted()
    try:
        with ExitStack() as stack:
            for line in _bring_up(wanted, stack):
                say(line)
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        say("Everything that this started has been stopped.")
        return 0
    except (CannotStart, NoPostgresql) as error:
        print(error, file=sys.stderr)
        return 1


def _bring_up(wanted: Wanted, stack: ExitStack) -> Iterator[str]:
    """Step by step; what has to be stopped goes on the stack. Yields what is to be said."""
    _check(wanted)
    wanted.folder.mkdir(parents=True, exist_ok=True)
    _install(HERE)
    yield f"PostgreSQL with Aristotle's tables, generation {wanted.generation}, on port {wanted.database_port}"
    database_url = stack.enter_context(_database(wanted))
    _command(wanted.settings(database_url), "aristotle", "migrate", "--yes")
    settings = wanted.settings(_as_goldsmith(wanted, database_url))
    if not wanted.is_stand_in:
        _borrow_environments(wanted, settings)
    key = stack.enter_context(_key(settings))  # before Goldsmith starts, so that it prints none of its own into its log
    yield f"Goldsmith on port {wanted.goldsmith_port}"
    stack.enter_context(_goldsmith(wanted, settings))
    yield "The base model"
    _bring_model(wanted, settings, stack)
    yield f"The application on port {wanted.port}"
    stack.enter_context(_application(wanted, database_url, key))
    yield ""
    yield f"Aristotle:  {wanted.address}/conquests"
    yield f"            {wanted.address}/fine-tuning"
    yield f"Goldsmith:  {wanted.goldsmith}/"
    yield f"Database:   {database_url}"
    yield f"            Goldsmith itself is there as {ROLE}, who may do what the how-tos name and nothing else."
    if wanted.is_stand_in:
        yield "Model and training only pretend here. Without --stand-in they are real."
    yield "Ctrl-C stops all of it; what was done is kept."


def _check(wanted: Wanted) -> None:
    """Raise CannotStart before anything is begun."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise CannotStart(f"{' and '.join(missing)} is needed, version 20.9 or newer: apt-get install nodejs npm")
    said = _program(["node", "--version"], HERE).strip()
    if tuple(int(part) for part in said.lstrip("v").split(".")[:2]) < OLDEST_NODE:
        raise CannotStart(f"node is {said}; version 20.9 or newer is needed.")
    ports = [wanted.port, wanted.database_port, wanted.goldsmith_port]
    for number in [*ports, *([wanted.engine_port] if wanted.is_stand_in else [])]:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", number))
            except OSError:
                raise CannotStart(f"Port {number} is taken. Stop what uses it, or choose another: see --help") from None


@contextmanager
def _database(wanted: Wanted) -> Iterator[str]:
    """Aristotle's database, filled the first time; its URL."""
    folder = wanted.folder / "postgresql"
    folder.mkdir(exist_ok=True)
    server = Server(folder, wanted.database_port, is_lasting=True)
    server.start()
    try:
        yield made_up.fill(server.url, wanted.generation, num_stars=wanted.stars)
    finally:
        server.stop()


def _as_goldsmith(wanted: Wanted, database_url: str) -> str:
    """The database's URL for Goldsmith, with the role that the how-tos recommend; the application stays its owner."""
    url = give_role(SyntheticAristotle(database_url, wanted.generation))
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _borrow_environments(wanted: Wanted, settings: Mapping[str, str]) -> None:
    """The environments of trainer and engine, out of the home that has them; installed there the first time."""
    wanted.home.mkdir(exist_ok=True, mode=0o700)
    for name in names_needed(machine.look()):
        if not folders.find(name, home=wanted.environments).is_installed:
            say(f"Installing the environment {name.value}: minutes, once")
            _command({**settings, "GOLDSMITH_HOME": str(wanted.environments)}, "env", "install", name.value, shows=True)
    borrowed = wanted.home / "environments"
    if not borrowed.exists():
        borrowed.symlink_to(wanted.environments / "environments")


@contextmanager
def _goldsmith(wanted: Wanted, settings: Mapping[str, str]) -> Iterator[None]:
    """`goldsmith up`, until `goldsmith down`: a training that runs is paused."""
    log = wanted.folder / "goldsmith.log"
    with _running([sys.executable, "-m", "goldsmith", "up"], dict(settings), log) as process:
        try:
            _wait_for(f"{wanted.goldsmith}/readyz", process, log)
            yield
        finally:
            if process.poll() is None:
                _command(settings, "down")


@contextmanager
def _key(settings: Mapping[str, str]) -> Iterator[str]:
    """A key for the application's server, good as long as it runs."""
    made = json.loads(_command(settings, "--json", "keys", "add", "Aristotle's server"))
    try:
        yield made["key"]
    finally:
        _command(settings, "keys", "revoke", made["id"])


def _bring_model(wanted: Wanted, settings: Mapping[str, str], stack: ExitStack) -> None:
    """A base model, and in place of an engine that is started by itself the fake one."""
    known = {each["name"] for each in json.loads(_command(settings, "--json", "models", "list"))}
    if not wanted.is_stand_in:
        if SMOLLM2.name not in known:
            imported = ("import", str(wanted.base_model), "--name", SMOLLM2.name)
            words = ("get", SMOLLM2.name) if wanted.base_model is None else imported
            _command(settings, "models", *words, shows=True)
        return
    model = wanted.folder / "model"
    if STAND_IN_MODEL not in known:
        shutil.rmtree(model, ignore_errors=True)
        _command(settings, "models", "import", str(write_small_model(model)), "--name", STAND_IN_MODEL)
    book = wanted.folder / "answers.json"
    book.write_text(json.dumps(made_up.answers()), encoding="utf-8")
    engine, log = f"http://127.0.0.1:{wanted.engine_port}", wanted.folder / "engine.log"
    argv = [sys.executable, "-m", "goldsmith.testing", "--port", str(wanted.engine_port), "--answers", str(book)]
    argv += ["--model-folder", str(model), "--delay-s", "0.05", "--max-lora-rank", "64"]
    process = stack.enter_context(_running(argv, dict(os.environ), log))
    _wait_for(f"{engine}/health", process, log)
    if STAND_IN_MODEL not in known:
        _command(settings, "engines", "add", engine, "--base-model", STAND_IN_MODEL, "--name-in-engine", "base")


def _install(app: Path) -> None:
    """The packages of the lock, and the pages built from them; at once where nothing has changed."""
    locked = [app / "package.json", app / "package-lock.json", *EMBED.glob("*.js"), *EMBED.glob("*.ts")]
    stamp = app / "node_modules" / ".installed"
    if not _is_of(stamp, locked):
        say("Installing the application's packages from npm (about half a minute, once)")
        _program(["npm", "ci", *SAID_TO_NPM], app)
        stamp.write_text(_hash_of(locked), encoding="ascii")
    sources = [*locked, *app.glob("*.ts"), *(app / "app").rglob("*.*"), *(app / "lib").rglob("*.*")]
    stamp = app / ".next" / ".built"
    if not _is_of(stamp, sources):
        say("Building the application's pages (about half a minute, once)")
        _program(["node", "node_modules/next/dist/bin/next", "build"], app)
        stamp.write_text(_hash_of(sources), encoding="ascii")


@contextmanager
def _application(wanted: Wanted, database_url: str, key: str) -> Iterator[None]:
    """`next start`."""
    env = {
        **os.environ,
        "NEXT_TELEMETRY_DISABLED": "1",
        "NODE_ENV": "production",
        "ADDRESS_OF_GOLDSMITH": wanted.goldsmith,
        "KEY_OF_GOLDSMITH": key,
        "ARISTOTLE_DATABASE_URL": database_url,
        "ARISTOTLE_GENERATION": wanted.generation,
        "ARISTOTLE_PHILOSOPHER": made_up.ADA["philosopher"],
        "ARISTOTLE_DOMAIN": made_up.ADA["domain"],
    }
    argv = ["node", "node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", str(wanted.port)]
    log = wanted.folder / "application.log"
    with _running(argv, env, log, cwd=HERE) as process:
        _wait_for(f"http://127.0.0.1:{wanted.port}/conquests", process, log)
        yield


@contextmanager
def _running(
    argv: list[str], env: dict[str, str], log: Path, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own, which is asked to end afterwards, and made to where it does not."""
    log.touch(mode=0o600)
    with log.open("ab") as file:
        process = subprocess.Popen(argv, env=env, cwd=cwd, stdout=file, stderr=file, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise CannotStart(f"{url} does not answer. The end of {log}:\n{log.read_text(errors='replace')[-2000:]}")


def _command(settings: Mapping[str, str], *words: str, shows: bool = False) -> str:
    """What a command of Goldsmith's says."""
    out = None if shows else subprocess.PIPE
    argv = [sys.executable, "-m", "goldsmith", *words]
    done = subprocess.run(
        argv, env=dict(settings), stdout=out, stderr=out, text=True, check=False, start_new_session=True
    )
    if done.returncode != 0:
        raise CannotStart(f"goldsmith {' '.join(words)} did not work. {done.stderr or ''}")
    return done.stdout or ""


def _program(argv: list[str], folder: Path) -> str:
    """What another program says."""
    env = {**os.environ, "NEXT_TELEMETRY_DISABLED": "1"}
    done = subprocess.run(
        argv, cwd=folder, env=env, capture_output=True, text=True, check=False, start_new_session=True
    )
    if done.returncode != 0:
        raise CannotStart(f"{' '.join(argv)} did not work:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def _is_source(path: Path, app: Path) -> bool:
    return not {"node_modules", ".next", "next-env.d.ts"} & set(path.relative_to(app).parts)


def _is_of(stamp: Path, files: list[Path]) -> bool:
    return stamp.exists() and stamp.read_text(encoding="ascii") == _hash_of(files)


def _hash_of(files: list[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(files):
        found.update(path.read_bytes())
    return found.hexdigest()


def _wanted() -> Wanted:
    parser = argparse.ArgumentParser(prog="make aristotle", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--generation", choices=("V1", "V2", "V3"), default="V2", help="of Aristotle's tables")
    parser.add_argument("--stand-in", action="store_true", help="pretend to train and to answer: no large downloads")
    parser.add_argument("--stars", type=int, default=made_up.NUM_STARS, help="how many there are at first")
    parser.add_argument("--folder", type=Path, default=KEPT, help="where everything is kept")
    usual_home = Path(os.environ.get("GOLDSMITH_HOME", "~/.goldsmith")).expanduser()
    parser.add_argument("--environments", type=Path, default=usual_home, help="a home folder with environments")
    parser.add_argument("--base-model", type=Path, help="a folder with a base model, instead of fetching one")
    for name, usual in (("", 4000), ("database-", 4002), ("goldsmith-", 8001), ("engine-", 8000)):
        parser.add_argument(f"--{name}port", type=int, default=usual)
    said: dict[str, Any] = vars(parser.parse_args())
    kind = said["generation"] + ("-stand-in" if said["stand_in"] else "")
    folder = said.pop("folder").absolute() / kind
    environments = said.pop("environments").absolute()
    return Wanted(is_stand_in=said.pop("stand_in"), folder=folder, environments=environments, **said)


def _stop(*_: object) -> None:
    """Break off whatever is being done, once: what was started is being stopped after that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def say(line: str) -> None:
    """A line, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
