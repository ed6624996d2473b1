"""A bucket that speaks S3's protocol: every new or changed object's rows. What has changed is told by its ETag.

`obstore` speaks to it and is an extra part, loaded when a bucket is read. An object is brought to this machine before
it is read, as files are, and deleted after.
"""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from goldsmith.connect.sources import answer_files, reading
from goldsmith.connect.sources.answer_files import AnswerFilesOptions
from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused, SourceSilent
from goldsmith.connect.sources.reading import MAX_FILE_BYTES, SUFFIXES, SourceFile
from goldsmith.connect.sources.types import (
    Batch,
    Looked,
    Offered,
    RowAnswer,
    Since,
    SourceOptions,
    Surroundings,
    revealed,
)
from goldsmith.errors import GoldsmithError
from goldsmith.webhooks import addresses
from goldsmith.webhooks.errors import AddressNotAllowed

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

MAX_OBJECTS = 100_000
LISTED_AT_ONCE = 1000
CLIENT: "ClientConfig" = {"timeout": "120s", "connect_timeout": "5s"}
RETRIES: "RetryConfig" = {"max_retries": 2}
_FORBIDDEN = re.compile(r"status code: 40[13]\b")
_MAY_READ = "Check the key, and that it may list the bucket and read its objects."
_MISSING = re.compile(r"status code: 404\b")


class _Objects(SourceOptions):
    """Which objects of which bucket."""

    bucket: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Its name."""
    endpoint: Annotated[str, Field(max_length=1024)] = ""
    """Such as https://minio.example.org. Left empty for Amazon's own. A host of your own network has to be named in
    GOLDSMITH_WEBHOOK_HOSTS first."""
    region: Annotated[str, Field(max_length=64)] = "us-east-1"
    """As the bucket's owner says; most other services take any."""
    prefix: Annotated[str, Field(max_length=1024, title="Objects whose name begins with")] = ""
    """Such as exports/2026/. Left empty, all are looked at."""
    pattern: Annotated[str, Field(min_length=1, max_length=255, title="Objects whose last part fits")] = "*"
    """Such as *.jsonl. CSV, TSV, JSON, JSONL, Excel and Parquet are read, others passed over."""
    access_key: Annotated[str, Field(max_length=255)] = ""
    """The name of the key. Left empty, the bucket is asked without one. Use a key that may only list and read; to have
    answers written there, one that may also write below goldsmith-answers/."""
    secret_key: SecretStr | None = None
    """It is kept encrypted and never shown again."""
    id_column: Annotated[str, Field(max_length=200, title="Column that names a row")] = ""
    """By it a row is known again in whichever object it comes. Left empty, a row is known by its object and its place
    in it."""


class BucketOptions(AnswerFilesOptions, _Objects):
    """Which objects, and whether answers go there."""

    @classmethod
    def place_names(cls) -> tuple[str, ...]:
        """The key is for this bucket at this place."""
        return ("endpoint", "bucket", "access_key")


class Buckets:
    """The kind."""

    name: ClassVar[str] = "s3"
    title: ClassVar[str] = "A bucket (S3)"
    about: ClassVar[str] = "Objects of a bucket that speaks S3's protocol, whenever one is new or has changed."
    Options: ClassVar[type[SourceOptions]] = BucketOptions

    def open(self, options: BucketOptions, surroundings: Surroundings) -> "BucketSource":
        """The bucket. Raises OptionsNotUsable, SourceRefused."""
        return BucketSource(lambda: _store(options, surroundings), options)


@dataclass(frozen=True)
class BucketSource:
    """One bucket, through whatever store `make` gives."""

    make: Callable[[], Any]
    options: BucketOptions

    def __repr__(self) -> str:
        return f"BucketSource({self.place})"

    @property
    def place(self) -> str:
        """Which bucket, where."""
        where = urlsplit(self.options.endpoint).netloc if self.options.endpoint else "Amazon S3"
        return f"The bucket {self.options.bucket} at {where}"

    def look(self) -> Looked:
        """How many objects there are to read."""
        with self._told():
            found = self._objects(self.make())
        if not found:
            return Looked(f"{self.place} can be listed, and holds no object whose name fits.")
        num = f"{len(found):,} objects" if len(found) > 1 else "1 object"
        return Looked(f"{self.place} can be listed and holds {num}, the first of them {min(found)}.")

    def fetch(self, since: Since) -> Iterator[Batch]:
        """Object by object, by name; of objects that are gone, that they are."""
        with self._told():
            store = self.make()
            found = self._objects(store)
        if since.groups and not found:
            raise SourceSilent(
                f"{self.place} holds none of its {len(since.groups):,} objects any more.",
                hint="Look at bucket and prefix. If they are gone for good, remove the connection.",
            )
        for number, name in enumerate(sorted(found)):
            if since.groups.get(name) != _state(found[name]):
                for batch in self._read(store, name, found[name], since):
                    yield Batch(**{**batch.__dict__, "share": number / len(found)})
        for name in sorted(set(since.groups) - set(found)):
            yield Batch(group=name, is_begun=True, is_ended=True)

    def keep(self, name: str, answers: Iterable[RowAnswer]) -> Offered:
        """One object for each run, which is put when all of it is there; one that is the same is left as it is."""
        import obstore

        folder = self.options.prefix.rpartition("/")[0]
        key = "/".join(filter(None, (folder, answer_files.FOLDER, f"{name}.jsonl")))
        with tempfile.TemporaryFile(prefix="goldsmith-answers-") as file:
            written = answer_files.write(file, answers)
            with self._told("Check the key, and that it may read and write there."):
                store = self.make()
                before = _sha256_of(store, key)
                if before != written.sha256:
                    file.seek(0)
                    obstore.put(store, key, file)
        return written.beside(before)

    def _read(self, store: Any, name: str, meta: Any, since: Since) -> Iterator[Batch]:
        state = _state(meta)
        if meta["size"] > MAX_FILE_BYTES:
            yield reading.unread(name, state, f"it has more than {MAX_FILE_BYTES:,} bytes")
            return
        at = since.cursor if since.cursor.get("group") == name and since.cursor.get("state") == state else {}
        with tempfile.TemporaryDirectory(prefix="goldsmith-object-") as folder:
            path = Path(folder) / f"object{PurePosixPath(name).suffix.lower()}"
            with self._told():
                brought = _bring(store, name, path)
            if brought != state:
                return  # it was changed since it was listed; it comes next time
            yield from reading.batches(
                SourceFile(path, name, state, self.options.id_column), done=int(at.get("done", 0))
            )

    def _objects(self, store: Any) -> dict[str, Any]:
        """By name: what the bucket says of each object that is read."""
        import obstore

        found: dict[str, Any] = {}
        for some in obstore.list(store, prefix=self.options.prefix or None, chunk_size=LISTED_AT_ONCE):
            found.update({meta["path"]: meta for meta in some if self._fits(meta["path"])})
            if len(found) > MAX_OBJECTS:
                raise OptionsNotUsable(
                    f"{self.place} holds more than {MAX_OBJECTS:,} objects that fit.", hint="Narrow the prefix."
                )
        return found

    def _fits(self, name: str) -> bool:
        last = PurePosixPath(name)
        if answer_files.is_ours(last):
            return False
        return last.suffix.lower() in SUFFIXES and fnmatchcase(last.name, self.options.pattern)

    @contextmanager
    def _told(self, hint: str = _MAY_READ) -> Iterator[None]:
        """What the service says, in words; never with the key. `hint` is for a key that may not do it."""
        from obstore import exceptions as said

        try:
            yield
        except (said.BaseError, OSError) as error:
            raise self._in_words(error, hint) from None

    def _in_words(self, error: Exception, may_not: str) -> GoldsmithError:
        """Services answer a list that they refuse with a status alone, which the library hands on as text."""
        from obstore import exceptions as said

        text = str(error)
        if isinstance(error, said.PermissionDeniedError | said.UnauthenticatedError) or _FORBIDDEN.search(text):
            return SourceRefused(f"{self.place} does not let us in with this key.", hint=may_not)
        if isinstance(error, said.NotFoundError | FileNotFoundError) or _MISSING.search(text):
            return OptionsNotUsable(f"{self.place} is not there.", hint="Check its name, and the endpoint.")
        first = text.partition("\n")[0][:300].replace(revealed(self.options.secret_key) or "\0", "***")
        hint = "Check the endpoint, that it runs, and that it lets this machine in."
        return SourceSilent(f"{self.place} does not answer: {first}.", hint=hint)


def _bring(store: Any, name: str, path: Path) -> str:
    """An object's bytes into a file, in pieces; returns the state that it had."""
    import obstore

    got = obstore.get(store, name)
    with path.open("wb") as file:
        for piece in got.stream():
            file.write(piece)
    return _state(got.meta)


def _sha256_of(store: Any, name: str) -> str | None:
    """Of an object's bytes; None where there is none."""
    import obstore

    digest = hashlib.sha256()
    try:
        for piece in obstore.get(store, name).stream():
            digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _state(meta: Any) -> str:
    return str(meta.get("e_tag") or f"{meta['size']} bytes, {meta['last_modified'].isoformat()}")


def _store(options: BucketOptions, surroundings: Surroundings) -> Any:
    try:
        from obstore.store import S3Store
    except ModuleNotFoundError:
        raise OptionsNotUsable("obstore is not installed.", hint="Run: pip install 'goldsmith[s3]'") from None
    settings: S3Config = {"region": options.region, "virtual_hosted_style_request": False}
    client: ClientConfig = {**CLIENT}
    if options.endpoint:
        place = _place(options.endpoint, surroundings)
        settings["endpoint"] = options.endpoint.rstrip("/")
        client["allow_http"] = not place.is_encrypted
    secret = revealed(options.secret_key)
    if options.access_key and secret:
        settings |= {"access_key_id": options.access_key, "secret_access_key": secret}
    else:
        settings["skip_signature"] = True
    return S3Store(options.bucket, config=settings, client_options=client, retry_config=RETRIES)


def _place(endpoint: str, surroundings: Surroundings) -> addresses.Place:
    """Where it would go; never to a host of one's own network that nobody has named. Raises OptionsNotUsable."""
    try:
        return addresses.place_of(endpoint, own_hosts=surroundings.own_hosts)
    except AddressNotAllowed as error:
        hint = (
            "Use https and a public host; a host of your own network has to be named in GOLDSMITH_WEBHOOK_HOSTS first."
        )
        raise OptionsNotUsable(f"The endpoint cannot be used: {error.message}", hint=hint) from None
