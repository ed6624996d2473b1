"""The verbs of executions: have conquests executed. Looks everything up, writes rows; a worker asks the model.

What cannot work is refused before anything is written: ids that nobody has, another's rows, a role that may not write.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from goldsmith.connect import queries as sources
from goldsmith.connect import service as source_service
from goldsmith.connect.aristotle import asking
from goldsmith.connect.aristotle.types import plain_type, wanted_type
from goldsmith.connect.conquests import ConquestPlace, LookedUp
from goldsmith.connect.errors import IdempotencyKeyUsed, WishNotPossible
from goldsmith.connect.executions import queries
from goldsmith.connect.executions.tables import ConquestExecution, ConquestResult
from goldsmith.connect.executions.types import (
    MAX_CANDIDATES,
    MAX_EXAMPLES,
    MAX_TOKENS,
    NUM_EXAMPLES,
    OF_A_CANDIDATE,
    Order,
    ResultState,
)
from goldsmith.connect.types import Scope
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.models import queries as models
from goldsmith.models.errors import ModelNotFound
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import DEFAULT_DOMAIN, Person
from goldsmith.serve import queries as serve
from goldsmith.serve.errors import NoEngineForModel
from goldsmith.storage.database import Database
from goldsmith.storage.ids import Prefix, new_id

KIND = "conquest"
IS_HEARD = "is_heard"
"""Among a job's settings: somebody reads the answer while it is written."""


@dataclass(frozen=True)
class _Request:
    """Who asks for what, with which key, of which model."""

    order: Order
    key: str | None
    by: Person
    model: BaseModel | FineTunedModel
    context_length: int

    @property
    def max_tokens(self) -> int:
        """What was asked for, or what leaves room for the question."""
        asked = self.order.max_tokens
        return asked if asked is not None else max(1, min(MAX_TOKENS, self.context_length // 2))

    @property
    def is_tuned(self) -> bool:
        """Whether it is a fine-tuned model."""
        return isinstance(self.model, FineTunedModel)

    @property
    def num_examples(self) -> int:
        """As many as were asked for, or as suit the model."""
        if self.order.num_examples is not None:
            return self.order.num_examples
        return 0 if self.is_tuned else NUM_EXAMPLES


def execute(
    database: Database, make_place: Callable[[], ConquestPlace], order: Order, *, key: str | None, by: Person
) -> ConquestExecution:
    """The execution of these conquests: begun now, or what the same request with the same key began before.

    Raises IdempotencyKeyUsed, ModelNotFound, ModelAtProvider, SubjectNotFound, NotYourScope, NothingToAsk, and what the
    place raises.
    """
    _check(order)
    if order.domain is not None:
        source_service.check_domain(order.domain, by)
    with database.reading() as session:
        earlier = _earlier(session, order, key, by)
        if earlier is not None:
            return earlier
        request = _request(session, order, key, by)
    place = make_place()
    own_domain = None if by.domain == DEFAULT_DOMAIN else by.domain
    found = place.look_up(order.wanted(domain=own_domain, is_tuned=request.is_tuned))
    with database.transaction() as session:
        _check_learned_here(session, request.model, found.scope)
        if len(order.candidate_ids) == 1:
            kept = sources.scope_row(session, place.name, found.scope, domain=by.domain)
            asking.asked(found.eidos, found.first, chosen=kept.system_text if kept is not None else None)
        return _earlier(session, order, key, by) or _begin(session, place, request, found)


def _request(session: Session, order: Order, key: str | None, by: Person) -> _Request:
    model = models.any_model(session, order.model_id, domain=by.domain)
    models.check_is_here(session, model, "judge candidates: what Aristotle knows of them would leave this machine")
    base = model if isinstance(model, BaseModel) else session.get_one(BaseModel, model.base_model_id)
    return _Request(order, key, by, model, base.context_length)


def _check_learned_here(session: Session, model: BaseModel | FineTunedModel, scope: Scope) -> None:
    """What was learned from another organisation's stars is not there for this one, by whatever id it is asked for."""
    if queries.learned_elsewhere(session, model, scope.domain):
        raise ModelNotFound(f"There is no model {model.id} of {scope.domain}.")


def _begin(session: Session, place: ConquestPlace, request: _Request, found: LookedUp) -> ConquestExecution:
    """Write the execution, its candidates and its job; a request with the same key that was quicker wins."""
    execution = _row(place, request, found, was_live=is_live(session, request.model.id))
    try:
        with session.begin_nested():
            session.add(execution)
            session.flush()
    except IntegrityError:
        earlier = _earlier(session, request.order, request.key, request.by)
        if earlier is None:
            raise
        return earlier
    ids = request.order.distinct_ids
    state = ResultState.OPEN.value
    open_results = [
        {
            "id": new_id(Prefix.CONQUEST_RESULT),
            "execution_id": execution.id,
            "position": position,
            "candidate_id": candidate_id,
            "state": state,
        }
        for position, candidate_id in enumerate(ids, start=1)
    ]
    session.execute(insert(ConquestResult), open_results)
    # One question to a model that answers waits for nobody, as a chat; what needs an engine for itself takes its turn.
    needs_slot = not execution.was_live or len(ids) > 1
    what = "1 candidate" if len(ids) == 1 else f"{len(ids):,} candidates"
    title = f"Conquest with {execution.model_name}: {what}"
    params = {IS_HEARD: True} if request.order.is_heard and len(ids) == 1 else {}
    job = queue.add(session, NewJob(KIND, title, params, subject_id=execution.id, needs_slot=needs_slot), by=request.by)
    execution.job_id = job.id
    session.flush()
    return execution


def _row(place: ConquestPlace, request: _Request, found: LookedUp, *, was_live: bool) -> ConquestExecution:
    order, by = request.order, request.by
    of_eidos = plain_type(str(found.eidos.values.get("conquest_type", OF_A_CANDIDATE)))
    return ConquestExecution(
        id=new_id(Prefix.EXECUTION),
        idempotency_key=request.key,
        fingerprint=order.fingerprint,
        source=place.name,
        philosopher=found.scope.philosopher,
        source_domain=found.scope.domain,
        eidos_id=order.eidos_id,
        conquest_type=(wanted_type(order.conquest_type) or of_eidos)[:64],
        model_id=request.model.id,
        model_name=request.model.name,
        is_tuned=request.is_tuned,
        was_live=was_live,
        num_examples=request.num_examples,
        max_tokens=request.max_tokens,
        temperature=order.temperature,
        num_candidates=len(order.distinct_ids),
        state=JobState.QUEUED.value,
        notes=list(found.notes),
        domain=by.domain,
        created_by=by.id,
    )


def _earlier(session: Session, order: Order, key: str | None, by: Person) -> ConquestExecution | None:
    found = queries.with_key(session, key, domain=by.domain) if key is not None else None
    if found is not None and found.fingerprint != order.fingerprint:
        raise IdempotencyKeyUsed(f"This key came before, with another request; see the execution {found.id}.")
    return found


def is_live(session: Session, model_id: str) -> bool:
    """Whether the model answers now."""
    try:
        return bool(serve.targets_for(session, model_id))
    except NoEngineForModel:
        return False


def _check(order: Order) -> None:
    wanted_type(order.conquest_type)
    limits = (
        ("The number of candidates", len(order.candidate_ids), 1, MAX_CANDIDATES),
        ("The number of examples", order.num_examples or 0, 0, MAX_EXAMPLES),
        ("The number of tokens", 1 if order.max_tokens is None else order.max_tokens, 1, 1_000_000),
        ("The temperature", order.temperature, 0, 2),
    )
    for what, value, least, most in limits:
        if not least <= value <= most:
            raise WishNotPossible(f"{what} is {value:,}; it must be from {least:,} to {most:,}.")
