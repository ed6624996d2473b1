"""Every SELECT of what a token may see. All of them begin at the organisation, and end at the token's own scope.

Stars, training sets and trainings are the philosopher's own. Models, what is live and comparisons are their domain's,
because colleagues choose the same model. What was made of somebody else's stars is not there at all.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from sqlalchemy.orm import Session

from goldsmith.compare.errors import ComparisonNotFound
from goldsmith.compare.tables import ModelComparison
from goldsmith.connect.embedding.types import Grant
from goldsmith.connect.tables import SourceScope, SourceSet
from goldsmith.models.errors import ModelNotFound
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.serve.tables import Deployment
from goldsmith.stars.errors import TrainingSetNotFound
from goldsmith.stars.tables import TrainingSet
from goldsmith.train.errors import TrainingNotFound
from goldsmith.train.tables import TrainingJob

MAX_SETS = 50
MAX_TRAININGS = 20
MAX_MODELS = 200
MAX_COMPARISONS = 20


def training_sets(session: Session, grant: Grant) -> Sequence[TrainingSet]:
    """The philosopher's training sets, newest first."""
    query = select(TrainingSet).where(TrainingSet.id.in_(_sets(grant, of_all=False)))
    return list(session.scalars(query.order_by(TrainingSet.id.desc()).limit(MAX_SETS)))


def training_set(session: Session, grant: Grant, set_id: str) -> TrainingSet:
    """One of them. Raises TrainingSetNotFound."""
    query = select(TrainingSet).where(TrainingSet.id == set_id, TrainingSet.id.in_(_sets(grant, of_all=False)))
    found = session.scalar(query)
    if found is None:
        raise TrainingSetNotFound(f"There is no training set {set_id} of {_whose(grant)}.")
    return found


def trainings(session: Session, grant: Grant) -> Sequence[TrainingJob]:
    """The philosopher's trainings, newest first."""
    query = select(TrainingJob).where(*_of_trainings(grant))
    return list(session.scalars(query.order_by(TrainingJob.id.desc()).limit(MAX_TRAININGS)))


def training(session: Session, grant: Grant, job_id: str) -> TrainingJob:
    """One of them. Raises TrainingNotFound."""
    found = session.scalar(select(TrainingJob).where(TrainingJob.id == job_id, *_of_trainings(grant)))
    if found is None:
        raise TrainingNotFound(f"There is no training {job_id} of {_whose(grant)}.")
    return found


def tuned(session: Session, grant: Grant) -> Sequence[FineTunedModel]:
    """The domain's fine-tuned models, newest first."""
    query = select(FineTunedModel).where(*_of_models(grant))
    return list(session.scalars(query.order_by(FineTunedModel.id.desc()).limit(MAX_MODELS)))


def one_tuned(session: Session, grant: Grant, model_id: str) -> FineTunedModel:
    """One of them. Raises ModelNotFound."""
    found = session.scalar(select(FineTunedModel).where(FineTunedModel.id == model_id, *_of_models(grant)))
    if found is None:
        raise ModelNotFound(f"There is no fine-tuned model {model_id} of {grant.scope.domain}.")
    return found


def hidden_bases(session: Session, grant: Grant) -> set[str]:
    """Base models that hold what was learned from somebody else's stars: a fine-tuned model was merged into them."""
    own = select(FineTunedModel.id).where(*_of_models(grant))
    query = select(BaseModel.id).where(BaseModel.domain == grant.person.domain, BaseModel.merged_from.is_not(None))
    return set(session.scalars(query.where(BaseModel.merged_from.not_in(own))))


def comparisons(session: Session, grant: Grant) -> Sequence[ModelComparison]:
    """The domain's comparisons, newest first."""
    query = select(ModelComparison).where(*_of_comparisons(grant))
    return list(session.scalars(query.order_by(ModelComparison.id.desc()).limit(MAX_COMPARISONS)))


def comparison(session: Session, grant: Grant, comparison_id: str) -> ModelComparison:
    """One of them. Raises ComparisonNotFound."""
    query = select(ModelComparison).where(ModelComparison.id == comparison_id, *_of_comparisons(grant))
    found = session.scalar(query)
    if found is None:
        raise ComparisonNotFound(f"There is no comparison {comparison_id} of {grant.scope.domain}.")
    return found


def deployments(session: Session, model_ids: Sequence[str]) -> dict[str, Deployment]:
    """By model, where it is on an engine or should be. The models are the caller's own already."""
    query = select(Deployment).where(Deployment.model_id.in_(model_ids), Deployment.is_wanted)
    return {found.model_id: found for found in session.scalars(query.order_by(Deployment.id))}


def has_other_scopes(session: Session, grant: Grant) -> bool:
    """Whether stars of other organisations are kept here, beside those of the house."""
    query = select(SourceScope.id).where(SourceScope.domain == grant.person.domain)
    return session.scalar(query.where(SourceScope.source_domain != grant.scope.domain).limit(1)) is not None


def _sets(grant: Grant, *, of_all: bool) -> Select[str]:
    """The ids of the philosopher's training sets, or of all of their domain."""
    theirs = select(SourceSet.training_set_id).join(SourceScope, SourceScope.id == SourceSet.scope_id)
    theirs = theirs.where(SourceScope.domain == grant.person.domain, SourceScope.source_domain == grant.scope.domain)
    if not of_all:
        theirs = theirs.where(SourceScope.philosopher == grant.scope.philosopher)
    of_the_house = _is_of_the_house(grant) & TrainingSet.id.not_in(select(SourceSet.training_set_id))
    query = select(TrainingSet.id).where(TrainingSet.domain == grant.person.domain)
    return query.where(or_(TrainingSet.id.in_(theirs), of_the_house))


def _is_of_the_house(grant: Grant) -> ColumnElement[bool]:
    return true() if grant.is_of_the_house else false()


def _of_trainings(grant: Grant) -> tuple[ColumnElement[bool], ...]:
    sets = _sets(grant, of_all=False)
    from_files = _is_of_the_house(grant) & TrainingJob.training_set_id.is_(None)
    return TrainingJob.domain == grant.person.domain, or_(TrainingJob.training_set_id.in_(sets), from_files)


def _of_models(grant: Grant) -> tuple[ColumnElement[bool], ...]:
    sets = _sets(grant, of_all=True)
    without_set = _is_of_the_house(grant) & FineTunedModel.training_set_id.is_(None)
    return (
        FineTunedModel.domain == grant.person.domain,
        FineTunedModel.status != "archived",
        or_(FineTunedModel.training_set_id.in_(sets), without_set),
    )


def _of_comparisons(grant: Grant) -> tuple[ColumnElement[bool], ...]:
    """What one asked may come from another training set than the model's own; it has to be the domain's, too."""
    models = select(FineTunedModel.id).where(*_of_models(grant))
    exam = ModelComparison.training_set_id
    return (
        ModelComparison.domain == grant.person.domain,
        ModelComparison.fine_tuned_model_id.in_(models),
        or_(exam.is_(None), exam.in_(_sets(grant, of_all=True))),
    )


def _whose(grant: Grant) -> str:
    return f"{grant.scope.philosopher} at {grant.scope.domain}"
