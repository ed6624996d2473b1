"""`examples/aristotle` as `make aristotle` brings it up, on ports of its own, and what a person does there."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import create_engine, text
from tests.browser import place

ROOT = Path(__file__).parents[2]
UP_WITHIN_S = 600
DOWN_WITHIN_S = 90
NUM_NEW_STARS = 2
LAST_LINE = "Ctrl-C stops all of it"


@dataclass(frozen=True)
class BroughtUp:
    """Where it is, and what can be asked of its database."""

    address: str
    database: str

    def one(self, query: str, values: Mapping[str, Any] | None = None) -> Any:
        """The first row's first column."""
        engine = create_engine(self.database.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            found = connection.scalar(text(query), values)
        engine.dispose()
        return found


def miss(reason: str) -> NoReturn:
    """A failure where CI=true, else a test that is left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def brought_up(*options: str) -> Iterator[BroughtUp]:
    """A copy of the example, brought up and ended as by Ctrl-C; it has to end well, and nothing may be left running."""
    ports = place.free_ports(4)
    folder = Path(tempfile.mkdtemp(prefix="goldsmith-"))
    folder.chmod(0o711)  # PostgreSQL runs as another user where this runs as root
    for part in ("examples/aristotle", "embed"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("node_modules", ".next"))
    names = ("port", "database-port", "goldsmith-port", "engine-port")
    words = [f"--{name}={port}" for name, port in zip(names, ports, strict=True)]
    argv = [sys.executable, str(folder / "examples" / "aristotle" / "up.py"), *words, *options]
    log = folder / "up.log"
    with log.open("wb") as file:
        process = subprocess.Popen(argv, stdout=file, stderr=file, start_new_session=True)
    try:
        _wait_for_last_line(process, log)
        yield BroughtUp(f"http://localhost:{ports[0]}", _database(log))
        process.send_signal(signal.SIGINT)
        assert process.wait(DOWN_WITHIN_S) == 0, log.read_text()
        assert "Everything that this started has been stopped." in log.read_text()
        assert [port for port in ports if _is_taken(port)] == []
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(DOWN_WITHIN_S)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_last_line(process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + UP_WITHIN_S
    while LAST_LINE not in log.read_text():
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"it did not come up: {log.read_text()[-4000:]}")
        time.sleep(0.2)


def _is_taken(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def _database(log: Path) -> str:
    found = re.search(r"^Database: +(\S+)$", log.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


@dataclass
class Story:
    """A person who stars, trains and uses what came of it. Each part leaves the page on which the next one begins."""

    page: Page
    host: BroughtUp
    within_s: float = 60
    model: str = "screening-1"
    num_stars: int = 48

    def _part(self, name: str) -> Locator:
        return self.page.locator(f"goldsmith-{name}")

    def _shows(self, name: str, words: str, *, within_s: float | None = None) -> None:
        expect(self._part(name)).to_contain_text(words, timeout=(within_s or self.within_s) * 1000)

    def _number(self, name: str, value: str) -> None:
        found = self.page.locator(".numbers > div", has=self.page.get_by_text(name, exact=True)).locator("strong")
        expect(found).to_have_text(value, timeout=self.within_s * 1000)

    def star_conquests(self) -> None:
        """Two stars are given and one is taken back; they stand in Aristotle's own tables."""
        self.page.goto(f"{self.host.address}/conquests")
        stars = self.page.get_by_role("button", name="Gold star for")
        for place_of_star in range(NUM_NEW_STARS + 1):
            stars.nth(place_of_star).click()
            expect(stars.nth(place_of_star)).to_have_attribute("aria-pressed", "true")
        stars.nth(NUM_NEW_STARS).click()
        expect(stars.nth(NUM_NEW_STARS)).to_have_attribute("aria-pressed", "false")
        newest = self.page.locator(".conquest").first
        expect(newest).to_contain_text("victory")
        conquest_id = newest.get_attribute("id")
        query = """SELECT concat_ws(' ', r.rating, r.use_as_sample_response, c.result, c."evaluatedBy")
            FROM "Conquest" c JOIN ml_analysis_rating r ON r.conquest_analysis_id = c.id
            WHERE c.id = :id AND r.is_gold_star"""
        assert self.host.one(query, {"id": conquest_id}) == "5 t VICTORY ada@acme.example"

    def export(self) -> None:
        """The numbers above, and the first card."""
        self.page.get_by_role("link", name="Fine-tuning").click()
        num_stars = self.num_stars + NUM_NEW_STARS
        self._number("Gold stars", str(num_stars))
        self._shows("dataset-export", f"{num_stars} gold stars")
        self.page.get_by_label("Name of the training set (optional)").fill("Screening")
        self.page.get_by_role("button", name="Make a training set").click()
        self._shows("dataset-export", "The newest: Screening")

    def train(self) -> None:
        """A quick one."""
        self.page.get_by_text("Quick", exact=True).click()
        self.page.get_by_label("Name of the new model (optional)").fill(self.model)
        self.page.get_by_role("button", name="Train", exact=True).click()

    def watch(self, *, within_s: float | None = None) -> None:
        """Until it has succeeded."""
        self._shows("progress", self.model)
        expect(self._part("progress").locator(".badge.succeeded")).to_be_visible(
            timeout=(within_s or self.within_s) * 1000
        )
        self._number("Active trainings", "0")

    def deploy(self, *, within_s: float | None = None) -> None:
        """It answers, and is proved."""
        self.page.get_by_role("button", name=f"Deploy {self.model}").click()
        self._shows("deployment", "answers now, proved", within_s=within_s)
        self._number("Deployed models", "1")

    def compare(self, *, within_s: float | None = None) -> None:
        """The verdict in a sentence, and the win rate among the numbers."""
        self.page.get_by_role("button", name="Compare with its base model").click()
        expect(self._part("comparison").locator(".verdict")).to_be_visible(timeout=(within_s or self.within_s) * 1000)
        rate = self.page.locator(".numbers > div", has=self.page.get_by_text("Average win rate")).locator("strong")
        expect(rate).to_have_text(re.compile(r"\d+ %"), timeout=self.within_s * 1000)

    def run_a_conquest(self, *, within_s: float | None = None) -> str:
        """On the tuned model; it stands in the list and in Aristotle's tables. Returns the answer."""
        self.page.get_by_role("link", name="Conquests").click()
        self._part("model-selector").get_by_role("combobox").select_option(label=self.model)
        self.page.get_by_role("button", name="Run the conquest").click()
        answer = self.page.get_by_role("region", name="Answer")
        expect(answer).to_contain_text(f"{self.model} wrote it", timeout=(within_s or self.within_s) * 1000)
        newest = self.page.locator(".conquest").first
        expect(newest).to_contain_text(f"on {self.model}", timeout=self.within_s * 1000)
        query = (
            "SELECT concat_ws(' ', status, result, philosopher) FROM \"Conquest\" WHERE fine_tuned_model_id IS NOT NULL"
        )
        assert self.host.one(query) == "COMPLETED PENDING ada@acme.example"
        return answer.locator("pre").inner_text()

    def another_organisation_is_not_there(self) -> None:
        """Nothing of the other organisation's, and no page of another site gets a token."""
        assert "other.example" not in self.page.content()
        address, headers = f"{self.host.address}/goldsmith-token", {"origin": "https://evil.example"}
        answer = self.page.request.post(address, headers=headers)
        assert answer.status == 403
        assert "gsk_" not in self.page.content()
