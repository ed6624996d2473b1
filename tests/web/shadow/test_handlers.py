"""The page of a shadow and the API over the same, through HTTP, over a real database."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site, make_site
from tests.web.gateway_site import BASE, OTHER, TUNED, deployment, engine_row, models_of

from goldsmith.data.tables import Dataset
from goldsmith.people import service as people
from goldsmith.serve import aliases
from goldsmith.serve.kept.types import Exchange
from goldsmith.serve.shadow import queries, service
from goldsmith.serve.shadow.types import Pair
from goldsmith.serve.types import Part
from goldsmith.web.factory import Routers
from goldsmith.web.shadow import api, handlers

AT = "/aliases/support-desk/shadow"
FORM = {"model": OTHER, "percent": "20", "max_at_once": "1", "within_s": "30", "days": "3"}


@pytest.fixture
def shadow_site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    """An alias that leads to one of three deployed models."""
    switches: list[str] = []
    offers = {"after_switch": lambda: switches.append("switched"), "switches": switches}
    site = make_site(tmp_path, Routers([handlers.pages], [api.api]), offers=offers, database_url=database_url)
    with site.database.transaction() as session:
        person = people.known_by_name(session, "Ada")
        session.add_all(models_of(person))
        session.flush()
        session.add(engine_row("http://127.0.0.1:1", person))
        session.flush()
        session.add_all(deployment(model_id, person) for model_id in (BASE, TUNED, OTHER))
        session.flush()
        aliases.make(session, "support-desk", Part(TUNED, 1.0), by=person)
    yield site
    site.database.dispose()


def store(site: Site, *answers: str, question: str = "Where is <b>it</b>?") -> None:
    asked = b'{"prompt": "%s"}' % question.encode()
    own = ("local", "per_1", "", "support-desk", TUNED, "/v1/completions", asked, said("Here."))
    with site.database.transaction() as session:
        for answer in answers:
            sent = Exchange(*own, is_stream=False, duration_ms=5.0, at_s=time.time())
            pair = Pair(sent, OTHER, is_json_wanted=False, answer=said(answer), duration_ms=7.0)
            service.store(session, (pair if answer else Pair(sent, OTHER, False, error="It was away."),), {})


def said(text: str) -> bytes:
    return b'{"choices": [{"index": 0, "text": "%s"}]}' % text.encode()


def test_it_is_off_and_other_models_are_offered(shadow_site: Site) -> None:
    text = shadow_site.browser().get(AT).text
    assert "Nobody answers along now" in text
    assert f'value="{OTHER}"' in text
    assert f'value="{TUNED}"' not in text, "it answers already"
    assert shadow_site.browser().get("/aliases/nobody/shadow").status_code == 404


def test_it_begins_and_ends_on_the_page_and_the_gateway_hears_of_it(shadow_site: Site) -> None:
    client = shadow_site.browser()
    assert client.post(AT, data=FORM).status_code == 303
    text = client.get(AT).text
    assert "answers 20 % of the requests along, 1 at once at most, each within 30 s" in text
    assert "No pairs yet" in text
    assert f'value="{OTHER}" selected' in text
    assert 'value="20"' in text, "who changes one thing keeps the others"
    assert client.post(f"{AT}/stop").status_code == 303
    assert "It answers along no more" in client.get(AT).text
    assert shadow_site.web.state.web.offers["switches"] == ["switched", "switched"]


@pytest.mark.parametrize("wrong", [{"percent": "101"}, {"max_at_once": "33"}, {"within_s": "soon"}, {"model": TUNED}])
def test_what_cannot_be_is_refused_and_nothing_changes(shadow_site: Site, wrong: dict[str, str]) -> None:
    assert shadow_site.browser().post(AT, data=FORM | wrong).status_code == 422
    with shadow_site.database.reading() as session:
        assert queries.rules(session, domain="local") == []


def test_both_answers_stand_side_by_side_as_text_with_what_was_measured(shadow_site: Site) -> None:
    client = shadow_site.browser()
    client.post(AT, data=FORM)
    store(shadow_site, "Here.", "<i>There</i>", "")
    text = client.get(AT).text
    assert "Where is &lt;b&gt;it&lt;/b&gt;?" in text
    assert "&lt;i&gt;There&lt;/i&gt;" in text
    assert "It was away." in text
    assert "Word for word the same: 1 of 2 that both answered; different: 1." in text
    assert "0.007 s" in text


def test_many_pairs_come_in_pages(shadow_site: Site) -> None:
    client = shadow_site.browser()
    client.post(AT, data=FORM)
    store(shadow_site, "There.", question="The first?")
    store(shadow_site, *["There."] * 30)
    first = client.get(AT).text
    assert "The first?" not in first
    with shadow_site.database.reading() as session:
        last = queries.page(session, "support-desk", domain="local", limit=30)[-1].id
    assert f"before={last}" in first
    assert "The first?" in client.get(f"{AT}?before={last}").text


def test_pairs_become_a_dataset_and_are_deleted_by_buttons(shadow_site: Site) -> None:
    client = shadow_site.browser()
    assert client.post(f"{AT}/dataset").status_code == 409
    client.post(AT, data=FORM)
    store(shadow_site, "Here.")
    answer = client.post(f"{AT}/dataset")
    with shadow_site.database.reading() as session:
        assert answer.headers["location"] == f"/data/{session.query(Dataset).one().id}"
    assert client.post(f"{AT}/forget").status_code == 303
    assert "No pairs yet" in client.get(AT).text


def test_programs_do_the_same(shadow_site: Site) -> None:
    program = shadow_site.program()
    assert program.get("/v1/shadows").json() == {"shadows": []}
    assert program.get("/v1/shadows/support-desk/pairs").status_code == 404
    assert program.put("/v1/shadows/support-desk", json={"model": OTHER, "share": 0.5}).json()["share"] == 0.5
    assert program.put("/v1/shadows/support-desk", json={"model": OTHER, "share": 2}).status_code == 422
    assert program.post("/v1/shadows/support-desk/dataset", json={}).status_code == 409
    store(shadow_site, "Here.", "There.")
    found = program.get("/v1/shadows/support-desk/pairs", params={"limit": 1}).json()
    assert (found["measures"]["num_same"], found["measures"]["num_different"]) == (1, 1)
    assert found["measures"]["shadow"]["median_ms"] == 7.0
    assert [pair["shadow_answer"] for pair in found["pairs"]] == ["There."]
    assert program.post("/v1/shadows/support-desk/dataset", json={"name": "both"}).status_code == 201
    assert program.delete("/v1/shadows/support-desk").json()["share"] == 0
    assert program.delete("/v1/shadows/support-desk/pairs").json() == {"num_deleted": 2}
