"""Every SELECT on models. A model may be named by id, by a name that only one has, or by its hub id."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from goldsmith.models.errors import ModelAtProvider, ModelNameAmbiguous, ModelNotFound
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.models.types import AT_PROVIDER
from goldsmith.storage.files import Home

Model = TypeVar("Model", BaseModel, FineTunedModel)


def base(session: Session, name: str, *, domain: str) -> BaseModel:
    """The base model with this id, name or hub id. Raises ModelNotFound or ModelNameAmbiguous."""
    named = or_(BaseModel.id == name, BaseModel.name == name, func.lower(BaseModel.hub_id) == name.lower())
    found = list(session.scalars(select(BaseModel).where(BaseModel.domain == domain, named)))
    return _only(meant_by(name, found), name, "base model")


def meant_by(name: str, models: Sequence[BaseModel]) -> list[BaseModel]:
    """Those of the models that a name means: whose id or name it is, else whose hub id.

    The built-in model carries the hub id of the model that it is a copy of. So by a hub id the model is meant that came
    from the hub itself, and the copy only as long as there is none.
    """
    own = [model for model in models if name in (model.id, model.name)]
    carrying = [model for model in models if model.hub_id is not None and model.hub_id.lower() == name.lower()]
    return own or [model for model in carrying if model.source == "hub"] or carrying


def base_called(session: Session, name: str, *, domain: str) -> BaseModel | None:
    """The base model with exactly this name, if there is one."""
    return session.scalar(select(BaseModel).where(BaseModel.domain == domain, BaseModel.name == name))


def from_hub(session: Session, hub_id: str, *, domain: str) -> list[BaseModel]:
    """Base models that came from the hub under this id, newest first."""
    query = select(BaseModel).where(BaseModel.domain == domain, func.lower(BaseModel.hub_id) == hub_id.lower())
    return list(session.scalars(query.where(BaseModel.source == "hub").order_by(BaseModel.id.desc())))


def bases(session: Session, *, domain: str) -> list[BaseModel]:
    """All base models that are here, newest first; what lives at a provider is chosen by its provider."""
    query = select(BaseModel).where(BaseModel.domain == domain, BaseModel.source != AT_PROVIDER)
    return list(session.scalars(query.order_by(BaseModel.id.desc())))


def is_at_provider(session: Session, model: BaseModel | FineTunedModel) -> bool:
    """Whether the model lives at a provider, so that none of its files is here."""
    base = model if isinstance(model, BaseModel) else session.get_one(BaseModel, model.base_model_id)
    return base.source == AT_PROVIDER


def check_is_here(session: Session, model: BaseModel | FineTunedModel, what: str) -> None:
    """Raise ModelAtProvider for one whose files are not here; `what` would need them, e.g. "be taken out"."""
    if is_at_provider(session, model):
        raise ModelAtProvider(f"{model.name} lives at its provider. None of its files is here, so it cannot {what}.")


def tuned(session: Session, name: str, *, domain: str) -> FineTunedModel:
    """The fine-tuned model with this id or name. Raises ModelNotFound or ModelNameAmbiguous."""
    named = or_(FineTunedModel.id == name, FineTunedModel.name == name)
    found = list(session.scalars(select(FineTunedModel).where(FineTunedModel.domain == domain, named).limit(2)))
    return _only(found, name, "fine-tuned model")


def all_tuned(session: Session, *, domain: str, limit: int = 200) -> list[FineTunedModel]:
    """Fine-tuned models, newest first."""
    query = select(FineTunedModel).where(FineTunedModel.domain == domain)
    return list(session.scalars(query.order_by(FineTunedModel.id.desc()).limit(limit)))


def any_model(session: Session, name: str, *, domain: str) -> BaseModel | FineTunedModel:
    """The model of either kind. Raises ModelNotFound or ModelNameAmbiguous."""
    try:
        return tuned(session, name, domain=domain)
    except ModelNotFound:
        return base(session, name, domain=domain)


def folder_of(home: Home, model: BaseModel | FineTunedModel) -> Path:
    """Where the model's files lie."""
    return home.root / (model.folder if isinstance(model, BaseModel) else model.model_path)


def _only(found: list[Model], name: str, what: str) -> Model:
    if not found:
        raise ModelNotFound(f"There is no {what} {name}.")
    if len(found) > 1:
        raise ModelNameAmbiguous(f"More than one {what} is called {name}.")
    return found[0]
