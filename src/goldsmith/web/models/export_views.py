"""What the page of a model's exports shows, made from rows. Knows no request and asks no database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.web import format as formats
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.needs import Need
from goldsmith.web.pages import Page
from goldsmith.wire.export import Check, ExportForm, check_from


@dataclass(frozen=True)
class FormChoice:
    """A form in which the model can be taken away."""

    form: ExportForm
    name: str
    label: str
    """Of the button."""
    what: str
    size: str
    blocked_because: str = ""
    """Why it cannot be made yet."""


@dataclass(frozen=True)
class Difference:
    """A row that the export answered otherwise than the adapter."""

    adapter: str
    export: str


@dataclass(frozen=True)
class ExportLine:
    """An export: under way, there, or what became of it."""

    job: JobLine
    form: str
    made_at: datetime
    is_good: bool | None
    """None: not made."""
    reason: str
    file: str
    """Empty: its file was removed, or is not there yet."""
    size: str
    sha256: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class ExportsPage(Page):
    """A fine-tuned model's exports, and how to make one."""

    template: ClassVar[str] = "models/exports.html"
    current: ClassVar[str] = "models"
    id: str
    name: str
    base: str
    needs: tuple[Need, ...]
    choices: tuple[FormChoice, ...]
    exports: tuple[ExportLine, ...]


def choices_of(model: FineTunedModel, base: BaseModel, missing: Collection[str]) -> tuple[FormChoice, ...]:
    """What can be made, about how large it is, and what it waits for among the environments that are missing."""
    trainer = "The trainer makes it: install it first." if EnvironmentName.TRL in missing else ""
    converter = "The converter makes it: install it first." if EnvironmentName.GGUF in missing else ""
    adapter = formats.size(model.model_size_mb * 1e6) if model.model_size_mb is not None else "a few megabytes"
    return (
        FormChoice(
            ExportForm.ADAPTER,
            "Adapter",
            "Make the adapter",
            f"Only the weights that were trained. Whoever uses it needs {base.name} beside it.",
            adapter,
            trainer,
        ),
        FormChoice(
            ExportForm.MERGED,
            "Whole model",
            "Make the whole model",
            f"{base.name} with what was learned added to its weights, as 16-bit numbers. It stands alone, and any "
            "program that reads safetensors takes it.",
            formats.size(2 * base.num_parameters),
            trainer,
        ),
        FormChoice(
            ExportForm.GGUF,
            "For Ollama and llama.cpp (GGUF)",
            "Make the GGUF file",
            "The whole model as one file for programs that run models on laptops, with a Modelfile, so that "
            "“ollama create” knows its template and where to stop.",
            formats.size(2 * base.num_parameters),
            trainer or converter,
        ),
    )


def export_line(job: Job, path: Path | None) -> ExportLine:
    """A row as a line."""
    result: Mapping[str, Any] = (job.result or {}) if job.state == JobState.SUCCEEDED.value else {}
    return ExportLine(
        job=job_line(job),
        form=_FORMS.get(str(job.params.get("form")), ""),
        made_at=job.finished_at or job.created_at,
        is_good=result.get("is_good"),
        reason=str(result.get("reason", "")),
        file=path.name if path is not None else "",
        size=formats.size(result["size_bytes"]) if result else "",
        sha256=str(result.get("sha256", "")),
        differences=_differences(check_from(result["check"])) if result else (),
    )


def exports_page(
    model: FineTunedModel, base: BaseModel, needs: Mapping[str, Need], lines: Sequence[ExportLine]
) -> ExportsPage:
    """The page; `needs` are the environments that are missing."""
    return ExportsPage(
        title=f"Take {model.name} out",
        id=model.id,
        name=model.name,
        base=base.name,
        needs=tuple(needs.values()),
        choices=choices_of(model, base, needs),
        exports=tuple(lines),
    )


_FORMS = {"adapter": "Adapter", "merged": "Whole model", "gguf": "GGUF file"}


def _differences(check: Check) -> tuple[Difference, ...]:
    return tuple(Difference(row.adapter_answer, row.export_answer) for row in check.rows if not row.is_same)
