"""How a provider is asked: its patience, its key, its addresses, and what may never be asked twice."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goldsmith.testing import FakeProvider, Fault
from goldsmith.trainers._provider import Interrupted, Provider, Refused, Unclear, Upload, retry_after_s
from goldsmith.trainers._report import Failure

pytestmark = pytest.mark.enable_socket
KEY = "sk-secret"
JOBS = "/fine_tuning/jobs"


@pytest.fixture
def there() -> Iterator[FakeProvider]:
    with FakeProvider(key=KEY) as provider:
        yield provider


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "engine.key"
    path.write_text(f"{KEY}\n")
    return path


def at(url: str, key_file: Path | None, **more: Any) -> Provider:
    return Provider(url, key_file, **{"should_stop": lambda: False, "patience_s": 5.0, **more})


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_an_address_is_written_with_or_without_v1(there: FakeProvider, key_file: Path, ending: str) -> None:
    assert at(there.url + ending, key_file).get(JOBS)["object"] == "list"


def test_a_time_that_a_rate_limit_names_is_kept(there: FakeProvider, key_file: Path) -> None:
    """The recorded shape of a rate limit, and of a server that has too much to do."""
    limit = {
        "error": {"message": "Rate limit reached", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    }
    there.faults += [
        Fault("GET", JOBS, 429, limit, {"Retry-After": "1"}),
        Fault("GET", JOBS, 503, {}, {"retry-after": "1"}),
    ]
    at(there.url, key_file, patience_s=0.5).get(JOBS)
    first, second, third = (when for _, path, when in there.asked if path == JOBS)
    assert second - first >= 1
    assert third - second >= 1


def test_errors_of_a_server_are_waited_out_until_patience_ends(there: FakeProvider, key_file: Path) -> None:
    there.faults += [Fault("GET", JOBS, 500), Fault("GET", JOBS, 502, breaks_off=True)]
    assert at(there.url, key_file).get(JOBS)["data"] == []
    there.faults += [Fault("GET", JOBS, 500) for _ in range(20)]
    with pytest.raises(Failure, match="did not answer for long") as raised:
        at(there.url, key_file, patience_s=0.6).get(JOBS)
    assert raised.value.kind == "provider_away"
    assert "paid twice" in raised.value.hint


@pytest.mark.parametrize("fault", [Fault("POST", JOBS, 500), Fault("POST", JOBS, breaks_off=True)])
def test_what_may_have_happened_is_not_asked_twice(there: FakeProvider, key_file: Path, fault: Fault) -> None:
    there.faults.append(fault)
    with pytest.raises(Unclear):
        at(there.url, key_file).post_once(JOBS, {})
    assert [path for method, path, _ in there.asked if method == "POST"] == [JOBS]


def test_what_was_surely_not_begun_is_asked_again(there: FakeProvider, key_file: Path, tmp_path: Path) -> None:
    provider = at(there.url, key_file)
    (tmp_path / "learn.jsonl").write_text('{"messages": []}\n')
    file_id = provider.upload(Upload(tmp_path / "learn.jsonl", "mine.jsonl"))["id"]
    there.faults.append(Fault("POST", JOBS, 429, {"error": {"message": "slow down"}}, {"Retry-After": "0.2"}))
    job = provider.post_once(JOBS, {"model": "small-1", "training_file": file_id})
    assert [one["id"] for one in there.begun] == [job["id"]]
    assert there.files[file_id] == ("mine.jsonl", b'{"messages": []}\n')


def test_no_credit_is_no_rate_limit(there: FakeProvider, key_file: Path) -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    there.faults.append(Fault("GET", JOBS, 429, body, {"Retry-After": "60"}))
    with pytest.raises(Refused) as raised:
        at(there.url, key_file).get(JOBS)
    assert (raised.value.status, raised.value.code) == (429, "insufficient_quota")


def test_what_it_writes_back_never_shows_the_key(there: FakeProvider, key_file: Path) -> None:
    there.key = "another"
    with pytest.raises(Refused) as raised:
        at(there.url, key_file).get(JOBS)
    assert raised.value.status == 401
    assert KEY not in raised.value.words
    assert "***" in raised.value.words


def test_a_key_that_was_changed_is_used_at_once(there: FakeProvider, key_file: Path) -> None:
    provider = at(there.url, key_file)
    there.key = "another"
    key_file.write_text("another\n")
    assert provider.get(JOBS)["data"] == []


def test_waiting_ends_when_somebody_asks_to_stop(there: FakeProvider, key_file: Path) -> None:
    there.faults.append(Fault("GET", JOBS, 429, {}, {"Retry-After": "60"}))
    began = time.monotonic()
    with pytest.raises(Interrupted):
        at(there.url, key_file, should_stop=lambda: time.monotonic() - began > 0.3).get(JOBS)
    assert time.monotonic() - began < 5


def test_stopping_waits_for_nobody_and_not_for_long(there: FakeProvider, key_file: Path) -> None:
    there.faults += [Fault("GET", JOBS, 429, {}, {"Retry-After": "60"}) for _ in range(9)]
    provider = at(there.url, key_file, should_stop=lambda: True)
    provider.give_up_after(0.3)
    began = time.monotonic()
    with pytest.raises(Failure, match="did not answer"):
        provider.get(JOBS)
    assert time.monotonic() - began < 5


class _Elsewhere(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/latest")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
        pass


def test_a_redirect_is_not_followed(key_file: Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        with pytest.raises(Failure, match="not as OpenAI") as raised:
            at(f"http://127.0.0.1:{server.server_address[1]}", key_file).get(JOBS)
        assert raised.value.kind == "not_a_provider"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("url", "ip", "is_refused"),
    [
        ("http://far.example", "93.184.216.34", True),
        ("https://far.example", "169.254.169.254", True),
        ("https://far.example", "::ffff:169.254.169.254", True),
        ("https://far.example", "0.0.0.0", True),
        ("https://far.example", "224.0.0.1", True),
        ("http://near.example", "10.0.0.7", False),
        ("https://far.example", "93.184.216.34", False),
    ],
)
def test_rows_go_in_plain_text_to_no_public_host_and_nowhere_odd(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, url: str, ip: str, *, is_refused: bool
) -> None:
    """Nothing is connected to: what is looked at is the address that a name has, whatever it had before."""
    tried: list[Any] = []

    def refuse(place: Any, *_: Any) -> socket.socket:
        tried.append(place)
        raise ConnectionRefusedError

    found = [(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(Failure) as raised:
        at(url, key_file, patience_s=0.0).get(JOBS)
    assert raised.value.kind == ("address_not_allowed" if is_refused else "provider_away")
    assert bool(tried) != is_refused
    assert {place[0] for place in tried} <= {ip}


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("20", 20, 20), ("1.5", 1.5, 1.5), ("-3", 0, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0)],
)
def test_a_time_to_wait_is_seconds_or_a_date(text: str, least: float, most: float) -> None:
    named = retry_after_s({"retry-after": text})
    assert named is not None
    assert least <= named <= most


def test_no_time_or_nonsense_is_none() -> None:
    assert retry_after_s({}) is None
    assert retry_after_s({"Retry-After": "soon"}) is None
