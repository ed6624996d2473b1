"""The whole loop, with real training and a real engine: what the walk must have left behind."""

import pytest
from tests.real.walk import NUM_ROWS, Walk

from goldsmith.compare import queries as compare
from goldsmith.models import queries as models
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.run import queries as runs
from goldsmith.serve import queries as serve
from goldsmith.serve.types import DeploymentState, Proof
from goldsmith.train import queries as train

pytestmark = pytest.mark.real


def test_every_row_was_answered_by_the_real_engine_with_the_json_that_was_asked_for(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        run = next(run for run in runs.page(session, domain=DEFAULT_DOMAIN) if run.kind == "model")
        progress = runs.progress(session, run.id)
    assert (progress.num_answered, progress.num_failed, progress.num_invalid) == (NUM_ROWS, 0, 0)


def test_the_training_lowered_the_loss_and_kept_its_curve(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        training = train.page(session, domain=DEFAULT_DOMAIN)[0]
        losses = [point.loss for point in train.series(session, training.id) if point.loss is not None]
    assert training.status == "succeeded"
    assert len(losses) == training.total_steps
    assert losses[-1] < losses[0] / 2


def test_the_adapter_was_loaded_in_under_a_second_and_proved_through_the_engine(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        deployment = serve.deployment_of(session, walk.model_id)
        receipt = serve.receipt(session, walk.model_id)
    assert (deployment.state, deployment.proof) == (DeploymentState.LOADED.value, Proof.PROVED.value)
    assert deployment.load_s is not None
    assert deployment.load_s < 1
    assert receipt.is_green, receipt.lines
    assert all(line["is_ok"] for line in receipt.lines)


def test_metrics_are_measured_or_null(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        model = models.tuned(session, walk.model_id, domain=DEFAULT_DOMAIN)
    assert model.latency_ms is not None
    assert model.latency_ms > 0
    assert model.tokens_per_second is not None
    assert model.vram_usage_gb is None
    assert model.win_rate is not None
    assert {"win_rate", "latency_ms"} <= model.measured_at.keys()


def test_the_comparison_asked_three_arms_the_same_rows_and_says_a_sentence(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        comparison = compare.one(session, walk.comparison_id, domain=DEFAULT_DOMAIN)
        arms = compare.arms(session, walk.comparison_id)
        answers = compare.answers(session, [arm.run_id for arm in arms])
    assert comparison.status == "succeeded"
    assert [arm.name for arm in arms] == ["base", "examples", "tuned"]
    assert len(answers) == 3 * comparison.test_count
    assert comparison.verdict is not None
    assert str(comparison.test_count) in comparison.verdict["sentence"]
