"""Why an engine is away, and for how long about."""

from tests.factories import make_base_model, make_person

from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.people.types import Person
from goldsmith.serve import resting, service
from goldsmith.storage.database import Database
from goldsmith.web.resting import rests


def test_how_long_it_stays_away_is_told_as_soon_as_its_job_tells_it(database: Database) -> None:
    with database.transaction() as session:
        person = make_person(session)
        by = Person(person.id, person.name, person.domain)
        engine = service.want_engine(session, make_base_model(session, by=by).id, by=by)
        queue.add(session, NewJob("training", "Train warmth", {}, needs_slot=True), by=by)
        job = queue.claim(session, machine="here", slot="cpu")
        assert job is not None
        assert rests(session, domain=by.domain) == {}
        resting.begin(session, job, [engine])
        rest = rests(session, domain=by.domain)[engine.id]
        assert rest.sentence.endswith("it starts again by itself, when that is over.")
        assert rest.address == f"/activity/{job.id}"
        job.progress = 0.5
        session.flush()
        assert "it starts again by itself, in about " in rests(session, domain=by.domain)[engine.id].sentence
        job.domain = "elsewhere"
        session.flush()
        assert rests(session, domain=by.domain)[engine.id].address == ""
        assert rests(session, domain="elsewhere") == {}
