"""`goldsmith aristotle`: gold stars of Aristotle's, and the one column that its conquests need for models."""

from typing import Annotated

import typer

from goldsmith import app
from goldsmith.cli.console import Cli, err
from goldsmith.cli.watching import finish_or_say
from goldsmith.connect import queries, returning, service
from goldsmith.connect.aristotle import Aristotle, checking, migrating
from goldsmith.connect.aristotle.migrating import Change
from goldsmith.connect.bringing import service as bringing
from goldsmith.connect.errors import SourceNotConnected
from goldsmith.connect.executions import queries as execution_queries
from goldsmith.connect.executions import service as executions
from goldsmith.connect.executions.types import Order
from goldsmith.connect.types import Scope, Wish, WriteState
from goldsmith.stars.types import ExportRequest, SetFormat

commands = typer.Typer(help="Aristotle, where people star conquests.", no_args_is_help=True)
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]


@commands.command()
def check(context: typer.Context) -> None:
    """Say what is in Aristotle's database: generation, tables, counts, rights, and what was not found."""
    cli: Cli = context.obj
    found = _aristotle()
    cli.show(checking.check(found.place, eidos_from=found.eidos_from, candidate_from=found.candidate_from).to_dict())


@commands.command()
def export(
    context: typer.Context,
    philosopher: Annotated[str, typer.Option(help="Whose stars, by e-mail.")],
    domain: Annotated[str, typer.Option(help="Their organisation, by domain name.")],
    conquest_type: Annotated[str | None, typer.Option("--type", help="Only conquests of this type.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many usable ones, the newest first.")] = None,
    min_rating: Annotated[int | None, typer.Option(min=1, max=5, help="The least rating.")] = None,
    set_format: Annotated[SetFormat, typer.Option("--format", help="How a line is written.")] = SetFormat.chatml,
    exam_share: Annotated[float, typer.Option(help="Share of new rows that is held back as the exam.")] = 0.2,
    system: Annotated[
        str | None, typer.Option(help="What the conquests were run with, where that was not kept; remembered.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the training set is called.")] = None,
) -> None:
    """Make a training set of one philosopher's gold conquests. The same stars give the same set."""
    cli: Cli = context.obj
    wish = Wish(Scope(philosopher, domain), conquest_type, limit, min_rating, system_text=system)
    request = ExportRequest(name, set_format, exam_share=exam_share, min_rating=min_rating)
    with cli.transaction() as (session, person):
        brought = service.export(session, cli.parts.home, _aristotle(), wish, request, by=person)
    made = brought.training_set
    folder = str(cli.parts.home.root / made.folder)
    counts = {"learn": made.num_learn, "exam": made.num_exam, "left_out": dict(brought.left_out)}
    cli.show({"training_set": made.id, **counts, "folder": folder, "notes": list(brought.notes)})


@commands.command("stars")
def list_stars(context: typer.Context) -> None:
    """List whose stars came in, when, and whether they do so by themselves."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.scopes(session, source=Aristotle.name, domain=cli.domain)
        rows = [
            {
                "philosopher": scope.philosopher,
                "domain": scope.source_domain,
                "stars": queries.num_stars(session, scope.id),
                "last": scope.fetched_at.isoformat(timespec="minutes") if scope.fetched_at else "never",
                "every": f"{scope.every_minutes} min" if scope.every_minutes else "when asked",
                "id": scope.id,
            }
            for scope in found
        ]
    cli.table(rows, empty="No stars came in yet. Bring some with: goldsmith aristotle export")


@commands.command()
def every(
    context: typer.Context,
    scope: Annotated[str, typer.Argument(help="The id that goldsmith aristotle stars shows.")],
    minutes: Annotated[int, typer.Argument(help="How often its stars come in by themselves; 0: only when asked.")],
) -> None:
    """Have stars come in by themselves, as long as Goldsmith runs."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        kept = bringing.schedule(session, scope, minutes or None, by=person)
    cli.show({"scope": kept.id, "every_minutes": kept.every_minutes})


@commands.command()
def bring(
    context: typer.Context,
    scope: Annotated[str, typer.Argument(help="The id that goldsmith aristotle stars shows.")],
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Bring stars in now, without making a training set."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = bringing.bring(session, scope, by=person)
    cli.show({"scope": scope, **finish_or_say(cli, job.id, wait=wait)})


@commands.command()
def write_back(context: typer.Context) -> None:
    """Write stars that were given or taken here into Aristotle; what was changed there since is left and listed."""
    cli: Cli = context.obj
    aristotle = _aristotle()
    with cli.reading() as session:
        scopes = queries.scopes(session, source=aristotle.name, domain=cli.domain)
    ends = [returning.write_back(cli.parts.database, aristotle, scope.id) for scope in scopes]
    with cli.reading() as session:
        found = [each for scope in scopes for each in queries.conflicts(session, scope.id)]
    conflicts = [f"{each.external_id}: {each.message}" for each in found]
    total = {state.value: sum(end.get(state.value, 0) for end in ends) for state in WriteState}
    cli.show({**{state: num for state, num in total.items() if num}, "conflicts": conflicts})


@commands.command()
def execute(
    context: typer.Context,
    eidos: Annotated[str, typer.Option(help="What candidates are held against, by id.")],
    candidate: Annotated[list[str], typer.Option(help="Who is judged, by id; may be given several times.")],
    model: Annotated[str, typer.Option(help="A base model or a fine-tuned one, by id or name.")],
    philosopher: Annotated[str | None, typer.Option(help="Whose; default: as the eidos says.")] = None,
    domain: Annotated[str | None, typer.Option(help="Their organisation; default: as the eidos says.")] = None,
    conquest_type: Annotated[str | None, typer.Option("--type", help="Default: as the eidos says.")] = None,
    examples: Annotated[int | None, typer.Option(help="Good answers before the question.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="How long an answer may be.")] = None,
    key: Annotated[str | None, typer.Option(help="The same request with the same key is executed once.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Run conquests on a model of yours, and keep them in Aristotle. A model that is not live is brought live first."""
    cli: Cli = context.obj
    order = Order(eidos, tuple(candidate), model, philosopher, domain, conquest_type, examples, max_tokens)
    with cli.transaction() as (_, person):
        by = person
    begun = executions.execute(cli.parts.database, _aristotle, order, key=key, by=by)
    if not begun.was_live and not cli.is_json:
        err.print(f"{begun.model_name} is not live; it is brought live first.")
    said = finish_or_say(cli, begun.job_id or "", wait=wait)
    with cli.reading() as session:
        results = [
            {"candidate": each.candidate_id, "conquest": each.conquest_id, "answer": each.text, "error": each.error}
            for each in execution_queries.results(session, begun.id, limit=begun.num_candidates)
        ]
    cli.show({"execution": begun.id, **said, "notes": begun.notes, "results": results})


@commands.command()
def migrate(context: typer.Context, yes: Yes = False) -> None:
    """Add `fine_tuned_model_id` to the table of conquests, whatever it is called; shown first, done with --yes."""
    _change(context.obj, is_back=False, is_done=yes)


@commands.command()
def unmigrate(context: typer.Context, yes: Yes = False) -> None:
    """Take away what `migrate` added; shown first, done with --yes."""
    _change(context.obj, is_back=True, is_done=yes)


def _aristotle() -> Aristotle:
    found = app.make_aristotle()
    if found is None:
        raise SourceNotConnected("The settings do not say how to reach Aristotle.")
    return found


def _change(cli: Cli, *, is_back: bool, is_done: bool) -> None:
    place = _aristotle().place
    change: Change = (migrating.migrate if is_done else migrating.plan)(place, is_back=is_back)
    said = "done" if is_done else "not done yet; add --yes" if change.statements else "nothing to do"
    facts = {"database": str(place), "what": change.why, "statements": list(change.statements)}
    cli.show({**facts, "state": said if change.statements else "nothing to do"})
