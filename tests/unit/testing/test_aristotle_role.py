"""The example's role is the one that the how-tos recommend, and it is enough for all that Goldsmith does there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.aristotle import make_synthetic, synthetic

from goldsmith.connect.aristotle import Aristotle, migrating
from goldsmith.connect.aristotle.connection import Place, writing
from goldsmith.connect.conquests import Conquest, Wanted
from goldsmith.connect.errors import RoleMayNot
from goldsmith.connect.types import Said, Scope, WriteState
from goldsmith.storage import clock
from goldsmith.testing.aristotle import SyntheticAristotle
from goldsmith.testing.aristotle_role import ROLE, give_role, grants

__all__ = ["make_synthetic", "synthetic"]
HOWTOS = Path(__file__).parents[3] / "docs" / "howto"
SCOPE = Scope("ada@acme.example", "acme.example")


def test_it_is_given_exactly_what_the_how_tos_give_it() -> None:
    shown = []
    for name in ("bring-stars-from-aristotle.md", "run-a-conquest-on-your-model.md"):
        blocks = re.findall(r"```sql\n(.*?)```", (HOWTOS / name).read_text(encoding="utf-8"), re.DOTALL)
        shown += [" ".join(each.split()) for block in blocks for each in block.split(";")]
    assert [each for each in shown if each.startswith("GRANT") and ROLE in each] == grants("V2")


@pytest.fixture
def database(synthetic: SyntheticAristotle) -> Iterator[SyntheticAristotle]:
    synthetic.make_subjects()
    migrating.migrate(Place.of(synthetic.url.render_as_string(hide_password=False)))
    yield synthetic
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {ROLE}")
        connection.exec_driver_sql(f"DROP ROLE {ROLE}")


@pytest.mark.postgresql
@pytest.mark.xdist_group("aristotle-role")
def test_it_is_enough_for_stars_and_conquests_in_each_generation_and_for_no_more(database: SyntheticAristotle) -> None:
    [starred] = database.fill(1, philosopher=SCOPE.philosopher, domain=SCOPE.domain)
    owner = {"philosopher": SCOPE.philosopher, "domain": SCOPE.domain}
    eidos, candidate = database.add_eidos(1, **owner), database.add_candidate(1, **owner)
    give_role(database)
    place = Place(give_role(database))  # as the next time that the example is brought up
    aristotle = Aristotle(place)
    before = aristotle.standing(SCOPE, starred)
    assert before is not None
    after = aristotle.wanted(before, Said(starred, True, "Ada", clock.now(), correction="Better."), None)
    assert aristotle.put(SCOPE, starred, before, after) is WriteState.done
    assert aristotle.look_up(Wanted(eidos, [candidate], is_tuned=True)).notes == ()
    at = clock.now()
    told = ({"prompt": "?"}, {"response": "!"}, at, at)
    aristotle.store(Conquest("cres_1", SCOPE, eidos, "candidate_1", "CANDIDATE", *told, tuned_model_id="ftm_1"))
    for table in (database.names.conquest, database.names.prompt):
        with pytest.raises(RoleMayNot), writing(place) as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
    with pytest.raises(RoleMayNot):
        migrating.migrate(place, is_back=True)
