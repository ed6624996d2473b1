"""One click against what the checks have found: the same set without those rows. The old one stays as it is."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from goldsmith.people.types import Person
from goldsmith.stars import checks, queries
from goldsmith.stars import export as exporting
from goldsmith.stars.errors import ExportNotPossible
from goldsmith.stars.tables import TrainingSet
from goldsmith.stars.types import ExportRequest, SetFormat
from goldsmith.storage.files import Home

MAX_NAME = 255
_ENDING = ", cleaned"


def without(
    session: Session, home: Home, set_name: str, names: Sequence[str], *, name: str | None = None, by: Person
) -> TrainingSet:
    """A set of the same stars without the rows that these checks find; the one that is there when it would be the same.

    Raises TrainingSetNotFound, ExportNotPossible, NoStars.
    """
    old = queries.training_set(session, set_name, domain=by.domain)
    can_be_left_out = curable(old)
    for each in names:
        if each not in can_be_left_out:
            others = ", ".join(can_be_left_out) or "none of them has found any"
            raise ExportNotPossible(
                f"What {each[:64]!r} finds cannot be left out of {old.name}.", hint=f"These can be: {others}."
            )
    request = ExportRequest(
        name or f"{old.name[: MAX_NAME - len(_ENDING)]}{_ENDING}",
        SetFormat(old.format),
        exam_share=old.manifest["exam_share"],
        philosopher=old.philosopher,
        of_set=old.id,
        without=tuple(each for each in can_be_left_out if each in names),
    )
    return exporting.export(session, home, request, by=by)


def curable(training_set: TrainingSet) -> list[str]:
    """The checks that found something in the set which may be left out of it."""
    return checks.curable(line["check"] for line in training_set.manifest.get("lint", []))
