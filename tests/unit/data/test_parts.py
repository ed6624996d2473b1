import hashlib
import io
from datetime import timedelta

import pytest

from goldsmith.data import parts
from goldsmith.data.errors import UploadNotFound, UploadNotOpen, UploadNotWhole
from goldsmith.data.tables import PartialUpload
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

PIECES = (b"one\n", b"two\n", b"three")
WHOLE = b"".join(PIECES)


@pytest.fixture
def upload(database: Database, person: Person) -> PartialUpload:
    with database.transaction() as session:
        return parts.begin(
            session, "a.jsonl", purpose="batch", size_bytes=len(WHOLE), mime_type="text/plain", by=person
        )


@pytest.fixture
def part_ids(database: Database, home: Home, upload: PartialUpload, person: Person) -> list[str]:
    """Sent from the last to the first; named in the order of the file."""
    made = [parts.add_part(database, home, upload.id, io.BytesIO(each), by=person) for each in reversed(PIECES)]
    return [part.id for part in reversed(made)]


def test_parts_become_the_file_in_the_order_in_which_they_are_named(
    database: Database, home: Home, upload: PartialUpload, part_ids: list[str], person: Person
) -> None:
    md5 = hashlib.md5(WHOLE, usedforsecurity=False).hexdigest()
    done, file = parts.complete(database, home, upload.id, part_ids, md5=md5, by=person)
    assert (done.status, done.file_id, file.purpose, file.size_bytes) == ("completed", file.id, "batch", len(WHOLE))
    assert (home.uploads / file.sha256).read_bytes() == WHOLE
    with pytest.raises(UploadNotOpen, match="is completed"):
        parts.add_part(database, home, upload.id, io.BytesIO(b"more"), by=person)


def test_parts_that_are_not_the_whole_file_are_refused_and_can_be_named_again(
    database: Database, home: Home, upload: PartialUpload, part_ids: list[str], person: Person
) -> None:
    with pytest.raises(UploadNotWhole, match="were announced"):
        parts.complete(database, home, upload.id, part_ids[:2], md5=None, by=person)
    with pytest.raises(UploadNotWhole, match="MD5"):
        parts.complete(database, home, upload.id, part_ids, md5="0" * 32, by=person)
    with pytest.raises(UploadNotFound):
        parts.complete(database, home, upload.id, [*part_ids[:2], "part_none"], md5=None, by=person)
    assert parts.complete(database, home, upload.id, part_ids, md5=None, by=person)[0].status == "completed"


def test_one_that_was_given_up_or_left_alone_takes_nothing_more(
    database: Database, home: Home, upload: PartialUpload, part_ids: list[str], person: Person
) -> None:
    with database.transaction() as session:
        late = parts.begin(session, "b", purpose="batch", size_bytes=1, mime_type="x", by=person)
        late.expires_at = clock.now() - timedelta(seconds=1)
        parts.cancel(session, parts.one(session, upload.id, domain=person.domain))
    assert parts.status_of(late) == "expired"
    for upload_id in (late.id, upload.id):
        with pytest.raises(UploadNotOpen):
            parts.complete(database, home, upload_id, part_ids, md5=None, by=person)


def test_another_organisation_s_upload_is_not_there(database: Database, upload: PartialUpload) -> None:
    with database.reading() as session, pytest.raises(UploadNotFound):
        parts.one(session, upload.id, domain="elsewhere")
