"""The only place where parts are put together: settings, database, kinds of jobs, keepers, web.

Heavy libraries are imported where they are used, so that every process starts in a fraction of a second.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith import plugins
from goldsmith.environments import folders, machine
from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs.kinds import JobKind, Keeper
from goldsmith.jobs.types import JobView, Launch
from goldsmith.migrations import preparing
from goldsmith.settings import PREFIX, Settings
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

if TYPE_CHECKING:
    from fastapi import FastAPI

    from goldsmith.connect.aristotle import Aristotle
    from goldsmith.gateway.application import Gateway
    from goldsmith.gateway.poller import Poller
    from goldsmith.gateway.routes import Tables
    from goldsmith.jobs.supervisor import Supervisor
    from goldsmith.jobs.worker import Worker
    from goldsmith.plugins import Found
    from goldsmith.serve.keeper import EngineKeeper
    from goldsmith.train.backends.base import Backend
    from goldsmith.train.workshop import Workshop
    from goldsmith.web.factory import Routers


DEAD_AFTER_S = {"cpu": 60.0, "cuda": 10.0}
"""Seconds without a token or a moved counter after which an engine is dead. On a CPU that something else uses too, the
first answer of an adapter was seen to take more than 30 s."""


class Late(Mapping[str, Any]):
    """A mapping that is made when somebody first looks into it: every kind of job together takes long to load."""

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, Any]:
        return self._make()

    def __getitem__(self, name: str) -> Any:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


@dataclass(frozen=True)
class Parts:
    """What every process of Goldsmith is made of."""

    settings: Settings
    home: Home
    database: Database
    kinds: Mapping[str, JobKind]
    machine: MachineFacts


def assemble(settings: Settings | None = None) -> Parts:
    """Read the settings and put the parts together. Opens no connection and loads no step of the loop yet."""
    settings = settings or Settings()
    home = Home(settings.root, settings.sealing_key).prepare()
    facts = machine.look()
    kinds = Late(lambda: make_kinds(settings, home, facts))
    mirrors = Late(lambda: {name: kind.mirror for name, kind in kinds.items()})
    return Parts(settings, home, Database(settings.database, session_info={"mirrors": mirrors}), kinds, facts)


@cache
def find_backends() -> "Found[Backend]":
    """Every training backend there is, plugins among them. The only place that names a concrete one."""
    from goldsmith.train.backends import others
    from goldsmith.train.backends.axolotl import Axolotl
    from goldsmith.train.backends.fake import Fake
    from goldsmith.train.backends.openai import OpenAi
    from goldsmith.train.backends.trl import Trl
    from goldsmith.train.backends.unsloth import Unsloth

    backends: Sequence[Backend] = (Trl(), Unsloth(), Axolotl(), OpenAi(), Fake())
    ours = {backend.name: backend for backend in backends}
    return others.found(entry_points(group=plugins.BACKENDS), ours=ours)


def make_backends() -> "dict[str, Backend]":
    """Every training backend, by name."""
    return dict(find_backends().by_name)


def make_workshop(parts: Parts) -> "Workshop":
    """With what is trained on this machine."""
    from goldsmith.train.workshop import Workshop

    return Workshop(parts.home, make_backends(), parts.machine)


def make_aristotle() -> "Aristotle | None":
    """Aristotle's database, where the settings name one. Raises SourceNotConnected."""
    from goldsmith.connect.aristotle import Aristotle
    from goldsmith.connect.aristotle.connection import read_settings

    return Aristotle.of(read_settings())


def make_kinds(settings: Settings, home: Home, facts: MachineFacts) -> dict[str, JobKind]:
    """Every kind of job there is, by name."""
    from goldsmith.compare.curve_jobs import kinds_of_comparing
    from goldsmith.connect.jobs import kinds_of_sources
    from goldsmith.connect.openai.moving import MoveInKind
    from goldsmith.data.jobs import ImportKind
    from goldsmith.environments.jobs import EnvironmentKind
    from goldsmith.gateway.batches import BatchRules
    from goldsmith.jobs.costs import Rates
    from goldsmith.models.exports.child import Exporter
    from goldsmith.models.hub_access import HubAccess
    from goldsmith.models.jobs import FolderKind, GgufKind, HubKind
    from goldsmith.run.batches import jobs as batches
    from goldsmith.run.jobs import RunKind
    from goldsmith.serve.jobs import ProveKind
    from goldsmith.serve.merged.jobs import written_anew
    from goldsmith.serve.receipt import BFLOAT16_TOLERANCE_NATS, TOLERANCE_NATS
    from goldsmith.stars.jobs import ImportedAnswersKind
    from goldsmith.train.jobs import TrainingKind
    from goldsmith.train.rehearsing import RehearsalKind

    env = _without_secrets()

    def python_of(name: EnvironmentName | None) -> Path:
        return Path(sys.executable) if name is None else folders.python_of(name, home=home.root)

    rates = Rates(settings.machine_usd_per_hour, settings.machine_watts)
    exporter = Exporter.of(home, env, facts.num_cores)
    kinds: Sequence[JobKind] = (
        EnvironmentKind(torch_index_url=settings.torch_index_url, env=env),
        ImportKind(),
        ImportedAnswersKind(),
        FolderKind(),
        HubKind(access=lambda home: HubAccess.of(home, env, is_offline=settings.hub_offline)),
        GgufKind(python=lambda: python_of(EnvironmentName.TRL), parent_env=env),
        *written_anew(exporter, device=facts.device),
        ProveKind(tolerance_nats=TOLERANCE_NATS if facts.device == "cpu" else BFLOAT16_TOLERANCE_NATS),
        RunKind(rates=rates),
        batches.BatchCheckKind(),
        batches.BatchKind(rules=BatchRules(), limits=batches.limits_on(facts.device), rates=rates),
        batches.BatchEndKind(),
        *(
            kind(backends=make_backends(), machine=facts, python_of=python_of, parent_env=env, rates=rates)
            for kind in (TrainingKind, RehearsalKind)
        ),
        *kinds_of_comparing(),
        *kinds_of_sources(make_aristotle, settings, home),
        MoveInKind(),
    )
    return {kind.name: kind for kind in kinds}


def _without_secrets() -> dict[str, str]:
    """Our environment as heavy programs get it: Aristotle's database is no business of theirs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ARISTOTLE_")}


def make_keepers(parts: Parts) -> list[Keeper]:
    """Everything that the supervisor ticks."""
    from goldsmith.compare.curve_jobs import CurveKeeper
    from goldsmith.connect.jobs import keepers_of_source
    from goldsmith.models.leftovers import LeftoverKeeper
    from goldsmith.run.batches.jobs import BatchKeeper
    from goldsmith.serve.jobs import keepers_of_serving
    from goldsmith.train.cancelling import CancelKeeper
    from goldsmith.webhooks.keeper import WebhookKeeper

    leftovers = LeftoverKeeper(parts.database, parts.home)
    webhooks = WebhookKeeper(parts.database, parts.home, own_hosts=parts.settings.webhook_hosts)
    serving = (*keepers_of_serving(parts.database, parts.home), CurveKeeper(parts.database))
    sources = keepers_of_source(parts.database, make_aristotle)
    cancels = CancelKeeper(parts.database, parts.home, launch=lambda job, at: parts.kinds[job.kind].launch(job, at))
    return [_make_engine_keeper(parts), BatchKeeper(parts.database), *serving, leftovers, webhooks, cancels, *sources]


def _make_engine_keeper(parts: Parts) -> "EngineKeeper":
    from goldsmith.serve import engine
    from goldsmith.serve.keeper import EngineKeeper, EngineSettings

    program = engine.vllm(parts.home, env=_without_secrets())
    settings = EngineSettings(
        program,
        parts.machine.device,
        num_gpus=len(parts.machine.gpus),
        free_bytes=machine.free_bytes,
        first_port=parts.settings.engine_port,
        dead_after_s=DEAD_AFTER_S[parts.machine.device],
    )
    return EngineKeeper(parts.database, parts.home, settings)


def make_supervisor(parts: Parts) -> "Supervisor":
    """The supervisor of this machine."""
    from goldsmith.jobs.supervisor import Machine, Supervisor

    return Supervisor(
        parts.database,
        parts.home,
        kinds=parts.kinds,
        machine=Machine(parts.machine.name, parts.machine.slots),
        worker_launch=lambda job, stage: worker_launch(parts, job, stage),
    )


def check_no_supervisor(parts: Parts) -> None:
    """Raise SupervisorRunning when one watches over this home folder."""
    from goldsmith.jobs.supervisor import lock_of

    lock_of(parts.home).close()


def stop_engines(parts: Parts) -> int:
    """End the engines that were started here, once no supervisor watches over them; returns how many."""
    return _make_engine_keeper(parts).stop_engines()


def make_asgi(parts: Parts, routers: "Routers | None" = None) -> "FastAPI":
    """What the web process serves: door → gateway → pages and API."""
    from starlette.routing import compile_path

    from goldsmith.gateway import inside
    from goldsmith.gateway.application import ADDRESSES
    from goldsmith.gateway.poller import Poller
    from goldsmith.serve import bell
    from goldsmith.stars.queries import num_stars
    from goldsmith.web.faces import Face, Known
    from goldsmith.web.factory import make_web
    from goldsmith.web.routers import make_routers
    from goldsmith.web.state import WebState

    poller = Poller(lambda: read_routes(parts), bell=lambda: bell.heard(parts.home))
    # What is asked on a page goes through the same counts, lines and limits as what a program asks.
    asked_inside = _make_gateway(parts, poller)

    def after_switch() -> None:
        bell.ring(parts.home)
        poller.refresh()

    offers = {
        "backends": make_backends(),
        "sources": {"aristotle": make_aristotle},
        "machine": parts.machine,
        "import_roots": (Path.home(), *parts.settings.import_roots),
        "after_switch": after_switch,
        "ask_models": lambda person, bodies: inside.ask_all(asked_inside, person, bodies),
    }
    counts = {"stars": lambda session, by: str(sum(num_stars(session, domain=by.domain).values()) or "")}
    state = WebState(parts.database, parts.home, parts.settings, menu_counts=counts, offers=offers)
    web = make_web(state, routers or make_routers())
    web.state.behind_door.append(lambda inner: replace(asked_inside, app=inner))
    web.state.faces.routes += [
        Known(path, compile_path(path)[0], frozenset({method}), Face.OPENAI) for method, path in ADDRESSES
    ]
    return web


def _make_gateway(parts: Parts, poller: "Poller") -> "Gateway":
    """A gateway before nothing, with everything that it hands over to the database behind the callers' backs."""
    from goldsmith.gateway import inside
    from goldsmith.gateway.application import Gateway
    from goldsmith.gateway.forward import Forwarder
    from goldsmith.gateway.keeping import KeepingLine
    from goldsmith.gateway.line import Line
    from goldsmith.gateway.shadowing import Shadowing
    from goldsmith.gateway.traffic import Traffic
    from goldsmith.serve.kept.jobs import KeptSink
    from goldsmith.serve.shadow.jobs import PairSink
    from goldsmith.serve.traffic_sink import TrafficSink

    forwarder = Forwarder()
    return Gateway(
        inside.nobody,
        poller,
        forwarder,
        Traffic(TrafficSink(parts.database, days=parts.settings.traffic_days)),
        Line(parts.settings.gateway_wait_s),
        KeepingLine(KeptSink(parts.database)),
        Shadowing(forwarder, PairSink(parts.database)),
    )


def read_routes(parts: Parts) -> "Tables":
    """Where every name leads, and the engines' keys: what the gateway keeps in memory."""
    from goldsmith.gateway.routes import Tables
    from goldsmith.serve import queries
    from goldsmith.serve.kept import queries as kept
    from goldsmith.serve.shadow import queries as shadow

    with parts.database.reading() as session:
        domains = queries.domains(session)
        by_domain = {domain: queries.route_table(session, domain) for domain in domains}
        keeping = {domain: kept.keeping(session, domain=domain) for domain in domains}
        shadows = {domain: shadow.shadows(session, domain=domain) for domain in domains}
    routes = [route for table in by_domain.values() for route in table.routes.values()]
    targets = {share.target.engine_id: share.target for route in routes for share in route.shares}
    keys = {engine_id: target.read_key(parts.home.root) for engine_id, target in targets.items()}
    return Tables(
        by_domain, {engine_id: key for engine_id, key in keys.items() if key}, keeping=keeping, shadows=shadows
    )


def make_worker(parts: Parts) -> "Worker":
    """A worker for one stage of one job."""
    from goldsmith.jobs.worker import Worker

    return Worker(parts.database, parts.home, parts.kinds)


def worker_launch(parts: Parts, job: JobView, stage: str) -> Launch:
    """How a light stage is started: in this very environment, with this process's settings."""
    lease = str(job.lease_number)
    argv = (sys.executable, "-m", "goldsmith", "work", job.id, "--stage", stage, "--lease", lease)
    return Launch(argv, cwd=parts.home.root, env=child_environment(parts.settings))


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of children in the control plane's own Python: ours, with the settings resolved."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**own, **settings.to_environment()}


def prepare_database(parts: Parts, *, may_migrate_postgresql: bool = False) -> str | None:
    """Bring the schema up to date; returns a sentence when something was done. Raises SchemaIsOlder: see there."""
    return preparing.prepare(parts.database, parts.settings.database, may_migrate_postgresql=may_migrate_postgresql)


def pause_jobs(parts: Parts) -> list[str]:
    """Ask every job that runs on this machine to pause; returns their ids."""
    from goldsmith.jobs import queries, queue
    from goldsmith.jobs.place import own_name
    from goldsmith.jobs.types import StopRequest

    with parts.database.transaction() as session:
        jobs = queries.active(session, own_name(parts.home, parts.machine.name))
        for job in jobs:
            queue.ask_to_stop(session, job, StopRequest.PAUSE)
        return [job.id for job in jobs]
