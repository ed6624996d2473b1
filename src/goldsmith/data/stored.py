"""Files that clients of OpenAI's API upload and name by an id of their own, until something is made from them."""

from datetime import datetime

from sqlalchemy.orm import Session

from goldsmith.data.tables import StoredFile
from goldsmith.data.types import Upload
from goldsmith.people.types import Person
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import storable


def keep(
    session: Session, upload: Upload, *, purpose: str, by: Person, expires_at: datetime | None = None
) -> StoredFile:
    """Give an upload an id. OpenAI's clients know files by a hyphen where our ids have an underscore."""
    stored = StoredFile(
        id=new_id(Prefix.FILE).replace("_", "-"),
        filename=storable(upload.filename),
        purpose=purpose,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        expires_at=expires_at,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(stored)
    session.flush()
    return stored


def forget(session: Session, stored: StoredFile) -> None:
    """Forget a file. Its bytes stay for the dataset that may have been made from them."""
    session.delete(stored)
    session.flush()
