"""Webhooks through their page and the API: added, shown without a secret, tested, sent again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.webhooks.listening import Listener, listening
from tests.web.conftest import Site, make_site

from goldsmith.web.factory import Routers
from goldsmith.web.webhooks import api, handlers

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_site(
        tmp_path, Routers([handlers.pages], [api.api]), database_url=database_url, own_hosts=("localhost",)
    )
    yield made
    made.database.dispose()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def added(site: Site, listener: Listener, **more: object) -> dict[str, str]:
    answer = site.program().post("/v1/webhooks", json={"url": f"{listener.url}/hook", **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


def test_a_webhook_is_added_on_the_page_and_its_secret_shown_once(site: Site, listener: Listener) -> None:
    browser = site.browser()
    assert "Nobody is told yet" in browser.get("/settings/webhooks").text
    answer = browser.post("/settings/webhooks", data={"url": f"{listener.url}/hook", "failed": "true"})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    secret = re.search(r'value="(whsec_[^"]+)"', answer.text)
    assert secret
    page = browser.get("/settings/webhooks").text
    assert secret[1] not in page
    assert "Told when a job has failed." in page


def test_a_test_says_status_and_time(site: Site, listener: Listener) -> None:
    webhook = added(site, listener)
    listener.statuses = [418]
    answer = site.program().post(f"/v1/webhooks/{webhook['id']}/test")
    assert (answer.json()["last_status"], answer.json()["state"]) == (418, "dead")
    browser = site.browser()
    listener.statuses = [204]
    browser.post(f"/settings/webhooks/{webhook['id']}/test")
    page = browser.get("/settings/webhooks").text
    assert re.search(r"It answered 204 after \d+ ms\.", page)
    assert "answered 418 after" in page


def test_a_message_is_sent_again_from_the_page(site: Site, listener: Listener) -> None:
    webhook = added(site, listener)
    program, browser = site.program(), site.browser()
    message = program.post(f"/v1/webhooks/{webhook['id']}/test").json()
    at = f"/settings/webhooks/{webhook['id']}/messages/{message['id']}/send"
    assert browser.post(at).status_code == 303
    shown = program.get(f"/v1/webhooks/{webhook['id']}/messages").json()["messages"]
    assert [(each["id"], each["state"]) for each in shown] == [(message["id"], "waiting")]
    assert program.post(f"/v1/webhooks/{webhook['id']}/messages/msg_none/send-again").status_code == 404


def test_no_list_shows_a_secret(site: Site, listener: Listener) -> None:
    webhook = added(site, listener)
    program = site.program()
    assert webhook["secret"].startswith("whsec_")
    for path in ("/v1/webhooks", f"/v1/webhooks/{webhook['id']}"):
        assert webhook["secret"] not in program.get(path).text
    renewed = program.post(f"/v1/webhooks/{webhook['id']}/renew-secret").json()
    assert renewed["secret"] != webhook["secret"]
    assert program.delete(f"/v1/webhooks/{webhook['id']}").status_code == 200
    assert program.get("/v1/webhooks").json() == {"webhooks": []}


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/hook", "https://169.254.169.254/latest", "nonsense"])
def test_an_address_that_is_not_allowed_is_refused_with_the_reason(site: Site, url: str) -> None:
    answer = site.program().post("/v1/webhooks", json={"url": url})
    assert answer.status_code == 422
    assert "GOLDSMITH_WEBHOOK_HOSTS" in answer.json()["hint"]
    assert site.browser().post("/settings/webhooks", data={"url": url}).status_code == 422
