"""`goldsmith doctor`: what is there, what is missing, and the one command that cures it."""

import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import typer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from goldsmith import migrations
from goldsmith.cli.console import Cli, out
from goldsmith.cli.env import names_needed
from goldsmith.environments import folders
from goldsmith.models import queries as models
from goldsmith.models.types import SMOLLM2
from goldsmith.serve import queries as serve

FREE_DISK_BYTES = 10_000_000_000
MEMORY_BYTES = 6_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    is_fine: bool
    sentence: str
    cure: str = ""


def doctor(context: typer.Context) -> None:
    """Look at machine, disk, memory, ports, database, environments and models; say what to do."""
    cli: Cli = context.obj
    findings = [
        finding for look in (_machine, _disk, _ports, _database, _environments, _models) for finding in look(cli)
    ]
    if cli.is_json:
        cli.show([vars(finding) for finding in findings])
    for finding in findings if not cli.is_json else ():
        mark = "fine " if finding.is_fine else "TO DO"
        out.print(f"{mark}  {finding.name}: {finding.sentence}", markup=False)
        if finding.cure:
            out.print(f"       {finding.cure}", markup=False)
    sys.exit(0 if all(finding.is_fine for finding in findings) else 1)


def _machine(cli: Cli) -> Iterator[Finding]:
    facts = cli.parts.machine
    gpus = (
        ", ".join(facts.gpus) or "none; everything runs on the CPU, which is slow for models above 1 billion parameters"
    )
    yield Finding(
        "machine", True, f"{facts.num_cores} cores, {facts.memory_bytes / 1e9:.0f} GB memory, {facts.architecture}"
    )
    yield Finding("GPU", True, gpus)
    is_enough = facts.memory_bytes >= MEMORY_BYTES
    sentence = "enough for the built-in model" if is_enough else "less than 6 GB: engine and training will not fit"
    yield Finding("memory", is_enough, sentence, "" if is_enough else "Use a machine with more memory.")


def _disk(cli: Cli) -> Iterator[Finding]:
    free = shutil.disk_usage(cli.parts.home.root).free
    is_enough = free >= FREE_DISK_BYTES
    cure = "" if is_enough else "Make room, or put the home elsewhere with GOLDSMITH_HOME."
    yield Finding("disk", is_enough, f"{free / 1e9:.0f} GB free at {cli.parts.home.root}", cure)


def _ports(cli: Cli) -> Iterator[Finding]:
    settings = cli.parts.settings
    is_up = (cli.parts.home.run / "up.pid").exists()
    for port, what in ((settings.port, "pages"), (settings.engine_port, "engine")):
        is_taken = _is_taken(port)
        taken = "in use, by Goldsmith as it seems" if is_up else "in use by another program"
        is_fine = not is_taken or is_up or what == "engine"
        cure = "" if is_fine else "Stop that program, or choose another port with GOLDSMITH_PORT."
        yield Finding(f"port {port} ({what})", is_fine, taken if is_taken else "free", cure)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _database(cli: Cli) -> Iterator[Finding]:
    try:
        with cli.parts.database.reading() as session:
            session.execute(text("SELECT 1"))
        revision = migrations.current(cli.parts.database)
    except SQLAlchemyError as error:
        yield Finding("database", False, f"does not answer: {error}", "Start it, or check GOLDSMITH_DATABASE_URL.")
        return
    kind = "SQLite" if cli.parts.database.is_sqlite else "PostgreSQL"
    yield Finding("database", True, f"{kind} at revision {revision}")


def _environments(cli: Cli) -> Iterator[Finding]:
    for name in names_needed(cli):
        found = folders.find(name, home=cli.parts.home.root)
        cure = "" if found.is_installed else f"goldsmith env install {name}"
        yield Finding(f"environment {name}", found.is_installed, found.status.value, cure)


def _models(cli: Cli) -> Iterator[Finding]:
    with cli.reading() as session:
        bases = models.bases(session, domain=cli.domain)
        engines = serve.page(session, domain=cli.domain)
    if not bases:
        yield Finding("base models", False, "none yet", f"goldsmith models get {SMOLLM2.name}")
    for base in bases:
        is_there = (models.folder_of(cli.parts.home, base) / "config.json").exists()
        cure = "" if is_there else "Its files are gone: import it again."
        yield Finding(f"base model {base.name}", is_there, "files are there" if is_there else "files are missing", cure)
    for engine in engines:
        is_fine = engine.state != "failed"
        yield Finding(f"engine {engine.name}", is_fine, f"{engine.state}. {engine.message}".strip())
