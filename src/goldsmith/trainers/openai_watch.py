"""A training at a provider: `python -m goldsmith.trainers.openai_watch --order ../job.json --attempt 1`.

Sends the rows to a service that speaks OpenAI's fine-tuning API, has one job begun there (`_begun.py`), and tells what
it says until it ends. The key lies in the file that the variable GOLDSMITH_PROVIDER_KEY_FILE names. Runs with the
standard library alone.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from goldsmith.trainers._begun import JOBS, State, alone, begin, find
from goldsmith.trainers._provider import Interrupted, Provider, Refused
from goldsmith.trainers._refusals import failure_of
from goldsmith.trainers._report import Failure, Job, Stopped, run
from goldsmith.wire import chats, rows
from goldsmith.wire.events import EventKind
from goldsmith.wire.order import DataFile

SETTINGS: dict[str, Any] = {
    "url": "",
    "model": "",
    "num_epochs": None,  # None: the provider chooses
    "batch_size": None,
    "learning_rate_multiplier": None,
    "seed": None,
    "suffix": None,
    "poll_s": 15.0,  # asked so often at most; more often in the first minutes
    "patience_s": 3600.0,
}
KEY_FILE = "GOLDSMITH_PROVIDER_KEY_FILE"
OVER = ("succeeded", "failed", "cancelled")
NUM_FINAL_LOSSES = 10
STOP_WITHIN_S = 20.0
"""So long the provider is asked to stop or to pause; a cancel that it has not heard by then is brought to it later."""


def work(job: Job) -> dict[str, Any]:
    """Begin the job there, or find it again, and follow it to its end."""
    finished = job.finished_figures()
    if finished is not None:
        return finished
    settings = {**SETTINGS, **job.order.settings}
    files = checked_rows(job)
    with alone(job.folder):
        return work_alone(job, settings, files)


def work_alone(job: Job, settings: dict[str, Any], files: dict[str, Path]) -> dict[str, Any]:
    """What only one program at a time may do for a job: two would begin two."""
    state = State.of(job)
    key_file = os.environ.get(KEY_FILE)
    provider = Provider(
        settings["url"],
        Path(key_file) if key_file else None,
        should_stop=lambda: job.report.stop_asked,
        patience_s=settings["patience_s"],
    )
    try:
        if not job.report.cancel_asked:
            begin(job, provider, settings, files, state)
            return follow(job, provider, settings, state)
    except (Interrupted, Stopped):
        pass
    except Refused as refused:
        raise failure_of(refused, provider.host) from refused
    provider.give_up_after(STOP_WITHIN_S)
    stop(job, provider, state)
    raise Stopped(state.step)


def checked_rows(job: Job) -> dict[str, Path]:
    """The files that are sent, once they are what the order says."""
    sides: dict[str, DataFile | None] = {"learn": job.order.learn, "exam": job.order.exam}
    try:
        answers = {side: chats.read(job.folder, file) for side, file in sides.items() if file is not None}
    except (OSError, rows.BadRows) as error:
        hint = "Start the training anew, so that its folder is written again."
        raise Failure("bad_rows", f"The rows cannot be read: {error}", hint) from error
    if not any(answer.strip() for answer in answers["learn"]):
        raise Failure("nothing_to_learn", "No row has an answer to learn.", "Give gold stars, and export again.")
    return {side: job.folder / file.path for side, file in sides.items() if file is not None}


def follow(job: Job, provider: Provider, settings: dict[str, Any], state: State) -> dict[str, Any]:
    """Tell what happens there until it ends."""
    path = f"{JOBS}/{state.job}"
    if state.is_paused:
        go_on(job, provider, state)
    job.report.phase("training", f"{provider.host} trains: {state.job}", step=state.step)
    began = time.monotonic()
    while True:
        there = provider.get(path)
        tell_events(job, provider, state)
        status = there.get("status")
        if status in OVER:
            state.is_over = True
            state.save(job)
            break
        provider.wait(min(settings["poll_s"], max(1.0, (time.monotonic() - began) / 20)))
    if status == "succeeded" and there.get("fine_tuned_model"):
        return write_result(job, provider, settings, there, state)
    error = there.get("error") or {}
    said = str(error.get("message") or "It says no more than that.")
    verb = "was cancelled there" if status == "cancelled" else "failed there"
    hint = "Start another training: a provider does not go on with a job that is over."
    raise Failure(f"{status}_at_provider", f"The training at {provider.host} {verb}. {said}", hint)


def go_on(job: Job, provider: Provider, state: State) -> None:
    """Have a paused job go on; one that cannot be paused has gone on all the time."""
    try:
        provider.post(f"{JOBS}/{state.job}/resume")
    except Refused as refused:
        job.report.log(f"{provider.host} did not have to resume it: {refused.words}")
    state.is_paused = False
    state.save(job)


def tell_events(job: Job, provider: Provider, state: State) -> None:
    """Tell what is new, oldest first; the list there begins with the newest."""
    new = []
    for event in provider.pages(f"{JOBS}/{state.job}/events", limit=100):
        if event["id"] == state.last_event:
            break
        new.append(event)
    for event in reversed(new):
        tell(job, event, state)
        state.last_event = event["id"]
    if new:
        state.save(job)


def tell(job: Job, event: dict[str, Any], state: State) -> None:
    """One event of theirs in our words."""
    data = event.get("data") or {}
    step = data.get("step")
    if event.get("type") != "metrics" or not isinstance(step, int):
        level = {"warn": "warning", "error": "error"}.get(str(event.get("level")), "info")
        job.report.log(str(event.get("message", "")), level)
        return
    state.step = max(state.step, step)
    loss, exam_loss = data.get("train_loss"), data.get("full_valid_loss")
    if loss is not None:
        state.losses = [*state.losses, float(loss)][-NUM_FINAL_LOSSES:]
        job.report.say(EventKind.STEP, step=step, total_steps=data.get("total_steps"), loss=float(loss))
    if exam_loss is not None:
        state.exam_loss = float(exam_loss)
        job.report.say(EventKind.EVALUATED, step=step, exam_loss=state.exam_loss)


def checkpoints(provider: Provider, state: State) -> list[dict[str, Any]]:
    """Models of earlier steps that it keeps, oldest first; none where it has no such list."""
    try:
        return list(reversed(list(provider.pages(f"{JOBS}/{state.job}/checkpoints", limit=100))))
    except Refused:
        return []


def stop(job: Job, provider: Provider, state: State) -> None:
    """Cancel the job there, or pause it, as was asked; whatever may have begun is looked for first."""
    if state.job is None and state.is_begun:
        there = find(job, provider, state)
        state.job = str(there["id"]) if there is not None else None
    if state.job is None:
        state.is_over = state.is_over or job.report.cancel_asked
    elif job.report.cancel_asked:
        cancel(job, provider, state)
    elif not state.is_over:
        pause(job, provider, state)
    state.save(job)


def cancel(job: Job, provider: Provider, state: State) -> None:
    """Cancel it, and look until it says so; what it has not said in time is asked again later."""
    path = f"{JOBS}/{state.job}"
    try:
        provider.post(f"{path}/cancel")
    except Refused as refused:
        job.report.log(f"{provider.host} did not cancel it: {refused.words}", "warning")
    end = time.monotonic() + STOP_WITHIN_S
    while not state.is_over:
        state.is_over = provider.get(path).get("status") in OVER
        if state.is_over or time.monotonic() > end:
            break
        provider.wait(1.0)
    job.report.log(f"{provider.host} {'has stopped' if state.is_over else 'has not said yet that it stopped'}.")


def pause(job: Job, provider: Provider, state: State) -> None:
    """Pause it; where that is not possible it goes on there, and that is said."""
    try:
        provider.post(f"{JOBS}/{state.job}/pause")
        state.is_paused = True
    except Refused as refused:
        said = f"{provider.host} does not pause: {refused.words} It goes on there; cancel it if it should not."
        job.report.log(said, "warning")


def write_result(
    job: Job, provider: Provider, settings: dict[str, Any], there: dict[str, Any], state: State
) -> dict[str, Any]:
    """What the model is called there, a card, and the manifest that makes them count."""
    shutil.rmtree(job.result, ignore_errors=True)
    job.result.mkdir()
    began, ended = there.get("created_at"), there.get("finished_at")
    figures = {
        "final_loss": sum(state.losses) / len(state.losses) if state.losses else None,
        "exam_loss": state.exam_loss,
        "steps": state.step,
        "tokens_per_s": None,
        "peak_memory_mb": None,
        "size_mb": None,
        "duration_s": float(ended - began) if began and ended else None,
        "trained_tokens": there.get("trained_tokens"),
    }
    named = {each.get("step_number"): each.get("fine_tuned_model_checkpoint") for each in checkpoints(provider, state)}
    for step, name in named.items():
        job.report.log(f"Kept there after step {step}: {name}")
    known = {"url": settings["url"], "model": there["fine_tuned_model"], "base": settings["model"], "job": state.job}
    (job.result / "model.json").write_text(json.dumps({**known, "checkpoints": named}, indent=2), encoding="utf-8")
    card = f"# {job.order.model_name}\n\nIt lives at {provider.host} as `{known['model']}`; no file of it is here.\n"
    (job.result / "README.md").write_text(card, encoding="utf-8")
    job.finish_result(figures)
    return figures


if __name__ == "__main__":
    sys.exit(run(work))
