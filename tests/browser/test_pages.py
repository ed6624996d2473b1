"""Every page in every stage: nothing that WCAG 2.2 AA objects to, nothing sideways, and all of it from the keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect
from tests.browser import every_page
from tests.browser.every_page import Pages
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
WIDTHS = (390, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Stage:
    """A site in one stage, with somebody who has said a name."""

    def __init__(self, visitor: Visitor, address: str, pages: Pages) -> None:
        self.visitor, self.address, self.pages = visitor, address, pages

    def open(self, path: str) -> Page:
        """Go to a page."""
        self.visitor.page.goto(self.address + path, wait_until="networkidle" if path == "/design" else "load")
        return self.visitor.page


@pytest.fixture(params=list(every_page.STAGES))
def stage(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> Iterator[Stage]:
    with every_page.served(tmp_path / "home") as (site, address):
        pages = every_page.STAGES[request.param](site)
        visitor = Visitor.arrives(browser)
        visitor.page.goto(f"{address}/hello")
        visitor.page.get_by_label("Your name").fill(site.person.name)
        visitor.press("Begin")
        yield Stage(visitor, address, pages)
        visitor.page.context.close()


def violations(page: Page) -> list[str]:
    """What axe finds, in words."""
    found: dict[str, Any] = page.evaluate(
        "(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", RULES
    )
    return [
        f"{each['id']}: {node['target']} {node['failureSummary'].splitlines()[-1].strip()}"
        for each in found["violations"]
        for node in each["nodes"][:4]
    ]


def test_nothing_stands_in_anybodys_way(stage: Stage) -> None:
    found = []
    for name, path in stage.pages.items():
        page = stage.open(path)
        page.evaluate(AXE_SCRIPT)
        for width in WIDTHS:
            for scheme in SCHEMES:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                found += [f"{name} {width} {scheme}: {words}" for words in violations(page)]
    assert found == []


def test_nothing_runs_out_of_a_narrow_page(stage: Stage) -> None:
    found = []
    for name, path in stage.pages.items():
        page = stage.open(path)
        for width in (360, 320, 768, 1024):
            page.set_viewport_size({"width": width, "height": 800})
            too_wide = page.evaluate(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            found += [f"{name} at {width}: {too_wide} px too wide"] if too_wide > 0 else []
    assert found == []


def test_no_page_complains_behind_its_back(stage: Stage) -> None:
    for path in stage.pages.values():
        stage.open(path)
    expected = f"404: GET {stage.address}/nowhere"
    others = [each for each in stage.visitor.complaints if each != expected and "/nowhere" not in each]
    assert others == []


@pytest.mark.parametrize("stage", ["done"], indirect=True)
def test_a_page_can_be_used_with_the_keyboard_alone(stage: Stage) -> None:
    page = stage.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('main') !== null")
    assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/models")


@pytest.mark.parametrize("stage", ["done"], indirect=True)
def test_the_tab_key_goes_through_a_page_in_the_order_in_which_it_is_read(stage: Stage) -> None:
    for name in ("home", "guided", "reader", "settings", "run-new"):
        page = stage.open(stage.pages[name])
        num_stops = page.locator(
            "a[href]:visible, button:visible, input:visible, select:visible, summary:visible"
        ).count()
        places = []
        for _ in range(min(num_stops, 60)):
            page.keyboard.press("Tab")
            places.append(page.evaluate("() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        until_turn = places[: next((i for i in range(1, len(places)) if places[i] < places[i - 1]), len(places))]
        assert len(until_turn) > min(num_stops, 60) // 2, name
        assert until_turn == sorted(until_turn), name


@pytest.mark.parametrize("stage", ["done"], indirect=True)
def test_single_keys_can_be_switched_off(stage: Stage) -> None:
    page = stage.open("/settings")
    page.get_by_label("Single keys do something").uncheck()
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("m")
    assert page.url.split("#")[0].endswith("/settings")


@pytest.mark.parametrize("stage", ["at-work"], indirect=True)
def test_the_clock_of_a_job_goes_on_by_itself(stage: Stage) -> None:
    clock = stage.open("/activity").locator("[data-ticks]").first
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)


@pytest.mark.parametrize("stage", ["done"], indirect=True)
def test_what_was_opened_and_typed_stays_so_when_the_page_refreshes_itself(stage: Stage) -> None:
    page = stage.open("/settings")
    page.locator("summary", has_text="Copies").click()
    number = page.get_by_label("Engines with this base model")
    number.fill("3")
    with page.expect_response("**/settings?part=engines"):
        page.evaluate("htmx.trigger(document.querySelector('#engines [data-live]'), 'live')")
    page.wait_for_timeout(200)
    expect(number).to_be_visible()
    expect(number).to_have_value("3")


@pytest.mark.parametrize("stage", ["done"], indirect=True)
def test_undo_stays_at_hand_when_the_toast_has_had_its_time(stage: Stage) -> None:
    page = stage.open("/data")
    page.clock.install()
    page.locator("tbody a").first.click()
    page.get_by_text("Delete this dataset").click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_url("**/data")
    page.clock.run_for(11_000)
    expect(page.locator(".toast.kept")).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("It is back.")).to_be_visible()
