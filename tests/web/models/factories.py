"""A fine-tuned model for tests of the API."""

from sqlalchemy.orm import Session

from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id


def make_tuned_model(session: Session, base: BaseModel, *, by: Person, name: str = "support-1") -> FineTunedModel:
    """A model with a win rate, trained from `base`."""
    model = FineTunedModel(
        id=new_id(Prefix.FINE_TUNED_MODEL),
        name=name,
        base_model=base.name,
        base_model_id=base.id,
        philosopher=by.name,
        domain=by.domain,
        training_job_id="job_1",
        training_config={"lora_rank": 8},
        model_path=f"models/{name}",
        content_hash="0" * 64,
        template_hash="0" * 64,
        lora_rank=8,
        win_rate=0.8,
        measured_at={"win_rate": {"by": "job_1", "at": "2026-01-02"}},
        created_by=by.id,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    session.add(model)
    session.flush()
    return model
