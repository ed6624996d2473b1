"""Goldsmith's parts on the page of another application, from another origin, from gold stars to a chosen model.

By the keyboard alone: Tab to what is named, then Enter, Space or the arrows.
"""

import json
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, expect
from tests import postgresql
from tests.browser import host_application, place
from tests.browser.place import Place
from tests.browser.test_pages import SCHEMES, WIDTHS, violations
from tests.browser.visitor import WITHIN_S, Visitor

from goldsmith.people import service as people
from goldsmith.storage.database import Database
from goldsmith.testing.aristotle import SYSTEM, SyntheticAristotle, SyntheticConquest

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
ADA = {"philosopher": "ada@acme.example", "domain": "acme.example"}
NUM_STARS = 60
MOST_TABS = 40
ACTIVE = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return `${found?.getAttribute("aria-label") ?? found?.labels?.[0]?.textContent ?? found?.textContent ?? ""}`.trim();
}"""
"""What has the focus, by its name, through every shadow."""


@dataclass
class Application:
    """The application's page, the Goldsmith behind it, and the key that its server holds."""

    goldsmith: Place
    key: str = ""
    address: str = ""


@pytest.fixture(scope="module")
def aristotle() -> Iterator[SyntheticAristotle]:
    """Sixty of Ada's conquests with gold stars, asked without a system message being kept."""
    with postgresql.running() as server:
        postgresql.run_sql(server.url, "CREATE DATABASE aristotle_dev")
        synthetic = SyntheticAristotle(f"{server.url}/aristotle_dev", "V2")
        synthetic.make_tables()
        yield synthetic


@pytest.fixture
def application(aristotle: SyntheticAristotle) -> Iterator[Application]:
    [port] = place.free_ports(1)
    settings = {
        "GOLDSMITH_EMBED_ORIGINS": f"http://localhost:{port}",
        "ARISTOTLE_DATABASE_URL": aristotle.url.render_as_string(hide_password=False),
    }
    with (
        tempfile.TemporaryDirectory(prefix="goldsmith-") as folder,
        place.opened(Path(folder), NUM_STARS, **settings) as goldsmith,
    ):
        for number, (question, answer) in enumerate(goldsmith.expected.items()):
            asked = {"prompt": question}, {"response": json.loads(answer)}
            star = SyntheticConquest(ADA["philosopher"], ADA["domain"], *asked)
            aristotle.add(number, star)
        application = Application(goldsmith)
        change_key(application)
        with host_application.running(
            port, goldsmith=goldsmith.address, key=lambda: application.key, scope=ADA
        ) as application.address:
            yield application


def change_key(application: Application) -> None:
    """As `goldsmith keys add` and `goldsmith keys revoke` do."""
    database = Database(f"sqlite:///{application.goldsmith.home / 'goldsmith.db'}")
    with database.transaction() as session:
        operator = people.known_by_name(session, "operator")
        _, secret = people.add_key(session, "the application's server", by=operator)
        for key, holder in people.keys(session):
            if holder.name == operator.name and key.sha256 != people.hash_of(secret):
                people.revoke_key(session, key.id)
    database.dispose()
    application.key = secret


def bring_model(application: Application) -> None:
    """Whoever runs Goldsmith brings the base model."""
    body = {"path": str(application.goldsmith.model), "name": "small-base"}
    headers = {"authorization": f"Bearer {application.key}", "content-type": "application/json"}
    address = f"{application.goldsmith.address}/v1/base-models"
    asked = urllib.request.Request(address, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status in (201, 202)


def tab_to(page: Page, name: str) -> None:
    """Go on with Tab until the focus is on what is called so."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(ACTIVE) == name:
            return
    pytest.fail(f"Tab does not come to {name!r}; the focus is on {page.evaluate(ACTIVE)!r}")


def press(page: Page, name: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Enter")


def type_into(page: Page, name: str, text: str) -> None:
    tab_to(page, name)
    page.keyboard.type(text)


def part(page: Page, name: str) -> Locator:
    return page.locator(f"goldsmith-{name}")


def shows(page: Page, name: str, text: str) -> None:
    """Wait until a part says so."""
    expect(part(page, name)).to_contain_text(text, timeout=WITHIN_S * 1000)


def heard(page: Page, name: str) -> dict[str, Any]:
    """What the application heard last of this; waits until it has."""
    page.wait_for_function("(name) => window.heard.some((each) => each[0] === name)", arg=name, timeout=WITHIN_S * 1000)
    found: dict[str, Any] = page.evaluate("(name) => window.heard.findLast((each) => each[0] === name)[1]", name)
    return found


def look_at(page: Page) -> None:
    """Nothing that WCAG objects to and nothing sideways, in every width and both schemes."""
    page.evaluate(AXE_SCRIPT)
    found = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found += [f"{width} {scheme}: {words}" for words in violations(page)]
        too_wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{width}: {too_wide} px too wide"] if too_wide > 0 else []
    assert found == []


def test_the_whole_loop_is_walked_on_another_applications_page(browser: Browser, application: Application) -> None:
    visitor = Visitor.arrives(browser)
    page = visitor.page
    arrive(page, application)
    bring_model(application)
    set_id = export(page)
    training_id = train(page, set_id)
    model_id = see_it_end(page, training_id)
    deploy(page, model_id)
    compare(page, model_id)
    choose(page, model_id)
    look_at(page)
    change_key(application)
    assert heard(page, "token-expiring") == {"isOver": True}
    shows(page, "deployment", "answers now, proved")
    assert all("401" in each for each in visitor.complaints), visitor.complaints  # of the key that was revoked


def arrive(page: Page, application: Application) -> None:
    """Every part says what it waits for, and all of them together have asked once."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(application.address)
    shows(page, "dataset-export", "60 gold stars")
    shows(page, "training-job", "There is no training set yet")
    shows(page, "progress", "No training yet")
    shows(page, "deployment", "No fine-tuned model yet")
    shows(page, "comparison", "No fine-tuned model yet")
    shows(page, "model-selector", "There is no model yet")
    assert len([url for url in asked if url.endswith("/v1/embed/now")]) <= 2
    assert len([url for url in asked if url.endswith("/v1/embed/stars")]) == 1
    look_at(page)


def export(page: Page) -> str:
    """Gold stars become a training set; the system message has to be said, because Aristotle has not kept it."""
    type_into(page, "Name of the training set (optional)", "Screening")
    type_into(page, "System message", SYSTEM)
    press(page, "Make a training set")
    told = heard(page, "exported")
    assert (told["name"], told["numLearn"] + told["numExam"]) == ("Screening", NUM_STARS)
    shows(page, "dataset-export", "The newest: Screening")
    return str(told["id"])


def train(page: Page, set_id: str) -> str:
    """The dial by the arrows, a name, and it begins."""
    shows(page, "training-job", "small-base")
    tab_to(page, "BalancedWhat most trainings need.")
    page.keyboard.press("ArrowUp")
    type_into(page, "Name of the new model (optional)", "screening-1")
    press(page, "Train")
    told = heard(page, "training-started")
    assert (told["trainingSetId"], told["name"]) == (set_id, "screening-1")
    return str(told["id"])


def see_it_end(page: Page, training_id: str) -> str:
    """Step, loss and the brakes while it runs; then the application is told of the model."""
    progress = part(page, "progress")
    shows(page, "progress", "Step")
    expect(progress.get_by_role("progressbar")).to_be_visible()
    expect(progress.get_by_role("button", name="Pause")).to_be_visible()
    look_at(page)
    expect(progress.locator(".badge.succeeded")).to_be_visible(timeout=WITHIN_S * 1000)
    told = heard(page, "training-changed")
    assert (told["id"], told["state"]) == (training_id, "succeeded")
    return str(told["modelId"])


def deploy(page: Page, model_id: str) -> None:
    """It answers, and is proved by itself."""
    press(page, "Deploy screening-1")
    assert heard(page, "deployed") == {"modelId": model_id, "name": "screening-1"}
    shows(page, "deployment", "answers now, proved")


def compare(page: Page, model_id: str) -> None:
    """The verdict in a sentence."""
    press(page, "Compare with its base model")
    assert heard(page, "comparison-started")["modelId"] == model_id
    told = heard(page, "comparison-ended")
    assert (told["kind"], told["modelId"]) == ("better", model_id)
    expect(part(page, "comparison").locator(".verdict.better")).to_be_visible()


def choose(page: Page, model_id: str) -> None:
    """In the application's own form, which does not go off without it."""
    press(page, "Run the conquest")
    expect(page.locator("output")).to_have_text("")
    tab_to(page, "Model of the conquest")
    page.keyboard.press("ArrowDown")
    told = heard(page, "model-selected")
    assert (told["id"], told["type"], told["status"]) == (model_id, "fine_tuned", "deployed")
    press(page, "Run the conquest")
    expect(page.locator("output")).to_have_text(model_id)
