"""`goldsmith webhooks`: from adding one to taking it away."""

import pytest
from tests.unit.cli.conftest import Line
from tests.unit.webhooks.listening import listening

pytestmark = pytest.mark.enable_socket


def test_a_webhook_is_added_tested_and_removed(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDSMITH_WEBHOOK_HOSTS", "localhost")
    with listening() as listener:
        added = line.json("webhooks", "add", f"{listener.url}/hook", "--event", "job.failed")
        assert added["secret"].startswith("whsec_")
        assert added["events"] == ["job.failed"]
        test = line.json("webhooks", "test", added["id"])
        assert test["status"] == 204
        messages = line.json("webhooks", "messages", added["id"])
        assert [(each["kind"], each["state"]) for each in messages] == [("test", "delivered")]
        assert line.json("webhooks", "send-again", added["id"], test["id"])["state"] == "waiting"
    assert line.json("webhooks", "renew", added["id"])["secret"] != added["secret"]
    assert [each["id"] for each in line.json("webhooks", "list")] == [added["id"]]
    assert line.json("webhooks", "remove", added["id"])["removed"] is True
    assert line.json("webhooks", "list") == []


def test_an_address_of_the_machine_itself_is_refused(line: Line) -> None:
    assert line.error("webhooks", "add", "http://127.0.0.1:1/hook")[1]["title"] == "Webhooks do not go there"
