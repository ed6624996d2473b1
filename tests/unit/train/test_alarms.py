"""What is wrong with a training, read from its curve."""

from dataclasses import dataclass

from goldsmith.train.alarms import AlarmKind, alarms_of, best_of


@dataclass
class Dot:
    step: int
    loss: float | None = None
    exam_loss: float | None = None
    grad_norm: float | None = 1.0
    epoch: float | None = None


def curve(losses: list[float], *, steps_a_round: int = 4, grad_norm: float = 1.0) -> list[Dot]:
    return [
        Dot(place + 1, loss, grad_norm=grad_norm, epoch=(place + 1) / steps_a_round)
        for place, loss in enumerate(losses)
    ]


def kinds(points: list[Dot]) -> list[AlarmKind]:
    return [alarm.kind for alarm in alarms_of(points)]


def test_a_loss_that_falls_alarms_nobody() -> None:
    assert kinds(curve([3.0 - 0.1 * step for step in range(20)])) == []
    assert kinds([]) == []


def test_a_loss_that_is_the_same_in_every_round_does_not_fall() -> None:
    same = [2.0, 1.0, 3.0, 2.5]
    (alarm,) = alarms_of(curve(same * 3))
    assert (alarm.kind, alarm.step, alarm.offers_keep) == (AlarmKind.no_fall, 12, False)
    assert "2.12 at first and is 2.12 now" in alarm.why
    assert kinds(curve(same * 2)) == []  # too early to say
    assert kinds(curve([0.01] * 12)) == []  # nowhere to fall to
    assert kinds(curve(same * 2 + [value * 0.9 for value in same])) == []


def test_within_one_round_the_first_third_is_held_against_the_last() -> None:
    assert kinds(curve([2.0, 3.0] * 6, steps_a_round=100)) == [AlarmKind.no_fall]
    assert kinds(curve([3.0 - 0.1 * step for step in range(12)], steps_a_round=100)) == []


def test_an_exam_that_gets_better_is_a_fall() -> None:
    points = [Dot(0, exam_loss=3.0), *curve([2.0] * 12), Dot(12, exam_loss=1.0)]
    assert kinds(points) == []


def test_a_loss_that_comes_apart_is_an_explosion_and_not_just_no_fall() -> None:
    (alarm,) = alarms_of(curve([2.0, 1.9, 1.8, 1.7] + [9.0] * 10))
    assert (alarm.kind, alarm.step) == (AlarmKind.gradient_explodes, 5)
    spike = curve([2.0, 1.9, 1.8, 1.7, 2.2])
    spike[-1].grad_norm = 50.0
    assert kinds(spike) == [AlarmKind.gradient_explodes]
    spike[-1].loss = 1.6  # large once, and on it goes
    assert kinds(spike) == []


def test_a_gradient_of_0_is_said_once_and_with_what_it_means() -> None:
    (alarm,) = alarms_of(curve([2.0] * 12, grad_norm=0.0))
    assert (alarm.kind, alarm.step) == (AlarmKind.gradient_zero, 1)
    unknown = curve([2.0, 1.0])
    unknown[0].grad_norm = None
    assert kinds(unknown) == []


def test_an_exam_that_gets_worse_offers_to_keep_the_best() -> None:
    points = [Dot(0, exam_loss=1.0), Dot(4, exam_loss=2.0), Dot(8, exam_loss=1.5), Dot(12, exam_loss=1.6)]
    (alarm,) = alarms_of(points)
    assert (alarm.kind, alarm.offers_keep) == (AlarmKind.exam_rises, True)
    assert "the best was 1.5 at step 8" in alarm.why
    best = best_of(points)
    assert best is not None
    assert (best.step, best.exam_loss) == (8, 1.5)  # of step 0 there is no checkpoint
    assert kinds(points[:1]) == kinds([points[0], points[2], Dot(16, exam_loss=1.2)]) == []
    (worse,) = alarms_of(points[:2])
    assert (worse.kind, worse.offers_keep) == (AlarmKind.exam_rises, False)
    assert "was 1 at step 0 and is 2 at step 4" in worse.why
    assert best_of(points[:1]) is None
