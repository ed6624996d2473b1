"""`goldsmith train`: a training set and a base model become a fine-tuned model."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from goldsmith import app
from goldsmith.cli import training_curves, training_groups, training_line
from goldsmith.cli.console import Cli
from goldsmith.cli.settings_given import Gpu, Rest, read_settings
from goldsmith.cli.watching import finish_or_say
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.types import StopRequest
from goldsmith.models import queries as models
from goldsmith.models.types import Learns
from goldsmith.serve import elsewhere
from goldsmith.stars import queries as stars
from goldsmith.train import look as looking
from goldsmith.train import queries, repeating, service
from goldsmith.train.alarms import alarms_of, best_of
from goldsmith.train.backends.methods import Method, learns
from goldsmith.train.dial import Dial
from goldsmith.train.expected import Known
from goldsmith.train.look import DEFAULT_LIMIT, LARGEST_LIMIT
from goldsmith.train.recipe import EnginesRest, TrainRequest, backend_of, is_at_provider, read_options
from goldsmith.train.samples import sampled_rows
from goldsmith.train.sending import leaving

commands = typer.Typer(
    help="Trainings: a training set and a base model become a fine-tuned model.", no_args_is_help=True
)
Training = Annotated[str, typer.Argument(help="A training's id.")]


@commands.command()
def start(
    context: typer.Context,
    base_model: Annotated[str, typer.Option(help="A base model's id, name or hub id; with openai a provider's.")],
    backend: Annotated[str, typer.Option(help="How it is trained.")] = "trl",
    training_set: Annotated[str | None, typer.Option(help="Default: the newest one.")] = None,
    name: Annotated[str | None, typer.Option(help="What the model is called.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, e.g. num_epochs=3; may be given several times.")
    ] = None,
    dial: Annotated[Dial | None, typer.Option(help="How thoroughly; --set goes before its numbers.")] = None,
    gpu: Gpu = None,
    engines_rest: Rest = EnginesRest.auto,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and start nothing.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before rows are sent to a provider.")] = False,
) -> None:
    """Train. It is refused before anything starts when it cannot work."""
    cli: Cli = context.obj
    backends = app.make_backends()
    chosen = (base_model, backend, training_set, name, read_settings(settings or []), dial)
    request = TrainRequest(*chosen, gpu=gpu, engines_rest=engines_rest)
    if dry_run:
        cli.show(_planned(cli, request) if dial is not None else _plan(cli, request))
        return
    if not yes and is_at_provider(backend_of(backend, backends), cli.parts.machine):
        typer.confirm(f"{_leaving(cli, request)} Start?", abort=True, err=True)
    with cli.transaction() as (session, person):
        job = service.start(session, request, workshop=app.make_workshop(cli.parts), by=person)
    cli.show({"training": job.id, **finish_or_say(cli, job.id, wait=wait)})


@commands.command()
def rehearse(
    context: typer.Context,
    base_model: Annotated[str, typer.Option(help="A base model's id, name or hub id.")],
    backend: Annotated[str, typer.Option(help="How it is trained.")] = "trl",
    training_set: Annotated[str | None, typer.Option(help="Default: the newest one.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, e.g. num_epochs=3; may be given several times.")
    ] = None,
    dial: Annotated[Dial | None, typer.Option(help="How thoroughly; --set goes before its numbers.")] = None,
    gpu: Gpu = None,
    engines_rest: Rest = EnginesRest.auto,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Do a few real steps, and tell how long the training would take, how much memory and how much disk."""
    cli: Cli = context.obj
    chosen = (base_model, backend, training_set, None, read_settings(settings or []), dial)
    request = TrainRequest(*chosen, gpu=gpu, engines_rest=engines_rest)
    with cli.transaction() as (session, person):
        job = service.rehearse(session, request, workshop=app.make_workshop(cli.parts), by=person)
    cli.show({"rehearsal": job.id, **finish_or_say(cli, job.id, wait=wait)})


@commands.command()
def look(
    context: typer.Context,
    base_model: Annotated[str, typer.Option(help="A base model's id, name or hub id.")],
    training_set: Annotated[str, typer.Option(help="A training set's id or name.")],
    max_length: Annotated[
        int, typer.Option(min=16, max=LARGEST_LIMIT, help="The longest row, in tokens.")
    ] = DEFAULT_LIMIT,
    method: Annotated[
        Method,
        typer.Option(help="As this method would learn: good answers, pairs (dpo), or single marks (kto)."),
    ] = "sft",
    pairs: Annotated[bool, typer.Option(help="The same as --method dpo.")] = False,
    rows: Annotated[int, typer.Option(min=0, max=1000, help="Show so many rows, those left out first.")] = 3,
) -> None:
    """Look at what a model would learn, row by row, before anything starts."""
    cli: Cli = context.obj
    home, learned_from = cli.parts.home, learns("dpo" if pairs else method)
    with cli.reading() as session:
        found = stars.training_set(session, training_set, domain=cli.domain)
        base = models.base(session, base_model, domain=cli.domain)
        seen = looking.look(session, home, found, base, max_length=max_length, learns=learned_from)
        some = [*seen.left_out, *seen.learned][:rows]
        shown = looking.seen_rows(session, home, found, base, some, limit=seen.max_tokens)
    cli.show(
        {
            "sentence": seen.sentence,
            "learned": len(seen.learned),
            "left_out": len(seen.left_out),
            "exam_left_out": len(seen.left_out_exam),
            "learned_tokens": seen.num_learned_tokens,
            "max_length_for_all": seen.limit_for_all,
            "stops_by_itself": seen.stops_by_itself,
            "rows": [
                {
                    "row": row.size.position,
                    "left_out": row.why_left_out,
                    "learned": row.learned + row.end,
                    **({"rejected": row.rejected} if learned_from is Learns.pairs else {}),
                    **({"bad": row.is_bad} if learned_from is Learns.marks else {}),
                }
                for row in shown
            ],
        }
    )


@commands.command()
def pause(context: typer.Context, job_id: Training) -> None:
    """Save after the current step and stop; it can go on later."""
    _ask(context.obj, job_id, StopRequest.PAUSE)


@commands.command()
def cancel(context: typer.Context, job_id: Training) -> None:
    """Stop for good; the last checkpoint is kept."""
    _ask(context.obj, job_id, StopRequest.CANCEL)


@commands.command()
def keep(context: typer.Context, job_id: Training) -> None:
    """End now: the checkpoint with the lowest exam loss (without an exam the last) becomes the model."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        training = queries.one(session, job_id, domain=person.domain)
        service.keep(session, training)
    words = f"Asked {training.name} to end and keep its best."
    cli.show({"training": training.id, "asked": StopRequest.KEEP.value}, words)


@commands.command()
def again(
    context: typer.Context, job_id: Training, wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True
) -> None:
    """Train once more with the same bytes in the same order and the same settings, as a training of its own."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        training = queries.one(session, job_id, domain=person.domain)
        repeated = repeating.again(session, training, workshop=app.make_workshop(cli.parts), by=person)
    cli.show({"training": repeated.id, **finish_or_say(cli, repeated.id, wait=wait)})


@commands.command()
def resume(
    context: typer.Context, job_id: Training, wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True
) -> None:
    """Go on from the last checkpoint, as a new attempt of the same training."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        training = queries.one(session, job_id, domain=person.domain)
        queue.again(session, jobs.one(session, training.id), f"asked for again by {person.name}")
    cli.show({"training": training.id, **finish_or_say(cli, training.id, wait=wait)})


@commands.command()
def events(
    context: typer.Context,
    job_id: Training,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The last so many.")] = 50,
) -> None:
    """List what happened, oldest first: steps, checkpoints, attempts, failures."""
    cli: Cli = context.obj
    with cli.reading() as session:
        training = queries.one(session, job_id, domain=cli.domain)
        found = jobs.newest_events(session, training.id, limit=limit)
    rows = [
        {
            "at": event.at,
            "attempt": event.attempt,
            "kind": event.kind,
            "what": event.data if cli.is_json else ", ".join(f"{name} {value}" for name, value in event.data.items()),
        }
        for event in found
    ]
    cli.table(rows, empty="Nothing has happened yet.")


@commands.command("list")
def list_trainings(context: typer.Context) -> None:
    """List the trainings."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {
                "id": one.id,
                "name": one.name,
                "state": one.status,
                "loss": one.training_loss,
                "model": one.output_model_id,
            }
            for one in queries.page(session, domain=cli.domain)
        ]
    cli.table(rows, empty="No trainings yet. Start one with: goldsmith train start --base-model NAME")


@commands.command()
def show(context: typer.Context, job_id: Training) -> None:
    """Show one training with its curve."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.one(session, job_id, domain=cli.domain)
        points, samples = queries.series(session, job_id), sampled_rows(session, one)
    best = best_of(points)
    facts = {
        "id": one.id,
        "state": one.status,
        "step": one.current_step,
        "of": one.total_steps,
        "error": one.error_message,
        "best": {"step": best.step, "exam_loss": best.exam_loss} if best is not None else None,
        "alarms": [{"step": each.step, "what": each.summary, "do": each.hint} for each in alarms_of(points)],
        "samples": [
            {"row": row.position, "good": row.expected, "said": {str(each.step): each.text for each in row.said}}
            for row in samples
        ],
    }
    curve = [{"step": point.step, "loss": point.loss, "exam_loss": point.exam_loss} for point in points]
    cli.show({**facts, "model": one.output_model_id, "settings": one.config, "series": curve})


def _plan(cli: Cli, request: TrainRequest) -> dict[str, Any]:
    """What would be started, of the settings alone: neither rows nor model need to be there."""
    chosen = backend_of(request.backend, app.make_backends())
    plan = chosen.plan(read_options(chosen, request.options), cli.parts.machine)
    return {"program": plan.program, "environment": plan.environment, "settings": plan.settings}


def _planned(cli: Cli, request: TrainRequest) -> dict[str, Any]:
    """What would be started, with the numbers that the dial resolved to, and how long it is likely to take."""
    with cli.transaction() as (session, person):
        what = service.check(session, request, workshop=app.make_workshop(cli.parts), by=person)
        likely = Known.of(session, domain=person.domain).expected(what.task)
        session.rollback()  # a provider's model may have got its row
    resolved = replace(request, options=what.options.model_dump(), dial=None)
    takes_s = likely.seconds if likely is not None else None
    return {**_plan(cli, resolved), "dial": dict(what.dialled), "expected_s": takes_s}


def _leaving(cli: Cli, request: TrainRequest) -> str:
    """Which rows would leave this machine, and where to."""
    with cli.reading() as session:
        engine = elsewhere.provider(session, request.base_model, domain=cli.domain)
        found = service.training_set_of(session, request, domain=cli.domain)
        return leaving(session, found, engine).sentence


def _ask(cli: Cli, job_id: str, request: StopRequest) -> None:
    with cli.transaction() as (session, person):
        training = queries.one(session, job_id, domain=person.domain)
        queue.ask_to_stop(session, jobs.one(session, training.id), request)
    cli.show({"training": training.id, "asked": request.value}, f"Asked {training.name} to {request.value}.")


commands.command()(training_line.queue)
commands.command()(training_line.move)
commands.command()(training_groups.several)
commands.command()(training_groups.groups)
commands.command()(training_groups.group)
commands.command()(training_groups.cancel_group)
commands.command()(training_curves.curve)
commands.command()(training_curves.curves)
