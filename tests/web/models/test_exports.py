"""Taking a model out, on its page and over the API."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.exporting import StandInExport, check, make_kept_model
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site
from tests.web.workers import work_off

from goldsmith.environments import folders
from goldsmith.environments.folders import Manifest
from goldsmith.environments.types import EnvironmentName
from goldsmith.web import waiting
from goldsmith.web.models import export_handlers


@pytest.fixture
def shown(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, export_handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def client(site: Site, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    return site.program()


def make_model(site: Site) -> str:
    with site.database.transaction() as session:
        return make_kept_model(session, site.home, by=site.person).id


def test_a_page_offers_every_form_and_says_what_they_are(shown: Site) -> None:
    text = shown.browser().get(f"/models/{make_model(shown)}/exports").text
    assert "Take Support triage out" in text
    assert "Make the adapter" in text
    assert "Nothing was taken out yet" in text
    assert "Make the GGUF file" in text
    assert text.count("The trainer makes it: install it first") == 3  # no environment is there


def test_with_the_trainer_alone_only_gguf_waits(shown: Site) -> None:
    path = folders.path_of(EnvironmentName.TRL, home=shown.home.root)
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").touch()
    folders.write_manifest(path, Manifest("trl", "x", "hash", "seen", "3.11.2", "2026-01-01", 77.0, 2_100_000_000, {}))
    text = shown.browser().get(f"/models/{make_model(shown)}/exports").text
    assert text.count("install it first") == 1
    assert "The converter makes it: install it first" in text
    assert 'action="/setup/environments/gguf"' in text


def test_an_export_is_made_downloaded_and_removed_on_the_page(shown: Site) -> None:
    address = f"/models/{make_model(shown)}/exports"
    browser = shown.browser()
    assert browser.post(address, data={"form": "merged"}).status_code == 303
    assert "being made" in browser.get(address).text or "waits" in browser.get(address).text
    (export_id,) = work_off(shown, StandInExport())
    text = browser.get(address).text
    assert "2 of 2 answers are the adapter" in text
    content = browser.get(f"{address}/{export_id}/download").content
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert browser.post(f"{address}/{export_id}/remove").status_code == 303
    assert "Its file was removed" in browser.get(address).text
    assert browser.get(f"{address}/{export_id}/download").status_code == 404


def test_one_that_is_not_good_shows_what_it_wrote_instead(shown: Site) -> None:
    address = f"/models/{make_model(shown)}/exports"
    shown.browser().post(address, data={"form": "merged"})
    work_off(shown, StandInExport(check(other="<b>shipping</b>")))
    text = shown.browser().get(address).text
    assert "not good" in text
    assert "&lt;b&gt;shipping" in text
    assert shown.browser().post(address, data={"form": "tar"}).status_code == 422


def test_a_program_asks_waits_and_downloads(site: Site, client: TestClient) -> None:
    address = f"/v1/fine-tuning/models/{make_model(site)}/exports"
    asked = client.post(address, json={"form": "adapter"})
    assert (asked.status_code, asked.json()["state"], asked.json()["is_good"]) == (202, "queued", None)
    assert client.get(f"{asked.headers['location']}/download").status_code == 404
    work_off(site, StandInExport())
    found = client.get(asked.headers["location"]).json()
    assert (found["state"], found["is_good"], found["file"]) == ("succeeded", True, "support-triage-adapter.zip")
    assert len(found["check"]["rows"]) == 2
    assert len(client.get(found["download"]).content) == found["size_bytes"]
    assert client.get(found["download"], headers={"Range": "bytes=0-3"}).content == b"PK\x03\x04"
    removed = client.delete(f"{address}/{found['id']}/file").json()
    assert (removed["file"], removed["is_good"]) == (None, True)
    assert [one["id"] for one in client.get(address).json()["exports"]] == [found["id"]]
