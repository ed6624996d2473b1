"""Takes pictures of the running product with a headless Chromium: `make pictures`.

The pages are the real ones, served as always; the rows are made up by the tests' walk through the loop, so no model is
asked and nothing is trained, and the figures in the pictures are nobody's result. Without an argument the README's four
pictures; with a folder every page in every stage, on a phone and on a desk, light and dark, to be looked at.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import chromium
from tests.browser import every_page
from tests.web.conftest import Site
from tests.web.loop_rows import Walk, walking

from goldsmith.stars import queries as stars
from goldsmith.stars import service as stars_service
from goldsmith.stars.types import AnswerQuery, MarkKind, MarkRequest

PICTURES = Path(__file__).parent / "pictures"
MAX_BYTES = 200_000
SIZE = (1280, 800)
LOOKED_AT = ((390, 844), (1440, 900))
NUM_MARKED_BY_HAND = 6
# Invented, so that there is something to look at; the README says so beside the pictures.
NUM_RIGHT = {"base": 9, "examples": 13, "tuned": 31}


def main() -> None:
    """The README's pictures, or all pages into the folder that is named."""
    if len(sys.argv) > 1:
        take_every_page(Path(sys.argv[1]))
        return
    PICTURES.mkdir(exist_ok=True)
    with opened() as (site, page, address):
        walk_and_look(site, page, address)


def walk_and_look(site: Site, page: Page, address: str) -> None:
    """Each picture is taken when the database is that far."""
    places: dict[str, Any] = {"num_rows": 160}

    def go(*steps: Callable[[Walk], None]) -> None:
        with walking(site, **places) as walk:
            for step in steps:
                step(walk)
            places.update({name: value for name, value in vars(walk).items() if name.endswith("_id")})

    go(Walk.bring_rows, lambda walk: walk.ask(num_right=52), mark_some)
    take_for_readme(page, f"{address}/stars/{places['run_id']}", "stars")
    go(Walk.star, Walk.export, Walk.start_training, Walk.run_training)
    take_for_readme(page, f"{address}/training/{places['training_id']}", "training")
    go(Walk.finish_training, Walk.deploy, Walk.start_comparison)
    go(lambda walk: walk.answer_arms(num_right=NUM_RIGHT), Walk.finish_comparison)
    take_for_readme(page, f"{address}/model-comparison/{places['comparison_id']}", "comparison")
    take_for_readme(page, f"{address}/", "home")


def mark_some(walk: Walk) -> None:
    """A person has read the first answers, and given each a star."""
    found = stars.answers_page(walk.session, walk.run_id, AnswerQuery(limit=NUM_MARKED_BY_HAND))
    for item in found.items:
        stars_service.mark(walk.session, item.answer.id, MarkRequest(MarkKind.star), by=walk.by)


def take_for_readme(page: Page, address: str, name: str) -> None:
    """One picture, small enough for a repository."""
    path = PICTURES / f"{name}.png"
    take(page, address, path)
    size_bytes = path.stat().st_size
    if size_bytes > MAX_BYTES:
        sys.exit(f"{path} has {size_bytes} bytes; at most {MAX_BYTES} belong into the repository")
    print(f"{path.relative_to(Path.cwd())}: {size_bytes / 1000:.0f} kB")


def take_every_page(folder: Path) -> None:
    """Every page, whole, as it is in every stage."""
    folder.mkdir(parents=True, exist_ok=True)
    for stage, make_pages in every_page.STAGES.items():
        with opened() as (site, page, address):
            for name, path in make_pages(site).items():
                for width, height in LOOKED_AT:
                    page.set_viewport_size({"width": width, "height": height})
                    for scheme in ("light", "dark"):
                        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                        take(page, address + path, folder / f"{stage}-{name}-{width}-{scheme}.png", is_whole=True)
            print(f"{stage}: done")


def take(page: Page, address: str, path: Path, *, is_whole: bool = False) -> None:
    """One picture, once the page is there and its curve is drawn."""
    answer = page.goto(address)
    if answer is None or answer.status >= 500:
        sys.exit(f"{address} did not answer: {answer.status if answer else 'nothing'}")
    if page.locator("[data-chart]").count():
        page.locator("[data-chart].is-drawn").first.wait_for()
    page.screenshot(path=path, full_page=is_whole)


@contextmanager
def opened() -> Iterator[tuple[Site, Page, str]]:
    """A site without rows, and a browser in which somebody has said a name there."""
    with (
        tempfile.TemporaryDirectory() as folder,
        every_page.served(Path(folder)) as (site, address),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.get(), args=list(chromium.ARGUMENTS))
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
        page.goto(f"{address}/hello")
        page.fill("input[name=name]", site.person.name)
        page.click("button[type=submit]")
        yield site, page, address
        browser.close()


if __name__ == "__main__":
    main()
