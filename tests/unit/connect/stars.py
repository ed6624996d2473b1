"""Stars of a source that holds them in memory."""

from dataclasses import dataclass, field, replace

from goldsmith.connect import service
from goldsmith.connect.types import Fetched, LeftOut, Scope, SourceItem, Wish
from goldsmith.people.types import Person
from goldsmith.stars.types import ExportRequest
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

SCOPE = Scope("ada@acme.example", "acme.example")
SYSTEM = "You judge candidates."
WISH = Wish(SCOPE, system_text=SYSTEM)
REQUEST = ExportRequest(exam_share=0.25)


@dataclass
class FakeSource:
    """Holds its stars in memory."""

    items: list[SourceItem]
    left_out: list[LeftOut] = field(default_factory=list)
    name: str = "aristotle"
    title: str = "Aristotle"

    def fetch(self, wish: Wish) -> Fetched:
        return Fetched(self.items[: wish.limit], self.left_out, {item.external_id for item in self.items})

    def why_none(self, wish: Wish, fetched: Fetched) -> str:
        return "None is starred."


def item(number: int, **changed: str) -> SourceItem:
    return replace(SourceItem(f"conquest_{number}", f"Right {number}?", f"Yes, {number}.", None, "CUSTOM"), **changed)  # type: ignore[arg-type]


def bring(database: Database, home: Home, source: FakeSource, by: Person, wish: Wish = WISH) -> service.Brought:
    with database.transaction() as session:
        return service.export(session, home, source, wish, REQUEST, by=by)


def bring_first(database: Database, home: Home, source: FakeSource, by: Person) -> str:
    """The id of the scope that its stars came in under."""
    with database.transaction() as session:
        return service.take_in(session, home, source, WISH, source.fetch(WISH), by=by).scope.id
