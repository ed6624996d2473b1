"""`backup`, `restore`, `migrate`: the database and the files as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from goldsmith import app, migrations
from goldsmith.cli.console import Cli, out
from goldsmith.cli.models import command_to_get
from goldsmith.models import queries as models
from goldsmith.models.hub_access import TOKEN_COMMAND, token_path
from goldsmith.serve import queries as serve
from goldsmith.serve.types import EngineKind, key_path
from goldsmith.storage import archive, restoring
from goldsmith.storage.archive import Manifest
from goldsmith.storage.errors import DiskRefuses
from goldsmith.webhooks import queries as webhooks
from goldsmith.webhooks.service import secret_path

Archive = Annotated[Path, typer.Argument(help="One file, e.g. goldsmith.tar.", dir_okay=False)]


def backup(
    context: typer.Context,
    file: Archive,
    with_base_models: Annotated[
        bool, typer.Option("--with-base-models", help="Base models' files too, which can be fetched again.")
    ] = False,
) -> None:
    """Write the database, the files and the trained models to one file. Goldsmith may run meanwhile."""
    from goldsmith.migrations.tables import METADATA

    cli: Cli = context.obj
    parts = cli.parts
    with _disk():
        manifest = archive.write(
            file.absolute(),
            parts.database,
            parts.home,
            metadata=METADATA,
            schema_revision=migrations.HEAD,
            with_base_models=with_base_models,
        )
    size_bytes = file.stat().st_size
    said = {"file": str(file), "size_bytes": size_bytes, "rows": manifest.num_rows, "files": manifest.num_files}
    text = f"Wrote {manifest.num_rows} rows and {manifest.num_files} files to {file} ({size_bytes / 1e6:.1f} MB)."
    left_out = "environments and secrets" if with_base_models else "environments, secrets and base models"
    cli.show(said, f"{text} Not in it: {left_out}.")


def restore(context: typer.Context, file: Archive) -> None:
    """Bring a backup back into an empty home folder and an empty database, SQLite or PostgreSQL."""
    from goldsmith.migrations.tables import METADATA

    cli: Cli = context.obj
    parts = cli.parts
    with _disk():
        manifest = restoring.restore(
            file,
            parts.database,
            parts.home,
            metadata=METADATA,
            schema_revision=migrations.HEAD,
        )
    said: dict[str, Any] = {"rows": manifest.num_rows, "files": manifest.num_files, **_to_do(cli, manifest)}
    if cli.is_json:
        cli.show(said)
        return
    out.print(f"Restored {manifest.num_rows} rows and {manifest.num_files} files of {manifest.made_at[:16]} UTC.")
    for line in _sentences(said):
        out.print(line, markup=False)


def migrate(context: typer.Context) -> None:
    """Bring the database's schema to this version's. SQLite is copied first; make a backup of PostgreSQL yourself."""
    cli: Cli = context.obj
    parts = app.assemble()
    said = app.prepare_database(parts, may_migrate_postgresql=True)
    parts.database.dispose()
    cli.show({"revision": migrations.HEAD, "said": said}, said or f"The database is at {migrations.HEAD} already.")


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskRefuses(str(error)) from error


def _to_do(cli: Cli, manifest: Manifest) -> dict[str, Any]:
    """What the backup could not bring: keys that only people know, and models whose files were left out."""
    home = cli.parts.home
    with cli.reading() as session:
        engines = serve.page(session, domain=cli.domain)
        keys = [
            {"engine": engine.name, "file": str(home.root / key_path(engine.id))}
            for engine in engines
            if engine.kind != EngineKind.OURS.value and key_path(engine.id).name in manifest.secrets
        ]
        bases = [
            {"model": base.name, "command": command_to_get(base)}
            for base in models.bases(session, domain=cli.domain)
            if not models.folder_of(home, base).exists()
        ]
        told = [
            {"webhook": webhook.url, "command": f"goldsmith webhooks renew {webhook.id}"}
            for webhook in webhooks.page(session, domain=cli.domain)
            if secret_path(home, webhook.id).name in manifest.secrets
        ]
    token = TOKEN_COMMAND if token_path(home).name in manifest.secrets else None
    return {"keys_to_enter": keys, "models_to_fetch": bases, "token_to_enter": token, "webhooks_to_renew": told}


def _sentences(said: dict[str, Any]) -> Iterator[str]:
    for key in said["keys_to_enter"]:
        yield f"Enter the key of {key['engine']} again: write it to {key['file']} (readable by you alone)."
    for model in said["models_to_fetch"]:
        yield f"Fetch the base model {model['model']} again: {model['command']}"
    if said["token_to_enter"]:
        yield f"Enter the token for the model hub again: {said['token_to_enter']}"
    for each in said["webhooks_to_renew"]:
        yield f"Make a new secret for the webhook {each['webhook']}, and enter it there: {each['command']}"
    yield "Browsers sign in again. Environments are in no backup; what to install is said by: goldsmith doctor"
