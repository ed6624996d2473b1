"""Stars given and taken here stand in Aristotle's tables, both together, and taking back leads to what was."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from goldsmith.connect.aristotle import Aristotle, marking
from goldsmith.connect.types import Said, Scope, Wish, WriteState
from goldsmith.testing.aristotle import SyntheticAristotle, SyntheticConquest

ADA = Scope("ada@acme.example", "acme.example")
AT = datetime(2026, 5, 1, 10, 30, 0, 123456, tzinfo=UTC)
STAR = Said("", True, "Ada", AT, note="Well judged.")
UNSTAR = Said("", False, "Ada", AT)
PLAIN = SyntheticConquest(ADA.philosopher, ADA.domain, {"prompt": "Right?"}, {"response": "Yes."})

pytestmark = pytest.mark.postgresql


def everything(synthetic: SyntheticAristotle) -> dict[str, list[Any]]:
    """All rows of all tables, without the moments of their last change."""
    names = synthetic.names
    with synthetic.engine.connect() as connection:
        return {
            table: [
                {word: value for word, value in row.items() if word not in ("updated_at", "updatedAt")}
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1")).mappings()  # noqa: S608
            ]
            for table in (names.conquest, names.rating, names.prompt, names.answer)
        }


def say(aristotle: Aristotle, conquest: str, said: Said, earlier: Any = None) -> tuple[WriteState, Any]:
    before = aristotle.standing(ADA, conquest)
    assert before is not None
    after = aristotle.wanted(before, replace(said, external_id=conquest), earlier)
    return aristotle.put(ADA, conquest, before, after), before


@pytest.mark.parametrize("is_rated", [True, False])
def test_a_star_given_here_is_a_victory_there_and_back(
    synthetic: SyntheticAristotle, aristotle: Aristotle, is_rated: bool
) -> None:
    conquest = synthetic.add(1, replace(PLAIN, is_gold_star=False, rating=2, is_rated=is_rated))
    synthetic.fill(3, philosopher="eve@evil.example", domain="evil.example")
    was = everything(synthetic)
    state, before = say(aristotle, conquest, STAR)
    assert state is WriteState.done
    [item] = aristotle.fetch(Wish(ADA)).items
    assert (item.external_id, item.rating) == (conquest, 5)
    now = aristotle.standing(ADA, conquest)
    assert now is not None
    assert {word: now[word] for word in now if word.startswith("conquest.")} == {
        "conquest.result": "VICTORY",
        "conquest.result_notes": "Well judged.",
        "conquest.use_as_example": True,
        "conquest.evaluated_by": "Ada",
        "conquest.evaluated_at": "2026-05-01T10:30:00.123000+00:00",
    }
    assert (now["rating.feedback"], now["rating.use_as_sample_response"]) == ("Well judged.", True)
    assert say(aristotle, conquest, UNSTAR, before)[0] is WriteState.done
    assert everything(synthetic) == was, "every other row too is as it was"


def test_a_star_of_aristotles_own_that_is_taken_here(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    conquest = synthetic.add(1, replace(PLAIN, rating=4))
    state, before = say(aristotle, conquest, UNSTAR)
    assert (state, aristotle.fetch(Wish(ADA)).items) == (WriteState.done, [])
    now = aristotle.standing(ADA, conquest)
    assert now is not None
    assert now["rating.rating"] == 4, "what somebody rated is not taken away"
    assert say(aristotle, conquest, STAR, before)[0] is WriteState.done
    assert aristotle.standing(ADA, conquest) == before


def test_a_star_is_a_victory_also_where_aristotle_had_not_said_so(
    synthetic: SyntheticAristotle, aristotle: Aristotle
) -> None:
    conquest = synthetic.add(1, replace(PLAIN, rating=4, result="PENDING"))
    _, before = say(aristotle, conquest, UNSTAR)
    assert say(aristotle, conquest, STAR, before)[0] is WriteState.done
    now = aristotle.standing(ADA, conquest)
    assert now is not None
    assert (now["conquest.result"], now["rating.is_gold_star"]) == ("VICTORY", True)


def test_saying_it_again_changes_nothing(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    conquest = synthetic.add(1, replace(PLAIN, is_gold_star=False))
    before = aristotle.standing(ADA, conquest)
    assert before is not None
    after = aristotle.wanted(before, STAR, None)
    assert aristotle.put(ADA, conquest, before, after) is WriteState.done
    was = everything(synthetic)
    assert aristotle.put(ADA, conquest, before, after) is WriteState.done
    assert aristotle.wanted(after, replace(STAR, by="Bob"), None) == after
    assert everything(synthetic) == was


def test_a_correction_stands_beside_the_original(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    conquest = synthetic.add(1, PLAIN)
    was = everything(synthetic)
    state, before = say(aristotle, conquest, replace(STAR, correction="No: 'quoted' \"text\"; --"))
    assert state is WriteState.done
    assert [item.answer for item in aristotle.fetch(Wish(ADA)).items] == ["No: 'quoted' \"text\"; --"]
    assert everything(synthetic)[synthetic.names.answer][0]["data"]["response"] == "Yes."
    now = aristotle.standing(ADA, conquest)
    assert now is not None
    assert aristotle.put(ADA, conquest, now, before) is WriteState.done
    assert everything(synthetic) == was


def test_what_somebody_changed_there_is_not_overwritten(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    conquest = synthetic.add(1, replace(PLAIN, is_gold_star=False, rating=2))
    before = aristotle.standing(ADA, conquest)
    assert before is not None
    with synthetic.engine.begin() as connection:
        connection.execute(text(f"UPDATE {synthetic.names.rating} SET rating = 3"))  # noqa: S608
    was = everything(synthetic)
    assert aristotle.put(ADA, conquest, before, aristotle.wanted(before, STAR, None)) is WriteState.conflict
    assert everything(synthetic) == was


def test_both_or_none(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    """The rating cannot be written, so the conquest is no victory either."""
    conquest = synthetic.add(1, replace(PLAIN, is_gold_star=False, rating=2))
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {synthetic.names.rating} ADD CHECK (NOT is_gold_star)")
    was = everything(synthetic)
    with pytest.raises(Exception, match="check constraint"):
        say(aristotle, conquest, STAR)
    assert everything(synthetic) == was


def test_another_tenants_conquest_is_not_there(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    theirs = synthetic.add(1, replace(PLAIN, domain="evil.example"))
    for conquest in (theirs, "x", "' OR 1=1 --", "00000000-0000-0000-0000-00000000ffff"):
        assert aristotle.standing(ADA, conquest) is None
        assert aristotle.put(ADA, conquest, {}, {}) is WriteState.gone


def test_an_unstar_of_what_has_no_star_changes_nothing() -> None:
    before = {"rating.exists": False, "rating.is_gold_star": None, "conquest.result": "DEFEAT"}
    assert marking.wanted(before, UNSTAR, None) == before
