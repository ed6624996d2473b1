"""`goldsmith train several` and what shows and ends it: trainings started together. Registered in `train.py`."""

from typing import Annotated, Any

import typer

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.cli.settings_given import Gpu, Rest, read_settings, read_varied
from goldsmith.storage import amounts
from goldsmith.train import groups as grouping
from goldsmith.train import queries
from goldsmith.train.dial import Dial
from goldsmith.train.groups import GroupPlan
from goldsmith.train.recipe import EnginesRest, TrainRequest

Group = Annotated[str, typer.Argument(help="The id of a group of trainings.")]


def several(
    context: typer.Context,
    base_model: Annotated[str, typer.Option(help="A base model's id, name or hub id.")],
    vary: Annotated[
        list[str],
        typer.Option(help="NAME=VALUE,VALUE, e.g. learning_rate=0.0002,0.0005 or dial=quick,balanced; several times."),
    ],
    backend: Annotated[str, typer.Option(help="How it is trained.")] = "trl",
    training_set: Annotated[str | None, typer.Option(help="Default: the newest one.")] = None,
    name: Annotated[str | None, typer.Option(help="What the models are called, before what they differ in.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, the same for all; may be given several times.")
    ] = None,
    dial: Annotated[Dial | None, typer.Option(help="How thoroughly; --set goes before its numbers.")] = None,
    gpu: Gpu = None,
    engines_rest: Rest = EnginesRest.auto,
    yes: Annotated[bool, typer.Option("--yes", help="Start them without being asked.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show them, and start nothing.")] = False,
) -> None:
    """Start a training of every combination of some values; they are shown first."""
    cli: Cli = context.obj
    chosen = (base_model, backend, training_set, name, read_settings(settings or []), dial)
    request = TrainRequest(*chosen, gpu=gpu, engines_rest=engines_rest)
    values, workshop = read_varied(vary), app.make_workshop(cli.parts)
    with cli.transaction() as (session, person):
        planned = grouping.plan(session, request, values, workshop=workshop, by=person)
    if dry_run:
        cli.show(_planned(planned), _words(planned))
        return
    if not yes:
        typer.confirm(f"{_words(planned)}\nStart them?", abort=True, err=True)
    with cli.transaction() as (session, person):
        group = grouping.start(session, request, values, workshop=workshop, by=person)
        ids = [training.id for training in queries.of_group(session, group.id)]
    cli.show({"group": group.id, "trainings": ids}, f"Queued {len(ids)} trainings as {group.id}.")


def groups(context: typer.Context) -> None:
    """List what was started together, newest first."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.groups(session, domain=cli.domain)
        rows = [
            {
                "group": group.id,
                "name": group.name,
                "varied": ", ".join(group.varied),
                "trainings": len(queries.of_group(session, group.id)),
            }
            for group in found
        ]
    cli.table(rows, empty="No trainings were started together yet. Do it with: goldsmith train several")


def group(context: typer.Context, group_id: Group) -> None:
    """Show trainings that were started together beside each other."""
    cli: Cli = context.obj
    rows: list[dict[str, Any]] = []
    with cli.reading() as session:
        found = queries.group(session, group_id, domain=cli.domain)
        for training in queries.of_group(session, found.id):
            exam = [one.exam_loss for one in queries.series(session, training.id) if one.exam_loss is not None]
            rows.append(
                {
                    "training": training.id,
                    **(training.differs or {}),
                    "state": training.status,
                    "lowest_exam_loss": min(exam, default=None),
                    "loss": training.training_loss,
                    "model": training.output_model_id,
                }
            )
    cli.table(rows, empty="It has no trainings.")


def cancel_group(context: typer.Context, group_id: Group) -> None:
    """Cancel every training of a group that has not ended."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        number = grouping.cancel_rest(session, queries.group(session, group_id, domain=person.domain))
    cli.show({"group": group_id, "num_cancelled": number}, f"Asked {number} of them to stop.")


def _planned(planned: GroupPlan) -> dict[str, Any]:
    trainings = [
        {
            "differs": dict(one.variant.differs),
            "settings": one.what.options.in_effect(),
            "expected_s": one.expected.seconds if one.expected is not None else None,
        }
        for one in planned.trainings
    ]
    return {"trainings": trainings, "expected_s": planned.seconds}


def _words(planned: GroupPlan) -> str:
    lines = [
        f"{number}. {one.variant.words} ({_takes(one.expected.seconds if one.expected is not None else None)})"
        for number, one in enumerate(planned.trainings, start=1)
    ]
    return "\n".join([*lines, f"All {len(lines)} trainings: {_takes(planned.seconds)}."])


def _takes(seconds: float | None) -> str:
    return amounts.about(seconds) if seconds is not None else "nothing tells how long"
