"""What the pages of training show, made from rows. Knows no request and asks no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import BaseModel

from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.train.alarms import Alarm, Best
from goldsmith.train.dial import Dial
from goldsmith.train.doctor import Cure
from goldsmith.train.samples import SampledRow
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.web import format as formats
from goldsmith.web.forms import FormField
from goldsmith.web.job_lines import JobLine
from goldsmith.web.listing import Pager
from goldsmith.web.log_lines import LogLine
from goldsmith.web.needs import Need
from goldsmith.web.pages import Page
from goldsmith.web.parts import LineChart, Series, thinned
from goldsmith.web.stars_needed import FOR_STARRING, FOR_TRAINING
from goldsmith.web.train.group_views import GroupListLine
from goldsmith.web.train.queue_views import QueueLine

DEFAULT_BACKEND = "trl"
LAST_STEPS = 10
"""Over how many steps a share that jumps from step to step is taken."""
Figure = tuple[str, str | None, str]
"""What, its value (None: not measured), a note."""
_VERBS = {
    JobState.SUCCEEDED: "Learned",
    JobState.QUEUED: "Will learn",
    JobState.FAILED: "Was to learn",
    JobState.CANCELLED: "Was to learn",
}
DIALS = {
    Dial.quick: "Quick: some minutes, to see whether the rows teach anything",
    Dial.balanced: "Balanced: what most trainings need",
    Dial.thorough: "Thorough: more rounds and a larger adapter",
}
_ROUNDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True)
class TrainingLine:
    """A training as a line of the list."""

    id: str
    name: str
    state: JobState
    about: str
    exam_loss: float | None
    created_at: datetime
    model_id: str | None


@dataclass(frozen=True)
class TrainingsPage(Page):
    """Every training."""

    template: ClassVar[str] = "train/trainings.html"
    current: ClassVar[str] = "training"
    needed: ClassVar[str] = FOR_STARRING
    trainings: tuple[TrainingLine, ...]
    groups: tuple[GroupListLine, ...]
    """The newest groups of trainings."""
    num_waiting: int
    """How many jobs wait for this machine."""
    pager: Pager
    can_start: bool


@dataclass(frozen=True)
class Sample:
    """A row as the model will learn it: what it only reads, and what it practises writing."""

    position: int
    read: tuple[tuple[str, str], ...]
    learned: str


@dataclass(frozen=True)
class NewTrainingPage(Page):
    """Chooses what is learned and by which model."""

    template: ClassVar[str] = "train/new.html"
    current: ClassVar[str] = "training"
    needed: ClassVar[str] = FOR_TRAINING
    needed_stars: ClassVar[str] = FOR_STARRING
    fields: tuple[FormField, ...]
    folded: tuple[str, ...]
    action: str
    several: tuple[tuple[FormField, FormField], ...]
    """Settings of which several values are tried; empty where that is not possible."""
    plan: str
    """Where several trainings are shown before they start."""
    curve: str
    """Where those of a learning curve are."""
    rehearse: str
    """Where the form is rehearsed."""
    needs: tuple[Need, ...]
    samples: tuple[Sample, ...]
    look: str
    """Where every row is looked at; empty while there is nothing to look at."""
    dials: tuple[tuple[str, str, bool], ...]
    """How thoroughly: (value, what it means, whether its numbers stand in the form)."""
    has_sets: bool
    has_models: bool
    address: str
    backend: str
    backends: tuple[str, ...]
    """By what it may be trained."""
    at_provider: bool
    """Whether a provider trains, and rows leave this machine."""
    leaving: str
    """Which rows leave it, and where to; empty while none do."""


@dataclass(frozen=True)
class Next:
    """Where the model that came out stands."""

    model_id: str
    name: str
    is_deployed: bool


@dataclass(frozen=True)
class TrainingPage(Page):
    """One training: how far, how well, what happened, and afterwards what to do with what came out."""

    template: ClassVar[str] = "train/training.html"
    current: ClassVar[str] = "training"
    job: JobLine
    lead: str
    words: str
    left: str
    waits: QueueLine | None
    """Its place in the line, while it waits."""
    figures: tuple[Figure, ...]
    failure: JobFailure | None
    cure: Cure | None
    """What to change after a failure; None where nobody can tell."""
    cured: str
    """The form of a new training with that change."""
    alarms: tuple[Alarm, ...]
    samples: tuple[tuple[SampledRow, Sample], ...]
    """Exam rows with what was answered while it learned, and the row as a card shows it."""
    best: Best | None
    can_keep: bool
    """Whether it can end now with the best that it has."""
    at_provider: bool
    """Whether a provider trains, so that nothing of it is on this machine."""
    chart: LineChart
    finding: str
    settings: tuple[tuple[str, str], ...]
    events: tuple[LogLine, ...]
    left_out: tuple[str, ...]
    num_left_out: int
    next: Next | None
    again: str
    lineage: tuple[tuple[str, str, str | None], ...]


def training_line(row: TrainingJob) -> TrainingLine:
    """A row as a line."""
    about = f"{formats.counted(row.sample_count, 'row')} on {row.base_model}, with {row.backend}"
    state = JobState(row.status)
    return TrainingLine(row.id, row.name, state, about, row.validation_loss, row.created_at, row.output_model_id)


def sample_of(position: int, messages: Sequence[Mapping[str, Any]]) -> Sample:
    """A row of a training set; its last turn is what is learned."""
    *asked, answer = messages
    names = {"system": "Instructions", "user": "Message", "assistant": "Earlier answer"}
    read = tuple((names.get(turn["role"], turn["role"]), _shortened(str(turn["content"]))) for turn in asked)
    return Sample(position, read, _shortened(str(answer["content"])))


def sampled(row: SampledRow) -> tuple[SampledRow, Sample]:
    """An exam row with what was answered to it."""
    return row, sample_of(row.position, [*row.asked, {"content": row.expected}])


def can_keep(row: TrainingJob, job: JobLine) -> bool:
    """Whether there may be a checkpoint to keep, and nobody has asked for an end yet."""
    if not row.current_step or job.is_stopping or row.output_model_id is not None:
        return False
    return job.state is JobState.RUNNING or job.can_resume


def lead_of(row: TrainingJob) -> str:
    """The sentence below the title."""
    state = JobState(row.status)
    if row.training_set_id is None:
        return f"Starts from an uploaded file, which is read first, and learns on top of {row.base_model}."
    verb = _VERBS.get(state, "Learns")
    rest = "" if state.is_over else " You can close this page; it goes on."
    return f"{verb} {formats.counted(row.sample_count, 'gold star')} on top of {row.base_model}.{rest}"


def again_address(row: TrainingJob, changes: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The form of a new training with the settings of this one, but for these changes."""
    values: dict[str, Any] = {"training_set": row.training_set_id} if row.training_set_id is not None else {}
    values["base_model"] = row.base_model_id
    values |= {} if row.backend == DEFAULT_BACKEND else {"backend": row.backend}
    settings = {**row.config, **changes}
    return f"/training/new?{urlencode(values | {name: value for name, value in settings.items() if value is not None})}"


def words_of(row: TrainingJob, job: JobLine) -> str:
    """How far it is: "Step 28 of 45, second of 3 rounds through the rows"."""
    if row.current_step is None or not row.total_steps:
        return job.message or job.state.meaning.capitalize()
    words = f"Step {row.current_step:,} of {row.total_steps:,}"
    if row.current_epoch is not None and row.total_epochs and job.state is JobState.RUNNING:
        number = min(int(row.current_epoch), int(row.total_epochs) - 1)
        if 0 <= number < len(_ROUNDS) and row.total_epochs > 1:
            words += f", {_ROUNDS[number]} of {formats.number(row.total_epochs)} rounds through the rows"
    return words


def left_of(row: TrainingJob, job: JobLine) -> str:
    """What stands at the meter's right end."""
    if job.is_stopping:
        return "asked to end and keep the best" if job.is_keeping else "asked to stop, it saves first"
    if job.state is JobState.RUNNING and row.seconds_left is not None:
        ready = f", ready at {formats.moment(row.estimated_completion)}" if row.seconds_left > 60 else ""
        return f"{formats.about(row.seconds_left)} left{ready if row.estimated_completion else ''}"
    return formats.duration(job.seconds) if job.seconds is not None else ""


def figures_of(
    row: TrainingJob, points: Sequence[TrainingMetric], machine_bytes: int, final_loss: float | None = None
) -> tuple[Figure, ...]:
    """Loss on exam and learn rows, speed, memory; each with what it should be held against.

    `final_loss` is what the page of the finished model says, which is the mean of the last steps.
    """
    exam, learn = _exam(points), _learn(points)
    best = min(exam, key=lambda point: point[1], default=None)
    memory = formats.size(row.memory_mb * 1e6) if row.memory_mb is not None else None
    return (
        (
            "Loss on exam rows",
            formats.loss(exam[-1][1]) if exam else None,
            f"best {formats.loss(best[1])} at step {best[0]:,.0f}" if best else "measured at the checkpoints",
        ),
        (
            "Loss on learn rows",
            formats.loss(final_loss if final_loss is not None else learn[-1][1]) if learn else None,
            ("mean of the last steps, " if final_loss is not None else "")
            + f"was {formats.loss(learn[0][1])} at step {learn[0][0]:,.0f}"
            if learn
            else "",
        ),
        *_told_apart(points),
        ("Speed", formats.number(row.tokens_per_second) if row.tokens_per_second else None, "tokens a second"),
        ("Memory", memory, f"of {formats.size(machine_bytes)}" if memory else ""),
    )


def _told_apart(points: Sequence[TrainingMetric]) -> tuple[Figure, ...]:
    """Of a training with pairs: how often the last steps found the good answer likelier than the bad one."""
    shares = [point.preference_accuracy for point in points if point.preference_accuracy is not None][-LAST_STEPS:]
    if not shares:
        return ()
    share = f"{100 * sum(shares) / len(shares):.0f} %"
    steps = f"the last {len(shares):,} steps" if len(shares) > 1 else "the last step"
    return (("Good answer preferred", share, f"of the pairs of {steps}; 50 % is chance"),)


def chart_of(row: TrainingJob, points: Sequence[TrainingMetric]) -> LineChart:
    """The curve; the gold line are the exam rows."""
    series = (
        Series("exam rows", "exam", thinned(_exam(points))),
        Series("learn rows", "learn", thinned(_learn(points))),
    )
    return LineChart("step", series, float(row.total_steps) if row.total_steps else None)


def finding_of(points: Sequence[TrainingMetric]) -> str:
    """What the curve shows, in words."""
    lines = [(name, line) for name, line in (("exam", _exam(points)), ("learn", _learn(points))) if line]
    told = [f"{name} rows {_went(line)}" for name, line in lines]
    if not told:
        return "No step is done yet; the curve begins with the first."
    return f"Loss on {', on '.join(told)}. 0 means: it would have written every token of the gold answers itself."


def settings_of(row: TrainingJob, options: type[BaseModel] | None, machine: str) -> tuple[tuple[str, str], ...]:
    """Settings really used, in the words of the form."""
    titles = {name: info.title or name for name, info in options.model_fields.items()} if options else {}
    shown = [
        (titles.get(name, name.replace("_", " ").capitalize()), _plain(value)) for name, value in row.config.items()
    ]
    return (*shown, ("Backend", f"{row.backend}, on {machine}"))


def left_out_lines(result: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Rows that were not taken, and why."""
    return tuple(str(each.get("reason", "")) for each in (result or {}).get("left_out", [])[:20])


def _exam(points: Sequence[TrainingMetric]) -> list[tuple[float, float]]:
    return [(float(point.step), point.exam_loss) for point in points if point.exam_loss is not None]


def _learn(points: Sequence[TrainingMetric]) -> list[tuple[float, float]]:
    return [(float(point.step), point.loss) for point in points if point.loss is not None]


def _went(line: Sequence[tuple[float, float]]) -> str:
    """How a loss went, in words; one value goes nowhere."""
    (_, first), (step, last) = line[0], line[-1]
    if len(line) == 1:
        return f"is {formats.loss(last)} at step {step:,.0f}"
    verb = "fell" if last < first else "rose" if last > first else "stayed"
    return f"{verb} from {formats.loss(first)} to {formats.loss(last)} at step {step:,.0f}"


def _plain(value: Any) -> str:
    return formats.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _shortened(text: str, limit: int = 600) -> str:
    return text if len(text) <= limit else text[:limit] + " …"
