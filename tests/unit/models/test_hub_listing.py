"""What a hub lists is a claim: names, sizes and hashes are checked before one of them becomes a path."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldsmith.errors import GoldsmithError
from goldsmith.models import hub_listing
from goldsmith.models.errors import HubDoesNotAnswer, HubModelNotFound, ModelRefused
from goldsmith.models.hub_listing import HubFile, HubModel

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT_HASH = "a" * 40
FILE = {"rfilename": "config.json", "size": 3, "blobId": GIT_HASH}


def listing(*files: Any, **changes: Any) -> bytes:
    return json.dumps({"id": "org/m", "sha": COMMIT, "siblings": files or (FILE,), **changes}).encode()


def model(*names: str, size_bytes: int = 3) -> HubModel:
    return HubModel("org/m", COMMIT, tuple(HubFile(name, size_bytes, None, GIT_HASH) for name in names))


def test_a_listing_is_read(tmp_path: Path) -> None:
    large = {**FILE, "rfilename": "model.safetensors", "lfs": {"sha256": "b" * 64, "size": 3}}
    found = hub_listing.read("ORG/m", [listing(FILE, large)[:50], listing(FILE, large)[50:]])
    assert (found.hub_id, found.commit) == ("org/m", COMMIT)
    assert found.files == (
        HubFile("config.json", 3, None, GIT_HASH),
        HubFile("model.safetensors", 3, "b" * 64, GIT_HASH),
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"<html>",
        b"[" * 100_000,
        listing(sha="main"),
        listing(sha=None),
        listing(id="no id"),
        listing(siblings={}) + b"x",
        listing({**FILE, "rfilename": "../config.json"}),
        listing({**FILE, "rfilename": "/etc/passwd"}),
        listing({**FILE, "rfilename": "a//b"}),
        listing({**FILE, "rfilename": "a\\b"}),
        listing({**FILE, "rfilename": "a\nb"}),
        listing({**FILE, "rfilename": ""}),
        listing({**FILE, "rfilename": "x" * 2000}),
        listing({**FILE, "rfilename": 7}),
        listing({**FILE, "size": -1}),
        listing({**FILE, "size": None}),
        listing({**FILE, "size": True}),
        listing({**FILE, "size": 2**60}),
        listing({**FILE, "blobId": None}),
        listing({**FILE, "blobId": "z" * 40}),
        listing({**FILE, "lfs": 7}),
    ],
)
def test_what_is_no_listing_is_said(raw: bytes) -> None:
    with pytest.raises((HubDoesNotAnswer, ModelRefused)) as caught:
        hub_listing.read("org/m", [raw])
    assert "org/m" in caught.value.message


def test_a_model_that_moved_is_said_with_its_new_name() -> None:
    with pytest.raises(HubModelNotFound, match="org/m is now called other/n") as caught:
        hub_listing.read("org/m", [listing(id="other/n")])
    assert "goldsmith models get other/n" in caught.value.hint


def test_a_file_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(ModelRefused, match="twice"):
        hub_listing.read("org/m", [listing(FILE, FILE)])


def test_an_endless_listing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_listing, "MAX_LISTING_BYTES", 100)
    with pytest.raises(HubDoesNotAnswer, match="larger than is believable"):
        hub_listing.read("org/m", (b" " for _ in range(10**9)))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5
)


@settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(entry=st.dictionaries(st.sampled_from(["rfilename", "size", "blobId", "lfs"]), JSON), sha=JSON)
def test_any_listing_is_read_or_refused_with_a_sentence(entry: dict[str, Any], sha: Any) -> None:
    with suppress(GoldsmithError):  # anything else would be a crash
        found = hub_listing.read("org/m", [listing({**FILE, **entry}, sha=sha or COMMIT)])
        assert all(".." not in file.name.split("/") for file in found.files)


def test_the_config_comes_first_and_what_nobody_needs_stays_there() -> None:
    names = ("README.md", "model.safetensors", "config.json", "tokenizer.json", "onnx/config.json", ".gitattributes")
    found = hub_listing.text_files(model(*names, "pytorch_model.bin", "picture.png", "tokenizer_config.json"))
    assert next(file.name for file in found) == "config.json"
    assert {file.name for file in found} == {"config.json", "tokenizer_config.json", "README.md", "tokenizer.json"}


def test_a_text_file_of_gigabytes_is_not_fetched() -> None:
    with pytest.raises(ModelRefused, match="more than is believable"):
        hub_listing.text_files(model("config.json", "tokenizer.json", "model.safetensors", size_bytes=10**10))


def test_the_index_says_which_weights_are_taken(tmp_path: Path) -> None:
    names = ("a.safetensors", "b.safetensors", "consolidated.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(
        '{"weight_map": {"x": "b.safetensors", "y": "a.safetensors"}}'
    )
    assert [file.name for file in hub_listing.weight_files(model(*names), tmp_path)] == [
        "a.safetensors",
        "b.safetensors",
    ]


def test_without_an_index_it_is_the_one_file_of_the_usual_name(tmp_path: Path) -> None:
    found = hub_listing.weight_files(model("model.safetensors", "consolidated.safetensors"), tmp_path)
    assert [file.name for file in found] == ["model.safetensors"]
    with pytest.raises(ModelRefused, match="several weight files"):
        hub_listing.weight_files(model("a.safetensors", "b.safetensors"), tmp_path)


@pytest.mark.parametrize("weight_map", [{"x": 7}, {"x": ["a"]}, {"x": "c.safetensors"}, {}, 3])
def test_an_index_that_names_something_else_is_refused(tmp_path: Path, weight_map: Any) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(ModelRefused, match="which the hub does not list"):
        hub_listing.weight_files(model("a.safetensors"), tmp_path)
