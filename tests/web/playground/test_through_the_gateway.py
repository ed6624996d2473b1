"""A form of the playground is answered over the same routes, by the same engine, as a program's request."""

from pathlib import Path

from starlette.testclient import TestClient
from tests.web.conftest import ORIGIN
from tests.web.gateway_site import BASE, ENGINE, ENGINE_KEY, TUNED, GatedEngine, deployment, engine_row, models_of

from goldsmith import app
from goldsmith.people import service as people
from goldsmith.serve import outside, service, traffic
from goldsmith.serve.types import key_path
from goldsmith.settings import Settings
from goldsmith.storage.files import write_whole
from goldsmith.testing.fake_answers import Adapter
from goldsmith.testing.fake_engine import FakeEngine
from goldsmith.web.factory import Routers
from goldsmith.web.playground import handlers


def test_a_form_is_answered_by_the_engine_and_by_the_provider(tmp_path: Path, database_url: str) -> None:
    parts = app.assemble(Settings(home=tmp_path / "home", database_url=database_url))
    write_whole(parts.home.root / key_path(ENGINE), ENGINE_KEY)
    theirs = FakeEngine("large-1", answer=lambda model, *_: f"{model} from outside", key="provider-key")
    with GatedEngine() as engine, theirs:
        engine.adapters[TUNED] = Adapter(TUNED, tmp_path, has_effect=True)
        with parts.database.transaction() as session:
            person = people.known_by_name(session, "Ada")
            session.add_all(models_of(person))
            session.flush()
            session.add(engine_row(engine.url, person))
            session.flush()
            session.add_all(deployment(model_id, person) for model_id in (BASE, TUNED))
            session.flush()
            service.switch(session, TUNED, by=person)
            provider = outside.add_provider(session, f"{theirs.url}/v1", model="large-1", by=person)
        write_whole(parts.home.root / key_path(provider.id), "provider-key")
        web = app.make_asgi(parts, Routers([handlers.pages]))
        headers = {"origin": ORIGIN, "accept": "text/html"}
        with TestClient(web, base_url=ORIGIN, headers=headers, follow_redirects=False) as browser:
            assert browser.post("/hello", data={"name": "Ada"}).status_code == 303
            page = browser.post("/playground", data={"a": "default", "b": provider.id, "question": "Hello"}).text
    assert f"{TUNED} says hello" in page
    assert "large-1 from outside" in page
    with parts.database.reading() as session:
        counted = traffic.by_model(session, domain="local", alias="default")
    assert counted[TUNED].num_requests == 1
    assert page.count("ended by itself") == 2
    assert engine.requests[-1]["model"] == TUNED
    assert theirs.requests[-1]["model"] == "large-1"
    parts.database.dispose()
