"""Takes the README's pictures from the running product with a headless Chromium: `make pictures`.

The pages are the real ones, served as always; the rows are made up by the tests' walk through the loop, so no model is
asked and nothing is trained, and the figures in the pictures are nobody's result.
"""

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.web.conftest import Site
from tests.web.loop_rows import Walk, make_loop_site, walking

from goldsmith import app
from goldsmith.stars import queries as stars
from goldsmith.stars import service as stars_service
from goldsmith.stars.types import AnswerQuery, MarkKind, MarkRequest
from goldsmith.web.server import listen, make_server

PICTURES = Path(__file__).parent / "pictures"
MAX_BYTES = 200_000
SIZE = {"width": 1280, "height": 800}
NUM_MARKED_BY_HAND = 6
# Invented, so that there is something to look at; the README says so beside the pictures.
NUM_RIGHT = {"base": 9, "examples": 13, "tuned": 31}


def main() -> None:
    """Walk through the loop and stop where there is something to see."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        site = make_loop_site(Path(folder), *app.make_routers().pages)
        with serving(site) as address, browsing(address, site.person.name) as page:
            walk_and_look(site, page, address)
        site.database.dispose()


def walk_and_look(site: Site, page: Page, address: str) -> None:
    """Each picture is taken when the database is that far."""
    places: dict[str, Any] = {"num_rows": 160}

    def go(*steps: Callable[[Walk], None]) -> None:
        with walking(site, **places) as walk:
            for step in steps:
                step(walk)
            places.update({name: value for name, value in vars(walk).items() if name.endswith("_id")})

    go(Walk.bring_rows, lambda walk: walk.ask(num_right=52), mark_some)
    take(page, f"{address}/stars/{places['run_id']}", "stars")
    go(Walk.star, Walk.export, Walk.start_training, Walk.run_training)
    take(page, f"{address}/training/{places['training_id']}", "training")
    go(Walk.finish_training, Walk.deploy, Walk.start_comparison)
    go(lambda walk: walk.answer_arms(num_right=NUM_RIGHT), Walk.finish_comparison)
    take(page, f"{address}/model-comparison/{places['comparison_id']}", "comparison")
    take(page, f"{address}/", "home")


def mark_some(walk: Walk) -> None:
    """A person has read the first answers, and given each a star."""
    found = stars.answers_page(walk.session, walk.run_id, AnswerQuery(limit=NUM_MARKED_BY_HAND))
    for item in found.items:
        stars_service.mark(walk.session, item.answer.id, MarkRequest(MarkKind.star), by=walk.by)


def take(page: Page, address: str, name: str) -> None:
    """One picture, small enough for a repository."""
    answer = page.goto(address)
    if answer is None or not answer.ok:
        sys.exit(f"{address} did not answer: {answer.status if answer else 'nothing'}")
    page.wait_for_timeout(1000)  # the curve is drawn in half a second
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    size_bytes = path.stat().st_size
    if size_bytes > MAX_BYTES:
        sys.exit(f"{path} has {size_bytes} bytes; at most {MAX_BYTES} belong into the repository")
    print(f"{path.relative_to(Path.cwd())}: {size_bytes / 1000:.0f} kB")


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The pages on a free port."""
    socket = listen(0)
    server = make_server(site.web)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def browsing(address: str, name: str) -> Iterator[Page]:
    """A browser in which somebody has said a name: the system's Chromium, else Playwright's own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        # Without its sandbox, which root cannot have in a container; it opens nothing but our own pages.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{address}/hello")
        page.fill("input[name=name]", name)
        page.click("button[type=submit]")
        yield page
        browser.close()


if __name__ == "__main__":
    main()
