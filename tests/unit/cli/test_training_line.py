"""`goldsmith train queue` and `move`: the line of this machine, listed and changed."""

from tests.unit.cli.conftest import Line

from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.people.types import Person


def test_the_line_is_listed_and_changed(line: Line) -> None:
    with line.filling() as (session, ada):
        for name in ("job_a", "job_b"):
            queue.add(session, NewJob("run", name, {}, needs_slot=True, id=name), by=ada)
        queue.add(session, NewJob("run", "of others", {}, needs_slot=True, id="job_c"), by=Person("per_9", "Z", "z"))
        queue.add(session, NewJob("run", "light", {}, id="job_d"), by=ada)
    assert line.json("train", "move", "job_b", "first")["place"] == 1
    found = line.json("train", "queue")
    assert [one["job"] for one in found] == ["job_b", "job_a", "job_c"]
    assert [one["begins_in_s"] for one in found] == [0.0, None, None]
    assert {(one["takes_s"], one["told_by"]) for one in found} == {(None, None)}
    assert line.error("train", "move", "job_c", "up")[1]["type"] == "job-not-found"
    assert line.error("train", "move", "job_d", "up")[1]["type"] == "not-in-line"


def test_for_people_it_says_what_is_not_known(line: Line) -> None:
    with line.filling() as (session, ada):
        for name in ("job_a", "job_b"):
            queue.add(session, NewJob("run", name, {}, needs_slot=True, id=name), by=ada)
    _, text, _ = line.run("train", "queue")
    assert "a moment" in text
    assert "not known" in text
