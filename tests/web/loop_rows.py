"""Walks the loop for tests of pages, as rows alone: what services, workers and keepers would have written."""

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.web.conftest import Site, make_site

from goldsmith import app
from goldsmith.compare import queries as compare
from goldsmith.compare import service as compare_service
from goldsmith.compare.outcome import record_outcome
from goldsmith.compare.service import ComparisonRequest
from goldsmith.data import queries as data
from goldsmith.demo import story
from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.models.tables import FineTunedModel
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer
from goldsmith.serve import elsewhere, outside
from goldsmith.serve import queries as serve
from goldsmith.serve import service as serve_service
from goldsmith.serve.tables import Receipt
from goldsmith.settings import Settings
from goldsmith.stars import export
from goldsmith.stars import queries as stars
from goldsmith.stars import service as stars_service
from goldsmith.stars.types import BulkRequest, BulkRule, ExportRequest
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.testing import write_small_model
from goldsmith.train import service as train_service
from goldsmith.train.backends.base import Backend
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.train.workshop import Workshop
from goldsmith.web.factory import Routers

MACHINE = MachineFacts("here", 2, 24_000_000_000, (), "x86_64")
GREEN = "Proved on 4 learn rows and 4 exam rows: the engine finds the same probabilities as the training did."
RED = "The adapter changes nothing: all of its B matrices are zero, as before a training."
RECEIPT_LINES = [
    {"name": "files", "value": "as they were written", "expected": "every file has the hash", "is_ok": True},
    {"name": "token ids", "value": "8 of 8 equal", "expected": "8 of 8", "is_ok": True},
    {"name": "engine and trainer agree", "value": "0.002", "expected": "at most 0.05", "is_ok": True},
]


@dataclass
class Walk:
    """Where a walk is; every method takes the next step."""

    session: Session
    home: Home
    by: Person
    backends: Mapping[str, Backend]
    num_rows: int = 60
    run_id: str = ""
    version_id: str = ""
    set_id: str = ""
    training_id: str = ""
    model_id: str = ""
    base_id: str = ""
    comparison_id: str = ""

    def bring_rows(self) -> None:
        """Messages with the right answer beside them."""
        with story.rows_path().open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))[: self.num_rows]
        version = make_dataset_version(self.session, rows, by=self.by, name="support-messages")
        self.version_id = version.id

    def ask(self, *, num_right: int = 18, is_over: bool = True) -> None:
        """A run of the base model that gets some rows right."""
        base = make_base_model(self.session, by=self.by, name="smollm2-135m-instruct")
        base.size_bytes, base.num_parameters, base.context_length = 269_000_000, 134_515_008, 8192
        self.base_id = base.id
        folder = self.home.root / base.folder
        if not folder.exists():
            write_small_model(folder)
        prompt = make_prompt_version(self.session, story.PROMPT_TEMPLATE, by=self.by, system_text=story.SYSTEM_TEXT)
        prompt.answer_schema = dict(story.ANSWER_SCHEMA)
        run = make_run(self.session, data.version(self.session, self.version_id), prompt, by=self.by, model=base)
        run.name, self.run_id = "First read", run.id
        rows = data.rows(self.session, self.version_id)
        for row in rows if is_over else rows[:10]:
            make_answer(self.session, run, row, _answer(row.content["expected"], is_right=row.position <= num_right))

    def star(self) -> None:
        """Stars as written, then corrections from the column."""
        for rule in (BulkRule.star_equal, BulkRule.correct_others):
            stars_service.bulk_apply(self.session, BulkRequest(self.run_id, rule, "expected"), by=self.by)

    def export(self) -> None:
        """A training set of all stars."""
        self.set_id = export.export(self.session, self.home, ExportRequest(exam_share=0.25), by=self.by).id

    def start_training(
        self, name: str = "support-triage-1", *, backend: str = "trl", base_model: str | None = None
    ) -> None:
        """Queued."""
        request = TrainRequest(base_model or self.base_id, backend, self.set_id, name)
        workshop = Workshop(self.home, self.backends, MACHINE)
        self.training_id = train_service.start(self.session, request, workshop=workshop, by=self.by).id

    def run_training(self, *, steps: int = 28, total: int = 45) -> None:
        """At work, with a curve."""
        job = jobs.one(self.session, self.training_id)
        queue.claim(self.session, machine="here", slot="cpu" if job.needs_slot else None)
        queue.move(self.session, job, JobState.RUNNING, "its program was started")
        training = self.session.get_one(TrainingJob, self.training_id)
        for step in range(1, steps + 1):
            exam = {0: 1.6 * 0.86**step + 0.1 + (0.08 if step == 25 else 0)}.get(step % 5)
            point = {"loss": 1.6 * 0.85**step + 0.05, "exam_loss": exam, "learning_rate": 5e-4}
            self.session.add(
                TrainingMetric(job_id=job.id, attempt=1, step=step, epoch=step / 15, at=clock.now(), **point)
            )
        training.current_step, training.total_steps, training.current_epoch = steps, total, steps / 15
        training.total_epochs, training.training_loss, training.seconds_left = 3, 0.11, 118.0
        training.tokens_per_second, training.memory_mb = 160.2, 2900.0
        queue.report(self.session, job, progress=steps / total, message=f"step {steps} of {total}")

    def fail_training(self) -> None:
        """Out of memory."""
        failure = JobFailure("out_of_memory", "This machine ran out of memory.", "Train with 4 rows at once.", "killed")
        queue.fail(self.session, jobs.one(self.session, self.training_id), failure)

    def finish_training(self) -> None:
        """Succeeded, with its model registered."""
        training = self.session.get_one(TrainingJob, self.training_id)
        self.model_id = new_id(Prefix.FINE_TUNED_MODEL)
        queue.finish(self.session, jobs.one(self.session, self.training_id), {"model_id": self.model_id})
        training.output_model_id = self.model_id
        by_training = {"by": training.id, "at": clock.now().isoformat()}
        training_set = stars.training_set(self.session, self.set_id, domain=self.by.domain)
        self.session.add(
            FineTunedModel(
                id=self.model_id,
                name=training.name,
                base_model=training.base_model,
                base_model_id=training.base_model_id,
                philosopher=self.by.name,
                domain=self.by.domain,
                training_job_id=training.id,
                training_set_id=training_set.id,
                training_sample_count=training_set.num_learn,
                training_config={"lora_rank": 8},
                model_path=f"models/tuned/{self.model_id}",
                content_hash="0" * 64,
                template_hash="0" * 64,
                lora_rank=8,
                model_size_mb=19.5,
                training_tokens_per_second=160.2,
                final_loss=0.05,
                exam_loss=0.17,
                measured_at=dict.fromkeys(("model_size_mb", "training_tokens_per_second", "final_loss"), by_training),
                created_by=self.by.id,
                created_at=clock.now(),
                updated_at=clock.now(),
            )
        )
        self.session.flush()

    def train_at_provider(self, name: str = "support-there") -> None:
        """A provider trains another model, which lives there."""
        there = "https://api.example.com"
        engine = outside.add_provider(self.session, there, model="small-1", by=self.by, name="far")
        self.start_training(name, backend="openai", base_model=engine.id)
        self.run_training(steps=12, total=12)
        self.finish_training()
        model = self.session.get_one(FineTunedModel, self.model_id)
        model.lora_rank = model.model_size_mb = model.training_tokens_per_second = None
        elsewhere.put(self.session, model, "ft:small-1:mail", by=self.by)

    def deploy(self, *, proof: str = "proved") -> None:
        """Loaded, and proved or refused."""
        deployment = serve_service.deploy(self.session, self.model_id, by=self.by)
        engine = serve.one(self.session, deployment.engine_id)
        engine.state, engine.generation, engine.ready_at = "ready", 1, clock.now()
        for each in serve.deployments(self.session, engine.id):
            each.state, each.generation, each.load_s, each.loaded_at = "loaded", 1, 0.09, clock.now()
            each.message = ""
        deployment.proof = proof
        receipt = Receipt(
            id=new_id(Prefix.RECEIPT),
            model_id=self.model_id,
            engine_id=engine.id,
            is_green=proof == "proved",
            reason=GREEN if proof == "proved" else RED,
            lines=RECEIPT_LINES if proof == "proved" else [{**RECEIPT_LINES[0], "is_ok": False}],
            num_learn_rows=4,
            num_exam_rows=4,
            duration_s=41.0,
            measured_at=clock.now(),
        )
        self.session.add(receipt)
        deployment.receipt_id = receipt.id
        self.session.flush()

    def start_comparison(self) -> None:
        """Queued."""
        self.comparison_id = compare_service.start(self.session, ComparisonRequest([self.model_id]), by=self.by).id

    def answer_arms(self, *, num_right: Mapping[str, int], num_rows: int | None = None) -> None:
        """Answers of every arm: the first rows right for the base, all but the first for the tuned model."""
        comparison = compare.one(self.session, self.comparison_id, domain=self.by.domain)
        rows = compare.exam_rows(self.session, comparison.training_set_id or "")[:num_rows]
        for arm in compare.arms(self.session, self.comparison_id):
            right = num_right[arm.name]
            for place, row in enumerate(rows):
                is_right = len(rows) - right <= place if arm.name == "tuned" else place < right
                self._add_answer(arm.run_id, row.row_id, row.position, _answer(row.expected, is_right=is_right))
        job = jobs.one(self.session, comparison.job_id or "")
        queue.claim(self.session, machine="here", slot="cpu" if job.needs_slot else None)
        queue.move(self.session, job, JobState.RUNNING, "its program was started")
        queue.report(self.session, job, progress=0.5, message="examples: 27 of 120 answers")

    def finish_comparison(self) -> None:
        """The verdict is written."""
        comparison = compare.one(self.session, self.comparison_id, domain=self.by.domain)
        job = jobs.one(self.session, comparison.job_id or "")
        record_outcome(self.session, self.comparison_id, by=job.id)
        queue.finish(self.session, job, {})
        comparison.status, comparison.completed_at = "succeeded", clock.now()
        self.session.flush()

    def to_model(self) -> None:
        """From nothing to a trained model."""
        self.bring_rows()
        self.ask()
        self.star()
        self.export()
        self.start_training()
        self.run_training(steps=45)
        self.finish_training()

    def _add_answer(self, run_id: str, row_id: str, position: int, text: str) -> None:
        facts: dict[str, Any] = {"finish_reason": "stop", "answer_tokens": 14, "duration_ms": 1160.0, "at": clock.now()}
        self.session.add(
            Answer(
                id=new_id(Prefix.ANSWER),
                run_id=run_id,
                row_id=row_id,
                position=position,
                state="answered",
                text=text,
                parsed=json.loads(text),
                **facts,
            )
        )
        self.session.flush()


def _answer(expected: str, *, is_right: bool) -> str:
    """The right answer, or one whose topic is wrong."""
    value = json.loads(expected)
    if not is_right:
        value["topic"] = "technical" if value["topic"] != "technical" else "billing"
    return json.dumps(value)


def make_loop_site(folder: Path, *page_routers: APIRouter, database_url: str | None = None) -> Site:
    """A site with these pages, over a database whose jobs keep their mirrors, on a machine without GPU."""
    kinds = app.make_kinds(Settings(home=folder), Home(folder), MACHINE)
    offers = {
        "backends": app.make_backends(),
        "machine": MACHINE,
        "import_roots": (folder,),
        "after_switch": lambda: None,
    }
    mirrors = {name: kind.mirror for name, kind in kinds.items()}
    info = {"mirrors": mirrors}
    return make_site(folder, Routers(page_routers), database_url=database_url, offers=offers, session_info=info)


@contextmanager
def walking(site: Site, **places: Any) -> Iterator[Walk]:
    """A walk in one transaction. `places` are ids that an earlier walk came to."""
    with site.database.transaction() as session:
        yield Walk(session, site.home, site.person, app.make_backends(), **places)
