"""`goldsmith engines`: the servers that answer for models."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.errors import Invalid
from goldsmith.serve import engine as engines
from goldsmith.serve import outside, queries, service
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineKind, EngineState

commands = typer.Typer(help="Engines: servers that answer for models.", no_args_is_help=True)
MAX_KEY_CHARACTERS = 8_192


class EngineNotClear(Invalid):
    """It was not said what the address is: a vLLM with a base model of ours, or a provider's model."""

    title = "It is not clear what kind of engine this is"
    default_hint = "Name --base-model for a vLLM that runs already, or --model for a provider; one of them."


class KeyNotReadable(Invalid):
    """The file with the key cannot be read, or holds no key."""

    title = "The key cannot be read"
    default_hint = "Write the key into a file, or pipe it in: --key-file - reads it from the standard input."


@commands.command("list")
def list_engines(context: typer.Context) -> None:
    """List the engines and what they are doing."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {
                "id": one.id,
                "name": one.name,
                "kind": one.kind,
                "state": one.state,
                "url": one.url,
                "message": one.message,
            }
            for one in queries.page(session, domain=cli.domain)
        ]
    cli.table(rows, empty="No engines yet. One is started when a model is deployed or a run needs it.")


@commands.command()
def stop(context: typer.Context, engine_id: Annotated[str, typer.Argument(help="An engine's id.")]) -> None:
    """Stop an engine; deploying a model starts it again."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        service.stop_engine(session, engine_id, by=person)
    cli.show({"engine": engine_id, "wanted": False}, f"{engine_id} will be stopped.")


@commands.command("copies")
def set_copies(
    context: typer.Context,
    engine_id: Annotated[str, typer.Argument(help="The id of an engine that Goldsmith starts.")],
    num_copies: Annotated[int, typer.Argument(help="How many should answer, itself included.")],
) -> None:
    """Have several engines answer for one base model; each starts where there is room for it."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        engine = service.set_copies(session, engine_id, num_copies, by=person)
    shown = {"engine": engine.id, "num_copies": engine.num_copies}
    cli.show(shown, f"{engine.name}: {engine.num_copies} in all, as far as there is room.")


@commands.command("places")
def set_places(
    context: typer.Context,
    engine_id: Annotated[str, typer.Argument(help="The id of an engine that Goldsmith starts.")],
    num_places: Annotated[int, typer.Argument(help="How many adapters it should hold ready at once.")],
) -> None:
    """Have an engine hold so many adapters ready at once; it starts again when it has fewer."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        engine = service.set_places(session, engine_id, num_places, by=person)
    cli.show({"engine": engine.id, "num_places": engine.num_places}, _told_places(engine))


@commands.command()
def show(context: typer.Context, engine_id: str) -> None:
    """Show an engine and what is on it."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.one(session, engine_id)
        names = queries.model_names(session)
        on_it = [
            {"model": found.model_id, "name": names.get(found.model_id), "state": found.state, "proof": found.proof}
            for found in queries.deployments(session, one.id)
        ]
    facts = {"id": one.id, "name": one.name, "kind": one.kind, "state": one.state, "url": one.url}
    prices = {"input_usd_per_million": one.input_usd_per_million, "output_usd_per_million": one.output_usd_per_million}
    is_provider = one.provider_model is not None and one.base_model_id is None
    more = {"model": one.provider_model, **prices} if is_provider else {"models": on_it}
    own = {"num_copies": one.num_copies, "copy_of": one.copy_of}
    own |= {"max_loras": one.max_loras, "num_places": one.num_places}
    copies = own if one.kind == EngineKind.OURS.value else {}
    cli.show({**facts, "wanted": one.is_wanted, "message": one.message, **copies, **more})


@commands.command()
def add(
    context: typer.Context,
    url: Annotated[
        str, typer.Argument(help="Where it answers, e.g. http://127.0.0.1:8000 or https://api.example.org.")
    ],
    base_model: Annotated[str | None, typer.Option(help="Of a vLLM that runs already: the base model it has.")] = None,
    name_in_engine: Annotated[str | None, typer.Option(help="What that vLLM calls its base model.")] = None,
    model: Annotated[str | None, typer.Option(help="Of a provider: which of its models is asked.")] = None,
    name: Annotated[str | None, typer.Option(help="What a provider is called here.")] = None,
    input_price: Annotated[float | None, typer.Option(min=0, help="Dollars a million tokens that are asked.")] = None,
    output_price: Annotated[float | None, typer.Option(min=0, help="Dollars a million tokens of answers.")] = None,
    key_file: Annotated[str | None, typer.Option(help="A file with its key; - reads the standard input.")] = None,
) -> None:
    """Use a vLLM that runs already, or an outside provider that speaks OpenAI's API."""
    cli: Cli = context.obj
    if (base_model is None) == (model is None):
        raise EngineNotClear("Both --base-model and --model were named." if model else "Neither was named.")
    key = read_key(key_file) if key_file is not None else None
    with cli.transaction() as (session, person):
        if base_model is not None:
            engine = outside.attach_engine(
                session, url, base_model_id=base_model, by=person, name_in_engine=name_in_engine
            )
        else:
            engine = outside.add_provider(
                session,
                url,
                model=model or "",
                by=person,
                name=name,
                prices_usd_per_million=(input_price, output_price),
            )
        if key is not None:
            engines.write_key(cli.parts.home, engine.id, key)
    cli.show(_added(engine), f"{engine.name} is {engine.id}.")


@commands.command()
def remove(context: typer.Context, engine_id: str) -> None:
    """Use an attached engine or a provider no more, and forget its key; answers that it gave stay."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        engine = outside.remove_engine(session, engine_id, by=person)
        is_ours = engine.kind == EngineKind.OURS.value
        if not is_ours:
            engines.forget_key(cli.parts.home, engine.id)
    gone = f"{engine.name} is not used any more, and its key is deleted."
    stopped = f"{engine.name} is stopped; Goldsmith starts it again when it is needed."
    cli.show({"engine": engine.id, "removed": not is_ours}, stopped if is_ours else gone)


def read_key(place: str) -> str:
    """The key in a file, or from the standard input; never from an argument, which every program could read."""
    try:
        text = sys.stdin.readline() if place == "-" else Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyNotReadable(f"{place} cannot be read: {error}") from error
    key = text.strip()
    if not key or len(key) > MAX_KEY_CHARACTERS or any(not character.isprintable() for character in key):
        raise KeyNotReadable(f"{'The standard input' if place == '-' else place} holds no key of one line.")
    return key


def _told_places(engine: Engine) -> str:
    is_grown = (engine.num_places or 0) > engine.max_loras and engine.state != EngineState.STOPPED.value
    when = "It starts again for that, about a minute." if is_grown else "From its next start on."
    return f"{engine.name}: {engine.num_places} places for adapters. {when}"


def _added(engine: Engine) -> dict[str, object]:
    return {"engine": engine.id, "name": engine.name, "kind": engine.kind, "url": engine.url, "state": engine.state}
