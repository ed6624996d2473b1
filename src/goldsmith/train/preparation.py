"""Before a training: its rows rendered for the base model, and everything the child needs put into the job folder.

Rendered rows are kept beside the training set, by base model and rendering version, so the next training of the same
pair only copies them. A job folder whose order is there already is left as it is: a checkpoint belongs to an order.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.jobs import program
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.models import rendering
from goldsmith.models.rendered_file import Lesson, RenderedFile, RowProblem, render_set
from goldsmith.models.rendering import Renderer
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import Learns
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.stars.types import BAD
from goldsmith.storage.database import Database
from goldsmith.storage.files import sha256_of, write_whole
from goldsmith.train.backends.base import Plan
from goldsmith.train.errors import OnlyOneKind
from goldsmith.train.look import check_end_marker, row_limit, why_one_sided
from goldsmith.train.shares import in_share
from goldsmith.wire.order import DataFile, Order

SIDES = ("learn", "exam")


@dataclass(frozen=True)
class Preparation:
    """What one training is prepared from."""

    job_id: str
    name: str
    """What the new model is called."""
    training_set_id: str
    model_id: str
    base: BaseModel
    base_folder: Path
    set_folder: Path
    plan: Plan
    device: str
    num_threads: int
    share: float = 1.0
    """The share of the rows that is learned from."""


def prepare(database: Database, preparation: Preparation, folder: JobFolder) -> list[RowProblem]:
    """Fill the job folder; returns the rows that are left out, each with its reason. Raises JobFailed."""
    program.copy_program(folder, preparation.plan.program)
    if folder.order.exists():
        return []
    renderer = Renderer.open(preparation.base_folder)
    check_end_marker(renderer)
    rendered = {side: _rendered(database, preparation, renderer, side) for side in SIDES}
    _check(rendered["learn"], preparation.plan.learns)
    files = {side: _data_file(rendered[side], side, folder) for side in SIDES}
    versions = {"rendering": str(rendering.RENDERING_VERSION)}
    write_order(preparation, folder, files, template_hash=renderer.template_hash, versions=versions)
    return [*rendered["learn"].problems, *rendered["exam"].problems]


def _check(learn: RenderedFile, learns: Learns) -> None:
    """Raises JobFailed where nothing can be learned."""
    if learn.num_learned_tokens == 0:
        first = learn.problems[0].reason if learn.problems else "the set is empty"
        raise JobFailed(
            f"Not one row has anything to learn. The first: {first}",
            hint="Mend or leave out the rows that are named, and export the training set again.",
            kind="nothing_to_learn",
        )
    one_sided = why_one_sided(learn.num_rows - learn.num_bad, learn.num_bad) if learns is Learns.marks else ""
    if one_sided:
        raise JobFailed(one_sided, hint=OnlyOneKind.default_hint, kind="only_one_kind")


def _rendered(database: Database, preparation: Preparation, renderer: Renderer, side: str) -> RenderedFile:
    max_tokens = row_limit(renderer, preparation.plan.settings.get("max_length"))
    learns = preparation.plan.learns if side == "learn" else Learns.answers
    ending = "" if learns is Learns.answers else f"-{learns}"
    share = preparation.share if side == "learn" else 1.0
    ending += f"-{share:g}" if share < 1 else ""
    key = f"{preparation.base.content_hash[:16]}-{rendering.RENDERING_VERSION}-{max_tokens}{ending}"
    path = preparation.set_folder / "rendered" / key / f"{side}.jsonl"
    with database.reading() as session:
        lessons = lessons_of(session, preparation.training_set_id, side, share=share)
        if learns is Learns.marks:
            lessons = chain(lessons, lessons_of(session, preparation.training_set_id, BAD, share=share))
        return render_set(lessons, renderer, max_tokens=max_tokens, path=path, learns=learns)


def lessons_of(session: Session, training_set_id: str, side: str, *, share: float = 1.0) -> Iterator[Lesson]:
    """The rows of one side in their order; of a share only those that belong to it."""
    query = select(TrainingSetRow).where(TrainingSetRow.training_set_id == training_set_id, TrainingSetRow.side == side)
    rows = list(session.scalars(query.order_by(TrainingSetRow.position)))
    wanted = in_share([(row.row_id, row.stratum) for row in rows], share)
    for row in rows:
        if row.row_id in wanted:
            yield Lesson(row.row_id, list(row.messages), row.rejected, is_bad=side == BAD)


def _data_file(rendered: RenderedFile, side: str, folder: JobFolder) -> DataFile:
    target = folder.data / f"{side}.jsonl"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(rendered.path, target)
    if sha256_of(target) != rendered.sha256:
        raise JobFailed(
            "A copy of the rows differs from its original.",
            hint="Check the disk, then resume the training.",
            kind="bad_copy",
        )
    return DataFile(
        path=f"data/{side}.jsonl",
        sha256=rendered.sha256,
        num_rows=rendered.num_rows,
        num_tokens=rendered.num_tokens,
        num_learned_tokens=rendered.num_learned_tokens,
    )


def write_order(
    preparation: Preparation,
    folder: JobFolder,
    files: Mapping[str, DataFile],
    *,
    template_hash: str = "",
    versions: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Tell the child what it is to do, and a person how to run it by hand."""
    base = preparation.base
    order = Order(
        job_id=preparation.job_id,
        program=preparation.plan.program,
        model_id=preparation.model_id,
        model_name=preparation.name,
        base_model_id=base.id,
        base_model_name=base.hub_id or base.name,
        base_model_folder=str(preparation.base_folder),
        base_model_hash=base.content_hash,
        template_hash=template_hash,
        learn=files["learn"],
        exam=files["exam"] if files["exam"].num_rows else None,
        settings=preparation.plan.settings,
        device=preparation.device,
        num_threads=preparation.num_threads,
        versions=dict(versions),
    )
    write_whole(folder.order, order.to_json())
    by_hand = program.command(Path("PYTHON"), order.program, ("--order", "../job.json", "--attempt", "1"))
    program.write_readme(folder, f"Training {preparation.name}", by_hand)
