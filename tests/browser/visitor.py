"""Somebody at a browser: clicks what the page offers, waits for what it shows, and notices what goes wrong behind it.

Never types an address after the first one. Without JavaScript a page is asked for again until it shows what is waited
for, as a person would press "reload".
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect

WITHIN_S = 60.0
_SAY_REFUSALS = """addEventListener("securitypolicyviolation", (event) => {
  console.error(`refused by the page's policy: ${event.violatedDirective} ${event.blockedURI}`);
});"""
_BREAKS_OFF_BY_LEAVING = ("net::ERR_ABORTED", "NS_BINDING_ABORTED")


@dataclass
class Visitor:
    """A person with a browser window of their own."""

    page: Page
    has_script: bool = True
    complaints: list[str] = field(default_factory=list)
    """What went wrong behind the pages: errors, failed requests, what their policy refused."""

    @classmethod
    def arrives(cls, browser: Browser, *, has_script: bool = True, **settings: Any) -> "Visitor":
        """In a fresh window, of a size that shows everything."""
        settings = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **settings}
        context = browser.new_context(java_script_enabled=has_script, accept_downloads=True, **settings)
        visitor = cls(context.new_page(), has_script)
        visitor.page.set_default_timeout(WITHIN_S * 1000)
        if has_script:
            context.add_init_script(_SAY_REFUSALS)
        visitor.page.on("console", visitor._hear)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"error in a script: {error}"))
        visitor.page.on("requestfailed", visitor._miss)
        visitor.page.on("response", visitor._look)
        return visitor

    def click(self, name: str, role: Any = "link", *, inside: str = "main") -> None:
        """Press the first link or button of this name."""
        found = self.page.locator(inside).get_by_role(role, name=name, exact=True).first
        self.wait_for(found)
        self.follow(found)

    def follow(self, what: Locator) -> None:
        """Press it. Without JavaScript every link and every button leads to a page, which has to be there first."""
        if self.has_script:
            what.click()
            return
        with self.page.expect_navigation():
            what.click()

    def press(self, name: str, *, inside: str = "main") -> None:
        """Press the first button of this name."""
        self.click(name, "button", inside=inside)

    def menu(self, name: str) -> None:
        """Go somewhere by the menu."""
        self.follow(self.page.locator("nav#nav a", has_text=name))
        expect(self.page.locator("nav#nav a[aria-current=page]")).to_contain_text(name)

    def unfold(self, name: str) -> None:
        """Open what is folded."""
        self.page.locator("main summary", has_text=name).first.click()

    def sees(self, text: str, *, inside: str = "main") -> None:
        """Wait until the page shows a text."""
        self.wait_for(self.page.locator(inside).get_by_text(text).first)

    def is_told(self, text: str) -> None:
        """Wait for the sentence that a write leaves; asking for the page again would take it away."""
        expect(self.page.locator("#toasts").get_by_text(text).first).to_be_visible(timeout=WITHIN_S * 1000)

    def wait_for(self, what: Locator, *, within_s: float = WITHIN_S) -> None:
        """Wait until it is there: by itself, or without JavaScript by asking for the page again."""
        if self.has_script:
            expect(what).to_be_visible(timeout=within_s * 1000)
            return
        end = time.monotonic() + within_s
        while not _is_there(what):
            if time.monotonic() > end:
                pytest.fail(f"{what} was not there within {within_s:.0f} s at {self.page.url}")
            self.page.reload()

    def reload(self) -> None:
        """Ask for the page again; it has to be there again."""
        before = self.page.url
        answer = self.page.reload()
        assert answer is not None
        assert (answer.status, self.page.url) == (200, before)
        expect(self.page.locator("h1")).to_be_visible()

    def take_away(self, name: str, path: Path) -> str:
        """Follow a link that downloads; returns what the file holds."""
        with self.page.expect_download() as download:
            self.page.locator("main").get_by_role("link", name=name, exact=True).first.click()
        download.value.save_as(path)
        return path.read_text(encoding="utf-8")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text} at {self.page.url}")

    def _miss(self, request: Request) -> None:
        # A page that is left breaks off its stream and what it fetched ahead; a download is no page.
        if not any(word in (request.failure or "") for word in _BREAKS_OFF_BY_LEAVING):
            self.complaints.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _look(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")


def _is_there(what: Locator) -> bool:
    """Now or in a moment."""
    try:
        expect(what).to_be_visible(timeout=500)
    except AssertionError:
        return False
    return True
