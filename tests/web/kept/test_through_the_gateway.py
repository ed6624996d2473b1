"""What passes a real gateway is kept when a rule says so, whole and streamed, and nothing without one."""

import time

from tests.web.gateway_site import HELLO, TUNED, Running

from goldsmith.serve.kept import queries, service
from goldsmith.serve.kept.tables import KeptExchange
from goldsmith.serve.kept.types import EVERYTHING, Keeping


def kept(running: Running, num: int) -> list[KeptExchange]:
    """What was kept, once there is so much."""
    end = time.monotonic() + 30
    while True:
        with running.parts.database.reading() as session:
            found = queries.page(session, domain="local")
        if len(found) >= num or time.monotonic() > end:
            return found
        time.sleep(0.05)


def test_requests_are_kept_from_the_moment_on_at_which_somebody_says_so(running: Running) -> None:
    running.engine.go_on.set()
    assert running.ask({**HELLO, "model": TUNED}).status_code == 200
    with running.parts.database.transaction() as session:
        service.keep(session, EVERYTHING, Keeping(1.0), by=running.person)
    running.refresh()
    assert running.ask({**HELLO, "model": TUNED}).status_code == 200
    assert running.ask({**HELLO, "model": TUNED, "stream": True}).status_code == 200
    assert running.ask({"messages": "no list", "model": TUNED}).status_code == 400
    found = kept(running, 2)
    assert [(row.question, row.answer) for row in found] == [("Hello", f"{TUNED} says hello")] * 2
    assert {row.asked_by for row in found} == {running.person.id}
