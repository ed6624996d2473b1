"""Puts the pages over the whole loop together from what the steps' queries find. Used by the handlers only."""

from sqlalchemy import orm

from goldsmith.compare import loop as loops
from goldsmith.compare.loop import Loop, StepName
from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.storage.files import Home
from goldsmith.web import needs
from goldsmith.web.home import guide
from goldsmith.web.home.cards import next_card
from goldsmith.web.home.cells import cells_of, exam_of, lately_of
from goldsmith.web.home.views import GuidedPage, HomePage
from goldsmith.web.job_lines import job_line
from goldsmith.web.needs import Need

NUM_WORKING = 3
NUM_LATELY = 4
OVER = tuple(state for state in JobState if state.is_over)
AT_WORK = (*ACTIVE, JobState.QUEUED)


def home_page(session: orm.Session, person: Person) -> HomePage:
    """Where the person's organisation is."""
    loop = loops.look(session, domain=person.domain)
    working = jobs.page(session, domain=person.domain, states=AT_WORK, limit=NUM_WORKING)
    over = jobs.page(session, domain=person.domain, states=OVER, limit=NUM_LATELY)
    history = serve.history(session, domain=person.domain, limit=NUM_LATELY)
    is_empty = loop.dataset is None and loop.run is None
    return HomePage(
        title="Home",
        heading=_heading(loop),
        is_empty=is_empty,
        next=next_card(loop),
        cells=cells_of(loop),
        working=tuple(job_line(job) for job in working),
        exam=exam_of(loop),
        lately=lately_of(over, history, serve.model_names(session), NUM_LATELY),
    )


def _heading(loop: Loop) -> str:
    """The newest dataset's name; one whose import failed is not what this loop is about."""
    has_rows = loop.version is not None or loop.counts.is_importing
    return loop.dataset.name if loop.dataset is not None and has_rows else "A better model from your gold stars"


def guided_page(
    session: orm.Session, person: Person, home: Home, machine: MachineFacts, step: StepName | None
) -> GuidedPage:
    """The guided way, at the step that was asked for, or where the organisation is."""
    loop = loops.look(session, domain=person.domain)
    shown = step or loop.next.step
    place = guide.ORDER.index(shown)
    said = guide.GUIDES[shown]
    is_now = shown is loop.next.step
    return GuidedPage(
        title="The guided way",
        lead=f"Step {place + 1} of {len(guide.ORDER)}. Saved as you go: leave and come back whenever you like.",
        figures=guide.figures_of(loops.figures(session, domain=person.domain)),
        steps=guide.steps_of(loop, shown),
        question=said.question,
        what=said.what,
        where=guide.where_of(loop, shown),
        words=said.words,
        is_now=is_now,
        next=guide.card_of(loop, shown),
        before=guide.beside(shown, -1),
        after=guide.beside(shown, 1),
        needs=_needs(session, shown, home, machine, domain=person.domain)
        if is_now and not loop.next.is_waiting
        else (),
        address="/fine-tuning",
    )


def _needs(session: orm.Session, step: StepName, home: Home, machine: MachineFacts, *, domain: str) -> tuple[Need, ...]:
    """What is missing for the step where the organisation is."""
    match step:
        case StepName.run:
            return needs.for_answers(session, home, machine, domain=domain)
        case StepName.train:
            return needs.for_training(session, home, domain=domain)
        case StepName.serve | StepName.compare:
            return needs.for_answers(session, home, machine, domain=domain)
        case _:
            return ()
