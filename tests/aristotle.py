"""Synthetic databases of Aristotle for tests, on the PostgreSQL that the tests start. Import its fixtures."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from tests import postgresql

from goldsmith.connect.aristotle import Aristotle
from goldsmith.testing.aristotle import SyntheticAristotle

MakeSynthetic = Callable[[str], SyntheticAristotle]


def url_of(synthetic: SyntheticAristotle) -> str:
    """As a setting would have it."""
    return synthetic.url.render_as_string(hide_password=False)


@pytest.fixture
def make_synthetic(postgresql_server: str) -> Iterator[MakeSynthetic]:
    """Makes an empty database of a generation."""
    names: list[str] = []

    def make(generation: str) -> SyntheticAristotle:
        names.append(f"aristotle_test_{uuid4().hex[:12]}")
        postgresql.run_sql(postgresql_server, f"CREATE DATABASE {names[-1]}")
        synthetic = SyntheticAristotle(f"{postgresql_server}/{names[-1]}", generation)
        synthetic.make_tables()
        return synthetic

    yield make
    for name in names:
        postgresql.run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["V1", "V2", "V3"])
def synthetic(request: pytest.FixtureRequest, make_synthetic: MakeSynthetic) -> SyntheticAristotle:
    """An empty database of each generation."""
    return make_synthetic(request.param)


@pytest.fixture
def aristotle(synthetic: SyntheticAristotle) -> Aristotle:
    """The source over it."""
    return Aristotle.at(url_of(synthetic))
