"""The whole story on the pages of the host application, in `examples/aristotle`, brought up as `make aristotle` does.

With stand-ins for model and training here; `tests/real/test_aristotle.py` tells the same with real ones.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser import aristotle_application as application
from tests.browser.test_embedding import look_at
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def brought_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[application.BroughtUp]:
    if shutil.which("npm") is None:
        application.miss("node and npm are not here: apt-get install nodejs npm")
    with application.brought_up("--stand-in") as found:
        yield found


def test_the_story_of_the_host_application(browser: Browser, brought_up: application.BroughtUp, tmp_path: Path) -> None:
    visitor = Visitor.arrives(browser)
    story = application.Story(visitor.page, brought_up)
    story.star_conquests()
    story.export()
    story.train()
    story.watch()
    story.deploy()
    look_at(visitor.page)
    story.compare()
    answer = story.run_a_conquest()
    assert "recommendation" in answer
    look_at(visitor.page)
    story.another_organisation_is_not_there()
    assert visitor.complaints == []
