"""What stands in the stand-in's database: made-up people of one organisation, and some of another that must never show.

The generators are `goldsmith.testing.aristotle` and, for what is asked and answered, `aristotle_task`, which a small
model can learn; here is only what of it is wanted, and what the fake engine answers.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from goldsmith.connect.aristotle.shapes import answer_of, as_json, prompt_of
from goldsmith.testing.aristotle import FIRST_AT, SYSTEM, SyntheticAristotle, SyntheticConquest
from goldsmith.testing.aristotle_task import screening
from goldsmith.testing.postgresql import run_sql

ADA = {"philosopher": "ada@acme.example", "domain": "acme.example"}
GRACE = {"philosopher": "grace@other.example", "domain": "other.example"}
DATABASE = "aristotle_dev"
IS_WHOLE = "filled_for_the_example"
NUM_STARS = 48
NUM_NOT_JUDGED = 8
NUM_CANDIDATES = 12
NUM_OF_OTHERS = 6
FIRST_OF_OTHERS = 500
FIRST_CANDIDATE = 1001
NO_HELP = "They have worked for some years. It depends on what you need."
EIDOS = {
    "Backend lead": "Is this person right for us as a backend lead?",
    "First designer": "Is this person right for us as our first designer?",
}


def fill(server_url: str, generation: str, *, num_stars: int = NUM_STARS) -> str:
    """Make the database and fill it, unless it is there whole; returns its URL."""
    synthetic = SyntheticAristotle(f"{server_url}/{DATABASE}", generation)
    if not _is_whole(synthetic, server_url):
        run_sql(server_url, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        run_sql(server_url, f"CREATE DATABASE {DATABASE}")
        _fill(synthetic, num_stars)
    return synthetic.url.set(drivername="postgresql").render_as_string(hide_password=False)


def answers() -> dict[str, dict[str, str]]:
    """What the fake engine says: the right answer once it was tuned, before that something that helps nobody."""
    tuned = {}
    for number in range(NUM_STARS + NUM_NOT_JUDGED):
        question, answer = prompt_of(_kept(number)[0]), answer_of(_kept(number)[1])
        if question is not None and answer is not None:
            tuned[question.text] = answer
    for number in range(FIRST_CANDIDATE, FIRST_CANDIDATE + NUM_CANDIDATES):
        tuned[f'"name": "Candidate {number}"'] = as_json(_structured(number)[1])
    return {
        "tuned": tuned,
        "base": dict.fromkeys(tuned, NO_HELP),
    }


def _is_whole(synthetic: SyntheticAristotle, server_url: str) -> bool:
    """Whether it was filled to the end before."""
    with SyntheticAristotle(f"{server_url}/postgres", synthetic.generation).engine.connect() as connection:
        query = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.scalar(query, {"name": DATABASE}) is None:
            return False
    with synthetic.engine.connect() as connection:
        return connection.scalar(text("SELECT to_regclass(:name)"), {"name": IS_WHOLE}) is not None


def _fill(synthetic: SyntheticAristotle, num_stars: int) -> None:
    synthetic.make_tables()
    synthetic.make_subjects()
    for number, conquest in enumerate(_conquests(num_stars)):
        synthetic.add(number if conquest.domain == ADA["domain"] else FIRST_OF_OTHERS + number, conquest)
    for owner, num_candidates in ((ADA, NUM_CANDIDATES), (GRACE, 1)):
        first = FIRST_CANDIDATE if owner is ADA else FIRST_OF_OTHERS
        for number in range(first, first + num_candidates):
            synthetic.add_candidate(number, **owner, **_columns(number))
        for number, (name, question) in enumerate(EIDOS.items(), start=first):
            synthetic.add_eidos(number, **owner, name=name, prompt=question, **_system(synthetic.generation))
    synthetic.analyze()
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {IS_WHOLE} ()")


def _conquests(num_stars: int) -> Iterator[SyntheticConquest]:
    """Ada's stars, then her newest, which she has not judged, then others' stars."""
    for number in range(num_stars + NUM_NOT_JUDGED):
        at, is_rated = FIRST_AT + timedelta(hours=number), number < num_stars
        yield SyntheticConquest(ADA["philosopher"], ADA["domain"], *_kept(number), rated_at=at, is_rated=is_rated)
    for number in range(NUM_OF_OTHERS):
        yield SyntheticConquest(GRACE["philosopher"], GRACE["domain"], *_kept(FIRST_OF_OTHERS + number))


def _kept(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A conquest's prompt and answer, with the system message with which it was run."""
    prompt, answer = screening(number)
    return {**prompt, "system": SYSTEM}, answer


def _structured(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same person as a profile with an evaluation: the third of the three shapes."""
    return screening(number - number % 3 + 2, seed=number)


def _columns(number: int) -> dict[str, Any]:
    """A candidate's row."""
    profile, _ = _structured(number)
    name = f"Candidate {number}"
    return {
        "name": name,
        "title": profile["current_role"],
        "company": profile["current_company"],
        "experience": profile["work_history"],
        "education": [{"degree": "MSc", "school": profile["education"]}],
    }


def _system(generation: str) -> dict[str, str]:
    return {'"systemPrompt"' if generation == "V2" else "system_prompt": SYSTEM}
