"""A look at a batch's file: what it asks, whom, and what would be refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.factories import make_base_model
from tests.unit.run.batches.conftest import CHATS, chat, lines

from goldsmith.people.types import Person
from goldsmith.run.batches.previewing import MAX_LOOKED_REQUESTS, MAX_SHOWN_FAULTS, BatchLook, asked_by, preview
from goldsmith.storage.database import Database

Look = Callable[[bytes], BatchLook]


@pytest.fixture
def look(database: Database, tmp_path: Path, ana: Person) -> Look:
    """A look at a file of these bytes, where one model is."""
    with database.transaction() as session:
        make_base_model(session, by=ana, name="tiny-2")

    def at(content: bytes) -> BatchLook:
        path = tmp_path / "requests.jsonl"
        path.write_bytes(content)
        with database.reading() as session:
            return preview(session, path, domain=ana.domain)

    return at


def test_it_says_what_is_asked_and_who_would_answer(look: Look) -> None:
    found = look(lines(chat("a", model="tiny-2"), chat("b", model="tiny-2")))
    assert (found.is_good, found.endpoint, found.num_requests, found.is_whole) == (True, CHATS, 2, True)
    assert [(model.name, model.num_requests, len(model.model_ids)) for model in found.models] == [("tiny-2", 2, 1)]
    assert [(sample.custom_id, sample.asks) for sample in found.samples] == [("r1", "a"), ("r2", "b")]


def test_an_unknown_model_is_a_fault_of_its_line(look: Look) -> None:
    found = look(lines(chat("a", model="tiny-2"), chat("b", model="gpt-9")))
    assert [(fault.code, fault.line) for fault in found.faults] == [("model_not_found", 2)]
    assert {model.name: model.model_ids for model in found.models}["gpt-9"] == ()


def test_the_first_request_says_what_the_file_asks_for(look: Look) -> None:
    found = look(lines({"model": "tiny-2", "input": "x"}, url="/v1/embeddings"))
    assert (found.is_good, found.endpoint) == (True, "/v1/embeddings")


def test_only_the_beginning_of_a_long_file_is_looked_at(look: Look) -> None:
    found = look(lines(*[chat("x", model="tiny-2")] * (MAX_LOOKED_REQUESTS + 5)))
    assert (found.num_requests, found.is_whole) == (MAX_LOOKED_REQUESTS, False)


def test_after_some_faults_it_leaves_off(look: Look) -> None:
    assert len(look(b"{\n" * 50).faults) == MAX_SHOWN_FAULTS


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00", b"[]\n", b'"x"\n', b"{\n"])
def test_what_is_no_file_of_requests_is_said_and_never_raised(look: Look, content: bytes) -> None:
    assert not look(content).is_good


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url"}]}]}, None),
        ({"prompt": ["a", "b"]}, "a b"),
        ({"input": "x" * 1000}, "x" * 280 + "…"),
        ({"messages": []}, ""),
        ({}, ""),
    ],
)
def test_what_a_request_asks_is_shown_in_whatever_form_it_comes(body: dict[str, object], asks: str | None) -> None:
    assert asked_by(json.loads(json.dumps(body))) == ("Hi (image_url)" if asks is None else asks)
