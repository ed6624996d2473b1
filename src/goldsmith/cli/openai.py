"""`goldsmith openai`: what was kept at OpenAI comes here."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from goldsmith.cli.console import Cli, err
from goldsmith.cli.watching import finish_or_say
from goldsmith.connect.openai import fetching, moving, planning
from goldsmith.connect.openai.fetching import Account
from goldsmith.connect.openai.types import Plan
from goldsmith.data import service as data
from goldsmith.data.types import Upload
from goldsmith.errors import Invalid

commands = typer.Typer(help="Bring what was kept at OpenAI: files, evals, batches, completions.", no_args_is_help=True)
Paths = Annotated[list[Path], typer.Argument(exists=True, help="Files, or a folder of them.")]
StarAnswers = Annotated[bool, typer.Option("--star-answers", help="Star the answers of batches and completions, too.")]


class KeyMissing(Invalid):
    """Nobody said with which key the service is to be asked."""

    title = "The key is missing"
    default_hint = "Put it into an environment variable, OPENAI_API_KEY for instance; a key never stands in a command."


@commands.command()
def fetch(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the files go; made when it is missing.")],
    url: Annotated[str, typer.Option(help="The service's address.")] = fetching.DEFAULT_URL,
    key_variable: Annotated[str, typer.Option(help="The environment variable with the key.")] = "OPENAI_API_KEY",
) -> None:
    """Bring files, fine-tuning jobs, evals and stored completions into a folder. Run again, it goes on."""
    cli: Cli = context.obj
    key = os.environ.get(key_variable)
    if not key:
        raise KeyMissing(f"The environment variable {key_variable} is empty.")
    said = []
    with Account(url, key) as account:
        for line in fetching.fetch(account, folder):
            said.append(line)
            if not cli.is_json:
                err.print(line, markup=False)
    cli.show({"folder": str(folder), "fetched": said}, f"It is in {folder}. Next: goldsmith openai look {folder}")


@commands.command()
def look(context: typer.Context, paths: Paths) -> None:
    """Say what files hold, what each would become, and what has no counterpart here. Nothing is made."""
    cli: Cli = context.obj
    found = planned(cli, paths)
    cli.show(_data(found), _text(found))


@commands.command()
def bring(
    context: typer.Context,
    paths: Paths,
    star_answers: StarAnswers = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Make datasets, prompts, stars, exams and training sets of files. Brought twice, nothing is made twice."""
    bring_in(context.obj, paths, is_starred=star_answers, wait=wait)


def bring_in(cli: Cli, paths: Sequence[Path], *, is_starred: bool, wait: bool) -> None:
    """Look at the files, and make what can be made of them."""
    found = planned(cli, paths)
    with cli.transaction() as (session, person):
        job = moving.start(session, found.starring_all() if is_starred else found, by=person)
    said = finish_or_say(cli, job.id, wait=wait)
    cli.show(said, _made(said) if "parts" in said else f"{job.title}: {said['state']} ({job.id})")


def planned(cli: Cli, paths: Sequence[Path]) -> Plan:
    """The files, kept, and what a move would make of them."""
    uploads = [_kept(cli, path) for path in _files(paths)]
    return planning.plan(uploads, lambda upload: data.path_of(cli.parts.home, upload))


def _files(paths: Sequence[Path]) -> Iterable[Path]:
    """The files that were named, and those of the folders; hidden ones are passed over."""
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        yield from (each for each in inside if each.is_file() and not each.name.startswith("."))


def _kept(cli: Cli, path: Path) -> Upload:
    with path.open("rb") as stream:
        return data.save_upload(cli.parts.home, stream, path.name)


def _data(plan: Plan) -> dict[str, Any]:
    """A plan for programs."""
    files = [{"file": seen.upload.filename, "holds": seen.kind.value, "for": seen.used_for} for seen in plan.files]
    parts = [{"name": part.name, "becomes": part.becomes, "notes": list(part.notes)} for part in plan.parts]
    return {"files": files, "parts": parts, "notes": list(plan.notes)}


def _text(plan: Plan) -> str:
    """A plan for people."""
    lines = [f"{seen.upload.filename}: {seen.kind.words}" for seen in plan.files]
    for part in plan.parts:
        lines += ["", part.name, f"  {part.becomes}", *(f"  - {note}" for note in part.notes)]
    return "\n".join([*lines, *([""] if plan.notes else []), *(f"- {note}" for note in plan.notes)])


def _made(said: Any) -> str:
    """What a move made, for people."""
    lines = []
    for part in said["parts"]:
        ids = ", ".join(f"{what} {part[key]}" for key, what in _IDS.items() if part.get(key))
        rows = f"{part.get('num_rows', 0):,} rows" + (f", {bad:,} bad" if (bad := part.get("num_bad_rows")) else "")
        lines += [part["name"], f"  {part.get('error', f'{rows}; {ids}')}"]
        lines += [f"  - {note}" for note in part.get("notes", [])]
    return "\n".join([*lines, *(f"- {note}" for note in said["notes"])])


_IDS = {"dataset_id": "dataset", "prompt_version_id": "prompt", "run_id": "stars in", "training_set_id": "training set"}
