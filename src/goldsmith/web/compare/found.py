"""Puts the pages of comparisons together from what the steps' queries find. Used by the handlers only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import Request
from pydantic import Field
from sqlalchemy import orm

from goldsmith.compare import asked, queries
from goldsmith.compare.standing import standings
from goldsmith.compare.tables import ModelComparison
from goldsmith.compare.verdict import FEWEST_ROWS
from goldsmith.data import queries as data
from goldsmith.data.tables import Dataset
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.types import JobFailure
from goldsmith.models import queries as models
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.serve.types import DEFAULT_ALIAS
from goldsmith.stars import queries as stars
from goldsmith.web.compare import views
from goldsmith.web.compare.views import ComparisonPage, ComparisonsPage, Model, Outcome, RowPair
from goldsmith.web.format import counted
from goldsmith.web.forms import FormField, FormModel, Option, fields_of
from goldsmith.web.job_lines import job_line
from goldsmith.web.listing import Chip, Pager, chips, with_query

PAGE_SIZE = 50
ROWS_A_PAGE = 10
EXAM = "exam"
Show = Literal["", "changed", "worse", "better", "wrong", "right"]
Against = Literal["base", "examples"]


class StartForm(FormModel):
    """What is put beside its base model."""

    model: str = Field(title="Fine-tuned model")
    """It is asked rows that it never learned from, and so are its base model alone and with examples."""
    rows: str = Field(EXAM, title="Rows to ask")
    """The exam was kept back from training. Other rows can be asked if one of their columns holds the right answers."""


@dataclass(frozen=True)
class Look:
    """Which rows a person wants to see."""

    show: Show = "changed"
    against: Against = "base"
    after: int = 0


def comparisons_page(
    request: Request,
    session: orm.Session,
    person: Person,
    *,
    before: str | None = None,
    fields: tuple[FormField, ...] | None = None,
) -> ComparisonsPage:
    """The list and the form. `fields` is a form that came back because it could not be used."""
    found = queries.page(session, domain=person.domain, before=before, limit=PAGE_SIZE + 1)
    more = with_query(request, before=found[PAGE_SIZE - 1].id) if len(found) > PAGE_SIZE else None
    options = _models(session, person)
    chosen = {"model": request.query_params.get("model", "")}
    if chosen["model"] not in [option.value for option in options if option.is_possible]:
        chosen = {"model": next((option.value for option in options if option.is_possible), "")}
    return ComparisonsPage(
        title="Comparison",
        comparisons=tuple(views.comparison_line(row) for row in found[:PAGE_SIZE]),
        pager=Pager(
            f"{min(len(found), PAGE_SIZE)} shown, newest first",
            with_query(request, before=None) if before else None,
            more,
        ),
        fields=fields
        or fields_of(StartForm, chosen, options={"model": options, "rows": _row_options(session, person)}),
        can_start=any(option.is_possible for option in options),
        has_models=bool(options),
    )


def comparison_page(request: Request, session: orm.Session, row: ModelComparison, look: Look) -> ComparisonPage:
    """One comparison."""
    job = jobs.one(session, row.job_id or "")
    arms, model = queries.arms(session, row.id), _model(session, row)
    stood = standings(session, row)
    outcomes = [(views.outcome_of(each.right, look.against), each) for each in stood]
    counts = Counter(outcome for outcome, _ in outcomes)
    shown = sorted(
        (views.ORDER.index(outcome), each.position, each.row_id)
        for outcome, each in outcomes
        if _is_shown(outcome, look.show)
    )
    row_ids = [row_id for _, _, row_id in shown[look.after : look.after + ROWS_A_PAGE]]
    other = "examples" if look.against == "base" else "base"
    return ComparisonPage(
        title=f"Is {model.name} better?",
        id=row.id,
        job=job_line(job),
        failure=JobFailure(**job.failure) if job.failure else None,
        model=model,
        num_answers=queries.num_answers(session, row.id),
        num_wanted=queries.num_wanted(session, row.id),
        num_rows=row.test_count,
        num_asked_twice=queries.num_asked_twice(session, row.id),
        row_word=asked.row_word(row),
        source=_source(session, row),
        verdict=views.verdict_view(row),
        actions=views.actions_of(row, model, counts["worse"] if look.against == "base" else 0),
        intervals=views.intervals_of(arms, model),
        finding=views.finding_of(arms, model, asked.row_word(row)),
        measures=views.measures_of(arms, Counter(name for each in stood for name in each.nearly)),
        rule=views.rule_of(arms),
        against=views.NAMES[look.against].lower(),
        other=Chip(views.NAMES[other].lower(), with_query(request, against=other, after=None)),
        filters=_filters(request, look.show, counts),
        rows=_pairs(session, row, row_ids, look.against, model),
        pager=_pager(request, look.after, len(shown)),
    )


def _pairs(
    session: orm.Session, row: ModelComparison, row_ids: Sequence[str], against: str, model: Model
) -> tuple[RowPair, ...]:
    """These rows, in this order, with all arms' answers."""
    arms = queries.arms(session, row.id)
    answers = queries.answers(session, [arm.run_id for arm in arms], row_ids)
    return tuple(
        views.pair_of(each, {arm.name: answers.get((arm.run_id, each.row_id)) for arm in arms}, against, model)
        for each in asked.some_of_comparison(session, row, row_ids)
    )


def _is_shown(outcome: Outcome, show: Show) -> bool:
    return not show or outcome == show or (show == "changed" and outcome in ("worse", "better"))


def _filters(request: Request, show: Show, counts: Counter[views.Outcome]) -> tuple[Chip, ...]:
    by_name: dict[str, int] = {name: counts[name] for name in views.ORDER}
    by_name |= {"changed": counts["worse"] + counts["better"], "": counts.total()}
    labels = {"changed": "Changed", "worse": "Got worse", "better": "Got better", "wrong": "Both wrong"}
    labels |= {"right": "Both right", "": "All"}
    made = chips(request, "show", [(name, label) for name, label in labels.items() if name], by_name)
    everything = Chip("All", with_query(request, show="all", after=None), by_name[""])
    return tuple(
        Chip(chip.label, chip.href, chip.count, name == show)
        for name, chip in zip(labels, (*made, everything), strict=True)
    )


def _pager(request: Request, after: int, total: int) -> Pager:
    if not total:
        return Pager("No row is like that.")
    last = min(after + ROWS_A_PAGE, total)
    back = with_query(request, after=max(0, after - ROWS_A_PAGE) or None) + "#rows" if after else None
    more = with_query(request, after=last) + "#rows" if last < total else None
    return Pager(f"{after + 1:,} to {last:,} of {counted(total, 'row')}, worse first", back, more)


def _model(session: orm.Session, row: ModelComparison) -> Model:
    tuned = models.tuned(session, row.fine_tuned_model_id, domain=row.domain)
    base = models.base(session, row.base_model_id, domain=row.domain)
    live = {item.deployment.model_id: item for item in serve.active(session, domain=row.domain)}
    item = live.get(tuned.id)
    is_proved = item is not None and item.deployment.is_wanted and item.deployment.proof == "proved"
    return Model(tuned.id, tuned.name, base.name, is_proved, item is not None and DEFAULT_ALIAS in item.aliases)


def _models(session: orm.Session, person: Person) -> tuple[Option, ...]:
    """Fine-tuned models with how many exam rows there are for them; without enough they cannot be chosen."""
    exams = {each.id: each.num_exam for each in stars.training_sets(session, domain=person.domain, limit=500)}
    return tuple(
        _option(model.id, model.name, exams.get(model.training_set_id or "", 0))
        for model in models.all_tuned(session, domain=person.domain)
    )


def _row_options(session: orm.Session, person: Person) -> tuple[Option, ...]:
    """The exam, and every dataset whose right answers are known."""
    datasets = data.page(session, domain=person.domain)
    versions = data.newest_versions(session, [dataset.id for dataset in datasets])
    known = [(dataset, versions.get(dataset.id)) for dataset in datasets]
    return (
        Option(EXAM, "The exam", "kept back from training"),
        *(
            Option(version.id, dataset.name, counted(version.num_rows, "row"))
            for dataset, version in known
            if version is not None and version.is_complete and version.answer_column is not None
        ),
    )


def _source(session: orm.Session, row: ModelComparison) -> Chip:
    """Where the rows come from."""
    version = asked.version_of(session, row)
    if version is not None:
        dataset = session.get_one(Dataset, version.dataset_id)
        return Chip(f"rows of {dataset.name}", f"/data/{dataset.id}")
    training_set = stars.training_set(session, row.training_set_id or "", domain=row.domain)
    return Chip(f"the exam of {training_set.name}", f"/training-sets/{training_set.id}")


def _option(model_id: str, name: str, num_exam: int) -> Option:
    enough = num_exam >= FEWEST_ROWS
    words = counted(num_exam, "exam row") if enough else f"{counted(num_exam, 'exam row')}; {FEWEST_ROWS} are needed"
    return Option(model_id, name, words, enough)


def look_of(show: str, against: Against, after: int) -> Look:
    """What the address asks for; words that it does not know show what changed."""
    names: Sequence[Show] = ("changed", "worse", "better", "wrong", "right")
    chosen: Show = "" if show == "all" else next((name for name in names if name == show), "changed")
    return Look(chosen, against, after)
