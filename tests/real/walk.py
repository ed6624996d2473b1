"""One walk around the loop with real training and a real engine, in a home of its own that borrows the environments."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.homes import Supervised, supervised

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.cli.loop import Loop
from goldsmith.models import queries, service
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.settings import Settings

NUM_ROWS = 40
BUILTIN = "smollm2-135m-instruct"


@dataclass(frozen=True)
class Walk:
    """What came of the walk; the engine still runs with the tuned model on it."""

    parts: app.Parts
    loop: Loop
    comparison_id: str
    model_id: str
    supervised: Supervised

    @property
    def model_folder(self) -> Path:
        """The folder of the tuned model."""
        with self.parts.database.reading() as session:
            return queries.folder_of(self.parts.home, queries.tuned(session, self.model_id, domain=DEFAULT_DOMAIN))


@contextmanager
def walk_the_loop(real_home: Path, home: Path) -> Iterator[Walk]:
    """Walk once; engines are stopped at the end."""
    settings = Settings(home=home, port=8301, engine_port=8300)
    parts = app.assemble(settings)
    (parts.home.root / "environments").symlink_to(real_home / "environments")
    app.prepare_database(parts)
    cli = Cli(as_name="tests", is_json=True)
    cli.__dict__["parts"] = parts
    with supervised(parts) as wait:
        with cli.transaction() as (session, person):
            folder = _base_folder(real_home)
            job = service.start_path(session, folder, name=BUILTIN, roots=(real_home,), by=person)
        wait(job.id)
        loop = Loop(cli, NUM_ROWS)
        comparison_id = loop.walk()
        with parts.database.reading() as session:
            model = queries.all_tuned(session, domain=DEFAULT_DOMAIN)[0]
        yield Walk(parts, loop, comparison_id, model.id, wait)


def _base_folder(real_home: Path) -> Path:
    parts = app.assemble(Settings(home=real_home))
    with parts.database.reading() as session:
        return queries.folder_of(parts.home, queries.base(session, BUILTIN, domain=DEFAULT_DOMAIN))
