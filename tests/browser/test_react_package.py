"""The npm package `embed/`, as an application gets it: packed, typed strictly, rendered on a server and in a browser.

React, TypeScript and what puts a page together come from npm, in the versions of the package's own lock.
"""

import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.visitor import WITHIN_S, Visitor
from tests.web.conftest import Site
from tests.web.embed.applications import ADA, HOST, make_goldsmith, token, walk_of

from goldsmith.web.port import listen
from goldsmith.web.server import make_server

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
ROOT = Path(__file__).parents[2]
APPLICATION = Path(__file__).parent / "react_application"
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps")
INSTALL_WITHIN_S = 300
VERSIONS = {"19": (), "18": ("--alias:react=react-18", "--alias:react-dom=react-dom-18")}
PAGE = """<!doctype html><html lang="en"><title>Conquests</title><link rel="icon" href="data:,">
<body><script type="module" src="browser.js"></script>"""


def run(*argv: str, folder: Path, within_s: float = 60) -> str:
    """What a program says; it has to end well."""
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=within_s, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application that has installed the package as it would come from a registry."""
    if shutil.which("npm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("node and npm are needed: apt-get install nodejs npm")
        pytest.skip("node and npm are not here: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("react") / "application"
    shutil.copytree(APPLICATION, folder)
    for name in ("package.json", "package-lock.json"):
        text = (ROOT / "embed" / name).read_text(encoding="utf-8")
        # Under its own name it would be the package, and find itself there.
        (folder / name).write_text(text.replace('"name": "goldsmith-embed"', '"name": "application"'), encoding="utf-8")
    run(*INSTALL, folder=folder, within_s=INSTALL_WITHIN_S)
    packed = run("npm", "pack", "--silent", "--pack-destination", str(folder), folder=ROOT / "embed").strip()
    with tarfile.open(folder / packed) as archive:
        archive.extractall(folder, filter="data")
    (folder / "package").rename(folder / "node_modules" / "goldsmith-embed")
    return folder


def bundle(folder: Path, name: str, version: str, *options: str) -> None:
    """Put a page or a server together with one version of React."""
    development = '--define:process.env.NODE_ENV="development"'
    words = ("--bundle", "--jsx=automatic", "--log-level=warning", development, *VERSIONS[version], *options)
    run("node_modules/.bin/esbuild", name, *words, folder=folder)


def test_only_what_is_needed_is_packed(application: Path) -> None:
    found = {path.name for path in (application / "node_modules" / "goldsmith-embed").iterdir()}
    parts = ("elements", "react", "server")
    assert found == {"README.md", "package.json", *(f"{part}{end}" for part in parts for end in (".js", ".d.ts"))}


def test_the_types_allow_what_works_and_refuse_what_does_not(application: Path) -> None:
    run("node_modules/.bin/tsc", "--project", ".", folder=application)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_sends_elements_and_no_token(application: Path, version: str) -> None:
    bundle(application, "server.tsx", version, "--platform=node", "--format=cjs", "--outfile=server.cjs")
    sent = run("node", "server.cjs", folder=application)
    assert '<goldsmith-dataset-export class="wide" heading="Gold stars">' in sent.replace(
        'heading="Gold stars" class="wide"', 'class="wide" heading="Gold stars"'
    )
    assert '<goldsmith-progress bare="">' in sent
    assert '<goldsmith-model-selector name="modelId" label="Model of the conquest" required="">' in sent
    assert sent.count("</goldsmith-") == 6
    assert "gse_secret" not in sent


@dataclass(frozen=True)
class Opened:
    """The application's page in a browser, and the Goldsmith behind it."""

    address: str
    site: Site
    model_id: str


@pytest.fixture(params=VERSIONS)
def opened(request: pytest.FixtureRequest, application: Path, tmp_path: Path) -> Iterator[Opened]:
    bundle(application, "browser.tsx", request.param, "--format=esm", f"--outfile={tmp_path}/page/browser.js")
    (tmp_path / "page" / "index.html").write_text(PAGE, encoding="utf-8")
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    there = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=tmp_path / "page"))
    origin = f"http://localhost:{there.server_address[1]}"
    site = make_goldsmith(tmp_path / "home", origins=(HOST, origin))
    door = listen(0)
    server = make_server(site.web)
    threads = [
        threading.Thread(target=there.serve_forever),
        threading.Thread(target=server.run, kwargs={"sockets": [door]}),
    ]
    for thread in threads:
        thread.start()
    try:
        walk = walk_of(site, ADA)
        given = {"address": f"http://127.0.0.1:{door.getsockname()[1]}", "token": token(site, ADA)}
        yield Opened(f"{origin}/#{urlencode(given)}", site, walk.model_id)
    finally:
        there.shutdown()
        there.server_close()
        server.should_exit = True
        for thread in threads:
            thread.join()
        site.database.dispose()


def test_the_components_show_and_tell_what_the_elements_do(browser: Browser, opened: Opened) -> None:
    visitor = Visitor.arrives(browser)
    page = visitor.page
    page.goto(opened.address)
    within_ms = WITHIN_S * 1000
    expect(page.locator("goldsmith-dataset-export")).to_contain_text("60 gold stars", timeout=within_ms)
    expect(page.locator("goldsmith-dataset-export.wide").get_by_role("heading")).to_have_text("Gold stars")
    expect(page.locator("goldsmith-progress[bare]")).to_contain_text("succeeded")
    expect(page.locator("goldsmith-comparison")).to_contain_text("Better.")

    page.get_by_role("button", name="Make a training set").click()
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Compare with its base model").click()
    page.get_by_role("button", name="Take tuned-of-ada off its engine").click()
    page.get_by_label("Model of the conquest").select_option(label="tuned-of-ada")
    page.get_by_role("button", name="Run the conquest").click()
    heard = page.locator("output")
    model = opened.model_id
    for told in (
        *("exported 48", "started Gold stars of ada@acme.example on", f"comparing {model}"),
        *("undeployed tuned-of-ada", "selected fine_tuned", f"form {model} tuned-of-ada"),
    ):
        expect(heard).to_contain_text(told, timeout=within_ms)

    page.get_by_role("button", name="One more").click()
    expect(page.get_by_label("Another model")).to_have_value(model, timeout=within_ms)
    assert "error" not in heard.inner_text()
    assert token(opened.site, ADA)[:20] not in page.content()
    assert visitor.complaints == []
