"""What is written in one turn of the loop goes out together."""

import asyncio
from typing import Any

from goldsmith.web.connection import MAX_KEPT_BYTES, JoinedWrites


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
