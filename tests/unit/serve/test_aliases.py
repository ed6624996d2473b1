import pytest

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import aliases, queries, service
from goldsmith.serve.errors import (
    AliasExists,
    AliasNameNotUsable,
    AliasNotFound,
    DefaultStays,
    DeploymentNotFound,
    IsDefault,
    NothingToUndo,
    NotProved,
    SharesNotUsable,
)
from goldsmith.serve.types import Part, parts_of
from goldsmith.storage.database import Database

from .conftest import ModelMaker, make_live, reading


@pytest.fixture
def ids(database: Database, make_model: ModelMaker, base: BaseModel, by: Person) -> tuple[str, str, str]:
    """Old, new and base: all deployed and proved."""
    old, new = make_model("old"), make_model("new")
    with database.transaction() as session:
        for model in (old, new):
            service.deploy(session, model.id, by=by)
            make_live(session, model.id)
        make_live(session, base.id)
    return old.id, new.id, base.id


def test_an_alias_leads_to_models_by_their_shares(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    old, new, _ = ids
    with database.transaction() as session:
        aliases.point(session, "support", [Part("old", 0.9), Part(new, 0.1)], by=by, why="a first try")
    with database.reading() as session:
        route = queries.route_table(session, by.domain).routes["support"]
        entry = queries.alias_history(session, "support", domain=by.domain)[0]
    assert [(share.model_id, share.share, share.alias) for share in route.shares] == [
        (old, 0.9, "support"),
        (new, 0.1, "support"),
    ]
    assert {share.version for share in route.shares} == {entry.seq}
    assert (entry.philosopher, entry.notes, entry.deployment_config["from"]) == ("Ada", "a first try", [])
    assert entry.deployment_config["to"] == [{"model_id": old, "share": 0.9}, {"model_id": new, "share": 0.1}]


def test_every_change_is_a_row_that_says_what_was_before(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    old, new, _ = ids
    with database.transaction() as session:
        aliases.point(session, "support", [Part(old, 1)], by=by)
        aliases.point(session, "support", [Part(old, 1)], by=by)
        aliases.point(session, "support", [Part(old, 0.95), Part(new, 0.05)], by=by)
        aliases.remove(session, "support", by=by, why="not needed")
    entries = reading(database, lambda session: queries.alias_history(session, "support", domain=by.domain))
    assert [(entry.action, entry.model_id, entry.previous_model_id) for entry in entries] == [
        ("undeploy", old, new),
        ("deploy", new, old),
        ("deploy", old, None),
    ]
    assert entries[0].deployment_config["to"] == []


def test_changes_are_undone_one_after_the_other_and_a_removed_name_comes_back(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    old, new, base = ids
    steps = [[Part(old, 1.0)], [Part(old, 0.95), Part(new, 0.05)], [Part(old, 0.75), Part(new, 0.25)]]
    with database.transaction() as session:
        for step in steps:
            aliases.point(session, "support", step, by=by)
        aliases.remove(session, "support", by=by)
        for step in reversed(steps):
            assert parts_of(service.undo_alias(session, "support", by=by).targets) == tuple(step)
        with pytest.raises(NothingToUndo):
            service.undo_alias(session, "support", by=by)
        aliases.point(session, "support", [Part(base, 1.0)], by=by)
        assert parts_of(service.undo_alias(session, "support", by=by).targets) == (Part(old, 1.0),)


def test_undoing_deploys_a_model_again_that_is_gone(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    old, new, _ = ids
    with database.transaction() as session:
        for model_id in (old, new):
            aliases.point(session, "support", [Part(model_id, 1.0)], by=by)
        service.undeploy(session, old, by=by)
        service.undo_alias(session, "support", by=by)
        assert queries.deployment_of(session, old).is_wanted


def test_only_proved_models_are_taken_unless_they_are_forced_by_name(
    database: Database, ids: tuple[str, str, str], make_model: ModelMaker, by: Person
) -> None:
    fresh = make_model("fresh")
    parts = [Part(ids[0], 0.5), Part(fresh.id, 0.5)]
    with database.transaction() as session:
        with pytest.raises(DeploymentNotFound):
            aliases.point(session, "support", parts, by=by, force=["fresh"])
        service.deploy(session, fresh.id, by=by)
        for force in ((), ("old", "another")):
            with pytest.raises(NotProved, match="fresh is unproved"):
                aliases.point(session, "support", parts, by=by, force=force)
        aliases.point(session, "support", parts, by=by, force=["fresh"])
        entry = queries.alias_history(session, "support", domain=by.domain)[0]
    assert entry.deployment_config["forced"] == [fresh.id]


@pytest.mark.parametrize(
    "shares",
    [(), (0.5,), (0.5, 0.6), (1.0, 0.0), (1.5, -0.5), (float("nan"), 1.0), (0.1,) * 11],
)
def test_shares_that_are_none_are_refused(
    database: Database, ids: tuple[str, str, str], by: Person, shares: tuple[float, ...]
) -> None:
    models = [*ids, *ids, *ids, *ids]
    with database.transaction() as session, pytest.raises(SharesNotUsable):
        aliases.point(session, "support", [Part(m, share) for m, share in zip(models, shares, strict=False)], by=by)


def test_a_model_named_twice_is_refused(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    with database.transaction() as session, pytest.raises(SharesNotUsable, match="named twice"):
        aliases.point(session, "support", [Part(ids[0], 0.5), Part("old", 0.5)], by=by)


@pytest.mark.parametrize(
    "name", ["", "Support", "a b", "-a", "../x", "x" * 65, "load", "switch", "old", "somebody/tiny"]
)
def test_a_name_that_callers_could_confuse_is_refused(
    database: Database, ids: tuple[str, str, str], by: Person, name: str
) -> None:
    with database.transaction() as session, pytest.raises(AliasNameNotUsable):
        aliases.point(session, name, [Part(ids[0], 1.0)], by=by)


def test_the_default_is_switched_and_never_removed(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    with database.transaction() as session:
        service.switch(session, ids[0], by=by)
        with pytest.raises(DefaultStays):
            aliases.remove(session, "default", by=by)
        with pytest.raises(AliasNotFound):
            aliases.remove(session, "support", by=by)
        with pytest.raises(AliasExists):
            aliases.make(session, "default", Part(ids[1], 1.0), by=by)


def test_a_model_behind_an_alias_cannot_be_taken_away(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    with database.transaction() as session:
        aliases.point(session, "support", [Part(ids[0], 0.95), Part(ids[1], 0.05)], by=by)
        with pytest.raises(IsDefault, match="support"):
            service.undeploy(session, ids[1], by=by)


def test_a_model_that_was_refused_leaves_the_alias_to_the_others(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    with database.transaction() as session:
        aliases.point(session, "support", [Part(ids[0], 0.5), Part(ids[1], 0.5)], by=by)
        service.refuse(session, queries.deployment_of(session, ids[1]), "it has learned nothing", by=by)
    route = reading(database, lambda session: queries.route_table(session, by.domain)).routes["support"]
    assert [share.model_id for share in route.shares] == [ids[0]]
