"""A move makes what its plan says, each thing once, whatever dies in between; one part's fault stops no other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.unit.connect.openai.conftest import ASKED, EVAL, JOB, ROWS, RUN, Write, answered, chat, completion

from goldsmith.connect.openai import moving, planning
from goldsmith.connect.openai.errors import NothingToBring
from goldsmith.connect.openai.types import Plan
from goldsmith.data import service as data
from goldsmith.data.jobs import ImportKind
from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.data.types import Upload
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.people.types import Person
from goldsmith.run.tables import Prompt, PromptVersion, Run
from goldsmith.stars.tables import Mark, TrainingSet, TrainingSetRow
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


def never() -> bool:
    return False


class Bench:
    """What a command and a supervisor do around a move."""

    def __init__(self, database: Database, home: Home, person: Person) -> None:
        self.database, self.home, self.person = database, home, person

    def plan(self, *paths: Path) -> Plan:
        return planning.plan([self._kept(path) for path in paths], lambda upload: data.path_of(self.home, upload))

    def _kept(self, path: Path) -> Upload:
        with path.open("rb") as stream:
            return data.save_upload(self.home, stream, path.name)

    def start(self, plan: Plan) -> str:
        with self.database.transaction() as session:
            return moving.start(session, plan, by=self.person).id

    def move(self, job_id: str, should_stop: Callable[[], bool] = never) -> list[dict[str, Any]]:
        made = moving.MoveInKind().work("bring", self._context(job_id, should_stop, lambda *_: self._import_all()))
        return list(made["parts"])

    def count(self, table: Any) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def _import_all(self) -> None:
        with self.database.reading() as session:
            waiting = [job.id for job in jobs.page(session, domain="local", kind="import", states=[JobState.QUEUED])]
        for job_id in waiting:
            self._go(job_id, JobState.STARTING, JobState.RUNNING)
            context = self._context(job_id, never, lambda *_: None)
            try:
                ImportKind(memory_limit_bytes=None).work("read", context)
            except Exception:  # noqa: BLE001 - as the worker does
                self._go(job_id, JobState.FAILED)
            else:
                self._go(job_id, JobState.SUCCEEDED)

    def _go(self, job_id: str, *states: JobState) -> None:
        with self.database.transaction() as session:
            for state in states:
                queue.move(session, jobs.one(session, job_id), state, "test")

    def _context(self, job_id: str, should_stop: Callable[[], bool], report: Callable[..., None]) -> WorkContext:
        with self.database.reading() as session:
            view = jobs.view(jobs.one(session, job_id))
        folder = JobFolder.of(self.home, job_id)
        return WorkContext(view, self.database, self.home, folder, should_stop, self.database.transaction, report)


@pytest.fixture
def bench(database: Database, home: Home, person: Person) -> Bench:
    return Bench(database, home, person)


@pytest.fixture
def whole(write: Write, bench: Bench) -> Plan:
    """Everything that an account can hold."""
    learn = [chat(f"message {number}", "pin") for number in range(10)]
    exam = [chat(f"held back {number}", "pin") for number in range(6)]
    return bench.plan(
        write("cards.jsonl", learn),
        write("cards_valid.jsonl", exam),
        write("jobs.jsonl", [JOB]),
        write("eval.json", [EVAL]),
        write("runs.jsonl", [RUN]),
        write("rows.jsonl", ROWS),
        write("in.jsonl", ASKED),
        write("out.jsonl", [answered("r1", "a"), answered("r2", "b")]),
        write("c.jsonl", [completion("c1", "a", messages=[{"role": "user", "content": "q"}])]),
    )


def test_datasets_prompts_stars_and_training_sets_are_rebuilt(bench: Bench, whole: Plan) -> None:
    lesson, exam, batch, completions = bench.move(bench.start(whole))
    assert (lesson["num_learn"], lesson["num_exam"]) == (10, 6)
    assert (exam["num_learn"], exam["num_exam"], exam["num_rows"]) == (0, 8, 8)
    assert (batch["num_rows"], completions["num_rows"]) == (2, 1)
    assert not {"run_id"} & {*batch, *completions}
    with bench.database.reading() as session:
        sides = session.execute(
            select(TrainingSetRow.side).where(TrainingSetRow.training_set_id == exam["training_set_id"])
        )
        assert set(sides.scalars()) == {"exam"}
        asked = session.get_one(PromptVersion, exam["prompt_version_id"])
        assert (asked.template, asked.system_text) == ("{{text}}", "Name the topic.")
        assert session.get_one(Run, exam["run_id"]).prompt_version_id == asked.id
        assert set(session.scalars(select(Prompt.name))) >= {"Tickets", "Tickets: polite"}
        first = session.scalar(select(Row).where(Row.dataset_version_id == exam["version_id"]).limit(1))
        assert first is not None
        assert first.content == {"text": "My monitor 0", "label": "lost_card"}
        assert session.get_one(DatasetVersion, batch["version_id"]).answer_column is None
    assert bench.count(Mark) == 10 + 6 + 8


def test_moved_twice_nothing_is_made_twice(bench: Bench, whole: Plan) -> None:
    first = bench.move(bench.start(whole))
    counted = [bench.count(table) for table in (Dataset, Row, Run, Mark, PromptVersion, TrainingSet)]
    assert bench.move(bench.start(whole)) == first
    assert [bench.count(table) for table in (Dataset, Row, Run, Mark, PromptVersion, TrainingSet)] == counted


def test_stopped_anywhere_it_goes_on_where_it_was(bench: Bench, whole: Plan) -> None:
    job_id = bench.start(whole)
    num_parts = []
    for num_looks in range(1, 14, 3):
        looks = iter([False] * num_looks)
        num_parts.append(len(bench.move(job_id, lambda looks=looks: next(looks, True))))  # type: ignore[misc]
    made = bench.move(job_id)
    assert num_parts[0] < len(made) == 4
    assert (made[0]["num_learn"], made[1]["num_exam"]) == (10, 8)
    assert bench.count(Mark) == 10 + 6 + 8
    assert bench.count(Dataset) == 5


def test_answers_of_batches_are_starred_where_somebody_wants_it(bench: Bench, whole: Plan) -> None:
    made = bench.move(bench.start(whole.starring_all()))
    assert all("run_id" in part for part in made)
    assert bench.count(Mark) == 10 + 6 + 8 + 2 + 1


def test_a_part_that_cannot_be_made_stops_no_other(bench: Bench, write: Write) -> None:
    good, bad = write("cards.jsonl", [chat("q", "a")]), write("eval.json", [EVAL])
    made = bench.move(bench.start(bench.plan(good, bad)))
    assert made[0]["training_set_id"]
    assert "No row of it" in made[1]["error"]


def test_where_no_part_can_be_made_the_job_fails_and_says_why(bench: Bench, write: Write) -> None:
    with pytest.raises(JobFailed, match="Tickets: No row of it"):
        bench.move(bench.start(bench.plan(write("eval.json", [EVAL]))))


def test_files_of_which_nothing_can_be_made_start_nothing(bench: Bench, write: Write) -> None:
    with pytest.raises(NothingToBring, match="of these files"):
        bench.start(bench.plan(write("rows.jsonl", [{"question": "q"}])))


def test_bad_lines_are_listed_and_the_others_kept(bench: Bench, write: Write) -> None:
    path = write("cards.jsonl", [chat("q", "a"), {"messages": []}, chat("r", "b")])
    made = bench.move(bench.start(bench.plan(path)))
    assert (made[0]["num_rows"], made[0]["num_bad_rows"], made[0]["num_learn"]) == (2, 1, 2)


def test_pairs_are_brought_with_both_answers(bench: Bench, write: Write) -> None:
    pair = {
        "input": {"messages": [{"role": "user", "content": "q"}]},
        "preferred_output": [{"role": "assistant", "content": "good"}],
        "non_preferred_output": [{"role": "assistant", "content": "bad"}],
    }
    made = bench.move(bench.start(bench.plan(write("pairs.jsonl", [pair]))))
    with bench.database.reading() as session:
        row = session.scalar(select(TrainingSetRow).where(TrainingSetRow.training_set_id == made[0]["training_set_id"]))
        assert row is not None
        assert (row.expected, row.rejected) == ("good", "bad")
