"""Buckets: through S3's protocol, and through the library's own stores in memory and in a folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import LocalStore, MemoryStore
from tests.s3_stand_in import ACCESS_KEY, Bucket, serving

from goldsmith.connect.sources import reading
from goldsmith.connect.sources.buckets import BucketOptions, Buckets, BucketSource
from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused, SourceSilent
from goldsmith.connect.sources.types import Batch, Since, Surroundings

HERE = Surroundings((), Path("/nowhere"), ("127.0.0.1",))


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serving() as made:
        yield made


def opened(place: Bucket, surroundings: Surroundings = HERE, **options: Any) -> BucketSource:
    given = {"bucket": place.name, "endpoint": place.url, "access_key": ACCESS_KEY, "secret_key": "s3cret-word"}
    return Buckets().open(BucketOptions.model_validate({**given, **options}), surroundings)


def groups(batches: list[Batch]) -> set[str | None]:
    return {batch.group for batch in batches}


def test_only_objects_that_fit_are_read_and_only_when_they_changed(bucket: Bucket) -> None:
    bucket.objects = dict.fromkeys(("in/a.csv", "in/b.csv", "in/c.txt", "out/d.csv"), b"q\none\n")
    source = opened(bucket, prefix="in/", pattern="*.csv")
    first = list(source.fetch(Since()))
    assert groups(first) == {"in/a.csv", "in/b.csv"}
    states = {batch.group: batch.group_state for batch in first if batch.is_ended and batch.group}
    bucket.objects["in/b.csv"] = b"q\nanother\n"
    bucket.asked.clear()
    known = {str(name): str(state) for name, state in states.items()}
    assert groups(list(source.fetch(Since({}, known)))) == {"in/b.csv"}
    assert not [path for path in bucket.asked if "a.csv" in path], "an object that is the same is not even brought"


@pytest.mark.parametrize("make", [MemoryStore, "folder"])
def test_the_library_s_own_stores_are_read_alike(make: Any, tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path)) if make == "folder" else make()
    obstore.put(store, "a.csv", b"id,q\n1,one\n2,two\n")
    source = BucketSource(lambda: store, BucketOptions(bucket="b", id_column="id"))
    assert "1 object, the first of them a.csv" in source.look().sentence
    rows = [row for batch in source.fetch(Since()) for row in batch.rows]
    assert [(row.source_id, row.values["q"], row.place) for row in rows] == [
        ("1", "one", "a.csv, row 1"),
        ("2", "two", "a.csv, row 2"),
    ]


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"access_key": "nobody"}, SourceRefused, "does not let us in"),
        ({"access_key": ""}, SourceRefused, "does not let us in"),
        ({"bucket": "elsewhere"}, OptionsNotUsable, "elsewhere at 127.0.0.1.* is not there"),
        ({"endpoint": "http://127.0.0.1:1"}, SourceSilent, "does not answer"),
    ],
)
def test_what_is_wrong_is_said_without_the_key(bucket: Bucket, options: Any, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why) as told:
        opened(bucket, **options).look()
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("endpoint", ["http://169.254.169.254", "https://10.0.0.1", "ftp://h", "http://127.0.0.1:1/"])
def test_hosts_of_ones_own_network_are_asked_only_when_named(bucket: Bucket, endpoint: str) -> None:
    nobody_named = Surroundings((), Path("/nowhere"))
    with pytest.raises(OptionsNotUsable, match="cannot be used"):
        opened(bucket, nobody_named, endpoint=endpoint).look()


def test_an_object_that_is_too_large_is_named_and_not_brought(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goldsmith.connect.sources.buckets.MAX_FILE_BYTES", 3)
    bucket.objects = {"a.csv": b"q\none\n"}
    (batch,) = opened(bucket).fetch(Since())
    assert "more than 3 bytes" in batch.not_taken[0].reason
    assert reading.MAX_FILE_BYTES > 3


def test_an_emptied_bucket_is_an_error_not_a_loss(bucket: Bucket) -> None:
    with pytest.raises(SourceSilent, match="none of its 1 objects"):
        list(opened(bucket).fetch(Since({}, {"a.csv": "state"})))
