"""A Chromium for all tests here, and a Goldsmith in an empty home for those that walk the loop."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests import chromium
from tests.browser import place
from tests.browser.place import Place


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser; `python -m tests.chromium` gets one."""
    program = chromium.find()
    if program is None:
        pytest.fail("There is no Chromium: .venv/bin/python -m tests.chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def goldsmith() -> Iterator[Place]:
    """Goldsmith as a process of its own. Its folder has a short name, because sockets and databases live in it."""
    with tempfile.TemporaryDirectory(prefix="goldsmith-") as folder, place.opened(Path(folder)) as opened:
        yield opened
