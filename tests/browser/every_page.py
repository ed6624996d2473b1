"""Every page that there is, over made-up rows: with nothing, in the midst of things, and with all of the loop walked.

What is in the rows is chosen to be hard on pages: long names, another script, answers of a thousand characters, a file
with bad rows, jobs that failed. Served from this process, because a page does not care who wrote its rows.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tests.browser.source_pages import source_pages
from tests.web.conftest import Site
from tests.web.loop_rows import MACHINE, Walk, make_loop_site, walking

from goldsmith.compare import curves
from goldsmith.compare.curves import CurveRequest
from goldsmith.compare.more_stars import CurvePoint
from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.jobs import line as waiting_line
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.line import Step
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure, StopRequest
from goldsmith.run.batches import service as batches
from goldsmith.run.batches.tables import BatchedRequest
from goldsmith.run.batches.types import BatchStatus, Fault, NewBatch
from goldsmith.run.tables import Answer, Run
from goldsmith.serve import aliases, outside, resting, rollouts, traffic
from goldsmith.serve import service as serve
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.serve.kept import service as kept
from goldsmith.serve.kept.types import Exchange, Handed, Keeping
from goldsmith.serve.shadow import service as shadow
from goldsmith.serve.shadow.types import Pair, Shadow
from goldsmith.serve.types import Part
from goldsmith.serve.watching import RolloutPlan
from goldsmith.stars import service as stars
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.train import groups
from goldsmith.train import queries as train_queries
from goldsmith.train import service as training
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.train.workshop import Workshop
from goldsmith.web.port import listen
from goldsmith.web.routers import make_routers
from goldsmith.web.server import make_server

Pages = dict[str, str]
"""A short name → the page's address."""
LONG_NAME = "support-messages-2026-q3-all-channels-without-duplicates-and-without-the-test-accounts-final-2"
JAPANESE = "サポートへの問い合わせ（二〇二六年・第三四半期・重複なし）"
LONG_TEXT = "The invoice is wrong, and I have said so before, in March and again in May. " * 14
ALIAS = "support-of-all-channels-and-countries-with-a-long-name-2026"
ALWAYS = {
    "home": "/",
    "guided": "/fine-tuning",
    "data": "/data",
    "data-new": "/data/new",
    "from-openai": "/from-openai",
    "sources": "/sources",
    "source-new": "/sources/new/sql",
    "runs": "/runs",
    "run-new": "/runs/new",
    "batches": "/batches",
    "batch-new": "/batches/new",
    "stars": "/stars",
    "trainings": "/training",
    "queue": "/training/queue",
    "training-new": "/training/new",
    "models": "/models",
    "aliases": "/aliases",
    "playground": "/playground",
    "comparisons": "/model-comparison",
    "activity": "/activity",
    "settings": "/settings",
    "webhooks": "/settings/webhooks",
    "aristotle": "/settings/aristotle",
    "kept": "/kept",
}
FORECAST = {
    "duration_s": 754.0,
    "step_s": 1.2,
    "tokens_per_s": 210.4,
    "peak_memory_mb": 1610.0,
    "disk_mb": 93.0,
    "num_steps": 120,
    "num_rehearsed": 6,
}
CURVES = {"curve": (12, 21, 34), "curve-not-known": (20, 23, 22), "curve-waits": ()}
"""Exam rows right with a quarter, half and all of the stars."""
CSV = "ticket;質問;right answer\nT-1;どこですか？;delivery\nT-2;" + "long " * 200 + ";billing\nT-3\n"


@contextmanager
def served(folder: Path) -> Iterator[tuple[Site, str]]:
    """A site with every page, and where it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    site = make_loop_site(folder, *make_routers().pages)
    door = listen(0)
    server = make_server(site.web)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield site, f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        site.database.dispose()


def empty(_: Site) -> Pages:
    """Nothing was done yet."""
    return {**ALWAYS, "not-found": "/nowhere", "guided-compare": "/fine-tuning?step=compare"}


def at_work(site: Site) -> Pages:
    """A training learns, a run is half done, things have failed."""
    with walking(site, num_rows=60) as walk:
        walk.bring_rows()
        walk.ask(is_over=False)
        fail_answers(walk)
        walk.star()
        walk.export()
        for name in (f"{LONG_NAME} again", JAPANESE, LONG_NAME):
            walk.start_training(name)
        waiting_line.move(walk.session, jobs.one(walk.session, walk.training_id), Step.first)
        walk.run_training()
        engine = serve.want_engine(walk.session, walk.base_id, by=walk.by)
        resting.begin(walk.session, jobs.one(walk.session, walk.training_id), [engine])
        import_id = add_failed_import(walk)
        of_batches = {name: f"/batches/{make_batch(walk, name)}" for name in ("batch", "batch-refused", "batch-over")}
        pages = {"run": f"/runs/{walk.run_id}", "training": f"/training/{walk.training_id}", **of_batches}
        pages["group"] = f"/training/groups/{add_group(walk)}"
    pages |= {"batch-preview": look_at(site, batch_file(12)), "batch-faulty": look_at(site, batch_file(3) + b"{\n")}
    return {**ALWAYS, **pages, "job-running": f"/activity/{walk.training_id}", "job-failed": f"/activity/{import_id}"}


def failed(site: Site) -> Pages:
    """The training stopped."""
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        walk.start_training()
        walk.run_training()
        walk.fail_training()
        too_large = {
            "kind": "out_of_memory",
            "summary": "There was not enough memory.",
            "hint": "",
            "log_tail": "Killed",
        }
        rehearsed = rehearse(walk, state="failed", failure=too_large)
    pages = {"home": "/", "guided": "/fine-tuning", "training": f"/training/{walk.training_id}"}
    return {**pages, "rehearsal": rehearsed}


def done(site: Site) -> Pages:
    """All of the loop, with names and texts that are hard on pages."""
    with walking(site, num_rows=80) as walk:
        walk.bring_rows()
        make_hard(walk)
        walk.ask()
        mark_by_hand(walk)
        walk.star()
        walk.export()
        walk.start_training(LONG_NAME)
        walk.run_training(steps=45)
        walk.finish_training()
        trainings = [walk.training_id]
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right={"base": 4, "examples": 6, "tuned": 17})
        walk.finish_comparison()
        serve.switch(walk.session, walk.base_id, by=walk.by)
        share_out(walk)
        keep_traffic(walk)
        cast_shadow(walk)
        outside.add_provider(
            walk.session,
            "https://api.example.com",
            model="large-1-with-a-long-name-2026-10-preview",
            by=walk.by,
            prices_usd_per_million=(0.15, 0.6),
        )
        version = walk.session.get_one(DatasetVersion, walk.version_id)
        model, base = walk.model_id, walk.base_id
        walk.start_training("Another, with fewer rounds")
        walk.run_training(steps=30)
        trainings.append(walk.training_id)
        walk.train_at_provider(LONG_NAME + " at a provider")
        there = walk.session.get_one(TrainingJob, walk.training_id)
        at_provider = {
            "training-new-provider": f"/training/new?backend=openai&training_set={walk.set_id}",
            "training-provider": f"/training/{there.id}",
            "model-provider": f"/models/{walk.model_id}",
            "model-base-provider": f"/models/{there.base_model_id}",
        }
        walk.training_id = trainings[-1]
        took = {"is_tried": True, "is_accepted": True, "load_s": 0.114}
        rehearsed = rehearse(walk, state="succeeded", result={"forecast": FORECAST, "engine": took})
        drawn = {name: f"/training/curves/{add_curve(walk, *right)}" for name, right in CURVES.items()}
    pair = f"training_set={walk.set_id}&base_model={base}"
    return {
        **ALWAYS,
        **source_pages(site, JAPANESE, LONG_TEXT),
        **at_provider,
        **drawn,
        "rehearsal": rehearsed,
        "look": f"/training/look?{pair}&max_length=256",
        "side-by-side": "/training/side-by-side?" + "&".join(f"training={each}" for each in trainings),
        "look-pairs": f"/training/look?{pair}&method=dpo",
        "look-left-out": f"/training/look?{pair}&max_length=128&show=left_out",
        **{f"guided-{step}": f"/fine-tuning?step={step}" for step in ("data", "run", "stars", "train", "serve")},
        "data-preview": preview(site),
        "dataset": f"/data/{version.dataset_id}",
        "run": f"/runs/{walk.run_id}",
        "reader": f"/stars/{walk.run_id}",
        "reader-corrected": f"/stars/{walk.run_id}?at=2",
        "many": f"/stars/{walk.run_id}/many?column=expected",
        "training-set": f"/training-sets/{walk.set_id}",
        "training": f"/training/{walk.training_id}",
        "model": f"/models/{model}",
        "exports": f"/models/{model}/exports",
        "model-base": f"/models/{base}",
        "alias": f"/aliases/{ALIAS}",
        "shadow": f"/aliases/{ALIAS}/shadow",
        "comparison": f"/model-comparison/{walk.comparison_id}",
        "job": f"/activity/{walk.training_id}",
        "design": "/design",
    }


def rehearse(walk: Walk, **ended: Any) -> str:
    """A rehearsal that ended so."""
    workshop = Workshop(walk.home, walk.backends, MACHINE)
    request = TrainRequest(walk.base_id, training_set=walk.set_id)
    job = training.rehearse(walk.session, request, workshop=workshop, by=walk.by)
    for name, value in ended.items():
        setattr(job, name, value)
    walk.session.flush()
    return f"/training/rehearsals/{job.id}"


STAGES = {"empty": empty, "at-work": at_work, "failed": failed, "done": done}


def batch_file(num_lines: int) -> bytes:
    """Requests to a model that is here; the first asks at length."""
    ask = [{"role": "user", "content": LONG_TEXT}]
    lines = [
        {"custom_id": f"row-{number}", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": ask}}
        for number in range(num_lines)
    ]
    for line in lines:
        line["body"]["model"] = "smollm2-135m-instruct"  # type: ignore[index]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def look_at(site: Site, content: bytes) -> str:
    """A file of requests that somebody is looking at."""
    answer = site.browser().post("/batches/preview", files={"file": (f"{JAPANESE}.jsonl", content)})
    return str(answer.headers["location"])


def make_batch(walk: Walk, place: str) -> str:
    """A batch at work, one whose file was refused, one that is over with failures."""
    new = NewBatch("file-1", f"{LONG_NAME}.jsonl", "0" * 64, "/v1/chat/completions", labels={"for": JAPANESE})
    batch = batches.create(walk.session, new, by=walk.by)
    if place == "batch-refused":
        faults = [Fault("model_not_found", "The model 'gpt-4o-mini' does not exist here.", line) for line in (1, 2, 7)]
        batches.end(walk.session, batch, BatchStatus.FAILED, faults=faults)
        return batch.id
    batches.begin_asking(walk.session, batch, [walk.base_id], by=walk.by)
    batch.in_progress_at, batch.num_requests = clock.now() - timedelta(seconds=90), 60
    for line in range(1, 61):
        state = "failed" if line % 9 == 0 else "answered" if line < 40 or place == "batch-over" else "waiting"
        request = BatchedRequest(id=f"{batch.id}-{line}", batch_id=batch.id, line=line, custom_id=str(line))
        request.state, request.model_id, request.start_byte, request.num_bytes = state, walk.base_id, 0, 1
        request.error = "The engine gave no answer within 600 s, three times in a row." if state == "failed" else None
        walk.session.add(request)
    walk.session.flush()
    if place == "batch-over":
        batches.end(walk.session, batch, BatchStatus.COMPLETED)
    return batch.id


def keep_traffic(walk: Walk) -> None:
    """Requests of an alias are kept; one question is long, one in another script, one had a number taken out."""
    kept.keep(walk.session, ALIAS, Keeping(0.05, 30), by=walk.by)
    answer = b'{"choices": [{"index": 0, "message": {"content": "It is on its way."}}]}'
    for question in (LONG_TEXT, "配送が遅れています。", "Call me: +49 30 1234567"):
        body = json.dumps({"messages": [{"role": "user", "content": question}]}).encode()
        own: dict[str, Any] = {
            "domain": walk.by.domain,
            "asked_by": walk.by.id,
            "rule": ALIAS,
            "alias": ALIAS,
            "model_id": walk.base_id,
        }
        one = Exchange(
            **own,
            path="/v1/chat/completions",
            request=body,
            answer=answer,
            is_stream=False,
            duration_ms=800.0,
            at_s=time.time(),
        )
        kept.store(walk.session, Handed((one,)))


def cast_shadow(walk: Walk) -> None:
    """A second model answers along: once the same, once otherwise, once not at all."""
    shadow.answer_along(walk.session, ALIAS, Shadow(walk.model_id), by=walk.by)
    answers = {LONG_TEXT: "It is on its way.", "配送が遅れています。": "明日届きます。", "Where is it?": ""}
    for question, said in answers.items():
        asked = json.dumps({"messages": [{"role": "user", "content": question}]}).encode()
        own = (walk.by.domain, walk.by.id, "", ALIAS, walk.base_id, "/v1/chat/completions", asked)
        sent = Exchange(*own, _chat("It is on its way."), is_stream=False, duration_ms=800.0, at_s=time.time())
        error = "" if said else "It took longer than 60 s and was broken off."
        answer, took_ms = (_chat(said), 420.0) if said else (b"", None)
        pair = Pair(sent, walk.model_id, is_json_wanted=False, answer=answer, duration_ms=took_ms, error=error)
        shadow.store(walk.session, (pair,), {(walk.by.domain, ALIAS): 2})


def _chat(text: str) -> bytes:
    return json.dumps({"choices": [{"index": 0, "message": {"content": text}}]}).encode()


def share_out(walk: Walk) -> None:
    """A name without an end that leads to two models, after a change with a reason, in the midst of a roll-out."""
    aliases.make(walk.session, ALIAS, Part(walk.base_id, 1.0), by=walk.by)
    parts = [Part(walk.base_id, 0.95), Part(walk.model_id, 0.05)]
    aliases.point(walk.session, ALIAS, parts, by=walk.by, why=LONG_TEXT[:150])
    rollout = rollouts.start(walk.session, ALIAS, walk.model_id, RolloutPlan((0.25, 1.0), 1800), by=walk.by)
    for model_id, num in ((walk.base_id, 1_204), (walk.model_id, 398)):
        counts = Counts(num_requests=num, num_errors=3, num_with_schema=num - 3, num_invalid_json=1)
        counts.time(0.8)
        counts.measure(42)
        key = TrafficKey(int(time.time() // 60), walk.by.domain, ALIAS, rollout.first_version, model_id)
        traffic.store(walk.session, "tw_1", {key: counts})
    rollouts.look(walk.session, rollout, clock.now(), by=walk.by)


def make_hard(walk: Walk) -> None:
    """Another script, a name without an end, a message of a thousand characters."""
    version = walk.session.get_one(DatasetVersion, walk.version_id)
    walk.session.get_one(Dataset, version.dataset_id).name = JAPANESE
    rows = list(walk.session.scalars(select(Row).where(Row.dataset_version_id == version.id).order_by(Row.position)))
    for row, message in zip(rows, (LONG_TEXT, "配送が遅れています。荷物は今どこですか？", "x" * 300), strict=False):
        row.content = {**row.content, "message": message}
    version.num_bad_rows = 1
    version.bad_rows = [{"row": 7, "column": "message", "reason": "the row has two cells, the head has three"}]
    walk.session.flush()


def mark_by_hand(walk: Walk) -> None:
    """A star, a long correction, a bad one; and a name without an end for the run."""
    walk.session.get_one(Run, walk.run_id).name = LONG_NAME
    answers = walk.session.scalars(
        select(Answer).where(Answer.run_id == walk.run_id).order_by(Answer.position).limit(3)
    )
    for answer, mark in zip(
        answers,
        (
            MarkRequest(MarkKind.star),
            MarkRequest(MarkKind.correction, text='{"topic": "delivery", "urgency": "high"}'),
            MarkRequest(MarkKind.bad),
        ),
        strict=True,
    ):
        stars.mark(walk.session, answer.id, mark, by=walk.by)


def fail_answers(walk: Walk) -> None:
    """Two rows got no answer, one was cut off."""
    answers = list(walk.session.scalars(select(Answer).where(Answer.run_id == walk.run_id).order_by(Answer.position)))
    for answer in answers[-2:]:
        answer.state, answer.text, answer.parsed = "failed", "", None
        answer.error = "The engine gave no answer in time, three times in a row."
    answers[4].finish_reason = "length"
    walk.session.flush()


def add_curve(walk: Walk, *num_right: int) -> str:
    """A learning curve: one that waits, or what came of it."""
    workshop = Workshop(walk.home, walk.backends, MACHINE)
    request = CurveRequest(TrainRequest(walk.base_id, "trl", walk.set_id, LONG_NAME))
    curve = curves.start(walk.session, request, workshop=workshop, by=walk.by)
    rows, found = train_queries.of_group(walk.session, curve.group_id), []
    curve.points = []
    for row, right in zip(rows, num_right, strict=False):
        queue.ask_to_stop(walk.session, jobs.one(walk.session, row.id), StopRequest.CANCEL)
        point = {"training_id": row.id, "num_learn": row.sample_count, "num_right": right, "num_rows": 40}
        curve.points = [*curve.points, point]
        found.append(CurvePoint(row.sample_count or 0, tuple(place < right for place in range(40))))
    if found:
        curves.conclude(walk.session, curve, found)
    return curve.id


def add_group(walk: Walk) -> str:
    """Six trainings that wait, two of which have come to their end and one has failed."""
    request = TrainRequest(walk.base_id, "trl", walk.set_id, LONG_NAME)
    values: dict[str, list[Any]] = {"learning_rate": [0.0002, 0.0005, 0.001], "lora_rank": [8, 16]}
    workshop = Workshop(walk.home, walk.backends, MACHINE)
    group = groups.start(walk.session, request, values, workshop=workshop, by=walk.by)
    for number, row in enumerate(train_queries.of_group(walk.session, group.id)[:3]):
        job = jobs.one(walk.session, row.id)
        for state in (JobState.STARTING, JobState.RUNNING):
            queue.move(walk.session, job, state, "its program was started")
        for step in range(5, 46, 5):
            loss = (0.9 + number / 10) * 0.96**step + 0.1
            point = {"loss": loss, "exam_loss": loss + 0.05, "at": clock.now()}
            walk.session.add(TrainingMetric(job_id=job.id, attempt=1, step=step, **point))
        if number < 2:
            queue.finish(walk.session, job, {})
        else:
            queue.fail(walk.session, job, JobFailure("out_of_memory", "This machine ran out of memory.", "Wait."))
    walk.session.flush()
    return group.id


def add_failed_import(walk: Walk) -> str:
    """A job that failed, with what its program said."""
    job = queue.add(walk.session, NewJob("import", f"Import {JAPANESE}.csv", {}), by=walk.by)
    queue.claim(walk.session, machine="here", slot=None)
    queue.move(walk.session, jobs.one(walk.session, job.id), JobState.RUNNING, "its program was started")
    summary = "The file ends in the midst of a quoted cell that began in row 41."
    failure = JobFailure(
        "invalid", summary, "Close the quote in the file, and bring it in again.", "Traceback …\n" * 30
    )
    queue.fail(walk.session, jobs.one(walk.session, job.id), failure)
    training = walk.session.get_one(TrainingJob, walk.training_id)
    training.seconds_left = 118.0
    walk.session.flush()
    return job.id


def preview(site: Site) -> str:
    """A file that somebody is looking at."""
    answer = site.browser().post("/data/preview", files={"file": (f"{JAPANESE}.csv", CSV.encode())})
    return str(answer.headers["location"])
