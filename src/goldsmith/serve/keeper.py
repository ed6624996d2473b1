"""Keeps engines as the database wants them: starts, watches with real tokens, restarts, loads, has loads proved.

The supervisor ticks it. A tick reads, decides (`wanted.py`), starts processes, and writes; everything that waits for an
engine runs beside it (`operations.py`) and is picked up by a later tick, outside of any transaction.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from goldsmith.errors import GoldsmithError
from goldsmith.jobs import child
from goldsmith.jobs.types import ChildId
from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.serve import copies, operations, queries, recording, wanted
from goldsmith.serve import engine as processes
from goldsmith.serve.engine import EngineFiles, EnginePlan, Program
from goldsmith.serve.engine_watch import Load, Watch
from goldsmith.serve.errors import EngineNotAnswering
from goldsmith.serve.operations import Door, Operation
from goldsmith.serve.recording import Rows
from goldsmith.serve.room import Room
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineKind, EngineState, SeenEngine, key_path
from goldsmith.serve.wanted import ROOM_ENOUGH
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.storage.patience import AWAY

LOOK_WHILE_STARTING_S = 0.5
LOOK_WHILE_READY_S = 10.0
LOAD_AGAIN_AFTER_S = 2.0
KILL_AFTER_S = 15.0
# A keeper that itself slept this long has seen nothing, which says nothing about the engines.
OWN_SLEEP_S = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineSettings:
    """How engines are started on this machine. `program` may make the command of a stand-in, which needs no memory."""

    program: Program
    device: str
    num_gpus: int = 0
    free_bytes: Callable[[], int] = field(default=lambda: ROOM_ENOUGH.free_bytes)
    """Memory that is free for one more engine; looked at only on machines without a GPU."""
    first_port: int = 8000
    dead_after_s: float = wanted.DEAD_AFTER_S
    look_every_s: float = LOOK_WHILE_READY_S


class EngineKeeper:
    """The keeper of all engines of this machine."""

    name: ClassVar[str] = "engines"

    def __init__(self, database: Database, home: Home, settings: EngineSettings) -> None:
        self._database = database
        self._home = home
        self._settings = settings
        self._watches: dict[str, Watch] = {}
        self._loads: dict[str, Load] = {}
        self._not_before: dict[str, float] = {}
        self._last_tick = time.monotonic()

    def tick(self, now: datetime) -> None:
        """One look at everything, and what follows from it."""
        self._pick_up_loads()
        rows = self._read_evened_out()
        self._forgive_own_sleep()  # a database that was away is like a sleep: it says nothing about the engines
        for engine in rows.engines.values():
            self._watch(engine)
        seen = {engine_id: self._seen(engine_id, rows) for engine_id in rows.engines}
        for action in wanted.reconcile(rows.wanted, seen, now, dead_after_s=self._settings.dead_after_s):
            self._perform(action, rows)

    def stop_engines(self, *, within_s: float = KILL_AFTER_S) -> int:
        """End every engine of ours, as a person who stops Goldsmith wants it; they stay wanted. Returns how many."""
        rows = self._read()
        ours = [engine for engine in rows.engines.values() if engine.kind == EngineKind.OURS.value]
        alive = {engine.id: process for engine in ours if (process := self._process(engine)) is not None}
        for process in alive.values():
            child.ask_to_end(process)
        end = time.monotonic() + within_s
        while time.monotonic() < end and any(child.is_alive(process) for process in alive.values()):
            time.sleep(0.1)
        for engine_id, process in alive.items():
            child.kill(process)
            child.kill_leftovers(EngineFiles.of(self._home, engine_id).pid_file)
            with self._database.transaction() as session:
                recording.stopped(session, engine_id, "stopped together with Goldsmith")
        return len(alive)

    def _read(self) -> Rows:
        room = Room(self._settings.free_bytes(), self._settings.num_gpus)
        with self._database.reading() as session:
            return recording.read(session, room)

    def _read_evened_out(self) -> Rows:
        """What should be, once every copy of an engine is wanted as the engine is."""
        rows = self._read()
        found = copies.differences(list(rows.engines.values()), list(rows.deployments.values()))
        if not found:
            return rows
        with self._database.transaction() as session:
            copies.even_out(session, found)
        return self._read()

    def _forgive_own_sleep(self) -> None:
        now = time.monotonic()
        if now - self._last_tick > OWN_SLEEP_S:
            for watch in self._watches.values():
                watch.live()
        self._last_tick = now

    # What is seen

    def _watch(self, engine: Engine) -> None:
        watch = self._watches.get(engine.id)
        if watch is None or watch.generation != engine.generation:
            watch = self._watches[engine.id] = self._new_watch(engine, watch)
        if engine.kind == EngineKind.OURS.value:
            watch.process = self._process(engine)
        self._pick_up_look(engine, watch)
        is_there = watch.process is not None or engine.kind == EngineKind.ATTACHED.value
        if engine.is_wanted and is_there and watch.look is None and time.monotonic() >= watch.next_look:
            self._begin_look(engine, watch)
        if engine.state == EngineState.STARTING.value and watch.process is not None:
            self._tell_phase(engine, watch)

    def _new_watch(self, engine: Engine, before: Watch | None) -> Watch:
        watch = Watch(engine.generation, message=engine.message)
        if before is not None and engine.kind == EngineKind.ATTACHED.value:
            watch.has_answered, watch.listed, watch.next_look = before.has_answered, before.listed, before.next_look
        return watch

    def _process(self, engine: Engine) -> ChildId | None:
        """The engine's living process: recorded, or started by a keeper that could not record it any more."""
        if engine.pid is not None and engine.pid_started_at is not None and engine.pid_booted_at is not None:
            process = ChildId(engine.pid, engine.pid_started_at, engine.pid_booted_at)
            return process if child.is_alive(process) else None
        found = processes.find(EngineFiles.of(self._home, engine.id))
        return found if found is not None and child.is_alive(found) else None

    def _begin_look(self, engine: Engine, watch: Watch) -> None:
        if engine.url is None:
            return
        door = self._door(engine)
        if not watch.is_failing:
            watch.live()  # nobody asked in between, so the silence until now says nothing
        watch.look = Operation(engine.generation, lambda: operations.look(door, watch.live)).start()

    def _pick_up_look(self, engine: Engine, watch: Watch) -> None:
        if watch.look is None or not watch.look.is_over:
            return
        found = watch.look.result()
        watch.look = None
        watch.is_failing = isinstance(found, GoldsmithError)
        if isinstance(found, GoldsmithError):
            watch.next_look = time.monotonic() + min(LOOK_WHILE_STARTING_S, self._settings.look_every_s)
            is_away = isinstance(found, EngineNotAnswering)
            watch.was_away = watch.was_away or is_away
            watch.trouble = "" if is_away else f"gives no token: {found.message}"
            return
        watch.trouble = ""
        watch.live()
        watch.has_answered, watch.listed = True, frozenset(found.models)
        watch.base_name = found.base_name
        watch.next_look = time.monotonic() + self._settings.look_every_s
        with self._database.transaction() as session:
            recording.token_came(session, engine.id)
            if watch.was_away and engine.kind == EngineKind.ATTACHED.value:
                recording.came_back(session, engine.id)
        watch.was_away = False

    def _tell_phase(self, engine: Engine, watch: Watch) -> None:
        words = watch.trouble or processes.phase(EngineFiles.of(self._home, engine.id))
        message = words if engine.port == self._settings.first_port else f"{words} (on port {engine.port})"
        if message != watch.message:
            watch.message = message
            if watch.trouble:
                log.warning("engine %s: %s", engine.id, message)
            with self._database.transaction() as session:
                recording.says(session, engine.id, message)

    def _seen(self, engine_id: str, rows: Rows) -> SeenEngine:
        engine, watch = rows.engines[engine_id], self._watches[engine_id]
        is_attached = engine.kind == EngineKind.ATTACHED.value
        waiting = {key for key, until in self._not_before.items() if until > time.monotonic()}
        return SeenEngine(
            is_alive=is_attached or watch.process is not None,
            has_answered=watch.has_answered,
            silent_s=time.monotonic() - watch.last_life,
            has_room=is_attached or self._has_room(engine),
            listed=watch.listed,
            busy_with=frozenset(self._loads) | frozenset(waiting),
        )

    def _has_room(self, engine: Engine) -> bool:
        files = EngineFiles.of(self._home, engine.id)
        return processes.has_room(files, max_loras=engine.max_loras, device=self._settings.device)

    def _door(self, engine: Engine) -> Door:
        path = self._home.root / key_path(engine.id)
        key = path.read_text(encoding="ascii").strip() if path.exists() else None
        name = engine.provider_model if engine.kind == EngineKind.ATTACHED.value else engine.base_model_id
        return Door(engine.url or "", key, name)

    # What is done

    def _perform(self, action: wanted.Action, rows: Rows) -> None:
        match action:
            case wanted.StartEngine():
                self._start(action, rows.engines[action.engine_id])
            case wanted.MakeRoom(engine_id, for_engine_id, because):
                self._record(lambda session: recording.made_room(session, engine_id, for_engine_id, because))
            case wanted.WaitForRoom(engine_id, because):
                if because not in rows.engines[engine_id].message:
                    self._record(lambda session: recording.waits(session, engine_id, because))
            case wanted.StopEngine():
                self._stop(action, self._watches[action.engine_id])
            case wanted.MarkDead():
                self._bury(action, rows.engines[action.engine_id])
            case wanted.MarkReady():
                base_name = self._watches[action.engine_id].base_name
                self._record(lambda session: recording.ready(session, action.engine_id, base_name))
            case wanted.MarkStopped():
                self._record(lambda session: recording.stopped(session, action.engine_id))
            case wanted.LoadAdapter() | wanted.UnloadAdapter():
                self._move_adapter(action, rows)
            case _:
                self._note(action, rows)

    def _note(self, action: wanted.Note, rows: Rows) -> None:
        deployment = rows.deployments[action.deployment_id]
        generation = rows.engines[deployment.engine_id].generation
        with self._database.transaction() as session:
            match action:
                case wanted.MarkLoaded():
                    recording.loaded(session, deployment.id, generation=generation, load_s=None)
                case wanted.MarkUnloaded():
                    recording.unloaded(session, deployment.id)
                case wanted.QueueProof():
                    recording.queue_proof(session, queries.deployment(session, deployment.id))
                case wanted.MarkUnproved():
                    recording.unproved(session, deployment.id)

    def _record(self, write: Callable[..., object]) -> None:
        with self._database.transaction() as session:
            write(session)

    def _start(self, action: wanted.StartEngine, engine: Engine) -> None:
        files = EngineFiles.of(self._home, engine.id)
        try:
            plan = self._plan(engine, action)
            launch = self._settings.program(plan)
        except GoldsmithError as error:
            because = f"{error.message} {error.hint}"
            self._record(lambda session: recording.cannot_start(session, engine.id, because))
            return
        note = f"on port {plan.port}; {self._settings.first_port} is taken" if self._is_moved(plan) else "starting…"
        with self._database.transaction() as session:
            recording.starting(session, plan, note)
        try:
            process = processes.start(launch, plan, files)
        except OSError as error:
            because = str(error)
            self._record(lambda session: recording.died(session, engine.id, because))
            return
        with self._database.transaction() as session:
            recording.started(session, engine.id, process)

    def _is_moved(self, plan: EnginePlan) -> bool:
        return plan.port != self._settings.first_port

    def _plan(self, engine: Engine, action: wanted.StartEngine) -> EnginePlan:
        device = self._settings.device
        with self._database.reading() as session:
            base = session.get_one(BaseModel, engine.base_model_id)
        return EnginePlan(
            engine_id=engine.id,
            base_folder=models.folder_of(self._home, base),
            served_name=base.id,
            port=processes.find_port(self._settings.first_port),
            max_lora_rank=action.max_lora_rank,
            max_loras=processes.places(action.num_adapters, device=device, asked=engine.num_places),
            num_adapters=action.num_adapters,
            device=device,
            gpu=action.gpu,
            key=processes.own_key(self._home, engine.id),
            key_file=self._home.root / key_path(engine.id),
        )

    def _stop(self, action: wanted.StopEngine, watch: Watch) -> None:
        if watch.process is None:
            return
        if watch.stopping_since is None:
            watch.stopping_since = time.monotonic()
            self._record(lambda session: recording.stopped(session, action.engine_id, action.because))
            child.ask_to_end(watch.process)
        elif time.monotonic() - watch.stopping_since > KILL_AFTER_S:
            child.kill(watch.process)

    def _bury(self, action: wanted.MarkDead, engine: Engine) -> None:
        process = self._watches[engine.id].process
        if process is not None:
            child.kill(process)
        because = self._watches[engine.id].trouble or action.because
        if engine.kind == EngineKind.OURS.value:
            because = f"{because} ({processes.last_words(EngineFiles.of(self._home, engine.id))})"
        log.warning("engine %s is dead: %s", engine.id, because)
        self._record(lambda session: recording.died(session, engine.id, because))
        watch = self._watches[engine.id]
        watch.has_answered, watch.listed = False, None
        watch.live()

    def _move_adapter(self, action: wanted.LoadAdapter | wanted.UnloadAdapter, rows: Rows) -> None:
        deployment = rows.deployments[action.deployment_id]
        engine = rows.engines[deployment.engine_id]
        door, name = self._door(engine), deployment.model_id
        if isinstance(action, wanted.UnloadAdapter):
            out = Operation(engine.generation, lambda: operations.unload(door, name)).start()
            self._loads[deployment.id] = Load(out, name, is_loading=False)
            return
        folder = self._folder(name)
        if folder is None:
            gone = f"The model {name} is not registered any more."
            self._record(
                lambda session: recording.not_loaded(session, deployment.id, generation=engine.generation, because=gone)
            )
            return
        if engine.kind == EngineKind.OURS.value:
            processes.note_load(EngineFiles.of(self._home, engine.id), name)
        into = Operation(engine.generation, lambda: operations.load(door, name, folder)).start()
        self._loads[deployment.id] = Load(into, name, is_loading=True)

    def _folder(self, model_id: str) -> Path | None:
        with self._database.reading() as session:
            model = session.get(FineTunedModel, model_id)
        return models.folder_of(self._home, model) if model is not None else None

    def _pick_up_loads(self) -> None:
        for deployment_id, load in list(self._loads.items()):
            if load.operation.is_over:
                del self._loads[deployment_id]
                try:
                    self._record_load(deployment_id, load)
                except AWAY:
                    self._loads[deployment_id] = load  # written down once the database is back
                    raise

    def _record_load(self, deployment_id: str, load: Load) -> None:
        found, generation = load.operation.result(), load.operation.generation
        if isinstance(found, EngineNotAnswering):
            self._not_before[deployment_id] = time.monotonic() + LOAD_AGAIN_AFTER_S
            return
        with self._database.transaction() as session:
            engine = queries.one(session, queries.deployment(session, deployment_id).engine_id)
            if engine.generation != generation or engine.state != EngineState.READY.value:
                return
            if isinstance(found, GoldsmithError):
                recording.not_loaded(session, deployment_id, generation=generation, because=found.message)
            elif load.is_loading:
                recording.loaded(session, deployment_id, generation=generation, load_s=float(found))
            else:
                recording.unloaded(session, deployment_id)
        self._relist(engine.id, load)

    def _relist(self, engine_id: str, load: Load) -> None:
        """The list of before the load says nothing about it."""
        watch = self._watches.get(engine_id)
        if watch is not None and watch.listed is not None:
            one = frozenset({load.model_id})
            watch.listed = watch.listed | one if load.is_loading else watch.listed - one
            watch.look = None  # one that is under way may have listed before, too
