"""OpenAI's files as its official client sees them."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from starlette.testclient import TestClient

from goldsmith import app
from goldsmith.data.tables import StoredFile
from goldsmith.people import service as people
from goldsmith.settings import Settings
from goldsmith.web.factory import Routers
from goldsmith.web.openai import files

ORIGIN = "http://127.0.0.1:8001"
LINE = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'


@pytest.fixture
def parts(tmp_path: Path, database_url: str) -> Iterator[app.Parts]:
    made = app.assemble(Settings(home=tmp_path / "home", database_url=database_url))
    yield made
    made.database.dispose()


@pytest.fixture
def client(parts: app.Parts) -> Iterator[openai.OpenAI]:
    with parts.database.transaction() as session:
        _, key = people.add_key(session, "tests", by=people.known_by_name(session, "Ada"))
    with (
        TestClient(app.make_asgi(parts, Routers(openai=[files.openai])), base_url=ORIGIN) as http,
        openai.OpenAI(base_url=f"{ORIGIN}/v1", api_key=key, http_client=http, max_retries=0) as made,
    ):
        yield made


def test_a_file_is_kept_listed_read_and_forgotten(client: openai.OpenAI, parts: app.Parts) -> None:
    made = client.files.create(file=("chats.jsonl", LINE), purpose="fine-tune")
    assert made.id.startswith("file-")
    assert (made.bytes, made.filename, made.purpose, made.status) == (
        len(LINE),
        "chats.jsonl",
        "fine-tune",
        "processed",
    )
    assert client.files.retrieve(made.id) == made
    assert [each.id for each in client.files.list()] == [made.id]
    assert client.files.content(made.id).read() == LINE
    assert client.files.delete(made.id).deleted
    assert list(client.files.list()) == []
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(made.id)


def test_a_file_s_name_names_nothing_on_the_disk(client: openai.OpenAI, parts: app.Parts) -> None:
    made = client.files.create(file=("../../escaped.txt", LINE), purpose="user_data")
    assert client.files.content(made.id).read() == LINE
    assert not list(parts.home.root.parent.rglob("escaped.txt"))
    answer = client.files.with_raw_response.content(made.id)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_files_are_listed_page_by_page_and_by_purpose(client: openai.OpenAI) -> None:
    made = [client.files.create(file=(f"{number}.txt", LINE), purpose="batch").id for number in range(3)]
    other = client.files.create(file=("other.txt", LINE), purpose="vision").id
    assert sorted(each.id for each in client.files.list(limit=2, purpose="batch")) == sorted(made)
    oldest_first = [each.id for each in client.files.list(limit=1, order="asc")]
    assert sorted(oldest_first) == oldest_first
    assert set(oldest_first) == {*made, other}


def test_an_unknown_purpose_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="purpose"):
        client.files.create(file=("a.txt", LINE), purpose="mischief")  # type: ignore[arg-type]


def test_another_organisation_s_file_is_not_there(client: openai.OpenAI, parts: app.Parts) -> None:
    made = client.files.create(file=("a.txt", LINE), purpose="user_data")
    with parts.database.transaction() as session:
        session.get_one(StoredFile, made.id).domain = "elsewhere"
    for ask in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            ask(made.id)
    assert list(client.files.list()) == []


def test_bytes_that_are_gone_are_said(client: openai.OpenAI, parts: app.Parts) -> None:
    made = client.files.create(file=("a.txt", LINE), purpose="user_data")
    for path in parts.home.uploads.iterdir():
        path.unlink()
    with pytest.raises(openai.InternalServerError, match="not in the home folder") as caught:
        client.files.content(made.id)
    assert caught.value.status_code == 503
