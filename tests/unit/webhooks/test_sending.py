"""A message reaches the address that was looked at; nothing is followed, and nobody is waited for too long."""

from collections.abc import Iterator

import pytest
from tests.unit.webhooks.listening import Listener, listening

from goldsmith.webhooks import addresses
from goldsmith.webhooks.sending import send
from goldsmith.webhooks.types import Outcome

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def post(url: str, *, own: tuple[str, ...] = ("localhost",), within_s: float = 5.0) -> Outcome:
    return send(
        lambda: addresses.place_of(url, own_hosts=own, look_up=lambda *_: ["127.0.0.1"]),
        {"webhook-id": "msg_1"},
        b"{}",
        within_s=within_s,
    )


def test_it_arrives_under_the_hosts_name(listener: Listener) -> None:
    outcome = post(f"{listener.url}/hook?a=b")
    assert (outcome.status, outcome.is_ok) == (204, True)
    heard = listener.heard[0]
    assert (heard.path, heard.body) == ("/hook?a=b", b"{}")
    assert heard.headers["host"] == listener.url.removeprefix("http://")
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["webhook-id"] == "msg_1"


def test_a_redirect_is_not_followed_and_no_success(listener: Listener) -> None:
    listener.statuses = [302]
    outcome = post(f"{listener.url}/hook")
    assert (outcome.status, outcome.is_ok, len(listener.heard)) == (302, False, 1)


def test_one_that_hangs_is_given_up(listener: Listener) -> None:
    listener.hangs.clear()
    outcome = post(f"{listener.url}/hook", within_s=0.5)
    assert outcome.status is None
    assert "did not answer within 0.5 s" in outcome.error
    assert outcome.duration_ms < 4000


def test_one_that_is_not_there_is_said() -> None:
    assert "cannot be reached" in post("http://localhost:9/hook").error


def test_where_it_may_not_go_is_looked_at_again_at_every_try(listener: Listener) -> None:
    outcome = post(f"{listener.url}/hook", own=())
    assert outcome.status is None
    assert listener.heard == []


def test_a_certificate_that_nobody_trusts_is_refused(listener: Listener) -> None:
    outcome = post(listener.url.replace("http://", "https://"))
    assert outcome.status is None
    assert listener.heard == []
