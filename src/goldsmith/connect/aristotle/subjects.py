"""Finds eidos and candidates, of which no document says where they live: in usual tables, or in what a setting names.

A table has to say whose its rows are, and gives the prompt only columns that are known. A query gives what it returns;
it takes `:id` and `:domain`, and `:philosopher` where it can.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select, text, true
from sqlalchemy.exc import DBAPIError

from goldsmith.connect.aristotle.columns import Named
from goldsmith.connect.aristotle.connection import catalogue
from goldsmith.connect.aristotle.names import Found, columns_of, spellings
from goldsmith.connect.conquests import Subject
from goldsmith.connect.errors import SchemaNotKnown, SourceNotConnected, WhoseNotSaid, WishNotPossible
from goldsmith.connect.types import Scope

_OWNER = ("philosopher", "domain")
_PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_QUERY = re.compile(r"\s*(select|with)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """Eidos, or candidates."""

    word: str
    plural: str
    setting: str
    tables: tuple[str, ...]
    ids: tuple[str, ...]
    """Columns that may hold the id that is asked for, the likeliest first."""
    facts: tuple[str, ...]
    """Columns that a prompt may use."""


EIDOS = Kind(
    "eidos",
    "eidos",
    "ARISTOTLE_EIDOS_FROM",
    ("eidos", "Eidos", "eidoi", "Eidoi", "eidoses"),
    ("id",),
    (
        *("system", "prompt", "prompt_template", "template", "instructions", "conquest_type"),
        *("name", "title", "description", "criteria", "requirements", "content", "data"),
    ),
)
CANDIDATE = Kind(
    "candidate",
    "candidates",
    "ARISTOTLE_CANDIDATE_FROM",
    ("candidates", "Candidate", "candidate", "Candidates"),
    ("aristotle_id", "id"),
    (
        *("name", "title", "company", "current_role", "current_company", "experience", "work_history"),
        *("education", "data"),
    ),
)


@dataclass(frozen=True)
class Origin:
    """Where the rows of a kind come from, on one visit."""

    kind: Kind
    connection: Connection
    told: str | None = None
    """A table or a query, as the setting says."""

    @property
    def is_query(self) -> bool:
        """Whether a query was told."""
        return self.told is not None and _QUERY.match(self.told) is not None

    def found(self) -> Found:
        """The table. Raises SchemaNotKnown with what was looked for."""
        kind, names = self.kind, (self.told.strip().strip('"'),) if self.told else self.kind.tables
        there = catalogue(self.connection, names)
        name = next((each for each in names if each in there), None)
        if name is None:
            raise SchemaNotKnown(
                f"Not found: a table with the {kind.plural} ({', '.join(names)}).",
                hint=f"Set {kind.setting} to the table's name, or to a query with :id and :domain.",
            )
        columns = columns_of((*kind.ids, *_OWNER, *kind.facts), there[name])
        found = Found(name, columns, {word: there[name][column] for word, column in columns.items()})
        lacks = [] if found.has("domain") else [f"the column domain in {name}, which says whose a row is"]
        lacks += [] if any(map(found.has, kind.ids)) else [f"the column {' or '.join(kind.ids)} in {name}"]
        lacks += [] if any(map(found.has, kind.facts)) else [f"any column in {name} that a prompt could use"]
        if lacks:
            hint = f"Set {kind.setting} to a query with :id and :domain that returns what the prompt shall have."
            raise SchemaNotKnown(f"Not found: {'; '.join(lacks)}.", hint=hint)
        return found

    def describe(self) -> str:
        """In words, for a check."""
        if self.is_query:
            self._parameters()
            return f"a query, {self.kind.setting}"
        found = self.found()
        return f"{found.name}: {', '.join(found.columns.values())}"

    def fetch(self, scope: Scope, ids: Collection[str]) -> dict[str, Subject]:
        """Those of the scope, by the ids that were asked for."""
        if self.is_query:
            asked = {each: self._asked(scope, each) for each in ids}
            return {each: subject for each, subject in asked.items() if subject is not None}
        found = self.found()
        named = Named(found, "s")
        words = [word for word in found.columns if word in (*self.kind.ids, *self.kind.facts)]
        columns = [named.text(word) if word in self.kind.ids else named[word] for word in words]
        rows = self.connection.execute(select(*columns).where(self._is_any(named, ids), _is_of(named, scope)))
        subjects: dict[str, Subject] = {}
        wanted = set(ids)
        for word, row in _by_likelihood(self.kind, [dict(zip(words, each, strict=True)) for each in rows]):
            if row.get(word) in wanted and row[word] not in subjects:
                subjects[row[word]] = _subject(self.kind, row[word], row)
        return subjects

    def owner(self, subject_id: str, *, philosopher: str | None, domain: str | None) -> Scope | None:
        """Whose it is; None when it is not there, or not of the philosopher and the domain as far as they were said."""
        unsaid = WhoseNotSaid(f"Nothing says whose the {self.kind.word} {subject_id[:100]} is.")
        if self.is_query:
            raise unsaid
        found = self.found()
        if not found.has("philosopher"):
            raise unsaid
        named = Named(found, "s")
        said = {"philosopher": philosopher, "domain": domain}
        is_said = [named.text(word) == value for word, value in said.items() if value is not None]
        owner = (named.text(word) for word in _OWNER)
        row = self.connection.execute(select(*owner).where(self._is_any(named, [subject_id]), *is_said)).first()
        return Scope(row[0], row[1]) if row is not None and row[0] and row[1] else None

    def _is_any(self, named: Named, ids: Collection[str]) -> ColumnElement[bool]:
        return or_(*(named.among(word, ids) for word in self.kind.ids if named.found.has(word)))

    def _asked(self, scope: Scope, subject_id: str) -> Subject | None:
        values = {"id": subject_id, "domain": scope.domain, "philosopher": scope.philosopher}
        bound = {name: values[name] for name in self._parameters()}
        try:
            with self.connection.begin_nested():
                row = self.connection.execute(text(self.told or ""), bound).mappings().first()
        except DBAPIError as error:
            if str(getattr(error.orig, "sqlstate", "")).startswith("22"):
                return None  # an id that cannot be one is nobody's
            raise
        if row is None or any(row.get(word) not in (None, getattr(scope, word)) for word in _OWNER):
            return None
        known = {
            column: word
            for word, column in columns_of((*self.kind.ids, *self.kind.facts), {str(name) for name in row}).items()
        }
        return _subject(self.kind, subject_id, {known.get(name, name): value for name, value in row.items()})

    def _parameters(self) -> set[str]:
        names = set(_PARAMETER.findall(self.told or ""))
        if not {"id", "domain"} <= names <= {"id", *_OWNER}:
            raise SourceNotConnected(
                f"{self.kind.setting} is a query, and takes {', '.join(sorted(names)) or 'nothing'}.",
                hint=f"Have {self.kind.setting} take :id and :domain, so that it finds nobody else's rows, and "
                ":philosopher where it can.",
            )
        return names


def check_ids(ids: Collection[str]) -> None:
    """Raise WishNotPossible for what is no text."""
    if any("\x00" in each or each.encode("utf-8", "replace").decode() != each for each in ids):
        raise WishNotPossible("An id holds a character that is no text.")


def _is_of(named: Named, scope: Scope) -> ColumnElement[bool]:
    is_domain = named.text("domain") == scope.domain
    return is_domain & (named.text("philosopher") == scope.philosopher if named.found.has("philosopher") else true())


def _by_likelihood(kind: Kind, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(word, row) for word in kind.ids for row in rows]


def _subject(kind: Kind, subject_id: str, row: Mapping[str, Any]) -> Subject:
    own = row.get(kind.ids[0])
    unused = {*kind.ids, *(name for word in _OWNER for name in spellings(word))}
    values = {name: value for name, value in row.items() if name not in unused and value is not None}
    return Subject(subject_id, values, str(own) if own is not None else subject_id)
