"""`goldsmith train queue` and `move`: what waits for this machine, in its order. Registered in `train.py`."""

from typing import Annotated, Any

import typer

from goldsmith.cli.console import Cli
from goldsmith.jobs import line
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.errors import JobNotFound
from goldsmith.jobs.line import Step
from goldsmith.storage import amounts
from goldsmith.train import waiting
from goldsmith.train.waiting import InLine


def queue(context: typer.Context) -> None:
    """List what waits for this machine, the next one first, with the time when it is likely to begin."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = waiting.line(session, cli.parts.machine, domain=cli.domain)
    cli.table([_shown(each, is_json=cli.is_json) for each in found], empty="Nothing waits.")


def move(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(help="The id of a training, or of another job that waits.")],
    to: Annotated[Step, typer.Argument(help="Where to in the line.")],
) -> None:
    """Give what waits another place. The order is kept, also over a restart."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = jobs.one(session, job_id)
        if job.domain != person.domain:
            raise JobNotFound(f"There is no job {job_id}.")
        place = line.move(session, job, to)
    cli.show({"job": job_id, "place": place}, f"{job.title} has place {place} now.")


def _shown(one: InLine, *, is_json: bool) -> dict[str, Any]:
    takes_s = one.expected.seconds if one.expected is not None else None
    facts = {"place": one.place, "job": one.job_id, "title": one.title, "gpu": one.wanted_slot}
    if is_json:
        source = one.expected.source if one.expected is not None else None
        return {**facts, "begins_in_s": one.begins_in_s, "takes_s": takes_s, "told_by": source}
    return {**facts, "begins in": _about(one.begins_in_s), "takes": _about(takes_s)}


def _about(seconds: float | None) -> str:
    return "not known" if seconds is None else amounts.about(seconds) if seconds >= 1 else "a moment"
