"""A training at a provider: what would leave this machine and where to, the files that are sent, whom it asks.

Rows are sent as whole conversations, because nobody here knows the provider's tokens. The files in the job folder are
the very bytes that the child sends. Where they go is read from the provider that is kept for answers; its key stays in
its own file, and the child is told only where that lies.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.errors import Invalid
from goldsmith.jobs import program
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobView, Launch
from goldsmith.models.rendered_file import RowProblem
from goldsmith.models.tables import BaseModel
from goldsmith.serve import elsewhere
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import key_path
from goldsmith.stars.formats import openai
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.stars.types import BAD, Side
from goldsmith.storage.database import Database
from goldsmith.storage.files import sha256_of, whole_file
from goldsmith.train.backends.base import Plan
from goldsmith.train.preparation import SIDES, Preparation, lessons_of, write_order
from goldsmith.train.tables import PROVIDER, TrainingJob
from goldsmith.wire.order import DataFile

KEY_FILE: Final = "GOLDSMITH_PROVIDER_KEY_FILE"
CHARACTERS_A_TOKEN: Final = 4
"""Of English, roughly; a provider counts its own tokens, and nobody here can count them."""


@dataclass(frozen=True)
class Leaving:
    """What leaves this machine when the training starts, and where to."""

    provider: str
    model: str
    url: str
    num_learn: int
    num_exam: int
    num_characters: int

    @property
    def about_tokens(self) -> int:
        """How many tokens that is, roughly: two digits are all that such a guess is worth."""
        guess = round(self.num_characters / CHARACTERS_A_TOKEN)
        return round(guess, 2 - len(str(guess)))

    @property
    def sentence(self) -> str:
        """All of it, for a person."""
        rows = f"{_counted(self.num_learn, 'row')} to learn and {_counted(self.num_exam, 'exam row')}"
        size = f"{self.num_characters:,} characters, about {self.about_tokens:,} tokens"
        return f"{rows} ({size}) leave this machine and go to {self.url}, where {self.model} learns from them."


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word if number == 1 else f'{word}s'}"


def leaving(session: Session, training_set: TrainingSet, engine: Engine) -> Leaving:
    """What would leave, with both sides of the set, because the provider scores the exam."""
    query = select(TrainingSetRow.side, TrainingSetRow.messages)
    query = query.where(TrainingSetRow.training_set_id == training_set.id, TrainingSetRow.side != BAD)
    num_rows, num_characters = {side.value: 0 for side in Side}, 0
    for side, messages in session.execute(query.execution_options(yield_per=500)):
        num_rows[side] += 1
        num_characters += sum(len(str(message["content"])) for message in messages)
    return Leaving(
        provider=engine.name,
        model=engine.provider_model or "",
        url=engine.url or "",
        num_learn=num_rows[Side.learn.value],
        num_exam=num_rows[Side.exam.value],
        num_characters=num_characters,
    )


def addressed(plan: Plan, engine: Engine) -> Plan:
    """The plan with where it goes, and which model learns there."""
    return replace(plan, settings={**plan.settings, "url": engine.url, "model": engine.provider_model})


def provider_now(session: Session, job_id: str) -> Engine:
    """The provider that trains; one that was removed and added again, maybe with another key, takes its own place.

    Raises ProviderGone.
    """
    training, job = session.get_one(TrainingJob, job_id), session.get_one(Job, job_id)
    known = session.get(Engine, job.params[PROVIDER])
    if known is not None and known.is_wanted:
        return known
    engine = elsewhere.of_base(session, session.get_one(BaseModel, training.base_model_id))
    job.params = {**job.params, PROVIDER: engine.id}
    session.flush()
    return engine


def with_key(launch: Launch, folder: JobFolder, job: JobView) -> Launch:
    """Tells the child where the key lies; the key itself stands in no order, no argument and no environment."""
    if PROVIDER not in job.params:
        return launch
    return replace(launch, env={**launch.env, KEY_FILE: str(folder.home_root / key_path(job.params[PROVIDER]))})


def prepare(database: Database, preparation: Preparation, folder: JobFolder) -> list[RowProblem]:
    """Fill the job folder; returns the rows that are left out, each with its reason. Raises JobFailed."""
    program.copy_program(folder)
    if folder.order.exists():
        return []
    folder.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    problems: list[RowProblem] = []
    files = {side: _write(database, preparation, folder.data / f"{side}.jsonl", side, problems) for side in SIDES}
    if not files["learn"].num_rows:
        raise JobFailed(
            f"Not one row can be sent. The first: {problems[0].reason if problems else 'the set is empty'}",
            hint="Mend or leave out the rows that are named, and export the training set again.",
            kind="nothing_to_learn",
        )
    write_order(preparation, folder, files)
    return problems


def _write(database: Database, preparation: Preparation, path: Path, side: str, problems: list[RowProblem]) -> DataFile:
    num_rows = 0
    with database.reading() as session, whole_file(path) as file:
        for lesson in lessons_of(session, preparation.training_set_id, side):
            try:
                line = openai.render(lesson.messages)  # type: ignore[arg-type]
            except Invalid as error:
                problems.append(RowProblem(lesson.row_id, error.slug(), error.message))
                continue
            file.write(f"{line}\n".encode())
            num_rows += 1
    return DataFile(f"data/{side}.jsonl", sha256_of(path), num_rows, num_tokens=0, num_learned_tokens=0)
