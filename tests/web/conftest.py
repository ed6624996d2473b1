"""The web over a real database of each kind in a temporary home: one for each test, filled by the test itself."""

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.web.gateway_site import gateway_wait_s, running  # noqa: F401 - fixtures

import goldsmith.web.jobs.api
import goldsmith.web.jobs.handlers
from goldsmith.environments.machine import MachineFacts
from goldsmith.migrations.tables import METADATA
from goldsmith.people import service
from goldsmith.people.types import Person
from goldsmith.settings import Settings
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train.backends.fake import Fake
from goldsmith.train.backends.trl import Trl
from goldsmith.web.factory import Routers, make_web
from goldsmith.web.state import WebState

STEPS_WITH_API = ("data", "run", "stars", "train", "models", "serve", "compare")
ORIGIN = "http://127.0.0.1:8001"


@dataclass(frozen=True)
class Site:
    """Everything that a test of pages needs."""

    web: FastAPI
    database: Database
    home: Home
    person: Person
    key: str

    def client(self, **headers: str) -> TestClient:
        """A client of nobody yet."""
        return TestClient(self.web, base_url=ORIGIN, headers=headers, follow_redirects=False)

    def browser(self) -> TestClient:
        """A browser in which the person has said its name."""
        client = self.client(origin=ORIGIN, accept="text/html")
        assert client.post("/hello", data={"name": self.person.name}).status_code == 303
        return client

    def program(self) -> TestClient:
        """A program with a key."""
        return self.client(authorization=f"Bearer {self.key}")


def make_site(
    folder: Path,
    routers: Routers,
    *,
    database_url: str | None = None,
    offers: Mapping[str, Any] | None = None,
    session_info: Mapping[str, Any] | None = None,
    own_hosts: tuple[str, ...] = (),
    embed_origins: tuple[str, ...] = (),
) -> Site:
    """A site over an empty database with one person, who has a key; without a URL: a SQLite file in the folder.

    The URL is that of the fixture `database_url`, which has tests run on both databases.
    """
    home = Home(folder).prepare()
    settings = Settings(home=folder, database_url=database_url, webhook_hosts=own_hosts, embed_origins=embed_origins)
    database = Database(settings.database, session_info=session_info)
    if database_url is None:
        METADATA.create_all(database.engine)
    with database.transaction() as session:
        person = service.known_by_name(session, "Ada")
        _, key = service.add_key(session, "tests", by=person)
    return Site(make_web(WebState(database, home, settings, offers=offers or {}), routers), database, home, person, key)


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    switches: list[str] = []
    offers = {
        "backends": {backend.name: backend for backend in (Trl(), Fake())},
        "machine": MachineFacts("here", 2, 24_000_000_000, (), "x86_64"),
        "import_roots": (tmp_path / "imports",),
        "after_switch": lambda: switches.append("switched"),
        "switches": switches,
    }
    apis = [importlib.import_module(f"goldsmith.web.{step}.api").api for step in STEPS_WITH_API]
    routers = Routers(
        [goldsmith.web.jobs.handlers.pages], [goldsmith.web.jobs.api.api, goldsmith.web.jobs.api.notices_api, *apis]
    )
    made = make_site(tmp_path, routers, database_url=database_url, offers=offers)
    yield made
    made.database.dispose()
