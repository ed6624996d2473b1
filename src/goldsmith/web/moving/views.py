"""What the pages of a move show. Knows no request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from goldsmith.connect.openai.types import Part, Plan
from goldsmith.data.types import Upload
from goldsmith.web.format import counted
from goldsmith.web.job_lines import JobLine
from goldsmith.web.listing import Head
from goldsmith.web.pages import Page

FILE_HEADS = (Head("File"), Head("What it holds"), Head("What it is used for"))


@dataclass(frozen=True)
class NewMovePage(Page):
    """Choose files; what was brought before."""

    template: ClassVar[str] = "moving/new.html"
    current: ClassVar[str] = "data"
    moves: tuple[JobLine, ...]


@dataclass(frozen=True)
class FileLine:
    """One file, as it was recognised."""

    filename: str
    holds: str
    used_for: str


@dataclass(frozen=True)
class PlanPage(Page):
    """What would become of the files; nothing is made yet."""

    template: ClassVar[str] = "moving/plan.html"
    current: ClassVar[str] = "data"
    parts: tuple[Part, ...]
    files: tuple[FileLine, ...]
    notes: tuple[str, ...]
    kept: tuple[str, ...]
    """The files as the next form sends them."""
    has_answers: bool
    """Whether there are answers that get no star by themselves."""
    file_heads: ClassVar = FILE_HEADS


@dataclass(frozen=True)
class MadeLine:
    """What came of one part."""

    name: str
    facts: str
    links: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    error: str
    hint: str


@dataclass(frozen=True)
class MovePage(Page):
    """One move: how far it is, and what came of it."""

    template: ClassVar[str] = "moving/move.html"
    current: ClassVar[str] = "data"
    job: JobLine
    failure: Mapping[str, Any] | None
    made: tuple[MadeLine, ...]
    notes: tuple[str, ...]


def plan_page(plan: Plan) -> PlanPage:
    """A plan as a page."""
    files = tuple(FileLine(seen.upload.filename, seen.kind.words, seen.used_for) for seen in plan.files)
    kept = tuple(said(seen.upload) for seen in plan.files)
    has_answers = any(not part.is_starred for part in plan.parts)
    return PlanPage("What would become of these files", plan.parts, files, plan.notes, kept, has_answers)


def said(upload: Upload) -> str:
    """A kept file in one field of a form: its hash, and what it is called."""
    return f"{upload.sha256} {upload.filename}"


def made_line(part: Mapping[str, Any]) -> MadeLine:
    """What came of a part, with links to each thing."""
    links = [(words, address.format(part[key])) for key, words, address in _LINKS if part.get(key)]
    if part.get("num_learn") == 0:
        links = [("Exam" if words == "Training set" else words, address) for words, address in links]
    facts = [counted(part["num_rows"], "row")] if "num_rows" in part else []
    facts += [f"{part['num_bad_rows']:,} not taken"] if part.get("num_bad_rows") else []
    if "num_learn" in part:
        facts.append(f"{part['num_learn']:,} to learn from, {part['num_exam']:,} as the exam")
    judges = part.get("judges") or {}
    facts += (
        [f"{counted(len(judges), 'judge')} kept as {'a prompt' if len(judges) == 1 else 'prompts'}"] if judges else []
    )
    notes = tuple(part.get("notes") or ())
    return MadeLine(
        part["name"], " · ".join(facts), tuple(links), notes, part.get("error") or "", part.get("hint") or ""
    )


_LINKS = (
    ("dataset_id", "Dataset", "/data/{}"),
    ("run_id", "Starred answers", "/runs/{}"),
    ("training_set_id", "Training set", "/training-sets/{}"),
)
