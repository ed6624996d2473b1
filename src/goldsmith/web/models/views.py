"""What the pages of models show, made from rows. Knows no request and asks no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from goldsmith.compare.tables import ComparisonArm
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.models.types import AT_PROVIDER, Builtin
from goldsmith.serve.queries import ActiveModel
from goldsmith.serve.tables import DeploymentHistory, Engine, Receipt
from goldsmith.serve.types import DEFAULT_ALIAS, EngineState, Proof
from goldsmith.web import alias_words
from goldsmith.web import format as formats
from goldsmith.web.forms import FormField
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.models.merged_views import MergedView
from goldsmith.web.needs import Need
from goldsmith.web.pages import Page
from goldsmith.web.parts import ReceiptLine
from goldsmith.web.resting import Rest


@dataclass(frozen=True)
class ModelLine:
    """A model as a line of a list."""

    id: str
    name: str
    about: str
    badges: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True)
class EngineCard:
    """An engine, and how it is."""

    name: str
    badge: str
    message: str
    facts: str
    address: str = ""


@dataclass(frozen=True)
class Getting:
    """A job that brings a model, and why it failed."""

    job: JobLine
    failure: JobFailure | None


@dataclass(frozen=True)
class BuiltinLine:
    """A model that comes with Goldsmith and is not here yet."""

    name: str
    about: str


@dataclass(frozen=True)
class ModelsPage(Page):
    """Every model, how to get more, and the engines."""

    template: ClassVar[str] = "models/models.html"
    current: ClassVar[str] = "models"
    tuned: tuple[ModelLine, ...]
    bases: tuple[ModelLine, ...]
    engines: tuple[EngineCard, ...]
    needs: tuple[Need, ...]
    getting: tuple[Getting, ...]
    builtins: tuple[BuiltinLine, ...]
    fields: tuple[FormField, ...]
    hub_fields: tuple[FormField, ...]
    roots: tuple[str, ...]
    can_train: bool


@dataclass(frozen=True)
class Rung:
    """A rung of what a deployment goes through: loaded, proved, default."""

    badge: str
    fact: str


@dataclass(frozen=True)
class Metric:
    """Something that was measured, when and by what; or that it was not."""

    name: str
    value: str | None
    note: str
    by: str = ""
    by_href: str = ""


@dataclass(frozen=True)
class Link:
    """A station of the lineage; without an address it is the model itself."""

    icon: str
    words: str
    href: str | None
    fact: str


@dataclass(frozen=True)
class HistoryLine:
    """Something that changed about what is live."""

    at: datetime
    what: str
    who: str
    why: str


@dataclass(frozen=True)
class ReceiptView:
    """A receipt for `parts/receipt.html`."""

    state: str
    says: str
    lines: tuple[ReceiptLine, ...]
    foot: str


@dataclass(frozen=True)
class Live:
    """How the model stands on its engine, and what can be done now."""

    rungs: tuple[Rung, ...]
    engine: EngineCard | None
    message: str
    is_wanted: bool
    is_proved: bool
    is_default: bool
    can_undo: str
    """The name of the model that was the default before; "" when nothing can be undone."""


@dataclass(frozen=True)
class ModelPage(Page):
    """One fine-tuned model."""

    template: ClassVar[str] = "models/model.html"
    current: ClassVar[str] = "models"
    id: str
    lead: str
    live: Live
    merged: MergedView | None
    name_there: str
    """What its provider calls it; empty for a model whose files are here."""
    proving: JobLine | None
    receipt: ReceiptView | None
    metrics: tuple[Metric, ...]
    address: str
    lineage: tuple[Link, ...]
    comparisons: tuple[Link, ...]
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True)
class BasePage(Page):
    """One base model."""

    template: ClassVar[str] = "models/base.html"
    current: ClassVar[str] = "models"
    id: str
    lead: str
    live: Live
    receipt: ReceiptView | None
    speed: str
    facts: tuple[tuple[str, str], ...]
    children: tuple[ModelLine, ...]
    address: str
    history: tuple[HistoryLine, ...]


def badges_of(item: ActiveModel | None) -> tuple[str, ...]:
    """How a model stands, as badges."""
    if item is None:
        return ()
    shown = ["loaded"] if item.is_live else ["starting"] if item.deployment.is_wanted else []
    proof = Proof(item.deployment.proof)
    shown += {Proof.PROVED: ["proved"], Proof.PROVING: ["proving"], Proof.REFUSED: ["refused"]}.get(proof, [])
    return (*shown, *(["default"] if DEFAULT_ALIAS in item.aliases else []))


def tuned_line(row: FineTunedModel, item: ActiveModel | None) -> ModelLine:
    """A fine-tuned model as a line."""
    right = f", {formats.share(row.gold_star_rate)} of its exam right" if row.gold_star_rate is not None else ""
    about = f"{formats.counted(row.training_sample_count, 'gold star')} on {row.base_model}{right}"
    return ModelLine(row.id, row.name, about, badges_of(item), row.created_at)


def base_line(row: BaseModel, item: ActiveModel | None) -> ModelLine:
    """A base model as a line."""
    about = f"{parameters(row.num_parameters)}, {formats.size(row.size_bytes)}, {row.licence or 'licence not known'}"
    return ModelLine(row.id, row.name, about, badges_of(item), row.created_at)


def getting_line(job: Job) -> Getting:
    """A job that brings a model."""
    is_failed = job.state == JobState.FAILED.value and job.failure is not None
    return Getting(job_line(job), JobFailure(**(job.failure or {})) if is_failed else None)


def builtin_line(model: Builtin) -> BuiltinLine:
    """A model that can be had at once."""
    return BuiltinLine(model.name, f"{formats.size(model.download_bytes)} to fetch, licence {model.licence}")


def engine_card(row: Engine, rest: Rest | None = None) -> EngineCard:
    """An engine and how it is."""
    state = EngineState(row.state)
    facts = {"ours": "on this machine", "attached": f"attached at {row.url}"}.get(row.kind, f"outside, at {row.url}")
    if state is EngineState.READY and row.ready_at is not None:
        facts += f", ready since {formats.moment(row.ready_at)}"
    if rest is not None:
        return EngineCard(row.name, "resting", rest.sentence, facts, rest.address)
    return EngineCard(row.name, state.value, row.message, facts)


def live_of(item: ActiveModel | None, receipt: Receipt | None, before: str) -> Live:
    """How a model stands on its engine."""
    if item is None:
        return Live((), None, "", is_wanted=False, is_proved=False, is_default=False, can_undo="")
    is_default = DEFAULT_ALIAS in item.aliases
    return Live(
        rungs=_rungs(item, receipt),
        engine=engine_card(item.engine),
        message=item.deployment.message,
        is_wanted=item.deployment.is_wanted,
        is_proved=item.deployment.is_wanted and Proof(item.deployment.proof).allows_default,
        is_default=is_default,
        can_undo=before if is_default else "",
    )


def receipt_view(receipt: Receipt, item: ActiveModel | None) -> ReceiptView:
    """The newest receipt; while it is made again, that is said."""
    is_proving = item is not None and item.deployment.proof == Proof.PROVING.value
    state = "proving" if is_proving else "proved" if receipt.is_green else "refused"
    lines = tuple(
        ReceiptLine(str(line["name"]).capitalize(), str(line["value"]), bool(line["is_ok"]), _expected(line))
        for line in receipt.lines
    )
    rows = receipt.num_learn_rows + receipt.num_exam_rows
    foot = (
        f"Measured through the engine at {formats.moment(receipt.measured_at)}, "
        f"in {formats.duration(receipt.duration_s)}, on {formats.counted(rows, 'row')}."
    )
    return ReceiptView(state, receipt.reason, lines, foot)


def metrics_of(
    row: FineTunedModel, tuned: ComparisonArm | None, names: Mapping[str, tuple[str, str]]
) -> tuple[Metric, ...]:
    """Every metric, with its unit, when and by what it was measured. `names` is (words, address) of what measured."""
    figures = (tuned.figures or {}) if tuned is not None else {}
    right = None
    if figures:
        low, high = 100 * figures["low"], 100 * figures["high"]
        right = f"{figures['num_right']:,} of {figures['num_rows']:,} ({low:.0f} to {high:.0f} %)"
    elif row.gold_star_rate is not None:
        right = formats.share(row.gold_star_rate)

    def metric(column: str, name: str, value: str | None, note: str = "") -> Metric:
        measured: dict[str, Any] = row.measured_at.get(column) or {}
        words, href = names.get(str(measured.get("by", "")), ("", ""))
        at = formats.moment(datetime.fromisoformat(measured["at"])) if measured.get("at") else ""
        return Metric(name, value, ", ".join(part for part in (note, at) if part), words, href)

    number, size = formats.number, formats.size
    return (
        metric("gold_star_rate", "Right on the exam", right),
        metric(
            "win_rate",
            "Win rate",
            _maybe(row.win_rate, formats.share),
            "against its base; equal rows count half, so 50 % is no better",
        ),
        metric("consistency_score", "Same answer twice", _maybe(row.consistency_score, formats.share)),
        metric("latency_ms", "Time an answer", _maybe(row.latency_ms, lambda ms: f"{number(ms)} ms"), "alone"),
        metric("tokens_per_second", "Speed", _maybe(row.tokens_per_second, lambda n: f"{number(n)} tokens/s"), "alone"),
        metric("model_size_mb", "Size", _maybe(row.model_size_mb, lambda mb: size(mb * 1e6)), "its own files"),
        metric("final_loss", "Loss on learn rows", _maybe(row.final_loss, formats.loss), "mean of the last steps"),
        metric("final_loss", "Loss on exam rows", _maybe(row.exam_loss, formats.loss)),
        metric(
            "training_tokens_per_second",
            "Speed of the training",
            _maybe(row.training_tokens_per_second, lambda n: f"{number(n)} tokens/s"),
        ),
        metric(
            "training_tokens_per_second",
            "Memory of the training",
            _maybe(row.training_memory_mb, lambda mb: size(mb * 1e6)),
        ),
    )


def history_line(entry: DeploymentHistory, names: Mapping[str, str]) -> HistoryLine:
    """An entry of the history in words."""
    config = entry.deployment_config
    what = alias_words.change(entry, names) if config.get("alias") else alias_words.deed(entry)
    is_refused = config.get("because") == "refused"
    why = str(config.get("reason", "")) if is_refused else entry.notes
    return HistoryLine(entry.deployed_at, what, "by itself" if is_refused else entry.philosopher, why)


def base_facts(row: BaseModel) -> tuple[tuple[str, str], ...]:
    """What is known of a base model; of a provider's hardly anything."""
    if row.source == AT_PROVIDER:
        return (("Lives at", row.name.split(" at ")[-1]), ("Size", "known to its provider"))
    return (
        ("Size", formats.size(row.size_bytes)),
        ("Parameters", parameters(row.num_parameters)),
        ("Longest text", formats.tokens(row.context_length)),
        ("Licence", row.licence or "not known"),
        ("End of an answer", row.end_marker),
        ("Came from", _origin(row)),
        *((("Commit on the hub", row.hub_commit),) if row.hub_commit else ()),
        ("Content", row.content_hash[:16]),
    )


def _origin(row: BaseModel) -> str:
    words = {
        "merged": "a fine-tuned model, merged",
        "folder": "a folder on this machine",
        "gguf": "a GGUF file on this machine",
    }
    if row.source == "builtin":
        return f"Goldsmith's own list: a smaller copy of {row.hub_id}"
    return f"the hub, {row.hub_id}" if row.source == "hub" else words.get(row.source, row.source)


def parameters(number: int) -> str:
    """135 million parameters."""
    if number >= 1e9:
        return f"{number / 1e9:.1f} billion parameters"
    return f"{number / 1e6:.0f} million parameters" if number >= 1e6 else f"{number:,} parameters"


def _rungs(item: ActiveModel, receipt: Receipt | None) -> tuple[Rung, ...]:
    found, proof = item.deployment, Proof(item.deployment.proof)
    rungs = []
    if item.is_live:
        seconds = f", in {formats.duration(found.load_s)}, without a restart" if found.load_s is not None else ""
        rungs.append(Rung("loaded", f"{formats.moment(found.loaded_at)}{seconds}."))
    elif found.is_wanted:
        state = EngineState(item.engine.state)
        rungs.append(Rung(_NOT_LIVE[state], found.message or item.engine.message or "Waits for its engine."))
    else:
        rungs.append(Rung("not_loaded", found.message or "It is being taken off its engine."))
    if proof is not Proof.NOT_NEEDED:
        rungs.append(_proof_rung(proof, receipt))
    is_default = DEFAULT_ALIAS in item.aliases
    words = "Callers who name no model get it." if is_default else "Callers get it only by its name."
    rungs.append(Rung("default" if is_default else "not_default", words))
    return tuple(rungs)


_NOT_LIVE = {
    EngineState.READY: "starting",
    EngineState.STARTING: "starting",
    EngineState.STOPPED: "queued",
    EngineState.FAILED: "failed",
}


def _proof_rung(proof: Proof, receipt: Receipt | None) -> Rung:
    if proof is Proof.PROVED and receipt is not None:
        return Rung(
            "proved", f"{formats.moment(receipt.measured_at)}. The receipt is green. Proved again after every load."
        )
    if proof is Proof.REFUSED:
        return Rung("refused", "The receipt is red, so it was taken off the engine.")
    if proof is Proof.PROVING:
        return Rung("proving", "The engine is being asked for what was taught; usually under a minute.")
    return Rung("not_proved", "Goldsmith proves it by itself, soon after it is loaded.")


def _expected(line: Mapping[str, Any]) -> str:
    return f"wanted: {line['expected']}" if line.get("expected") else ""


def _maybe(value: float | None, words: Any) -> str | None:
    return None if value is None else str(words(value))


def arm_of(arms: Sequence[ComparisonArm]) -> ComparisonArm | None:
    """The tuned arm, if it was measured."""
    return next((arm for arm in arms if arm.name == "tuned" and arm.figures), None)
