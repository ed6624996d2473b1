"""The story of the host application with real training and a real engine, in a browser: few rows and few steps."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from tests import chromium
from tests.browser import aristotle_application as application
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.real
NUM_STARS = 24
WITHIN_S = 600


@pytest.fixture
def brought_up(real_home: Path, smollm2_folder: Path) -> Iterator[application.BroughtUp]:
    if shutil.which("npm") is None or chromium.find() is None:
        application.miss("node, npm and a Chromium are needed: apt-get install nodejs npm chromium")
    borrowed = (f"--environments={real_home}", f"--base-model={smollm2_folder}", f"--stars={NUM_STARS}")
    with application.brought_up(*borrowed) as found:
        yield found


def test_the_story_of_the_host_application_with_a_real_model(brought_up: application.BroughtUp) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
        visitor = Visitor.arrives(browser)
        story = application.Story(visitor.page, brought_up, num_stars=NUM_STARS)
        story.star_conquests()
        story.export()
        story.train()
        story.watch(within_s=WITHIN_S)
        story.deploy(within_s=WITHIN_S)
        story.compare(within_s=WITHIN_S)
        answer = story.run_a_conquest(within_s=WITHIN_S)
        story.another_organisation_is_not_there()
        browser.close()
    assert answer.strip()
    assert visitor.complaints == []
