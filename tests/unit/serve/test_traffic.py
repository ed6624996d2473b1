from datetime import UTC, datetime, timedelta

from goldsmith.serve import traffic
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.storage.database import Database

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
MINUTE = int(NOW.timestamp() // 60)


def key(model_id: str = "ftm_1", *, minute: int = MINUTE, version: int = 3, alias: str = "support") -> TrafficKey:
    return TrafficKey(minute, "local", alias, version, model_id)


def test_rows_of_several_processes_and_minutes_are_added_up(database: Database) -> None:
    with database.transaction() as session:
        for writer in ("tw_1", "tw_2"):
            traffic.store(session, writer, {key(): Counts(num_requests=2, seconds=1.5)})
            traffic.store(
                session, writer, {key(): Counts(num_requests=1), key(minute=MINUTE - 5): Counts(num_errors=1)}
            )
        traffic.store(session, "tw_1", {key("ftm_2"): Counts(num_requests=9), key(alias=""): Counts(num_requests=7)})
        found = traffic.by_model(session, domain="local", alias="support")
        assert found == {
            "ftm_1": Counts(num_requests=6, seconds=3.0, num_errors=2),
            "ftm_2": Counts(num_requests=9),
        }
        assert traffic.by_model(session, domain="elsewhere", alias="support") == {}


def test_only_what_came_since_counts(database: Database) -> None:
    with database.transaction() as session:
        counted = {
            key(version=2): Counts(num_requests=1),
            key(version=3): Counts(num_requests=10),
            key(version=4, minute=MINUTE - 60): Counts(num_requests=100),
        }
        traffic.store(session, "tw_1", counted)
        since = traffic.by_model(session, domain="local", alias="support", from_version=3)
        recent = traffic.by_model(session, domain="local", alias="support", since=NOW - timedelta(minutes=30))
    assert (since["ftm_1"].num_requests, recent["ftm_1"].num_requests) == (110, 11)


def test_old_minutes_are_forgotten(database: Database) -> None:
    with database.transaction() as session:
        old = key(minute=MINUTE - 31 * 24 * 60)
        traffic.store(session, "tw_1", {key(): Counts(num_requests=1), old: Counts(num_requests=10)})
        traffic.prune(session, before=traffic.oldest(NOW, 30))
        assert traffic.by_model(session, domain="local", alias="support")["ftm_1"].num_requests == 1
