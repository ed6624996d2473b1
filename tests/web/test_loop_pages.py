"""The pages of the loop in every place of it: well formed, one heading, at most one gold button, no dead link."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import Walk, make_loop_site, walking
from tests.web.test_templates import Balance

from goldsmith.web.routers import make_routers

PAGES = ("/", "/fine-tuning", "/fine-tuning?step=train", "/training", "/training/new", "/models", "/model-comparison")


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, *make_routers().pages, database_url=database_url)
    yield made
    made.database.dispose()


def walk_to(walk: Walk, place: str) -> None:
    """Take all steps up to a place."""
    if place == "trained":
        walk.to_model()
    if place == "compared":
        walk.to_model()
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right={"base": 4, "examples": 5, "tuned": 14})
        walk.finish_comparison()


def addresses(walk: Walk) -> list[str]:
    """Every page that a walk has made."""
    made = [(f"/training/{walk.training_id}", walk.training_id), (f"/models/{walk.model_id}", walk.model_id)]
    made += [(f"/models/{walk.base_id}", walk.base_id)]
    made += [(f"/model-comparison/{walk.comparison_id}", walk.comparison_id)]
    return [*PAGES, *(address for address, is_there in made if is_there)]


@pytest.mark.parametrize("place", ["nothing", "trained", "compared"])
def test_every_page_is_well_formed_and_leads_somewhere(site: Site, place: str) -> None:
    with walking(site) as walk:
        walk_to(walk, place)
    browser, links = site.browser(), set()
    for address in addresses(walk):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        balance = Balance()
        balance.feed(answer.text)
        assert balance.open == [], address
        assert len(balance.ids) == len(set(balance.ids)), address
        assert balance.headings.count(1) == 1, address
        assert balance.num_gold <= 1, address
        links |= {link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)', answer.text)}
    for link in sorted(link for link in links if not link.startswith("/static")):
        assert browser.get(link).status_code in (200, 303), link
