"""Two organisations in another application, whose stars and everything made of them lie in one Goldsmith."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from tests.web.conftest import Site, make_site
from tests.web.loop_rows import MACHINE, Walk, walking

from goldsmith import app
from goldsmith.connect.embedding.types import Permission
from goldsmith.connect.types import Fetched, LeftOut, SourceItem, Wish
from goldsmith.settings import Settings
from goldsmith.storage.files import Home
from goldsmith.web.routers import make_routers

ADA = {"philosopher": "ada@acme.example", "domain": "acme.example"}
BOB = {"philosopher": "bob@acme.example", "domain": "acme.example"}
EVE = {"philosopher": "eve@evil.example", "domain": "evil.example"}
HOST = "http://localhost:4000"
EVERYTHING = tuple(permission.value for permission in Permission)


@dataclass
class FakeAristotle:
    """Sixty stars of Ada's and of Eve's, and none of anybody else's."""

    name: str = "aristotle"
    title: str = "Aristotle"

    def fetch(self, wish: Wish) -> Fetched:
        if wish.scope.philosopher not in (ADA["philosopher"], EVE["philosopher"]):
            return Fetched()
        items = [self._item(wish.scope.philosopher, number) for number in range(60)]
        return Fetched(items, [LeftOut("conquest_x", "no_answer")], {item.external_id for item in items})

    def why_none(self, wish: Wish, fetched: Fetched) -> str:
        return f"There is no rating of {wish.scope.philosopher}."

    def _item(self, philosopher: str, number: int) -> SourceItem:
        answer = json.dumps({"topic": ("billing", "technical", "other")[number % 3]})
        return SourceItem(
            f"{philosopher[:3]}_{number}", f"{philosopher} asks {number}?", answer, "You judge.", "CUSTOM"
        )


def make_goldsmith(folder: Path, database_url: str | None = None, *, origins: Iterable[str] = (HOST,)) -> Site:
    """Everything that there is, over a database of its own."""
    kinds = app.make_kinds(Settings(home=folder), Home(folder), MACHINE)
    offers = {
        "backends": app.make_backends(),
        "machine": MACHINE,
        "import_roots": (folder,),
        "after_switch": lambda: None,
        "sources": {"aristotle": FakeAristotle},
    }
    info = {"mirrors": {name: kind.mirror for name, kind in kinds.items()}}
    return make_site(
        folder,
        make_routers(),
        database_url=database_url,
        offers=offers,
        session_info=info,
        embed_origins=tuple(origins),
    )


def token(site: Site, scope: dict[str, str], *, may: Iterable[str] = EVERYTHING, minutes: int = 10) -> str:
    """As the application's server asks for it."""
    answer = site.program().post("/v1/embed/tokens", json={**scope, "may": list(may), "minutes": minutes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def page(site: Site, scope: dict[str, str], *, may: Iterable[str] = EVERYTHING) -> TestClient:
    """A page of the application, on which this person is signed in."""
    return site.client(authorization=f"Bearer {token(site, scope, may=may)}", origin=HOST)


def walk_of(site: Site, scope: dict[str, str], base_id: str = "") -> Walk:
    """From a person's stars to a model that is live, and compared with its base."""
    set_id = page(site, scope).post("/v1/embed/training-sets", json={}).json()["id"]
    with walking(site, base_id=base_id, set_id=set_id) as walk:
        if not base_id:
            walk.bring_rows()
            walk.ask()
        walk.start_training(f"tuned-of-{scope['philosopher'][:3]}")
        walk.run_training()
        walk.finish_training()
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right={"base": 3, "examples": 5, "tuned": 10})
        walk.finish_comparison()
    return walk


def ids_of(walk: Walk) -> dict[str, Any]:
    """Everything that was made on the way, but the base model, which is everybody's."""
    return {
        "set": walk.set_id,
        "training": walk.training_id,
        "model": walk.model_id,
        "comparison": walk.comparison_id,
    }
