from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.serve import room as rooms
from goldsmith.serve.room import Room
from goldsmith.serve.types import EngineKind, EngineState, SeenEngine, WantedEngine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GIB = 1024**3


def engine(name: str, *, hours_ago: float | None = None, is_aliased: bool = False, **more: object) -> WantedEngine:
    at = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    one = WantedEngine(name, EngineKind.OURS, True, EngineState.READY, 1, 8, 8, 0, 0, NOW, wanted_at=at)
    return WantedEngine(**{**vars(one), "is_aliased": is_aliased, "needed_bytes": 4 * GIB, **more})


def alive(*engines: WantedEngine) -> dict[str, SeenEngine]:
    return {one.id: SeenEngine(is_alive=True) for one in engines}


def test_a_model_of_135_million_parameters_needs_what_was_measured() -> None:
    assert 4.4 <= rooms.needed_bytes(134_515_008) / GIB < 4.6


def test_nothing_lacks_where_it_fits() -> None:
    assert rooms.lack(engine("new"), [engine("new")], {}, Room(4 * GIB)) is None


def test_what_lacks_is_said_with_its_numbers() -> None:
    found = rooms.lack(engine("new"), [engine("new")], {}, Room(GIB))
    assert found is not None
    assert found.because == "it needs about 4.0 GiB of memory, and 1.0 GiB is free"
    assert found.leaving is None


def test_whoever_was_wanted_longest_ago_leaves_but_first_what_no_name_leads_to() -> None:
    old, named = engine("old", hours_ago=1), engine("named", hours_ago=5, is_aliased=True)
    new = engine("new", hours_ago=0)
    found = rooms.lack(new, [old, named, new], alive(old, named), Room(0))
    assert found is not None
    assert found.leaving == old
    only = rooms.lack(new, [named, new], alive(named), Room(0))
    assert only is not None
    assert only.leaving == named


def test_nobody_leaves_while_somebody_is_on_its_way_out() -> None:
    old, going, new = engine("old", hours_ago=1), engine("going", is_wanted=False), engine("new", hours_ago=0)
    found = rooms.lack(new, [old, going, new], alive(old, going), Room(0))
    assert found is not None
    assert found.leaving is None


def test_engines_of_others_take_no_gpu_of_ours() -> None:
    theirs, new = engine("theirs", kind=EngineKind.ATTACHED), engine("new")
    assert rooms.free_gpu(new, [theirs, new], alive(theirs), Room(0, 1)) == 0
    ours = engine("ours", gpu=0)
    assert rooms.free_gpu(new, [ours, new], alive(ours), Room(0, 1)) is None
    assert rooms.free_gpu(new, [ours, new], alive(ours), Room(0, 3)) == 2  # trainings take the first that is free


def test_the_gpu_of_an_engine_at_rest_is_lent_and_no_other_starts_there() -> None:
    resting = engine("resting", gpu=0, rests_because="at rest for a training")
    new = engine("new", hours_ago=0)
    found = rooms.lack(new, [resting, new], {}, Room(0, num_gpus=1))
    assert found is not None
    assert found.leaving is None
    assert found.because == "it needs a GPU of its own, and all 1 have an engine or a training"
    assert rooms.lack(new, [resting, new], {}, Room(0, num_gpus=2)) is None
    assert rooms.free_gpu(new, [resting, new], {}, Room(0, 2)) == 1
    going = alive(resting)  # still on its way out: one GPU, not two
    assert rooms.lack(new, [resting, new], going, Room(0, num_gpus=2)) is None


def test_no_engine_starts_on_the_gpu_on_which_a_training_works_unless_it_was_there_before() -> None:
    room = Room(0, 2, {1: NOW - timedelta(hours=1)})
    new = engine("new", hours_ago=0)
    assert rooms.free_gpu(new, [new], {}, room) == 0
    first = engine("first", gpu=0)
    assert rooms.lack(new, [first, new], alive(first), room) is not None
    back = engine("back", gpu=1, hours_ago=2)
    assert rooms.free_gpu(back, [back], {}, room) == 1
    anew = engine("anew", gpu=1, hours_ago=0)
    assert rooms.free_gpu(anew, [anew], {}, room) == 0


wishes = st.lists(st.tuples(st.none() | st.floats(0, 9), st.booleans()), max_size=5)


@given(wishes, st.none() | st.floats(0, 9), st.integers(0, 8))
def test_nobody_leaves_who_was_wanted_as_late_as_the_newcomer(
    there: list[tuple[float | None, bool]], own: float | None, free: int
) -> None:
    old = [engine(f"e{n}", hours_ago=hours, is_aliased=named) for n, (hours, named) in enumerate(there)]
    new = engine("new", hours_ago=own)
    found = rooms.lack(new, [*old, new], alive(*old), Room(free * GIB))
    assert (found is None) == (free >= 4)
    if found is not None and found.leaving is not None:
        assert new.wanted_at is not None
        assert found.leaving.wanted_at is None or found.leaving.wanted_at < new.wanted_at
