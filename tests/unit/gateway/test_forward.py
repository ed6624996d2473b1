"""Engines that misbehave: what reaches the caller is an error, or a stream that ends with one; never a success."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from goldsmith.gateway.errors import EngineNotReady, EngineUnreachable
from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.forward import MAX_AT_ONCE_BYTES, Forwarder
from goldsmith.gateway.upstream import Patience

pytestmark = pytest.mark.enable_socket
Write = Callable[[bytes], Awaitable[None]]
CHAT = "/v1/chat/completions"
JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
GOOD = b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'
WORD = b'data: {"choices": [{"delta": {"content": "two of three"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


@dataclass
class Got:
    """What the caller got."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def code(self) -> str:
        """The code of the error with which it ends."""
        last = self.body.rstrip().rpartition(b"data: ")[2] or self.body
        found: str = json.loads(last)["error"]["code"]
        return found

    def back(self) -> Back:
        async def start(status: int, headers: Mapping[str, str]) -> None:
            self.status, self.headers = status, headers

        async def chunk(content: bytes, has_more: bool) -> None:
            self.chunks.append(content)
            self.is_whole = not has_more

        return Back(start, chunk)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(data: bytes) -> bytes:
    return JSON % len(data) + data


def got(*parts: bytes, path: str = CHAT, is_silent: bool = False, silent_s: float = 5.0) -> Got:
    """What a caller gets from an engine that sends this to everybody, and then closes or is silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        for part in parts:
            writer.write(part)
            await writer.drain()
        if is_silent:
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        num_served.release()

    num_served = asyncio.Semaphore(0)

    async def run() -> Got:
        found = Got()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        forwarder = Forwarder(Patience(connect_s=1.0, silent_s=silent_s))
        try:
            request = Outgoing(f"http://127.0.0.1:{port}", path, b"{}", None, {"x-goldsmith-model": "ftm_1"})
            await forwarder.forward(request, found.back())
        finally:
            await forwarder.close()
            await num_served.acquire()
            server.close()
            await asyncio.sleep(0)
        return found

    return asyncio.run(run())


def test_an_answer_is_passed_on_as_it_is() -> None:
    found = got(whole(GOOD))
    assert (found.status, found.body, found.is_whole) == (200, GOOD, True)
    assert found.headers["x-goldsmith-model"] == "ftm_1"


def test_a_stream_is_passed_on_as_it_is() -> None:
    found = got(STREAM, chunk(WORD), chunk(DONE), b"0\r\n\r\n")
    assert (found.status, found.body, found.is_whole) == (200, WORD + DONE, True)


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings", "/v1/responses"])
def test_every_kind_of_answer_is_known(path: str) -> None:
    names = {"/v1/completions": "choices", "/v1/embeddings": "data", "/v1/responses": "output"}
    assert got(whole(json.dumps({names[path]: []}).encode()), path=path).status == 200


def test_an_engine_that_hangs_is_given_up() -> None:
    found = got(is_silent=True, silent_s=0.2)
    assert (found.status, found.code) == (504, "engine_too_slow")


def test_an_engine_that_hangs_in_the_middle_of_an_answer_is_given_up() -> None:
    found = got(JSON % 500, GOOD[:20], is_silent=True, silent_s=0.2)
    assert (found.status, found.code) == (504, "engine_too_slow")


def test_an_engine_that_hangs_in_the_middle_of_a_stream_ends_it_with_an_error_after_the_partial_text() -> None:
    found = got(STREAM, chunk(WORD), is_silent=True, silent_s=0.2)
    assert found.body.startswith(WORD)
    assert (found.code, found.is_whole) == ("engine_too_slow", True)
    assert DONE not in found.body


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b""])
def test_a_stream_that_stops_after_some_tokens_ends_with_an_error_after_the_partial_text(end: bytes) -> None:
    found = got(STREAM, chunk(WORD), chunk(WORD), end)
    assert found.body.startswith(WORD + WORD)
    assert (found.code, found.is_whole) == ("engine_unreachable", True)
    assert DONE not in found.body


def test_a_last_word_in_pieces_is_a_last_word() -> None:
    found = got(STREAM, chunk(WORD), chunk(b"data: [DO"), chunk(b"NE]\n\n"), b"0\r\n\r\n")
    assert found.body == WORD + DONE


def test_a_stream_of_a_response_ends_with_its_own_last_word() -> None:
    last = b'event: response.completed\ndata: {"type": "response.completed"}\n\n'
    assert got(STREAM, chunk(WORD), chunk(last), b"0\r\n\r\n", path="/v1/responses").body == WORD + last
    assert got(STREAM, chunk(WORD), b"0\r\n\r\n", path="/v1/responses").code == "engine_unreachable"


def test_half_an_answer_is_an_error() -> None:
    found = got(JSON % (2 * len(GOOD)), GOOD)
    assert (found.status, found.code) == (503, "engine_unreachable")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "EngineCore died", "type": "x", "param": null, "code": 500}}',
        b'{"object": "error", "message": "no"}',
        b"<html>502</html>",
        b"",
        b"null",
        GOOD[:-20],
        b"\xff\xfe\x00",
    ],
)
def test_a_200_that_is_no_answer_is_an_error(body: bytes) -> None:
    found = got(whole(body))
    assert (found.status, found.code) == (502, "engine_talks_nonsense")


def test_a_200_with_an_error_says_what_the_engine_said() -> None:
    found = got(whole(b'{"error": {"message": "CUDA out of memory"}}'))
    assert b"CUDA out of memory" in found.body


def test_garbage_in_a_stream_ends_with_an_error() -> None:
    found = got(STREAM, chunk(b"<html>"), b"0\r\n\r\n")
    assert found.code == "engine_unreachable"


def test_an_answer_of_unknown_length_is_looked_at_too() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    assert got(head, chunk(GOOD), b"0\r\n\r\n").body == GOOD
    assert got(head, chunk(b"oops"), b"0\r\n\r\n").status == 502
    assert got(head, chunk(GOOD)).status == 503


def test_a_long_answer_that_breaks_off_is_cut_off_for_the_caller_too() -> None:
    with pytest.raises(Exception, match="before its end"):
        got(JSON % (MAX_AT_ONCE_BYTES + 10), b"{" * 1000)


def test_words_that_are_no_http_are_an_error() -> None:
    found = got(b"SSH-2.0-OpenSSH_9\r\n\r\n")
    assert (found.status, found.code) == (503, "engine_unreachable")


def test_an_engine_that_leads_elsewhere_is_not_followed() -> None:
    found = got(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")
    assert (found.status, found.code) == (503, "engine_unreachable")


def test_an_engine_that_is_not_there_is_told_to_whoever_can_ask_another() -> None:
    async def run() -> None:
        forwarder, found = Forwarder(Patience(connect_s=0.5)), Got()
        try:
            with pytest.raises(EngineUnreachable):
                await forwarder.forward(Outgoing("http://127.0.0.1:9", CHAT, b"{}", None, {}), found.back())
        finally:
            await forwarder.close()
        assert found == Got()

    asyncio.run(run())


def test_an_engine_whose_door_does_not_open_in_time_is_told_to_whoever_can_ask_another() -> None:
    """Nothing was sent: a connection that hangs is no answer that is late."""

    async def run() -> None:
        forwarder, found = Forwarder(Patience(connect_s=0.1)), Got()
        full = socket.create_server(("127.0.0.1", 0), backlog=0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        try:
            with pytest.raises(EngineUnreachable):
                await forwarder.forward(Outgoing(f"http://127.0.0.1:{port}", CHAT, b"{}", None, {}), found.back())
        finally:
            await forwarder.close()
            for each in (*waiting, full):
                each.close()
        assert found == Got()

    asyncio.run(run())


def test_a_model_that_the_engine_does_not_have_yet_is_told_to_whoever_can_wait() -> None:
    body = b'{"error": {"message": "The model `ftm_1` does not exist."}}'
    with pytest.raises(EngineNotReady):
        got(
            b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
