"""`goldsmith stars`: mark answers, one by one or many at once."""

from typing import Annotated

import typer
from sqlalchemy.orm import Session

from goldsmith.cli.console import Cli
from goldsmith.people import service as people
from goldsmith.run import queries as runs
from goldsmith.stars import queries, service
from goldsmith.stars.types import AnswerFilter, AnswerQuery, BulkRequest, BulkRule, MarkKind, MarkRequest

commands = typer.Typer(help="Gold stars: what the model should have said.", no_args_is_help=True)
Answer = Annotated[str, typer.Argument(help="An answer's id.")]
Run = Annotated[str, typer.Argument(help="A run's id.")]
Shown = Annotated[AnswerFilter, typer.Option("--filter", help="Only these answers.")]
Search = Annotated[str | None, typer.Option(help="Only answers whose text or row holds this.")]


@commands.command("list")
def list_answers(
    context: typer.Context,
    run: Run,
    shown: Shown = AnswerFilter.all,
    search: Search = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
) -> None:
    """List a run's answers and how they are marked."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = runs.one(session, run, domain=cli.domain)
        page = queries.answers_page(session, found.id, AnswerQuery(shown, search, limit=limit))
    rows = []
    for item in page.items:
        mark = item.mark
        said = "" if mark is None else "star" if mark.is_star else "bad" if mark.is_bad else mark.kind
        text = mark.correction if mark is not None and mark.correction else item.answer.text
        rows.append({"answer": item.answer.id, "row": item.answer.position, "mark": said, "text": text[:80]})
    cli.table(rows, empty="This run has no answers yet.")


@commands.command()
def give(context: typer.Context, answer: Answer) -> None:
    """Give a star: this is what the model should say."""
    _mark(context.obj, answer, MarkRequest(MarkKind.star))


@commands.command()
def unstar(context: typer.Context, answer: Answer) -> None:
    """Take star and bad away; a correction stays written."""
    _mark(context.obj, answer, MarkRequest(MarkKind.unstar))


@commands.command()
def bad(context: typer.Context, answer: Answer) -> None:
    """Mark as bad: this is not what the model should say."""
    _mark(context.obj, answer, MarkRequest(MarkKind.bad))


@commands.command()
def correct(
    context: typer.Context,
    answer: Answer,
    text: Annotated[str, typer.Argument(help="What the model should have said.")],
) -> None:
    """Put a text in the answer's place; it gets the star."""
    _mark(context.obj, answer, MarkRequest(MarkKind.correction, text))


@commands.command()
def note(context: typer.Context, answer: Answer, text: Annotated[str, typer.Argument(help="The note.")]) -> None:
    """Write a note beside an answer."""
    _mark(context.obj, answer, MarkRequest(MarkKind.note, text))


@commands.command()
def undo(context: typer.Context, answer: Answer) -> None:
    """Take the last mark of an answer back."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        mark = service.undo(session, answer, by=person, via="cli")
    cli.show({"answer": answer, "is_star": mark.is_star, "is_bad": mark.is_bad})


@commands.command()
def history(context: typer.Context, answer: Answer) -> None:
    """List everything that was said about an answer, oldest first: nothing of it is ever deleted."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = runs.answer(session, answer, domain=cli.domain)
        marks = queries.history(session, found.id)
        names = {mark.created_by: _name_of(session, mark.created_by) for mark in marks}
    rows = [
        {
            "mark": mark.id,
            "kind": mark.kind,
            "person": names[mark.created_by],
            "at": mark.created_at,
            "via": mark.via,
            "text": mark.correction if mark.kind == MarkKind.correction else mark.note,
        }
        for mark in marks
    ]
    cli.table(rows, empty="Nobody has said anything about this answer yet.")


@commands.command()
def bulk(
    context: typer.Context,
    run: Run,
    rule: Annotated[BulkRule, typer.Argument(help="What to do.")],
    column: Annotated[str, typer.Argument(help="The column that holds what is right.")],
    shown: Shown = AnswerFilter.all,
    search: Search = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would touch.")] = False,
) -> None:
    """Star what equals a column, or correct the others from it. What somebody has marked is left alone."""
    cli: Cli = context.obj
    request = BulkRequest(run, rule, column, shown, search)
    with cli.transaction() as (session, person):
        done = (service.bulk_preview if dry_run else service.bulk_apply)(session, request, by=person)
    facts = {
        "touched": done.num_touched,
        "marked already": done.num_marked_already,
        "not matching": done.num_not_matching,
    }
    cli.show({**facts, "is_preview": dry_run})


@commands.command()
def undo_bulk(context: typer.Context, run: Run) -> None:
    """Take back what your last `goldsmith stars bulk` over a run marked; what was marked since then stays."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        cli.show({"taken back": service.undo_bulk(session, run, by=person)})


def _name_of(session: Session, person_id: str) -> str:
    """The person's name; the id where nobody is known by it any more."""
    person = people.one(session, person_id)
    return person.name if person is not None else person_id


def _mark(cli: Cli, answer: str, request: MarkRequest) -> None:
    with cli.transaction() as (session, person):
        mark = service.mark(session, answer, request, by=person, via="cli")
    cli.show({"answer": answer, "mark": mark.id, "is_star": mark.is_star, "is_bad": mark.is_bad})
