"""What the web needs from outside, as one value. Made by `app.py`, found by dependencies in `request.app.state.web`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import orm

from goldsmith.people.types import Person
from goldsmith.settings import Settings
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

MenuCount = Callable[[orm.Session, Person], str]


@dataclass(frozen=True)
class WebState:
    """The parts that pages and the API stand on."""

    database: Database
    home: Home
    settings: Settings
    menu_counts: Mapping[str, MenuCount] = field(default_factory=dict)
    """Name of a menu entry → what stands at its right ("160"); asked at most every two seconds."""
    offers: Mapping[str, Any] = field(default_factory=dict)
    """What single steps need beyond this, by name; `app.py` puts it in, the step's own dependency takes it out."""
