from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.serve.room import Room
from goldsmith.serve.types import (
    DeploymentState,
    EngineKind,
    EngineState,
    Proof,
    SeenEngine,
    WantedDeployment,
    WantedEngine,
)
from goldsmith.serve.wanted import (
    Action,
    LoadAdapter,
    MakeRoom,
    MarkDead,
    MarkLoaded,
    MarkReady,
    MarkStopped,
    MarkUnloaded,
    MarkUnproved,
    QueueProof,
    StartEngine,
    StopEngine,
    UnloadAdapter,
    WaitForRoom,
    Wanted,
    reconcile,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def engine(**more: Any) -> WantedEngine:
    values: dict[str, Any] = {
        "id": "e",
        "kind": EngineKind.OURS,
        "is_wanted": True,
        "state": EngineState.READY,
        "generation": 1,
        "max_lora_rank": 8,
        "needed_rank": 8,
        "num_adapters": 1,
        "num_crashes": 0,
        "starting_at": NOW - timedelta(minutes=1),
    }
    return WantedEngine(**{**values, **more})


def deployment(**more: Any) -> WantedDeployment:
    values: dict[str, Any] = {
        "id": "d",
        "model_id": "ftm_1",
        "engine_id": "e",
        "is_base": False,
        "is_wanted": True,
        "state": DeploymentState.LOADED,
        "generation": 1,
        "proof": Proof.PROVED,
        "prove_job_id": "job_1",
        "is_prove_job_over": True,
    }
    return WantedDeployment(**{**values, **more})


ALIVE = SeenEngine(is_alive=True, has_answered=True, listed=frozenset({"bm_1", "ftm_1"}))


def decide(
    one: WantedEngine, seen: SeenEngine = ALIVE, *deployments: WantedDeployment, now: datetime = NOW
) -> list[Action]:
    return reconcile(Wanted([one], deployments), {one.id: seen}, now)


def test_when_all_is_as_wanted_there_is_nothing_to_do() -> None:
    assert decide(engine(), ALIVE, deployment()) == []


def test_a_wanted_engine_is_started_with_the_rank_that_is_needed() -> None:
    stopped = engine(state=EngineState.STOPPED, needed_rank=16, starting_at=None)
    assert decide(stopped, SeenEngine()) == [StartEngine("e", 16, 1)]


def test_a_higher_rank_stops_the_engine_before_it_starts_again() -> None:
    assert isinstance(decide(engine(needed_rank=16))[0], StopEngine)


def test_a_lower_rank_needs_no_restart() -> None:
    assert decide(engine(max_lora_rank=32)) == []


def test_an_engine_starts_beside_another_of_ours_where_there_is_room() -> None:
    old, new = engine(id="old"), engine(id="new", state=EngineState.STOPPED, starting_at=None)
    assert reconcile(Wanted([old, new], []), {"old": ALIVE}, NOW) == [StartEngine("new", 8, 1)]


def test_engines_start_one_after_the_other() -> None:
    old, new = engine(id="old", state=EngineState.STARTING), engine(id="new", state=EngineState.STOPPED)
    assert reconcile(Wanted([old, new], []), {"old": SeenEngine(is_alive=True)}, NOW) == []
    both = Wanted([replace(one, state=EngineState.STOPPED, starting_at=None) for one in (old, new)], [])
    assert reconcile(both, {}, NOW) == [StartEngine("old", 8, 1)]


def test_without_room_the_one_wanted_before_leaves_and_its_end_is_waited_for() -> None:
    old = engine(id="old", wanted_at=NOW - timedelta(hours=1))
    new = engine(id="new", state=EngineState.STOPPED, starting_at=None, wanted_at=NOW, needed_bytes=5)
    actions = reconcile(Wanted([old, new], [], Room(4)), {"old": ALIVE}, NOW)
    assert [(type(one), one.engine_id) for one in actions if isinstance(one, MakeRoom)] == [(MakeRoom, "old")]
    leaving = Wanted([replace(old, is_wanted=False), new], [], Room(4))
    actions = reconcile(leaving, {"old": ALIVE}, NOW)
    assert [type(action) for action in actions] == [StopEngine, WaitForRoom]
    gone = Wanted([replace(old, is_wanted=False, state=EngineState.STOPPED), new], [], Room(5))
    assert reconcile(gone, {}, NOW) == [StartEngine("new", 8, 1)]


def test_each_engine_gets_a_gpu_of_its_own() -> None:
    old = engine(id="old", gpu=0, wanted_at=NOW)
    new = engine(id="new", state=EngineState.STOPPED, starting_at=None)
    assert reconcile(Wanted([old, new], [], Room(0, num_gpus=2)), {"old": ALIVE}, NOW) == [StartEngine("new", 8, 1, 1)]
    waiting = reconcile(Wanted([old, new], [], Room(0, num_gpus=1)), {"old": ALIVE}, NOW)
    assert [type(action) for action in waiting] == [WaitForRoom]


def test_one_at_rest_stops_and_stays_so_and_starts_when_the_rest_is_over() -> None:
    tired = engine(rests_because="at rest for a training")
    assert decide(tired) == [StopEngine("e", "at rest for a training")]
    assert decide(tired, SeenEngine()) == [MarkStopped("e")]  # that its process ended is no crash
    assert decide(replace(tired, state=EngineState.STOPPED), SeenEngine()) == []
    assert decide(engine(state=EngineState.STOPPED), SeenEngine()) == [StartEngine("e", 8, 1)]


def test_a_start_after_a_crash_waits_longer_each_time() -> None:
    crashed = engine(state=EngineState.STOPPED, num_crashes=2, starting_at=NOW - timedelta(seconds=3))
    assert decide(crashed, SeenEngine()) == []
    assert decide(crashed, SeenEngine(), now=NOW + timedelta(seconds=2)) == [StartEngine("e", 8, 1)]


def test_a_failed_engine_is_left_alone() -> None:
    assert decide(engine(state=EngineState.FAILED), SeenEngine()) == []


def test_a_process_that_ended_is_a_death_whatever_its_exit_status() -> None:
    assert decide(engine(), SeenEngine()) == [MarkDead("e", "its process ended")]


def test_an_engine_that_lives_but_gives_no_token_is_dead_after_30_s() -> None:
    assert decide(engine(), replace(ALIVE, silent_s=29)) == []
    assert isinstance(decide(engine(), replace(ALIVE, silent_s=31))[0], MarkDead)


def test_only_a_real_token_makes_an_engine_ready() -> None:
    starting = engine(state=EngineState.STARTING)
    assert decide(starting, SeenEngine(is_alive=True)) == []
    assert decide(starting, SeenEngine(is_alive=True, has_answered=True)) == [MarkReady("e")]


def test_an_engine_that_never_answers_is_given_up_after_a_while() -> None:
    late = engine(state=EngineState.STARTING, starting_at=NOW - timedelta(hours=1))
    assert isinstance(decide(late, SeenEngine(is_alive=True))[0], MarkDead)


def test_what_is_not_wanted_is_stopped_then_marked() -> None:
    assert isinstance(decide(engine(is_wanted=False))[0], StopEngine)
    assert decide(engine(is_wanted=False), SeenEngine()) == [MarkStopped("e")]


def test_after_a_restart_every_adapter_is_loaded_again() -> None:
    again = engine(generation=2)
    assert decide(again, ALIVE, deployment(state=DeploymentState.WAITING)) == [LoadAdapter("d")]
    assert decide(again, ALIVE, deployment()) == [LoadAdapter("d")]


def test_an_adapter_that_the_engine_does_not_list_is_loaded_again() -> None:
    assert decide(engine(), replace(ALIVE, listed=frozenset({"bm_1"})), deployment()) == [LoadAdapter("d")]


def test_a_refused_load_is_not_tried_again_until_the_next_start() -> None:
    refused = deployment(state=DeploymentState.FAILED)
    assert decide(engine(), ALIVE, refused) == []
    assert decide(engine(generation=2), ALIVE, refused) == [LoadAdapter("d")]


def test_nothing_is_loaded_while_an_operation_is_under_way() -> None:
    waiting = deployment(state=DeploymentState.WAITING)
    assert decide(engine(), replace(ALIVE, busy_with=frozenset({"d"})), waiting) == []


def test_an_engine_without_room_starts_again_before_it_loads_one_more() -> None:
    full = replace(ALIVE, has_room=False)
    actions = decide(engine(), full, deployment(state=DeploymentState.WAITING))
    assert [type(action) for action in actions] == [StopEngine]
    assert decide(engine(), full, deployment()) == []


def test_a_base_model_is_loaded_with_its_engine() -> None:
    base = deployment(is_base=True, state=DeploymentState.WAITING, proof=Proof.NOT_NEEDED, prove_job_id=None)
    assert decide(engine(), ALIVE, base) == [MarkLoaded("d")]


def test_a_load_is_proved_once() -> None:
    assert decide(engine(), ALIVE, deployment(proof=Proof.UNPROVED, prove_job_id=None)) == [QueueProof("d")]
    assert decide(engine(), ALIVE, deployment(proof=Proof.UNPROVED)) == []
    assert decide(engine(), ALIVE, deployment(proof=Proof.PROVING, is_prove_job_over=False)) == []
    assert decide(engine(), ALIVE, deployment(proof=Proof.PROVING)) == [MarkUnproved("d")]


def test_what_is_taken_away_is_unloaded() -> None:
    assert decide(engine(), ALIVE, deployment(is_wanted=False)) == [UnloadAdapter("d")]
    assert decide(engine(generation=2), ALIVE, deployment(is_wanted=False)) == [MarkUnloaded("d")]
    assert decide(engine(), ALIVE, deployment(is_wanted=False, state=DeploymentState.UNLOADED)) == []


def test_a_provider_is_never_touched() -> None:
    assert decide(engine(kind=EngineKind.PROVIDER), SeenEngine(), deployment(state=DeploymentState.WAITING)) == []


def test_an_attached_engine_is_never_started_stopped_or_given_up() -> None:
    attached = engine(kind=EngineKind.ATTACHED, state=EngineState.STARTING, needed_rank=64, starting_at=None)
    assert decide(attached, SeenEngine(is_alive=True)) == []
    assert decide(replace(attached, is_wanted=False), SeenEngine(is_alive=True)) == [MarkStopped("e")]


class World:
    """An engine and a deployment on which actions work as they should."""

    def __init__(self, one: WantedEngine, seen: SeenEngine, other: WantedDeployment) -> None:
        self.engine, self.seen, self.deployment = one, seen, other

    def act(self, action: Action) -> None:
        match action:
            case StartEngine():
                self.engine = replace(
                    self.engine,
                    state=EngineState.STARTING,
                    generation=self.engine.generation + 1,
                    max_lora_rank=action.max_lora_rank,
                    starting_at=NOW,
                )
                self.seen = SeenEngine(is_alive=True, has_answered=True)
            case StopEngine() | MarkStopped():
                self.engine = replace(self.engine, state=EngineState.STOPPED)
                self.seen = SeenEngine(is_alive=self.engine.kind is EngineKind.ATTACHED)
            case MarkDead():
                num_crashes = self.engine.num_crashes + 1
                state = EngineState.FAILED if num_crashes >= 3 else EngineState.STOPPED
                self.engine = replace(self.engine, state=state, num_crashes=num_crashes)
                self.seen = SeenEngine(is_alive=self.engine.kind is EngineKind.ATTACHED)
            case MarkReady():
                self.engine = replace(self.engine, state=EngineState.READY, num_crashes=0)
            case LoadAdapter() | MarkLoaded():
                proof = self.deployment.proof if self.deployment.is_base else Proof.UNPROVED
                self._set(state=DeploymentState.LOADED, generation=self.engine.generation, proof=proof)
                self._set(prove_job_id=None)
                self.seen = replace(self.seen, listed=frozenset({self.deployment.model_id}))
            case UnloadAdapter() | MarkUnloaded():
                self._set(state=DeploymentState.UNLOADED)
            case QueueProof():
                self._set(proof=Proof.PROVING, prove_job_id="job_2", is_prove_job_over=False)
            case MarkUnproved():
                self._set(proof=Proof.UNPROVED)

    def _set(self, **changes: Any) -> None:
        self.deployment = replace(self.deployment, **changes)


engines = st.builds(
    WantedEngine,
    id=st.just("e"),
    kind=st.sampled_from(EngineKind),
    is_wanted=st.booleans(),
    state=st.sampled_from(EngineState),
    generation=st.integers(0, 2),
    max_lora_rank=st.sampled_from([8, 16]),
    needed_rank=st.sampled_from([8, 16]),
    num_adapters=st.just(1),
    num_crashes=st.integers(0, 3),
    starting_at=st.none() | st.just(NOW - timedelta(hours=1)),
    rests_because=st.sampled_from(["", "at rest"]),
)
deployments = st.builds(
    WantedDeployment,
    id=st.just("d"),
    model_id=st.just("m"),
    engine_id=st.just("e"),
    is_base=st.booleans(),
    is_wanted=st.booleans(),
    state=st.sampled_from(DeploymentState),
    generation=st.integers(0, 2),
    proof=st.sampled_from(Proof),
    prove_job_id=st.none() | st.just("job_1"),
    is_prove_job_over=st.booleans(),
)
sights = st.builds(
    SeenEngine,
    is_alive=st.booleans(),
    has_answered=st.booleans(),
    silent_s=st.sampled_from([0.0, 100.0]),
    has_room=st.booleans(),
    listed=st.none() | st.just(frozenset({"m"})) | st.just(frozenset[str]()),
)


@given(engines, sights, deployments)
def test_doing_what_it_says_ends_with_nothing_to_do_and_with_what_is_wanted(
    one: WantedEngine, seen: SeenEngine, other: WantedDeployment
) -> None:
    world = World(one, replace(seen, is_alive=seen.is_alive or one.kind is EngineKind.ATTACHED), other)
    for _ in range(12):
        actions = reconcile(Wanted([world.engine], [world.deployment]), {"e": world.seen}, NOW)
        for action in actions:
            world.act(action)
        if not actions:
            break
    else:
        raise AssertionError(f"no end: {actions}")
    ours_is_up = world.engine.kind is EngineKind.OURS and world.engine.state is EngineState.READY
    if ours_is_up and world.deployment.is_wanted:
        assert world.deployment.state in (DeploymentState.LOADED, DeploymentState.FAILED)
    if world.engine.kind is EngineKind.OURS and not world.engine.is_wanted:
        assert world.engine.state is EngineState.STOPPED
    if world.engine.kind is EngineKind.OURS and (not world.engine.is_wanted or world.engine.rests_because):
        assert not world.seen.is_alive
    if ours_is_up:
        assert world.engine.max_lora_rank >= world.engine.needed_rank


def test_an_engine_starts_again_where_more_places_were_asked_for() -> None:
    assert decide(engine(num_places=4, asked_places=8)) == [
        StopEngine("e", "it starts again with 8 places for adapters")
    ]
    assert decide(engine(num_places=16, asked_places=8)) == []
