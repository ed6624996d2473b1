"""Answers that are shown where their rows came from: which, once, after any death, and never in circles."""

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.factories import make_dataset_version, make_prompt_version, make_run
from tests.s3_stand_in import ACCESS_KEY
from tests.s3_stand_in import serving as serving_bucket
from tests.syncing import TICKETS, make_sqlite
from tests.unit.connect.offering.conftest import Offers

from goldsmith.connect.offering import queries, service
from goldsmith.connect.offering.errors import NotOfferable
from goldsmith.connect.offering.jobs import OfferKeeper
from goldsmith.connect.sources.errors import SourceRefused, SourceSilent
from goldsmith.connect.syncing import queries as connections
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.jobs.tables import Job
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import service as stars
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.storage import clock


def test_answers_stand_at_their_tasks_as_people_left_them(offers: Offers) -> None:
    at = offers.connect(6)
    run_id = offers.run(at)
    answers = offers.answers(run_id)
    with offers.syncs.database.transaction() as session:
        by = offers.syncs.person
        stars.mark(session, answers[1].id, MarkRequest(MarkKind.correction, "corrected"), by=by)
        stars.mark(session, answers[2].id, MarkRequest(MarkKind.bad), by=by)
        for answer, values in (
            (answers[3], {"finish_reason": "length"}),
            (answers[4], {"state": "failed"}),
            (answers[5], {"text": " "}),
        ):
            for name, value in values.items():
                setattr(session.get_one(Answer, answer.id), name, value)
    made = offers.offer(at, run_id)
    assert (made.num_new, made.num_same, made.num_not_taken) == (2, 0, 4)
    assert [each["reason"] for each in made.not_taken] == [
        "somebody has marked the answer as bad",
        "the answer was cut off",
        "the model gave no answer",
        "the answer is empty",
    ]
    name = f"a run ({run_id})"
    assert [offers.studio.predictions(number) for number in range(1, 7)] == [
        [(name, "answer 1")], [(name, "corrected")], [], [], [], []
    ]  # fmt: skip
    with offers.syncs.database.transaction() as session:
        stars.mark(session, answers[0].id, MarkRequest(MarkKind.bad), by=offers.syncs.person)
    again = offers.offer(at, run_id)
    assert (again.num_new, again.num_same) == (0, 1)
    assert offers.studio.predictions(1) == [], "one that is bad by now is taken back"


def test_what_goes_there_does_not_come_back_and_what_came_from_there_does_not_go_back(offers: Offers) -> None:
    at = offers.connect(2)
    offers.studio.annotate(1, "from there")
    first = offers.syncs.sync(at)
    assert first["num_changed"] == 1
    offers.offer(at, offers.run(at))
    after = offers.syncs.sync(at)
    assert (after["num_new"], after["num_changed"], after["version_id"]) == (0, 0, None)
    assert [text for _, text in offers.studio.predictions(1) + offers.studio.predictions(2)] == ["answer 1", "answer 2"]
    with offers.syncs.database.reading() as session:
        imported = [run for run in session.query(Run).all() if run.kind == "imported"]
    with offers.syncs.database.transaction() as session, pytest.raises(NotOfferable, match="not written by a model"):
        service.offer(session, at, imported[0].id, by=offers.syncs.person)


def test_after_a_death_it_goes_on_behind_what_was_kept_and_nothing_stands_there_twice(offers: Offers) -> None:
    at = offers.connect(250)
    run_id = offers.run(at)
    with offers.syncs.database.transaction() as session:
        job_id = service.offer(session, at, run_id, by=offers.syncs.person)[1].id
    looks = iter((False, True, True))
    assert offers.work(job_id, lambda: next(looks, True)).position == 100
    offers.studio.troubles = [400]
    with pytest.raises(Exception, match="refuses this"):
        offers.work(job_id)
    offers.studio.asked.clear()
    made = offers.work(job_id)
    assert (made.num_new, made.position) == (250, 250)
    assert offers.studio.asked.count("POST /api/projects/7/import/predictions") == 2
    assert [len(task["predictions"]) for task in offers.studio.tasks.values()] == [1] * 250


def test_a_source_that_is_away_fails_the_job_with_its_words(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goldsmith.connect.sources.label_studio.client.WAITS_S", ())
    at = offers.connect(1)
    run_id = offers.run(at)
    offers.studio.troubles = [503]
    with pytest.raises(SourceSilent, match="it says 503"):
        offers.offer(at, run_id)


def test_only_a_run_over_its_rows_is_offered_and_only_where_answers_are_taken(offers: Offers) -> None:
    at = offers.connect(1)
    address = make_sqlite(offers.syncs.folder / "shop.db")
    query = {"query": "SELECT id, question FROM tickets", "id_column": "id"}
    shop = offers.syncs.connect("sql", {"address": address, **query}, name="shop")
    offers.syncs.sync(shop.id)
    own = offers.run(at)
    with offers.syncs.database.transaction() as session:
        other = make_run(session, make_dataset_version(session), make_prompt_version(session)).id
    for connection_id, run_id, said in ((at, other, "did not ask about rows"), (shop.id, own, "only read")):
        with offers.syncs.database.transaction() as session, pytest.raises(NotOfferable, match=said):
            service.offer(session, connection_id, run_id, by=offers.syncs.person)


def test_asked_twice_it_is_one_job(offers: Offers) -> None:
    at = offers.connect(1)
    run_id = offers.run(at)
    with offers.syncs.database.transaction() as session:
        ids = {service.offer(session, at, run_id, by=offers.syncs.person)[1].id for _ in range(2)}
        assert len(ids) == 1
        assert [run.id for run in queries.runs(session, connections.one(session, at, domain="local"))] == [run_id]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_answers_of_a_run_that_ended_go_by_themselves_where_that_is_wanted(offers: Offers, is_wanted: bool) -> None:
    at = offers.connect(1, offer_answers=is_wanted)
    run_id, old = offers.run(at), offers.run(at)
    with offers.syncs.database.transaction() as session:
        old_job = session.get_one(Run, old).job_id
        session.get_one(Job, old_job).finished_at = clock.now() - timedelta(days=2)
    for _ in range(2):
        OfferKeeper(offers.syncs.database).tick(clock.now())
    with offers.syncs.database.reading() as session:
        found = [(made.run_id, made.is_by_itself) for made, _, _ in queries.offers(session, at)]
    assert found == ([(run_id, True)] if is_wanted else [])


def folder_of(offers: Offers, **options: Any) -> tuple[str, Path]:
    """A folder with three tickets, read once, and the file that its run's answers are in afterwards."""
    connection = offers.syncs.connect_folder()
    with offers.syncs.database.transaction() as session:
        session.get_one(SourceConnection, connection.id).options = {**connection.options, **options}
    offers.syncs.sync(connection.id)
    return connection.id, offers.syncs.folder / "goldsmith-answers"


def test_a_folder_gets_one_file_for_a_run_which_is_never_read_as_rows(offers: Offers) -> None:
    at, there = folder_of(offers, with_subfolders=True)
    there.parent.chmod(0o750)
    run_id = offers.run(at)
    answers = offers.answers(run_id)
    with offers.syncs.database.transaction() as session:
        by = offers.syncs.person
        stars.mark(session, answers[0].id, MarkRequest(MarkKind.correction, "corrected – “é”"), by=by)
        stars.mark(session, answers[1].id, MarkRequest(MarkKind.bad), by=by)
    made = offers.offer(at, run_id)
    assert (made.num_new, made.num_same, made.num_not_taken) == (2, 0, 1)
    assert [path.name for path in there.iterdir()] == [f"{run_id}.jsonl"]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (there, there / f"{run_id}.jsonl")]
    assert modes == [0o750, 0o640], "open to whom the folder is open"
    lines = [json.loads(line) for line in (there / f"{run_id}.jsonl").read_text().splitlines()]
    assert lines == [
        {"id": "1", "place": "tickets.csv, row 1", "answer": "corrected – “é”", "gold_star": True},
        {"id": "3", "place": "tickets.csv, row 3", "answer": "answer 3", "gold_star": False},
    ]
    again = offers.offer(at, run_id)
    assert (again.num_new, again.num_same) == (0, 2)
    after = offers.syncs.sync(at)
    assert (after["num_new"], after["num_changed"], after["version_id"]) == (0, 0, None)
    with offers.syncs.database.transaction() as session:
        stars.mark(session, answers[2].id, MarkRequest(MarkKind.bad), by=offers.syncs.person)
    assert offers.offer(at, run_id).num_new == 1
    assert len((there / f"{run_id}.jsonl").read_text().splitlines()) == 1, "one that is bad by now is taken back"


def test_a_file_is_whole_or_not_there_and_a_worker_that_was_stopped_begins_it_again(offers: Offers) -> None:
    offers.syncs.write([(number, f"{number}?", "") for number in range(1, 251)])
    connection = offers.syncs.connect("folder", {"path": str(offers.syncs.folder), "id_column": "id"})
    offers.syncs.sync(connection.id)
    run_id = offers.run(connection.id)
    with offers.syncs.database.transaction() as session:
        job_id = service.offer(session, connection.id, run_id, by=offers.syncs.person)[1].id
    looks = iter((False, False))
    assert offers.work(job_id, lambda: next(looks, True)).position == 0
    there = offers.syncs.folder / "goldsmith-answers"
    assert list(there.iterdir()) == [], "nothing half-written, whatever its name"
    made = offers.work(job_id)
    assert (made.num_new, len((there / f"{run_id}.jsonl").read_text().splitlines())) == (250, 250)


def test_nothing_is_written_outside_of_the_folder(offers: Offers, tmp_path: Path) -> None:
    at, there = folder_of(offers)
    outside = tmp_path / "outside"
    outside.mkdir()
    there.symlink_to(outside)
    with pytest.raises(SourceRefused, match="leads out of the folder"):
        offers.offer(at, offers.run(at))
    assert list(outside.iterdir()) == []


def test_a_bucket_gets_one_object_put_once_below_its_prefix(offers: Offers) -> None:
    with serving_bucket() as bucket:
        rows = [f"{number},{question}" for number, question, _ in TICKETS]
        bucket.objects = {"in/tickets.csv": "\n".join(["id,question", *rows, ""]).encode()}
        place = {"bucket": bucket.name, "endpoint": bucket.url, "access_key": ACCESS_KEY, "secret_key": "s3cret-word"}
        at = offers.syncs.connect("s3", {**place, "prefix": "in/", "id_column": "id"}).id
        offers.syncs.sync(at)
        run_id = offers.run(at)
        bucket.is_read_only = True
        with pytest.raises(SourceRefused, match="does not let us in") as told:
            offers.offer(at, run_id)
        assert "may read and write there" in told.value.hint
        bucket.is_read_only = False
        bucket.asked.clear()
        assert [offers.offer(at, run_id).num_new for _ in range(2)] == [3, 0]
        key = f"in/goldsmith-answers/{run_id}.jsonl"
        assert [path for path in bucket.asked if path.startswith("PUT")] == [f"PUT /{bucket.name}/{key}"]
        assert [json.loads(line)["id"] for line in bucket.objects[key].splitlines()] == ["1", "2", "3"]
        after = offers.syncs.sync(at)
        assert (after["num_new"], after["version_id"]) == (0, None)
