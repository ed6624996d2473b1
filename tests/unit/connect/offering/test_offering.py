"""Answers that are shown where their rows came from: which, once, after any death, and never in circles."""

from datetime import timedelta

import pytest
from tests.factories import make_dataset_version, make_prompt_version, make_run
from tests.unit.connect.offering.conftest import Offers

from goldsmith.connect.offering import queries, service
from goldsmith.connect.offering.errors import NotOfferable
from goldsmith.connect.offering.jobs import OfferKeeper
from goldsmith.connect.sources.errors import SourceSilent
from goldsmith.connect.syncing import queries as connections
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
    folder = offers.syncs.connect_folder(name="files")
    offers.syncs.sync(folder.id)
    own = offers.run(at)
    with offers.syncs.database.transaction() as session:
        other = make_run(session, make_dataset_version(session), make_prompt_version(session)).id
    for connection_id, run_id, said in ((at, other, "did not ask about rows"), (folder.id, own, "only read")):
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
