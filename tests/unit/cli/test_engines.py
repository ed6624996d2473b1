"""`goldsmith engines`: use somebody's vLLM or a provider; the key comes from a file or a pipe, never as an argument."""

import io
import sys
from pathlib import Path

import pytest
from tests.factories import make_base_model, make_dataset_version, make_prompt_version
from tests.unit.cli.conftest import Line

from goldsmith.data.tables import Dataset
from goldsmith.serve import service
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import key_path

PROVIDER = ("engines", "add", "https://api.example.org/v1", "--model", "big")
KEY = "sk-very-secret"


def stored_key(line: Line, engine_id: str) -> Path:
    return line.home.root / key_path(engine_id)


def test_a_provider_is_added_with_its_price_and_a_key_from_a_file(line: Line, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    prices = ("--input-price", "0.15", "--output-price", "0.6")
    code, out, err = line.run(*PROVIDER, *prices, "--key-file", str(tmp_path / "key"))
    assert (code, KEY in out + err) == (0, False)
    [listed] = line.json("engines", "list")
    shown = line.json("engines", "show", listed["id"])
    assert (shown["url"], shown["model"]) == ("https://api.example.org", "big")
    assert (shown["input_usd_per_million"], shown["output_usd_per_million"]) == (0.15, 0.6)
    file = stored_key(line, listed["id"])
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{KEY}\n", 0o600)


def test_a_key_is_read_from_a_pipe(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\n"))
    made = line.json(*PROVIDER, "--key-file", "-")
    assert stored_key(line, made["engine"]).read_text() == f"{KEY}\n"


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff\xfe", b"a\x00b"])
def test_what_is_no_key_is_refused_and_nothing_is_kept(line: Line, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    code, problem = line.error(*PROVIDER, "--key-file", str(tmp_path / "key"))
    assert (code, problem["type"]) == (2, "key-not-readable")
    assert line.json("engines", "list") == []


def test_a_running_vllm_is_attached_by_its_address(line: Line) -> None:
    with line.filling() as (session, ada):
        base = make_base_model(session, by=ada).id
    made = line.json("engines", "add", "http://127.0.0.1:9000/v1/", "--base-model", "tiny", "--name-in-engine", "x")
    assert (made["kind"], made["url"]) == ("attached", "http://127.0.0.1:9000")
    assert [one["model"] for one in line.json("engines", "show", made["engine"])["models"]] == [base]


@pytest.mark.parametrize("more", [(), ("--model", "m", "--base-model", "b")])
def test_it_must_be_clear_what_the_address_is(line: Line, more: tuple[str, ...]) -> None:
    code, problem = line.error("engines", "add", "http://127.0.0.1:9000", *more)
    assert (code, problem["type"]) == (2, "engine-not-clear")


@pytest.mark.parametrize("url", ["ftp://x", "api.example.org", "https://user:pw@x", "https://x?y=z"])
def test_what_is_no_address_is_refused(line: Line, url: str) -> None:
    assert line.error("engines", "add", url, "--model", "m")[0] == 2


def test_a_removed_provider_is_not_used_and_its_key_is_gone(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\n"))
    engine = line.json(*PROVIDER, "--key-file", "-")["engine"]
    with line.filling() as (session, ada):
        dataset = session.get_one(Dataset, make_dataset_version(session, by=ada).dataset_id).name
        make_prompt_version(session, by=ada)
    assert line.json("engines", "remove", engine)["removed"] is True
    assert not stored_key(line, engine).exists()
    code, problem = line.error("runs", "start", dataset, "--prompt", "a prompt", "--model", engine)
    assert (code, problem["type"]) == (4, "engine-not-found")


def test_an_engine_of_ours_is_stopped_and_comes_back_when_it_is_needed(line: Line) -> None:
    with line.filling() as (session, ada):
        session.add(Engine(id="eng_1", name="vLLM", kind="ours", domain=ada.domain, created_by=ada.id))
    assert line.json("engines", "remove", "eng_1") == {"engine": "eng_1", "removed": False}
    [listed] = line.json("engines", "list")
    assert "stopped by Ada" in listed["message"]


def test_an_engine_of_ours_gets_copies_and_an_attached_one_none(line: Line) -> None:
    with line.filling() as (session, ada):
        ours = service.want_engine(session, make_base_model(session, by=ada).id, by=ada).id
    assert line.json("engines", "copies", ours, "2") == {"engine": ours, "num_copies": 2}
    assert line.json("engines", "show", ours)["num_copies"] == 2
    assert line.json("engines", "places", ours, "9") == {"engine": ours, "num_places": 9}
    shown = line.json("engines", "show", ours)
    assert (shown["max_loras"], shown["num_places"]) == (4, 9)
    theirs = line.json("engines", "add", "http://127.0.0.1:9000/v1/", "--base-model", "tiny")["engine"]
    code, problem = line.error("engines", "copies", theirs, "2")
    assert (code, problem["type"]) == (2, "not-ours")
