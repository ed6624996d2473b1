from datetime import UTC, datetime, timedelta

from goldsmith.serve import traffic
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.serve.traffic_sink import TrafficSink
from goldsmith.storage.database import Database


def test_what_is_counted_is_kept_and_forgotten_after_days(database: Database) -> None:
    now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    sink = TrafficSink(database, days=2, now=lambda: now)
    key = TrafficKey(int(now.timestamp() // 60), "local", "support", 1, "ftm_1")
    for _ in range(2):
        sink({key: Counts(num_requests=1)})
    TrafficSink(database, days=2, now=lambda: now)({key: Counts(num_requests=1)})

    def num_requests() -> int:
        with database.reading() as session:
            found = traffic.by_model(session, domain="local", alias="support")
        return sum(counts.num_requests for counts in found.values())

    assert num_requests() == 3
    now += timedelta(days=3)
    sink({key._replace(minute=int(now.timestamp() // 60)): Counts(num_requests=1)})
    assert num_requests() == 1
