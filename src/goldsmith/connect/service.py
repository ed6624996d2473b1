"""What comes from a source becomes a dataset's version, a run of good answers with their stars, and a training set.

Each of these is made by its own step. The same stars give the same version, the same run and the same set: a version is
known by the hash of its content. Every row has its `SourceRow`, which leads back to where it came from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy.orm import Session

from goldsmith.connect import queries, settling
from goldsmith.connect.errors import NotYourScope, SystemMessageNotChosen
from goldsmith.connect.tables import SourceScope, SourceSet
from goldsmith.connect.types import LEFT_OUT, Fetched, Scope, Source, SourceItem, Wish
from goldsmith.connect.writing import PROMPT, SYSTEM, version_of
from goldsmith.data.tables import Dataset
from goldsmith.people.types import DEFAULT_DOMAIN, Person
from goldsmith.run import prompts
from goldsmith.run.tables import PromptVersion, Run
from goldsmith.run.types import PromptDraft
from goldsmith.stars import export as exporting
from goldsmith.stars import importing
from goldsmith.stars.errors import NoStars
from goldsmith.stars.formats import FORMATS
from goldsmith.stars.tables import TrainingSet
from goldsmith.stars.types import ExportRequest, Message, SetFormat
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import storable


@dataclass(frozen=True)
class Brought:
    """What an export from a source made."""

    training_set: TrainingSet
    left_out: Mapping[str, int]
    """Stars of the source that cannot be used, by reason."""
    notes: tuple[str, ...]
    """What has to be known, in sentences."""


@dataclass(frozen=True)
class Taken:
    """What came in from a source."""

    scope: SourceScope
    run: Run | None
    """The run of these answers; None where there were none."""
    num_own: int
    """Stars of the source that somebody has marked otherwise here."""


def export(session: Session, home: Home, source: Source, wish: Wish, request: ExportRequest, *, by: Person) -> Brought:
    """The training set of a source's stars.

    Raises NotYourScope, NoStars, SystemMessageNotChosen, and what the source and the export raise.
    """
    check_scope(wish.scope, by)
    fetched = source.fetch(wish)  # before the session is asked anything, so that nobody waits for the source with us
    taken = take_in(session, home, source, wish, fetched, by=by)
    if taken.run is None:
        raise NoStars(source.why_none(wish, fetched), hint=f"Star answers in {source.title}, then export again.")
    request = replace(request, run_id=taken.run.id, philosopher=wish.scope.philosopher)
    training_set = exporting.export(session, home, request, by=by)
    if session.get(SourceSet, training_set.id) is None:
        session.add(SourceSet(training_set_id=training_set.id, scope_id=taken.scope.id))
    return Brought(training_set, fetched.counts, tuple(_notes(fetched, taken.num_own, source)))


def take_in(session: Session, home: Home, source: Source, wish: Wish, fetched: Fetched, *, by: Person) -> Taken:
    """Keep what was fetched: rows, answers and stars; what is starred there no more is starred here no more.

    Raises NotYourScope, SystemMessageNotChosen, and what makes versions and runs raises.
    """
    check_scope(wish.scope, by)
    scope = _scope(session, source, wish.scope, by)
    run = None
    if fetched.items:
        run = _run(session, home, scope, fetched, _chosen(scope, fetched.items, wish.system_text), by)
    scope.fetched_at = clock.now()
    return Taken(scope, run, settling.settle(session, fetched.starred, scope, run, by=by))


def examples(
    session: Session, source: Source, wish: Wish, set_format: SetFormat, *, by: Person
) -> list[Mapping[str, Any]]:
    """Good answers as examples for a prompt, in one of the formats of training sets; none is no error.

    Raises NotYourScope, and what the source raises.
    """
    check_scope(wish.scope, by)
    kept = queries.scope_row(session, source.name, wish.scope, domain=by.domain)
    chosen = kept.system_text if kept is not None else None
    found = []
    for item in source.fetch(wish).items:
        system_text = item.system_text if item.system_text is not None else chosen or ""
        first = [Message(role="system", content=system_text)] if system_text.strip() else []
        turns = [Message(role="user", content=item.prompt), Message(role="assistant", content=item.answer)]
        found.append(orjson.loads(FORMATS[set_format]([*first, *turns])))
    return found


def check_scope(scope: Scope, by: Person) -> None:
    """Raise NotYourScope unless it is the person's own organisation, or they are of those who run Goldsmith."""
    check_domain(scope.domain, by)


def check_domain(domain: str, by: Person) -> None:
    """Raise NotYourScope unless it is the person's own organisation, or they are of those who run Goldsmith."""
    if by.domain not in (DEFAULT_DOMAIN, domain):
        raise NotYourScope(f"The stars of {domain} are not yours to ask for; you belong to {by.domain}.")


def check_operator(by: Person) -> None:
    """Raise NotYourScope unless the person is of those who run this Goldsmith: what is counted there is everybody's."""
    if by.domain != DEFAULT_DOMAIN:
        raise NotYourScope(
            f"Only people of {DEFAULT_DOMAIN} may look at the whole of a source; you are of {by.domain}."
        )


def _scope(session: Session, source: Source, scope: Scope, by: Person) -> SourceScope:
    """What is kept about the scope, held against others who export it in the same moment; made when new."""
    found = queries.scope_row(session, source.name, scope, domain=by.domain, for_update=True)
    if found is not None:
        return found
    name = f"{source.title}: {scope.philosopher} at {scope.domain}"[:255]
    dataset = Dataset(id=new_id(Prefix.DATASET), name=name, domain=by.domain, created_by=by.id)
    session.add(dataset)
    session.flush()
    made = SourceScope(
        id=new_id(Prefix.SOURCE),
        source=source.name,
        philosopher=scope.philosopher,
        source_domain=scope.domain,
        dataset_id=dataset.id,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(made)
    session.flush()
    return made


def _chosen(scope: SourceScope, items: Sequence[SourceItem], system_text: str | None) -> str:
    """The system message for answers with which none was kept; from now on the scope's."""
    if system_text is not None:
        scope.system_text = storable(system_text)
    num = sum(item.system_text is None for item in items)
    if num and scope.system_text is None:
        raise SystemMessageNotChosen(
            f"{num:,} of the {len(items):,} starred answers do not say with which system message they were asked. "
            "A model that learns with another one than production sends gets worse."
        )
    return scope.system_text or ""


def _run(session: Session, home: Home, scope: SourceScope, fetched: Fetched, chosen: str, by: Person) -> Run:
    """The run of these very answers, starred; made when new."""
    is_said_once = "{{" not in chosen and all(item.system_text is None for item in fetched.items)
    draft = PromptDraft(f"{{{{{PROMPT}}}}}", chosen if is_said_once else f"{{{{{SYSTEM}}}}}")
    version = version_of(session, home, scope, fetched, None if is_said_once else chosen, by)
    dataset = session.get_one(Dataset, scope.dataset_id)
    wording: PromptVersion = prompts.save_prompt(session, f"As asked in {dataset.name}", draft, by=by)
    return importing.import_answers(session, version.id, wording.id, by=by)


def _notes(fetched: Fetched, num_own: int, source: Source) -> Iterator[str]:
    for reason, number in fetched.counts.items():
        what = "gold star" if number == 1 else "gold stars"
        yield f"Left out: {number:,} {what} on conquests {LEFT_OUT[reason]}."
    if num_own:
        yield f"{num_own:,} of the stars of {source.title} were taken back or marked otherwise here, and stay so."
