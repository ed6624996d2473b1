"""The database's schema, step by step, with Alembic. Called by `app.py`; Alembic itself is loaded only when needed.

After a change of tables: `make migration` (see `__main__.py`). A test compares the tables with the migrated schema.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from goldsmith.storage.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0055"
"""The newest revision; a test compares it with the scripts."""


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.reading() as session:
        connection = session.connection()
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return revision


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema to a revision, wholly or not at all."""
    from alembic import command

    command.upgrade(_config(database), to)


def downgrade(database: Database, to: str) -> None:
    """Take the schema back to a revision, wholly or not at all."""
    from alembic import command

    command.downgrade(_config(database), to)


def newest_script() -> str | None:
    """The revision of the newest script."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


def write_revision(database: Database, number: str, name: str) -> Path:
    """Write what the tables have and the schema of `database` lacks as a new script."""
    from alembic import command

    script = command.revision(_config(database), message=name, autogenerate=True, rev_id=number)
    if script is None or isinstance(script, list):
        raise RuntimeError("exactly one revision was expected")
    return Path(script.path)


def _config(database: Database | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    if database is not None:
        config.attributes["engine"] = database.engine
    return config
