"""What `goldsmith doctor` looks at, one function for each thing; each says that it is fine, or what to do.

Reads and asks only; knows nothing of how it is printed. What a finding proposes is for a person to do.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy.exc import SQLAlchemyError

from goldsmith import app, migrations
from goldsmith.app import Parts
from goldsmith.cli.env import names_needed
from goldsmith.cli.models import command_to_get
from goldsmith.compare.measures import others
from goldsmith.connect.sources import kinds
from goldsmith.environments import folders, locks
from goldsmith.environments.errors import NoLockForThisMachine
from goldsmith.environments.types import Environment, EnvironmentName, EnvironmentStatus, InstallHint
from goldsmith.errors import GoldsmithError
from goldsmith.jobs import child
from goldsmith.models import hub_access
from goldsmith.models import queries as models
from goldsmith.models.hub_access import HubAccess
from goldsmith.models.types import SMOLLM2
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.plugins import Found
from goldsmith.serve import queries as serve
from goldsmith.storage import amounts
from goldsmith.storage.files import folder_size_bytes
from goldsmith.web.port import owner_of

SPARE_DISK_BYTES = 2_000_000_000
"""Room for models, adapters and the database, beside what is still to be installed."""
ROOM_FACTOR = 1.5
"""An install needs more room than it leaves taken."""
MEMORY_BYTES = 6_000_000_000
SAFE_STARLETTE = (1, 0, 1)
"""Before it, a Host header could change the path that guards saw."""
OTHERS_MAY = 0o077


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    is_fine: bool
    sentence: str
    cure: str = ""


NO_MODELS = Finding("base models", False, "none yet", f"goldsmith models get {SMOLLM2.name}")


def look(parts: Parts) -> Iterator[Finding]:
    """Everything, in the order in which it has to be cured."""
    yield from machine(parts)
    yield from disk(parts)
    yield from ports(parts)
    yield from environments(parts)
    yield from web_frameworks(parts)
    yield from plugins()
    yield from hub(parts)
    database = list(look_at_database(parts))
    yield from database
    if not all(finding.is_fine for finding in database):
        return
    if migrations.current(parts.database) is None:
        yield NO_MODELS
        return
    yield from look_at_models(parts)
    yield from look_at_engines(parts)


def machine(parts: Parts) -> Iterator[Finding]:
    """Cores, GPU, memory."""
    facts, memory = parts.machine, psutil.virtual_memory()
    yield Finding("machine", True, f"{facts.num_cores} cores, {facts.architecture}")
    none = "none; everything runs on the CPU, which is slow for models above 1 billion parameters"
    is_hidden = locks.has_nvidia_gpu() and not facts.gpus
    if is_hidden:
        cure = "Look whether nvidia-smi lists it; in a container, start it with access to the GPU."
        yield Finding("GPU", False, "there is an NVIDIA driver, and no GPU shows", cure)
    else:
        yield Finding("GPU", True, ", ".join(facts.gpus) or none)
    is_enough = facts.memory_bytes >= MEMORY_BYTES
    sentence = f"{amounts.size(facts.memory_bytes)}, of which {amounts.size(memory.available)} are free now"
    few = f"{sentence}: engine and training need {amounts.size(MEMORY_BYTES)} together"
    yield Finding(
        "memory",
        is_enough,
        sentence if is_enough else few,
        ""
        if is_enough
        else "Use a machine with more memory, or an engine that runs elsewhere: attach it on the page /settings",
    )


def disk(parts: Parts) -> Iterator[Finding]:
    """Room for what is still to be installed, and a home that is ours alone."""
    home = parts.home.root
    missing = [name for name in names_needed(parts.machine) if not folders.find(name, home=home).is_installed]
    sizes = [hint.size_bytes or 0 for name in missing if (hint := hint_of(name)) is not None]
    wanted, free = SPARE_DISK_BYTES + round(ROOM_FACTOR * sum(sizes)), shutil.disk_usage(home).free
    is_enough = free >= wanted
    for_what = f" (environments still to be installed: {', '.join(missing)})" if missing else ""
    sentence = f"{amounts.size(free)} free at {home}"
    cure = f"Make room for {amounts.size(wanted)}{for_what}, or put the home elsewhere with GOLDSMITH_HOME."
    yield Finding("disk", is_enough, sentence, "" if is_enough else cure)
    is_ours = os.access(home, os.W_OK) and not home.stat().st_mode & OTHERS_MAY
    yield Finding(
        "home",
        is_ours,
        f"{home} is readable by you alone" if is_ours else f"{home} cannot be written, or others may read it",
        "" if is_ours else f"Make it yours alone: chmod 700 {home}",
    )


def ports(parts: Parts) -> Iterator[Finding]:
    """The ports of the pages and of the first engine: free, ours, or whose."""
    for port, what in ((parts.settings.port, "pages"), (parts.settings.engine_port, "engine")):
        name = f"port {port} ({what})"
        if not is_taken(port):
            yield Finding(name, True, "free")
            continue
        owner = owner_of(port)
        if owner is not None and is_goldsmith(owner, parts):
            yield Finding(name, True, f"in use by Goldsmith itself (process {owner.pid})")
        elif what == "engine":
            cure = (
                "An engine of ours takes the next free port. If that program is an engine that you want to use, "
                "attach it on the page /settings"
            )
            yield Finding(name, True, f"in use by {said_of(owner)}", cure)
        else:
            cure = f"Stop that program, or take another port: GOLDSMITH_PORT={port + 10} goldsmith up"
            yield Finding(name, False, f"in use by {said_of(owner)}", cure)


def is_taken(port: int) -> bool:
    """Whether somebody listens there on loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_goldsmith(process: psutil.Process, parts: Parts) -> bool:
    """Whether it is the web process or an engine of this home."""
    try:
        is_ours = any(Path(word).name == "goldsmith" for word in process.cmdline())
        return is_ours or str(parts.home.engines) in process.environ().get(child.MARK, "")
    except psutil.Error:
        return False


def said_of(process: psutil.Process | None) -> str:
    """A process by its name."""
    try:
        return "a program of somebody else" if process is None else f"{process.name()} (process {process.pid})"
    except psutil.Error:
        return "a program that has just ended"


def environments(parts: Parts) -> Iterator[Finding]:
    """The environments that this machine needs, and those that are there besides."""
    needed = names_needed(parts.machine)
    for name in EnvironmentName:
        found = folders.find(name, home=parts.home.root)
        if name in needed or found.status is not EnvironmentStatus.MISSING:
            yield environment(found)


def environment(found: Environment) -> Finding:
    """One environment, measured against its lock."""
    hint, command = hint_of(found.name), f"goldsmith env install {found.name}"
    name = f"environment {found.name}"
    if found.status is EnvironmentStatus.INSTALLED:
        return Finding(name, True, f"installed, {amounts.size(found.size_bytes or 0)}, Python {found.python_version}")
    if found.status is EnvironmentStatus.OUTDATED:
        return Finding(
            name, True, "installed and usable, from an older list of versions", f"For the newer one: {command}"
        )
    how = "only half there: an install ended in the middle" if found.status is EnvironmentStatus.BROKEN else "missing"
    if hint is None:
        return Finding(name, False, f"{how}, and there is no list of versions for this machine", NO_LOCK)
    unseen = "" if hint.is_seen else ", whose list of versions was never installed on a machine like this before"
    return Finding(name, False, f"{how}{unseen}", f"{command}   ({hint.sentence})")


NO_LOCK = NoLockForThisMachine.default_hint


def hint_of(name: EnvironmentName) -> InstallHint | None:
    """Time and size of the install; None where this machine has no lock."""
    try:
        return locks.install_time_hint(name)
    except NoLockForThisMachine:
        return None


def web_frameworks(parts: Parts) -> Iterator[Finding]:
    """Starlette here and in the engines' environments: older ones let a Host header change what guards see."""
    yield starlette("here", version("starlette"), "Install Goldsmith's pinned requirements again: make setup")
    for name in (EnvironmentName.VLLM, EnvironmentName.VLLM_CPU):
        found = folders.find(name, home=parts.home.root)
        for installed in starlettes_in(found.path) if found.is_installed else ():
            yield starlette(f"in {name}", installed, f"Install it again: goldsmith env remove {name}, then install")


def starlette(where: str, installed: str, cure: str) -> Finding:
    """Whether a version is safe."""
    is_safe = numbers_of(installed) >= SAFE_STARLETTE
    sentence = f"version {installed}" + ("" if is_safe else ", in which a Host header can go around guards")
    return Finding(f"starlette {where}", is_safe, sentence, "" if is_safe else cure)


def starlettes_in(place: Path) -> list[str]:
    """Versions of starlette in an environment, read from the names of its folders."""
    found = place.glob("lib/python3.*/site-packages/starlette-*.dist-info")
    return [path.name.removeprefix("starlette-").removesuffix(".dist-info") for path in found]


def numbers_of(text: str) -> tuple[int, ...]:
    """1.10.2 → (1, 10, 2); what is no number ends it, and a version that cannot be read is the oldest."""
    numbers: list[int] = []
    for part in text.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def plugins() -> Iterator[Finding]:
    """What other packages bring along, and what of it had to be left out."""
    found: dict[str, Found[Any]] = {
        "source": kinds.installed(),
        "measure": others.installed(),
        "training backend": app.find_backends(),
    }
    for what, one in found.items():
        for name, package in one.packages.items():
            yield Finding(f"plugin {name}", True, f"a {what} of {package}")
        for broken in one.broken:
            cure = f"have {broken.package} mended, or remove it: pip uninstall {broken.package.split()[0]}"
            yield Finding(
                f"plugin {broken.name}", False, f"a {what} of {broken.package}, left out: {broken.reason}", cure
            )


def hub(parts: Parts) -> Iterator[Finding]:
    """How a model hub would be asked; it is not asked now."""
    try:
        access = HubAccess.of(parts.home, os.environ, is_offline=parts.settings.hub_offline)
    except GoldsmithError as error:
        yield Finding("model hub", False, error.message, error.hint)
        return
    token = "with a token" if access.token else "without a token"
    how = "never asked, as you set it" if access.is_offline else f"{access.endpoint}, {token}"
    is_open = hub_access.is_readable_by_others(parts.home)
    cure = f"Make it yours alone: chmod 600 {hub_access.token_path(parts.home)}" if is_open else ""
    yield Finding("model hub", not is_open, f"{how}{'; others may read the token' if is_open else ''}", cure)


def look_at_database(parts: Parts) -> Iterator[Finding]:
    """Whether it answers, and whether its schema is this version's."""
    kind = "SQLite" if parts.database.is_sqlite else "PostgreSQL"
    try:
        revision = migrations.current(parts.database)
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0][:200]
        yield Finding(
            "database", False, f"{kind} does not answer: {reason}", "Start it, or check GOLDSMITH_DATABASE_URL."
        )
        return
    if revision is None:
        yield Finding("database", True, f"{kind}, empty; goldsmith up makes its tables")
    elif revision == migrations.HEAD or parts.database.is_sqlite:
        later = "" if revision == migrations.HEAD else f"; goldsmith up copies it and brings it to {migrations.HEAD}"
        yield Finding("database", True, f"{kind} at revision {revision}{later}")
    else:
        cure = "Make a backup, then run: goldsmith migrate"
        yield Finding("database", False, f"{kind} at revision {revision}, older than {migrations.HEAD}", cure)


def look_at_models(parts: Parts) -> Iterator[Finding]:
    """Whether every model's files are there, as large as they were."""
    with parts.database.reading() as session:
        bases = models.bases(session, domain=DEFAULT_DOMAIN)
        every = models.all_tuned(session, domain=DEFAULT_DOMAIN)
        tuned = [one for one in every if not models.is_at_provider(session, one)]
    if not bases:
        yield NO_MODELS
    for base in bases:
        found = folder_size_bytes(models.folder_of(parts.home, base))
        is_whole = found == base.size_bytes
        sentence = f"its files are there, {amounts.size(found)}"
        if not is_whole:
            sentence = f"its files have {amounts.size(found)} instead of {amounts.size(base.size_bytes)}"
        cure = "" if is_whole else f"Bring it again: {command_to_get(base)}"
        yield Finding(f"base model {base.name}", is_whole, sentence, cure)
    lost = [one.name for one in tuned if not any(models.folder_of(parts.home, one).glob("*.safetensors"))]
    if tuned:
        sentence = f"the files of {len(tuned) - len(lost)} of {len(tuned)} are there"
        cure = f"Bring them back from a backup, or train again: {', '.join(lost[:5])}" if lost else ""
        yield Finding("fine-tuned models", not lost, sentence, cure)


def look_at_engines(parts: Parts) -> Iterator[Finding]:
    """How the engines are."""
    with parts.database.reading() as session:
        engines = serve.page(session, domain=DEFAULT_DOMAIN)
    for engine in engines:
        is_fine = engine.state != "failed"
        cure = "" if is_fine else f"Read its log in {parts.home.engines / engine.id}, cure what it names, deploy again."
        yield Finding(f"engine {engine.name}", is_fine, f"{engine.state}. {engine.message}".strip(), cure)
