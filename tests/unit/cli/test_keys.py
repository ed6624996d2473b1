"""Keys on the command line: made, listed, limited and revoked."""

from tests.unit.cli.conftest import Line


def test_a_key_is_made_with_limits_and_they_are_changed_and_lifted(line: Line) -> None:
    made = line.json("keys", "add", "invoices", "--tokens-per-minute", "900")
    assert made["key"].startswith("gsk_")
    [listed] = line.json("keys", "list")
    assert (listed["label"], listed["tokens_per_minute"], listed["requests_per_minute"]) == ("invoices", 900, None)
    limits = ("--requests-per-minute", "5", "--parallel-requests", "2")
    assert line.json("keys", "limit", made["id"], *limits)["parallel_requests"] == 2
    [listed] = line.json("keys", "list")
    assert (listed["tokens_per_minute"], listed["requests_per_minute"]) == (None, 5)
    code, out, _ = line.run("keys", "limit", made["id"], "--requests-per-minute", "5000")
    assert (code, "requests per minute: 5,000" in out) == (0, True)
    assert "as much as it likes" in line.run("keys", "limit", made["id"])[1]


def test_a_limit_that_makes_no_sense_or_a_key_that_is_not_there_is_said(line: Line) -> None:
    made = line.json("keys", "add", "invoices")
    assert line.error("keys", "limit", made["id"], "--parallel-requests", "0")[1]["type"] == "limit-not-usable"
    assert line.error("keys", "limit", "key_none")[1]["type"] == "key-not-found"
