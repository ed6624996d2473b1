"""The loop at a glance: six cells with their counts, the exam's chart, what happened lately. Pure."""

from collections.abc import Sequence
from typing import Any

from goldsmith.compare.asked import row_word
from goldsmith.compare.loop import Loop, StepName
from goldsmith.compare.types import VerdictKind
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import Proof
from goldsmith.web import format as formats
from goldsmith.web.badges import badge_of
from goldsmith.web.home.views import Cell, Exam
from goldsmith.web.lately import LatelyLine, history_line
from goldsmith.web.parts import Interval

Look = tuple[str, str]
"""An icon and how it looks."""
Text = tuple[str, str, str]
"""A count, its unit, a fact."""
NOTHING: Look = ("queued", "faint")
DONE: Look = ("check-solid", "good")
AT_WORK: Look = ("running", "info")
TROUBLE: Look = ("x-square", "bad")
ARM_NAMES = {"base": "Base model", "examples": "Base with examples"}
VERDICTS: dict[str, tuple[Look, str]] = {
    VerdictKind.better.value: (("up", "good"), "better than the base model"),
    VerdictKind.worse.value: (("down", "warn"), "worse than the base model"),
    VerdictKind.not_known.value: (("unknown", "info"), "not known yet whether it is better"),
    VerdictKind.no_need.value: (("equal", "faint"), "training was not needed"),
    VerdictKind.too_few.value: (("unknown", "info"), "too few rows"),
}
_PAGES = {"run": "/runs", "training": "/training", "comparison": "/model-comparison"}


def cells_of(loop: Loop) -> tuple[Cell, ...]:
    """The six steps with their counts."""
    now = loop.next.step
    steps = (
        (StepName.data, "Data", "/data", _data(loop)),
        (StepName.run, "Run", "/runs", _run(loop)),
        (StepName.stars, "Gold stars", "/stars", _stars(loop)),
        (StepName.train, "Training", "/training", _train(loop)),
        (StepName.serve, "Serve", "/models", _serve(loop)),
        (StepName.compare, "Compare", "/model-comparison", _compare(loop)),
    )
    return tuple(Cell(label, href, *look, *text, is_now=step is now) for step, label, href, (look, text) in steps)


def exam_of(loop: Loop) -> Exam | None:
    """The newest comparison's chart, once it is measured."""
    arms = [arm for arm in loop.arms if arm.figures]
    if loop.comparison is None or loop.model is None or not arms:
        return None
    rows = tuple(_interval(arm.name, arm.figures or {}, loop.model.name) for arm in arms)
    word = row_word(loop.comparison).capitalize()
    finding = f"{word}s right, with 95 % intervals: " + ", ".join(f"{row.name} {row.value} {row.rest}" for row in rows)
    title = "Right on the exam" if loop.comparison.training_set_id is not None else "Right on rows of your own"
    return Exam(title, finding, rows, loop.comparison.test_count, f"/model-comparison/{loop.comparison.id}")


def lately_of(
    jobs: Sequence[Job], history: Sequence[DeploymentHistory], names: dict[str, str], limit: int = 4
) -> tuple[LatelyLine, ...]:
    """The last things that happened, newest first."""
    lines = [_job_line(job) for job in jobs] + [history_line(entry, names) for entry in history]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True)[:limit])


def _data(loop: Loop) -> tuple[Look, Text]:
    if loop.version is None:
        return (AT_WORK, ("…", "", "coming in")) if loop.counts.is_importing else (NOTHING, ("0", "rows", "none yet"))
    bad = formats.counted(loop.version.num_bad_rows, "bad row") if loop.version.num_bad_rows else "no bad rows"
    fact = f"version {loop.version.number}, {bad}"
    return DONE, (formats.number(loop.version.num_rows), "row" if loop.version.num_rows == 1 else "rows", fact)


def _run(loop: Loop) -> tuple[Look, Text]:
    if loop.run is None:
        return NOTHING, ("0", "answers", "no run yet")
    num_failed = int(((loop.run_job.result if loop.run_job is not None else None) or {}).get("num_failed", 0))
    fact = f"{formats.counted(num_failed, 'answer')} failed" if num_failed else loop.run.name
    return (AT_WORK if loop.counts.is_running else DONE), (
        formats.number(loop.num_answers),
        f"of {loop.run.num_rows:,}",
        fact,
    )


def _stars(loop: Loop) -> tuple[Look, Text]:
    if not loop.num_stars:
        return NOTHING, ("0", "", "none yet")
    as_written = loop.num_stars - loop.num_corrected
    fact = f"{as_written:,} as written, {loop.num_corrected:,} corrected"
    return DONE, (formats.number(loop.num_stars), "", fact)


def _train(loop: Loop) -> tuple[Look, Text]:
    if loop.training is None or loop.training_job is None:
        return NOTHING, ("0", "", "nothing trained yet")
    state, rows = JobState(loop.training_job.state), formats.counted(loop.training.sample_count, "row")
    if state is JobState.SUCCEEDED:
        began, ended = loop.training_job.started_at, loop.training_job.finished_at
        seconds = (ended - began).total_seconds() if began and ended else None
        return DONE, (formats.duration(seconds) if seconds is not None else "Done", "", f"{rows} learned")
    look = AT_WORK if state.is_active else TROUBLE if state is JobState.FAILED else NOTHING
    count = formats.share(loop.training_job.progress) if state.is_active else state.value.capitalize()
    return look, (count, "", f"{rows} to learn")


def _serve(loop: Loop) -> tuple[Look, Text]:
    if loop.live is None:
        words = ("Refused", "", "its receipt is red") if loop.is_refused else ("0", "", "not on an engine")
        return (TROUBLE if loop.is_refused else NOTHING), words
    deployment = loop.live.deployment
    if not loop.live.is_live:
        return AT_WORK, ("Starting", "", deployment.message or "waits for its engine")
    seconds = f"loaded in {formats.duration(deployment.load_s)}" if deployment.load_s is not None else "loaded"
    rest = "the default" if loop.counts.is_default else "not the default yet"
    is_proved = deployment.proof == Proof.PROVED.value
    look: Look = ("receipt", "good") if is_proved else ("plug", "info")
    return look, ("Proved" if is_proved else "Loaded", "", f"{seconds}, {rest}")


def _compare(loop: Loop) -> tuple[Look, Text]:
    if loop.comparison is None:
        return NOTHING, ("0", "", "nothing compared yet")
    tuned = next((arm.figures for arm in loop.arms if arm.name == "tuned" and arm.figures), None)
    if loop.comparison.verdict is None or tuned is None:
        state = JobState(loop.comparison.status)
        look = TROUBLE if state is JobState.FAILED else AT_WORK
        return look, (state.value.capitalize(), "", "no verdict before the end")
    look, fact = VERDICTS[loop.comparison.verdict["kind"]]
    return look, (formats.number(tuned["num_right"]), f"of {tuned['num_rows']:,}", fact)


def _interval(arm: str, figures: dict[str, Any], model: str) -> Interval:
    low, high = 100 * figures["low"], 100 * figures["high"]
    at = 100 * figures["num_right"] / max(1, figures["num_rows"])
    name = model if arm == "tuned" else ARM_NAMES.get(arm, arm)
    value, rest = f"{figures['num_right']:,}", f"of {figures['num_rows']:,}"
    return Interval(name, round(low, 1), round(at, 1), round(high, 1), value, rest, is_ours=arm == "tuned")


def _job_line(job: Job) -> LatelyLine:
    state = JobState(job.state)
    badge = badge_of(state)
    look = {JobState.SUCCEEDED: "good", JobState.FAILED: "bad"}.get(state, "faint")
    page = f"{_PAGES[job.kind]}/{job.subject_id}" if job.kind in _PAGES and job.subject_id else f"/activity/{job.id}"
    seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
    facts = [str((job.failure or {}).get("summary", "")) or str((job.result or {}).get("sentence", "")) or job.message]
    facts += [formats.duration(seconds)] if seconds is not None else []
    meta = " · ".join(fact.removesuffix(".") for fact in facts if fact)
    at = job.finished_at or job.created_at
    return LatelyLine(at, badge.icon or "pulse", look, f"{job.title}: {state.value}", page, meta)
