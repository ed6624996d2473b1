"""A model comes from a hub whole, from one commit, or not at all; what came before a fault is not fetched again."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from goldsmith.errors import GoldsmithError
from goldsmith.models.errors import HubAccessDenied, HubDoesNotAnswer, HubFileDamaged, HubModelNotFound, HubOffline
from goldsmith.models.hub import NUM_TRIES, Hub
from goldsmith.models.hub_access import HubAccess
from goldsmith.models.hub_listing import HubModel
from goldsmith.testing.fake_hub import FakeHub

pytestmark = pytest.mark.enable_socket
WEIGHTS = bytes(range(256)) * 4000
FILES = {"config.json": b'{"model_type": "llama"}', "model.safetensors": WEIGHTS, "sub/readme.md": b"x"}


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add("org/small", FILES)
        yield hub


@pytest.fixture
def open_hub(fake: FakeHub) -> Iterator[Callable[..., Hub]]:
    """Opens a connection that waits for nobody."""
    opened: list[Hub] = []

    def make(token: str | None = None, endpoint: str = "") -> Hub:
        access = HubAccess(endpoint or fake.url, SecretStr(token) if token else None)
        opened.append(Hub(access, wait=lambda _: None).__enter__())
        return opened[-1]

    yield make
    for hub in opened:
        hub.__exit__(None, None, None)


def bring(hub: Hub, model: HubModel, name: str, folder: Path, *, stop_at: int | None = None) -> tuple[bool, list[int]]:
    """Fetch one file; returns whether it is whole, and how many bytes were there each time something came."""
    seen: list[int] = []
    file = next(one for one in model.files if one.name == name)
    should_stop = lambda: stop_at is not None and bool(seen) and seen[-1] >= stop_at  # noqa: E731
    is_whole = hub.fetch(model, file, folder / name, on_bytes=seen.append, should_stop=should_stop)
    return is_whole, seen


def test_a_listing_is_pinned_to_a_commit(fake: FakeHub, open_hub: Callable[..., Hub]) -> None:
    first = fake.models["org/small"].commit
    hub = open_hub()
    model = hub.look("org/small")
    assert (model.hub_id, model.commit) == ("org/small", first)
    assert {file.name for file in model.files} == set(FILES)
    later = fake.add("org/small", {"config.json": b"{}"})
    assert hub.look("org/small").commit == later
    assert hub.look("org/small", first) == model


def test_a_file_comes_whole_and_progress_is_said(open_hub: Callable[..., Hub], tmp_path: Path) -> None:
    hub = open_hub()
    is_whole, seen = bring(hub, hub.look("org/small"), "model.safetensors", tmp_path)
    assert is_whole
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS
    assert seen == sorted(seen)
    assert len(seen) > 2
    assert seen[-1] == len(WEIGHTS)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_broken_connection_is_continued_where_it_broke(
    fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    fake.faults.break_after["model.safetensors"] = [400_000, 100_000]
    hub = open_hub()
    is_whole, _ = bring(hub, hub.look("org/small"), "model.safetensors", tmp_path)
    assert is_whole
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS
    pieces = [one.range for one in fake.asked_for("model.safetensors") if "second" in one.path]
    assert pieces == [None, "bytes=400000-", "bytes=500000-"]


def test_asked_to_stop_it_keeps_what_came_and_another_process_goes_on(
    fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    hub = open_hub()
    model = hub.look("org/small")
    assert bring(hub, model, "model.safetensors", tmp_path, stop_at=300_000)[0] is False
    kept = (tmp_path / "model.safetensors.part").stat().st_size
    assert 300_000 <= kept < len(WEIGHTS)
    is_whole, seen = bring(open_hub(), model, "model.safetensors", tmp_path)
    assert is_whole
    assert seen[0] > kept
    assert fake.asked_for("model.safetensors")[-1].range == f"bytes={kept}-"
    num_requests = len(fake.requests)
    assert bring(open_hub(), model, "model.safetensors", tmp_path) == (True, [])
    assert len(fake.requests) == num_requests


def test_a_hub_that_knows_no_pieces_sends_the_whole_file_again(
    fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    (tmp_path / "model.safetensors.part").write_bytes(b"something else")
    fake.faults.ignores_range = True
    hub = open_hub()
    assert bring(hub, hub.look("org/small"), "model.safetensors", tmp_path)[0]
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("left", [b"", b"x" * (len(WEIGHTS) + 1)], ids=["empty", "too long"])
def test_a_half_file_that_cannot_be_continued_is_begun_anew(
    open_hub: Callable[..., Hub], tmp_path: Path, left: bytes
) -> None:
    (tmp_path / "model.safetensors.part").write_bytes(left)
    hub = open_hub()
    assert bring(hub, hub.look("org/small"), "model.safetensors", tmp_path)[0]
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("model.safetensors", bytes(len(WEIGHTS)), "SHA-256 is another"),
        ("config.json", b'{"model_type": "evil!"}', "git hash is another"),
        ("config.json", b"x" * 5000, "is larger than the 23 bytes"),
    ],
)
def test_other_content_than_is_listed_is_thrown_away(
    fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    fake.faults.wrong_content[name] = content
    hub = open_hub()
    with pytest.raises(HubFileDamaged, match=sentence):
        bring(hub, hub.look("org/small"), name, tmp_path)
    assert not (tmp_path / name).exists()
    fake.faults.wrong_content.clear()
    assert bring(hub, hub.look("org/small"), name, tmp_path)[0]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_that_is_busy_for_a_moment_is_asked_again(
    fake: FakeHub, open_hub: Callable[..., Hub], status: int
) -> None:
    fake.faults.statuses = [status] * (NUM_TRIES - 1)
    assert open_hub().look("org/small").files
    fake.faults.statuses = [status] * NUM_TRIES
    with pytest.raises(HubDoesNotAnswer, match=f"it answered {status}"):
        open_hub().look("org/small")


def test_a_connection_that_breaks_without_a_byte_ends_with_a_sentence(
    fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    fake.faults.break_after["model.safetensors"] = [0] * 100
    hub = open_hub()
    with pytest.raises(HubDoesNotAnswer, match="does not answer") as caught:
        bring(hub, hub.look("org/small"), "model.safetensors", tmp_path)
    assert "what was fetched so far is kept" in caught.value.hint


def test_a_hub_that_is_not_there_is_said(open_hub: Callable[..., Hub]) -> None:
    with pytest.raises(HubDoesNotAnswer, match=r"http://127\.0\.0\.1:9 does not answer"):
        open_hub(endpoint="http://127.0.0.1:9").look("org/small")


def test_offline_nothing_is_asked(fake: FakeHub) -> None:
    with pytest.raises(HubOffline, match="GOLDSMITH_HUB_OFFLINE") as caught:
        Hub(HubAccess(fake.url, is_offline=True))
    assert "goldsmith models import" in caught.value.hint
    assert fake.requests == []


@pytest.mark.parametrize(
    ("hub_id", "revision", "token", "error", "sentence"),
    [
        ("org/none", None, None, HubModelNotFound, "has no model org/none, or it is private"),
        ("org/none", None, "hf_right", HubModelNotFound, "has no model org/none"),
        ("org/small", "v9", None, HubModelNotFound, "has no such revision"),
        ("org/private", None, None, HubModelNotFound, "or it is private"),
        ("org/small", None, "hf_wrong", HubAccessDenied, "does not accept the token"),
    ],
)
def test_what_the_hub_refuses_is_said_with_what_to_do(
    fake: FakeHub,
    open_hub: Callable[..., Hub],
    hub_id: str,
    revision: str | None,
    token: str | None,
    error: type[GoldsmithError],
    sentence: str,
) -> None:
    fake.add("org/private", FILES, is_private=True)
    with pytest.raises(error, match=sentence) as caught:
        open_hub(token).look(hub_id, revision)
    assert "hf_" not in caught.value.message + caught.value.hint
    assert caught.value.hint


def test_forbidden_is_said_as_forbidden(fake: FakeHub, open_hub: Callable[..., Hub]) -> None:
    fake.faults.statuses = [403]
    with pytest.raises(HubAccessDenied, match="does not let you have org/small"):
        open_hub().look("org/small")


def test_a_gated_model_needs_a_token_and_says_how(fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path) -> None:
    fake.add("org/gated", FILES, is_gated=True)
    hub = open_hub()
    model = hub.look("org/gated")
    with pytest.raises(HubAccessDenied, match="org/gated is gated") as caught:
        bring(hub, model, "config.json", tmp_path)
    assert "goldsmith models token" in caught.value.hint
    assert bring(open_hub(fake.token), model, "model.safetensors", tmp_path)[0]


def test_the_token_goes_to_the_hub_and_to_nobody_else(
    fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    with FakeHub() as elsewhere:
        commit = elsewhere.add("org/small", FILES)
        address = f"{elsewhere.url}/second-address/org/small/resolve/{commit}/model.safetensors"
        fake.faults.redirect_to = address
        hub = open_hub(fake.token)
        assert bring(hub, hub.look("org/small"), "model.safetensors", tmp_path)[0]
        assert [one.authorization for one in elsewhere.requests] == [None]
    assert {one.authorization for one in fake.requests} == {f"Bearer {fake.token}"}
    assert fake.token not in repr(HubAccess(fake.url, SecretStr(fake.token)))


@pytest.mark.parametrize("target", ["http://example.org/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://["])
def test_a_redirect_to_an_unsafe_address_is_not_followed(
    fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path, target: str
) -> None:
    fake.faults.redirect_to = target
    hub = open_hub()
    with pytest.raises(HubDoesNotAnswer, match=r"not safe|no address"):
        bring(hub, hub.look("org/small"), "model.safetensors", tmp_path)


def test_a_redirect_in_a_circle_ends(fake: FakeHub, open_hub: Callable[..., Hub], tmp_path: Path) -> None:
    hub = open_hub()
    model = hub.look("org/small")
    fake.faults.redirect_to = f"{fake.url}/org/small/resolve/{model.commit}/model.safetensors"
    with pytest.raises(HubDoesNotAnswer, match="from one address to the next"):
        bring(hub, model, "model.safetensors", tmp_path)


@pytest.mark.parametrize("page", [b"<html>Sign in to this network</html>", b"[]", b'{"sha": "x", "siblings": []}'])
def test_something_else_than_a_hub_is_said(fake: FakeHub, open_hub: Callable[..., Hub], page: bytes) -> None:
    fake.faults.page = page
    with pytest.raises(HubDoesNotAnswer, match="does not speak like a model hub"):
        open_hub().look("org/small")


def test_the_stand_in_speaks_what_the_hubs_own_library_asks_for(fake: FakeHub, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from huggingface_hub import HfApi, hf_hub_download\n"
        "from huggingface_hub.errors import RepositoryNotFoundError, GatedRepoError\n"
        "info = HfApi().model_info('org/small', files_metadata=True)\n"
        "sizes = {file.rfilename: file.size for file in info.siblings}\n"
        "path = hf_hub_download('org/small', 'model.safetensors', revision=info.sha)\n"
        "assert open(path, 'rb').read() == bytes(range(256)) * 4000\n"
        "assert sizes['model.safetensors'] == 1024000 and info.siblings[1].lfs.size == 1024000\n"
        "for name, error in (('org/none', RepositoryNotFoundError), ('org/gated', GatedRepoError)):\n"
        "    try:\n"
        "        hf_hub_download(name, 'config.json')\n"
        "    except error:\n"
        "        print(info.sha)\n"
    )
    fake.add("org/gated", FILES, is_gated=True)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "HF_ENDPOINT": fake.url, "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    commit = fake.models["org/small"].commit
    assert (done.returncode, done.stdout.split()) == (0, [commit, commit]), done.stderr
