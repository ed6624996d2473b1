"""What is written in one turn of the loop goes out together, and nobody is cut off who has just asked."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.web.conftest import make_site
from uvicorn.server import ServerState

from goldsmith.web.connection import MAX_KEPT_BYTES, Connection, JoinedWrites
from goldsmith.web.factory import Routers
from goldsmith.web.server import make_server
from goldsmith.wire.asgi import GONE


class Wire:
    """A transport that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True

    def get_extra_info(self, name: str) -> str:
        return f"the wire's {name}"


def written(*turns: tuple[bytes, ...]) -> list[bytes]:
    async def run() -> list[bytes]:
        wire: Any = Wire()
        joined = JoinedWrites(wire, asyncio.get_running_loop())
        for turn in turns:
            for data in turn:
                joined.write(data)
            await asyncio.sleep(0)
        sent: list[bytes] = wire.sent
        return sent

    return asyncio.run(run())


def test_head_and_body_go_out_together() -> None:
    assert written((b"head", b"", b"body")) == [b"headbody"]


def test_what_comes_later_is_not_waited_for() -> None:
    assert written((b"head",), (b"first",), (), (b"second",)) == [b"head", b"first", b"second"]


def test_much_is_not_kept() -> None:
    large = b"x" * MAX_KEPT_BYTES
    assert written((b"head", large, b"end")) == [b"head" + large, b"end"]


def test_closing_sends_what_is_kept_first() -> None:
    async def run() -> Wire:
        wire: Any = Wire()
        joined = JoinedWrites(wire, asyncio.get_running_loop())
        joined.write(b"last words")
        joined.close()
        assert joined.get_extra_info("peername") == "the wire's peername"
        found: Wire = wire
        return found

    wire = asyncio.run(run())
    assert (wire.sent, wire.is_closed) == ([b"last words"], True)


def kept_connection(wire: socket.socket, loop: asyncio.AbstractEventLoop) -> tuple[Connection, list[str]]:
    """A connection on which an answer was sent, and what is done to it."""
    config = uvicorn.Config(nothing, lifespan="off", ws="none", timeout_keep_alive=60, log_config=None)
    config.load()
    done: list[str] = []

    class Kept(asyncio.Transport):
        def get_extra_info(self, name: str, default: Any = None) -> Any:
            return wire if name == "socket" else default

        def is_closing(self) -> bool:
            return bool(done)

        def close(self) -> None:
            done.append("closed")

    connection = Connection(config, ServerState(), {}, _loop=loop)
    connection.connection_made(Kept())
    return connection, done


@contextmanager
def asked_connection() -> Iterator[Connection]:
    """A connection on which a request has begun, and not all of its body came."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection, _ = kept_connection(ours, asyncio.get_running_loop())
        connection.data_received(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n")
        yield connection


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that nobody asks."""


@pytest.mark.parametrize(("has_asked", "what"), [(False, ["closed"]), (True, [])])
def test_a_kept_connection_is_closed_when_its_time_is_over_but_never_under_who_has_just_asked(
    has_asked: bool, what: list[str]
) -> None:
    """What came while the loop was busy is in the network's hands, and not read yet."""

    async def run() -> list[str]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            connection, done = kept_connection(ours, asyncio.get_running_loop())
            if has_asked:
                theirs.sendall(b"GET / HTTP/1.1\r\n")
            connection.timeout_keep_alive_handler()
            timer = connection.timeout_keep_alive_task
            assert (timer is not None) is has_asked, "it is looked at again later"
            if timer is not None:
                timer.cancel()
            return done

    assert asyncio.run(run()) == what


@pytest.mark.parametrize("has_stopped", [False, True])
def test_who_answers_is_told_that_the_caller_has_gone_while_it_wants_to_know(has_stopped: bool) -> None:
    async def run() -> list[str]:
        told: list[str] = []
        with asked_connection() as connection:
            stop = connection.scope["extensions"][GONE](lambda: told.append("gone"))  # type: ignore[operator]
            if has_stopped:
                stop()
            connection.connection_lost(None)
            await asyncio.sleep(0)
        return told

    assert asyncio.run(run()) == ([] if has_stopped else ["gone"])


@pytest.mark.parametrize("num_bytes", [1_000, 100_000])
def test_a_caller_who_goes_is_noticed_however_long_the_body_was(num_bytes: int) -> None:
    """A server that has been sent much at once reads no further until somebody has taken it."""
    told = asyncio.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        stop = scope["extensions"][GONE](told.set)
        await asyncio.wait_for(told.wait(), 10)
        stop()

    async def run() -> bool:
        server = uvicorn.Server(uvicorn.Config(answer, http=Connection, lifespan="off", ws="none", log_config=None))
        listening = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.get_running_loop().create_task(server.serve([listening]))
        _, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % num_bytes)
        await asyncio.sleep(0.1)  # it waits for the body already when that comes at once
        writer.write(b"x" * num_bytes)
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.wait_for(told.wait(), 5)
        server.should_exit = True
        await serving
        listening.close()
        return told.is_set()

    assert asyncio.run(run())


def test_who_begins_to_answer_when_the_caller_has_gone_already_is_told_so() -> None:
    async def run() -> list[str]:
        told: list[str] = []
        with asked_connection() as connection:
            connection.connection_lost(None)
            connection.scope["extensions"][GONE](lambda: told.append("gone"))  # type: ignore[operator]
            assert told == []
            await asyncio.sleep(0)
        return told

    assert asyncio.run(run()) == ["gone"]


def test_connections_are_kept_longer_than_usual_clients_keep_theirs(tmp_path: Path) -> None:
    """Else a client that is late sends a request on a connection that was closed here and counts as open there."""
    site = make_site(tmp_path, Routers())
    assert make_server(site.web).config.timeout_keep_alive > 60
    site.database.dispose()
