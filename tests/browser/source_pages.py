"""Sources for `every_page.py`: one read twice, with a row that changed under a correction, and one that failed."""

from pathlib import Path

from tests.label_studio_stand_in import serving
from tests.syncing import Syncs
from tests.unit.connect.offering.conftest import Offers
from tests.unit.connect.stars import FakeSource, item
from tests.web.conftest import Site

from goldsmith.connect import service as bringing_in
from goldsmith.connect.bringing import service as bringing
from goldsmith.connect.syncing import queries
from goldsmith.connect.types import Scope, Wish
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.stars import service as stars
from goldsmith.stars.types import MarkKind, MarkRequest


def labelled(syncs: Syncs, name: str, long_text: str) -> str:
    """A project of Label Studio to which answers were offered, some of which could not be."""
    with serving() as studio:
        offers = Offers(syncs, studio)
        at = offers.connect(3, told_at="http://127.0.0.1:8001")
        run_id = offers.run(at, {1: long_text, 2: "two", 3: " "}, name=name)
        del studio.tasks[2]
        offers.offer(at, run_id)
    return at


def source_pages(site: Site, name: str, long_text: str) -> dict[str, str]:
    """A short name → the page's address."""
    folder = Path(f"{site.home.root}-outside")
    syncs = Syncs(site.database, site.home, site.person, folder)
    connection = syncs.connect_folder([(1, long_text, "1"), (2, "two?", "2")], name=name, answer_column="answer")
    syncs.sync(connection.id)
    row_id = syncs.rows(connection.id)[1].id
    with site.database.transaction() as session:
        (answer,) = queries.imported_answers(session, row_id)
        stars.mark(session, answer.id, MarkRequest(MarkKind.correction, long_text), by=site.person)
    syncs.write([(1, long_text, "1"), (2, "two?", name), ("", "no id", "3")])  # type: ignore[list-item]
    syncs.sync(connection.id)
    bring_stars(site)
    options = {"address": "postgresql://reader@db.example.org/shop", "query": "SELECT * FROM t", "id_column": "id"}
    failed = syncs.connect("sql", options, name="Shop")
    job_id = syncs.queue(failed.id)
    with site.database.transaction() as session:
        job = jobs.one(session, job_id)
        queue.move(session, job, JobState.STARTING, "claimed")
        queue.fail(session, job, JobFailure("source-silent", f"It does not answer: {name}.", "Look."))
    at = f"/sources/{connection.id}"
    return {
        "source-labelled": f"/sources/{labelled(syncs, name, long_text)}",
        "source-new-label-studio": "/sources/new/label_studio",
        "source": at,
        "source-row": f"{at}?row={row_id}",
        "source-change": f"{at}/change",
        "source-failed": f"/sources/{failed.id}",
    }


def bring_stars(site: Site) -> None:
    """Stars of Aristotle's that come in by themselves, whose last coming failed."""
    wish = Wish(Scope("ada.lovelace@support.acme.example", "support.acme.example"), system_text="You judge.")
    source = FakeSource([item(number) for number in range(3)])
    with site.database.transaction() as session:
        fetched = source.fetch(wish)
        scope = bringing_in.take_in(session, site.home, source, wish, fetched, by=site.person).scope
        bringing.schedule(session, scope.id, 60, by=site.person)
        job = bringing.bring(session, scope.id, by=site.person)
        queue.move(session, job, JobState.STARTING, "claimed")
        queue.fail(session, job, JobFailure("source-not-answering", "Aristotle does not answer.", "Look."))
