"""Looks at Aristotle's database and says what is there: names, counts, rights. Changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text

from goldsmith.connect.aristotle.columns import Named, Tables
from goldsmith.connect.aristotle.connection import Place, catalogue, layout_of, reading
from goldsmith.connect.aristotle.names import MODEL_COLUMN, Layout, detect
from goldsmith.connect.aristotle.subjects import CANDIDATE, EIDOS, Origin
from goldsmith.errors import GoldsmithError

RIGHTS = ("SELECT", "INSERT", "UPDATE")
_MAY = text("SELECT has_any_column_privilege(to_regclass(quote_ident(:table)), :right)")
_OWNS = text(
    "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_catalog.pg_class WHERE oid = to_regclass(quote_ident(:table))"
)


@dataclass(frozen=True)
class TableFacts:
    """One of the four tables."""

    name: str
    num_rows: int | None
    """None where the role may not read it."""
    rights: tuple[str, ...]
    columns: Mapping[str, str]
    """Our word → the column's name."""


@dataclass(frozen=True)
class Facts:
    """What is there."""

    place: str
    layout: Layout
    tables: Mapping[str, TableFacts]
    num_gold: int | None
    num_scopes: int | None
    """Pairs of philosopher and domain that have a gold star."""
    has_model_column: bool
    may_change_table: bool
    eidos: str
    """Where they were found, or why not."""
    candidates: str

    def to_dict(self) -> dict[str, Any]:
        """As it is shown."""
        tables = {
            kind: f"{facts.name}: {'not readable' if facts.num_rows is None else f'{facts.num_rows:,} rows'}; "
            f"may {', '.join(facts.rights) or 'nothing'}"
            for kind, facts in self.tables.items()
        }
        return {
            "database": self.place,
            "generation": self.layout.generation.value,
            **tables,
            "gold_stars": self.num_gold,
            "philosophers_with_stars": self.num_scopes,
            MODEL_COLUMN: "there" if self.has_model_column else "not there; see: goldsmith aristotle migrate",
            "may_migrate": self.may_change_table,
            "eidos": self.eidos,
            "candidates": self.candidates,
            "not_found": list(self.layout.missing),
            "not_read": list(self.layout.others),
        }


def check(place: Place, *, eidos_from: str | None = None, candidate_from: str | None = None) -> Facts:
    """What is there. Raises SourceNotAnswering, SchemaNotKnown with all that was not found."""
    with reading(place) as connection:
        layout = detect(catalogue(connection))
        tables = Tables(layout)
        parts = {"conquest": tables.conquest, "rating": tables.rating, "prompt": tables.prompt, "answer": tables.answer}
        facts = {kind: _facts(connection, part) for kind, part in parts.items()}
        num_gold, num_scopes = _gold(connection, tables) if facts["rating"].num_rows is not None else (None, None)
        return Facts(
            place=str(place),
            layout=layout,
            tables=facts,
            num_gold=num_gold,
            num_scopes=num_scopes,
            has_model_column=layout.conquest.has(MODEL_COLUMN),
            may_change_table=bool(connection.scalar(_OWNS, {"table": layout.conquest.name})),
            eidos=_described(Origin(EIDOS, connection, eidos_from)),
            candidates=_described(Origin(CANDIDATE, connection, candidate_from)),
        )


def layout(place: Place) -> Layout:
    """How the database names things."""
    with reading(place) as connection:
        return layout_of(connection)


def _described(origin: Origin) -> str:
    """Stars can be brought in without them, so that one is not found is no error here."""
    try:
        return origin.describe()
    except GoldsmithError as error:
        return f"{error.message} {error.hint}"


def _facts(connection: Connection, part: Named) -> TableFacts:
    name = part.found.name
    rights = tuple(right for right in RIGHTS if connection.scalar(_MAY, {"table": name, "right": right}))
    num_rows = connection.scalar(select(func.count()).select_from(part.table)) if "SELECT" in rights else None
    return TableFacts(name, num_rows, rights, part.found.columns)


def _gold(connection: Connection, tables: Tables) -> tuple[int, int]:
    """Counts alone, of all scopes: for whoever runs Goldsmith, never for an answer of the API."""
    rating = tables.rating
    by_scope = (
        select(func.count().label("num"))
        .where(tables.is_star())
        .group_by(rating.text("philosopher"), rating.text("domain"))
        .subquery()
    )
    found = connection.execute(select(func.coalesce(func.sum(by_scope.c.num), 0), func.count())).one()
    return int(found[0]), int(found[1])
