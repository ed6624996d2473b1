"""The client of engines: one question at a time on a connection, connections that are kept, and what breaks them."""

import asyncio
import datetime as dt
import ipaddress
import itertools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.gateway import upstream
from goldsmith.gateway.upstream import BrokenOff, Client, NotReached, Patience

pytestmark = pytest.mark.enable_socket
Writes = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes"


@dataclass
class Engine:
    """What a server saw: the questions that came over each of its connections."""

    port: int = 0
    connections: list[list[bytes]] = field(default_factory=list)
    num_open: int = 0

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/v1/ask"

    async def until_closed(self) -> None:
        """Wait until nobody is connected."""
        while self.num_open:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def engine(answer: Writes, context: ssl.SSLContext | None = None) -> AsyncIterator[Engine]:
    """A server that reads a question and lets `answer` do the rest, for as long as a connection is open."""
    seen = Engine()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections.append([])
        mine, seen.num_open = seen.connections[-1], seen.num_open + 1
        with suppress(asyncio.IncompleteReadError, OSError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                mine.append(head + await reader.readexactly(int(length.split(b":")[1])))
                await answer(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        seen.num_open -= 1

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
        await asyncio.wait_for(seen.until_closed(), 5)
    finally:
        server.close()


@asynccontextmanager
async def asking(answer: Writes, patience: Patience | None = None) -> AsyncIterator[tuple[Client, Engine]]:
    """A client and such a server."""
    client = Client(patience or Patience(connect_s=1.0, silent_s=5.0))
    async with engine(answer) as seen:
        try:
            yield client, seen
        finally:
            await client.close()


def always(content: bytes) -> Writes:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    return answer


async def ask(client: Client, url: str, body: bytes = b"{}") -> bytes:
    with await client.post(url, body, {"content-type": "application/json"}) as reply:
        return await reply.read(1_000_000_000)


def test_a_question_is_sent_as_it_is_and_its_connection_is_kept_for_the_next() -> None:
    async def run() -> None:
        async with asking(always(ANSWER)) as (client, seen):
            bodies = [b"{}", b"x" * 300_000, b""]
            assert [await ask(client, seen.url(), body) for body in bodies] == [b"yes"] * 3
            (questions,) = seen.connections
            assert [each.partition(b"\r\n\r\n")[2] for each in questions] == bodies
            head = questions[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
            assert head[:2] == [b"POST /v1/ask HTTP/1.1", b"host: 127.0.0.1:%d" % seen.port]

    asyncio.run(run())


def test_two_questions_at_once_have_a_connection_each() -> None:
    async def run() -> None:
        async with asking(always(ANSWER)) as (client, seen):
            assert await asyncio.gather(*(ask(client, seen.url()) for _ in range(2))) == [b"yes"] * 2
            assert len(seen.connections) == 2

    asyncio.run(run())


def test_a_kept_connection_that_is_closed_just_then_costs_nobody_an_answer() -> None:
    async def run() -> None:
        num = 0

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal num
            num += 1
            if num == 2:
                writer.close()
            else:
                writer.write(ANSWER)

        async with asking(answer) as (client, seen):
            assert [await ask(client, seen.url()) for _ in range(2)] == [b"yes"] * 2
            assert [len(each) for each in seen.connections] == [2, 1]

    asyncio.run(run())


def test_a_question_on_a_new_connection_is_never_asked_twice() -> None:
    async def run() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with asking(answer) as (client, seen):
            with pytest.raises(BrokenOff):
                await ask(client, seen.url())
            assert [len(each) for each in seen.connections] == [1]

    asyncio.run(run())


def test_a_connection_that_was_idle_for_long_is_closed_and_not_used_again() -> None:
    async def run() -> None:
        async with asking(always(ANSWER), Patience(idle_s=0.05)) as (client, seen):
            await ask(client, seen.url())
            await asyncio.wait_for(seen.until_closed(), 5)
            await ask(client, seen.url())
            assert len(seen.connections) == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    "content",
    [
        ANSWER + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nyes",
        b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nyes",
    ],
)
def test_after_more_than_was_asked_or_a_good_bye_a_connection_is_not_used_again(content: bytes) -> None:
    async def run() -> None:
        async with asking(always(content)) as (client, seen):
            assert [await ask(client, seen.url()) for _ in range(2)] == [b"yes"] * 2
            assert [len(each) for each in seen.connections] == [1, 1]

    asyncio.run(run())


def test_interim_answers_are_passed_over() -> None:
    async def run() -> None:
        async with asking(always(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + ANSWER)) as (client, seen):
            with await client.post(seen.url(), b"{}", {}) as reply:
                assert (reply.status, reply.headers, await reply.read(10)) == (200, {"content-length": "3"}, b"yes")

    asyncio.run(run())


def test_an_answer_that_says_no_length_ends_with_its_connection() -> None:
    async def run() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nyes")
            writer.close()

        async with asking(answer) as (client, seen):
            assert await ask(client, seen.url()) == b"yes"

    asyncio.run(run())


def test_headers_without_an_end_are_given_up() -> None:
    async def run() -> None:
        async with asking(always(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000)) as (client, seen):
            with pytest.raises(BrokenOff, match="no end"):
                await ask(client, seen.url())

    asyncio.run(run())


@pytest.mark.parametrize("begun", [b"", ANSWER[:-2]])
def test_who_goes_before_the_end_closes_the_connection(begun: bytes) -> None:
    async def run() -> None:
        async with asking(always(begun)) as (client, seen):
            task = asyncio.create_task(ask(client, seen.url()))
            while not seen.num_open:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(seen.until_closed(), 5)

    asyncio.run(run())


def test_an_engine_is_read_no_faster_than_its_caller_reads() -> None:
    async def run() -> None:
        num, sent = 64, 0

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (num * 1_000_000))
            while sent < num:
                writer.write(b"." * 1_000_000)
                await writer.drain()
                sent += 1

        async with asking(answer) as (client, seen):
            with await client.post(seen.url(), b"{}", {}) as reply:
                await asyncio.sleep(0.2)
                assert sent < num / 2
                assert len(await reply.read(num * 1_000_000)) == num * 1_000_000
            assert len(seen.connections) == 1

    asyncio.run(run())


@pytest.mark.parametrize("key", ["a\r\nx: y", "a\nb", "a\0b", "clé à 100 €"])
def test_a_key_that_no_header_can_hold_goes_nowhere(key: str) -> None:
    async def run() -> None:
        async with asking(always(ANSWER)) as (client, seen):
            with pytest.raises(NotReached, match="key"):
                await client.post(seen.url(), b"{}", {"authorization": f"Bearer {key}"})
            assert seen.connections == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/", "ftp://127.0.0.1/", "http:///v1", "engine:8000", "http://[::1", "http://a..b/"]
)
def test_an_address_that_is_none_is_told_as_one_that_cannot_be_reached(url: str) -> None:
    with pytest.raises(NotReached, match="address"):
        asyncio.run(Client().post(url, b"{}", {}))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://[::1]:8000/v1", "[::1]:8000"),
        ("https://api.example.org/v1", "api.example.org"),
        ("https://bücher.example/v1 x", "xn--bcher-kva.example"),
    ],
)
def test_the_host_is_said_as_it_stands_in_the_address(url: str, host: str) -> None:
    place = upstream._place_of(url)
    head = upstream._head(place, ()).decode()
    path = "/v1%20x" if " " in url else "/v1"
    assert head == f"POST {path} HTTP/1.1\r\nhost: {host}"


class _Nowhere(upstream._Connection):
    """A connection that needs no socket: where bytes are cut, a socket cannot be told."""

    def __init__(self) -> None:
        super().__init__(Client(), upstream._place_of("http://engine"))

    def read_on(self, is_wanted: bool = True) -> None:
        pass


@given(
    contents=st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    is_chunked=st.booleans(),
    cuts=st.sets(st.integers(1, 400), max_size=12),
)
def test_an_answer_is_the_same_however_it_is_cut(contents: list[bytes], is_chunked: bool, cuts: set[int]) -> None:
    whole = b"".join(contents)
    if is_chunked:
        parts = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in contents)
        sent = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"
    else:
        sent = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(whole), whole)
    places = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
    connection = _Nowhere()
    reply = upstream.Reply(connection)
    for begin, end in itertools.pairwise(places):
        reply.heard(sent[begin:end])

    async def read() -> bytes:
        await reply.begin()
        return await reply.read(10_000)

    assert (asyncio.run(read()), reply.status, connection.is_good) == (whole, 201, True)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
    made = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    path = tmp_path / "engine.pem"
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(own + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_over_tls_only_an_engine_that_this_machine_trusts_is_asked(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def run(host: str = "127.0.0.1") -> bytes:
        client = Client(Patience(connect_s=2.0, silent_s=5.0))
        async with engine(always(ANSWER), context) as seen:
            try:
                return await ask(client, seen.url("https").replace("127.0.0.1", host))
            finally:
                await client.close()

    upstream._trusted.cache_clear()
    try:
        with pytest.raises(NotReached):
            asyncio.run(run())
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        upstream._trusted.cache_clear()
        assert asyncio.run(run()) == b"yes"
        with pytest.raises(NotReached):
            asyncio.run(run("localhost"))  # the certificate is another's
    finally:
        upstream._trusted.cache_clear()
