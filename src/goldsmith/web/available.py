"""Models as an application shows them that lets people choose one: base models, and what was made of them."""

from datetime import datetime
from typing import Literal

from sqlalchemy import orm

from goldsmith.models import queries as models
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.web.answers import ApiAnswer

LIVE, NOT_LIVE = "deployed", "available"
_A_GIGABYTE = 1e9


class BaseModelChoice(ApiAnswer):
    """A base model."""

    type: Literal["base"] = "base"
    id: str
    name: str
    status: str
    """`deployed`: it answers now; `available`: it can be brought live."""
    size_gb: float


class TunedModelChoice(ApiAnswer):
    """A fine-tuned model."""

    type: Literal["fine_tuned"] = "fine_tuned"
    id: str
    name: str
    status: str
    """`deployed`: it answers now; `available`: it can be brought live."""
    base_model: str
    version: int
    win_rate: float | None
    """Of its newest comparison with its base model, from 0 to 1; null before there is one."""
    deployed_at: datetime | None


class AvailableModels(ApiAnswer):
    """What can be chosen, fine-tuned models first, the newest of each kind first."""

    models: list[TunedModelChoice | BaseModelChoice]


def available(session: orm.Session, person: Person) -> AvailableModels:
    """Every model of the person's organisation that is here and not archived; see `executions/service.py`."""
    live = {item.deployment.model_id for item in serve.active(session, domain=person.domain) if item.is_live}

    def status(model_id: str) -> str:
        return LIVE if model_id in live else NOT_LIVE

    tuned = [
        TunedModelChoice(
            id=row.id,
            name=row.name,
            status=status(row.id),
            base_model=row.base_model,
            version=row.version,
            win_rate=row.win_rate,
            deployed_at=row.deployed_at,
        )
        for row in models.all_tuned(session, domain=person.domain)
        if row.status != "archived" and not models.is_at_provider(session, row)
    ]
    bases = [
        BaseModelChoice(id=row.id, name=row.name, status=status(row.id), size_gb=round(row.size_bytes / _A_GIGABYTE, 3))
        for row in models.bases(session, domain=person.domain)
    ]
    return AvailableModels(models=[*tuned, *bases])
