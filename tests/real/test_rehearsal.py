"""The walk's training rehearsed with the real trainer and the real engine: what it foretells beside what it took."""

import pytest
from tests.real.walk import Walk

from goldsmith import app
from goldsmith.jobs import queries as jobs
from goldsmith.models.tables import FineTunedModel
from goldsmith.people import service as people
from goldsmith.train import service
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.rehearsing import forecast_of
from goldsmith.train.tables import TrainingJob

pytestmark = pytest.mark.real


def test_it_foretells_what_the_training_took_and_the_engine_loads_what_it_makes(walk: Walk) -> None:
    with walk.parts.database.transaction() as session:
        model = session.get_one(FineTunedModel, walk.model_id)
        training = session.get_one(TrainingJob, model.training_job_id)
        asked = TrainRequest(
            training.base_model_id, training.backend, training.training_set_id, options=training.config
        )
        by = people.one(session, training.created_by)
        assert by is not None
        job_id = service.rehearse(session, asked, workshop=app.make_workshop(walk.parts), by=by).id
    walk.supervised(job_id)
    with walk.parts.database.reading() as session:
        result = jobs.one(session, job_id).result
        model = session.get_one(FineTunedModel, walk.model_id)
        training = session.get_one(TrainingJob, model.training_job_id)
        assert training.started_at is not None
        assert training.completed_at is not None
        took_s = (training.completed_at - training.started_at).total_seconds()
        memory_mb, num_steps = model.training_memory_mb, training.total_steps
    found = forecast_of(result)
    assert found is not None
    assert result is not None
    print(
        f"foretold {found.duration_s:.0f} s and {found.peak_memory_mb:.0f} MB; took {took_s:.0f} s, {memory_mb:.0f} MB"
    )
    assert found.num_steps == num_steps
    assert found.peak_memory_mb == pytest.approx(memory_mb, rel=0.15)
    assert found.duration_s > 0  # how near it comes is measured by benchmarks/rehearsal.py, where nothing else runs
    assert result["engine"]["is_accepted"], result["engine"]
    assert 0 < result["engine"]["load_s"] < 30
