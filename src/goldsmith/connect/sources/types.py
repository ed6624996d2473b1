"""What every kind of source says and is asked. A kind of somebody else's needs this file and `errors.py` alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, SecretStr

MAX_ID_CHARACTERS = 255
BATCH_ROWS = 500


class SourceOptions(BaseModel):
    """What a person fills in; each field's docstring is its help. A `SecretStr` is sealed, and never shown again."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, str_strip_whitespace=True)

    @classmethod
    def secret_names(cls) -> tuple[str, ...]:
        """The fields that are sealed."""
        return tuple(name for name, info in cls.model_fields.items() if "SecretStr" in str(info.annotation))

    @classmethod
    def place_names(cls) -> tuple[str, ...]:
        """The fields that say where a secret is sent; when one of them changes, the secret has to be entered again."""
        return ()

    @classmethod
    def good_answers(cls) -> str | None:
        """The column with good answers, where every source of the kind has the same; else a person names it."""
        return None


class AnswersOptions(SourceOptions):
    """Of a kind whose sources take answers: they open as a `TwoWaySource`, or as one that is an `AnswerKeeper`."""

    answers_title: ClassVar[str] = "Answers that are shown there"
    """Heads them on the page of a source."""
    answers_about: ClassVar[str] = (
        "Answers of a model are shown there to whoever works on the rows. A correction that was made here goes there, "
        "a bad answer does not."
    )

    offer_answers: Annotated[bool, Field(title="Offer answers there by themselves")] = False
    """When a run over the rows has ended, its answers go there."""


class TwoWayOptions(AnswersOptions):
    """Of a kind whose sources also tell what changes, and take answers: they open as a `TwoWaySource`."""

    told_at: Annotated[str, Field(max_length=1024, title="Goldsmith's address, as seen from there")] = ""
    """Such as http://127.0.0.1:8001. What changes there is then told to Goldsmith, and read within seconds. Left empty,
    it is read when you ask or at fixed times."""


@dataclass(frozen=True)
class Surroundings:
    """What a source may know of this machine."""

    roots: tuple[Path, ...]
    """Folders below which local files may be read."""
    private: Path
    """Goldsmith's own folder, of which nothing is ever read."""
    own_hosts: tuple[str, ...] = ()
    """Hosts of one's own network that somebody has named."""


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row of the source: under this id now, and whenever it is read again."""

    source_id: str
    values: Mapping[str, str]
    place: str = ""
    """Where it was, for people: "tickets.csv, row 812"."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Something that is no row, and why."""

    place: str
    reason: str


@dataclass(frozen=True)
class Since:
    """How far an earlier reading came. Empty the first time."""

    cursor: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    """Each group that was read whole, with the state that it had: a file, and the hash of its bytes."""


@dataclass(frozen=True)
class Batch:
    """Some rows, and from where to go on once they are kept. Both are kept in one transaction."""

    rows: Sequence[FoundRow] = ()
    cursor: Mapping[str, Any] = field(default_factory=dict)
    """Whoever begins with it goes on behind this batch. JSON."""
    not_taken: Sequence[NotTaken] = ()
    group: str | None = None
    """What the rows belong to, where the source is read in groups: of one that was read from its beginning to its end,
    rows that did not come are gone."""
    is_begun: bool = False
    """With this batch the group begins."""
    is_ended: bool = False
    """With this batch the group has been read whole."""
    group_state: str | None = None
    """With `is_ended`: what `Since.groups` says next time; None: the group itself is gone."""
    share: float | None = None
    """How much of all has been read."""


@dataclass(frozen=True)
class Looked:
    """What a test of the connection found."""

    sentence: str
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class OpenSource(Protocol):
    """A source with its options."""

    def look(self) -> Looked:
        """See whether it can be read, within seconds. Raises the errors of `errors.py`."""
        ...

    def fetch(self, since: Since) -> Iterator[Batch]:
        """What came since then, in batches of at most some hundred rows; memory stays the same however many there are.

        Everything is told again that changed; what is told twice does no harm. Raises the errors of `errors.py`.
        """
        ...


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """An answer to a row, by its id in the source; None: what was offered before is taken back."""

    source_id: str
    text: str | None
    place: str = ""
    """Where its row was, for people."""
    is_star: bool = False
    """Whether somebody gave it a gold star."""


@dataclass(frozen=True)
class Offered:
    """What became of some answers."""

    num_new: int = 0
    num_same: int = 0
    """Stood there already."""
    not_taken: Sequence[NotTaken] = ()


@runtime_checkable
class TwoWaySource(OpenSource, Protocol):
    """A source that also tells what changes, and takes answers to its rows."""

    def arrange(self, address: str | None, token: str) -> None:
        """Have it tell this address, with this token, that something has changed; None: have it tell us nothing more.

        Said twice it changes nothing. Raises the errors of `errors.py`.
        """
        ...

    def offer(self, name: str, answers: Sequence[RowAnswer]) -> Offered:
        """Show these answers there under a name, in place of what stood under that name for these rows.

        Said twice it changes nothing, and nothing under another name is touched. Raises the errors of `errors.py`.
        """
        ...


@runtime_checkable
class AnswerKeeper(OpenSource, Protocol):
    """A source that keeps the answers of a run as a file of their own."""

    def keep(self, name: str, answers: Iterable[RowAnswer]) -> Offered:
        """Have all answers of a run there under a name, in place of what stood under it; whole, or not at all.

        Said twice it changes nothing, and it is never read as rows. Raises the errors of `errors.py`.
        """
        ...


class SourceKind(Protocol):
    """A kind of source."""

    name: ClassVar[str]
    """Lower case; stands in addresses and commands."""
    title: ClassVar[str]
    about: ClassVar[str]
    """A sentence for whoever chooses."""
    Options: ClassVar[type[SourceOptions]]

    def open(self, options: Any, surroundings: Surroundings) -> OpenSource:
        """The source with these options, without asking it anything yet. Raises OptionsNotUsable, SourceRefused."""
        ...


def revealed(secret: SecretStr | None) -> str | None:
    """A secret for the one call that needs it."""
    return secret.get_secret_value() if secret is not None else None
