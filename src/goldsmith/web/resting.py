"""Engines at rest, as pages and the API show them: for what, and for how long about. Used by the steps' `found.py`."""

from dataclasses import dataclass

from sqlalchemy import orm

from goldsmith.serve import resting
from goldsmith.train import waiting
from goldsmith.web import format as formats


@dataclass(frozen=True)
class Rest:
    """Why an engine is away. Work of another organisation has no address."""

    sentence: str
    address: str


def rests(session: orm.Session, *, domain: str) -> dict[str, Rest]:
    """Engine → its rest, of the organisation's engines that rest now."""
    found = {}
    for engine, job in resting.at_rest(session):
        if engine.domain == domain:
            left_s = waiting.left_s(session, job)
            when = f"in about {formats.duration(left_s)}" if left_s is not None else "when that is over"
            words = resting.because(engine, job)
            address = f"/activity/{job.id}" if job.domain == domain else ""
            found[engine.id] = Rest(f"{words[0].upper()}{words[1:]}, {when}.", address)
    return found
