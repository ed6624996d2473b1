"""`goldsmith prompts`: instructions with `{{column}}` variables."""

import json
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.run import prompts, queries
from goldsmith.run.types import PromptDraft

commands = typer.Typer(help="Prompts: instructions with {{column}} variables.", no_args_is_help=True)


@commands.command()
def save(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the prompt is called.")],
    template: Annotated[str, typer.Option(help="What is asked, with {{column}} for a row's column.")],
    system: Annotated[str, typer.Option(help="The system text.")] = "",
    schema: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A JSON schema for answers.")] = None,
) -> None:
    """Save a prompt; another wording is its next version."""
    cli: Cli = context.obj
    answer_schema = json.loads(schema.read_text(encoding="utf-8")) if schema else None
    with cli.transaction() as (session, person):
        version = prompts.save_prompt(session, name, PromptDraft(template, system, answer_schema), by=person)
    cli.show({"prompt": version.prompt_id, "version": version.id, "number": version.number})


@commands.command("list")
def list_prompts(context: typer.Context) -> None:
    """List the prompts."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {"id": one.id, "name": one.name, "versions": len(queries.versions(session, one.id))}
            for one in queries.prompts(session, domain=cli.domain)
        ]
    cli.table(rows, empty="No prompts yet. Save one with: goldsmith prompts save NAME --template '{{column}}'")


@commands.command()
def show(context: typer.Context, prompt: Annotated[str, typer.Argument(help="A prompt's id or name.")]) -> None:
    """Show a prompt with all of its wordings, newest first."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.prompt(session, prompt, domain=cli.domain)
        versions = queries.versions(session, one.id)
    wordings = [
        {
            "number": version.number,
            "id": version.id,
            "system": version.system_text,
            "template": version.template,
            "schema": version.answer_schema,
        }
        for version in versions
    ]
    cli.show({"id": one.id, "name": one.name, "versions": wordings})
