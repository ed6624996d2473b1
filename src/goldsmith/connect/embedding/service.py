"""The verbs of another application's pages, each held against what their token may see and do.

They call the verbs of the steps. Nobody's engine is stopped for them, and no stable name of callers is moved: those
belong to everybody here.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from goldsmith.compare import service as compare
from goldsmith.compare.service import ComparisonRequest
from goldsmith.compare.tables import ModelComparison
from goldsmith.connect import queries as sources
from goldsmith.connect import service as connect
from goldsmith.connect.embedding import queries
from goldsmith.connect.embedding.errors import NotGranted, StarsNotSeparable
from goldsmith.connect.embedding.types import Grant, Permission, StarsFound
from goldsmith.connect.errors import SourceNotConnected
from goldsmith.connect.types import Scope, Source, Wish
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.types import StopRequest
from goldsmith.models import queries as models
from goldsmith.models.errors import ModelNotFound
from goldsmith.models.tables import BaseModel
from goldsmith.people import service as people
from goldsmith.people.types import DEFAULT_DOMAIN, Holder
from goldsmith.serve import service as serve
from goldsmith.serve.tables import Deployment
from goldsmith.stars import export as exporting
from goldsmith.stars import queries as stars
from goldsmith.stars.errors import NoStars
from goldsmith.stars.tables import TrainingSet
from goldsmith.stars.types import ExportRequest
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.train import service as train
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.tables import TrainingJob
from goldsmith.train.workshop import Workshop

HERE = "Goldsmith"


def grant(session: Session, holder: Holder, scope: Scope, may: Sequence[Permission], *, minutes: int) -> Grant:
    """What a token says that is asked for with a key. Raises NotYourScope, NameNotUsable."""
    connect.check_scope(scope, holder.person)
    person = people.known_by_name(session, scope.philosopher, domain=holder.person.domain)
    expires_at = clock.now().replace(microsecond=0) + timedelta(minutes=minutes)
    return Grant(holder.key_id, person, scope, frozenset(may), expires_at)


def check_may(grant: Grant, permission: Permission) -> None:
    """Raise NotGranted unless the token allows it."""
    if permission not in grant.may:
        raise NotGranted(f"The token of this page does not allow it to {permission.value}.")


def find_stars(session: Session, grant: Grant, source: Source | None) -> StarsFound:
    """How many stars a training set would be made of, and of none the nearest reason. Raises what the source raises."""
    if _lives_here(grant, source):
        count = sum(stars.num_stars(session, domain=grant.person.domain).values())
        none = "No gold stars yet. Star answers in Goldsmith, then come back."
        return StarsFound(HERE, count, reason="" if count else none)
    wish, source = Wish(grant.scope), _connected(source)
    fetched = source.fetch(wish)
    if not fetched.items:
        return StarsFound(source.title, 0, len(fetched.left_out), source.why_none(wish, fetched))
    kept = sources.scope_row(session, source.name, grant.scope, domain=grant.person.domain)
    is_said = kept is not None and kept.system_text is not None
    asks = not is_said and any(item.system_text is None for item in fetched.items)
    return StarsFound(source.title, len(fetched.items), len(fetched.left_out), asks_system_text=asks)


def export(
    session: Session, home: Home, grant: Grant, source: Source | None, *, name: str | None, system_text: str | None
) -> TrainingSet:
    """The training set of the philosopher's stars. Raises NotGranted, NoStars, and what the source raises."""
    check_may(grant, Permission.export)
    request = ExportRequest(
        name=name or f"Gold stars of {grant.scope.philosopher}", philosopher=grant.scope.philosopher
    )
    if not _lives_here(grant, source):
        wish = Wish(grant.scope, system_text=system_text)
        return connect.export(session, home, _connected(source), wish, request, by=grant.person).training_set
    if queries.has_other_scopes(session, grant):
        raise StarsNotSeparable("Stars of other organisations came in beside those that were given here.")
    if not sum(stars.num_stars(session, domain=grant.person.domain).values()):
        raise NoStars("No gold stars yet.")
    return exporting.export(session, home, request, by=grant.person)


def train_on(session: Session, grant: Grant, request: TrainRequest, *, workshop: Workshop) -> TrainingJob:
    """Queue a training on one of the philosopher's sets. Raises NotGranted, and what the step raises."""
    check_may(grant, Permission.train)
    queries.training_set(session, grant, request.training_set or "")
    base(session, grant, request.base_model)
    return train.start(session, request, workshop=workshop, by=grant.person)


def stop(session: Session, grant: Grant, job_id: str, how: StopRequest) -> TrainingJob:
    """Pause or cancel one of the philosopher's trainings. Raises NotGranted, TrainingNotFound."""
    check_may(grant, Permission.train)
    training = queries.training(session, grant, job_id)
    queue.ask_to_stop(session, jobs.one(session, training.id), how)
    return training


def resume(session: Session, grant: Grant, job_id: str) -> TrainingJob:
    """Queue one of them again. Raises NotGranted, TrainingNotFound, MoveNotAllowed."""
    check_may(grant, Permission.train)
    training = queries.training(session, grant, job_id)
    queue.again(session, jobs.one(session, training.id), f"asked for again by {grant.person.name}")
    return training


def deploy(session: Session, grant: Grant, model_id: str) -> Deployment:
    """Have one of the domain's models live, where there is room. Raises NotGranted, ModelNotFound."""
    check_may(grant, Permission.deploy)
    model = queries.one_tuned(session, grant, model_id)
    return serve.deploy(session, model.id, by=grant.person, may_displace=False)


def undeploy(session: Session, grant: Grant, model_id: str) -> Deployment:
    """Take one of them off its engine. Raises NotGranted, ModelNotFound, IsDefault."""
    check_may(grant, Permission.deploy)
    return serve.undeploy(session, queries.one_tuned(session, grant, model_id).id, by=grant.person)


def compare_with_base(session: Session, grant: Grant, model_id: str) -> ModelComparison:
    """Put one of them beside its base on its own exam. Raises NotGranted, ModelNotFound, NoExam."""
    check_may(grant, Permission.compare)
    model = queries.one_tuned(session, grant, model_id)
    return compare.start(session, ComparisonRequest(models=[model.id]), by=grant.person)


def base(session: Session, grant: Grant, name: str) -> BaseModel:
    """A base model that everybody here may train from, by its id. Raises ModelNotFound."""
    found = models.base(session, name, domain=grant.person.domain)
    if found.id in queries.hidden_bases(session, grant):
        raise ModelNotFound(f"There is no base model {name}.")
    return found


def _lives_here(grant: Grant, source: Source | None) -> bool:
    """Whether the stars are those that were given in Goldsmith, rather than a source's."""
    return grant.is_of_the_house and (source is None or grant.scope.domain == DEFAULT_DOMAIN)


def _connected(source: Source | None) -> Source:
    if source is None:
        raise SourceNotConnected("No source of stars is connected.")
    return source
