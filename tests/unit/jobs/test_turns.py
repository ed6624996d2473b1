"""When those who wait are likely to begin; what nobody knows is not made up."""

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.jobs.turns import Waiting, begins

SECONDS = st.one_of(st.none(), st.floats(0, 1e6))
BUSY = st.dictionaries(st.sampled_from(["gpu0", "gpu1", "gpu2"]), SECONDS, min_size=1)
LINE = st.lists(st.tuples(SECONDS, st.sampled_from([None, "gpu0", "gpu1"])), max_size=8).map(
    lambda found: [Waiting(str(number), seconds, slot) for number, (seconds, slot) in enumerate(found)]
)


def test_one_slot_takes_one_after_the_other() -> None:
    line = [Waiting("a", 60), Waiting("b", None), Waiting("c", 10)]
    assert begins({"cpu": 30.0}, line) == {"a": 30.0, "b": 90.0, "c": None}


def test_where_nobody_knows_when_the_slot_is_free_nobody_has_a_time() -> None:
    assert begins({"cpu": None}, [Waiting("a", 60)]) == {"a": None}


def test_two_slots_share_the_line_and_a_chosen_one_is_waited_for() -> None:
    line = [Waiting("a", 100), Waiting("b", 100), Waiting("c", 5), Waiting("d", 5, "gpu0")]
    assert begins({"gpu0": 0.0, "gpu1": 10.0}, line) == {"a": 0.0, "b": 10.0, "c": 100.0, "d": 105.0}
    assert begins({"gpu0": 0.0}, [Waiting("a", 5, "gpu7")]) == {"a": None}


@given(BUSY, LINE)
def test_nobody_begins_before_a_slot_is_free_and_who_wants_any_never_before_who_was_there(
    busy: dict[str, float | None], line: list[Waiting]
) -> None:
    found = begins(busy, line)
    known = [seconds for seconds in busy.values() if seconds is not None]
    assert set(found) == {waiting.id for waiting in line}
    assert all(at is None or at >= min(known) for at in found.values())
    anywhere = [found[waiting.id] for waiting in line if waiting.wanted_slot is None]
    told = [at for at in anywhere if at is not None]
    assert told == sorted(told)


@given(BUSY, LINE)
def test_a_slot_is_never_given_to_two_at_once(busy: dict[str, float | None], line: list[Waiting]) -> None:
    found = begins(busy, line)
    starts = [(at, waiting.seconds) for waiting in line if (at := found[waiting.id]) is not None]
    for at, _ in starts:
        at_work = sum(1 for begun, took in starts if begun <= at and (took is None or at < begun + took))
        is_new = sum(1 for begun, took in starts if begun == at and took == 0)
        assert at_work <= len(busy) + is_new
