"""What a training's curve is said to show."""

from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.web.train.views import figures_of, finding_of


def point(step: int, **values: float) -> TrainingMetric:
    return TrainingMetric(job_id="job_1", attempt=1, step=step, **values)


def test_one_value_has_not_gone_anywhere() -> None:
    said = finding_of([point(0, exam_loss=9.06)])
    assert said.startswith("Loss on exam rows is 9.060 at step 0.")


def test_a_loss_falls_rises_or_stays() -> None:
    said = finding_of([point(0, exam_loss=9.06, loss=2.0), point(8, exam_loss=2.14, loss=2.0)])
    assert said.startswith(
        "Loss on exam rows fell from 9.060 to 2.140 at step 8, on learn rows stayed from 2.000 to 2.000"
    )


def test_a_finished_training_shows_the_loss_of_its_models_page() -> None:
    points = [point(0, loss=2.0, exam_loss=2.5), point(8, loss=0.3, exam_loss=0.41)]
    exam, learn, *_ = figures_of(TrainingJob(), points, 8, final_loss=0.2)
    assert exam[:2] == ("Loss on exam rows", "0.410")
    assert learn == ("Loss on learn rows", "0.200", "mean of the last steps, was 2.000 at step 0")
    _, learn, *_ = figures_of(TrainingJob(), points, 8)
    assert learn == ("Loss on learn rows", "0.300", "was 2.000 at step 0")


def test_without_a_step_there_is_nothing_to_say() -> None:
    assert finding_of([]) == "No step is done yet; the curve begins with the first."


def test_a_training_with_pairs_shows_how_often_the_last_steps_preferred_the_good_answer() -> None:
    points = [point(step, preference_accuracy=0.0 if step <= 10 else 0.75) for step in range(1, 21)]
    figures = figures_of(TrainingJob(), points, 8)
    assert ("Good answer preferred", "75 %", "of the pairs of the last 10 steps; 50 % is chance") in figures
    assert not [figure for figure in figures_of(TrainingJob(), [point(1, loss=1.0)], 8) if "preferred" in figure[0]]
