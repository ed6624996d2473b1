"""What came from a source is found by its scope, in its own organisation alone."""

from tests.factories import make_dataset_version, make_person

from goldsmith.connect import queries
from goldsmith.connect.tables import SourceRow, SourceScope
from goldsmith.connect.types import Scope
from goldsmith.data import queries as data
from goldsmith.storage.database import Database

SCOPE = Scope("ada@acme.example", "acme.example")


def test_scopes_and_origins_are_their_organisations_own(database: Database) -> None:
    with database.transaction() as session:
        by = make_person(session)
        version = make_dataset_version(session, by=by)
        row = data.rows(session, version.id)[0]
        scope = SourceScope(
            id="src_1",
            source="aristotle",
            philosopher=SCOPE.philosopher,
            source_domain=SCOPE.domain,
            dataset_id=version.dataset_id,
            domain=by.domain,
            created_by=by.id,
        )
        session.add(scope)
        session.flush()
        session.add(SourceRow(row_id=row.id, scope_id=scope.id, external_id="conquest_1"))
    with database.reading() as session:
        for other in (Scope("eve", SCOPE.domain), Scope(SCOPE.philosopher, "evil.example")):
            assert queries.scope_row(session, "aristotle", other, domain=by.domain) is None
        assert queries.scope_row(session, "aristotle", SCOPE, domain="evil.example") is None
        assert queries.scope_row(session, "label_studio", SCOPE, domain=by.domain) is None
        assert queries.scope_row(session, "aristotle", SCOPE, domain=by.domain) is not None
        found = queries.origin(session, row.id, domain=by.domain)
        assert found is not None
        assert found[0].external_id == "conquest_1"
        assert queries.origin(session, row.id, domain="evil.example") is None
        assert queries.same_version(session, version.dataset_id, "1" * 64) is None
        assert queries.same_version(session, version.dataset_id, version.source_sha256) is not None
