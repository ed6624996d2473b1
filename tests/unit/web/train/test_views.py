"""What a training's curve is said to show."""

from goldsmith.train.tables import TrainingMetric
from goldsmith.web.train.views import finding_of


def point(step: int, **values: float) -> TrainingMetric:
    return TrainingMetric(job_id="job_1", attempt=1, step=step, **values)


def test_one_value_has_not_gone_anywhere() -> None:
    said = finding_of([point(0, exam_loss=9.06)])
    assert said.startswith("Loss on exam rows is 9.06 at step 0.")


def test_a_loss_falls_rises_or_stays() -> None:
    said = finding_of([point(0, exam_loss=9.06, loss=2.0), point(8, exam_loss=2.14, loss=2.0)])
    assert said.startswith("Loss on exam rows fell from 9.06 to 2.14 at step 8, on learn rows stayed from 2 to 2")


def test_without_a_step_there_is_nothing_to_say() -> None:
    assert finding_of([]) == "No step is done yet; the curve begins with the first."
