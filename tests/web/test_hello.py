"""Saying one's name, being remembered, and leaving."""

import pytest
from tests.web.conftest import ORIGIN, Site

from goldsmith.web.hello import local


def test_a_name_opens_the_page_that_was_wanted(site: Site) -> None:
    client = site.client(origin=ORIGIN, accept="text/html")
    asked = client.get("/activity?state=failed")
    assert asked.headers["location"] == "/hello?next=%2Factivity%3Fstate%3Dfailed"
    assert 'value="/activity?state=failed"' in client.get(asked.headers["location"]).text
    answer = client.post("/hello", data={"name": " Grace ", "next": "/activity?state=failed"})
    assert answer.headers["location"] == "/activity?state=failed"
    assert ">Grace<" in client.get("/activity").text


def test_no_name_keeps_what_was_typed_and_says_what_is_missing(site: Site) -> None:
    answer = site.client(origin=ORIGIN).post("/hello", data={"name": "  ", "next": "/activity"})
    assert answer.status_code == 422
    assert "This is needed." in answer.text
    assert 'value="/activity"' in answer.text


def test_a_name_that_is_markup_is_shown_as_text(site: Site) -> None:
    client = site.client(origin=ORIGIN, accept="text/html")
    client.post("/hello", data={"name": "<script>x</script>"})
    assert "<script>x" not in client.get("/activity").text


def test_who_leaves_is_asked_again(site: Site) -> None:
    client = site.browser()
    client.post("/goodbye")
    assert client.get("/activity").status_code == 303


@pytest.mark.parametrize("address", ["//evil.example", "/\\evil", "http://evil.example", "javascript:x", "/a\nb", ""])
def test_the_way_back_never_leads_elsewhere(address: str) -> None:
    assert local(address) == "/"
