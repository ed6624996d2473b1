"""What is kept is what would be worked out anew, and no transaction that writes sees or leaves an older value."""

from tests.factories import make_person

from goldsmith.storage.database import Database
from goldsmith.storage.keeping import Kept


def test_a_value_is_worked_out_once_for_each_stand(database: Database) -> None:
    kept, made, now = Kept[int](), list[int](), [1]

    def make() -> int:
        made.append(now[0])
        return now[0]

    for _ in range(2):
        with database.reading() as session:
            assert kept.get(session, "a", stand=lambda: now[0], make=make) == now[0]
    now[0] = 2
    with database.reading() as session:
        assert kept.get(session, "a", stand=lambda: now[0], make=make) == 2
    assert made == [1, 2]


def test_names_and_databases_do_not_share(database: Database) -> None:
    kept = Kept[str]()
    with database.reading() as session:
        assert kept.get(session, "a", stand=lambda: 1, make=lambda: "one") == "one"
        assert kept.get(session, "b", stand=lambda: 1, make=lambda: "other") == "other"


def test_what_a_transaction_has_not_committed_is_never_kept(database: Database) -> None:
    kept = Kept[str]()
    with database.transaction() as session:
        make_person(session)
        assert kept.get(session, "a", stand=lambda: 1, make=lambda: "not committed") == "not committed"
    with database.reading() as session:
        assert kept.get(session, "a", stand=lambda: 1, make=lambda: "committed") == "committed"


def test_no_more_than_the_limit_is_kept(database: Database) -> None:
    kept, made = Kept[int](limit=2), list[int]()
    for name in (1, 2, 3, 1):
        with database.reading() as session:
            kept.get(session, str(name), stand=lambda: 0, make=lambda name=name: made.append(name) or name)  # type: ignore[misc, func-returns-value]
    assert made == [1, 2, 3, 1]
