"""The story that `make demo` tells: the whole loop on the sample data, over the same services that pages and API use.

Every step says what it does, how long it took, and what came of it. Nothing here is made up: the corrections come from
the column `expected` of the sample file, and that is said.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from goldsmith import app
from goldsmith.cli import installing
from goldsmith.cli.console import Cli, err, out
from goldsmith.cli.env import names_needed
from goldsmith.cli.watching import follow, until_live
from goldsmith.compare import service as compare
from goldsmith.compare.service import ComparisonRequest
from goldsmith.data import queries as data
from goldsmith.data import service as data_service
from goldsmith.data.types import ImportRequest
from goldsmith.demo import plan, story
from goldsmith.environments import folders, installer, locks
from goldsmith.environments.types import EnvironmentName
from goldsmith.models import queries as model_queries
from goldsmith.models import service as models
from goldsmith.models.types import SMOLLM2
from goldsmith.people.types import Person
from goldsmith.run import prompts
from goldsmith.run import queries as runs
from goldsmith.run import service as run_service
from goldsmith.run.types import PromptDraft, RunOptions, RunRequest
from goldsmith.serve import queries as serve
from goldsmith.serve import service as serve_service
from goldsmith.stars import export
from goldsmith.stars import service as stars
from goldsmith.stars.types import BulkRequest, BulkRule, ExportRequest
from goldsmith.train import service as train
from goldsmith.train.recipe import TrainRequest

EXAM_SHARE = 0.25
NUM_EPOCHS = 2
# Measured: with 120 rows and eight a step there are too few steps to learn from.
SETTINGS = {"num_epochs": NUM_EPOCHS, "batch_size": 4, "learning_rate": 1e-3}
MAX_TOKENS = 40


@dataclass
class Loop:
    """One walk around the loop."""

    cli: Cli
    num_rows: int
    backend: str = "trl"
    times: list[tuple[str, float]] = field(default_factory=list)

    def prepare(self) -> None:
        """Say what comes, then get the environments: downloads, which are not counted in the time of the loop."""
        missing = [name for name in names_needed(self.cli.parts.machine) if not self._is_installed(name)]
        for line in plan.announcement(self.num_rows, to_get=[*missing, *self._models_to_get()]):
            out.print(line, markup=False)
        for name in missing:
            hint = locks.install_time_hint(name)
            out.print(f"Installing the environment {name}: {hint.sentence}", markup=False)
            with self._timed(f"environment {name} (once)"), installing.shown(err) as report:
                installer.install(
                    name,
                    home=self.cli.parts.home.root,
                    torch_index_url=self.cli.parts.settings.torch_index_url,
                    report=report,
                )

    def _is_installed(self, name: EnvironmentName) -> bool:
        return folders.find(name, home=self.cli.parts.home.root).is_installed

    def _models_to_get(self) -> list[str]:
        home = self.cli.parts.home
        with self.cli.reading() as session:
            known = model_queries.base_called(session, SMOLLM2.name, domain=self.cli.domain)
            return [] if known is not None and model_queries.folder_of(home, known).exists() else ["base model"]

    def walk(self) -> str:
        """Data, run, stars, train, serve, compare. Returns the id of the comparison."""
        base = self._base_model()
        version_id = self._data()
        run_id = self._run(version_id, base)
        training_set_id = self._stars(run_id)
        model_id = self._train(training_set_id, base)
        self._serve(model_id)
        return self._compare(model_id)

    def _base_model(self) -> str:
        with self._timed("base model (once)"), self._writing() as (session, person):
            job = models.start_builtin(session, SMOLLM2.name, by=person, home=self.cli.parts.home)
        if job is not None:
            with self._timed("base model (once)"):
                follow(self.cli, job.id)
        self._say("Base model", f"{SMOLLM2.name}, 135 million parameters, runs on this machine")
        return SMOLLM2.name

    def _data(self) -> str:
        with self._timed("data"):
            with story.rows_path().open("rb") as stream:
                upload = data_service.save_upload(self.cli.parts.home, stream, story.rows_path().name)
            with self._writing() as (session, person):
                request = ImportRequest(upload, story.DATASET_NAME)
                version, job = data_service.start_import(session, request, by=person)
            follow(self.cli, job.id)
        with self.cli.reading() as session:
            found = data.version(session, version.id)
        self._say("Data", f"{found.num_rows} support messages; {self.num_rows} of them are used")
        return version.id

    def _run(self, version_id: str, base: str) -> str:
        with self._timed("run"):
            with self._writing() as (session, person):
                draft = PromptDraft(story.PROMPT_TEMPLATE, story.SYSTEM_TEXT, story.ANSWER_SCHEMA)
                wording = prompts.save_prompt(session, "Support triage", draft, by=person)
                options = RunOptions(max_rows=self.num_rows, max_tokens=MAX_TOKENS)
                run = run_service.start(session, RunRequest(version_id, wording.id, base, options=options), by=person)
            follow(self.cli, run.job_id or "")
        with self.cli.reading() as session:
            progress = runs.progress(session, run.id)
        self._say("Run", f"{progress.num_answered} answers by the base model, {progress.num_failed} failed")
        return run.id

    def _stars(self, run_id: str) -> str:
        with self._timed("stars"), self._writing() as (session, person):
            right = stars.bulk_apply(session, BulkRequest(run_id, BulkRule.star_equal, "expected"), by=person)
            others = stars.bulk_apply(session, BulkRequest(run_id, BulkRule.correct_others, "expected"), by=person)
            request = ExportRequest("Support triage", run_id=run_id, exam_share=EXAM_SHARE)
            exported = export.export(session, self.cli.parts.home, request, by=person)
        self._say("Gold stars", f"{right.num_touched} right answers got a star, {others.num_touched} were corrected")
        self._say("", "(the corrections come from the column `expected` of the sample file, not from a person)")
        self._say("Training set", f"{exported.num_learn} rows to learn from, {exported.num_exam} held back as the exam")
        return exported.id

    def _train(self, training_set_id: str, base: str) -> str:
        with self._timed("train"):
            with self._writing() as (session, person):
                request = TrainRequest(base, self.backend, training_set_id, "support-triage", SETTINGS)
                training = train.start(session, request, workshop=app.make_workshop(self.cli.parts), by=person)
            job = follow(self.cli, training.id)
        model_id = str((job.result or {})["model_id"])
        self._say("Training", f"{NUM_EPOCHS} epochs, model {model_id}")
        return model_id

    def _serve(self, model_id: str) -> None:
        with self._timed("deploy and prove"):
            with self._writing() as (session, person):
                serve_service.deploy(session, model_id, by=person)
            found = until_live(self.cli, model_id)
            with self.cli.reading() as session:
                reason = serve.receipt(session, model_id).reason
            with self._writing() as (session, person):
                serve_service.switch(session, model_id, by=person)
        took = "" if found.load_s is None else f" in {found.load_s:.2f} s"
        self._say("Serve", f"loaded{took} into the running engine, without a restart")
        self._say("Receipt", reason)

    def _compare(self, model_id: str) -> str:
        with self._timed("compare"):
            with self._writing() as (session, person):
                comparison = compare.start(session, ComparisonRequest([model_id]), by=person)
            job = follow(self.cli, comparison.job_id or "")
        self._say("Verdict", str((job.result or {}).get("sentence", "")))
        return comparison.id

    @contextmanager
    def _writing(self) -> Iterator[tuple[Session, Person]]:
        with self.cli.transaction() as pair:
            yield pair

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.times.append((name, time.monotonic() - began))

    def _say(self, what: str, text: Any) -> None:
        out.print(f"{what:<13} {text}", markup=False)

    def say_times(self) -> None:
        """How long each step took, and the loop without what is done once."""
        for name, seconds in self.times:
            self._say("", f"{seconds:7.1f} s  {name}")
        total = sum(seconds for name, seconds in self.times if "(once)" not in name)
        self._say("", f"{total:7.1f} s  the loop")
