"""Which rows are rehearsed, and what follows from their steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.train.rehearsal import Weights, Whole, chosen, fit, forecast, whole_of
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.rows import Row

SETTINGS = {"batch_size": 2, "gradient_accumulation": 2, "num_epochs": 3, "save_every_steps": 4}


def row(number: int, num_tokens: int) -> Row:
    return Row(f"row_{number}", [1] * num_tokens, [-100] * (num_tokens - 1) + [1])


def rows(num: int) -> list[Row]:
    """The first is the shortest, 2 tokens long."""
    return [row(number, number + 2) for number in range(num)]


def test_the_longest_rows_are_rehearsed_and_those_around_the_middle() -> None:
    learn, exam = chosen(rows(100), rows(20), SETTINGS)
    lengths = sorted(one.num_tokens for one in learn)
    assert lengths[-8:] == list(range(94, 102))  # two steps of four rows
    assert lengths[:16] == list(range(40, 56))  # four steps of the others, whose middle is 47.5
    assert [one.num_tokens for one in exam] == [18, 19, 20, 21]


def test_of_a_few_rows_all_are_rehearsed() -> None:
    assert len(chosen(rows(24), [], SETTINGS)[0]) == 24
    assert len(chosen(rows(1), [], {})[0]) == 1


def test_the_whole_training_is_counted() -> None:
    found = whole_of(rows(10), rows(3), {**SETTINGS, "evaluate_every_steps": 2})
    assert found == Whole(
        num_steps=9,  # 10 rows are 3 steps of 4, three times
        num_tokens=3 * sum(range(2, 12)),
        num_exams=6,  # after 2, 3, 4, 6, 8 and 9
        num_exam_tokens=2 + 3 + 4,
        num_checkpoints=6,
    )
    assert whole_of(rows(10), [], SETTINGS).num_exams == 0
    assert whole_of(rows(10), [], SETTINGS).num_checkpoints == 5  # after 3, 4, 6, 8 and 9


@given(st.floats(0.001, 10), st.floats(1e-4, 1), st.lists(st.integers(1, 10_000), min_size=2, max_size=9, unique=True))
def test_what_takes_a_fixed_time_and_one_for_each_token_is_found(fixed: float, token: float, sizes: list[int]) -> None:
    found = fit([(size, fixed + token * size) for size in sizes])
    assert found == pytest.approx((fixed, token), rel=1e-3, abs=1e-3 * fixed + 1e-9)


@given(st.lists(st.tuples(st.integers(1, 10_000), st.floats(1e-3, 1e3)), min_size=1, max_size=9))
def test_nothing_is_ever_foretold_to_take_less_than_no_time(steps: list[tuple[int, float]]) -> None:
    fixed, token = fit(steps)
    assert fixed >= 0
    assert token >= 0
    assert fixed + token > 0


def told() -> list[Event]:
    """A rehearsal of three steps: the first slow, then 1 s and 100 tokens a second."""
    steps = [(1, 100, 10.0), (2, 200, 100.0), (3, 400, 200 / 3)]
    found = [Event(1, 0.0, EventKind.STARTED, {}), Event(2, 5.0, EventKind.PHASE, {"name": "training"})]
    at, seen = 5.0, 0
    for number, upto, pace in steps:
        at += (upto - seen) / pace
        seen = upto
        found.append(Event(2 + number, at, EventKind.STEP, {"step": number, "tokens_seen": upto, "tokens_per_s": pace}))
    found += [
        Event(6, at + 0.5, EventKind.SAVED, {}),
        Event(7, at + 2.5, EventKind.EVALUATED, {"step": 3}),
        Event(8, at + 3.0, EventKind.SAMPLED, {}),
        Event(9, at + 3.0, EventKind.PHASE, {"name": "finishing"}),
        Event(10, at + 7.0, EventKind.SUCCEEDED, {"peak_memory_mb": 1500.0}),
    ]
    return found


def test_time_memory_and_disk_follow_from_the_steps() -> None:
    whole = Whole(num_steps=10, num_tokens=2000, num_exams=2, num_exam_tokens=80, num_checkpoints=2)
    found = forecast(told(), whole, 40, Weights(checkpoint_bytes=3_000_000, result_bytes=1_000_000))
    # Steps two and three: 1 s for 100 tokens, 3 s for 200, which no fixed time explains: 0.0133 s a token.
    train_s = 2000 * 4 / 300
    around_s, exams_s, samples_s, saves_s = 5.0 + 4.0, 2 * 2.0 / 40 * 80, min(0.1 * train_s, 3 * 0.5), 2 * 0.5
    assert found.duration_s == pytest.approx(train_s + around_s + exams_s + samples_s + saves_s, abs=0.1)
    with_job = forecast(told(), whole, 40, Weights(3_000_000, 1_000_000), beside_s=7.0)
    assert with_job.duration_s == pytest.approx(found.duration_s + 7.0)
    assert (found.peak_memory_mb, found.disk_mb, found.num_rehearsed) == (1500.0, 7.0, 3)
