"""Every SELECT on models. A model may be named by id, by a name that only one has, or by its hub id."""

from pathlib import Path
from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from goldsmith.models.errors import ModelNameAmbiguous, ModelNotFound
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.storage.files import Home

Model = TypeVar("Model", BaseModel, FineTunedModel)


def base(session: Session, name: str, *, domain: str) -> BaseModel:
    """The base model with this id, name or hub id. Raises ModelNotFound or ModelNameAmbiguous."""
    named = or_(BaseModel.id == name, BaseModel.name == name, BaseModel.hub_id == name)
    found = list(session.scalars(select(BaseModel).where(BaseModel.domain == domain, named).limit(2)))
    return _only(found, name, "base model")


def bases(session: Session, *, domain: str) -> list[BaseModel]:
    """All base models, newest first."""
    return list(session.scalars(select(BaseModel).where(BaseModel.domain == domain).order_by(BaseModel.id.desc())))


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
