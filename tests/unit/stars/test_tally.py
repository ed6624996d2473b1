"""Counts of stars are kept, and never stale."""

from collections.abc import Callable

from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import queries, service
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.storage.database import Database

STAR = MarkRequest(MarkKind.star)


def test_a_count_holds_until_the_next_mark(
    database: Database, ana: Person, make_run: Callable[..., tuple[Run, list[Answer]]]
) -> None:
    run, answers = make_run([({"q": "a"}, "x"), ({"q": "b"}, "y")])
    for wanted, answer in enumerate(answers, start=1):
        with database.transaction() as session:
            service.mark(session, answer.id, STAR, by=ana)
            assert queries.num_stars(session, domain=ana.domain) == {run.id: wanted}
        for _ in range(2):
            with database.reading() as session:
                assert queries.num_stars(session, domain=ana.domain) == {run.id: wanted}
    with database.transaction() as session:
        service.mark(session, answers[0].id, MarkRequest(MarkKind.correction, "z"), by=ana)
    with database.reading() as session:
        assert queries.num_corrected(session, domain=ana.domain) == 1
        assert queries.num_stars(session, domain=ana.domain) == {run.id: 2}
