"""What must hold after every fault: C1 to C9, checked by one function over a database, a home and a client's log.

It knows the tables and the folders, and asks nobody how they think it went. Each finding names its rule, so that a
test that fails says which promise was broken.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil
from sqlalchemy import Table, and_, func, select
from sqlalchemy.orm import Session, aliased

from goldsmith.jobs import child
from goldsmith.jobs.states import TRANSITIONS, JobState
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.migrations.tables import METADATA
from goldsmith.models import queries as models
from goldsmith.models.tables import FineTunedModel
from goldsmith.run.tables import Answer, Run
from goldsmith.serve import queries as serve
from goldsmith.serve.engine import EngineFiles
from goldsmith.serve.engine_client import call
from goldsmith.serve.tables import DeploymentHistory, Engine, Receipt
from goldsmith.serve.types import DeploymentState, EngineKind, EngineState, Proof
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home, sha256_of
from goldsmith.train.tables import TrainingJob
from goldsmith.wire import manifest

FINAL_ANSWERS = {"answered", "failed"}
RUN_KINDS = ("run",)
_STATES = {state.value for state in JobState}


@dataclass(frozen=True)
class Told:
    """An answer that a client got over HTTP."""

    status: int
    content_type: str
    text: str


def assert_hold(
    database: Database,
    home: Home,
    *,
    acknowledged: Iterable[tuple[str, str]] = (),
    told: Iterable[Told] = (),
    asks_engines: bool = False,
) -> None:
    """Fail with every rule that does not hold. `acknowledged` is the client's log: table and id of each thing."""
    found = list(violations(database, home, acknowledged=acknowledged, told=told, asks_engines=asks_engines))
    assert found == [], "\n".join(found)


def violations(
    database: Database,
    home: Home,
    *,
    acknowledged: Iterable[tuple[str, str]] = (),
    told: Iterable[Told] = (),
    asks_engines: bool = False,
) -> Iterator[str]:
    """Every rule that does not hold, with what breaks it."""
    with database.reading() as session:
        yield from _everything_acknowledged_is_there(session, acknowledged)
        yield from _each_row_has_one_end(session)
        yield from _states_moved_as_they_may(session)
        yield from _what_succeeded_is_whole(session, home)
        yield from _names_have_manifests(home)
        yield from _one_child_each(session, home)
        if asks_engines:
            yield from _engines_agree(session, home)
        yield from _counts_have_no_gap(session)
        yield from _references_lead_somewhere(session)
    yield from _file_is_sound(database)
    yield from _errors_say_what_to_do(told)


def _everything_acknowledged_is_there(session: Session, acknowledged: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, key in acknowledged:
        table = METADATA.tables[name]
        if session.execute(select(table.c.id).where(table.c.id == key)).first() is None:
            yield f"C1: {name} {key} was acknowledged and is not there"


def _each_row_has_one_end(session: Session) -> Iterator[str]:
    counted = select(Answer.run_id, Answer.row_id).group_by(Answer.run_id, Answer.row_id).having(func.count() > 1)
    for run_id, row_id in session.execute(counted):
        yield f"C2: run {run_id} has several answers for row {row_id}"
    for run in session.scalars(select(Run)):
        states = Counter(session.scalars(select(Answer.state).where(Answer.run_id == run.id)))
        if not states.keys() <= FINAL_ANSWERS:
            yield f"C2: run {run.id} has answers in the states {dict(states)}"
        job = session.get(Job, run.job_id) if run.job_id else None
        if job is None or job.kind not in RUN_KINDS:
            continue
        is_done = job.state == JobState.SUCCEEDED.value
        if states.total() > run.num_rows or (is_done and states.total() != run.num_rows):
            yield f"C2: run {run.id} is {job.state} with {states.total()} answers for {run.num_rows} rows"
        said = job.result or {}
        if is_done and (said["num_answered"], said["num_failed"]) != (states["answered"], states["failed"]):
            yield f"C2: run {run.id} says {said} and has {dict(states)}"


def _states_moved_as_they_may(session: Session) -> Iterator[str]:
    for job in session.scalars(select(Job)):
        query = select(JobEvent.kind).where(JobEvent.job_id == job.id, JobEvent.source == "queue")
        moves = [kind for kind in session.scalars(query.order_by(JobEvent.id)) if kind in _STATES]
        if moves[:1] != [JobState.QUEUED.value] or moves[-1] != job.state:
            yield f"C3: job {job.id} is {job.state} and its events say {moves}"
        for before, after in pairwise(moves):
            if JobState(after) not in TRANSITIONS[JobState(before)]:
                yield f"C3: job {job.id} went from {before} to {after}"
        if moves.count(JobState.QUEUED.value) != job.attempt:
            yield f"C3: job {job.id} is in attempt {job.attempt} and was queued {moves.count('queued')} times"


def _what_succeeded_is_whole(session: Session, home: Home) -> Iterator[str]:
    for training in session.scalars(select(TrainingJob)):
        job = session.get_one(Job, training.id)
        if training.status != job.state:
            yield f"C3: training {training.id} says {training.status} and its job {job.state}"
        if job.state != JobState.SUCCEEDED.value:
            continue
        model = session.get(FineTunedModel, training.output_model_id or "")
        if model is None:
            yield f"C3: training {training.id} succeeded without a model"
            continue
        folder = models.folder_of(home, model)
        if manifest.read_whole(folder) is None:
            yield f"C3: {folder} of training {training.id} is not as its manifest says"
        elif sha256_of(folder / "adapter_model.safetensors") != model.content_hash:
            yield f"C3: the adapter in {folder} is not the one that was registered"
    for model in session.scalars(select(FineTunedModel).where(FineTunedModel.training_job_id.is_not(None))):
        if session.get_one(Job, model.training_job_id).state not in (JobState.SUCCEEDED.value, JobState.RUNNING.value):
            yield f"C3: model {model.id} is registered though its training did not end well"


def _names_have_manifests(home: Home) -> Iterator[str]:
    places = (home.models / "tuned").glob("*"), home.training_sets.glob("*"), home.jobs.glob("*/checkpoints/step-*")
    for folder in (path for place in places for path in place if not path.name.startswith(".")):
        if not (folder / manifest.FILE_NAME).exists():
            yield f"C4: {folder} has its final name and no manifest"
    for path in home.uploads.glob("*"):
        if not path.name.startswith(".") and len(path.stem) == 64 and sha256_of(path) != path.stem:
            yield f"C4: {path} is not what its name says"


def _one_child_each(session: Session, home: Home) -> Iterator[str]:
    alive: Counter[str] = Counter()
    for pid_file in home.jobs.glob("*/attempts/*/*.pid"):
        if child.find_by_pid_file(pid_file) is None:
            continue
        job = session.get(Job, pid_file.parents[2].name)
        if job is None:
            continue  # of another database over the same home
        alive[job.id] += 1
        where = (str(job.attempt), job.stage)
        if not JobState(job.state).is_active or where != (pid_file.parent.name, pid_file.stem):
            yield f"C5: {pid_file} lives, and its job is {job.state} in attempt {job.attempt}, stage {job.stage}"
    yield from (f"C5: job {job_id} has {count} children" for job_id, count in alive.items() if count > 1)
    for engine in session.scalars(select(Engine).where(Engine.kind == EngineKind.OURS.value)):
        process = child.find_by_pid_file(EngineFiles.of(home, engine.id).pid_file)
        is_up = engine.state in (EngineState.STARTING.value, EngineState.READY.value)
        if process is not None and is_up and engine.pid not in (None, process.pid):
            yield f"C5: engine {engine.id} has process {process.pid} and says {engine.pid}"
    yield from (f"C5: process {pid} was left behind by {pid_file}" for pid, pid_file in left_behind(home))


def left_behind(home: Home) -> list[tuple[int, Path]]:
    """Processes whose leader, that had a pid file in this home, is dead."""
    dead = {}
    for pid_file in [*home.jobs.glob("*/attempts/*/*.pid"), *home.engines.glob("*/pid")]:
        if child.find_by_pid_file(pid_file) is None:
            dead[pid_file] = child._written_in(pid_file)
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            mark, session_id = process.environ().get(child.MARK), os.getsid(process.pid)
        except (psutil.Error, OSError):
            continue
        found += [
            (process.pid, pid_file)
            for pid_file, leader in dead.items()
            if mark == str(pid_file) or (leader is not None and session_id == leader.pid != process.pid)
        ]
    return found


def _engines_agree(session: Session, home: Home) -> Iterator[str]:
    """What `/v1/models/active` is made of = what the engine lists = what the receipt shows."""
    domains = set(session.scalars(select(Engine.domain)))
    active = [item for domain in domains for item in serve.active(session, domain=domain)]
    for engine in session.scalars(select(Engine).where(Engine.state == EngineState.READY.value)):
        target = serve.target_for(session, engine.base_model_id or "")
        listed = set(call(target.url, target.read_key(home.root), lambda client: client.models()))
        said = {item.deployment.model_id for item in active if item.is_live and item.engine.id == engine.id}
        loaded = {d.model_id for d in serve.deployments(session, engine.id) if d.state == DeploymentState.LOADED.value}
        if not listed == said == loaded:
            yield f"C6: engine {engine.id} lists {listed}, said to be live are {said}, loaded {loaded}"
    for item in active:
        found = item.deployment
        if found.proof == Proof.PROVED.value:
            receipt = session.get(Receipt, found.receipt_id or "")
            if receipt is None or not receipt.is_green or receipt.model_id != found.model_id:
                yield f"C6: {found.model_id} is said to be proved, and its receipt does not show it"


def _counts_have_no_gap(session: Session) -> Iterator[str]:
    seqs: dict[tuple[str, int, str], list[int]] = {}
    for event in session.scalars(select(JobEvent).order_by(JobEvent.id)):
        seqs.setdefault((event.job_id, event.attempt, event.source), []).append(event.seq)
    for where, found in seqs.items():
        if found != list(range(1, len(found) + 1)):
            yield f"C7: the events of {where} count {found}"
    history = list(session.scalars(select(DeploymentHistory.seq).order_by(DeploymentHistory.seq)))
    if history != list(range(1, len(history) + 1)):
        yield f"C7: the deployment history counts {history}"


def _references_lead_somewhere(session: Session) -> Iterator[str]:
    for table in METADATA.sorted_tables:
        for key in table.foreign_key_constraints:
            other: Table = aliased(key.referred_table)  # type: ignore[assignment]
            pairs = [(table.c[one.parent.name], other.c[one.column.name]) for one in key.elements]
            there = select(other).where(and_(*(mine == theirs for mine, theirs in pairs))).exists()
            lost = select(func.count()).select_from(table).where(pairs[0][0].is_not(None), ~there)
            if session.scalar(lost):
                yield f"C8: {key.name} of {table.name} leads nowhere"


def _file_is_sound(database: Database) -> Iterator[str]:
    if not database.is_sqlite:
        return
    with closing(sqlite3.connect(str(database.engine.url.database))) as file:
        said: Sequence[tuple[str]] = file.execute("PRAGMA integrity_check").fetchall()
    if said != [("ok",)]:
        yield f"C8: the database file is not sound: {said}"


def _errors_say_what_to_do(told: Iterable[Told]) -> Iterator[str]:
    for each in told:
        is_problem = '"hint"' in each.text or "text/html" in each.content_type or '"error"' in each.text
        if each.status >= 500 and not (is_problem and len(each.text) > 40):
            yield f"C9: {each.status} without a problem and a hint: {each.text[:200]}"
        if each.status == 500:
            yield f"C9: an error that nobody foresaw: {each.text[:300]}"
