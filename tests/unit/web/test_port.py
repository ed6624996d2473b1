"""A taken port is said with the name of whoever has it."""

import os
import socket

import pytest

from goldsmith.web.errors import PortTaken
from goldsmith.web.port import check_free, listen


def test_a_taken_port_is_refused_with_the_name_of_who_has_it() -> None:
    with socket.socket() as door:
        door.bind(("0.0.0.0", 0))
        door.listen()
        port = door.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} .*process {os.getpid()}\) listens there") as refused:
            check_free(port)
    assert "GOLDSMITH_PORT" in refused.value.hint


def test_a_free_port_can_be_listened_on_at_once_after_it_was_checked() -> None:
    with listen(0) as found:
        port = found.getsockname()[1]
    check_free(port)
    with listen(port) as found:
        found.listen()
        assert found.getsockname() == ("127.0.0.1", port)


def test_a_port_that_is_reserved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reserved(socket.socket):
        def bind(self, _address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Reserved)
    with pytest.raises(PortTaken, match="Permission denied"):
        listen(80)
