"""Hands over what is to be kept of the traffic, when an alias or the whole gateway has a rule for it.

An answer is noted as it passes and never waits: nothing is read, changed or written on its way.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.handing import (
    EVERY_S,
    MAX_REQUEST_BYTES,
    MAX_WAITING_BYTES,
    Dropped,
    Handing,
    Noted,
    exchange_of,
)
from goldsmith.people.types import Person
from goldsmith.serve.kept.types import Exchange, Handed, Rules, rule_for

Sink = Callable[[Handed], None]


class KeepingLine:
    """What waits to be kept. Used in the loop of the server only."""

    def __init__(
        self,
        sink: Sink | None = None,
        *,
        every_s: float = EVERY_S,
        max_bytes: int = MAX_WAITING_BYTES,
        dice: Callable[[], float] = random.random,
    ) -> None:
        def give(exchanges: tuple[Exchange, ...], dropped: Dropped) -> None:
            if sink is not None:
                sink(Handed(exchanges, dropped))

        self._handing: Handing[Exchange] = Handing(give if sink else None, every_s=every_s, max_bytes=max_bytes)
        self._dice = dice
        self.start, self.close, self.hand_over = self._handing.start, self._handing.close, self._handing.hand_over

    @contextmanager
    def watching(self, request: Outgoing, person: Person, rules: Rules, back: Back) -> Iterator[Back]:
        """Note the answer that goes this way back, when it is one that is to be kept, and comes whole."""
        alias = request.headers.get("x-goldsmith-alias", "")
        name, keeping = rule_for(rules, alias)
        if not self._handing.is_wanted or not keeping.is_on or self._dice() >= keeping.share:
            yield back
            return
        noted = Noted(back, self._handing.has_room)
        try:
            yield noted.back
        finally:
            self._handing.give_back(noted.num_bytes)
        if not noted.is_good:
            return
        key = (person.domain, name)
        if noted.is_too_long or len(request.body) > MAX_REQUEST_BYTES:
            self._handing.drop(key)
            return
        exchange = exchange_of(request, person, noted, rule=name, hides=keeping.hides)
        self._handing.add(exchange, exchange.num_bytes, key)
