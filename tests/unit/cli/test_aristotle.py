"""`goldsmith aristotle`: what is there, what would change, and the stars."""

import pytest
from tests.aristotle import make_synthetic, synthetic, url_of
from tests.factories import make_base_model
from tests.unit.cli.conftest import Line

from goldsmith.testing.aristotle import SYSTEM, SyntheticAristotle

__all__ = ["make_synthetic", "synthetic"]
SCOPE = ("--philosopher", "ada@acme.example", "--domain", "acme.example")


@pytest.fixture
def connected(line: Line, synthetic: SyntheticAristotle) -> Line:
    synthetic.fill(6, philosopher="ada@acme.example", domain="acme.example")
    line.monkeypatch.setenv("ARISTOTLE_DATABASE_URL", url_of(synthetic))
    return line


@pytest.mark.parametrize("verb", ["check", "migrate", "unmigrate"])
def test_without_settings_it_says_which_to_set(line: Line, verb: str) -> None:
    for name in ("URL", "HOST"):
        line.monkeypatch.delenv(f"ARISTOTLE_DATABASE_{name}", raising=False)
    line.monkeypatch.delenv("ARISTOTLE_DB_HOST", raising=False)
    code, problem = line.error("aristotle", verb)
    assert (code, problem["type"]) == (5, "source-not-connected")
    assert "ARISTOTLE_DATABASE_URL" in problem["hint"]


@pytest.mark.postgresql
def test_a_check_says_what_is_there(connected: Line, synthetic: SyntheticAristotle) -> None:
    found = connected.json("aristotle", "check")
    assert (found["generation"], found["gold_stars"], found["may_migrate"]) == (synthetic.generation, 6, True)
    assert "aristotle migrate" in found["fine_tuned_model_id"]


@pytest.mark.postgresql
def test_a_migration_is_shown_first(connected: Line) -> None:
    shown = connected.json("aristotle", "migrate")
    assert (len(shown["statements"]), shown["state"]) == (3, "not done yet; add --yes")
    assert connected.json("aristotle", "migrate") == shown
    assert connected.json("aristotle", "migrate", "--yes")["state"] == "done"
    assert connected.json("aristotle", "migrate", "--yes")["state"] == "nothing to do"
    assert connected.json("aristotle", "check")["fine_tuned_model_id"] == "there"
    assert connected.json("aristotle", "unmigrate", "--yes")["state"] == "done"


@pytest.mark.postgresql
def test_stars_are_exported(connected: Line) -> None:
    code, problem = connected.error("aristotle", "export", *SCOPE)
    assert (code, problem["type"]) == (2, "system-message-not-chosen")
    made = connected.json("aristotle", "export", *SCOPE, "--system", SYSTEM, "--limit", "5")
    assert made["learn"] + made["exam"] == 5
    assert connected.json("aristotle", "export", *SCOPE, "--limit", "5")["training_set"] == made["training_set"]


@pytest.mark.postgresql
def test_a_star_taken_here_is_taken_there(connected: Line) -> None:
    connected.json("aristotle", "export", *SCOPE, "--system", SYSTEM)
    assert connected.json("aristotle", "write-back") == {"conflicts": []}
    run = connected.json("runs", "list")[0]["id"]
    answer = connected.json("stars", "list", run)[0]["answer"]
    connected.json("stars", "unstar", answer)
    assert connected.json("aristotle", "write-back") == {"done": 1, "conflicts": []}
    assert connected.json("aristotle", "check")["gold_stars"] == 5
    connected.json("stars", "give", answer)
    assert connected.json("aristotle", "write-back") == {"done": 1, "conflicts": []}
    assert connected.json("aristotle", "check")["gold_stars"] == 6


def executing(line: Line, *more: str) -> tuple[str, ...]:
    """The command for one candidate; the base model is there and on no engine."""
    with line.parts.database.transaction() as session:
        make_base_model(session, name="tiny")
    return ("aristotle", "execute", "--candidate", "candidate_1", "--model", "tiny", *more)


@pytest.mark.postgresql
def test_a_conquest_is_queued_with_its_key_and_what_lacks_is_said(
    connected: Line, synthetic: SyntheticAristotle
) -> None:
    synthetic.make_subjects()
    owner = {"philosopher": "ada@acme.example", "domain": "acme.example"}
    eidos = synthetic.add_eidos(1, **owner)
    synthetic.add_candidate(1, **owner)
    command = executing(connected, "--no-wait", "--key", "k-1", "--eidos", eidos)
    first = connected.json(*command)
    assert (first["state"], first["notes"]) == ("queued", [])
    assert first["results"] == [{"candidate": "candidate_1", "conquest": None, "answer": "", "error": None}]
    assert connected.json(*command) == first
    code, problem = connected.error(*command, "--candidate", "nobody")
    assert (code, problem["type"]) == (5, "idempotency-key-used")
    code, problem = connected.error(*command[:-4], "--eidos", "nothing")
    assert (code, problem["type"], "nothing" in problem["detail"]) == (4, "subject-not-found", True)
