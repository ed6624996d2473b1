"""`goldsmith stars`: mark answers, one by one or many at once."""

from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.stars import queries, service
from goldsmith.stars.types import AnswerQuery, BulkRequest, BulkRule, MarkKind, MarkRequest

commands = typer.Typer(help="Gold stars: what the model should have said.", no_args_is_help=True)
Answer = Annotated[str, typer.Argument(help="An answer's id.")]
Run = Annotated[str, typer.Argument(help="A run's id.")]


@commands.command("list")
def list_answers(context: typer.Context, run: Run, limit: Annotated[int, typer.Option(help="How many.")] = 20) -> None:
    """List a run's answers and how they are marked."""
    cli: Cli = context.obj
    with cli.reading() as session:
        page = queries.answers_page(session, run, AnswerQuery(limit=limit))
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
def bulk(
    context: typer.Context,
    run: Run,
    rule: Annotated[BulkRule, typer.Argument(help="What to do.")],
    column: Annotated[str, typer.Argument(help="The column that holds what is right.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would touch.")] = False,
) -> None:
    """Star what equals a column, or correct the others from it."""
    cli: Cli = context.obj
    request = BulkRequest(run, rule, column)
    with cli.transaction() as (session, person):
        done = (service.bulk_preview if dry_run else service.bulk_apply)(session, request, by=person)
    facts = {
        "touched": done.num_touched,
        "marked already": done.num_marked_already,
        "not matching": done.num_not_matching,
    }
    cli.show({**facts, "is_preview": dry_run})


def _mark(cli: Cli, answer: str, request: MarkRequest) -> None:
    with cli.transaction() as (session, person):
        mark = service.mark(session, answer, request, by=person, via="cli")
    cli.show({"answer": answer, "mark": mark.id, "is_star": mark.is_star, "is_bad": mark.is_bad})
