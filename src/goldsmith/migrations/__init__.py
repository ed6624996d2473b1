"""The database's schema, step by step, with Alembic. Called by `app.py`; Alembic itself is loaded only when needed."""

from pathlib import Path

from sqlalchemy import inspect, text

from goldsmith.storage.database import Database

HEAD = "0001"
"""The newest revision; a test compares it with the scripts."""


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.reading() as session:
        connection = session.connection()
        if not inspect(connection).has_table("alembic_version"):
            return None
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema to a revision; everything or nothing where the database can do that."""
    from alembic import command

    command.upgrade(_config(database), to)


def downgrade(database: Database, to: str) -> None:
    """Take the schema back to a revision."""
    from alembic import command

    command.downgrade(_config(database), to)


def _config(database: Database):  # type: ignore[no-untyped-def]  # Alembic's type would be imported with it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = database.engine
    return config
