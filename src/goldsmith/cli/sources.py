"""`goldsmith sources`: where rows come from by themselves."""

import getpass
import sys
from typing import Annotated, Any

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.watching import finish_or_say
from goldsmith.connect.offering import queries as offers
from goldsmith.connect.offering import service as offering
from goldsmith.connect.sources import kinds, local
from goldsmith.connect.sources.errors import OptionsNotUsable
from goldsmith.connect.sources.types import SourceKind
from goldsmith.connect.syncing import queries, removing, service
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.connect.syncing.types import ConnectionChange, ConnectionDraft

Source = Annotated[str, typer.Argument(help="A source, by its name or id.")]
Options = Annotated[
    list[str] | None, typer.Option("--set", help="NAME=VALUE, as the kind asks for it; may be given several times.")
]
Secrets = Annotated[
    list[str] | None, typer.Option("--secret", help="Name of a password; it is asked for, or read from a pipe.")
]
Question = Annotated[str | None, typer.Option(help="Column that asks.")]
Answer = Annotated[str | None, typer.Option(help="Column with good answers, which become gold stars.")]
Every = Annotated[int | None, typer.Option("--every", help="Read it again every so many minutes.")]
commands = typer.Typer(help="Sources: databases and folders whose rows come in by themselves.", no_args_is_help=True)


@commands.command("kinds")
def list_kinds(context: typer.Context) -> None:
    """List what can be connected, with what each kind asks for; plugins among it."""
    cli: Cli = context.obj
    found = kinds.installed()
    rows = [
        {"kind": kind.name, "what": kind.title, "set": ", ".join(kind.Options.model_fields)}
        for kind in found.by_name.values()
    ]
    broken = [{"kind": each.name, "what": f"left out: {each.reason}", "set": ""} for each in found.broken]
    cli.table([*rows, *broken], empty="Nothing can be connected.")


@commands.command("list")
def list_sources(context: typer.Context) -> None:
    """List the sources, without their passwords."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.page(session, domain=cli.domain)
        ids = [each.id for each in found]
        newest, num_rows = queries.newest_syncs(session, ids), queries.num_items(session, ids)
        rows = [
            {
                "name": each.name,
                "kind": each.kind,
                "rows": num_rows.get(each.id, 0),
                "last": newest[each.id][1].state if each.id in newest else "not read yet",
                "next": each.next_sync_at.isoformat(timespec="minutes") if each.next_sync_at else "when asked",
                "id": each.id,
            }
            for each in found
        ]
    cli.table(rows, empty="Nothing is connected. See what can be with: goldsmith sources kinds")


@commands.command()
def add(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="One of: goldsmith sources kinds")],
    name: Annotated[str, typer.Option(help="Also the name of its dataset.")],
    options: Options = None,
    secrets: Secrets = None,
    question_column: Question = None,
    answer_column: Answer = None,
    every: Every = None,
) -> None:
    """Connect a source. Nothing is read yet."""
    cli: Cli = context.obj
    given = {**_options(options), **_secrets(kinds.one(kind), secrets)}
    draft = ConnectionDraft(name, kind, given, question_column, answer_column, every)
    with cli.transaction() as (session, person):
        facts = _facts(service.add(session, cli.parts.home, draft, by=person))
    cli.show(facts, f"{name} is connected. Test it: goldsmith sources test {facts['id']}")


@commands.command()
def change(
    context: typer.Context,
    source: Source,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    options: Options = None,
    secrets: Secrets = None,
    question_column: Question = None,
    answer_column: Answer = None,
    every: Annotated[int | None, typer.Option("--every", help="Minutes; 0: only when asked.")] = None,
) -> None:
    """Change a source; what is left out stays as it is."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = queries.one(session, source, domain=person.domain)
        given = {**_options(options), **_secrets(kinds.one(found.kind), secrets)}
        wanted = ConnectionChange(
            name or found.name,
            given,
            question_column if question_column is not None else found.question_column,
            answer_column if answer_column is not None else found.answer_column,
            (every or None) if every is not None else found.every_minutes,
        )
        changed, has_forgotten = service.change(session, cli.parts.home, found.id, wanted, by=person)
        facts = _facts(changed)
    said = " Its password was forgotten, because it would go to another place now." if has_forgotten else ""
    cli.show({**facts, "password_forgotten": has_forgotten}, f"{facts['name']} is changed.{said}")


@commands.command()
def test(context: typer.Context, source: Source) -> None:
    """See whether it answers: which place, what was wrong, what to do."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.one(session, source, domain=cli.domain)
    parts = cli.parts
    looked = service.test_kept(parts.home, found, local.surroundings(parts.settings, parts.home))
    said = " ".join([looked.sentence, *looked.notes])
    cli.show({"ok": True, "said": said, "columns": list(looked.columns)}, said)


@commands.command()
def sync(
    context: typer.Context,
    source: Source,
    wait: Annotated[bool, typer.Option(help="Wait until it is read.")] = True,
) -> None:
    """Read it now: what is new or has changed comes in."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job_id = service.sync(session, source, by=person).id
    said = finish_or_say(cli, job_id, wait=wait)
    with cli.reading() as session:
        found = queries.sync_of(session, job_id)
        names = ("num_read", "num_new", "num_changed", "num_gone", "num_not_taken", "num_conflicts", "version_id")
        counts = {name: getattr(found, name) for name in names}
    cli.show({**said, **counts})


@commands.command()
def offer(
    context: typer.Context,
    source: Source,
    run: Annotated[str, typer.Argument(help="A run over the dataset of this source, by its id.")],
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Have a run's answers in the source: pre-annotations in Label Studio, one file in a folder or a bucket."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job_id = offering.offer(session, source, run, by=person)[1].id
    said = finish_or_say(cli, job_id, wait=wait)
    with cli.reading() as session:
        found = offers.offer_of(session, job_id)
        counts = {name: getattr(found, name) for name in ("num_new", "num_same", "num_not_taken")}
    cli.show({**said, **counts})


@commands.command()
def remove(context: typer.Context, source: Source) -> None:
    """Read it no more, delete its password, and take its webhook away there; what came in stays."""
    cli: Cli = context.obj
    parts = cli.parts
    with cli.transaction() as (_, person):
        by = person
    around = local.surroundings(parts.settings, parts.home)
    removed = removing.remove(parts.database, parts.home, source, around, by=by)
    cli.show({"id": removed.connection.id, "removed": True, "left_there": removed.left_there or None}, removed.sentence)


def _facts(connection: SourceConnection) -> dict[str, Any]:
    names = ("id", "name", "kind", "options", "dataset_id", "every_minutes")
    return {name: getattr(connection, name) for name in names}


def _options(given: list[str] | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in given or ()]
    wrong = next((name for name, sign, _ in pairs if not sign), None)
    if wrong is not None:
        raise OptionsNotUsable(f"{wrong[:40]!r} says no value.", hint="Write --set NAME=VALUE.")
    return {name: text for name, _, text in pairs}


def _secrets(kind: SourceKind, names: list[str] | None) -> dict[str, str]:
    """Typed, or a line of a pipe for each; never an argument, which every program of the machine could read."""
    for name in names or ():
        if name not in kind.Options.secret_names():
            known = ", ".join(kind.Options.secret_names()) or "none"
            raise OptionsNotUsable(f"{kind.name} has no password called {name[:40]!r}; it has: {known}.")
    if not names:
        return {}
    if sys.stdin.isatty():
        return {name: getpass.getpass(f"{name}: ") for name in names}
    return {name: sys.stdin.readline().rstrip("\n") for name in names}
