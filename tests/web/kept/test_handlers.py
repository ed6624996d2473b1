"""The page of kept traffic and the API over the same, through HTTP, over a real database."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site, make_site

from goldsmith.data.tables import Dataset
from goldsmith.serve.kept import queries, service
from goldsmith.serve.kept.types import EVERYTHING, Exchange, Handed
from goldsmith.web.factory import Routers
from goldsmith.web.kept import api, handlers


@pytest.fixture
def kept_site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    switches: list[str] = []
    offers = {"after_switch": lambda: switches.append("switched"), "switches": switches}
    site = make_site(tmp_path, Routers([handlers.pages], [api.api]), offers=offers, database_url=database_url)
    yield site
    site.database.dispose()


def keep_one(site: Site, question: str = "Where is <b>it</b>?", domain: str = "local") -> None:
    request = b'{"prompt": "%s"}' % question.encode()
    answer = b'{"choices": [{"index": 0, "text": "Here."}]}'
    with site.database.transaction() as session:
        one = Exchange(
            domain, "per_1", EVERYTHING, "", "bm_1", "/v1/completions", request, answer, False, 5.0, time.time()
        )
        service.store(session, Handed((one,)))


def test_it_is_off_and_that_is_said(kept_site: Site) -> None:
    text = kept_site.browser().get("/kept").text
    assert "Nothing is kept now" in text
    assert "Nothing was kept yet" in text


def test_a_rule_is_set_and_taken_back_on_the_page_and_the_gateway_hears_of_it(kept_site: Site) -> None:
    client = kept_site.browser()
    form = {"alias": "", "percent": "5", "days": "3", "email": "true"}
    assert client.post("/kept/rules", data=form).status_code == 303
    text = client.get("/kept").text
    assert "Requests are kept" in text
    assert "5 % is kept for 3 days, without e-mail addresses" in text
    assert client.post("/kept/rules/stop", data={"alias": ""}).status_code == 303
    assert "Nothing is kept now" in client.get("/kept").text
    with kept_site.database.reading() as session:
        rule = queries.rules(session, domain="local")[0]
        assert (rule.share, rule.days, rule.hides) == (0, 3, ["email"]), "what is there is kept as long as was said"
    assert client.post("/kept/rules/stop", data={"alias": "nobody"}).status_code == 422
    assert kept_site.web.state.web.offers["switches"] == ["switched", "switched"]


@pytest.mark.parametrize("wrong", [{"percent": "101"}, {"days": "0"}, {"percent": "much"}, {"alias": "nobody"}])
def test_a_rule_that_cannot_be_is_refused_and_nothing_changes(kept_site: Site, wrong: dict[str, str]) -> None:
    client = kept_site.browser()
    assert client.post("/kept/rules", data={"alias": "", "percent": "5", "days": "3"} | wrong).status_code == 422
    with kept_site.database.reading() as session:
        assert queries.rules(session, domain="local") == []


def test_what_was_kept_is_shown_as_text_and_becomes_a_dataset(kept_site: Site) -> None:
    keep_one(kept_site)
    keep_one(kept_site, "of somebody else", domain="elsewhere")
    client = kept_site.browser()
    text = client.get("/kept").text
    assert "Where is &lt;b&gt;it&lt;/b&gt;?" in text
    assert "of somebody else" not in text
    answer = client.post("/kept/dataset", data={"alias": ""})
    assert answer.status_code == 303
    with kept_site.database.reading() as session:
        assert answer.headers["location"] == f"/data/{session.query(Dataset).one().id}"


def test_it_is_deleted_by_a_button(kept_site: Site) -> None:
    keep_one(kept_site)
    keep_one(kept_site, domain="elsewhere")
    client = kept_site.browser()
    assert client.post("/kept/forget?alias=").status_code == 303
    with kept_site.database.reading() as session:
        assert queries.page(session, domain="local") == []
        assert len(queries.page(session, domain="elsewhere")) == 1


def test_programs_do_the_same(kept_site: Site) -> None:
    program = kept_site.program()
    assert program.get("/v1/kept/rules").json() == {"rules": []}
    assert program.put("/v1/kept/rules", json={"share": 0.5, "hides": ["card"]}).json()["hides"] == ["card"]
    assert program.put("/v1/kept/rules", json={"share": 2}).status_code == 422
    assert program.post("/v1/kept/dataset", json={}).status_code == 409
    keep_one(kept_site)
    assert program.get("/v1/kept").json()["kept"][0]["question"] == "Where is <b>it</b>?"
    made = program.post("/v1/kept/dataset", json={"name": "asked"})
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/datasets/{made.json()['dataset']}")
    assert program.delete("/v1/kept").json() == {"num_deleted": 1}
