"""Stars become a training set: examples, sides, files, rows. The same stars give the same bytes and the same set.

The files are written before the rows are committed, the manifest last: a crash leaves at most a folder that nothing
refers to. `service/export` of the API, the command line and the pages all end here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from goldsmith.people.types import Person
from goldsmith.run import queries as run_queries
from goldsmith.run.tables import Run
from goldsmith.stars import checks, marked_bad, queries, sides
from goldsmith.stars.collecting import Collection
from goldsmith.stars.errors import ExampleDoesNotFit, ExportNotPossible, NoStars
from goldsmith.stars.formats import FORMATS
from goldsmith.stars.manifest import Manifest, ManifestBad, ManifestFile, ManifestStar, make_manifest
from goldsmith.stars.normalise import stratum_of
from goldsmith.stars.pairs import with_rejected
from goldsmith.stars.split import FEWEST_STARS
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.stars.types import BAD, Example, ExportRequest, Message, Side
from goldsmith.storage.files import Home, write_whole
from goldsmith.storage.ids import Prefix, new_id

STAR_RATING = 5
_FOUND = "found_by_"
"""Begins the reason of what was left out for a check's sake."""
_DROPPED_WORDS = {
    "nothing_asked": "stars whose prompt asks nothing with their row",
    "empty_answer": "stars on empty answers",
    "duplicate": "older stars on a row that a newer star is on",
    "asked_in_exam": "rows whose question stands in the exam",
}


def export(session: Session, home: Home, request: ExportRequest, *, by: Person) -> TrainingSet:
    """The training set of the stars in force; the one that is there when it would be the same.

    Raises NoStars, ExportNotPossible, ExampleDoesNotFit, RunNotFound.
    """
    _check(session, request, by)
    collection = Collection(session)
    runs = [run for run in (request.run_id, request.exam_run_id) if run]
    collection.collect(domain=by.domain, run_ids=runs, of_set=request.of_set)
    _leave_out_found(collection, request)
    lint = checks.report(collection.examples)
    examples = _without_duplicates(collection)
    if not examples:
        raise NoStars(_why_no_stars(session, request, collection, by))
    strata = dict(zip([example.row_key for example in examples], _strata(examples), strict=True))
    wanted = _wanted_sides(collection.examples, request.exam_run_id)
    placed = sides.place(session, examples, strata, share=request.exam_share, domain=by.domain, wanted=wanted)
    learn, exam = _without_leaks(with_rejected(session, examples, domain=by.domain), placed, collection)
    exam = _without_nearly_learned(learn, exam, collection) if checks.LEAKS in request.without else exam
    lint += checks.report_leaks(learn, exam)
    found = collection.bad(domain=by.domain, run_ids=runs, of_set=request.of_set)
    bad = marked_bad.to_learn(session, found, request, domain=by.domain, learn=learn, exam=exam)
    files = {Side.learn: _lines(session, learn, request), Side.exam: _lines(session, exam, request)}
    manifest = _manifest(request, {Side.learn: learn, Side.exam: exam}, strata, files, collection.dropped)
    manifest = manifest.with_bad(
        [ManifestBad(one.row_key, one.answer_id, one.starred_by, _sha256(one.expected)) for one in bad]
    )
    same = queries.same_set(session, manifest.sha256, domain=by.domain)
    training_set = same or _row(session, request, manifest, lint=lint, by=by)
    _write(home.root / training_set.folder, files, manifest)
    if same is None:
        strata = {**{example.row_key: marked_bad.STRATUM for example in bad}, **strata}
        for side, kept in ((Side.learn.value, learn), (Side.exam.value, exam), (BAD, bad)):
            _add_rows(session, training_set.id, side, kept, strata)
    return training_set


def _leave_out_found(collection: Collection, request: ExportRequest) -> None:
    """One check after the other, each on what the one before has left."""
    for name in request.without:
        if name != checks.LEAKS:
            collection.leave_out(checks.found_by(name, collection.examples), f"{_FOUND}{name}")


def _without_nearly_learned(learn: Sequence[Example], exam: Sequence[Example], collection: Collection) -> list[Example]:
    leaked = checks.found_leaks(learn, exam)
    collection.drop(f"{_FOUND}{checks.LEAKS}", len(leaked))
    return [example for example in exam if example.answer_id not in leaked]


def _check(session: Session, request: ExportRequest, by: Person) -> None:
    if not 0 <= request.exam_share < 1:
        raise ExportNotPossible(f"The exam's share is {request.exam_share}; it must be from 0 to below 1.")
    if request.min_rating is not None and not 1 <= request.min_rating <= STAR_RATING:
        raise ExportNotPossible(f"The least rating is {request.min_rating}; it must be from 1 to {STAR_RATING}.")
    for run_id in (request.run_id, request.exam_run_id):
        if run_id is not None:
            run_queries.one(session, run_id, domain=by.domain)


def _without_duplicates(collection: Collection) -> list[Example]:
    """One example a row, the newest star's; in an order that does not depend on when they were starred."""
    kept: dict[str, Example] = {}
    for example in collection.examples:
        if not example.expected.strip():
            collection.drop("empty_answer")
        elif example.row_key in kept:
            collection.drop("duplicate")
        else:
            kept[example.row_key] = example
    return [kept[key] for key in sorted(kept)]


def _strata(examples: Sequence[Example]) -> list[str]:
    return [stratum[:255] for stratum in stratum_of([example.expected for example in examples])]


def _wanted_sides(examples: Sequence[Example], exam_run_id: str | None) -> dict[str, Side]:
    """The side of each row where a whole run is the exam; a row of both runs is never learned."""
    if exam_run_id is None:
        return {}
    wanted = dict.fromkeys((example.row_key for example in examples), Side.learn)
    return wanted | {example.row_key: Side.exam for example in examples if example.run_id == exam_run_id}


def _without_leaks(
    examples: Sequence[Example], placed: Mapping[str, Side], collection: Collection
) -> tuple[list[Example], list[Example]]:
    """Learn and exam rows. What the exam asks is not learned, even where a column that is not asked differs."""
    exam = [example for example in examples if placed[example.row_key] is Side.exam]
    in_exam = {marked_bad.question(example) for example in exam}
    learn = []
    for example in examples:
        if placed[example.row_key] is Side.learn:
            if marked_bad.question(example) in in_exam:
                collection.drop("asked_in_exam")
            else:
                learn.append(example)
    return learn, exam


def _messages(example: Example) -> list[Message]:
    return [*example.asked, Message(role="assistant", content=example.expected)]


def _lines(session: Session, examples: Sequence[Example], request: ExportRequest) -> bytes:
    render = FORMATS[request.format]
    lines = []
    for example in examples:
        try:
            lines.append(render(_messages(example)) + "\n")
        except ExampleDoesNotFit as error:
            run = session.get_one(Run, example.run_id)
            message = f"Row {example.position} of {run.name}: {error.message}"
            raise ExampleDoesNotFit(message, hint=error.hint) from None
    return "".join(lines).encode("utf-8")


def _manifest(
    request: ExportRequest,
    examples: Mapping[Side, Sequence[Example]],
    strata: Mapping[str, str],
    files: Mapping[Side, bytes],
    dropped: Mapping[str, int],
) -> Manifest:
    stars = [
        ManifestStar(
            row_key=example.row_key,
            side=side,
            stratum=strata[example.row_key],
            answer_id=example.answer_id,
            starred_by=example.starred_by,
            is_corrected=example.is_corrected,
            expected_sha256=_sha256(example.expected),
            rejected_sha256=_sha256(example.rejected) if example.rejected is not None else None,
        )
        for side, kept in examples.items()
        for example in kept
    ]
    written = [
        ManifestFile(f"{side.value}.jsonl", hashlib.sha256(content).hexdigest(), len(content), len(examples[side]))
        for side, content in files.items()
    ]
    versions = [example.prompt_version_id for kept in examples.values() for example in kept]
    return make_manifest(
        stars,
        written,
        set_format=request.format,
        exam_share=request.exam_share,
        dropped=dropped,
        prompt_version_ids=versions,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(folder: Path, files: Mapping[Side, bytes], manifest: Manifest) -> None:
    """Also mends a set whose files are gone: the bytes are the same ones."""
    if (folder / "manifest.json").exists():
        return
    for side, content in files.items():
        write_whole(folder / f"{side.value}.jsonl", content)
    write_whole(folder / "manifest.json", manifest.canonical_bytes)


def _row(
    session: Session, request: ExportRequest, manifest: Manifest, *, lint: list[dict[str, Any]], by: Person
) -> TrainingSet:
    set_id = new_id(Prefix.TRAINING_SET)
    counts: Any = manifest.content["counts"]
    versions: Any = manifest.content["prompt_versions"]
    summary = {name: value for name, value in manifest.content.items() if name not in ("stars", "bad")}
    training_set = TrainingSet(
        id=set_id,
        name=_name(session, request, counts["num_stars"]),
        format=request.format.value,
        folder=f"training-sets/{set_id}",
        content_hash=manifest.sha256,
        num_learn=counts["num_learn"],
        num_exam=counts["num_exam"],
        num_dropped=counts["num_dropped"],
        manifest={**summary, "lint": lint, "notes": _notes(manifest), "made_from": request.of_set},
        prompt_version_id=versions[0] if len(versions) == 1 else None,
        philosopher=request.philosopher,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(training_set)
    session.flush()
    return training_set


def _name(session: Session, request: ExportRequest, num_stars: int) -> str:
    if request.name and request.name.strip():
        return request.name.strip()[:255]
    if request.run_id is not None:
        return f"Stars of {session.get_one(Run, request.run_id).name}"[:255]
    return f"{num_stars:,} gold star{'s' if num_stars != 1 else ''}"


def _notes(manifest: Manifest) -> list[str]:
    """What a person has to know about the set, in sentences."""
    counts: Any = manifest.content["counts"]
    dropped: Any = manifest.content["dropped"]
    notes = []
    if counts["num_exam"] == 0 and counts["num_stars"] < FEWEST_STARS:
        notes.append(
            f"There is no exam: that takes {FEWEST_STARS} stars, and there are {counts['num_stars']}. "
            "Without an exam nobody can see whether a training has helped."
        )
    elif counts["num_exam"] == 0:
        notes.append("There is no exam, so nobody can see whether a training has helped.")
    notes += [f"Left out: {num:,} {_dropped_words(reason, num)}." for reason, num in dropped.items()]
    return notes


def _dropped_words(reason: str, num: int) -> str:
    if reason.startswith(_FOUND):
        what = "row" if num == 1 else "rows"
        return f"{what} that a check has found ({checks.title_of(reason.removeprefix(_FOUND))})"
    return _DROPPED_WORDS.get(reason, reason)


def _add_rows(session: Session, set_id: str, side: str, examples: Sequence[Example], strata: Mapping[str, str]) -> None:
    rows = [
        {
            "training_set_id": set_id,
            "side": side,
            "position": position,
            "row_id": example.row_id,
            "answer_id": example.answer_id,
            "mark_id": example.mark_id,
            "stratum": strata[example.row_key],
            "messages": _messages(example),
            "expected": example.expected,
            "rejected": example.rejected,
            "rejected_answer_id": example.rejected_answer_id,
        }
        for position, example in enumerate(examples, start=1)
    ]
    if rows:
        session.execute(insert(TrainingSetRow), rows)


def _why_no_stars(session: Session, request: ExportRequest, collection: Collection, by: Person) -> str:
    """The nearest reason."""
    if collection.examples or collection.dropped:
        reasons = [f"{num:,} {_dropped_words(reason, num)}" for reason, num in sorted(collection.dropped.items())]
        return f"Not one star can be exported. There are {' and '.join(reasons)}."
    elsewhere = queries.num_stars(session, domain=by.domain)
    if request.run_id is not None and elsewhere:
        run = session.get_one(Run, max(elsewhere, key=lambda run_id: (elsewhere[run_id], run_id)))
        return f"This run has no gold star in force. {run.name} has {elsewhere[run.id]:,}."
    num_runs = session.scalar(select(func.count()).select_from(Run).where(Run.domain == by.domain)) or 0
    if num_runs == 0:
        return "There are no runs yet, so there is nothing that could have a star."
    num_answers = queries.num_answers(session, domain=by.domain)
    if num_answers == 0:
        return "No run has an answer yet."
    return f"None of the {num_answers:,} answers has a gold star in force."
