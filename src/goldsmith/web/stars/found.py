"""Gathers from the queries of several steps what one page of gold stars shows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Request
from pydantic import Field
from sqlalchemy import orm

from goldsmith.data import queries as data_queries
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run import queries as run_queries
from goldsmith.run.messages import variables_of
from goldsmith.run.tables import Answer, PromptVersion, Run
from goldsmith.run.types import READ_KINDS
from goldsmith.serve import queries as serve_queries
from goldsmith.stars import checks, cures, queries, service
from goldsmith.stars.queries import MarkedAnswer
from goldsmith.stars.tables import Mark, TrainingSet
from goldsmith.stars.types import AnswerFilter, AnswerQuery, BulkRequest, BulkRule, ExportRequest, SetFormat, Side
from goldsmith.web.format import duration, moment, number
from goldsmith.web.forms import FormField, FormModel, Option, fields_of
from goldsmith.web.listing import Chip, Head, Pager, chips, with_query
from goldsmith.web.origins import addresses_of
from goldsmith.web.stars.saying import QUEUE_LENGTH, PlaceForm, Saying
from goldsmith.web.stars.views import (
    Conflict,
    ManyPage,
    ReaderPage,
    Reading,
    SetLine,
    StarredRun,
    StarsPage,
    TrainingSetPage,
    example_line,
    pace_of,
    queue_line,
    reading_of,
    set_facts,
)

MAX_RUNS = 50
ALL = "all"
PAGE_SIZE = 20
NUM_BEFORE = 4
_HEADS = (Head("Run"), Head("Answers", is_number=True), Head("Gold stars", is_number=True), Head("Begun"))
_FILTERS = (
    (AnswerFilter.all, "All"),
    (AnswerFilter.unread, "To read"),
    (AnswerFilter.starred, "Starred"),
    (AnswerFilter.corrected, "Corrected"),
    (AnswerFilter.bad, "Bad"),
    (AnswerFilter.failed, "Failed"),
    (AnswerFilter.cut_off, "Cut off"),
    (AnswerFilter.invalid, "Not as asked"),
)
_ALWAYS_SHOWN = (AnswerFilter.all, AnswerFilter.unread, AnswerFilter.starred)
_IN_WORDS = {"star": "starred as written", "bad": "marked bad", "unstar": "no star", "undo": "taken back"}
_FINISHES = {"stop": "ended by itself", "length": "cut off"}


class ExportForm(FormModel):
    """Which stars become a training set."""

    run: Annotated[str, Field(max_length=64, title="Which gold stars?")]
    name: Annotated[str, Field(max_length=255, title="Name")] = ""
    exam_percent: Annotated[int, Field(ge=0, le=90, title="Kept back as an exam, in percent")] = 20
    """The model is never taught these rows; they show afterwards whether it got better. A row stays on its side."""
    format: Annotated[SetFormat, Field(title="Format of the file")] = SetFormat.chatml

    @property
    def request(self) -> ExportRequest:
        """As the step takes it."""
        return ExportRequest(
            name=self.name or None,
            format=self.format,
            run_id=None if self.run == ALL else self.run,
            exam_share=self.exam_percent / 100,
        )


def stars_page(session: orm.Session, person: Person, fields: tuple[FormField, ...] = ()) -> StarsPage:
    """Runs with answers, and training sets."""
    runs = run_queries.page(session, domain=person.domain, kinds=READ_KINDS, limit=MAX_RUNS)
    progress = run_queries.progress_of(session, [run.id for run in runs])
    stars = queries.num_stars(session, domain=person.domain)
    shown = [
        StarredRun(run.id, run.name, progress[run.id].num_answered, stars.get(run.id, 0), run.created_at)
        for run in runs
        if progress[run.id].num_answered
    ]
    options = [Option(ALL, f"All {sum(stars.values()):,}")]
    options += [Option(run.id, f"{run.num_stars:,} of {run.name}") for run in shown if run.num_stars]
    return StarsPage(
        title="Gold stars",
        runs=tuple(shown),
        heads=_HEADS,
        num_stars=sum(stars.values()),
        fields=with_runs(fields or fields_of(ExportForm, {"run": ALL}), options),
        sets=tuple(
            SetLine(each.id, each.name, each.num_learn, each.num_exam, each.created_at)
            for each in queries.training_sets(session, domain=person.domain, limit=20)
        ),
    )


def with_runs(fields: tuple[FormField, ...], options: list[Option]) -> tuple[FormField, ...]:
    """The fields, with the runs whose stars can be taken."""
    return tuple(
        replace(field, kind="select", options=tuple(options)) if field.name == "run" else field for field in fields
    )


def reader_page(session: orm.Session, run: Run, place: PlaceForm, *, conflict: Conflict | None = None) -> ReaderPage:
    """The row that is asked for, else the first one to read, with the rows around it."""
    wording = run_queries.prompt_version(session, run.prompt_version_id)
    asks = variables_of(wording.template)
    first, at = _first(session, run, place) if place.at is None else (None, place.at)
    before = [] if at == first else queries.positions_before(session, run.id, place.query, at, limit=NUM_BEFORE)
    queue = _queue(session, run, place, before[0] if before else at) if at else []
    item = next((each for each in queue if each.answer.position == at), None) or _at(session, run, at)
    after = next((each.answer.position for each in queue if each.answer.position > at), None)
    counts = queries.counts(session, run.id)
    column = asks[0] if asks else ""
    return ReaderPage(
        title="Read the answers",
        run_id=run.id,
        counts=counts,
        filters=_filters(run, place, {each: getattr(counts, each.value) for each in AnswerFilter}),
        search=place.search,
        filter=place.filter.value,
        queue=tuple(
            queue_line(each, href=place.address(run.id, each.answer.position), column=column, here=at) for each in queue
        ),
        reading=_reading(session, run, wording, item) if item else None,
        back=place.address(run.id, before[-1]) if before else None,
        next=place.address(run.id, after) if after is not None else None,
        here=place.address(run.id, at),
        conflict=conflict,
        pace=pace_of(counts.unread, queries.newest_moments(session, run.id)),
    )


def place_after(session: orm.Session, run_id: str, place: PlaceForm, position: int) -> str:
    """Where reading goes on behind a row; at that row when it was the last."""
    after = queries.position_after(session, run_id, place.query, position)
    return place.address(run_id, after if after is not None else position)


def schema_of_run(session: orm.Session, run_id: str) -> Mapping[str, Any] | None:
    """The form in which the answers were asked for."""
    run = run_queries.one(session, run_id)
    return run_queries.prompt_version(session, run.prompt_version_id).answer_schema


def newest_mark(session: orm.Session, answer: Answer) -> Mark | None:
    """How an answer stands."""
    return queries.state_of(session, [answer.id]).get(answer.id)


def conflict_of(
    session: orm.Session, answer: Answer, newest: Mark | None, saying: Saying, *, by: Person
) -> Conflict | None:
    """What somebody else has said since the page was opened; None when nothing has."""
    seen = saying.form.expected_mark_id
    if newest is None or newest.created_by == by.id or seen in (None, newest.id):
        return None
    who = people.one(session, newest.created_by)
    own = {name: text for name, text in saying.posted.items() if name != "expected_mark_id"}
    return Conflict(
        who=who.name if who is not None else "Somebody",
        at=newest.created_at,
        theirs=newest.correction or _IN_WORDS.get(newest.kind, newest.kind),
        mine=saying.meant(answer, schema_of_run(session, answer.run_id)) if saying.form.verb != "bad" else "marked bad",
        posted=tuple((own | {"expected_mark_id": str(newest.id)}).items()),
    )


def many_page(request: Request, session: orm.Session, person: Person, run: Run, column: str | None) -> ManyPage:
    """Both rules over one column, each with what it would touch."""
    version = data_queries.version(session, run.dataset_version_id or "", must_be_complete=False)
    columns = [str(name) for name in version.columns]
    chosen = column or version.answer_column or columns[-1]
    previews = [service.bulk_preview(session, BulkRequest(run.id, rule, chosen), by=person) for rule in BulkRule]
    return ManyPage(
        title="Star many at once",
        run_id=run.id,
        columns=tuple(Chip(name, with_query(request, column=name), is_current=name == chosen) for name in columns),
        column=chosen,
        rules=tuple(previews),
        num_taken_back=queries.num_of_newest_bulk(session, run.id, person.id),
    )


def training_set_page(
    request: Request, session: orm.Session, training_set: TrainingSet, side: Side, after: int
) -> TrainingSetPage:
    """One training set with some of its examples."""
    rows = queries.training_set_rows(session, training_set.id, side.value, after=after, limit=PAGE_SIZE)
    total = training_set.num_learn if side is Side.learn else training_set.num_exam
    answers = [run_queries.answer(session, row.answer_id) for row in rows]
    run_of = {answer.id: (answer.run_id, answer.position) for answer in answers}
    origins = addresses_of(session, [row.row_id for row in rows])
    sentence = f"{number(after + 1)} to {number(after + len(rows))} of {number(total)}" if rows else "No rows here"
    back = with_query(request, after=max(0, after - PAGE_SIZE) or None) + "#rows" if after else None
    more = with_query(request, after=after + PAGE_SIZE) + "#rows" if after + len(rows) < total else None
    sides = (("", "To learn"), (Side.exam.value, "Exam"))
    counts = {"": training_set.num_learn, Side.exam.value: training_set.num_exam}
    who = people.one(session, training_set.created_by)
    return TrainingSetPage(
        title=training_set.name,
        id=training_set.id,
        facts=set_facts(training_set),
        num_learn=training_set.num_learn,
        num_exam=training_set.num_exam,
        notes=tuple(training_set.manifest.get("notes", [])),
        lint=tuple(training_set.manifest.get("lint", [])),
        curable=tuple(cures.curable(training_set)),
        made_from=_made_from(session, training_set),
        checks=checks.LIMITS,
        sides=chips(request, "side", sides, counts),
        examples=tuple(example_line(row, run_of, origins.get(row.row_id)) for row in rows),
        pager=Pager(sentence, back, more),
        key_facts=(
            ("Format", training_set.format),
            ("Made by", who.name if who is not None else training_set.created_by),
            ("Made", moment(training_set.created_at)),
            ("Content hash", training_set.content_hash),
        ),
    )


def _made_from(session: orm.Session, training_set: TrainingSet) -> tuple[str, str] | None:
    """Name and id of the set that this one was made from by leaving rows out."""
    old = session.get(TrainingSet, training_set.manifest.get("made_from") or "")
    return (old.name, old.id) if old is not None else None


def _first(session: orm.Session, run: Run, place: PlaceForm) -> tuple[int, int]:
    """The first row that is asked for, and the one to begin with: of all rows the first that nobody has read.

    Zero where there is none. A search that finds little looks at every row, so nothing is looked for twice.
    """
    first = queries.position_after(session, run.id, place.query, 0) or 0
    if not first or place.filter is not AnswerFilter.all:
        return first, first
    unread = replace(place.query, filter=AnswerFilter.unread)
    return first, queries.position_after(session, run.id, unread, first - 1) or first


def _queue(session: orm.Session, run: Run, place: PlaceForm, beginning: int) -> list[MarkedAnswer]:
    """The rows from this one on; the row that is read and the next one are always among them."""
    query = replace(place.query, after=str(max(0, beginning - 1)), limit=QUEUE_LENGTH)
    return queries.answers_page(session, run.id, query).items


def _at(session: orm.Session, run: Run, position: int) -> MarkedAnswer | None:
    items = queries.answers_page(session, run.id, AnswerQuery(after=str(max(0, position - 1)), limit=1)).items
    return next((item for item in items if item.answer.position == position), None)


def _filters(run: Run, place: PlaceForm, counts: Mapping[AnswerFilter, int]) -> tuple[Chip, ...]:
    """Those that show something, and those that always stand there."""
    return tuple(
        Chip(
            label,
            PlaceForm(filter=each, search=place.search).address(run.id, None),
            counts[each],
            each is place.filter,
        )
        for each, label in _FILTERS
        if counts[each] or each in _ALWAYS_SHOWN or each is place.filter
    )


def _reading(session: orm.Session, run: Run, wording: PromptVersion, item: MarkedAnswer) -> Reading:
    return reading_of(
        item,
        asks=variables_of(wording.template),
        schema=wording.answer_schema,
        about=_about(session, run, item.answer),
        marked_by=_name_of(session, item.mark),
        instructions="\n\n".join(text for text in (wording.system_text, wording.template) if text),
    )


def _about(session: orm.Session, run: Run, answer: Answer) -> str:
    """Who wrote it, how long it took, how it ended."""
    name = serve_queries.model_names(session).get(run.model_id or "", "") if run.model_id else "came with the file"
    took = duration(answer.duration_ms / 1000) if answer.duration_ms is not None else ""
    ended = _FINISHES.get(answer.finish_reason or "", answer.finish_reason or "") if run.model_id else ""
    return ", ".join(part for part in (name, took, ended) if part)


def _name_of(session: orm.Session, mark: Mark | None) -> str:
    person = people.one(session, mark.created_by) if mark is not None else None
    return person.name if person is not None else ""
