"""What ends is told once, signed, and sent again until it arrives."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook as Verifier
from tests.factories import MakeDatabase, make_base_model, make_job, make_person
from tests.unit.webhooks.listening import Listener, listening

from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.serve import service as serve
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.webhooks import queries, service
from goldsmith.webhooks.errors import AddressNotAllowed, EventUnknown
from goldsmith.webhooks.keeper import WebhookKeeper
from goldsmith.webhooks.tables import Webhook, WebhookMessage

pytestmark = pytest.mark.enable_socket
OWN = ("localhost",)


@dataclass
class Scene:
    """A database, a keeper, and a program that listens."""

    database: Database
    home: Home
    listener: Listener
    webhook_id: str = ""
    secret: str = ""

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.transaction() as session:
            yield session

    def add(self, *events: str) -> None:
        with self.writing() as session:
            url = f"{self.listener.url}/hook"
            webhook, self.secret = service.add(
                session, self.home, url, by=make_person(session), events=events, own_hosts=OWN
            )
            self.webhook_id = webhook.id

    def end_job(self, *, domain: str = "local", kind: str = "training", is_good: bool = True) -> str:
        with self.writing() as session:
            job = make_job(session, by=make_person(session, domain=domain), kind=kind)
            queue.claim(session, machine="m", slot=None)
            queue.move(session, job, JobState.RUNNING, "its program was started")
            if is_good:
                queue.finish(session, job)
            else:
                queue.fail(session, job, JobFailure("oom", "It ran out of memory.", "Use fewer rows."))
            return job.id

    def tick(self, keeper: WebhookKeeper | None = None, *, later: timedelta = timedelta()) -> WebhookKeeper:
        keeper = keeper or WebhookKeeper(self.database, self.home, own_hosts=OWN)
        keeper._next_look = 0.0
        keeper.tick(clock.now() + later)
        keeper.wait()
        return keeper

    def messages(self) -> list[WebhookMessage]:
        with self.database.reading() as session:
            return list(session.scalars(select(WebhookMessage).order_by(WebhookMessage.id)))

    def bodies(self) -> list[dict[str, Any]]:
        verify = Verifier(self.secret).verify
        return [verify(heard.body, heard.headers) for heard in self.listener.heard]


@pytest.fixture
def scene(make_database: MakeDatabase, tmp_path: Path) -> Iterator[Scene]:
    with listening() as listener:
        yield Scene(make_database(), Home(tmp_path / "home").prepare(), listener)


def test_the_end_of_a_job_is_told_once_and_signed(scene: Scene) -> None:
    scene.end_job()
    scene.add()
    job_id = scene.end_job()
    keeper = scene.tick()
    scene.tick(keeper)
    scene.tick()
    assert [(body["type"], body["data"]["id"]) for body in scene.bodies()] == [("job.succeeded", job_id)]
    message = scene.messages()[0]
    assert (message.state, message.last_status, message.num_tries) == ("delivered", 204, 1)
    assert scene.listener.heard[0].headers["webhook-id"] == message.id


def test_only_what_was_asked_for_is_told_and_only_to_ones_own(scene: Scene) -> None:
    scene.add("job.failed")
    scene.end_job()
    scene.end_job(domain="elsewhere", is_good=False)
    scene.end_job(kind="prove", is_good=False)
    failed = scene.end_job(is_good=False)
    scene.tick()
    assert [body["data"]["id"] for body in scene.bodies()] == [failed]
    assert scene.bodies()[0]["data"]["because"] == "It ran out of memory."


def test_another_default_is_told(scene: Scene) -> None:
    scene.add()
    with scene.writing() as session:
        person = make_person(session)
        model = make_base_model(session, by=person)
        serve.deploy(session, model.id, by=person)
        serve.switch(session, model.id, by=person)
        model_id = model.id
    keeper = scene.tick()
    scene.tick(keeper)
    body = scene.bodies()
    assert [each["type"] for each in body] == ["default.changed"]
    assert (body[0]["data"]["model_id"], body[0]["data"]["by"]) == (model_id, "Ada")


def test_what_did_not_arrive_is_sent_again_later_with_the_same_id(scene: Scene) -> None:
    scene.add()
    scene.listener.statuses = [500, 204]
    scene.end_job()
    keeper = scene.tick()
    message = scene.messages()[0]
    assert (message.state, message.last_status) == ("waiting", 500)
    scene.tick(keeper)
    assert len(scene.listener.heard) == 1
    scene.tick(keeper, later=timedelta(seconds=6))
    assert scene.messages()[0].state == "delivered"
    assert len({heard.headers["webhook-id"] for heard in scene.listener.heard}) == 1
    assert len(scene.listener.heard) == 2


def test_after_the_last_try_it_is_dead_until_somebody_sends_it_again(scene: Scene) -> None:
    scene.add()
    scene.listener.statuses = [500]
    scene.end_job()
    keeper = scene.tick()
    for _ in service.WAITS:
        scene.tick(keeper, later=timedelta(days=30))
    message = scene.messages()[0]
    assert (message.state, message.num_tries) == ("dead", 1 + len(service.WAITS))
    scene.tick(keeper, later=timedelta(days=60))
    assert len(scene.listener.heard) == message.num_tries
    scene.listener.statuses = [204]
    with scene.writing() as session:
        service.send_again(session, scene.webhook_id, message.id, by=make_person(session))
    scene.tick(keeper, later=timedelta(seconds=1))
    assert scene.messages()[0].state == "delivered"


def test_one_that_says_it_is_gone_is_told_nothing_more(scene: Scene) -> None:
    scene.add()
    scene.listener.statuses = [410]
    scene.end_job()
    keeper = scene.tick()
    scene.end_job()
    scene.tick(keeper)
    assert len(scene.listener.heard) == 1
    with scene.database.reading() as session:
        assert not session.get_one(Webhook, scene.webhook_id).is_on


def test_a_keeper_that_died_in_the_midst_is_followed_by_one_that_sends(scene: Scene) -> None:
    scene.add()
    scene.end_job()
    with scene.writing() as session:
        webhooks = queries.switched_on(session)
        service.tell_ends(session, webhooks, queries.ends_after(session, 0))
        assert service.take(session, queries.messages(session, scene.webhook_id)[0].id, clock.now())
    keeper = scene.tick()
    assert scene.listener.heard == []
    scene.tick(keeper, later=service.HELD + timedelta(seconds=1))
    assert len(scene.bodies()) == 1


def test_two_keepers_send_a_message_once(scene: Scene) -> None:
    scene.add()
    scene.end_job()
    with scene.writing() as session:
        service.tell_ends(session, queries.switched_on(session), queries.ends_after(session, 0))
        message_id = queries.messages(session, scene.webhook_id)[0].id
        later = clock.now() + timedelta(seconds=1)
        assert service.take(session, message_id, later)
        assert not service.take(session, message_id, later)


def test_without_its_secret_nothing_is_sent_and_that_is_said(scene: Scene) -> None:
    scene.add()
    service.secret_path(scene.home, scene.webhook_id).unlink()
    scene.end_job()
    scene.tick()
    assert scene.listener.heard == []
    assert "secret is not on this machine" in scene.messages()[0].last_error


def test_the_secret_is_in_a_file_of_its_owner_and_nowhere_else(scene: Scene) -> None:
    scene.add()
    path = service.secret_path(scene.home, scene.webhook_id)
    assert path.stat().st_mode & 0o077 == 0
    with scene.writing() as session:
        row = session.get_one(Webhook, scene.webhook_id)
        stored = json.dumps([getattr(row, column.key) for column in Webhook.__table__.columns], default=str)
        assert scene.secret not in stored
        service.remove(session, scene.home, scene.webhook_id, by=make_person(session))
    assert not path.exists()


def test_delivered_messages_are_not_kept_for_ever(scene: Scene) -> None:
    scene.add()
    scene.end_job()
    scene.tick()
    with scene.writing() as session:
        message = queries.messages(session, scene.webhook_id)[0]
        message.delivered_at = clock.now() - timedelta(days=31)
        session.flush()
        service.forget_delivered(session)
    assert scene.messages() == []


def test_what_cannot_be_told_or_reached_is_refused_at_once(scene: Scene) -> None:
    with scene.writing() as session:
        person = make_person(session)
        with pytest.raises(EventUnknown):
            service.add(session, scene.home, scene.listener.url, by=person, events=["test"], own_hosts=OWN)
        with pytest.raises(AddressNotAllowed):
            service.add(session, scene.home, scene.listener.url, by=person)
        assert queries.page(session, domain=person.domain) == []


def test_a_new_secret_makes_the_old_one_worthless(scene: Scene) -> None:
    scene.add()
    with scene.writing() as session:
        scene.secret = service.renew(session, scene.home, scene.webhook_id, by=make_person(session))
    scene.end_job()
    scene.tick()
    assert len(scene.bodies()) == 1


def test_it_costs_nothing_while_there_is_no_webhook(scene: Scene) -> None:
    scene.end_job()
    scene.tick()
    assert scene.messages() == []
