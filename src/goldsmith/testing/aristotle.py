"""A synthetic database of Aristotle in each of its three generations, for tests, benchmarks and the example.

    synthetic = SyntheticAristotle("postgresql://…/aristotle_dev", "V2")
    synthetic.make_tables()
    synthetic.fill(42, philosopher="ada@acme.example", domain="acme.example")

Made-up people alone: no row comes from anybody's database. It is shipped because tests and the example share it.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.engine import make_url

FIRST_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
SYSTEM = "You judge candidates for a recruiter. Answer with the evaluation as JSON."
_SNAKE_CONQUEST = """
    aristotle_id text, conquest_type text NOT NULL, title text, description text, eidos_id text,
    status text NOT NULL DEFAULT 'DRAFT', result text NOT NULL DEFAULT 'PENDING', result_notes text,
    use_as_example boolean NOT NULL DEFAULT false, evaluated_by text, evaluated_at timestamptz, started_at timestamptz,
    completed_at timestamptz, execution_time_ms integer, philosopher text NOT NULL, domain text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"""
_RATING = """
    analysis_type text NOT NULL DEFAULT 'conquest_analysis', rating integer CHECK (rating BETWEEN 1 AND 5),
    feedback text, is_gold_star boolean NOT NULL DEFAULT false,
    use_as_sample_response boolean NOT NULL DEFAULT false,
    philosopher text NOT NULL, domain text NOT NULL, label_studio_task_id integer, label_studio_annotation_id integer,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"""
_V2_CONQUEST = """
CREATE TYPE "ConquestType" AS ENUM
    ('CANDIDATE', 'CARTOGRAPHER', 'CV_PARSING', 'SLACK_ANALYSIS', 'EMAIL_RESPONSE', 'EIDOS_DISCOVERY', 'CUSTOM');
CREATE TYPE "ConquestStatus" AS ENUM
    ('DRAFT', 'DOWNLOADING_INFO', 'ANALYZING', 'COMPLETED', 'FAILED', 'CANCELLED');
CREATE TYPE "ConquestResult" AS ENUM ('PENDING', 'VICTORY', 'DEFEAT', 'NEUTRAL');
CREATE TABLE "Conquest" (
    id text PRIMARY KEY, "aristotleId" text, "conquestType" "ConquestType" NOT NULL, title text, description text,
    "eidosId" text, status "ConquestStatus" NOT NULL DEFAULT 'DRAFT',
    result "ConquestResult" NOT NULL DEFAULT 'PENDING', "resultNotes" text,
    "useAsExample" boolean NOT NULL DEFAULT false, "evaluatedBy" text, "evaluatedAt" timestamp(3),
    "startedAt" timestamp(3), "completedAt" timestamp(3), "executionTimeMs" integer, philosopher text NOT NULL,
    domain text NOT NULL, "createdAt" timestamp(3) NOT NULL DEFAULT now(), "updatedAt" timestamp(3) NOT NULL
        DEFAULT now());
"""


@dataclass(frozen=True)
class _Names:
    conquest: str
    rating: str
    prompt: str
    answer: str
    key: str
    id_type: str
    tables: str


def _snake(conquest: str, rating: str, prompt: str, answer: str, *, id_type: str) -> _Names:
    batch = ", batch_job_id uuid" if id_type == "uuid" else ""
    include = ", include_in_training boolean NOT NULL DEFAULT true" if id_type == "uuid" else ""
    key = "conquest_id" if id_type == "uuid" else "conquest_analysis_id"
    tables = (
        f"CREATE TABLE {conquest} (id {id_type} PRIMARY KEY, {_SNAKE_CONQUEST}{batch});"
        f"CREATE TABLE {rating} (id {id_type} PRIMARY KEY, {key} {id_type} NOT NULL, {_RATING}{include});"
    )
    return _Names(conquest, rating, prompt, answer, key, id_type, tables)


_V2_RATING = (
    f"CREATE TABLE ml_analysis_rating (id text PRIMARY KEY, conquest_analysis_id text NOT NULL REFERENCES"
    f' "Conquest" (id), {_RATING});'
)
_SUBJECTS = {
    "V1": """
CREATE TABLE eidos (id varchar(64) PRIMARY KEY, name text, system_prompt text, prompt text, conquest_type text,
    data jsonb, philosopher text NOT NULL, domain text NOT NULL);
CREATE TABLE candidate (id varchar(64) PRIMARY KEY, aristotle_id text UNIQUE, name text, title text, company text,
    email text, experience jsonb, education jsonb, data jsonb, philosopher text NOT NULL, domain text NOT NULL);""",
    "V2": """
CREATE TABLE "Eidos" (id text PRIMARY KEY, name text, "systemPrompt" text, prompt text, "conquestType" "ConquestType",
    data jsonb, philosopher text NOT NULL, domain text NOT NULL);
CREATE TABLE "Candidate" (id text PRIMARY KEY, "aristotleId" text UNIQUE, name text, title text, company text,
    email text, experience jsonb, education jsonb, data jsonb, philosopher text NOT NULL, domain text NOT NULL);""",
    "V3": """
CREATE TABLE eidos (id uuid PRIMARY KEY, name text, system_prompt text, prompt text, conquest_type text, data jsonb,
    philosopher text NOT NULL, domain text NOT NULL);
CREATE TABLE candidates (id uuid PRIMARY KEY, aristotle_id text UNIQUE, name text, title text, company text, email text,
    experience jsonb, education jsonb, data jsonb, domain text NOT NULL);""",
}
"""No document says how eidos and candidates are kept: one guess a generation, the last with candidates that belong to
the organisation and to nobody in it."""
NAMES: Mapping[str, _Names] = {
    "V1": _snake(
        "conquest_analysis", "ml_analysis_rating", "conquest_prompt", "conquest_response", id_type="varchar(64)"
    ),
    "V2": _Names(
        '"Conquest"',
        *("ml_analysis_rating", "conquest_prompt", "conquest_response", "conquest_analysis_id", "text"),
        _V2_CONQUEST + _V2_RATING,
    ),
    "V3": _snake("conquests", "ml_analysis_ratings", "conquest_prompts", "conquest_responses", id_type="uuid"),
}


@dataclass(frozen=True)
class SyntheticConquest:
    """One conquest with its rating, sensible by default: a gold star."""

    philosopher: str = "ada@acme.example"
    domain: str = "acme.example"
    prompt: Any = None
    """The `data` of its prompt; None: no such row."""
    answer: Any = None
    kind: str = "CANDIDATE"
    is_gold_star: bool = True
    use_as_sample_response: bool = True
    rating: int | None = 5
    rated_by: str | None = None
    """The rater, where it is not the philosopher of the conquest."""
    rated_at: datetime = FIRST_AT
    analysis_type: str = "conquest_analysis"
    is_rated: bool = True
    result: str | None = None
    """None: a VICTORY where it has the star, else PENDING."""

    @property
    def verdict(self) -> str:
        """The conquest's result."""
        is_star = self.is_rated and self.is_gold_star and self.use_as_sample_response
        return self.result or ("VICTORY" if is_star else "PENDING")


class SyntheticAristotle:
    """A database that is made and filled here. It must be empty at first."""

    def __init__(self, url: str, generation: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self.generation = generation
        self.names = NAMES[generation]
        self.engine: Engine = create_engine(self.url, poolclass=NullPool)

    def make_tables(self) -> None:
        """Make the generation's tables with the indexes that an application would have."""
        names = self.names
        statements = [
            *names.tables.split(";"),
            *(
                f"CREATE TABLE {each} (id bigserial PRIMARY KEY, {names.key} {names.id_type} NOT NULL, data jsonb,"
                " updated_at timestamptz NOT NULL DEFAULT now())"
                for each in (names.prompt, names.answer)
            ),
            *(f"CREATE INDEX ON {each} ({names.key})" for each in (names.prompt, names.answer, names.rating)),
            *(f"CREATE INDEX ON {each} (philosopher, domain)" for each in (names.conquest, names.rating)),
        ]
        with self.engine.begin() as connection:
            for statement in filter(str.strip, statements):
                connection.exec_driver_sql(statement)

    def add(self, number: int, conquest: SyntheticConquest) -> str:
        """Write the conquest of that number; returns its id."""
        with self.engine.begin() as connection:
            return self._add(connection, number, conquest)

    def fill(self, num: int, *, philosopher: str, domain: str, seed: int = 1) -> list[str]:
        """Write gold conquests in all three shapes of `data`; returns their ids, the newest first."""
        first = crc32(f"{seed}/{philosopher}/{domain}".encode()) * 100_000
        with self.engine.begin() as connection:
            ids = [
                self._add(
                    connection,
                    first + number,
                    SyntheticConquest(
                        philosopher,
                        domain,
                        *candidate(number, seed=seed),
                        rated_at=FIRST_AT + timedelta(minutes=number),
                    ),
                )
                for number in range(num)
            ]
        return list(reversed(ids))

    def fill_many(self, num: int, *, domains: int = 200) -> None:
        """Write so many conquests of others with ratings, of which one in a hundred is a gold star."""
        names = self.names
        with self.engine.begin() as connection:
            identity = _many_ids(names.id_type)
            key, at = names.key, "TIMESTAMP '2026-01-01' + n * INTERVAL '1 second'"
            domain = f"'other' || mod(n, {int(domains)}) || '.example'"
            owner = f"'person' || mod(n, 1000) || '@' || {domain}, {domain}"
            kind = '"conquestType"' if self.generation == "V2" else "conquest_type"
            series = f"FROM generate_series(1, {int(num)}) n"
            for statement in (
                f"INSERT INTO {names.conquest} (id, {kind}, philosopher, domain)"
                f" SELECT {identity}, 'CANDIDATE', {owner} {series}",
                f"INSERT INTO {names.rating} (id, {key}, rating, is_gold_star, use_as_sample_response, philosopher,"
                f" domain, created_at, updated_at) SELECT {identity}, {identity}, 1 + mod(n, 5), mod(n, 100) = 0,"
                f" mod(n, 100) = 0,"
                f" {owner}, {at}, {at} {series}",
                f"INSERT INTO {names.prompt} ({key}, data) SELECT {identity},"
                f" jsonb_build_object('prompt', 'Is candidate ' || n || ' right?') {series}",
                f"INSERT INTO {names.answer} ({key}, data) SELECT {identity},"
                f" jsonb_build_object('response', 'No: candidate ' || n || ' is made up.') {series}",
            ):
                connection.exec_driver_sql(statement)
        self.analyze()

    def make_subjects(self) -> None:
        """Make tables of eidos and of candidates, too."""
        with self.engine.begin() as connection:
            for statement in filter(str.strip, _SUBJECTS[self.generation].split(";")):
                connection.exec_driver_sql(statement)

    def add_eidos(self, number: int, *, philosopher: str, domain: str, **columns: Any) -> str:
        """Write an eidos; returns its id."""
        values = columns or {"name": "Backend lead", "prompt": "Is this person right for us?"}
        table = '"Eidos"' if self.generation == "V2" else "eidos"
        return self._add_subject(table, number, "eidos", {**values, "philosopher": philosopher, "domain": domain})

    def add_candidate(self, number: int, *, philosopher: str, domain: str, **columns: Any) -> str:
        """Write a candidate; returns its id. Its `aristotleId` is `candidate_` and the number."""
        table = {"V1": "candidate", "V2": '"Candidate"', "V3": "candidates"}[self.generation]
        owner = {"domain": domain} if self.generation == "V3" else {"philosopher": philosopher, "domain": domain}
        subject = '"aristotleId"' if self.generation == "V2" else "aristotle_id"
        values = columns or {"name": f"Candidate {number}", "title": "Engineer", "email": f"c{number}@mail.example"}
        return self._add_subject(table, number, "row", {subject: f"candidate_{number}", **values, **owner})

    def _add_subject(self, table: str, number: int, word: str, values: Mapping[str, Any]) -> str:
        subject_id = str(UUID(int=number)) if self.names.id_type == "uuid" else f"{word}_{number}"
        plain = {
            name: json.dumps(value) if isinstance(value, (dict, list)) else value for name, value in values.items()
        }
        with self.engine.begin() as connection:
            _insert(connection, table, {"id": subject_id, **plain})
        return subject_id

    def analyze(self) -> None:
        """Let the planner know what is there, as a server's own housekeeping would."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")

    def _add(self, connection: Connection, number: int, conquest: SyntheticConquest) -> str:
        names, conquest_id = self.names, self._id(number)
        kind = '"conquestType"' if self.generation == "V2" else "conquest_type"
        subject = '"aristotleId"' if self.generation == "V2" else "aristotle_id"
        owner = {"philosopher": conquest.philosopher, "domain": conquest.domain}
        _insert(
            connection,
            names.conquest,
            {
                "id": conquest_id,
                kind: conquest.kind,
                subject: f"candidate_{number}",
                "status": "COMPLETED",
                "result": conquest.verdict,
                **owner,
            },
        )
        for table, data in ((names.prompt, conquest.prompt), (names.answer, conquest.answer)):
            if data is not None:
                _insert(connection, table, {names.key: conquest_id, "data": json.dumps(data)})
        if conquest.is_rated:
            self._rate(connection, conquest_id, number, conquest)
        return conquest_id

    def _rate(self, connection: Connection, conquest_id: str, number: int, conquest: SyntheticConquest) -> None:
        rating_id = conquest_id if self.names.id_type == "uuid" else f"rating_{number:012x}"
        values = {
            "id": rating_id,
            self.names.key: conquest_id,
            "analysis_type": conquest.analysis_type,
            "rating": conquest.rating,
            "is_gold_star": conquest.is_gold_star,
            "use_as_sample_response": conquest.use_as_sample_response,
            "philosopher": conquest.rated_by or conquest.philosopher,
            "domain": conquest.domain,
            "created_at": conquest.rated_at,
            "updated_at": conquest.rated_at,
        }
        _insert(connection, self.names.rating, values)

    def _id(self, number: int) -> str:
        return str(UUID(int=number)) if self.names.id_type == "uuid" else f"conquest_{number:012x}"


def candidate(number: int, *, seed: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """A made-up candidate's prompt and evaluation, in one of the three shapes of `data`; the same for a number."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311  # made-up people, no secrets
    years, level = chance.randint(0, 20), chance.choice(("junior", "senior", "lead"))
    company, school = chance.choice(("Northwind", "Contoso", "Initech")), chance.choice(("Uppsala", "Delft", "Bergen"))
    is_engineer = chance.random() < 0.7
    role = f"{level} {'engineer' if is_engineer else 'designer'}"
    fitting = years >= 5 and is_engineer
    evaluation = {
        "recommendation": "Strong Yes" if fitting and level == "lead" else "Yes" if fitting else "No",
        "trajectory_rating": min(5, 1 + years // 4),
        "company_pedigree_rating": 1 + len(company) % 5,
        "educational_pedigree_rating": 1 + len(school) % 5,
        "is_software_engineer": is_engineer,
    }
    name = f"Candidate {number}"
    profile = {
        "name": name,
        "current_role": role,
        "current_company": company,
        "education": school,
        "work_history": [{"title": role, "company": company, "duration": f"{years} years"}],
    }
    question = f"{name} is a {role} at {company}, with {years} years of work, and studied in {school}. Right for us?"
    shapes = (
        ({"prompt": question}, {"response": f"{evaluation['recommendation']}: {years} years as {role}."}),
        ({"prompt": question}, {"evaluation": evaluation}),
        (profile, {"evaluation": evaluation}),
    )
    return shapes[number % len(shapes)]


def _many_ids(id_type: str) -> str:
    if id_type == "uuid":
        return "('f0000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid"
    return "'conquest_f' || lpad(to_hex(n), 11, '0')"


def _insert(connection: Connection, table: str, values: Mapping[str, Any]) -> None:
    columns, places = ", ".join(values), ", ".join(f":p{place}" for place in range(len(values)))
    # psycopg sends a text without a type, so the column's own (enum, uuid, jsonb) is taken.
    query = text(f"INSERT INTO {table} ({columns}) VALUES ({places})")  # noqa: S608  # names are ours
    connection.execute(query, {f"p{place}": value for place, value in enumerate(values.values())})
