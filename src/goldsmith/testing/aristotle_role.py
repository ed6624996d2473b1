"""The role with which Goldsmith connects to a synthetic Aristotle: it may do what the how-tos name, and nothing else.

The statements are those of `docs/howto/bring-stars-from-aristotle.md` and `run-a-conquest-on-your-model.md`, in each
generation's own names; a test compares them. The application itself and `goldsmith aristotle migrate` need the owner.
"""

import re
import secrets
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from goldsmith.testing.aristotle import NAMES, SyntheticAristotle

ROLE: Final = "goldsmith_writer"
_GRANTS: Final = (
    "USAGE ON SCHEMA public",
    "SELECT ON {conquest}, {rating}, {prompt}, {answer}",
    "INSERT, UPDATE, DELETE ON {rating}",
    'UPDATE (result, "resultNotes", "useAsExample", "evaluatedBy", "evaluatedAt", "updatedAt") ON {conquest}',
    "UPDATE (data) ON {answer}",
    "SELECT ON {eidos}, {candidate}",
    'INSERT (id, "aristotleId", "conquestType", title, "eidosId", status, result, "useAsExample", "startedAt",'
    ' "completedAt", "executionTimeMs", philosopher, domain, "createdAt", "updatedAt") ON {conquest}',
    "INSERT ({key}, data, updated_at) ON {prompt}, {answer}",
    "USAGE ON SEQUENCE {prompt}_id_seq, {answer}_id_seq",
    "INSERT (fine_tuned_model_id) ON {conquest}",
)
_SUBJECTS: Final = {"V1": ("eidos", "candidate"), "V2": ('"Eidos"', '"Candidate"'), "V3": ("eidos", "candidates")}


def grants(generation: str) -> list[str]:
    """What the role is given, in the order of the how-tos; the last one needs the column that a migration adds."""
    names = NAMES[generation]
    eidos, candidate = _SUBJECTS[generation]
    tables = {"conquest": names.conquest, "rating": names.rating, "prompt": names.prompt, "answer": names.answer}
    found = []
    for grant in _GRANTS:
        written = grant if generation == "V2" else re.sub(r'"(\w+)"', _in_snake_case, grant)
        found.append(written.format(**tables, eidos=eidos, candidate=candidate, key=names.key))
    return [f"GRANT {each} TO {ROLE}" for each in found]


def give_role(synthetic: SyntheticAristotle) -> URL:
    """Make the role, or give the one that is there a new password; returns the database's URL with it."""
    password = secrets.token_urlsafe(24)
    with synthetic.engine.begin() as connection:
        verb = "ALTER" if _is_there(connection) else "CREATE"
        connection.exec_driver_sql(f"{verb} ROLE {ROLE} LOGIN PASSWORD '{password}'")
        for statement in grants(synthetic.generation):
            connection.exec_driver_sql(statement)
    return synthetic.url.set(username=ROLE, password=password)


def _is_there(connection: Connection) -> bool:
    return connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": ROLE}) is not None


def _in_snake_case(quoted: re.Match[str]) -> str:
    return re.sub(r"[A-Z]", lambda capital: f"_{capital[0].lower()}", quoted[1])
