"""`goldsmith train curve` and `curves`: whether more gold stars would help. Registered in `train.py`."""

import time
from typing import Annotated, Any

import typer

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.cli.settings_given import read_settings
from goldsmith.cli.watching import follow
from goldsmith.compare import curves as learning_curves
from goldsmith.compare import queries
from goldsmith.compare.curves import CurveRequest
from goldsmith.compare.tables import LearningCurve
from goldsmith.train import queries as train
from goldsmith.train.dial import Dial
from goldsmith.train.recipe import TrainRequest

LOOK_EVERY_S = 0.5


def curve(
    context: typer.Context,
    base_model: Annotated[str, typer.Option(help="A base model's id, name or hub id.")],
    backend: Annotated[str, typer.Option(help="How it is trained.")] = "trl",
    training_set: Annotated[str | None, typer.Option(help="Default: the newest one.")] = None,
    name: Annotated[str | None, typer.Option(help="What the models are called, before their part.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, the same for all; may be given several times.")
    ] = None,
    dial: Annotated[Dial, typer.Option(help="How thoroughly, for the rows of each.")] = Dial.balanced,
    more: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="About how many more stars. Default: half as many again.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the answer.")] = True,
) -> None:
    """Train on 25, 50 and 100 % of the stars, ask each model the exam, and say whether more stars would help."""
    cli: Cli = context.obj
    request = TrainRequest(base_model, backend, training_set, name, read_settings(settings or []), dial)
    with cli.transaction() as (session, person):
        workshop = app.make_workshop(cli.parts)
        started = learning_curves.start(session, CurveRequest(request, more), workshop=workshop, by=person)
    if wait:
        _wait(cli, started.id)
    with cli.reading() as session:
        found = queries.curve(session, started.id, domain=cli.domain)
        cli.show(_shown(found, trainings=[row.id for row in train.of_group(session, found.group_id)]))


def curves(context: typer.Context) -> None:
    """List the learning curves with what they say, newest first."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [_shown(each) for each in queries.curves(session, domain=cli.domain)]
    cli.table(rows, empty="No learning curves yet. Start one with: goldsmith train curve --base-model NAME")


def _wait(cli: Cli, curve_id: str) -> None:
    """For its answer; raises JobDidNotSucceed when the exam could not be asked."""
    while True:
        with cli.reading() as session:
            found = queries.curve(session, curve_id, domain=cli.domain)
        if found.answer is not None:
            return
        if found.job_id is not None:
            follow(cli, found.job_id)
        time.sleep(LOOK_EVERY_S)


def _shown(found: LearningCurve, **more: Any) -> dict[str, Any]:
    answer = found.answer or {}
    rights = [f"{each.get('num_right')} with {each['num_learn']}" for each in found.points or ()]
    facts = {"curve": found.id, "group": found.group_id, **more, "right": ", ".join(rights) or None}
    return {**facts, "answer": answer.get("kind"), "says": answer.get("sentence", "no answer yet")}
